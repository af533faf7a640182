# SPDX-License-Identifier: GPL-3.0-or-later
"""
The bodies of the NDR functions, as C.

NDR lays a value out in two passes: its scalars, with a referent in place of
each embedded pointer, then (deferred, "buffers" in libndr's words) what the
pointers point to.  So each of the three emitters below, for pushing, pulling
and printing, is a walk over the type with

    scalars(type, e)    the first pass over the C value e
    buffers(type, e)    the second
    pointee(type, e)    both, for what the C pointer e points to

A pointer that is itself a parameter is not deferred: see parameter().
"""

import contextlib
import textwrap

from . import model, syntax

WIDTH = 80
TAB = 8


class Code:
    """C text in the making: indentation, blocks, local variables."""

    def __init__(self):
        self.lines = []
        self.depth = 1
        self.locals = {}
        self.loops = 0

    def line(self, text):
        room = WIDTH - TAB * self.depth
        parts = textwrap.wrap(text, room - TAB, break_long_words=False,
                              break_on_hyphens=False) \
            if len(text) > room else [text]
        for number, part in enumerate(parts):
            self.lines.append("\t" * (self.depth + (number > 0)) + part)

    def check(self, call):
        self.line(f"NDR_CHECK({call});")

    @contextlib.contextmanager
    def block(self, head):
        self.line(head + " {")
        self.depth += 1
        yield
        self.depth -= 1
        self.line("}")

    @contextlib.contextmanager
    def otherwise(self):
        """else, to the block just closed."""
        assert self.lines.pop().strip() == "}"
        with self.block("} else"):
            yield

    @contextlib.contextmanager
    def loop(self, count):
        """for over an index, yielding its name."""
        index = "ijklmnop"[self.loops]
        self.loops += 1
        with self.block(f"for (uint32_t {index} = 0; {index} < {count}; "
                        f"{index}++)"):
            yield index
        self.loops -= 1

    def local(self, c_type, name):
        """A local variable of the whole function; the same name again is
        the same variable."""
        self.locals[name] = c_type
        return name

    def text(self):
        declared = [f"\t{c_type}{'' if c_type.endswith('*') else ' '}{name};"
                    for name, c_type in self.locals.items()]
        if declared:
            declared.append("")
        return "\n".join(declared + self.lines)


def _paren(e):
    return f"({e})" if e.startswith("*") else e


def _item(e, index):
    return f"{_paren(e)}[{index}]"


def _address(e):
    """&e, with *p simply p."""
    return e[1:] if e.startswith("*") else "&" + e


def _is_bytes(node):
    return isinstance(node, model.Scalar) and node.builtin.ndr == "uint8"


class StructScope:
    """Where size_is and switch_is of a structure look names up."""

    def __init__(self, constants):
        self.constants = constants

    def value(self, name):
        return self.constants.get(name) or f"r->{name}"


class FunctionScope:
    """The same for a call, whose parameters are in r->in and r->out."""

    def __init__(self, function, constants, direction):
        self.parameters = {p.name: p for p in function.parameters}
        self.constants = constants
        self.direction = direction

    def value(self, name):
        parameter = self.parameters.get(name)
        if parameter is None:
            return self.constants[name]
        is_out = self.direction == "out" and parameter.is_out
        return f"r->{'out' if is_out else 'in'}.{name}"


def c_expr(expr, scope):
    """A size_is expression in C."""
    if isinstance(expr, syntax.Number):
        return str(expr.value)
    if isinstance(expr, syntax.Name):
        return scope.value(expr.text)
    if isinstance(expr, syntax.Deref):
        return "*" + scope.value(expr.text)
    # C would compute with small types as int.
    return (f"(uint32_t)({c_expr(expr.left, scope)} {expr.op} "
            f"{c_expr(expr.right, scope)})")


