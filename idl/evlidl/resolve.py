# SPDX-License-Identifier: GPL-3.0-or-later
"""From the syntax tree to the model: names found, attributes understood."""

from . import model, syntax
from .syntax import IdlError

C_KEYWORDS = frozenset("""
    auto break case char const continue default do double else enum extern
    float for goto if inline int long register restrict return short signed
    sizeof static struct switch typedef union unsigned void volatile while
    """.split())

# Attributes, each with the number of arguments it takes (least, most).
INTERFACE_ATTRIBUTES = {
    "uuid": (1, 1), "version": (1, 1), "pointer_default": (1, 1),
    "helpstring": (1, 1), "endpoint": (1, 8),
}
VALUE_ATTRIBUTES = {
    "range": (2, 2), "tolerate": (1, 1), "string": (0, 0), "charset": (1, 1),
    "size_is": (1, 4), "unique": (0, 0), "ref": (0, 0),
}
MEMBER_ATTRIBUTES = dict(VALUE_ATTRIBUTES, switch_is=(1, 1))
ARM_ATTRIBUTES = dict(VALUE_ATTRIBUTES, case=(1, 64), default=(0, 0))
PARAMETER_ATTRIBUTES = dict(VALUE_ATTRIBUTES, **{"in": (0, 0), "out": (0, 0)})
TYPEDEF_ATTRIBUTES = {
    "struct": {}, "enum": {"v1_enum": (0, 0)}, "union": {"switch_type": (1, 1)},
}
OPERATORS = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b,
    "*": lambda a, b: a * b, "/": lambda a, b: a // b,
}
NUMBER_MAX = 0xFFFFFFFF


def _attributes(attributes, allowed, where):
    """The attributes by name, each known here and given once."""
    found = {}
    for attribute in attributes or []:
        name = attribute.name
        if name not in allowed:
            raise IdlError(attribute.at,
                           f"attribute '{name}' is not known on {where}")
        if name in found:
            raise IdlError(attribute.at, f"attribute '{name}' is given twice")
        low, high = allowed[name]
        if not low <= len(attribute.args) <= high:
            wanted = str(low) if low == high else f"{low} to {high}"
            raise IdlError(attribute.at, f"attribute '{name}' takes {wanted} "
                           f"arguments, not {len(attribute.args)}")
        if name != "size_is" and None in attribute.args:
            raise IdlError(attribute.at,
                           f"an argument of '{name}' is empty")
        found[name] = attribute
    return found


def _literal(attribute, kind):
    arg = attribute.args[0]
    if not isinstance(arg, syntax.Literal) or arg.kind != kind:
        raise IdlError(attribute.at, f"'{attribute.name}' takes a {kind}")
    return arg.text


def _word(attribute, allowed):
    """The one argument of an attribute, out of a few words."""
    arg = attribute.args[0]
    if not isinstance(arg, syntax.Name) or arg.text not in allowed:
        raise IdlError(attribute.at, f"'{attribute.name}' takes "
                       + " or ".join(allowed))
    return arg.text


def _text(expr):
    """An attribute's argument as it was written."""
    if expr is None:
        return ""
    if isinstance(expr, syntax.Number):
        return str(expr.at)
    if isinstance(expr, syntax.Deref):
        return "*" + expr.text
    if isinstance(expr, syntax.Binary):
        return f"{_text(expr.left)} {expr.op} {_text(expr.right)}"
    return expr.text


def _note(found):
    """Attributes that say something to a reader of the C header."""
    notes = []
    for name, attribute in found.items():
        if name in ("in", "out", "string", "charset"):
            continue
        args = ",".join(_text(a) for a in attribute.args)
        notes.append(f"{name}({args})" if args else name)
    return f"[{','.join(notes)}]" if notes else ""


