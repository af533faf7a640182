# SPDX-License-Identifier: GPL-3.0-or-later
"""
NDR32 by hand, [C706] 14, and NDR64, [MS-RPCE] 2.2.5: just the shapes that
[MS-EVEN6] uses.  Nothing here comes from the service's IDL or its compiler.

What differs in NDR64: pointers and counts of arrays and strings (not members
of that name) have eight bytes, a structure with a pointer in it begins and
ends at a multiple of eight, and so does every arm of a union.
"""

import contextlib
import contextvars
import struct
import uuid as uuids
from dataclasses import dataclass

_ndr64 = contextvars.ContextVar("ndr64", default=False)

# EvtRpcVariantType, [MS-EVEN6] 2.2.7.
(NULL, BOOLEAN, UINT32, UINT64, STRING, GUID, BOOLEAN_ARRAY, UINT32_ARRAY,
 UINT64_ARRAY, STRING_ARRAY, GUID_ARRAY) = range(11)


@contextlib.contextmanager
def syntax(ndr64):
    """Which of the two a Writer made in here writes."""
    token = _ndr64.set(ndr64)
    try:
        yield
    finally:
        _ndr64.reset(token)


@dataclass
class Variant:
    """
    EvtRpcVariant, [MS-EVEN6] 2.2.9.  The value is None, bool, int, str,
    uuid.UUID or a list of these; None for a GUID, a string or a list is a
    NULL pointer.
    """
    type: int
    value: object = None
    flags: int = 0


class Writer:
    def __init__(self, ndr64=None):
        self.data = b""
        self.ndr64 = _ndr64.get() if ndr64 is None else ndr64
        self._referent = 0x20000

    def align(self, size):
        self.data += b"\0" * (-len(self.data) % size)
        return self

    def _pack(self, code, *values):
        for value in values:
            self.align(struct.calcsize(code))
            self.data += struct.pack("<" + code, value)
        return self

    def u8(self, *values):
        return self._pack("B", *values)

    def u32(self, *values):
        return self._pack("I", *(value & 0xFFFFFFFF for value in values))

    def i64(self, value):
        return self._pack("q", value)

    def u64(self, *values):
        return self._pack("Q", *values)

    def size(self, *values):
        """Counts of an array or a string; not members of that name."""
        return self._pack("Q" if self.ndr64 else "I", *values)

    def pointer(self, there=True):
        """A unique pointer; what it points to comes when it is its turn."""
        self.size(self._referent if there else 0)
        self._referent += 4
        return self

    def guid(self, *values):
        for value in values:
            self.align(4)
            self.data += value.bytes_le
        return self

    def handle(self, handle):
        self.align(4)
        if len(handle) != 20:
            raise ValueError("a context handle has 20 bytes")
        self.data += handle
        return self

    def byte_array(self, data):
        """A [size_is] array of bytes that is no pointer's."""
        self.size(len(data))
        self.data += data
        return self

    def string(self, text, terminate=True):
        """A [string]: maximum, offset, actual count, UTF-16 with its NUL."""
        units = (text + "\0" * terminate).encode("utf-16-le", "surrogatepass")
        count = len(units) // 2
        self.size(count, 0, count)
        self.data += units
        return self

    def unique_string(self, text):
        self.pointer(text is not None)
        return self if text is None else self.string(text)

    def variants(self, variants):
        """An EvtRpcVariantList that is a parameter."""
        self._structure().u32(len(variants)).pointer(bool(variants))
        if variants:
            self.size(len(variants))
            for variant in variants:
                self._variant(variant)
            for variant in variants:
                self._pointee(variant)
        return self

    def _structure(self):
        """Begin or end a structure with a pointer in it."""
        return self.align(8 if self.ndr64 else 4)

    def _variant(self, variant):
        kind, value = variant.type, variant.value
        # Of eight because of the arm that is a hyper.
        self.align(8).u32(kind, variant.flags, kind)
        if self.ndr64:
            self.align(8)
        if kind in (NULL, UINT32):
            self.u32(value or 0)
        elif kind == BOOLEAN:
            self.u8(value)
        elif kind == UINT64:
            self.u64(value)
        elif kind in (STRING, GUID):
            self.pointer(value is not None)
        else:
            self.u32(len(value or [])).pointer(value is not None)
        # The trailing pad, which only NDR64 has.
        if self.ndr64:
            self.align(8)

    def _pointee(self, variant):
        kind, value = variant.type, variant.value
        if value is None or kind < STRING:
            return
        if kind == STRING:
            self.string(value)
        elif kind == GUID:
            self.guid(value)
        else:
            self.size(len(value))
        if kind == BOOLEAN_ARRAY:
            self.u8(*value)
        elif kind == UINT32_ARRAY:
            self.u32(*value)
        elif kind == UINT64_ARRAY:
            self.u64(*value)
        elif kind == GUID_ARRAY:
            self.guid(*value)
        elif kind == STRING_ARRAY:
            for text in value:
                self.pointer(text is not None)
            for text in value:
                if text is not None:
                    self.string(text)