class Emitter:
    """What pushing, pulling and printing have in common."""
    direction = ""              # push or pull

    def __init__(self, scope):
        self.code = Code()
        self.scope = scope

    def call(self, node, flags, e):
        self.code.check(f"ndr_{self.direction}_{node.c_name}"
                        f"(ndr, {flags}, {_address(e)})")

    def set_switch(self, node, e):
        selector = self.scope.value(node.selector)
        self.code.check(f"ndr_{self.direction}_set_switch_value"
                        f"(ndr, {_address(e)}, {selector})")

    def scalars(self, node, e):
        if isinstance(node, model.Scalar):
            self.scalar(node, e)
        elif isinstance(node, model.Enum):
            self.call(node, "NDR_SCALARS", e)
        elif isinstance(node, model.Struct):
            self.call(node, "NDR_SCALARS", e)
        elif isinstance(node, model.Switched):
            self.set_switch(node, e)
            self.call(node.union, "NDR_SCALARS", e)
        elif isinstance(node, model.Pointer):
            self.referent(node, e)
        elif _is_bytes(node.element):
            self.code.check(f"ndr_{self.direction}_array_uint8"
                            f"(ndr, NDR_SCALARS, {e}, {node.count})")
        else:
            with self.code.loop(node.count) as index:
                self.scalars(node.element, _item(e, index))

    def buffers(self, node, e):
        if not node.deferred:
            return
        if isinstance(node, model.Struct):
            self.call(node, "NDR_BUFFERS", e)
        elif isinstance(node, model.Switched):
            self.set_switch(node, e)
            self.call(node.union, "NDR_BUFFERS", e)
        elif isinstance(node, model.Pointer):
            self.deferred_pointer(node, e)
        else:
            with self.code.loop(node.count) as index:
                self.buffers(node.element, _item(e, index))

    def whole(self, node, e):
        """Both passes, one behind the other."""
        if isinstance(node, model.Struct):
            self.call(node, "NDR_SCALARS | NDR_BUFFERS"
                      if node.deferred else "NDR_SCALARS", e)
        elif isinstance(node, model.Pointer):
            self.inline_pointer(node, e)
        else:
            self.scalars(node, e)
            self.buffers(node, e)

    def elements(self, node, e, count):
        """The elements of an array: all scalars, then all buffers."""
        if _is_bytes(node.element):
            self.code.check(f"ndr_{self.direction}_array_uint8"
                            f"(ndr, NDR_SCALARS, {e}, {count})")
            return
        with self.code.loop(count) as index:
            self.scalars(node.element, _item(e, index))
        if node.element.deferred:
            with self.code.loop(count) as index:
                self.buffers(node.element, _item(e, index))

    def scalar(self, node, e):
        raise NotImplementedError

    def referent(self, node, e):
        raise NotImplementedError

    def deferred_pointer(self, node, e):
        raise NotImplementedError

    def inline_pointer(self, node, e):
        raise NotImplementedError


class Push(Emitter):
    direction = "push"

    def call(self, node, flags, e):
        if isinstance(node, model.Enum):
            self.code.check(f"ndr_push_{node.c_name}(ndr, {flags}, {e})")
        else:
            super().call(node, flags, e)

    def scalar(self, node, e):
        value = e if node.builtin.by_value else _address(e)
        self.code.check(f"ndr_push_{node.builtin.ndr}(ndr, NDR_SCALARS, "
                        f"{value})")

    def referent(self, node, e):
        if node.kind == "ref":
            self.no_null(e)
            self.code.check("ndr_push_ref_ptr(ndr)")
        else:
            self.code.check(f"ndr_push_unique_ptr(ndr, {e})")

    def no_null(self, e):
        self.code.check(f"idl_check_ref({e})")

    def deferred_pointer(self, node, e):
        with self.code.block(f"if ({e} != NULL)"):
            self.pointee(node.to, e)

    def inline_pointer(self, node, e):
        self.referent(node, e)
        self.deferred_pointer(node, e)

    def pointee(self, node, e):
        if isinstance(node, model.String):
            self.code.check(f"idl_push_string(ndr, {e})")
        elif isinstance(node, model.Array):
            size = c_expr(node.size, self.scope)
            self.code.check(f"ndr_push_uint3264(ndr, NDR_SCALARS, {size})")
            self.elements(node, e, size)
        else:
            self.whole(node, "*" + e)

    def parameters(self, parameters, direction):
        for p in parameters:
            if isinstance(p.type, model.Pointer) and p.type.kind == "ref":
                self.no_null(f"r->{direction}.{p.name}")
        for p in parameters:
            e = f"r->{direction}.{p.name}"
            if isinstance(p.type, model.Pointer) and p.type.kind == "ref":
                self.pointee(p.type.to, e)
            else:
                self.whole(p.type, e)


