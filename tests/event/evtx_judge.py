#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random events are written into .evtx files, and others read them.

What an event says is known from the bytes it was made of, by the strict
reader of the integration tests.  Four read the files: evtx_to_wire.py, which
knows every type; our own reader, forwards and backwards; libevtx's evtxexport;
and python-evtx.  The two last differ from Windows and from each other in how
they write values, and have no notion of some; the tables below say where.

usage: evtx_judge.py DIRECTORY
The test programs are those of the build in $top_builddir.
"""

import base64
import datetime
import os
import random
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

from Evtx.Evtx import Evtx

import binxml
import evtx_random
import evtx_to_wire

PROGRAMS = os.path.join(os.environ.get("top_builddir", "."), "tests", "event")
EVENTS = 600
SEED = 20240506

# Characters that XML 1.0 has not; readers drop or replace them.
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
STRINGS = re.compile(r"<string>(.*?)</string>", re.S)
TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?"
                  r"(?:Z|\+00:00)?$")


class Near(float):
    """A number that some print with fewer digits."""

    def __eq__(self, other):
        return isinstance(other, Near) and \
            abs(self - other) <= 5e-6 * max(1, abs(self))


def moment(text):
    """python-evtx rounds to microseconds, by way of a float."""
    day, time, fraction = TIME.match(text).groups()
    seconds = datetime.datetime.fromisoformat(day + "T" + time).timestamp()
    return round(seconds), Near("0." + (fraction or "0"))


def number(text):
    return int(text, 16) if text.startswith("0x") else int(text)


def real(text):
    """Windows and libevtx have three digits of exponent."""
    return Near(float(text))


def same(text):
    return text


def thousandth(text):
    """python-evtx 0.6.1 takes a SYSTEMTIME's milliseconds for micro."""
    seconds, fraction = moment(text)
    return seconds, Near(fraction * 1000)


def astral(text):
    """libevtx 20181227 decodes surrogate pairs wrongly."""
    return re.sub("[\U00010000-\U0010ffff]", "?", text)


def complement(bits):
    """libevtx 20181227 takes negative numbers for sign and magnitude."""
    return lambda text: {int(text) % (1 << bits), -int(text) % (1 << bits)}


# Data is named after its type, and System's fields are known.
CONVERSIONS = {
    "Int8": number, "UInt8": number, "Int16": number, "UInt16": number,
    "Int32": number, "UInt32": number, "Int64": number, "UInt64": number,
    "SizeT32": number, "SizeT64": number,       # decimal with both tools
    "HexInt32": number, "HexInt64": number,     # padded with both tools
    "Keywords": number, "Level": number,
    "Real32": real, "Real64": real,
    "FileTime": moment, "SysTime": moment, "SystemTime": moment,
    "Bool": str.lower,                          # True with python-evtx
    "Guid": str.upper, "ActivityID": str.upper,     # lower, too
    "Binary": bytes.fromhex,
}
# How a tool differs: conversions for both sides, and for its own.
LIBEVTX = {"String": astral, "Message": astral, "Plain": astral,
           "Int8": complement(7), "Int16": complement(15),
           "Int32": complement(31), "Int64": complement(63)}, {}
# It shows what is Null, and so is left out, as an empty element.
PYTHON_EVTX = {"Null": None}, {"Binary": base64.b64decode,
                               "SysTime": thousandth}


def convert(kind, text, special):
    how = special.get(kind) or CONVERSIONS.get(kind, same)
    return how(ILLEGAL.sub("", text).strip())


def flat(element, special, path=""):
    """Every attribute and text with its path, in document order."""
    tag = element.tag.rsplit("}", 1)[-1]
    path += "/" + tag
    if tag == "Data" and not element.text and "Null" in special:
        return
    for key, text in sorted(element.attrib.items()):
        # What python-evtx shows of a Null: an empty attribute.
        if text and key != "xmlns":
            yield path + "/@" + key, convert(key, text, special)
    if not len(element) and (element.text or "").strip():
        kind = element.get("Name", tag).split(".")[0]
        # An array of strings is one element to python-evtx.
        for text in STRINGS.findall(element.text) or [element.text]:
            yield path, convert(kind, text, special)
    for child in element:
        yield from flat(child, special, path)


