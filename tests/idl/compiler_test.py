#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the IDL compiler says of a wrong IDL, and where.  Prints TAP."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__),
                                                   "..", ".."))
EVLIDL = os.path.join(SOURCE, "idl", "evlidl")
PYTHON = sys.executable

sys.path.insert(0, os.path.dirname(EVLIDL))
from evlidl.main import main as evlidl  # noqa: E402

HEAD = """[uuid(0b5a4f0e-6f0d-4c62-8c1e-7d1b7b0a9c55), version(1.0),
pointer_default(unique)] interface t {
"""
TAIL = "\nvoid Call(void);\n}\n"

# A body, whose first line is line 3; the line and column; the message.
WRONG = [
    # Syntax
    ("const int A = ;", 3, 15, "syntax error at ';'"),
    ("typedef struct { uint32 a } S;", 3, 27, "syntax error at '}'"),
    ("void F([in] uint32 a", 4, 1, "syntax error at 'void'"),
    ("const int A = 1 $ 2;", 3, 17, "unexpected character '$'"),
    # Names
    ("const int A = 1;\nconst int A = 2;", 4, 11,
     "'A' is declared already, in line 3"),
    ("typedef struct { uint32 a; uint8 a; } S;", 3, 34,
     "'a' is declared already, in line 3"),
    ("typedef struct { uint32 a; } S;\nvoid S(void);", 4, 6,
     "'S' is declared already, in line 3"),
    ("void F([in] uint32 a, [in] uint32 a);", 3, 35,
     "'a' is declared already, in line 3"),
    ("typedef enum { A, B, A } E;", 3, 22,
     "'A' is declared already, in line 3"),
    ("typedef struct { uint32 int; } S;", 3, 25, "'int' is a word of C"),
    ("typedef struct { uint32 a; } uint32;", 3, 30,
     "'uint32' is a type already"),
    ("typedef struct { wchar a; } S;", 3, 18, "unknown type 'wchar'"),
    ("typedef struct { S *next; } S;", 3, 18, "unknown type 'S'"),
    # Constants
    ("const int A = B;", 3, 15, "'B' is not a constant"),
    ("const int A = 1 / 0;", 3, 17, "division by zero"),
    ("const int A = 0x100000000;", 3, 15,
     "4294967296 does not fit 32 bits"),
    ("const int A = 1 - 2;", 3, 17, "-1 does not fit 32 bits"),
    ("const hyper A = 1;", 3, 7, "a constant is int or uint32"),
    ("typedef enum { A = 65536 } E;", 3, 16, "65536 does not fit 16 bits"),
    # Attributes
    ("void F([in, wide] uint32 a);", 3, 13,
     "attribute 'wide' is not known on a parameter"),
    ("typedef struct { [in] uint32 a; } S;", 3, 19,
     "attribute 'in' is not known on a member"),
    ("void F([in, in] uint32 a);", 3, 13, "attribute 'in' is given twice"),
    ("void F([in, range(1)] uint32 a);", 3, 13,
     "attribute 'range' takes 2 arguments, not 1"),
    ("void F([in, range(1,)] uint32 a);", 3, 13,
     "an argument of 'range' is empty"),
    ("void F(uint32 a);", 3, 15, "'a' is neither in nor out"),
    ("void F([out] uint32 a);", 3, 21,
     "'a' is out, so it must be a ref pointer"),
    ("void F([out, unique] uint32 *a);", 3, 30,
     "'a' is out, so it must be a ref pointer"),
    ("void F([out, string, charset(UTF16)] uint16 *a);", 3, 46,
     "'a' is an out string: it needs a second pointer"),
    ("void F([in, unique] uint32 a);", 3, 13, "'a' is no pointer"),
    ("void F([in, unique, ref] uint32 *a);", 3, 21, "both unique and ref"),
    ("uint8 F(void);", 3, 1, "a call returns WERROR, uint32 or void"),
    ("WERROR F([in] uint32 result);", 3, 22, "'result' is the returned value"),
    # Strings
    ("void F([in, string] uint16 *a);", 3, 13,
     "string and charset(UTF16) go together"),
    ("void F([in, charset(UTF16)] uint16 *a);", 3, 13,
     "string and charset(UTF16) go together"),
    ("void F([in, string, charset(UTF8)] uint16 *a);", 3, 21,
     "'charset' takes UTF16"),
    ("void F([in, string, charset(UTF16)] uint8 *a);", 3, 13,
     "a string is declared as uint16 *"),
    # Sizes and ranges
    ("void F([in, size_is(n)] uint8 *a);", 3, 21,
     "size_is names 'n', which does not exist here"),
    ("void F([in, size_is(*n)] uint8 *a, [in] uint32 n);", 3, 22,
     "'n' is no pointer"),
    ("void F([out, size_is(n)] uint8 *a, [out] uint32 *n);", 3, 22,
     "'n' is a pointer: *n"),
    ("void F([in, size_is(*n)] uint8 *a, [in, unique] uint32 *n);", 3, 22,
     "'n' may be NULL"),
    ("void F([in, size_is(n)] uint8 *a, [in] hyper n);", 3, 21,
     "'n' is no unsigned integer of at most 32 bits"),
    ("void F([in, size_is(,n)] uint8 *a, [in] uint32 n);", 3, 13,
     "size_is has more entries than 'a' has pointers to arrays"),
    ("void F([in, size_is(*n)] uint8 *a, [out] uint32 *n);", 3, 22,
     "'n' is out, 'a' is in"),
    ("void F([in, out, size_is(n)] uint8 *a, [in] uint32 n);", 3, 37,
     "'a' is an array both in and out, which is not supported"),
    ("typedef struct { uint32 n; uint8 a[]; } S;", 3, 34,
     "an array without size inside a construction is not supported: "
     "use a pointer with size_is"),
    ("typedef struct { uint8 a[0]; } S;", 3, 26, "an array of 0 elements"),
    ("void F([in, range(2, 1)] uint32 a);", 3, 13, "range from 2 to 1"),
    ("void F([in, range(0, 256)] uint8 a);", 3, 13,
     "256 does not fit the type"),
    ("void F([in, range(0, 1)] hyper a);", 3, 13,
     "range wants an unsigned integer of at most 32 bits, a string or "
     "size_is"),
    ("void F([in, tolerate(1)] uint32 a);", 3, 13, "tolerate goes with range"),
    ("void F([in, range(0, 9), tolerate(1)] uint32 a);", 3, 26,
     "tolerate(1) is below the range"),
    # Unions
    ("typedef union { [default] uint8 a; } U;", 3, 38,
     "union 'U' needs switch_type"),
    ("typedef [switch_type(E)] union { [default] ; } U;", 3, 22,
     "unknown type 'E'"),
    ("typedef [switch_type(hyper)] union { [default] ; } U;", 3, 22,
     "switch_type wants an enum or an unsigned integer of at most 32 bits"),
    ("typedef [switch_type(uint32)] union { [case(1)] uint8 a; "
     "[case(1)] uint8 b; } U;", 3, 64, "case 1 is there already"),
    ("typedef [switch_type(uint32)] union { [default] ; [default] ; } U;",
     3, 52, "a second default arm"),
    ("typedef [switch_type(uint32)] union { [unique] uint8 *a; } U;", 3, 40,
     "an arm has either case or default"),
    ("typedef enum { A } E;\n"
     "typedef [switch_type(E)] union { [case(1)] uint8 a; } U;", 4, 40,
     "'1' is no value of E"),
    ("typedef [switch_type(uint32)] union { [default] ; } U;\n"
     "typedef struct { uint32 n; U u; } S;", 4, 30,
     "union 'U' stands only in a structure, with switch_is"),
    ("typedef [switch_type(uint32)] union { [default] ; } U;\n"
     "typedef struct { [switch_is(n)] U u; } S;", 4, 19,
     "switch_is names 'n', which is no earlier member"),
    ("typedef [switch_type(uint32)] union { [default] ; } U;\n"
     "typedef struct { uint16 n; [switch_is(n)] U u; } S;", 4, 39,
     "'n' has not the type that union 'U' switches on"),
    ("typedef struct { uint32 n; [switch_is(n)] uint8 u; } S;", 3, 29,
     "switch_is wants a union, not a pointer to it"),
]

