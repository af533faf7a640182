# SPDX-License-Identifier: GPL-3.0-or-later
"""
A strict reader of BinXml in its RPC form, [MS-EVEN6] 2.2.12 to 2.2.20, for
tests: written from the format's description, nothing shared with the service.

decode() gives an xml.etree Element; every length, name hash and dependency
is checked, so that a document that is merely readable does not pass.
"""

import struct
from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree

HEADER = b"\x0f\x01\x01\x00"
NULL, STRING, BINXML, ARRAY = 0x00, 0x01, 0x21, 0x80
NO_DEPENDENCY = 0xFFFF
DEPTH_MAX = 16
ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


class Malformed(ValueError):
    pass


def name_hash(name):
    value = 0
    for (unit,) in struct.iter_unpack("<H", name.encode("utf-16-le")):
        value = (value * 65599 + unit) & 0xFFFFFFFF
    return value & 0xFFFF


# Values

def _guid(data):
    a, b, c = struct.unpack_from("<IHH", data)
    tail = data[8:].hex().upper()
    return f"{{{a:08X}-{b:04X}-{c:04X}-{tail[:4]}-{tail[4:]}}}"


def _filetime(data):
    ticks = struct.unpack("<Q", data)[0]
    time = datetime(1601, 1, 1, tzinfo=timezone.utc) + timedelta(
        seconds=ticks // 10**7)
    return time.strftime("%Y-%m-%dT%H:%M:%S") + f".{ticks % 10**7:07d}Z"


def _systime(data):
    y, mo, _, d, h, mi, s, ms = struct.unpack("<8H", data)
    return f"{y:04d}-{mo:02d}-{d:02d}T{h:02d}:{mi:02d}:{s:02d}.{ms:03d}Z"


def _sid(data):
    revision, count = data[0], data[1]
    if len(data) != 8 + 4 * count:
        raise Malformed("a SID of the wrong size")
    parts = struct.unpack_from(f"<{count}I", data, 8)
    return "-".join(map(str, ("S", revision, int.from_bytes(data[2:8], "big"),
                              *parts)))


def _utf16(data):
    return data.decode("utf-16-le", "surrogatepass").partition("\0")[0]


def _integer(data, signed=False):
    return str(int.from_bytes(data, "little", signed=signed))


def _hex(data):
    return hex(int.from_bytes(data, "little"))


# type -> (sizes or None for any, text)
TYPES = {
    0x00: (None, lambda d: ""),
    0x01: (None, _utf16),
    0x02: (None, lambda d: d.decode("latin-1")),
    0x03: ((1,), lambda d: _integer(d, True)), 0x04: ((1,), _integer),
    0x05: ((2,), lambda d: _integer(d, True)), 0x06: ((2,), _integer),
    0x07: ((4,), lambda d: _integer(d, True)), 0x08: ((4,), _integer),
    0x09: ((8,), lambda d: _integer(d, True)), 0x0A: ((8,), _integer),
    0x0B: ((4,), lambda d: repr(struct.unpack("<f", d)[0])),
    0x0C: ((8,), lambda d: repr(struct.unpack("<d", d)[0])),
    0x0D: ((1, 4), lambda d: "true" if any(d) else "false"),
    0x0E: (None, lambda d: d.hex().upper()),
    0x0F: ((16,), _guid),
    0x10: ((4, 8), _hex),
    0x11: ((8,), _filetime),
    0x12: ((16,), _systime),
    0x13: (None, _sid),
    0x14: ((4,), _hex), 0x15: ((8,), _hex),
}


def _text(kind, data):
    sizes, convert = TYPES[kind]
    if sizes is not None and len(data) not in sizes:
        raise Malformed(f"a value of type 0x{kind:02x} with {len(data)} bytes")
    return convert(data)


def _items(kind, data):
    """The elements of an array value, as text."""
    base = kind & ~ARRAY
    if base == STRING:
        parts = data.decode("utf-16-le", "surrogatepass").split("\0")
        return parts[:-1] if parts[-1] == "" else parts
    if base == 0x02:
        parts = data.decode("latin-1").split("\0")
        return parts[:-1] if parts[-1] == "" else parts
    if base == 0x13:
        items = []
        while data:
            size = 8 + 4 * data[1]
            items.append(_sid(data[:size]))
            data = data[size:]
        return items
    size = TYPES[base][0][-1]
    return [_text(base, data[i:i + size]) for i in range(0, len(data), size)]


class Values:
    """The substitution values of one template instance."""

    def __init__(self, values):
        self.values = values            # of (type, bytes)

    def __getitem__(self, index):
        if index >= len(self.values):
            raise Malformed(f"no value {index}")
        return self.values[index]


class Repeated(list):
    """Texts of an array: the element that holds them comes once for each."""


class _Parser:
    def __init__(self, data, at=0, end=None, values=None, depth=0):
        self.data, self.at = data, at
        self.end = len(data) if end is None else end
        self.values = values            # inside a template's definition
        self.depth = depth
        if depth > DEPTH_MAX:
            raise Malformed("nested too deeply")

    def take(self, size):
        if self.at + size > self.end:
            raise Malformed(f"{size} bytes wanted at {self.at}, "
                            f"the end is {self.end}")
        self.at += size
        return self.data[self.at - size:self.at]

    def unpack(self, form):
        form = "<" + form
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def peek(self):
        if self.at >= self.end:
            raise Malformed(f"the data ends at {self.at}")
        return self.data[self.at]

    def name(self):
        hashed, count = self.unpack("HH")
        name = self.take(2 * count).decode("utf-16-le")
        if self.unpack("H")[0] != 0:
            raise Malformed(f"name '{name}' is not terminated")
        if name_hash(name) != hashed:
            raise Malformed(f"name '{name}' has the hash 0x{hashed:04x}")
        return name

    def fragment(self):
        """Header, element or template instance; a list of elements."""
        while self.peek() == 0x0F:
            if self.take(4) != HEADER:
                raise Malformed("a fragment header of another version")
        if self.peek() == 0x0C:
            return self.template()
        return self.element()

    def document(self):
        elements = self.fragment()
        while self.peek() != 0:
            elements += self.fragment()
        self.take(1)
        return elements

    def template(self):
        if self.take(2) != b"\x0c\0":
            raise Malformed("no template instance")
        self.take(16)
        (size,) = self.unpack("I")
        definition = self.at
        self.take(size)
        count, = self.unpack("I")
        specs = [self.unpack("HBB") for _ in range(count)]
        values = Values([(kind, self.take(length))
                         for length, kind, _ in specs])
        # What follows the definition's end inside its size is waste.
        return _Parser(self.data, definition, definition + size, values,
                       self.depth + 1).document()

    def element(self):
        token, = self.take(1)
        if token & ~0x40 != 0x01:
            raise Malformed(f"token 0x{token:02x} opens no element")
        dependency = NO_DEPENDENCY
        if self.values is not None:
            dependency, = self.unpack("H")
        (size,) = self.unpack("I")
        end = self.at + size
        name = self.name()
        attributes = self.attributes() if token & 0x40 else {}
        close, = self.take(1)
        parts = []
        if close == 0x02:
            while self.peek() != 0x04:
                parts.append(self.content())
            self.take(1)
        elif close != 0x03:
            raise Malformed(f"token 0x{close:02x} closes no start tag")
        if self.at != end:
            raise Malformed(f"element '{name}' ends at {self.at}, "
                            f"its size says {end}")
        if dependency != NO_DEPENDENCY and \
                self.values[dependency][0] == NULL:
            return []
        return self.build(name, attributes, parts)

    @staticmethod
    def build(name, attributes, parts):
        repeated = [p for p in parts if isinstance(p, Repeated)]
        made = []
        for text in repeated[0] or [""] if repeated else [None]:
            element = ElementTree.Element(name, attributes)
            element.text = ""
            for part in parts:
                if isinstance(part, Repeated):
                    part = text
                if isinstance(part, str):
                    if len(element):
                        element[-1].tail = (element[-1].tail or "") + part
                    else:
                        element.text += part
                else:
                    element.extend(part)
            made.append(element)
        return made

    def attributes(self):
        (size,) = self.unpack("I")
        end = self.at + size
        found = {}
        while self.at < end:
            token, = self.take(1)
            if token & ~0x40 != 0x06:
                raise Malformed(f"token 0x{token:02x} is no attribute")
            name = self.name()
            if name in found:
                raise Malformed(f"attribute '{name}' twice")
            text = ""
            while self.at < end and self.peek() & ~0x40 != 0x06:
                part = self.content()
                if isinstance(part, Repeated):
                    part = "".join(part)
                if not isinstance(part, str):
                    raise Malformed(f"attribute '{name}' holds elements")
                text += part
            found[name] = text
        if self.at != end:
            raise Malformed("an attribute list of another size")
        # An attribute without data is left out.
        return {n: t for n, t in found.items() if t}

    def content(self):
        """Text, Repeated, or a list of elements."""
        token = self.peek() & ~0x40
        if token == 0x01:
            return self.element()
        self.take(1)
        if token == 0x05:
            kind, count = self.unpack("BH")
            if kind != STRING:
                raise Malformed("a text that is no string")
            return self.take(2 * count).decode("utf-16-le", "surrogatepass")
        if token == 0x07:
            count, = self.unpack("H")
            return self.take(2 * count).decode("utf-16-le", "surrogatepass")
        if token == 0x08:
            return chr(self.unpack("H")[0])
        if token == 0x09:
            return ENTITIES[self.name()]
        if token in (0x0D, 0x0E):
            return self.substitution(token == 0x0E)
        raise Malformed(f"token 0x{token:02x} in the content")

    def substitution(self, optional):
        if self.values is None:
            raise Malformed("a substitution outside a template")
        index, _ = self.unpack("HB")
        kind, data = self.values[index]
        if kind == BINXML:
            return _Parser(data, depth=self.depth + 1).whole()
        if kind & ARRAY:
            return Repeated(_items(kind, data))
        if kind not in TYPES:
            raise Malformed(f"a value of type 0x{kind:02x}")
        return _text(kind, data)

    def whole(self):
        """A document that fills the data."""
        elements = self.document()
        if self.at != self.end:
            raise Malformed(f"{self.end - self.at} bytes follow the document")
        return elements


def decode(document):
    """The root element of a BinXml document."""
    roots = _Parser(document).whole()
    if len(roots) != 1:
        raise Malformed(f"{len(roots)} root elements")
    return roots[0]


class Event:
    """What tests ask of an event."""

    def __init__(self, document):
        self.root = decode(document)
        if self.root.tag != "Event":
            raise Malformed(f"the root is '{self.root.tag}'")
        self.system = self.root.find("System")

    def text(self, path):
        found = self.system.find(path)
        return None if found is None else found.text

    def attribute(self, path, name):
        found = self.system.find(path)
        return None if found is None else found.get(name)

    @property
    def provider(self):
        return self.attribute("Provider", "Name")

    @property
    def event_id(self):
        return int(self.text("EventID"))

    @property
    def record_id(self):
        return int(self.text("EventRecordID"))

    @property
    def channel(self):
        return self.text("Channel")

    @property
    def computer(self):
        return self.text("Computer")

    @property
    def time(self):
        return self.attribute("TimeCreated", "SystemTime")

    @property
    def data(self):
        """(name, text) of each Data of EventData; name None without one."""
        body = self.root.find("EventData")
        if body is None:
            return []
        return [(d.get("Name"), d.text or "") for d in body.findall("Data")]

    def values(self):
        """The named Data as a dictionary."""
        return {name: text for name, text in self.data if name}