class Pull(Emitter):
    direction = "pull"

    def __init__(self, scope):
        super().__init__(scope)
        self.seen = None        # parameters whose value is known; None: all
        self.late = []          # size checks that wait for other parameters
        self.optional = False   # whether a NULL array may have any size
        self.parents = 0        # how many are being held

    def scalar(self, node, e):
        cast = "(uint64_t *)" if node.builtin.name == "hyper" else ""
        self.code.check(f"ndr_pull_{node.builtin.ndr}(ndr, NDR_SCALARS, "
                        f"{cast}{_address(e)})")
        if node.range is not None:
            self.code.check(f"idl_check_range({e}, {node.range.low}, "
                            f"{node.range.high})")

    def read_referent(self, node):
        pointer = self.code.local("uint32_t", "referent")
        kind = "ref" if node.kind == "ref" else "generic"
        self.code.check(f"ndr_pull_{kind}_ptr(ndr, &{pointer})")
        if node.kind == "ref":
            with self.code.block(f"if ({pointer} == 0)"):
                self.code.line("return NDR_ERR_INVALID_POINTER;")
        return pointer

    def referent(self, node, e):
        """An embedded pointer: what it points to comes later, so a first
        allocation marks that it is not NULL."""
        pointer = self.read_referent(node)
        self.code.line(f"{e} = NULL;")
        with self.code.block(f"if ({pointer} != 0)"):
            self.code.line(f"NDR_PULL_ALLOC(ndr, {e});")

    def deferred_pointer(self, node, e):
        sized = self.sized(node)
        with self.code.block(f"if ({e} != NULL)"):
            self.pointee(node.to, e)
        self.null_array(sized, e)

    def inline_pointer(self, node, e):
        pointer = self.read_referent(node)
        sized = self.sized(node)
        self.code.line(f"{e} = NULL;")
        with self.code.block(f"if ({pointer} != 0)"):
            if not isinstance(node.to, (model.String, model.Array)):
                self.code.line(f"NDR_PULL_ALLOC(ndr, {e});")
            self.pointee(node.to, e)
        self.null_array(sized, e)

    def sized(self, node):
        if self.optional or not isinstance(node.to, model.Array):
            return None
        return node.to

    def null_array(self, array, e):
        """The other branch of the block just closed: who goes by the size
        must not find a NULL pointer."""
        if array is None:
            return
        size = c_expr(array.size, self.scope)
        if self.knows(array.size):
            with self.code.otherwise():
                self.code.check(f"idl_check_count(0, {size})")
        else:
            self.late.append((f"{e} == NULL", "0", size))

    def knows(self, expr):
        if self.seen is None or isinstance(expr, syntax.Number):
            return True
        if isinstance(expr, syntax.Binary):
            return self.knows(expr.left) and self.knows(expr.right)
        return expr.text in self.seen or \
            expr.text not in self.scope.parameters

    def pointee(self, node, e, owned=True):
        """owned: e was allocated by the pull, so children hang below it."""
        if isinstance(node, model.String):
            low, high = (node.range.low, node.range.high) \
                if node.range else (0, "UINT32_MAX")
            self.code.check(f"idl_pull_string(ndr, {low}, {high}, "
                            f"{_address(e)})")
        elif isinstance(node, model.Array):
            self.array(node, e)
        else:
            with self.parent(node, e, owned):
                self.whole(node, "*" + e)

    @contextlib.contextmanager
    def parent(self, node, e, owned=True):
        """Make e the talloc parent of what is pulled inside."""
        # Only what is deferred is allocated.
        if not owned or not node.deferred:
            yield
            return
        name = self.code.local("TALLOC_CTX *", f"parent{self.parents or ''}")
        self.parents += 1
        self.code.line(f"{name} = NDR_PULL_GET_MEM_CTX(ndr);")
        self.code.line(f"NDR_PULL_SET_MEM_CTX(ndr, {e}, 0);")
        yield
        self.code.line(f"NDR_PULL_SET_MEM_CTX(ndr, {name}, 0);")
        self.parents -= 1

    def array(self, node, e, given=False):
        """given: the caller may have brought the memory."""
        name = "count_" + "".join(c for c in e.split(".")[-1].split("->")[-1]
                                  if c.isalnum() or c == "_")
        count = self.code.local("uint32_t", name)
        size = c_expr(node.size, self.scope)
        self.code.check(f"idl_pull_count(ndr, {node.element.min_size}, "
                        f"&{count})")
        if node.range is not None:
            self.code.check(f"idl_check_range({count}, {node.range.low}, "
                            f"{node.range.high})")
        known = self.knows(node.size)
        if known:
            self.code.check(f"idl_check_count({count}, {size})")
        else:
            self.late.append((f"{e} != NULL", count, size))
        if given and known:
            with self.code.block(f"if (idl_needs_memory(ndr, {e}))"):
                self.code.line(f"NDR_PULL_ALLOC_N(ndr, {e}, {count});")
        else:
            self.code.line(f"NDR_PULL_ALLOC_N(ndr, {e}, {count});")
        with self.parent(node.element, e):
            self.elements(node, e, count)

    def parameters(self, parameters, direction, known):
        self.seen = set(known)
        for p in parameters:
            self.parameter(p, f"r->{direction}.{p.name}")
            self.seen.add(p.name)
        for condition, count, size in self.late:
            with self.code.block(f"if ({condition})"):
                self.code.check(f"idl_check_count({count}, {size})")
        self.late = []

    def parameter(self, p, e):
        if not isinstance(p.type, model.Pointer) or p.type.kind != "ref":
            self.whole(p.type, e)
            return
        node = p.type.to
        if isinstance(node, model.Array):
            self.array(node, e, given=True)
        elif isinstance(node, model.String):
            self.pointee(node, e)
        else:
            with self.code.block(f"if (idl_needs_memory(ndr, {e}))"):
                self.code.line(f"NDR_PULL_ALLOC(ndr, {e});")
            self.pointee(node, e, owned=False)

    def prepare_outs(self, function):
        """Memory for the results, so that a handler finds it in place."""
        for p in function.outs:
            e, node = f"r->out.{p.name}", p.type.to
            if isinstance(node, model.Array):
                if not self.knows(node.size):
                    continue
                size = c_expr(node.size, self.scope)
                self.code.line(f"NDR_PULL_ALLOC_N(ndr, {e}, {size});")
                self.code.line(f"memset({e}, 0, sizeof(*{e}) * {size});")
                continue
            self.code.line(f"NDR_PULL_ALLOC(ndr, {e});")
            if p.is_in:
                self.code.line(f"*{e} = *r->in.{p.name};")
            else:
                self.code.line(f"NDR_ZERO_STRUCTP({e});")


