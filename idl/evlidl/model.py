# SPDX-License-Identifier: GPL-3.0-or-later
"""
The resolved interface, and how its types lie on the wire.

Every type node knows four things: its C type, its NDR alignment, the fewest
bytes a value can take (NDR32), and whether it has a deferred part (what its
embedded pointers point to, which NDR puts behind the whole construction).

Alignments are those of libndr: 3 stands for 2 bytes in NDR32 and 4 in NDR64,
5 for 4 and 8 (pointers and counts).
"""

from dataclasses import dataclass, field
from typing import Optional

POINTER_ALIGN = 5


@dataclass(frozen=True)
class Builtin:
    name: str
    c_type: str
    ndr: str                    # libndr's name: ndr_push_<ndr>()
    align: int
    size: int
    bits: int = 0               # of an integer
    signed: bool = False
    by_value: bool = True       # how libndr's push function takes it


BUILTINS = {b.name: b for b in (
    Builtin("uint8", "uint8_t", "uint8", 1, 1, 8),
    Builtin("int8", "int8_t", "int8", 1, 1, 8, True),
    Builtin("uint16", "uint16_t", "uint16", 2, 2, 16),
    Builtin("int16", "int16_t", "int16", 2, 2, 16, True),
    Builtin("uint32", "uint32_t", "uint32", 4, 4, 32),
    Builtin("int32", "int32_t", "int32", 4, 4, 32, True),
    Builtin("unsigned hyper", "uint64_t", "hyper", 8, 8, 64),
    Builtin("hyper", "int64_t", "hyper", 8, 8, 64, True),
    # One byte; C's bool would make any byte but 0 and 1 undefined.
    Builtin("boolean", "uint8_t", "uint8", 1, 1),
    Builtin("WERROR", "WERROR", "WERROR", 4, 4),
    Builtin("GUID", "struct GUID", "GUID", 4, 16, by_value=False),
    Builtin("policy_handle", "struct policy_handle", "policy_handle", 4, 20,
            by_value=False),
)}


@dataclass(frozen=True)
class Range:
    """Bounds of range(); tolerate() raises the upper one for a receiver."""
    low: int
    high: int


class Type:
    deferred = False

    def declare(self, name):
        """A C declarator of this type."""
        raise NotImplementedError


@dataclass
class Scalar(Type):
    builtin: Builtin
    range: Optional[Range] = None

    @property
    def align(self):
        return self.builtin.align

    @property
    def min_size(self):
        return self.builtin.size

    def declare(self, name):
        return f"{self.builtin.c_type} {name}"


@dataclass
class String(Type):
    """A [string,charset(UTF16)] array; the C value is UTF-8."""
    range: Optional[Range] = None
    align = POINTER_ALIGN
    min_size = 12

    def declare(self, name):
        return f"const char *{name}"


@dataclass
class Array(Type):
    """A conformant array, always behind a pointer."""
    element: Type
    size: object                # an expression
    range: Optional[Range] = None
    align = POINTER_ALIGN
    min_size = 4

    def declare(self, name):
        return self.element.declare("*" + name)


@dataclass
class FixedArray(Type):
    element: Type
    count: int

    @property
    def align(self):
        return self.element.align

    @property
    def min_size(self):
        return self.element.min_size * self.count

    @property
    def deferred(self):
        return self.element.deferred

    def declare(self, name):
        return self.element.declare(f"{name}[{self.count}]")


@dataclass
class Pointer(Type):
    kind: str                   # unique or ref
    to: Type
    align = POINTER_ALIGN
    min_size = 4
    deferred = True

    def declare(self, name):
        # In C a string or array value is a pointer already.
        if isinstance(self.to, (String, Array)):
            return self.to.declare(name)
        return self.to.declare("*" + name)


@dataclass
class Enum(Type):
    name: str
    c_name: str
    v1: bool                    # v1_enum: 32 bits; else 16, 32 in NDR64
    values: list                # of (name, value)

    @property
    def align(self):
        return 4 if self.v1 else 3

    @property
    def min_size(self):
        return 4 if self.v1 else 2

    @property
    def ndr(self):
        return "enum_uint32" if self.v1 else "enum_uint1632"

    @property
    def c_wire(self):
        return "uint32_t" if self.v1 else "uint16_t"

    def declare(self, name):
        return f"enum {self.c_name} {name}"


@dataclass
class Member:
    name: str
    type: Type


@dataclass
class Struct(Type):
    name: str
    c_name: str
    members: list = field(default_factory=list)

    @property
    def align(self):
        return max(m.type.align for m in self.members)

    @property
    def min_size(self):
        return sum(m.type.min_size for m in self.members)

    @property
    def deferred(self):
        return any(m.type.deferred for m in self.members)

    def declare(self, name):
        return f"struct {self.c_name} {name}"


@dataclass
class Case:
    values: list                # of C constants; empty for default
    member: Optional[Member]


@dataclass
class Union(Type):
    name: str
    c_name: str
    switch: Type                # Enum or Scalar
    cases: list

    @property
    def members(self):
        return [c.member for c in self.cases if c.member is not None]

    @property
    def align(self):
        return max([self.switch.align] +
                   [m.type.align for m in self.members])

    @property
    def min_size(self):
        return self.switch.min_size

    @property
    def deferred(self):
        return any(m.type.deferred for m in self.members)

    @property
    def has_default(self):
        return any(not c.values for c in self.cases)

    def declare(self, name):
        return f"union {self.c_name} {name}"


@dataclass
class Switched(Type):
    """A union inside a structure, with the member that selects its arm."""
    union: Union
    selector: str

    @property
    def align(self):
        return self.union.align

    @property
    def min_size(self):
        return self.union.min_size

    @property
    def deferred(self):
        return self.union.deferred

    def declare(self, name):
        return self.union.declare(name)


@dataclass
class Parameter:
    name: str
    type: Type
    is_in: bool
    is_out: bool
    note: str                   # its attributes, for the C header


@dataclass
class Function:
    name: str
    c_name: str
    opnum: int
    parameters: list
    result: Optional[Builtin]

    @property
    def ins(self):
        return [p for p in self.parameters if p.is_in]

    @property
    def outs(self):
        return [p for p in self.parameters if p.is_out]


@dataclass
class Constant:
    name: str
    c_name: str
    value: int
    text: str                   # as C


@dataclass
class Interface:
    name: str
    uuid: str
    major: int
    minor: int
    helpstring: str
    endpoints: list
    constants: list
    types: list                 # Enum, Struct, Union in order
    functions: list
