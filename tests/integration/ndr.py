# SPDX-License-Identifier: GPL-3.0-or-later
"""
NDR32 by hand, [C706] 14: just the shapes that [MS-EVEN6] uses.

Nothing here comes from the service's IDL or its compiler.
"""

import struct


class Writer:
    def __init__(self):
        self.data = b""
        self._referent = 0x20000

    def align(self, size):
        self.data += b"\0" * (-len(self.data) % size)

    def u32(self, *values):
        for value in values:
            self.align(4)
            self.data += struct.pack("<I", value & 0xFFFFFFFF)
        return self

    def i64(self, value):
        self.align(8)
        self.data += struct.pack("<q", value)
        return self

    def handle(self, handle):
        self.align(4)
        if len(handle) != 20:
            raise ValueError("a context handle has 20 bytes")
        self.data += handle
        return self

    def string(self, text, terminate=True):
        """A [string]: maximum, offset, actual count, UTF-16 with its NUL."""
        units = (text + "\0" * terminate).encode("utf-16-le", "surrogatepass")
        count = len(units) // 2
        self.u32(count, 0, count)
        self.data += units
        return self

    def unique_string(self, text):
        if text is None:
            return self.u32(0)
        self.u32(self._referent)
        self._referent += 4
        return self.string(text)


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def align(self, size):
        self.at += -self.at % size

    def bytes(self, size):
        if self.at + size > len(self.data):
            raise ValueError(f"the stub ends at {len(self.data)}, "
                             f"{self.at + size} bytes were wanted")
        self.at += size
        return self.data[self.at - size:self.at]

    def u32(self):
        self.align(4)
        return struct.unpack("<I", self.bytes(4))[0]

    def handle(self):
        self.align(4)
        return self.bytes(20)

    def rpc_info(self):
        return self.u32(), self.u32(), self.u32()

    def string(self):
        count, offset, actual = self.u32(), self.u32(), self.u32()
        if offset != 0 or actual > count:
            raise ValueError("a string's counts contradict each other")
        text = self.bytes(2 * actual).decode("utf-16-le", "surrogatepass")
        if not text.endswith("\0"):
            raise ValueError("a string without its NUL")
        return text[:-1]

    def array(self, expected):
        """Enter a unique conformant array: whether it is there."""
        if self.u32() == 0:
            return False
        count = self.u32()
        if count != expected:
            raise ValueError(f"an array of {count}, its size is {expected}")
        return True

    def u32_array(self, count):
        """None for a NULL pointer."""
        if not self.array(count):
            return None
        return [self.u32() for _ in range(count)]

    def byte_array(self, count):
        return self.bytes(count) if self.array(count) else None

    def string_array(self, count):
        if not self.array(count):
            return None
        there = [self.u32() != 0 for _ in range(count)]
        return [self.string() if one else None for one in there]

    def end(self):
        """Nothing follows: clients take the last four bytes as the result."""
        if self.at != len(self.data):
            raise ValueError(f"{len(self.data) - self.at} bytes too many")
