# SPDX-License-Identifier: GPL-3.0-or-later
"""evenlog import: .evtx files into channels of the real service."""

import json
import os
import random
import re
import struct
import subprocess
import sys

import pytest

import binxml
from control import IMPORT
from publisher import Publisher, Refused
from server import BUILD, SOURCE, Server

sys.path.insert(0, os.path.join(SOURCE, "tests", "event"))
import evtx_random   # noqa: E402

COUNT = 2500        # more than two batches
FIRST = 700000      # EventRecordID of the first, as its host gave it


@pytest.fixture(scope="module")
def host():
    server = Server(config="".join(f"[channel Test/{i}]\n"
                                   for i in range(10)))
    try:
        server.add_users()
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A file, and the documents in it."""
    choose = random.Random(11)
    providers = [evtx_random.Provider(choose, i) for i in range(3)]
    documents = [
        evtx_random.forwarded(choose, FIRST + i) if i % 20 == 0 else
        choose.choice(providers).event(FIRST + i, arrays=("String", "UInt32"))
        for i in range(COUNT)]
    path = str(tmp_path_factory.mktemp("evtx") / "log.evtx")
    made = subprocess.run(
        [os.path.join(BUILD, "tests", "event", "evtx_make"), path],
        input=b"".join(struct.pack("<I", len(d)) + d for d in documents),
        check=True, stdout=subprocess.PIPE).stdout.split()
    assert made == [b"ok"] * COUNT
    return path, documents


def shown(host, channel):
    """The XML that a query shows, a line for each event."""
    return host.evenlog("query", channel, "--format=xml").stdout.splitlines()


def of_file(path):
    done = subprocess.run([os.path.join(BUILD, "cli", "evenlog"), "query",
                           path, "--format=xml"], check=True,
                          capture_output=True, text=True)
    return done.stdout.splitlines()


def test_a_file_is_in_forwarded_events_as_it_was(host, log):
    path, documents = log
    done = host.evenlog("import", path)
    assert done.stdout == f"{COUNT} events imported into ForwardedEvents, " \
        f"records 1 to {COUNT}\n"
    assert done.stderr == ""
    lines = shown(host, "ForwardedEvents")
    assert lines == of_file(path)
    # They keep the EventRecordID of where they were born.
    found = [int(re.search(r"<EventRecordID>(\d+)<", line).group(1))
             for line in lines]
    assert found == [binxml.Event(d).record_id for d in documents]
    assert found[0] == FIRST


def test_the_channel_can_be_chosen_and_several_files_follow(host, log):
    path, _ = log
    done = host.evenlog("import", "--channel=Test/0", path, path,
                        "--format=json")
    assert json.loads(done.stdout) == {
        "Channel": "Test/0", "Imported": 2 * COUNT, "LeftOut": 0,
        "FirstRecordID": 1, "LastRecordID": 2 * COUNT}
    lines = shown(host, "Test/0")
    assert lines == of_file(path) * 2


def test_what_is_damaged_is_named_and_the_rest_imported(host, log, tmp_path):
    path, _ = log
    with open(path, "rb") as stream:
        data = bytearray(stream.read())
    # The second chunk's first record loses the end of its definition.
    data[4096 + 65536 + 700:4096 + 65536 + 760] = bytes(60)
    broken = str(tmp_path / "broken.evtx")
    with open(broken, "wb") as stream:
        stream.write(data)
    done = host.evenlog("import", "--channel=Test/1", broken, check=False)
    assert done.returncode == 1
    assert f"{broken}: at byte {4096 + 65536}: " in done.stderr
    assert f"{broken}: at byte {4096 + 65536 + 512}: record " in done.stderr
    stored = int(done.stdout.split()[0])
    assert COUNT - 200 < stored < COUNT
    whole = of_file(path)
    lines = shown(host, "Test/1")
    assert len(lines) == stored and set(lines) < set(whole)


def test_an_unknown_channel_and_a_file_that_is_none(host, log, tmp_path):
    path, _ = log
    done = host.evenlog("import", "--channel=Nobody", path, check=False)
    assert done.returncode == 1
    assert "0 events imported" in done.stdout
    assert "channel" in done.stderr
    other = tmp_path / "other.evtx"
    other.write_bytes(b"x" * 5000)
    done = host.evenlog("import", "--channel=Test/2", str(other), path,
                        check=False)
    assert done.returncode == 1
    assert "is not an .evtx file" in done.stderr
    assert done.stdout.startswith(f"{COUNT} events imported")


def test_import_by_the_interface_is_all_or_nothing(host):
    """control.idl: Import is Publish but for whose the EventRecordID is."""
    choose = random.Random(3)
    documents = [evtx_random.forwarded(choose, 40 + i) for i in range(3)]
    with Publisher(host, IMPORT) as publisher:
        with pytest.raises(Refused) as refused:
            publisher.publish("Test/3", documents[0], b"\x0f\x01\x01\x00")
        assert refused.value.index == 1
        assert shown(host, "Test/3") == []
        assert publisher.publish("Test/3", *documents) == 1
    assert [f"<EventRecordID>{40 + i}<" in line
            for i, line in enumerate(shown(host, "Test/3"))] == [True] * 3


def test_wrong_command_lines(host, log):
    path, _ = log
    for args in ((), ("--remote=h", path), ("--format=xml", path)):
        done = host.evenlog("import", *args, check=False)
        assert done.returncode == 2, done.stderr
