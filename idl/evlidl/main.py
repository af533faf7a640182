# SPDX-License-Identifier: GPL-3.0-or-later
"""The command: evlidl -o DIRECTORY [--include PREFIX] FILE.idl"""

import argparse
import os
import sys

import jinja2

from . import model
from .bodies import Bodies
from .resolve import resolve
from .syntax import IdlError, parse

# Output name -> template; {0} is the interface.
OUTPUTS = {
    "{0}.h": "types.h.j2",
    "ndr_{0}.h": "ndr.h.j2",
    "ndr_{0}.c": "ndr.c.j2",
    "{0}_server.h": "server.h.j2",
    "{0}_server.c": "server.c.j2",
    "{0}_client.h": "client.h.j2",
    "{0}_client.c": "client.c.j2",
}


def _environment():
    env = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, "templates"),
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined)
    env.tests["struct"] = lambda t: isinstance(t, model.Struct)
    env.tests["union"] = lambda t: isinstance(t, model.Union)
    env.tests["enum"] = lambda t: isinstance(t, model.Enum)
    env.filters["uuid_c"] = _uuid_c
    return env


def _uuid_c(uuid):
    """A UUID as C's initialiser of struct GUID."""
    low, mid, high, seq, node = uuid.split("-")

    def octets(text):
        return ", ".join(f"0x{text[i:i + 2]}" for i in range(0, len(text), 2))

    return (f"{{0x{low}, 0x{mid}, 0x{high}, {{{octets(seq)}}}, "
            f"{{{octets(node)}}}}}")


def generate(interface, source, include):
    """The texts of all outputs, by file name."""
    env = _environment()
    values = {
        "interface": interface, "x": interface.name, "source": source,
        "X": interface.name.upper(), "bodies": Bodies(interface),
        "include": include,
    }
    return {name.format(interface.name): env.get_template(template)
            .render(values) for name, template in OUTPUTS.items()}


def main(argv):
    parser = argparse.ArgumentParser(
        prog="evlidl", description="Compile an interface for Samba's NDR "
        "library: types, marshalling, server dispatch, client stubs.")
    parser.add_argument("-o", metavar="DIRECTORY", default=".",
                        help="where the C files go")
    parser.add_argument("--include", metavar="PREFIX", default="idl/",
                        help="how the C files include each other")
    parser.add_argument("idl")
    args = parser.parse_args(argv)
    try:
        with open(args.idl, encoding="utf-8") as file:
            interface = resolve(parse(file.read()))
    except IdlError as error:
        print(f"{args.idl}:{error.line}:{error.column}: {error.message}",
              file=sys.stderr)
        return 1
    except (OSError, UnicodeDecodeError) as error:
        print(f"{args.idl}: {error}", file=sys.stderr)
        return 1
    stem = os.path.splitext(os.path.basename(args.idl))[0]
    if interface.name != stem:
        print(f"{args.idl}: interface '{interface.name}' belongs into "
              f"{interface.name}.idl", file=sys.stderr)
        return 1
    for name, text in generate(interface, os.path.basename(args.idl),
                               args.include).items():
        with open(os.path.join(args.o, name), "w", encoding="utf-8") as file:
            file.write(text)
    return 0
