# SPDX-License-Identifier: GPL-3.0-or-later
"""
Random events in RPC-form BinXML ([MS-EVEN6] 2.2.12), written from the
format's description: System as Windows has it, and a body whose Data elements
are named after the type of their value ("Int32.7"), so that whoever compares
knows what the text means.
"""

import struct
import uuid

HEADER = b"\x0f\x01\x01\x00"
NONE = 0xFFFF
NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
BINXML = 0x21


# What elements are made of

class Element:
    def __init__(self, name, content=(), attributes=(), dependency=NONE):
        self.name, self.content = name, content
        self.attributes, self.dependency = attributes, dependency


class Subst:
    """A value's place; the type that stands there need not be the value's."""

    def __init__(self, index, kind=0x01, optional=True):
        self.index, self.kind, self.optional = index, kind, optional


class Raw(bytes):
    """Tokens as they are."""


def units(text):
    return text.encode("utf-16-le", "surrogatepass")


def name(text):
    value = 0
    for (unit,) in struct.iter_unpack("<H", units(text)):
        value = (value * 65599 + unit) & 0xFFFFFFFF
    return struct.pack("<HH", value & 0xFFFF, len(units(text)) // 2) + \
        units(text) + b"\0\0"


def counted(text):
    return struct.pack("<H", len(units(text)) // 2) + units(text)


def part(item, in_definition):
    if isinstance(item, Element):
        return element(item, in_definition)
    if isinstance(item, Subst):
        return struct.pack("<BHB", 0x0E if item.optional else 0x0D,
                           item.index, item.kind)
    if isinstance(item, Raw):
        return item
    return b"\x05\x01" + counted(item)


def element(item, in_definition):
    out = name(item.name)
    if item.attributes:
        listed = b""
        for i, (key, value) in enumerate(item.attributes):
            last = i == len(item.attributes) - 1
            listed += (b"\x06" if last else b"\x46") + name(key)
            listed += part(value, in_definition)
        out += struct.pack("<I", len(listed)) + listed
    if item.content:
        out += b"\x02" + b"".join(part(child, in_definition)
                                  for child in item.content) + b"\x04"
    else:
        out += b"\x03"
    head = b"\x41" if item.attributes else b"\x01"
    if in_definition:
        head += struct.pack("<H", item.dependency)
    return head + struct.pack("<I", len(out)) + out


def document(item):
    return HEADER + element(item, False) + b"\0"


class Template:
    def __init__(self, root, guid=None):
        self.definition = HEADER + element(root, True) + b"\0"
        self.guid = guid or uuid.uuid5(uuid.NAMESPACE_OID,
                                       self.definition.hex()).bytes_le

    def instance(self, values):
        """values: (type, bytes)."""
        out = b"\x0c\0" + self.guid + struct.pack("<I", len(self.definition))
        out += self.definition + struct.pack("<I", len(values))
        out += b"".join(struct.pack("<HBB", len(data), kind, 0)
                        for kind, data in values)
        return HEADER + out + b"".join(data for _, data in values) + b"\0"


# Values

def sid(random):
    count = random.randrange(1, 6)
    return bytes([1, count]) + random.randrange(100).to_bytes(6, "big") + \
        random.randbytes(4 * count)


def filetime(random):
    # 1980 to 2060: what all judges can print.
    return struct.pack("<Q", random.randrange(119600064000000000,
                                              144500000000000000))


def systime(random):
    return struct.pack("<8H", random.randrange(1990, 2060),
                       random.randrange(1, 13), random.randrange(7),
                       random.randrange(1, 29), random.randrange(24),
                       random.randrange(60), random.randrange(60),
                       random.randrange(1000))


def plain(random):
    words = ("event", "Łódź", "日本", "\U0001F600", "a b", "C:\\x", "100%",
             "é", "x=y", "'q'", '"qq"', "<&>", "]]>", "&amp;", "{1}")
    return " ".join(random.choice(words)
                    for _ in range(random.randrange(1, 9)))


def fixed(form, choose):
    return lambda random: struct.pack("<" + form, choose(random))


def bits(n):
    return lambda random: random.getrandbits(random.randrange(1, n + 1))


def signed(n):
    return lambda random: random.getrandbits(n) - (1 << n - 1)


# name -> (type, one value)
KINDS = {
    "String": (0x01, lambda r: units(plain(r))),
    "Ansi": (0x02, lambda r: bytes(r.randrange(0x20, 0x7F)
                                   for _ in range(r.randrange(1, 40)))),
    "Int8": (0x03, fixed("b", signed(8))),
    "UInt8": (0x04, fixed("B", bits(8))),
    "Int16": (0x05, fixed("h", signed(16))),
    "UInt16": (0x06, fixed("H", bits(16))),
    "Int32": (0x07, fixed("i", signed(32))),
    "UInt32": (0x08, fixed("I", bits(32))),
    "Int64": (0x09, fixed("q", signed(64))),
    "UInt64": (0x0A, fixed("Q", bits(64))),
    "Real32": (0x0B, fixed("f", lambda r: r.uniform(-1000, 1000))),
    "Real64": (0x0C, fixed("d", lambda r: r.uniform(-1000, 1000))),
    "Bool": (0x0D, fixed("I", lambda r: r.randrange(2))),
    "Binary": (0x0E, lambda r: r.randbytes(r.randrange(1, 60))),
    "Guid": (0x0F, lambda r: r.randbytes(16)),
    "SizeT32": (0x10, fixed("I", bits(32))),
    "SizeT64": (0x10, fixed("Q", bits(64))),
    "FileTime": (0x11, filetime),
    "SysTime": (0x12, systime),
    "Sid": (0x13, sid),
    "HexInt32": (0x14, fixed("I", bits(32))),
    "HexInt64": (0x15, fixed("Q", bits(64))),
}

# Binary has no arrays, and how many SizeT of 4 bytes two of them are is not
# known from the bytes.
NO_ARRAYS = ("Binary", "SizeT32")


def array(kind, random):
    code, make = KINDS[kind]
    items = [make(random) for _ in range(random.randrange(1, 6))]
    end = {0x01: b"\0\0", 0x02: b"\0"}.get(code, b"")
    return code | 0x80, b"".join(item + end for item in items)


# Events

def system(provider, guid, channel, computer):
    """Facts 9.9 has the numbers of the values."""
    def leaf(key, index, kind):
        return Element(key, [Subst(index, kind)], dependency=index)

    return Element("System", [
        Element("Provider", attributes=[("Name", provider), ("Guid", guid)]),
        Element("EventID", [Subst(3, 0x06)], [("Qualifiers", Subst(4, 0x06))],
                dependency=3),
        leaf("Version", 11, 0x04), leaf("Level", 0, 0x04),
        leaf("Task", 2, 0x06), leaf("Opcode", 1, 0x04),
        leaf("Keywords", 5, 0x15),
        Element("TimeCreated", attributes=[("SystemTime", Subst(6, 0x11))]),
        leaf("EventRecordID", 10, 0x0A),
        Element("Correlation", attributes=[("ActivityID", Subst(7, 0x0F))]),
        Element("Execution", attributes=[("ProcessID", Subst(8, 0x08)),
                                         ("ThreadID", Subst(9, 0x08))]),
        Element("Channel", [channel]), Element("Computer", [computer]),
        Element("Security", attributes=[("UserID", Subst(12, 0x13))]),
    ])


def maybe(random, kind, data):
    return (0x00, b"") if random.randrange(3) == 0 else (kind, data)


def system_values(random, record_id):
    return [
        (0x04, bytes([random.randrange(6)])), (0x04, b"\0"),
        (0x06, struct.pack("<H", random.randrange(100))),
        (0x06, struct.pack("<H", random.randrange(65536))),
        maybe(random, 0x06, struct.pack("<H", random.randrange(65536))),
        (0x15, struct.pack("<Q", random.getrandbits(64))),
        (0x11, filetime(random)),
        maybe(random, 0x0F, random.randbytes(16)),
        (0x08, struct.pack("<I", random.randrange(65536))),
        (0x08, struct.pack("<I", random.randrange(65536))),
        (0x0A, struct.pack("<Q", record_id)),
        (0x04, b"\0"),
        maybe(random, 0x13, sid(random)),
    ]


class Provider:
    """One outer template, and some bodies with what their values are."""

    def __init__(self, random, number):
        self.random = random
        title = "Judged-Provider-%d" % number
        guid = "{%s}" % str(uuid.UUID(int=number + 1)).upper()
        self.system = system(title, guid, "Judged/Channel%d" % number,
                             "host%d.example.org" % number)
        self.outer = Template(Element("Event", [
            self.system, Subst(13, BINXML),
        ], [("xmlns", NAMESPACE)]))
        self.bodies = [self.body(number, i) for i in range(5)]

    def body(self, number, i):
        """A template of random Data; of its values the kind and whether each
        may be missing."""
        kinds = [(self.random.choice(list(KINDS)),
                  self.random.randrange(2) == 0)
                 for _ in range(self.random.randrange(1, 9))]
        data = [Element("Data", [Subst(at, KINDS[kind][0], optional)],
                        [("Name", "%s.%d" % (kind, at))],
                        at if optional else NONE)
                for at, (kind, optional) in enumerate(kinds)]
        root = Element("EventData", data,
                       [("Name", "Body.%d.%d" % (number, i))])
        return Template(root), kinds

    def values(self, kinds, arrays):
        for kind, optional in kinds:
            if optional and self.random.randrange(4) == 0:
                yield 0x00, b""
            elif kind in arrays and kind not in NO_ARRAYS and \
                    self.random.randrange(3) == 0:
                yield array(kind, self.random)
            else:
                yield KINDS[kind][0], KINDS[kind][1](self.random)

    def event(self, record_id, arrays=(), body=None):
        """arrays: what may be one.
        body: a document of its own; empty: the body is Null."""
        if body is None:
            template, kinds = self.random.choice(self.bodies)
            body = template.instance(list(self.values(kinds, arrays)))
        return self.outer.instance(system_values(self.random, record_id) +
                                   [(BINXML if body else 0x00, body)])


def hostile(random):
    """Units of every sort, NULs and lone surrogates among them."""
    pools = ((0, 0x20), (0x20, 0x7F), (0x7F, 0xA0), (0xD800, 0xE000),
             (0xFFF0, 0x10000), (0, 0x10000))
    return b"".join(struct.pack("<H", random.randrange(*random.choice(pools)))
                    for _ in range(random.randrange(0, 60)))


def markup():
    """The tokens that files hardly have: facts 9.2, 07 to 0B, and 45."""
    return [
        "a", Raw(b"\x49" + name("amp")), Raw(b"\x48" + struct.pack("<H", 60)),
        Element("Inner", [Raw(b"\x07" + counted("c < d & e"))]),
        Raw(b"\x45\x01" + counted("more ")), "text",
    ]


def forwarded(random, record_id):
    """An event without a template: RenderingInfo, as collectors have it."""
    def leaf(key, text):
        return Element(key, [text])

    return document(Element("Event", [
        Element("System", [
            Element("Provider", attributes=[("Name", "Forwarder")]),
            leaf("EventID", str(random.randrange(65536))),
            leaf("Level", "4"),
            Element("TimeCreated", attributes=[
                ("SystemTime", "2024-05-06T07:08:09.1234567Z")]),
            leaf("EventRecordID", str(record_id)),
            leaf("Channel", "ForwardedEvents"),
            leaf("Computer", "far.example.org"),
        ]),
        Element("EventData", [
            Element("Data", [plain(random)], [("Name", "String.0")]),
            Element("Data", [], [("Name", "String.1")]),
        ]),
        Element("RenderingInfo", [
            leaf("Message", plain(random)),
            Element("Keywords", [leaf("Keyword", "Classic")]),
        ], [("Culture", "en-US")]),
    ], [("xmlns", NAMESPACE)]))