# The readers: each yields an Element per record.

def read_corpus(path):
    with open(path, "rb") as stream:
        data = stream.read()
    for chunk, pos in evtx_to_wire.records(data):
        reader = evtx_to_wire.Chunk(chunk)
        reader.pos = pos
        yield binxml.decode(reader.document())


def run(*command):
    """What a tool says; it must have nothing to complain about."""
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == 0 and not done.stderr, "%s: %s %s" % (
        command[0], done.stderr.decode(), repr(done.stdout[-2000:]))
    return done.stdout


def framed(data):
    """What has a length in front."""
    pos = 0
    while pos < len(data):
        length = struct.unpack_from("<I", data, pos)[0]
        pos += 4 + length
        yield data[pos - length:pos]


def read_ours(path):
    documents = list(framed(run(PROGRAMS + "/evtx_dump", path)))
    backwards = framed(run(PROGRAMS + "/evtx_dump", "--backwards", path))
    assert documents == list(backwards)[::-1], "backwards is something else"
    for document in documents:
        yield binxml.decode(document)


def read_libevtx(path):
    text = run("evtxexport", "-f", "xml", path).decode("utf-8")
    assert "Unable" not in text, text[text.index("Unable"):][:400]
    # It does not escape what is in an AnsiString.
    text = re.sub(r'(?<=<Data Name="Ansi\.\d">)(.*?)(?=</Data>$)',
                  lambda found: escape(found.group()), text, flags=re.M)
    for event in re.findall(r"^<Event.*?^</Event>", text, re.S | re.M):
        yield ElementTree.fromstring(ILLEGAL.sub("", event))


def read_python_evtx(path):
    with Evtx(path) as log:
        for chunk in log.chunks():
            for record in chunk.records():
                yield ElementTree.fromstring(ILLEGAL.sub("", record.xml()))


def check_frame(path, count):
    """Checksums, numbers and counts, by python-evtx and evtxinfo."""
    with Evtx(path) as log:
        header = log.get_file_header()
        assert header.verify(), "the file's header"
        assert not header.is_dirty() and not header.is_full()
        chunks = list(log.chunks())
        assert header.chunk_count() == len(chunks)
        assert header.next_record_number() == count + 1
        numbers = []
        for chunk in chunks:
            assert chunk.verify(), "a chunk's checksums"
            records = list(chunk.records())
            assert all(r.verify() for r in records), "a record's sizes"
            assert chunk.file_first_record_number() == len(numbers) + 1
            numbers += [r.record_num() for r in records]
            assert not count or \
                chunk.file_last_record_number() == len(numbers)
        assert numbers == list(range(1, count + 1))
    info = run("evtxinfo", path).decode("utf-8")
    assert re.search(r"Number of records\s*: %d$" % count, info, re.M), info
    assert re.search(r"recovered records\s*: 0$", info, re.M), info
    assert "corrupt" not in info.lower() and "dirty" not in info.lower()
    return len(chunks)


def compare(name, path, wanted, read, both, theirs):
    """None, or what is different first."""
    try:
        read_events = list(read(path))
    except (AssertionError, ElementTree.ParseError, ValueError) as error:
        return "%s: %s" % (name, str(error).replace("\n", "\n# "))
    if len(read_events) != len(wanted):
        return "%s: %d events of %d" % (name, len(read_events), len(wanted))
    for i, (want, have) in enumerate(zip(wanted, read_events)):
        want = list(flat(want, both))
        have = list(flat(have, {**both, **theirs}))
        if want != have:
            return "%s: event %d: %s" % (name, i + 1, [
                pair for pair in zip(want + [None], have + [None])
                if pair[0] != pair[1]][:1])
    return None


READERS = {
    "ours": (read_ours, {}, {}),
    "evtx_to_wire": (read_corpus, {}, {}),
    "libevtx": (read_libevtx, *LIBEVTX),
    "python-evtx": (read_python_evtx, *PYTHON_EVTX),
}


# The files

def simple(choose, providers, i):
    """What all three read."""
    if i % 10 == 0:
        return evtx_random.forwarded(choose, i)
    provider = choose.choice(providers)
    if i % 10 == 1:
        return provider.event(i, body=evtx_random.document(
            evtx_random.Element("UserData", [evtx_random.Element(
                "Plain", [evtx_random.plain(choose)])])))
    return provider.event(i)