class Reader:
    def __init__(self, data, ndr64=False):
        self.data = data
        self.at = 0
        self.ndr64 = ndr64

    def align(self, size):
        """To a multiple of size, over zeros."""
        if any(self.bytes(-self.at % size)):
            raise ValueError(f"padding before {self.at} that is not zero")

    def bytes(self, size):
        if self.at + size > len(self.data):
            raise ValueError(f"the stub ends at {len(self.data)}, "
                             f"{self.at + size} bytes were wanted")
        self.at += size
        return self.data[self.at - size:self.at]

    def _unpack(self, code):
        size = struct.calcsize(code)
        self.align(size)
        return struct.unpack("<" + code, self.bytes(size))[0]

    def u8(self):
        return self._unpack("B")

    def u32(self):
        return self._unpack("I")

    def u64(self):
        return self._unpack("Q")

    def size(self):
        """A count of an array or a string."""
        return self._unpack("Q" if self.ndr64 else "I")

    def pointer(self):
        """Whether there is something at its end."""
        return self.size() != 0

    def guid(self):
        self.align(4)
        return uuids.UUID(bytes_le=self.bytes(16))

    def handle(self):
        self.align(4)
        return self.bytes(20)

    def rpc_info(self):
        return self.u32(), self.u32(), self.u32()

    def structure(self):
        """Begin or end a structure with a pointer in it."""
        self.align(8 if self.ndr64 else 4)

    def string(self):
        count, offset, actual = self.size(), self.size(), self.size()
        if offset != 0 or actual > count:
            raise ValueError("a string's counts contradict each other")
        text = self.bytes(2 * actual).decode("utf-16-le", "surrogatepass")
        if not text.endswith("\0"):
            raise ValueError("a string without its NUL")
        return text[:-1]

    def unique_string(self):
        return self.string() if self.pointer() else None

    def conformance(self, expected):
        """The count before an array's elements."""
        count = self.size()
        if count != expected:
            raise ValueError(f"an array of {count}, its size is {expected}")

    def array(self, expected):
        """Enter a unique conformant array: whether it is there."""
        there = self.pointer()
        if there:
            self.conformance(expected)
        return there

    def u32_array(self, count):
        """None for a NULL pointer."""
        if not self.array(count):
            return None
        return [self.u32() for _ in range(count)]

    def byte_array(self, count):
        return self.bytes(count) if self.array(count) else None

    def _strings(self, count):
        there = [self.pointer() for _ in range(count)]
        return [self.string() if one else None for one in there]

    def string_array(self, count):
        return self._strings(count) if self.array(count) else None

    def variants(self):
        """An EvtRpcVariantList that is a parameter; None: a NULL array."""
        return self._list_of(self._list_head())

    def variant_lists(self, count):
        """An array of lists, as opnum 27 gives; None: a NULL array."""
        if not self.array(count):
            return None
        heads = [self._list_head() for _ in range(count)]
        return [self._list_of(head) for head in heads]

    def _list_head(self):
        self.structure()
        return self.u32(), self.pointer()

    def _list_of(self, head):
        count, there = head
        if not there:
            return None
        self.conformance(count)
        heads = [self._variant() for _ in range(count)]
        return [Variant(kind, self._pointee(kind, value), flags)
                for kind, flags, value in heads]

    def _variant(self):
        """Type, flags, and the value or what tells of it."""
        self.align(8)
        kind, flags, switch = self.u32(), self.u32(), self.u32()
        if kind != switch:
            raise ValueError(f"a variant of type {kind} with arm {switch}")
        if self.ndr64:
            self.align(8)
        if kind in (NULL, UINT32):
            value = self.u32()
        elif kind == BOOLEAN:
            value = self.u8()
        elif kind == UINT64:
            value = self.u64()
        elif kind in (STRING, GUID):
            value = self.pointer()
        elif kind <= GUID_ARRAY:
            value = self.u32(), self.pointer()
        else:
            raise ValueError(f"a variant of type {kind}")
        # The trailing pad, which only NDR64 has.
        if self.ndr64:
            self.align(8)
        return kind, flags, value

    def _pointee(self, kind, value):
        if kind == NULL:
            return None
        if kind == BOOLEAN:
            return bool(value)
        if kind in (UINT32, UINT64):
            return value
        if kind == STRING:
            return self.string() if value else None
        if kind == GUID:
            return self.guid() if value else None
        count, there = value
        if not there:
            return None
        self.conformance(count)
        if kind == STRING_ARRAY:
            return self._strings(count)
        read = {BOOLEAN_ARRAY: self.u8, UINT32_ARRAY: self.u32,
                UINT64_ARRAY: self.u64, GUID_ARRAY: self.guid}[kind]
        return [read() for _ in range(count)]

    def end(self):
        """Nothing follows: clients take the last four bytes as the result."""
        if self.at != len(self.data):
            raise ValueError(f"{len(self.data) - self.at} bytes too many")