# Whole files.
WRONG_FILES = [
    ("", 1, 1, "the file ends inside a definition"),
    ("[version(1.0)] interface t { void F(void); }", 1, 26,
     "the interface has no uuid"),
    ("[uuid(12345), version(1.0), pointer_default(unique)] interface t "
     "{ void F(void); }", 1, 2, "'uuid' takes a uuid"),
    (HEAD + "}", 2, 36, "the interface has no calls"),
    (HEAD.replace("unique", "ref") + TAIL, 2, 1,
     "'pointer_default' takes unique"),
    (HEAD + "void F(void);", 3, 14, "the file ends inside a definition"),
]


def write(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def run(directory, path):
    """Status and messages of the command; it takes longest to start."""
    messages = io.StringIO()
    with contextlib.redirect_stderr(messages):
        status = evlidl(["-o", directory, path])
    return status, messages.getvalue()


def check_error(directory, text, line, column, message):
    path = write(directory, "t.idl", text)
    status, messages = run(directory, path)
    expected = f"{path}:{line}:{column}: {message}\n"
    if status != 1 or messages != expected:
        return f"expected {expected!r}, got {messages!r}"
    if os.listdir(directory) != ["t.idl"]:
        return "files were written"
    return None


def check_name(directory):
    status, messages = run(directory, write(directory, "other.idl",
                                            HEAD + TAIL))
    if status != 1 or "belongs into t.idl" not in messages:
        return messages
    return None


def check_missing(directory):
    done = subprocess.run(
        [PYTHON, "-B", EVLIDL, "-o", directory, "/nonexistent/x.idl"],
        capture_output=True, text=True, check=False)
    if done.returncode != 1 or "No such file" not in done.stderr:
        return done.stderr
    return None


def check_good(directory):
    """The frame of the wrong ones is not what is wrong with them."""
    done = subprocess.run(
        [PYTHON, "-B", EVLIDL, "-o", directory,
         write(directory, "t.idl", HEAD + TAIL)],
        capture_output=True, text=True, check=False)
    if done.returncode != 0 or len(os.listdir(directory)) != 8:
        return done.stderr or "no output"
    return None


def main():
    if os.environ.get("SANITIZERS", "no") != "no":
        print("1..0 # SKIP the compiler is Python: nothing to sanitize")
        return
    checks = [("an interface of one empty call compiles", check_good),
              ("an interface in a file of another name", check_name),
              ("a file that is not there", check_missing)]
    for text, line, column, message in WRONG_FILES:
        checks.append((message, lambda d, a=(text, line, column, message):
                       check_error(d, *a)))
    for body, line, column, message in WRONG:
        checks.append((message, lambda d, a=(HEAD + body + TAIL, line, column,
                                             message): check_error(d, *a)))
    print(f"1..{len(checks)}")
    for number, (name, check) in enumerate(checks, 1):
        with tempfile.TemporaryDirectory(prefix="evlidl-") as directory:
            fault = check(directory)
        print(f"{'not ' if fault else ''}ok {number} - {name}")
        if fault:
            print(f"# {fault}")


main()
