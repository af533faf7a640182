#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare rendered events with what python-evtx makes of the same records.

Elements, attributes and texts must agree but for the forms in which the two
write times, GUIDs and numbers.

usage: corpus_render.py CORPUS_RENDER FILE...
"""

import base64
import datetime
import io
import itertools
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from Evtx.Evtx import Evtx

import evtx_to_wire

# python-evtx takes some milliseconds for each record.
RECORDS_PER_FILE = 400

TIME = re.compile(r"(\d{4}-\d\d-\d\d)[t ](\d\d:\d\d:\d\d)(?:\.(\d+))?"
                  r"(?:z|\+00:00)?$")
STRINGS = re.compile(r"<string>(.*?)</string>", re.S)
HEX = re.compile(r"0x[0-9a-f]+$")


class Time(float):
    """A time; python-evtx rounds to microseconds, by way of a float."""

    def __eq__(self, other):
        return isinstance(other, Time) and abs(self - other) < 0.000005


def normal(text):
    """One form of a text for both."""
    text = (text or "").replace("\r\n", "\n").strip().lower()
    time = TIME.match(text)
    if time:
        day = datetime.datetime.fromisoformat(
            time.group(1) + "T" + time.group(2))
        return Time(day.timestamp() + float("0." + (time.group(3) or "0")))
    if HEX.match(text):
        return int(text, 16)
    if re.match(r"\d+$", text):
        return int(text)
    return text


def binary(text):
    """Bytes, which python-evtx has in base64 and we in digits."""
    if re.match("([0-9A-F]{2})*$", text):
        return bytes.fromhex(text)
    return base64.b64decode(text)


def flat(element, path=""):
    """Every attribute and text with its path, in document order."""
    path += "/" + element.tag.rsplit("}", 1)[-1]
    for name, value in sorted(element.attrib.items()):
        # What python-evtx shows of a Null: an empty attribute.
        if value:
            yield path + "/@" + name.rsplit("}", 1)[-1], normal(value)
    if not len(element) and element.text and element.text.strip():
        # An array of strings is one element to python-evtx, with tags in it.
        for text in STRINGS.findall(element.text) or [element.text]:
            if path.endswith("/Binary"):
                yield path, binary(text.strip())
            elif text.strip():
                yield path, normal(text)
    for child in element:
        yield from flat(child, path)


def rendered(program, path):
    """Our XML of each record of a file."""
    documents = io.BytesIO()
    with open(path, "rb") as stream:
        data = stream.read()
    for chunk, pos in evtx_to_wire.records(data):
        reader = evtx_to_wire.Chunk(chunk)
        reader.pos = pos
        try:
            document = reader.document()
        except (ValueError, IndexError, struct.error):
            document = b""
        if document:
            documents.write(struct.pack("<I", len(document)) + document)
    out = subprocess.run([program], input=documents.getvalue(), check=True,
                         stdout=subprocess.PIPE).stdout
    pos = 0
    while pos < len(out):
        length = struct.unpack_from("<I", out, pos)[0]
        yield out[pos + 4:pos + 4 + length].decode("utf-8")
        pos += 4 + length


def others(path):
    """python-evtx's XML of the records, as far as it can read them."""
    with Evtx(path) as log:
        count = 0
        for chunk in log.chunks():
            for record in chunk.records():
                if count == RECORDS_PER_FILE:
                    return
                count += 1
                try:
                    yield record.xml()
                except Exception:   # its own defects are not the subject
                    continue


def record_id(items):
    return dict(items).get("/Event/System/EventRecordID")


def compare(program, path):
    """How many records agree, and the differences of the others."""
    ours = {}
    for text in rendered(program, path):
        items = list(flat(ElementTree.fromstring(text)))
        ours.setdefault(record_id(items), items)
    same, different = 0, []
    for text in others(path):
        try:
            items = list(flat(ElementTree.fromstring(text)))
        except ElementTree.ParseError:
            continue                # what it wrote is not well-formed
        mine = ours.get(record_id(items))
        if mine == items:
            same += 1
        elif mine is not None:
            pairs = itertools.zip_longest(mine, items)
            different.append((record_id(items),
                              [pair for pair in pairs
                               if pair[0] != pair[1]][:2]))
    return len(ours), same, different


def main():
    good, total = True, 0
    for path in sys.argv[2:]:
        events, same, different = compare(sys.argv[1], path)
        good = good and not different
        total += same
        print("# %s: %d events rendered, %d the same as python-evtx's, "
              "%d different" % (path, events, same, len(different)))
        for difference in different[:3]:
            print("#   record %s: %s" % difference)
    print("%sok 1 - real events render as python-evtx reads them" %
          ("" if good and total else "not "))


if __name__ == "__main__":
    main()
