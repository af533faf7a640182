#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""evenlog query on .evtx files: order, filters, formats and damage.

The events are made by evtx_random.py; what they say is read by the strict
reader of the integration tests.
"""

import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

import binxml
import evtx_random

PROGRAMS = sys.argv[1]
EVENLOG = PROGRAMS + "/cli/evenlog"
COUNT = 300
NAMESPACE = "{%s}" % evtx_random.NAMESPACE


def make(path):
    """A file of COUNT events; each as (record id, event id, level)."""
    choose = random.Random(7)
    provider = evtx_random.Provider(choose, 0)
    documents = [provider.event(1000 + i) for i in range(COUNT)]
    subprocess.run([PROGRAMS + "/tests/event/evtx_make", path], check=True,
                   stdout=subprocess.DEVNULL,
                   input=b"".join(struct.pack("<I", len(d)) + d
                                  for d in documents))
    events = [binxml.Event(d) for d in documents]
    return [(e.record_id, e.event_id, int(e.text("Level"))) for e in events]


def run(*args, status=0):
    """Standard output and error, and the exit status must be that."""
    done = subprocess.run([EVENLOG, *args], capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == status, (args, done.returncode, done.stderr)
    return done.stdout, done.stderr


def ids(*args, status=0):
    out, err = run("query", "--format=json", *args, status=status)
    return [json.loads(line)["System"]["EventRecordID"]
            for line in out.splitlines()], err


def file_is_shown_in_order(path, events):
    assert ids(path) == ([e[0] for e in events], "")
    assert ids("--file", path)[0] == [e[0] for e in events]


def reverse_and_count(path, events):
    assert ids(path, "--reverse")[0] == [e[0] for e in reversed(events)]
    assert ids(path, "-n", "7", "--reverse")[0] == \
        [e[0] for e in reversed(events)][:7]
    assert ids(path, "--count=0")[0] == []


def filters_select(path, events):
    assert ids(path, "--level=2,3")[0] == \
        [e[0] for e in events if e[2] in (2, 3)]
    assert ids(path, "*[System[EventID > 30000]]")[0] == \
        [e[0] for e in events if e[1] > 30000]
    assert ids(path, "--level=2", "*[System[EventID > 30000]]")[0] == \
        [e[0] for e in events if e[1] > 30000 and e[2] == 2]
    out, _ = run("query", path, "--level=2", "--explain")
    assert "Level=2" in out, out


def several_files_follow_each_other(path, events):
    assert ids(path, path)[0] == [e[0] for e in events] * 2


def xml_is_the_event(path, events):
    out, _ = run("query", path, "--format=xml")
    found = [int(ElementTree.fromstring(line).findtext(
        NAMESPACE + "System/" + NAMESPACE + "EventRecordID"))
        for line in out.splitlines()]
    assert found == [e[0] for e in events]


def damage_is_named_and_the_rest_shown(path, events):
    with open(path, "rb") as stream:
        data = bytearray(stream.read())
    # The third record's size, and with it the chunk's checksum.
    at = 4096 + 512
    for _ in range(2):
        at += struct.unpack_from("<I", data, at + 4)[0]
    size = struct.unpack_from("<I", data, at + 4)[0]
    data[at + 4:at + 8] = bytes(4)
    broken = path + ".broken"
    with open(broken, "wb") as stream:
        stream.write(data)
    found, err = ids("--file", broken, status=1)
    wanted = [e[0] for e in events]
    assert found == wanted[:2] + wanted[3:], found[:5]
    lines = err.splitlines()
    assert len(lines) == 2, err
    assert "at byte 4096:" in lines[0] and "checksum" in lines[0]
    assert "at byte %d:" % at in lines[1]
    assert "%d bytes passed over" % size in lines[1]

    # Cut in the middle of the last record.
    with open(broken, "wb") as stream:
        stream.write(data[:at + 100])
    found, err = ids("--file", broken, status=1)
    assert found == wanted[:2]
    assert "ends inside of a chunk" in err


def a_file_that_is_cut_meanwhile_ends_nothing(path, events):
    # More than a pipe holds, so that it waits before the second chunk.
    process = subprocess.Popen(
        [EVENLOG, "query", path, path, "--format=xml"], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = process.stdout.readline()
    os.truncate(path, 4096 + 65536)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, (process.returncode, err)
    assert "became shorter while it was read" in err, err
    assert first.startswith("<Event ")
    assert 0 < len(out.splitlines()) < 2 * len(events)


def what_cannot_be_read_is_said(path, events):
    for name, content, said in (
            ("text.evtx", b"hello", "is not an .evtx file"),
            ("empty.evtx", b"", "is not an .evtx file"),
            ("old.evtx", b"\x30\0\0\0LfLe" + bytes(200), "Windows NT")):
        other = os.path.join(os.path.dirname(path), name)
        with open(other, "wb") as stream:
            stream.write(content)
        out, err = run("query", other, status=1)
        assert out == "" and said in err, err
        # One that cannot be read does not keep the others from it.
        assert ids(other, path, status=1)[0] == [e[0] for e in events]
    _, err = run("query", path + "/../nothing.evtx", status=1)
    assert "cannot read" in err
    fifo = path + ".fifo.evtx"
    os.mkfifo(fifo)
    _, err = run("query", fifo, status=1)
    assert "not a regular file" in err


def wrong_command_lines_do_nothing(path, _events):
    for args in ((path, "Application"), (path, "--structured", "x"),
                 (path, "--remote", "h"), (path, "*[System["),
                 ("Application", path)):
        out, _ = run("query", *args, status=2)
        assert out == ""
    _, err = run("subscribe", path, status=2)
    assert "channels" in err


TESTS = [file_is_shown_in_order, reverse_and_count, filters_select,
         several_files_follow_each_other, xml_is_the_event,
         damage_is_named_and_the_rest_shown,
         a_file_that_is_cut_meanwhile_ends_nothing,
         what_cannot_be_read_is_said, wrong_command_lines_do_nothing]


def main():
    print("1..%d" % len(TESTS))
    for i, test in enumerate(TESTS):
        with tempfile.TemporaryDirectory(prefix="evenlog-evtx.") as directory:
            path = directory + "/log.evtx"
            events = make(path)
            try:
                test(path, events)
                fault = None
            except (AssertionError, ValueError) as error:
                fault = repr(error)
        if fault:
            print("# " + fault.replace("\n", "\n# "))
        print("%sok %d - %s" % ("not " if fault else "", i + 1,
                                test.__name__.replace("_", " ")))


if __name__ == "__main__":
    main()
