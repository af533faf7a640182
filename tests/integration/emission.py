# SPDX-License-Identifier: GPL-3.0-or-later
"""
The emission profile of facts 9.7, token by token: what the pickiest known
readers of BinXml accept.  Stricter than binxml.py, which reads all that is
legal; an assertion fails where a document leaves the profile.
"""

import struct

from binxml import HEADER, NO_DEPENDENCY, name_hash

BINXML = 0x21


class _Walker:
    """One template instance: its values and the tokens of its definition."""

    def __init__(self, data):
        self.data, self.at = data, 0
        self.found = []         # (path, type, value) of each substitution
        self.templates = []     # (GUID, definition)

    def take(self, form):
        form = "<" + form
        values = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return values if len(values) > 1 else values[0]

    def bytes(self, size):
        self.at += size
        assert self.at <= len(self.data), "cut off"
        return self.data[self.at - size:self.at]

    def document(self, path=""):
        """Header, template instance, end; nothing behind."""
        assert self.bytes(4) == HEADER, "no fragment header"
        assert self.bytes(2) == b"\x0c\0", "no template instance"
        guid, size = self.bytes(16), self.take("I")
        definition = self.bytes(size)
        self.templates.append((guid, definition))
        specs = [self.take("HBB") for _ in range(self.take("I"))]
        values = [(kind, self.bytes(length)) for length, kind, _ in specs]
        assert self.bytes(1) == b"\0", "no end of the document"
        assert self.at == len(self.data), "bytes behind the document"
        assert all(pad == 0 for _, _, pad in specs)

        inner = _Definition(definition, values, self)
        inner.whole(path)
        return self.found


class _Definition(_Walker):
    def __init__(self, data, values, outer):
        super().__init__(data)
        self.values, self.outer = values, outer

    def whole(self, path):
        assert self.bytes(4) == HEADER, "a definition without header"
        self.element(path)
        assert self.bytes(1) == b"\0", "a definition without end"
        assert self.at == len(self.data), "waste behind a definition"

    def name(self):
        hashed, count = self.take("HH")
        name = self.bytes(2 * count).decode("utf-16-le")
        assert self.bytes(2) == b"\0\0" and hashed == name_hash(name)
        return name

    def element(self, path):
        token, dependency, size = self.take("BHI")
        assert token in (0x01, 0x41), f"token 0x{token:02x}"
        end = self.at + size
        path = f"{path}/{self.name()}".lstrip("/")
        if token == 0x41:
            self.attributes(path)
        close = self.take("B")
        assert close in (0x02, 0x03), f"token 0x{close:02x}"
        optional = self.contents(path) if close == 0x02 else []
        assert self.at == end, f"{path}: size"
        # Of the one optional substitution that is its direct content.
        assert dependency == (optional[0] if len(optional) == 1
                              else NO_DEPENDENCY), f"{path}: dependency"

    def attributes(self, path):
        end = self.take("I")
        end += self.at
        more = True
        while more:
            token = self.take("B")
            assert token in (0x06, 0x46), f"token 0x{token:02x}"
            more = token == 0x46
            name = f"{path}@{self.name()}"
            token = self.take("B")
            if token == 0x05:
                self.text()
            else:
                self.substitution(token, name)
        assert self.at == end, f"{path}: size of the attributes"

    def contents(self, path):
        """Up to the end tag; the optional substitutions among it."""
        optional, was_text = [], False
        while self.data[self.at] != 0x04:
            token = self.data[self.at]
            assert not (was_text and token == 0x05), f"{path}: split text"
            was_text = token == 0x05
            if token in (0x01, 0x41):
                self.element(path)
                continue
            self.at += 1
            if token == 0x05:
                self.text()
            else:
                index = self.substitution(token, path)
                if token == 0x0E:
                    optional.append(index)
        self.at += 1
        return optional

    def text(self):
        kind, count = self.take("BH")
        assert kind == 0x01
        self.bytes(2 * count)

    def substitution(self, token, path):
        assert token in (0x0D, 0x0E), f"{path}: token 0x{token:02x}"
        index, declared = self.take("HB")
        kind, value = self.values[index]
        assert kind in (declared, 0), f"{path}: type"
        self.outer.found.append((path, kind, value))
        if kind == BINXML:
            nested = _Walker(value)
            nested.found = self.outer.found
            nested.templates = self.outer.templates
            nested.document(path)
        return index


def event_fields(document):
    """(path, type, value) of each substitution of an event."""
    return _Walker(document).document()


def definitions(document):
    """(GUID, definition) of each template of an event."""
    walker = _Walker(document)
    walker.document()
    return walker.templates
