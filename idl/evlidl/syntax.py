# SPDX-License-Identifier: GPL-3.0-or-later
"""From IDL text to a syntax tree: the grammar's shape, nothing resolved."""

import importlib.resources
from dataclasses import dataclass, field
from typing import Optional, Union

import lark


class IdlError(Exception):
    """A fault in the IDL, at a place in it."""

    def __init__(self, at, message):
        super().__init__(message)
        self.line = at.line
        self.column = at.column
        self.message = message


@dataclass(frozen=True)
class Number:
    at: lark.Token
    value: int
    is_hex: bool


@dataclass(frozen=True)
class Name:
    at: lark.Token
    text: str


@dataclass(frozen=True)
class Deref:
    at: lark.Token
    text: str


@dataclass(frozen=True)
class Binary:
    at: lark.Token
    op: str
    left: "Expr"
    right: "Expr"


Expr = Union[Number, Name, Deref, Binary]


@dataclass(frozen=True)
class Literal:
    """A UUID, version or string given to an attribute."""
    at: lark.Token
    kind: str
    text: str


@dataclass
class Attribute:
    at: lark.Token
    name: str
    args: list


@dataclass
class Declaration:
    at: lark.Token              # the declared name
    name: str
    type_at: lark.Token
    type_name: str
    stars: int
    dimensions: list            # of Expr, None for []
    attributes: list = field(default_factory=list)


@dataclass
class Arm:
    attributes: list
    declaration: Optional[Declaration]


@dataclass
class Enumerator:
    at: lark.Token
    name: str
    value: Optional[Expr]


@dataclass
class Typedef:
    at: lark.Token
    name: str
    kind: str                   # struct, union or enum
    items: list
    attributes: list


@dataclass
class Const:
    at: lark.Token
    name: str
    type_at: lark.Token
    type_name: str
    value: Expr


@dataclass
class Function:
    at: lark.Token
    name: str
    type_at: lark.Token
    type_name: str
    parameters: list


@dataclass
class Interface:
    at: lark.Token
    name: str
    attributes: list
    definitions: list


class _Builder(lark.Transformer):
    """Lark's tree to the classes above."""

    def number(self, children):
        (token,) = children
        is_hex = token.lower().startswith("0x")
        return Number(token, int(token, 16 if is_hex else 10), is_hex)

    def name(self, children):
        (token,) = children
        return Name(token, str(token))

    def deref(self, children):
        _, token = children
        return Deref(token, str(token))

    def binary(self, children):
        left, op, right = children
        return Binary(op, str(op), left, right)

    def uuid(self, children):
        return Literal(children[0], "uuid", children[0].lower())

    def version(self, children):
        return Literal(children[0], "version", str(children[0]))

    def string(self, children):
        return Literal(children[0], "string", children[0][1:-1])

    def arguments(self, children):
        return children

    def attribute(self, children):
        token, args = children
        return Attribute(token, str(token), args or [])

    def attributes(self, children):
        return children

    def plain(self, children):
        return children[0], str(children[0])

    def unsigned(self, children):
        return children[0], "unsigned " + children[0]

    def dimension(self, children):
        return children

    def declaration(self, children):
        type_at, type_name = children[0]
        stars = [c for c in children[1:]
                 if isinstance(c, lark.Token) and c.type == "STAR"]
        token = children[1 + len(stars)]
        dimensions = [d[0] for d in children[2 + len(stars):]]
        return Declaration(token, str(token), type_at, type_name,
                           len(stars), dimensions)

    def _attributed(self, children):
        attributes, declaration = children
        declaration.attributes = attributes or []
        return declaration

    member = _attributed
    parameter = _attributed

    def arm(self, children):
        attributes, declaration = children
        if declaration is not None:
            declaration.attributes = attributes
        return Arm(attributes, declaration)

    def enumerator(self, children):
        token, value = children
        return Enumerator(token, str(token), value)

    def struct(self, children):
        return "struct", children

    def union(self, children):
        return "union", children

    def enum(self, children):
        return "enum", children

    def typedef(self, children):
        attributes, (kind, items), token = children
        return Typedef(token, str(token), kind, items, attributes or [])

    def const(self, children):
        (type_at, type_name), token, value = children
        return Const(token, str(token), type_at, type_name, value)

    def function(self, children):
        (type_at, type_name), token, *parameters = children
        return Function(token, str(token), type_at, type_name, parameters)

    def interface(self, children):
        attributes, token, *definitions = children
        return Interface(token, str(token), attributes, definitions)


def _describe(error):
    """What lark found and what it wanted, in words."""
    token = error.token
    if token.type == "$END":
        return "the file ends inside a definition"
    return f"syntax error at '{token}'"


def parse(text):
    """The Interface of an IDL text; raises IdlError."""
    grammar = importlib.resources.files(__package__).joinpath(
        "grammar.lark").read_text(encoding="utf-8")
    parser = lark.Lark(grammar, start="interface", parser="lalr",
                       maybe_placeholders=True)
    try:
        tree = parser.parse(text)
    except lark.UnexpectedCharacters as error:
        raise IdlError(error, f"unexpected character '{error.char}'") \
            from None
    except lark.UnexpectedToken as error:
        if error.token.type == "$END":
            lines = text.split("\n")
            error.token.line = len(lines)
            error.token.column = len(lines[-1]) + 1
        raise IdlError(error.token, _describe(error)) from None
    return _Builder().transform(tree)