def arrays(choose, providers, i):
    """What libevtx reads, python-evtx not: arrays of these."""
    return choose.choice(providers).event(i, arrays=[
        "String", "Ansi", "Int8", "UInt8", "Int16", "UInt16", "Int32",
        "UInt32", "Int64", "UInt64", "Real32", "Real64", "Guid", "FileTime",
        "SysTime", "HexInt32", "HexInt64"])


def one_value(provider, i, kind, data, optional=False):
    """An event of a template with one Data, which is not named twice."""
    template = evtx_random.Template(evtx_random.Element("EventData", [
        evtx_random.Element("Data", [evtx_random.Subst(0, kind, optional)],
                            [("Name", "Value.0")])]))
    return provider.event(i, body=template.instance([(kind, data)]))


def hard(choose, providers, i):
    """What only a reader that knows everything reads."""
    provider = choose.choice(providers)
    case = i % 7
    if case == 0:
        return one_value(provider, i, 0x01, evtx_random.hostile(choose))
    if case == 1:               # a Null that is not optional, or no body
        return choose.choice((one_value(provider, i, 0x00, b""),
                              provider.event(i, body=b"")))
    if case == 2:               # arrays that libevtx does not know
        return one_value(provider, i, *evtx_random.array(
            choose.choice(("Bool", "SizeT64", "Sid", "String")), choose))
    if case == 3:
        return provider.event(i, body=evtx_random.document(
            evtx_random.Element("UserData", evtx_random.markup())))
    if case == 4:               # every type in one record, arrays as well
        return provider.event(i, arrays=list(evtx_random.KINDS))
    if case == 5:               # a record that has a chunk for itself
        return one_value(provider, i, 0x0E, choose.randbytes(
            choose.randrange(30000, 62000)))
    # The same GUID, as often as not for another definition.
    template = evtx_random.Template(evtx_random.Element("EventData", [
        evtx_random.Element("Data", ["v%d" % choose.randrange(4),
                                     evtx_random.Subst(0)])]), bytes(16))
    return provider.event(i, body=template.instance(
        [(0x01, evtx_random.units("x"))]))


def brim(choose, providers, i):
    """Now and then a record would fill its chunk to the last byte."""
    return one_value(providers[0], i, 0x0E, bytes(i % 40 * 8))


FILES = {
    "simple": (simple, EVENTS, ("ours", "evtx_to_wire", "libevtx", "python-evtx")),
    "arrays": (arrays, EVENTS, ("ours", "evtx_to_wire", "libevtx")),
    "hard": (hard, 240, ("ours", "evtx_to_wire",)),
    "brim": (brim, 3000, ("ours", "evtx_to_wire", "libevtx")),
    "none": (simple, 0, ("ours", "evtx_to_wire", "libevtx", "python-evtx")),
}


def judge(path, make, count, readers):
    choose = random.Random(SEED)
    providers = [evtx_random.Provider(choose, i) for i in range(4)]
    documents = [make(choose, providers, i + 1) for i in range(count)]
    made = subprocess.run(
        [PROGRAMS + "/evtx_make", path], check=True, stdout=subprocess.PIPE,
        input=b"".join(struct.pack("<I", len(d)) + d for d in documents))
    made = made.stdout.split()
    wanted = [binxml.decode(d) for d, m in zip(documents, made) if m == b"ok"]
    if len(wanted) != count:
        return ["only %d of %d were written" % (len(wanted), count)]
    chunks = check_frame(path, count)
    print("# %s: %d events in %d chunks" % (path, count, chunks))
    faults = (compare(name, path, wanted, *READERS[name])
              for name in readers)
    return [fault for fault in faults if fault]


def main():
    print("1..%d" % len(FILES))
    for i, (name, (make, count, readers)) in enumerate(FILES.items()):
        faults = judge("%s/%s.evtx" % (sys.argv[1], name), make, count,
                       readers)
        for fault in faults:
            print("# " + fault)
        print("%sok %d - %s: written as %s read it" %
              ("not " if faults else "", i + 1, name, ", ".join(readers)))


if __name__ == "__main__":
    main()
