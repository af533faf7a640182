# SPDX-License-Identifier: GPL-3.0-or-later
"""Random events in RPC-form BinXML, and a reader that keeps their types.

Both are written from the format's description ([MS-EVEN6] 2.2.12), nothing of
them is shared with the C code.
"""

import datetime
import math
import struct

HEADER = b"\x0f\x01\x01\x00"
NULL, STRING, ANSI, BINXML, ARRAY = 0x00, 0x01, 0x02, 0x21, 0x80
NO_DEPENDENCY = 0xFFFF
SIZES = {0x03: 1, 0x04: 1, 0x05: 2, 0x06: 2, 0x07: 4, 0x08: 4, 0x09: 8,
         0x0A: 8, 0x0B: 4, 0x0C: 8, 0x0D: 4, 0x0F: 16, 0x10: 8, 0x11: 8,
         0x12: 16, 0x14: 4, 0x15: 8}
ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


# Values as text, facts 9.4.

def filetime_text(ticks):
    day = datetime.datetime(1601, 1, 1) + datetime.timedelta(
        seconds=ticks // 10**7)
    return day.strftime("%Y-%m-%dT%H:%M:%S") + ".%07dZ" % (ticks % 10**7)


def systime_text(data):
    y, mo, _, d, h, mi, s, ms = struct.unpack("<8H", data)
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % (y, mo, d, h, mi, s, ms)


def guid_text(data):
    a, b, c = struct.unpack_from("<IHH", data)
    tail = data[8:].hex().upper()
    return "{%08X-%04X-%04X-%s-%s}" % (a, b, c, tail[:4], tail[4:])


def sid_text(data):
    parts = struct.unpack_from("<%dI" % data[1], data, 8)
    authority = int.from_bytes(data[2:8], "big")
    return "-".join(["S", str(data[0]), str(authority)] +
                    [str(p) for p in parts])


def real_text(value):
    if math.isnan(value):
        return "1.#QNAN"
    if math.isinf(value):
        return "1.#INF" if value > 0 else "-1.#INF"
    return "%f" % value


def string_text(data):
    return data.decode("utf-16-le").partition("\0")[0]


def value_text(kind, data):
    if kind & ARRAY:
        return " ".join(value_text(kind & ~ARRAY, item)
                        for item in array_items(kind, data))
    if kind in (NULL, BINXML):
        return ""
    if kind == STRING:
        return string_text(data)
    if kind == ANSI:
        return data.partition(b"\0")[0].decode("cp1252")
    if kind in (0x03, 0x05, 0x07, 0x09):
        return str(int.from_bytes(data, "little", signed=True))
    if kind in (0x04, 0x06, 0x08, 0x0A):
        return str(int.from_bytes(data, "little"))
    if kind in (0x10, 0x14, 0x15):
        return hex(int.from_bytes(data, "little"))
    if kind == 0x0B:
        return real_text(struct.unpack("<f", data)[0])
    if kind == 0x0C:
        return real_text(struct.unpack("<d", data)[0])
    if kind == 0x0D:
        return "true" if any(data) else "false"
    if kind == 0x0E:
        return data.hex().upper()
    return {0x0F: guid_text, 0x12: systime_text, 0x13: sid_text,
            0x11: lambda d: filetime_text(int.from_bytes(d, "little"))
            }[kind](data)


def array_items(kind, data):
    base = kind & ~ARRAY
    if base in (STRING, ANSI):
        nul = b"\0\0" if base == STRING else b"\0"
        items, item, i = [], b"", 0
        while i < len(data):
            unit = data[i:i + len(nul)]
            i += len(nul)
            if unit == nul:
                items.append(item)
                item = b""
            else:
                item += unit
        return items + [item] if item else items
    items = []
    while data:
        size = 8 + 4 * data[1] if base == 0x13 else SIZES[base]
        items.append(data[:size])
        data = data[size:]
    return items


def is_empty(kind, data):
    return kind in (NULL, BINXML) or not data or (
        kind == STRING and data[:2] == b"\0\0") or (
        kind == ANSI and data[:1] == b"\0")


# Reading: elements whose texts and attributes know their types.

class Node:
    """An element: attributes and content, each a list of pieces.

    A piece of content is a Node, or (kind, data) of a value, or a str."""

    def __init__(self, name):
        self.name = name
        self.attributes = []            # (name, pieces)
        self.content = []


class Reader:
    """One document or definition, with the values of its instance."""

    def __init__(self, data, values=None, top=False):
        self.data, self.at = data, 0
        self.values = values
        self.top = top

    def take(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def u(self, form):
        return struct.unpack("<" + form,
                             self.take(struct.calcsize("<" + form)))

    def name(self):
        _, count = self.u("HH")
        text = self.take(2 * count).decode("utf-16-le")
        self.take(2)
        return text

    def document(self):
        """The elements, as functions of what arrays stand for."""
        made = []
        while self.data[self.at] != 0x00:
            token = self.data[self.at]
            if token == 0x0F:
                self.take(4)
            elif token == 0x0C:
                made += self.template()
            else:
                made.append(self.element())
        return made

    def roots(self):
        nodes = []
        for part in self.document():
            nodes += [part] if isinstance(part, Node) else \
                part.build({}, self.top)
        return nodes

    def template(self):
        self.take(2 + 16)
        size, = self.u("I")
        definition = self.take(size)
        count, = self.u("I")
        specs = [self.u("HBB") for _ in range(count)]
        values = [(kind, self.take(length)) for length, kind, _ in specs]
        return Reader(definition, values, self.top).roots()

    def element(self):
        token, = self.take(1)
        dependency = NO_DEPENDENCY
        if self.values is not None:
            dependency, = self.u("H")
        self.take(4)
        skeleton = Skeleton(self, self.name(), dependency)
        if token & 0x40:
            end, = self.u("I")
            end += self.at
            while self.at < end:
                self.take(1)
                name, pieces = self.name(), []
                while self.at < end and self.data[self.at] & 0xBF != 0x06:
                    pieces.append(self.piece())
                skeleton.attributes.append((name, pieces))
        if self.take(1) == b"\x02":
            while self.data[self.at] != 0x04:
                skeleton.content.append(self.piece())
            self.take(1)
        return skeleton

    def piece(self):
        token = self.data[self.at] & 0xBF
        if token == 0x01:
            return self.element()
        self.take(1)
        if token == 0x05:
            self.take(1)
        if token in (0x05, 0x07):
            count, = self.u("H")
            return string_text(self.take(2 * count))
        if token == 0x08:
            return chr(self.u("H")[0])
        if token == 0x09:
            name = self.name()
            return ENTITIES.get(name, "&%s;" % name)
        if token in (0x0D, 0x0E):
            return self.u("HB")[0]
        if token == 0x0A:
            self.name()
            self.take(1)
            count, = self.u("H")
            self.take(2 * count)
            return PI
        if token == 0x0C:
            self.at -= 1
            return self.template()
        raise ValueError("token %02x" % token)


class PI:
    """A processing instruction: it says nothing but divides text."""


class Skeleton:
    """An element of a definition, before its values are there."""

    def __init__(self, reader, name, dependency):
        self.reader, self.name = reader, name
        self.dependency = dependency
        self.attributes, self.content = [], []

    def value(self, index, loop):
        values = self.reader.values
        return loop.get(index) or (
            values[index] if index < len(values) else (NULL, b""))

    def own_ids(self):
        for pieces in [self.content] + [p for _, p in self.attributes]:
            yield from (p for p in pieces if isinstance(p, int))

    def build(self, loop, is_root=False):
        """The nodes this becomes: none, one, or one for each item."""
        if is_root:
            return [self.node(loop)]
        if self.dependency != NO_DEPENDENCY and \
                self.value(self.dependency, loop)[0] == NULL:
            return []
        for index in self.own_ids():
            kind, data = self.value(index, loop)
            if kind & ARRAY:
                items = [(kind & ~ARRAY, item)
                         for item in array_items(kind, data)]
                return [self.node({**loop, index: item})
                        for item in items or [(NULL, b"")]]
        return [self.node(loop)]

    def node(self, loop):
        node = Node(self.name)
        for name, pieces in self.attributes:
            pieces = [self.value(p, loop) if isinstance(p, int) else p
                      for p in pieces]
            if any(p if isinstance(p, str) else not is_empty(*p)
                   for p in pieces):
                node.attributes.append((name, pieces))
        for piece in self.content:
            if isinstance(piece, int):
                kind, data = self.value(piece, loop)
                if kind == BINXML:
                    node.content += Reader(data).roots() if data else []
                else:
                    node.content.append((kind, data))
            elif isinstance(piece, Skeleton):
                node.content += piece.build(loop)
            elif isinstance(piece, list):
                node.content += piece
            else:
                node.content.append(piece)
        return node


def read(document):
    """The root element of an event."""
    return Reader(document, top=True).roots()[0]


def only_value(pieces):
    """(kind, data) when the pieces are one value and nothing else."""
    pieces = [p for p in pieces if p is not PI and p != ""]
    if len(pieces) == 1 and isinstance(pieces[0], tuple):
        return pieces[0]
    return None


# Writing random events.

def name_bytes(name):
    value = 0
    units = name.encode("utf-16-le")
    for unit, in struct.iter_unpack("<H", units):
        value = (value * 65599 + unit) & 0xFFFFFFFF
    return struct.pack("<HH", value & 0xFFFF, len(units) // 2) + units + \
        b"\0\0"


class Writer:
    """A definition, or without values a plain document."""

    def __init__(self, random, in_template=True):
        self.random = random
        self.in_template = in_template
        self.values = []

    def subst(self, kind, data, optional=True):
        self.values.append((kind, data))
        return b"%c" % (0x0E if optional else 0x0D) + struct.pack(
            "<HB", len(self.values) - 1, kind & 0xFF)

    @staticmethod
    def text(text):
        units = text.encode("utf-16-le")
        return b"\x05\x01" + struct.pack("<H", len(units) // 2) + units

    @staticmethod
    def cdata(text):
        units = text.encode("utf-16-le")
        return b"\x07" + struct.pack("<H", len(units) // 2) + units

    @staticmethod
    def char(char):
        return b"\x08" + struct.pack("<H", ord(char))

    @staticmethod
    def entity(name):
        return b"\x09" + name_bytes(name)

    @staticmethod
    def instruction(name, text):
        units = text.encode("utf-16-le")
        return b"\x0a" + name_bytes(name) + b"\x0b" + \
            struct.pack("<H", len(units) // 2) + units

    def element(self, name, attributes=(), content=b"",
                dependency=NO_DEPENDENCY):
        body = name_bytes(name)
        if attributes:
            items = b""
            for i, (attribute, value) in enumerate(attributes):
                items += b"\x46" if i + 1 < len(attributes) else b"\x06"
                items += name_bytes(attribute) + value
            body += struct.pack("<I", len(items)) + items
        body += b"\x02" + content + b"\x04" if content else b"\x03"
        head = b"\x41" if attributes else b"\x01"
        if self.in_template:
            head += struct.pack("<H", dependency)
        return head + struct.pack("<I", len(body)) + body

    def instance(self, element):
        definition = HEADER + element + b"\0"
        guid = bytes(self.random.randrange(256) for _ in range(16))
        out = b"\x0c\0" + guid + struct.pack("<I", len(definition)) + \
            definition + struct.pack("<I", len(self.values))
        for kind, data in self.values:
            out += struct.pack("<HBB", len(data), kind, 0)
        return out + b"".join(data for _, data in self.values)

    def document(self, element):
        if self.in_template:
            element = self.instance(element)
        return HEADER + element + b"\0"


WORDS = ["alpha", "Alpha", "BETA", "gamma delta", "", "5", "05", "42", "-7",
         "0x1f", "3.5", "true", "False", "S-1-5-18", "<&>'\"", "\u00e4\u00c4",
         "\U0001F600", "2020-02-03T04:05:06Z", "x" * 300, " 42 ", "1e3",
         "{0F0E0D0C-0B0A-0908-0706-050403020100}", "00FF", "a\0b", "admin",
         "9007199254740993", "18446744073709551616"]
NAMES = ["Data", "Name", "Value", "Item", "System", "Level", "User"]
GUIDS = [bytes(range(16)), bytes(range(16, 32))]
SIDS = [b"\1\1\0\0\0\0\0\5\x12\0\0\0",
        b"\1\2\0\0\0\0\0\5\x20\0\0\0\x20\2\0\0"]
TIME = 132000000000000000


class Maker:
    def __init__(self, random):
        self.random = random

    def string(self):
        text = self.random.choice(WORDS)
        return text.encode("utf-16-le") + self.random.choice([b"", b"\0\0"])

    def integer(self, size):
        number = self.random.choice(
            [0, 1, 2, 5, 42, 255, 2**(8 * size) - 1, 2**(8 * size - 1),
             2**53 + 1, self.random.getrandbits(8 * size)])
        return (number % 2**(8 * size)).to_bytes(size, "little")

    def time(self):
        return TIME + self.random.choice(
            [0, 1, 10**7, 36 * 10**9, -36 * 10**9,
             self.random.randrange(10**12)])

    def simple(self):
        """(kind, data) of a value that is no array."""
        kind = self.random.choice(
            [NULL, STRING, STRING, STRING, STRING, ANSI, 0x03, 0x04, 0x05,
             0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x10,
             0x11, 0x12, 0x13, 0x14, 0x15])
        return kind, self.data(kind)

    def data(self, kind):
        choose = self.random.choice
        if kind == NULL:
            return b""
        if kind == STRING:
            return self.string()
        if kind == ANSI:
            return choose([b"ansi", b"\x80uro", b"42", b"alpha\0x", b"true"])
        if kind == 0x0B:
            return struct.pack("<f", choose([0, 1.5, -2, 5, 1e10]))
        if kind == 0x0C:
            return struct.pack("<d", choose(
                [0, 1.5, 3.5, -7, 42, 1e20, math.nan, math.inf]))
        if kind == 0x0D:
            return choose([b"\0\0\0\0", b"\1\0\0\0", b"\0", b"\1"])
        if kind == 0x0E:
            return choose([b"", b"\0\xff", b"\x12", bytes(range(40))])
        if kind == 0x0F:
            return choose(GUIDS)
        if kind == 0x10:
            return self.integer(choose([4, 8]))
        if kind == 0x11:
            return struct.pack("<Q", self.time())
        if kind == 0x12:
            return struct.pack("<8H", 2020, choose([2, 13]), 1, 3, 4, 5, 6,
                               choose([0, 7]))
        if kind == 0x13:
            return choose(SIDS)
        return self.integer(SIZES[kind])

    def array(self):
        kind = self.random.choice([STRING, STRING, ANSI, 0x04, 0x08, 0x07,
                                   0x0F, 0x11, 0x13, 0x15, 0x0D, 0x0C])
        count = self.random.randrange(4)
        data = b""
        for _ in range(count):
            item = self.data(kind)
            if kind == STRING:
                item = string_text(item).encode("utf-16-le") + b"\0\0"
            elif kind == ANSI:
                item = item.partition(b"\0")[0] + b"\0"
            elif kind == 0x0D:
                item = item[:1] + b"\0\0\0"
            data += item
        return kind | ARRAY, data

    def nested(self, depth):
        writer = Writer(self.random, self.random.random() < 0.8)
        element = self.element(writer, depth + 1, self.random.choice(NAMES))
        return BINXML, writer.document(element)

    def value(self, depth):
        chance = self.random.random()
        if chance < 0.12:
            return self.array()
        if chance < 0.22 and depth < 4:
            return self.nested(depth)
        return self.simple()

    def piece(self, writer, depth, in_attribute=False):
        chance = self.random.random()
        if chance < 0.55 and writer.in_template:
            return writer.subst(*self.value(depth),
                                self.random.random() < 0.7)
        if chance < 0.65:
            return writer.char(self.random.choice("a&5"))
        if chance < 0.72:
            return writer.entity(self.random.choice(["amp", "lt", "quot"]))
        if chance < 0.80 and not in_attribute:
            return writer.cdata(self.random.choice(["c<data", "5"]))
        text = self.random.choice(WORDS).replace("\0", "")
        return writer.text(text)

    def attributes(self, writer, depth):
        names = ["Name", "Type", "p:Key", "xmlns", "xmlns:p"]
        count = self.random.choice([0, 0, 1, 1, 2])
        made = []
        for name in self.random.sample(names[:3], count):
            value = b"".join(self.piece(writer, depth, True) for _ in range(
                self.random.choice([1, 1, 1, 2])))
            made.append((name, value))
        if any(name.startswith("p:") for name, _ in made):
            made.append(("xmlns:p", writer.text("urn:p")))
        return made

    def element(self, writer, depth, name):
        attributes = self.attributes(writer, depth)
        content = b""
        dependency = NO_DEPENDENCY
        pieces = self.random.choice([0, 1, 1, 1, 1, 2, 3])
        if depth >= 5:
            pieces = min(pieces, 1)
        for _ in range(pieces):
            chance = self.random.random()
            if depth < 5 and chance < 0.45:
                for _ in range(self.random.choice([1, 1, 2, 3])):
                    content += self.element(writer, depth + 1,
                                            self.random.choice(NAMES))
            elif chance < 0.49:
                content += writer.instruction("pi", "data")
            else:
                content += self.piece(writer, depth)
        if writer.values and writer.in_template and \
                self.random.random() < 0.25:
            dependency = self.random.randrange(len(writer.values))
        return writer.element(name, attributes, content, dependency)

    def leaf(self, writer, name, kind, data, plain):
        """A field of System in one of the ways it can stand there."""
        chance = self.random.random()
        if not writer.in_template or chance < 0.1:
            return writer.element(name, (), writer.text(plain))
        if chance < 0.15:
            kind, data = self.simple()
        if chance > 0.97:
            kind, data = self.array()
        content = writer.subst(kind, data)
        dependency = self.random.choice(
            [len(writer.values) - 1] * 3 + [NO_DEPENDENCY] * 3 +
            [self.random.randrange(len(writer.values))])
        attributes = []
        if self.random.random() < 0.1:
            value = self.array() if self.random.random() < 0.5 else \
                self.simple()
            attributes.append(("Qualifiers", writer.subst(*value)))
        return writer.element(name, attributes, content, dependency)

    def named(self, writer, name, attributes):
        made = []
        for attribute, kind, data, plain in attributes:
            chance = self.random.random()
            if not writer.in_template or chance < 0.1:
                made.append((attribute, writer.text(plain)))
            elif chance < 0.15:
                text = self.random.choice([plain, plain + "\0"])
                made.append((attribute, writer.subst(
                    STRING, text.encode("utf-16-le"))))
            elif chance < 0.18:
                made.append((attribute, writer.subst(*self.array())))
            elif chance < 0.20:
                made.append((attribute, writer.subst(*self.simple())))
            else:
                made.append((attribute, writer.subst(kind, data)))
        if writer.in_template and self.random.random() < 0.05:
            made.append(("Qualifiers", writer.subst(*self.array())))
        return writer.element(name, made)

    def system(self, writer):
        random = self.random
        level = random.randrange(6)
        number = random.choice([1, 42, 4624, 4625, 4634, 60000])
        keywords = random.choice([0x8020000000000000, 0x10000000000000, 0,
                                  2**64 - 1, 0x80000000000001])
        time = self.time()
        provider = random.choice(["Alpha-Provider", "ALPHA-provider", "Beta"])
        fields = [
            self.named(writer, "Provider", [
                ("Name", STRING, provider.encode("utf-16-le"), provider),
                ("Guid", 0x0F, GUIDS[0], guid_text(GUIDS[0]))]),
            self.leaf(writer, "EventID", 0x06, struct.pack("<H", number),
                      str(number)),
            self.leaf(writer, "Level", 0x04, bytes([level]), str(level)),
            self.leaf(writer, "Task", 0x06, b"\7\0", "7"),
            self.leaf(writer, "Opcode", 0x04, b"\1", "1"),
            self.leaf(writer, "Keywords",
                      random.choice([0x15, 0x15, 0x15, 0x0A, 0x09]),
                      struct.pack("<Q", keywords), hex(keywords)),
            self.named(writer, "TimeCreated", [
                ("SystemTime", 0x11, struct.pack("<Q", time),
                 filetime_text(time))]),
            self.leaf(writer, "EventRecordID", 0x0A, struct.pack(
                "<Q", random.randrange(1000)), "17"),
            self.leaf(writer, "Channel", STRING,
                      "Security".encode("utf-16-le"), "Security"),
            self.leaf(writer, "Computer", STRING,
                      random.choice(["HOST.example", "other"]).encode(
                          "utf-16-le"), "host.example"),
            self.named(writer, "Security", [
                ("UserID", 0x13, random.choice(SIDS), "S-1-5-18")]),
        ]
        if random.random() < 0.05:
            fields.append(fields[random.randrange(2, 6)])
        if random.random() < 0.1:
            random.shuffle(fields)
        return writer.element("System", (), b"".join(fields))

    def event_data(self, writer):
        data = b""
        for name in self.random.sample(
                ["TargetUserName", "LogonType", "IpPort", "Status", "When"],
                self.random.randrange(1, 6)):
            kind, value = self.value(9)
            attribute = [("Name", writer.text(name))]
            if self.random.random() < 0.1:
                attribute = []
            dependency = NO_DEPENDENCY
            content = writer.subst(kind, value) if writer.in_template else \
                writer.text(value_text(kind, value))
            if writer.in_template and self.random.random() < 0.3:
                dependency = len(writer.values) - 1
            data += writer.element("Data", attribute, content, dependency)
        return writer.element("EventData", (), data)

    def body(self, writer):
        if self.random.random() < 0.1:
            return self.event_data(writer)
        # A plain document has no place for templates inside elements.
        inner = writer if not writer.in_template else \
            Writer(self.random, self.random.random() < 0.9)
        if self.random.random() < 0.55:
            element = self.event_data(inner)
        else:
            element = inner.element("UserData", (), self.element(
                inner, 2, self.random.choice(NAMES)))
        if not writer.in_template:
            return element
        return writer.subst(BINXML, inner.document(element))

    def event(self):
        writer = Writer(self.random, self.random.random() < 0.85)
        attributes = [("xmlns", writer.text("urn:event"))]
        body = self.system(writer) + self.body(writer)
        if self.random.random() < 0.05:
            body += self.element(writer, 1, self.random.choice(NAMES[:-3]))
        dependency = NO_DEPENDENCY
        if writer.values and writer.in_template:
            dependency = self.random.randrange(len(writer.values))
        return writer.document(writer.element("Event", attributes, body,
                                              dependency))