class Print(Emitter):
    """One pass: pointers are printed where they stand."""
    direction = "print"

    def show(self, node, name, e):
        code = self.code
        if isinstance(node, model.Scalar):
            function = "dlong" if node.builtin.name == "hyper" \
                else node.builtin.ndr
            value = e if node.builtin.by_value else _address(e)
            code.line(f"ndr_print_{function}(ndr, \"{name}\", {value});")
        elif isinstance(node, model.Enum):
            code.line(f"ndr_print_{node.c_name}(ndr, \"{name}\", {e});")
        elif isinstance(node, model.Struct):
            code.line(f"ndr_print_{node.c_name}(ndr, \"{name}\", "
                      f"{_address(e)});")
        elif isinstance(node, model.Switched):
            code.line(f"ndr_print_set_switch_value(ndr, {_address(e)}, "
                      f"{self.scope.value(node.selector)});")
            code.line(f"ndr_print_{node.union.c_name}(ndr, \"{name}\", "
                      f"{_address(e)});")
        elif isinstance(node, model.FixedArray):
            self.show_elements(node, name, e, str(node.count))
        else:
            self.show_pointer(node, name, e)

    def show_pointer(self, node, name, e):
        self.code.line(f"ndr_print_ptr(ndr, \"{name}\", {e});")
        self.code.line("ndr->depth++;")
        with self.code.block(f"if ({e} != NULL)"):
            if isinstance(node.to, model.String):
                self.code.line(f"ndr_print_string(ndr, \"{name}\", {e});")
            elif isinstance(node.to, model.Array):
                self.show_elements(node.to, name, e,
                                   c_expr(node.to.size, self.scope))
            else:
                self.show(node.to, name, "*" + e)
        self.code.line("ndr->depth--;")

    def show_elements(self, node, name, e, count):
        if _is_bytes(node.element):
            self.code.line(f"ndr_print_array_uint8(ndr, \"{name}\", {e}, "
                           f"{count});")
            return
        self.code.line(f"ndr->print(ndr, \"%s: ARRAY(%u)\", \"{name}\", "
                       f"{count});")
        self.code.line("ndr->depth++;")
        with self.code.loop(count) as index:
            self.show(node.element, name, _item(e, index))
        self.code.line("ndr->depth--;")
