# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole NDR function bodies, as the templates ask for them."""

from . import model
from .emit import FunctionScope, Print, Pull, Push, StructScope


class Bodies:
    def __init__(self, interface):
        self.constants = {c.name: c.c_name for c in interface.constants}
        for made in interface.types:
            if isinstance(made, model.Enum):
                self.constants.update((n, n) for n, _ in made.values)

    # Structures

    def _struct(self, emitter, struct):
        code, direction = emitter.code, emitter.direction
        with code.block("if (ndr_flags & NDR_SCALARS)"):
            code.check(f"ndr_{direction}_align(ndr, {struct.align})")
            for m in struct.members:
                emitter.scalars(m.type, f"r->{m.name}")
            code.check(f"ndr_{direction}_trailer_align(ndr, {struct.align})")
        if struct.deferred:
            with code.block("if (ndr_flags & NDR_BUFFERS)"):
                for m in struct.members:
                    emitter.buffers(m.type, f"r->{m.name}")
        return code.text()

    def push_struct(self, struct):
        return self._struct(Push(StructScope(self._outside(struct))), struct)

    def pull_struct(self, struct):
        return self._struct(Pull(StructScope(self._outside(struct))), struct)

    def print_struct(self, struct):
        emitter = Print(StructScope(self._outside(struct)))
        for m in struct.members:
            emitter.show(m.type, m.name, f"r->{m.name}")
        return emitter.code.text()

    def _outside(self, struct):
        """The constants that no member hides."""
        members = {m.name for m in struct.members}
        return {n: c for n, c in self.constants.items() if n not in members}

    # Unions

    def _switch(self, emitter, union, each):
        code = emitter.code
        code.line("switch (level) {")
        for case in union.cases:
            for value in case.values:
                code.line(f"case {value}:")
            if not case.values:
                code.line("default:")
            code.depth += 1
            if case.member is not None:
                each(case.member)
            code.line("break;")
            code.depth -= 1
        if not union.has_default:
            code.line("default:")
            code.depth += 1
            code.line(f"return ndr_{emitter.direction}_error(ndr, "
                      "NDR_ERR_BAD_SWITCH, \"no arm for %u\", level);")
            code.depth -= 1
        code.line("}")

    def _union(self, emitter, union, discriminant):
        code, direction = emitter.code, emitter.direction
        code.local("uint32_t", "level")
        # libndr hands a switch value out once: take it in the first pass
        # that runs.
        code.check(f"ndr_{direction}_steal_switch_value(ndr, r, &level)")
        with code.block("if (ndr_flags & NDR_SCALARS)"):
            code.check(f"ndr_{direction}_union_align(ndr, {union.align})")
            discriminant(code)
            code.check(f"ndr_{direction}_union_align(ndr, {union.align})")
            self._switch(emitter, union, lambda m: emitter.scalars(
                m.type, f"r->{m.name}"))
        if union.deferred:
            with code.block("if (ndr_flags & NDR_BUFFERS)"):
                self._switch(emitter, union, lambda m: emitter.buffers(
                    m.type, f"r->{m.name}"))
        return code.text()

    def push_union(self, union):
        def discriminant(code):
            name = self._switch_ndr(union)
            code.check(f"ndr_push_{name}(ndr, NDR_SCALARS, level)")
        return self._union(Push(StructScope({})), union, discriminant)

    def pull_union(self, union):
        def discriminant(code):
            name = self._switch_ndr(union)
            wire = union.switch.c_wire \
                if isinstance(union.switch, model.Enum) \
                else union.switch.builtin.c_type
            code.local(wire, "found")
            code.check(f"ndr_pull_{name}(ndr, NDR_SCALARS, &found)")
            with code.block("if (found != level)"):
                code.line("return ndr_pull_error(ndr, NDR_ERR_BAD_SWITCH, "
                          "\"arm %u in the place of %u\", found, level);")
        return self._union(Pull(StructScope({})), union, discriminant)

    def _switch_ndr(self, union):
        if isinstance(union.switch, model.Enum):
            return union.switch.ndr
        return union.switch.builtin.ndr

    def print_union(self, union):
        emitter = Print(StructScope({}))
        code = emitter.code
        code.line("switch (level) {")
        for case in union.cases:
            for value in case.values:
                code.line(f"case {value}:")
            if not case.values:
                code.line("default:")
            code.depth += 1
            if case.member is not None:
                emitter.show(case.member.type, case.member.name,
                             f"r->{case.member.name}")
            code.line("break;")
            code.depth -= 1
        if not union.has_default:
            code.line("default:")
            code.line("\tndr_print_bad_level(ndr, name, level);")
        code.line("}")
        return code.text()

    # Calls

    def push_function(self, function):
        emitter = Push(None)
        code = emitter.code
        if function.ins:
            with code.block("if (flags & NDR_IN)"):
                emitter.scope = FunctionScope(function, self.constants, "in")
                emitter.parameters(function.ins, "in")
        if function.outs or function.result:
            with code.block("if (flags & NDR_OUT)"):
                emitter.scope = FunctionScope(function, self.constants, "out")
                emitter.parameters(function.outs, "out")
                if function.result:
                    code.check(f"ndr_push_{function.result.ndr}"
                               "(ndr, NDR_SCALARS, r->out.result)")
        return code.text()

    def pull_function(self, function):
        emitter = Pull(None)
        code = emitter.code
        with code.block("if (flags & NDR_IN)"):
            if function.outs or function.result:
                code.line("NDR_ZERO_STRUCT(r->out);")
            emitter.scope = FunctionScope(function, self.constants, "in")
            emitter.parameters(function.ins, "in", ())
            emitter.prepare_outs(function)
        if function.outs or function.result:
            with code.block("if (flags & NDR_OUT)"):
                emitter.scope = FunctionScope(function, self.constants, "out")
                # A failed call answers NULL arrays with any count.
                emitter.optional = True
                emitter.parameters(
                    function.outs, "out",
                    [p.name for p in function.ins if not p.is_out])
                if function.result:
                    code.check(f"ndr_pull_{function.result.ndr}"
                               "(ndr, NDR_SCALARS, &r->out.result)")
        return code.text()

    def print_function(self, function):
        emitter = Print(None)
        code = emitter.code
        for flag, direction, parameters in (
                ("NDR_IN", "in", function.ins),
                ("NDR_OUT", "out", function.outs)):
            emitter.scope = FunctionScope(function, self.constants, direction)
            with code.block(f"if (flags & {flag})"):
                code.line(f"ndr_print_struct(ndr, \"{direction}\", "
                          f"\"{function.c_name}\");")
                code.line("ndr->depth++;")
                for p in parameters:
                    emitter.show(p.type, p.name, f"r->{direction}.{p.name}")
                if direction == "out" and function.result:
                    code.line(f"ndr_print_{function.result.ndr}"
                              "(ndr, \"result\", r->out.result);")
                code.line("ndr->depth--;")
        return code.text()
