#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn the records of .evtx files into RPC-form BinXML documents.

An implementation of its own, written from the format notes and not from the
C code, so that what it produces is an independent corpus.  Each document is
written with a length in front (u32, little endian).

usage: evtx_to_wire.py OUTPUT FILE...
"""

import struct
import sys

HEADER = b"\x0f\x01\x01\x00"
CHUNK = 65536
FIRST_CHUNK = 4096


def u16(data, pos):
    return struct.unpack_from("<H", data, pos)[0]


def u32(data, pos):
    return struct.unpack_from("<I", data, pos)[0]


class Chunk:
    """Re-serialises BinXML whose names and definitions are chunk offsets."""

    def __init__(self, data):
        self.data = data
        self.pos = 0

    def take(self, length):
        part = self.data[self.pos:self.pos + length]
        if len(part) != length:
            raise ValueError("the chunk ends inside a token")
        self.pos += length
        return part

    def name(self):
        """A name at an offset; inlined where it stands right here."""
        offset = u32(self.take(4), 0)
        length = 10 + 2 * u16(self.data, offset + 6)
        if offset == self.pos:
            self.pos += length
        return self.data[offset + 4:offset + length]

    def units(self):
        count = self.take(2)
        return count + self.take(2 * u16(count, 0))

    def text(self, token):
        return token + self.take(1) + self.units()

    def attributes(self):
        out = b""
        self.take(4)
        while self.data[self.pos] & 0xBF == 0x06:
            out += self.take(1) + self.name()
            while self.data[self.pos] & 0xBF not in (0x06, 0x02, 0x03):
                out += self.item(True)
        return struct.pack("<I", len(out)) + out

    def element(self, token, in_definition):
        dependency = self.take(2) if in_definition else b""
        self.take(4)
        body = self.name()
        if token == b"\x41":
            body += self.attributes()
        close = self.take(1)
        body += close
        if close == b"\x02":
            while self.data[self.pos] != 0x04:
                body += self.item(in_definition)
            body += self.take(1)
        elif close != b"\x03":
            raise ValueError("no end of the start tag")
        return token + dependency + struct.pack("<I", len(body)) + body

    def item(self, in_definition):
        token = self.take(1)
        kind = token[0] & 0xBF
        if kind == 0x01:
            return self.element(token, in_definition)
        if kind == 0x05:
            return self.text(token)
        if kind == 0x07:
            return token + self.units()
        if kind == 0x08:
            return token + self.take(2)
        if kind == 0x09:
            return token + self.name()
        if kind == 0x0A:
            return token + self.name() + self.take(1) + self.units()
        if kind in (0x0D, 0x0E):
            return token + self.take(3)
        raise ValueError("token %02x" % token[0])

    def definition(self, offset):
        """The definition record at offset, as GUID, length, bytes."""
        inline = offset == self.pos
        guid = self.data[offset + 4:offset + 20]
        length = u32(self.data, offset + 20)
        there = Chunk(self.data)
        there.pos = offset + 24
        out = there.fragment(True)
        if there.take(1) != b"\x00":
            raise ValueError("no end of the definition")
        if inline:
            self.pos = offset + 24 + length
        out += b"\x00"
        return guid + struct.pack("<I", len(out)) + out

    def template(self):
        if self.take(1) != b"\x01":
            raise ValueError("not a template instance of a file")
        self.take(4)
        out = b"\x0c\x00" + self.definition(u32(self.take(4), 0))
        count = u32(self.take(4), 0)
        specs = [struct.unpack("<HBB", self.take(4)) for _ in range(count)]
        values = [self.value(size, kind) for size, kind, _ in specs]
        out += struct.pack("<I", count)
        for value, spec in zip(values, specs):
            out += struct.pack("<HBB", len(value), spec[1], 0)
        return out + b"".join(values)

    def value(self, size, kind):
        if kind != 0x21:
            return self.take(size)
        start = self.pos
        out = b""
        if size > 1:
            out = self.document()
        self.pos = start + size
        return out

    def fragment(self, in_definition):
        out = HEADER
        if self.data[self.pos] == 0x0F:
            self.take(4)
        token = self.take(1)
        if token == b"\x0c":
            return out + self.template()
        return out + self.element(token, in_definition)

    def document(self):
        out = self.fragment(False)
        if self.take(1) != b"\x00":
            raise ValueError("no end of the document")
        return out + b"\x00"


def records(data):
    """(chunk, position of the BinXML) of every record in a file."""
    for start in range(FIRST_CHUNK, len(data) - CHUNK + 1, CHUNK):
        chunk = data[start:start + CHUNK]
        if chunk[:8] != b"ElfChnk\0":
            continue
        pos = 512
        while pos + 28 <= CHUNK and chunk[pos:pos + 4] == b"**\0\0":
            yield chunk, pos + 24
            size = u32(chunk, pos + 4)
            if size < 28:
                break
            pos += size


def convert(path, out):
    """Write the file's documents; how many, and how many were damaged."""
    with open(path, "rb") as stream:
        data = stream.read()
    good = bad = 0
    for chunk, pos in records(data):
        reader = Chunk(chunk)
        reader.pos = pos
        try:
            document = reader.document()
        except (ValueError, IndexError, struct.error):
            bad += 1
            continue
        out.write(struct.pack("<I", len(document)) + document)
        good += 1
    return good, bad


def main():
    with open(sys.argv[1], "wb") as out:
        for path in sys.argv[2:]:
            good, bad = convert(path, out)
            print("# %s: %d records, %d damaged" % (path, good, bad),
                  file=sys.stderr)


if __name__ == "__main__":
    main()