class _Resolver:
    def __init__(self, tree):
        self.tree = tree
        self.prefix = tree.name
        self.names = {}         # everything declared -> its token
        self.types = {}
        self.constants = {}     # constants and enumerators -> value
        self.c_constants = {}   # the same -> C text

    # Names and numbers

    def declare(self, token, table=None):
        """Note a new name; table is a scope, by default the interface."""
        table = self.names if table is None else table
        name = str(token)
        if name in C_KEYWORDS:
            raise IdlError(token, f"'{name}' is a word of C")
        if name in table:
            raise IdlError(token, f"'{name}' is declared already, in line "
                           f"{table[name].line}")
        table[name] = token

    def lookup(self, token, name):
        found = self.types.get(name)
        if found is not None:
            return found
        builtin = model.BUILTINS.get(name)
        if builtin is not None:
            return model.Scalar(builtin)
        raise IdlError(token, f"unknown type '{name}'")

    def number(self, expr):
        """The value of a constant expression."""
        if isinstance(expr, syntax.Number):
            value = expr.value
        elif isinstance(expr, syntax.Name):
            if expr.text not in self.constants:
                raise IdlError(expr.at, f"'{expr.text}' is not a constant")
            value = self.constants[expr.text]
        elif isinstance(expr, syntax.Binary):
            left, right = self.number(expr.left), self.number(expr.right)
            if expr.op == "/" and right == 0:
                raise IdlError(expr.at, "division by zero")
            value = OPERATORS[expr.op](left, right)
        else:
            raise IdlError(expr.at, "a number is wanted here")
        if not 0 <= value <= NUMBER_MAX:
            raise IdlError(expr.at, f"{value} does not fit 32 bits")
        return value

    # Types of members and parameters

    def value_type(self, decl, found, top):
        """
        The type of a declaration.  top is the kind of its first pointer
        where no attribute names it.
        """
        base = self.lookup(decl.type_at, decl.type_name)
        if isinstance(base, model.Union) and "switch_is" not in found:
            raise IdlError(decl.at, f"union '{decl.type_name}' stands only "
                           "in a structure, with switch_is")
        if "switch_is" in found:
            if not isinstance(base, model.Union) or decl.stars:
                raise IdlError(found["switch_is"].at,
                               "switch_is wants a union, not a pointer to it")
            base = model.Switched(base, "")
        node = self.add_pointers(decl, found, base, top)
        node = self.add_dimensions(decl, node)
        self.add_range(found, node)
        return node

    def add_pointers(self, decl, found, node, top):
        is_string = self.check_string(decl, found)
        sizes = found["size_is"].args if "size_is" in found else []
        if len(sizes) > decl.stars - is_string:
            raise IdlError(found["size_is"].at, "size_is has more entries "
                           f"than '{decl.name}' has pointers to arrays")
        kind = self.pointer_kind(decl, found, top)
        for level in range(decl.stars, 0, -1):
            if is_string and level == decl.stars:
                node = model.String()
            elif level <= len(sizes) and sizes[level - 1] is not None:
                node = model.Array(node, sizes[level - 1])
            node = model.Pointer(kind if level == 1 else "unique", node)
        return node

    def check_string(self, decl, found):
        if "charset" in found:
            _word(found["charset"], ("UTF16",))
        if ("string" in found) != ("charset" in found):
            at = found.get("string") or found["charset"]
            raise IdlError(at.at, "string and charset(UTF16) go together")
        if "string" not in found:
            return False
        if decl.type_name != "uint16" or decl.stars == 0:
            raise IdlError(found["string"].at,
                           "a string is declared as uint16 *")
        return True

    def pointer_kind(self, decl, found, top):
        kinds = [k for k in ("unique", "ref") if k in found]
        if len(kinds) == 2:
            raise IdlError(found["ref"].at, "both unique and ref")
        if kinds and (decl.stars == 0 or decl.dimensions):
            raise IdlError(found[kinds[0]].at, f"'{decl.name}' is no pointer")
        return kinds[0] if kinds else top

    def add_dimensions(self, decl, node):
        for expr in reversed(decl.dimensions):
            if expr is None:
                raise IdlError(decl.at, "an array without size inside a "
                               "construction is not supported: "
                               "use a pointer with size_is")
            count = self.number(expr)
            if not 1 <= count <= 65536:
                raise IdlError(expr.at, f"an array of {count} elements")
            node = model.FixedArray(node, count)
        return node

    def add_range(self, found, node):
        if "range" not in found:
            if "tolerate" in found:
                raise IdlError(found["tolerate"].at,
                               "tolerate goes with range")
            return
        attribute = found["range"]
        low, high = (self.number(a) for a in attribute.args)
        if low > high:
            raise IdlError(attribute.at, f"range from {low} to {high}")
        if "tolerate" in found:
            more = self.number(found["tolerate"].args[0])
            if more < high:
                raise IdlError(found["tolerate"].at,
                               f"tolerate({more}) is below the range")
            high = more
        while isinstance(node, model.Pointer):
            node = node.to
        countable = isinstance(node, (model.Array, model.String)) or (
            isinstance(node, model.Scalar) and not node.builtin.signed
            and 0 < node.builtin.bits <= 32)
        if not countable:
            raise IdlError(attribute.at, "range wants an unsigned integer of "
                           "at most 32 bits, a string or size_is")
        if isinstance(node, model.Scalar) and high >> node.builtin.bits:
            raise IdlError(attribute.at, f"{high} does not fit the type")
        node.range = model.Range(low, high)

    # References from one value to its siblings

    def check_size(self, expr, siblings):
        """Every name in size_is is a sibling integer or a constant."""
        if isinstance(expr, syntax.Number):
            return
        if isinstance(expr, syntax.Binary):
            self.check_size(expr.left, siblings)
            self.check_size(expr.right, siblings)
            return
        if isinstance(expr, syntax.Literal):
            raise IdlError(expr.at, "size_is wants a number")
        is_deref = isinstance(expr, syntax.Deref)
        target = siblings.get(expr.text)
        if target is None:
            if expr.text in self.constants and not is_deref:
                return
            raise IdlError(expr.at, f"size_is names '{expr.text}', "
                           "which does not exist here")
        if isinstance(target, model.Pointer) != is_deref:
            raise IdlError(expr.at, f"'{expr.text}' is "
                           + ("no pointer" if is_deref
                              else f"a pointer: *{expr.text}"))
        value = target.to if is_deref else target
        if is_deref and target.kind != "ref":
            raise IdlError(expr.at, f"'{expr.text}' may be NULL")
        if not isinstance(value, model.Scalar) or not value.builtin.bits \
                or value.builtin.signed or value.builtin.bits > 32:
            raise IdlError(expr.at, f"'{expr.text}' is no unsigned integer "
                           "of at most 32 bits")

    def check_sizes(self, node, siblings):
        while True:
            if isinstance(node, model.Pointer):
                node = node.to
            elif isinstance(node, model.Array):
                self.check_size(node.size, siblings)
                node = node.element
            elif isinstance(node, model.FixedArray):
                node = node.element
            else:
                return

    # Definitions

    def const(self, tree):
        if tree.type_name not in ("uint32", "int"):
            raise IdlError(tree.type_at, "a constant is int or uint32")
        self.declare(tree.at)
        value = self.number(tree.value)
        is_hex = isinstance(tree.value, syntax.Number) and tree.value.is_hex
        text = f"0x{value:08X}" if is_hex else str(value)
        c_name = f"{self.prefix.upper()}_{tree.name}"
        self.constants[tree.name] = value
        self.c_constants[tree.name] = c_name
        return model.Constant(tree.name, c_name, value, text)

    def typedef(self, tree):
        found = _attributes(tree.attributes, TYPEDEF_ATTRIBUTES[tree.kind],
                            f"a typedef of {tree.kind}")
        if tree.name in model.BUILTINS:
            raise IdlError(tree.at, f"'{tree.name}' is a type already")
        self.declare(tree.at)
        make = {"struct": self.struct, "union": self.union,
                "enum": self.enum}[tree.kind]
        made = make(tree, f"{self.prefix}_{tree.name}", found)
        self.types[tree.name] = made
        return made

    def enum(self, tree, c_name, found):
        limit = 32 if "v1_enum" in found else 16
        values, following = [], 0
        for item in tree.items:
            self.declare(item.at)
            if item.value is not None:
                following = self.number(item.value)
            if following >> limit:
                raise IdlError(item.at, f"{following} does not fit "
                               f"{limit} bits")
            values.append((item.name, following))
            self.constants[item.name] = following
            self.c_constants[item.name] = item.name
            following += 1
        return model.Enum(tree.name, c_name, "v1_enum" in found, values)

    def struct(self, tree, c_name, _found):
        made = model.Struct(tree.name, c_name)
        scope, siblings = {}, {}
        for item in tree.items:
            self.declare(item.at, scope)
            found = _attributes(item.attributes, MEMBER_ATTRIBUTES,
                                "a member")
            node = self.value_type(item, found, "unique")
            if isinstance(node, model.Switched):
                self.check_switch(found["switch_is"], node, siblings)
            siblings[item.name] = node
            made.members.append(model.Member(item.name, node))
        for item, member in zip(tree.items, made.members):
            self.check_sizes(member.type, siblings)
        return made

    def check_switch(self, attribute, node, siblings):
        arg = attribute.args[0]
        if not isinstance(arg, syntax.Name) or arg.text not in siblings:
            raise IdlError(attribute.at, f"switch_is names '{_text(arg)}', "
                           "which is no earlier member")
        if not _same_type(siblings[arg.text], node.union.switch):
            raise IdlError(arg.at, f"'{arg.text}' has not the type that "
                           f"union '{node.union.name}' switches on")
        node.selector = arg.text

    def union(self, tree, c_name, found):
        if "switch_type" not in found:
            raise IdlError(tree.at, f"union '{tree.name}' needs switch_type")
        switch = self.switch_type(found["switch_type"])
        scope, labels, cases = {}, {}, []
        for item in tree.items:
            cases.append(self.arm(item, switch, scope, labels))
        return model.Union(tree.name, c_name, switch, cases)

    def switch_type(self, attribute):
        arg = attribute.args[0]
        if not isinstance(arg, syntax.Name):
            raise IdlError(attribute.at, "switch_type wants a type")
        found = self.lookup(arg.at, arg.text)
        if isinstance(found, model.Enum) or (
                isinstance(found, model.Scalar) and not found.builtin.signed
                and 0 < found.builtin.bits <= 32):
            return found
        raise IdlError(arg.at, "switch_type wants an enum or an unsigned "
                       "integer of at most 32 bits")

    def arm(self, item, switch, scope, labels):
        found = _attributes(item.attributes, ARM_ATTRIBUTES, "an arm")
        at = item.attributes[0].at
        if ("case" in found) == ("default" in found):
            raise IdlError(at, "an arm has either case or default")
        values = []
        for arg in found["case"].args if "case" in found else []:
            values.append(self.label(arg, switch, labels))
        if "default" in found and labels.setdefault("default", at) is not at:
            raise IdlError(at, "a second default arm")
        if item.declaration is None:
            return model.Case(values, None)
        decl = item.declaration
        self.declare(decl.at, scope)
        if "size_is" in found:
            raise IdlError(found["size_is"].at, "an arm knows no size: put "
                           "the array into a structure")
        node = self.value_type(decl, found, "unique")
        return model.Case(values, model.Member(decl.name, node))

    def label(self, arg, switch, labels):
        value = self.number(arg)
        if value in labels:
            raise IdlError(arg.at, f"case {_text(arg)} is there already")
        labels[value] = arg.at
        if isinstance(switch, model.Enum) \
                and value not in [v for _, v in switch.values]:
            raise IdlError(arg.at, f"'{_text(arg)}' is no value of "
                           f"{switch.name}")
        if isinstance(arg, syntax.Name):
            return self.c_constants[arg.text]
        return str(value)

    def function(self, tree, opnum):
        self.declare(tree.at)
        result = None
        if tree.type_name not in ("WERROR", "uint32", "void"):
            raise IdlError(tree.type_at,
                           "a call returns WERROR, uint32 or void")
        if tree.type_name != "void":
            result = model.BUILTINS[tree.type_name]
        scope, parameters = {}, []
        for item in tree.parameters:
            self.declare(item.at, scope)
            if result is not None and item.name == "result":
                raise IdlError(item.at, "'result' is the returned value")
            parameters.append(self.parameter(item))
        siblings = {p.name: p.type for p in parameters}
        for parameter, item in zip(parameters, tree.parameters):
            self.check_sizes(parameter.type, siblings)
            self.check_direction(parameter, parameters, item)
        return model.Function(tree.name, f"{self.prefix}_{tree.name}", opnum,
                              parameters, result)

    def parameter(self, item):
        found = _attributes(item.attributes, PARAMETER_ATTRIBUTES,
                            "a parameter")
        is_in, is_out = "in" in found, "out" in found
        if not is_in and not is_out:
            raise IdlError(item.at, f"'{item.name}' is neither in nor out")
        node = self.value_type(item, found, "ref")
        if is_out and not (isinstance(node, model.Pointer)
                           and node.kind == "ref"):
            raise IdlError(item.at, f"'{item.name}' is out, so it must be a "
                           "ref pointer")
        if is_out and isinstance(node.to, model.String):
            raise IdlError(item.at, f"'{item.name}' is an out string: it "
                           "needs a second pointer")
        if is_in and is_out and isinstance(node.to, model.Array):
            raise IdlError(item.at, f"'{item.name}' is an array both in and "
                           "out, which is not supported")
        return model.Parameter(item.name, node, is_in, is_out, _note(found))

    def check_direction(self, parameter, parameters, item):
        """An [in] array is not sized by what only comes back."""
        if not parameter.is_in:
            return
        outs = {p.name for p in parameters if not p.is_in}
        for attribute in item.attributes:
            if attribute.name != "size_is":
                continue
            for name in _names(attribute.args):
                if name.text in outs:
                    raise IdlError(name.at, f"'{name.text}' is out, "
                                   f"'{item.name}' is in")

    def interface(self):
        tree = self.tree
        found = _attributes(tree.attributes, INTERFACE_ATTRIBUTES,
                            "an interface")
        for name in ("uuid", "version", "pointer_default"):
            if name not in found:
                raise IdlError(tree.at, f"the interface has no {name}")
        _word(found["pointer_default"], ("unique",))
        major, minor = _literal(found["version"], "version").split(".")
        if int(major) > 0xFFFF or int(minor) > 0xFFFF:
            raise IdlError(found["version"].at, "a version has two parts of "
                           "16 bits")
        made = model.Interface(
            tree.name, _literal(found["uuid"], "uuid"), int(major),
            int(minor),
            _literal(found["helpstring"], "string")
            if "helpstring" in found else tree.name,
            self.endpoints(found.get("endpoint")), [], [], [])
        for item in tree.definitions:
            if isinstance(item, syntax.Const):
                made.constants.append(self.const(item))
            elif isinstance(item, syntax.Typedef):
                made.types.append(self.typedef(item))
            else:
                made.functions.append(
                    self.function(item, len(made.functions)))
        if not made.functions:
            raise IdlError(tree.at, "the interface has no calls")
        return made

    def endpoints(self, attribute):
        if attribute is None:
            return []
        for arg in attribute.args:
            if not isinstance(arg, syntax.Literal) or arg.kind != "string":
                raise IdlError(attribute.at, "'endpoint' takes strings")
        return [arg.text for arg in attribute.args]


def _same_type(a, b):
    """Whether two selectors are of one type, whatever their ranges."""
    if isinstance(a, model.Scalar) and isinstance(b, model.Scalar):
        return a.builtin == b.builtin
    return a is b


def _names(exprs):
    """Every name in some size expressions."""
    for expr in exprs:
        if isinstance(expr, syntax.Binary):
            yield from _names((expr.left, expr.right))
        elif isinstance(expr, (syntax.Name, syntax.Deref)):
            yield expr


def resolve(tree):
    """The model of a syntax tree; raises IdlError."""
    return _Resolver(tree).interface()
