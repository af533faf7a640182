#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that Windows wrote, through our reader and writer.

What our reader makes of a record is what evtx_to_wire.py makes of it, but for
the NULs behind strings; and a file that is written of what was read says the
same again.  Records that our reader does not hand out must lie where it says
that there is damage, or behind the end that their chunk's header states.

usage: evtx_corpus.py PROGRAMS DIRECTORY FILE...
"""

import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import binxml
import evtx_to_wire

PROGRAMS, DIRECTORY, FILES = sys.argv[1], sys.argv[2], sys.argv[3:]


def framed(data):
    pos = 0
    while pos < len(data):
        length = struct.unpack_from("<I", data, pos)[0]
        pos += 4 + length
        yield data[pos - length:pos]


def dump(path):
    """Documents, and the stretches (from, to) that were passed over."""
    done = subprocess.run([PROGRAMS + "/evtx_dump", path], check=True,
                          capture_output=True)
    damage = [tuple(map(int, found)) for found in
              re.findall(r"^(\d+)\+(\d+) ", done.stderr.decode(), re.M)]
    return list(framed(done.stdout)), [(at, at + n) for at, n in damage]


def corpus(path):
    """(offset, document) of the records before their chunk's end."""
    with open(path, "rb") as stream:
        data = stream.read()
    for start in range(4096, len(data) - 65535, 65536):
        chunk = data[start:start + 65536]
        free = struct.unpack_from("<I", chunk, 48)[0]
        for _, pos in evtx_to_wire.records(data[:4096] + chunk):
            reader = evtx_to_wire.Chunk(chunk)
            reader.pos = pos
            try:
                document = reader.document()
            except (ValueError, IndexError, struct.error):
                continue
            if pos < free:
                yield start + pos - 24, document


def meaning(document):
    """Its XML; the bytes, if that is none, as damage may leave it."""
    try:
        return ElementTree.tostring(binxml.decode(document))
    except binxml.Malformed:
        return document


def check(path):
    ours, damage = dump(path)
    meanings = set(map(meaning, ours))
    same = lost = 0
    for offset, document in corpus(path):
        if document in ours or meaning(document) in meanings:
            same += 1
        elif any(a <= offset < b for a, b in damage):
            lost += 1
        else:
            return "the record at %d is missing" % offset

    copy = DIRECTORY + "/copy.evtx"
    subprocess.run([PROGRAMS + "/evtx_make", copy], check=True,
                   stdout=subprocess.DEVNULL,
                   input=b"".join(struct.pack("<I", len(d)) + d
                                  for d in ours))
    again, damage_of_copy = dump(copy)
    if damage_of_copy:
        return "what was written of it is damaged"
    # A template's GUID may be another one: two had the same.
    if list(map(meaning, again)) != list(map(meaning, ours)):
        return "what was written of it says something else"
    print("# %s: %d events, %d of them the same with evtx_to_wire, "
          "%d damaged ones passed over" %
          (path.rsplit("/", 1)[-1], len(ours), same, lost))
    return None


def main():
    print("1..%d" % len(FILES))
    for i, path in enumerate(FILES):
        fault = check(path)
        if fault:
            print("# %s: %s" % (path, fault))
        print("%sok %d - a file that Windows wrote is read and written again" %
              ("not " if fault else "", i + 1))


if __name__ == "__main__":
    main()
