# SPDX-License-Identifier: GPL-3.0-or-later
"""
Clearing and exporting logs, opnums 6 to 8: [MS-EVEN6] 3.1.4.16 to 3.1.4.18
(facts 4.4 and 13).  What an exported file holds is read by python-evtx, by
libevtx's evtxexport and by a reader of the tests' own, and held against what
a query delivers.
"""

import itertools
import os
import random
import struct
import sys
import threading
import time

import pytest

import binxml
import dcerpc
import even6
import even6_manage as manage
from even6 import (Cancel, Close, GetLogFileInfo, OpenLogHandle, QueryNext,
                   RegisterControllableOperation, RemoteSubscriptionNext)
from even6_config import AssertConfig, PutChannelConfig, RetractConfig
from even6_manage import ClearLog, ExportLog, LocalizeExportLog
from publisher import NEW_YEAR, Publisher, event, filler
from server import BUILD, SOURCE, USERS, Server, preload
from subscribing import all_numbers, drain_query, numbers, pull, query_list, \
    start_query, subscribe

sys.path.insert(0, os.path.join(SOURCE, "tests", "event"))
import evtx_judge    # noqa: E402
import evtx_random   # noqa: E402
import evtx_to_wire  # noqa: E402

DENIED = even6.ERROR_ACCESS_DENIED
INVALID = even6.ERROR_INVALID_PARAMETER
STALE = even6.ERROR_EVT_QUERY_RESULT_STALE
NUMBER_OF_RECORDS, OLDEST_RECORD = 5, 6
LOG_CLEARED, LOG_EXPORTED, EXPORT_INCOMPLETE = 60, 61, 62
# An .evtx file with one chunk.
EMPTY_SIZE = 69632
# Events of the channel "large".
LARGE = 6000

CHANNELS = 80
CONFIG = """
[channel Secret]
access = O:BAG:SYD:(A;;0x1;;;SY)
[channel Readable]
access = O:BAG:SYD:(A;;0x1;;;S-1-5-32-573)(A;;0x1;;;BA)
[channel Clearable]
access = O:BAG:SYD:(A;;0x4;;;S-1-5-32-573)(A;;0x4;;;BA)
""" + "".join(f"[channel Test/{i:03}]\n" for i in range(CHANNELS))


# Set-up: alice reads, bob is an administrator.

@pytest.fixture(scope="module")
def host():
    server = Server(administrators=("bob",), config=CONFIG)
    try:
        server.add_users()
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def publisher(host):
    with Publisher(host) as publisher:
        yield publisher


def logon(server, user, **options):
    return even6.connect("127.0.0.1", server.port,
                         dcerpc.Ntlm(user, USERS[user]), **options)


@pytest.fixture
def alice(host):
    with logon(host, "alice") as client:
        yield client


@pytest.fixture
def bob(host):
    with logon(host, "bob") as client:
        yield client


_names = itertools.count()
_files = itertools.count(1)


@pytest.fixture
def channel():
    return f"Test/{next(_names):03}"


@pytest.fixture
def channels():
    return [f"Test/{next(_names):03}" for _ in range(3)]


@pytest.fixture
def target():
    """A path that nobody has used, and the file it is for."""
    return f"C:\\Tests\\{next(_files)}.evtx"


def exported(server, path):
    """Where the file of a client's path lies."""
    relative = path.replace(":", "").replace("\\", "/").lstrip("/")
    return os.path.join(server.dir, "export", relative)


def entries(server):
    """Everything under the export directory, temporary files included."""
    top = os.path.join(server.dir, "export")
    return sorted(os.path.relpath(os.path.join(at, name), top)
                  for at, dirs, files in os.walk(top)
                  for name in dirs + files)


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def export(client, channel, path, query="*", flags=manage.EXPORT_CHANNEL,
           control=None):
    got = client.call(ExportLog(control, channel, query, path, flags))
    assert (got.error[0] == 0) == (got.rc == 0)
    return got.rc


def clear(client, channel, backup=None, control=None):
    got = client.call(ClearLog(control, channel, backup))
    assert got.error[0] == got.rc
    return got.rc


def read(server, path):
    """The exported events by the tests' own reader."""
    return list(evtx_judge.read_corpus(exported(server, path)))


def file_numbers(server, path):
    return [int(event.find(".//{*}Data[@Name='Number']").text)
            for event in read(server, path)]


def log_numbers(client, path, **options):
    query = start_query(client, path, **options)
    got = all_numbers(drain_query(client, query.handle))
    client.call(Close(query.handle))
    return got


def documents(client, path, **options):
    query = start_query(client, path, **options)
    got = [record.document
           for batch in drain_query(client, query.handle)
           for record in batch.records()]
    client.call(Close(query.handle))
    return got


def log_value(client, channel, index):
    handle = client.call(OpenLogHandle(channel)).handle
    got = client.call(GetLogFileInfo(handle, index)).value()[0]
    client.call(Close(handle))
    return got


def operational(client, event_id):
    """The data of Evenlog's own events of this id, the newest last."""
    return [found.values()
            for found in map(binxml.Event, documents(
                client, "Evenlog/Operational"))
            if int(found.event_id) == event_id]


def last_report(client, event_id, **wanted):
    """The newest of them with these data, when it has come."""
    found = []

    def look():
        found[:] = [report for report in operational(client, event_id)
                    if wanted.items() <= report.items()]
        return found

    until(look)
    return found[-1]


# Export: content

def test_a_file_holds_what_the_query_delivers(host, alice, publisher, channel,
                                              target):
    choose = random.Random(7)
    providers = [evtx_random.Provider(choose, i) for i in range(4)]
    publisher.publish(channel, *(
        evtx_judge.simple(choose, providers, i + 1) for i in range(700)))
    wanted = [binxml.decode(document) for document in
              documents(alice, channel)]
    assert len(wanted) == 700
    assert export(alice, channel, target) == 0

    path = exported(host, target)
    assert evtx_judge.check_frame(path, 700) > 3
    for name in ("evtx_to_wire", "libevtx", "python-evtx"):
        fault = evtx_judge.compare(name, path, wanted,
                                   *evtx_judge.READERS[name])
        assert fault is None, fault


def test_record_ids_of_the_log_stay_in_the_events(host, alice, publisher,
                                                  channel, target):
    """facts 13: records are numbered from 1, EventRecordID is as it was."""
    publisher.numbers(channel, 20)
    assert export(alice, channel, target,
                  "*[System[EventRecordID >= 11]]") == 0
    assert [int(found.find(".//{*}EventRecordID").text)
            for found in read(host, target)] == list(range(11, 21))
    evtx_judge.check_frame(exported(host, target), 10)


def test_records_are_dated_by_when_their_events_were_created(
        host, alice, publisher, channel, target):
    publisher.numbers(channel, 2)
    assert export(alice, channel, target) == 0
    with open(exported(host, target), "rb") as stream:
        records = evtx_to_wire.records(stream.read())
        written = [struct.unpack_from("<Q", chunk, pos - 8)[0]
                   for chunk, pos in records]
    assert written == [NEW_YEAR] * 2


def test_a_query_selects(host, alice, publisher, channel, target):
    publisher.numbers(channel, 50)
    query = "*[EventData[Data[@Name='Number'] > 40]]"
    assert export(alice, channel, target, query) == 0
    assert file_numbers(host, target) == list(range(41, 51))


def test_a_structured_query_takes_several_channels(host, alice, publisher,
                                                   channels, target):
    for number in range(1, 31):
        publisher.numbers(channels[number % 3], 1, first=number,
                          time=133485408000000000 + number)
    query = query_list(*channels)
    wanted = log_numbers(alice, None, query=query)
    assert sorted(wanted) == list(range(1, 31))
    assert export(alice, None, target, query) == 0
    assert file_numbers(host, target) == wanted
    # The kind of path says nothing without one (Get-WinEvent's habit).
    other = target.replace(".evtx", "b.evtx")
    assert export(alice, None, other, query, manage.EXPORT_FILE) == 0
    assert file_numbers(host, other) == wanted


def test_an_empty_log_makes_a_file_with_an_empty_chunk(host, alice, channel,
                                                       target):
    assert export(alice, channel, target) == 0
    path = exported(host, target)
    assert os.path.getsize(path) == EMPTY_SIZE
    evtx_judge.check_frame(path, 0)


def test_what_comes_meanwhile_is_not_in_the_file(host, alice, publisher,
                                                 channel, target):
    publisher.numbers(channel, 5000)
    stop = threading.Event()

    def publish():
        with Publisher(host) as second:
            number = 5001
            while not stop.is_set():
                second.numbers(channel, 20, first=number)
                number += 20

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        assert export(alice, channel, target) == 0
    finally:
        stop.set()
        thread.join()
    got = file_numbers(host, target)
    assert got == list(range(1, len(got) + 1))
    assert len(got) >= 5000


def test_an_export_is_audited(host, alice, publisher, channel, target):
    publisher.numbers(channel, 3)
    assert export(alice, channel, target) == 0
    report = last_report(alice, LOG_EXPORTED, Channel=channel)
    assert report["User"].endswith("\\alice")
    assert report["Peer"] == "127.0.0.1"
    assert report["Path"] == target.replace(":", "").replace("\\", "/")
    assert report["Events"] == "3"


def test_an_event_too_large_for_the_format_is_left_out_and_named(
        host, alice, publisher, channel, target):
    publisher.numbers(channel, 5)
    publisher.publish(channel, event(channel, 6, filler=filler(100_000)))
    publisher.numbers(channel, 5, first=7)
    assert export(alice, channel, target) == 0
    assert file_numbers(host, target) == [1, 2, 3, 4, 5, 7, 8, 9, 10, 11]
    evtx_judge.check_frame(exported(host, target), 10)
    report = last_report(alice, EXPORT_INCOMPLETE, Records=f"{channel} 6")
    assert (report["Skipped"], report["Damaged"]) == ("1", "0")


# Export: where

@pytest.mark.parametrize("path", [
    "C:\\Backups\\app.evtx", "c:/deep/er/app.evtx", "/unix/app.evtx",
    "D:\\Gr\u00f6\u00dfe \u65e5\u672c.evtx", "/plain"])
def test_paths_of_both_worlds_are_mapped(host, alice, channel, path):
    assert export(alice, channel, path) == 0
    mapped = exported(host, path[0].upper() + path[1:])
    assert os.stat(mapped).st_mode & 0o7777 == 0o640
    # At most once.
    before = os.stat(mapped)
    assert export(alice, channel, path) == manage.ERROR_FILE_EXISTS
    assert os.stat(mapped) == before


@pytest.mark.parametrize("path", [
    "", "app.evtx", "C:app.evtx", "\\app.evtx", "\\\\server\\share\\app.evtx",
    "/../app.evtx", "/x/../../app.evtx", "C:\\..\\..\\app.evtx", "/x//y",
    "C:\\nul.evtx", "C:\\a.evtx:stream", "C:\\a?.evtx", "/x/", "/.hidden",
    "\\\\?\\C:\\app.evtx", "/" + "x" * 300, "/x" * 40, "/\u0001"])
def test_other_paths_are_refused(host, alice, channel, path):
    before = entries(host)
    assert export(alice, channel, path) == INVALID
    assert entries(host) == before


def test_no_link_leads_out_of_the_export_directory(host, alice, channel):
    top = os.path.join(host.dir, "export")
    outside = os.path.join(host.dir, "outside")
    os.mkdir(outside)
    os.symlink(outside, os.path.join(top, "linked"))
    os.symlink(os.path.join(outside, "a.evtx"), os.path.join(top, "b.evtx"))
    assert export(alice, channel, "/linked/a.evtx") == \
        manage.ERROR_PATH_NOT_FOUND
    assert export(alice, channel, "/linked/new/a.evtx") == \
        manage.ERROR_PATH_NOT_FOUND
    assert export(alice, channel, "/b.evtx") == manage.ERROR_FILE_EXISTS
    assert os.listdir(outside) == []


# Export: refusals

def test_flags_and_names_are_checked(host, alice, publisher, channel, target):
    publisher.numbers(channel, 2)
    cases = [
        (channel, 3, INVALID), (channel, 0x11, INVALID),
        (channel, 0x80000001, INVALID),
        ("C:\\x.evtx", manage.EXPORT_FILE, even6.ERROR_NOT_SUPPORTED),
        (channel, manage.EXPORT_FILE, even6.ERROR_NOT_SUPPORTED),
        ("Missing", manage.EXPORT_CHANNEL,
         even6.ERROR_EVT_CHANNEL_NOT_FOUND),
        ("Mi:ssing", manage.EXPORT_CHANNEL,
         even6.ERROR_EVT_INVALID_CHANNEL_PATH),
        (None, manage.EXPORT_CHANNEL, INVALID),
        ("Missing", 0, even6.ERROR_NOT_SUPPORTED),
    ]
    before = entries(host)
    for name, flags, rc in cases:
        assert export(alice, name, target, flags=flags) == rc, (name, flags)
    assert entries(host) == before
    # impacket sends no flag at all; Windows' server does not mind.
    assert export(alice, channel, target, flags=0) == 0
    assert file_numbers(host, target) == [1, 2]


def test_a_bad_query_is_refused(host, alice, channel, target):
    before = entries(host)
    for query in ("*[", "<QueryList>", "<QueryList><x/></QueryList>"):
        assert export(alice, channel, target, query) == \
            even6.ERROR_EVT_INVALID_QUERY
    structured = query_list(channel, "Missing")
    assert export(alice, None, target, structured) == \
        even6.ERROR_EVT_INVALID_CHANNEL_PATH
    assert entries(host) == before
    assert export(alice, None, target, structured,
                  manage.EXPORT_CHANNEL | manage.EXPORT_TOLERATE) == 0


def test_who_may_not_read_exports_nothing(host, alice, publisher, channel,
                                          target):
    publisher.numbers(channel, 2)
    before = entries(host)
    assert export(alice, "Secret", target) == DENIED
    with logon(host, "bob") as bob:
        assert export(bob, "Secret", target) == DENIED
    structured = query_list(channel, "Secret")
    assert export(alice, None, target, structured) == DENIED
    assert entries(host) == before
    # What is tolerated is left out.
    assert export(alice, None, target, structured,
                  manage.EXPORT_CHANNEL | manage.EXPORT_TOLERATE) == 0
    assert file_numbers(host, target) == [1, 2]


@pytest.mark.parametrize("limit, rc", [
    ("export_max_size = 1M", manage.ERROR_FILE_TOO_LARGE),
    ("export_reserve = 1T", manage.ERROR_DISK_FULL)])
def test_the_room_for_exports_is_bounded(make_server, limit, rc):
    server = make_server(rpc=limit)
    with Publisher(server) as publisher, logon(server, "alice") as client:
        publisher.numbers("Application", 2000, filler=filler(2000))
        assert export(client, "Application", "/x/a.evtx") == rc
        until(lambda: entries(server) == [])
        # What needs less is done.
        wanted = rc if rc == manage.ERROR_DISK_FULL else 0
        assert export(client, "Application", "/x/a.evtx",
                      "*[System[EventRecordID < 10]]") == wanted


def test_localizing_is_not_supported(alice):
    got = alice.call(LocalizeExportLog(None, "C:\\x.evtx", 1033))
    assert got.rc == even6.ERROR_NOT_SUPPORTED
    assert got.error[0] == even6.ERROR_NOT_SUPPORTED


# Export: cancelled, cut off

@pytest.fixture(scope="module")
def large(host, publisher):
    """A channel whose export takes many turns: 50 MB."""
    name = f"Test/{next(_names):03}"
    publisher.numbers(name, LARGE, filler=filler(8000))
    return name


def test_an_export_can_be_cancelled(host, alice, large, target):
    before = entries(host)
    control = alice.call(RegisterControllableOperation()).handle
    pending = alice.start(ExportLog(control, large, path=target))
    assert alice.call(Cancel(control)).rc == 0
    got = pending.result(30)
    assert (got.rc, got.error[0]) == (even6.ERROR_CANCELLED,) * 2
    until(lambda: entries(host) == before)
    # The handle is as good as new; nothing outstanding is no error.
    assert alice.call(Cancel(control)).rc == 0
    assert export(alice, large, target, control=control) == 0
    assert alice.call(Cancel(control)).rc == 0
    assert file_numbers(host, target) == list(range(1, LARGE + 1))


def test_others_are_served_during_an_export(host, alice, large, target):
    pending = alice.start(ExportLog(None, large, path=target))
    assert pending.is_parked()
    assert pending.result(60).rc == 0
    assert os.path.getsize(exported(host, target)) > LARGE * 8000


def test_an_export_whose_client_goes_leaves_nothing(host, large):
    before = entries(host)
    with logon(host, "alice") as client:
        client.start(ExportLog(None, large, path="/gone/x.evtx"))
        client.call(even6.GetChannelList())
    until(lambda: entries(host) == before)


def test_a_control_of_something_else_does_no_harm(host, alice, channel,
                                                  target):
    """facts 4: the handle is not looked at."""
    query = start_query(alice, channel)
    assert export(alice, channel, target, control=query.control) == 0
    assert export(alice, channel, target + "2", control=query.handle) == 0
    assert export(alice, channel, target + "3",
                  control=bytes(4) + b"\x07" * 16) == 0
    assert alice.call(QueryNext(query.handle)).rc == \
        even6.ERROR_NO_MORE_ITEMS


@pytest.mark.parametrize("backup", [False, True])
def test_a_channel_that_is_removed_meanwhile_makes_no_short_file(
        host, bob, publisher, target, backup):
    name = f"Removed/export-{backup}"
    assert bob.call(PutChannelConfig(name, {})).rc == 0
    assert bob.call(AssertConfig(name)).rc == 0
    publisher.numbers(name, LARGE, filler=filler(8000))
    before = entries(host)
    method = ClearLog(None, name, target) if backup else \
        ExportLog(None, name, path=target)
    pending = bob.start(method)
    assert bob.call(RetractConfig(name)).rc == 0
    got = pending.result(30)
    if got.rc == 0:             # it was faster; retention took the oldest
        found = file_numbers(host, target)
        assert found == list(range(found[0], LARGE + 1))
        return
    gone = even6.ERROR_EVT_CHANNEL_NOT_FOUND
    assert (got.rc, got.error[0]) == (gone,) * 2
    until(lambda: entries(host) == before)


def test_exports_at_a_time_are_bounded(host, large):
    with logon(host, "alice") as client:
        pending = [client.start(ExportLog(None, large, path=f"/many/{i}"))
                   for i in range(9)]
        results = [call.result(120).rc for call in pending]
    assert results == [0] * 8 + [0x718]


def test_what_a_crash_cuts_off_is_removed_at_the_start(make_server):
    server = make_server()
    with Publisher(server) as publisher:
        publisher.numbers("Application", LARGE, filler=filler(8000))
    with logon(server, "alice") as client:
        client.start(ExportLog(None, "Application", path="/x/y/a.evtx"))
        until(lambda: any(name.endswith(".tmp") for name in entries(server)))
        server.kill()
    assert not any(name.endswith(".evtx") for name in entries(server))
    server.start()
    assert entries(server) == ["x", "x/y"]
    with logon(server, "alice") as client:
        assert export(client, "Application", "/x/y/a.evtx") == 0
        assert entries(server) == ["x", "x/y", "x/y/a.evtx"]


# Clear

def test_a_cleared_log_is_empty_and_ids_go_on(host, bob, publisher, channel):
    publisher.numbers(channel, 10)
    assert clear(bob, channel) == 0
    assert log_value(bob, channel, NUMBER_OF_RECORDS) == 0
    assert log_numbers(bob, channel) == []
    assert publisher.numbers(channel, 2, first=50) == 11
    assert log_numbers(bob, channel) == [50, 51]
    assert log_value(bob, channel, NUMBER_OF_RECORDS) == 2
    assert log_value(bob, channel, OLDEST_RECORD) == 11
    assert clear(bob, channel) == 0
    assert clear(bob, channel) == 0


def test_a_clearing_is_audited(host, bob, publisher, channel, target):
    publisher.numbers(channel, 4)
    assert clear(bob, channel, target) == 0
    report = last_report(bob, LOG_CLEARED, Channel=channel)
    assert report["User"].endswith("\\bob")
    assert report["Peer"] == "127.0.0.1"
    assert report["Path"] == target.replace(":", "").replace("\\", "/")
    assert report["Events"] == "4"
    assert clear(bob, channel, "") == 0     # as good as none (facts 13)
    assert last_report(bob, LOG_CLEARED, Channel=channel, Path="",
                       Events="0")


def test_a_log_is_cleared_when_its_backup_is_there(host, bob, publisher,
                                                   channel, target):
    publisher.numbers(channel, 300, filler=filler(1000))
    assert clear(bob, channel, target) == 0
    assert file_numbers(host, target) == list(range(1, 301))
    evtx_judge.check_frame(exported(host, target), 300)
    assert log_numbers(bob, channel) == []


def test_no_event_is_lost_between_backup_and_clearing(host, bob, publisher,
                                                      channel):
    """While others write, each event is in one backup or in the log."""
    stop = threading.Event()
    written = []

    def publish():
        with Publisher(host) as second:
            number = 1
            while not stop.is_set():
                second.numbers(channel, 10, first=number)
                number += 10
            written.append(number - 1)

    thread = threading.Thread(target=publish)
    thread.start()
    got = []
    try:
        for i in range(20):
            path = f"/rounds/{channel}-{i}.evtx"
            assert clear(bob, channel, path) == 0
            got += file_numbers(host, path)
    finally:
        stop.set()
        thread.join()
    got += log_numbers(bob, channel)
    assert got == list(range(1, written[0] + 1))


def test_without_a_backup_nothing_is_cleared(host, bob, publisher, channel,
                                             target):
    publisher.numbers(channel, 5)
    for path, rc in [("backup.evtx", INVALID), ("/../x", INVALID),
                     ("\\\\server\\share\\x", INVALID)]:
        assert clear(bob, channel, path) == rc
    assert export(bob, channel, target) == 0
    assert clear(bob, channel, target) == manage.ERROR_FILE_EXISTS
    assert log_numbers(bob, channel) == [1, 2, 3, 4, 5]
    assert file_numbers(host, target) == [1, 2, 3, 4, 5]


def test_a_backup_that_would_lack_events_is_none(host, bob, publisher,
                                                 channel, target):
    publisher.numbers(channel, 5)
    publisher.publish(channel, event(channel, 6, filler=filler(100_000)))
    assert clear(bob, channel, target) == manage.ERROR_FILE_TOO_LARGE
    until(lambda: not os.path.exists(exported(host, target)))
    assert log_numbers(bob, channel) == [1, 2, 3, 4, 5, 6]
    assert last_report(bob, EXPORT_INCOMPLETE, Records=f"{channel} 6")
    assert clear(bob, channel) == 0


def test_a_backup_can_be_cancelled(host, bob, large, target):
    before = entries(host)
    control = bob.call(RegisterControllableOperation()).handle
    pending = bob.start(ClearLog(control, large, target))
    assert bob.call(Cancel(control)).rc == 0
    assert pending.result(30).rc == even6.ERROR_CANCELLED
    until(lambda: entries(host) == before)
    assert log_value(bob, large, NUMBER_OF_RECORDS) == LARGE


def test_a_disk_that_fails_in_the_clearing_leaves_the_backup(make_server):
    """Whether the log was cleared is not known then."""
    shim = os.path.join(BUILD, "tests", "store", "iotrace.so")
    server = make_server(start=False, administrators=("bob",))
    bad = os.path.join(server.dir, "disk-is-bad")
    server.start(LD_PRELOAD=f"{preload()} {shim}", IOTRACE_FAIL_WHILE=bad)
    with Publisher(server) as publisher, logon(server, "bob") as bob:
        publisher.numbers("Application", 5)
        with open(bad, "w", encoding="utf-8"):
            pass
        assert clear(bob, "Application", "/a.evtx") != 0
        os.unlink(bad)
    assert server.stop() == 0
    assert file_numbers(server, "/a.evtx") == [1, 2, 3, 4, 5]


def test_channels_are_checked(bob):
    assert clear(bob, "Missing") == even6.ERROR_EVT_CHANNEL_NOT_FOUND
    assert clear(bob, "") == even6.ERROR_EVT_CHANNEL_NOT_FOUND
    assert clear(bob, "C:\\x.evtx") == even6.ERROR_EVT_CHANNEL_NOT_FOUND


def test_who_may_clear(host, alice, bob, publisher, channel, target):
    """The right is bit 4; a backup shows events, and needs bit 1 too."""
    before = entries(host)
    publisher.numbers(channel, 2)
    publisher.numbers("Clearable", 2)
    publisher.numbers("Readable", 2)
    assert clear(alice, channel) == DENIED
    assert clear(bob, "Readable") == DENIED
    assert clear(bob, "Readable", target) == DENIED
    assert clear(alice, "Clearable", target) == DENIED
    assert entries(host) == before
    assert log_numbers(alice, channel) == [1, 2]
    assert clear(alice, "Clearable") == 0
    assert publisher.numbers("Clearable", 1) == 3


# Clear: who reads meanwhile

def test_an_open_query_learns_of_it_once(bob, publisher, channel):
    publisher.numbers(channel, 20)
    query = start_query(bob, channel)
    assert numbers(bob.call(QueryNext(query.handle, 5))) == [1, 2, 3, 4, 5]
    assert clear(bob, channel) == 0
    publisher.numbers(channel, 3, first=100)
    assert bob.call(QueryNext(query.handle, 5)).rc == STALE
    assert numbers(bob.call(QueryNext(query.handle, 5))) == [100, 101, 102]
    assert bob.call(QueryNext(query.handle, 5)).rc == \
        even6.ERROR_NO_MORE_ITEMS


def test_a_query_that_was_past_it_learns_nothing(bob, publisher, channel):
    publisher.numbers(channel, 5)
    query = start_query(bob, channel)
    assert numbers(bob.call(QueryNext(query.handle, 5))) == [1, 2, 3, 4, 5]
    assert clear(bob, channel) == 0
    publisher.numbers(channel, 3, first=100)
    assert numbers(bob.call(QueryNext(query.handle, 5))) == [100, 101, 102]


@pytest.mark.parametrize("flags, stale", [
    (even6.SUBSCRIBE_OLDEST, False),
    (even6.SUBSCRIBE_OLDEST | even6.SUBSCRIBE_STRICT, True)])
def test_a_subscription_goes_on_with_what_comes(bob, publisher, channel,
                                                flags, stale):
    publisher.numbers(channel, 20)
    behind = pull(bob, channel, flags).handle
    past = pull(bob, channel, flags).handle
    assert numbers(bob.call(RemoteSubscriptionNext(behind, 5))) == \
        [1, 2, 3, 4, 5]
    assert len(numbers(bob.call(RemoteSubscriptionNext(past, 50)))) == 20
    assert clear(bob, channel) == 0
    publisher.numbers(channel, 3, first=100)
    if stale:
        assert bob.call(RemoteSubscriptionNext(behind, 5)).rc == STALE
    assert numbers(bob.call(RemoteSubscriptionNext(behind, 5))) == \
        [100, 101, 102]
    assert numbers(bob.call(RemoteSubscriptionNext(past, 5))) == \
        [100, 101, 102]
    gap = last_report(bob, 10, Channel=channel)
    assert (gap["First"], gap["Last"], gap["Cause"]) == ("6", "20", "cleared")


@pytest.mark.parametrize("push", [False, True])
def test_a_subscription_to_a_channel_that_is_removed_is_told(host, bob, push):
    """facts 11.1; also one that waits."""
    name = f"Removed/{push}"
    assert bob.call(PutChannelConfig(name, {})).rc == 0
    assert bob.call(AssertConfig(name)).rc == 0
    if push:
        handle = subscribe(bob, name, even6.SUBSCRIBE_FUTURE).handle
        pending = bob.start(even6.RemoteSubscriptionNextAsync(handle))
    else:
        handle = pull(bob, name, even6.SUBSCRIBE_FUTURE).handle
        pending = bob.start(even6.RemoteSubscriptionWaitAsync(handle))
    assert pending.is_parked()
    assert bob.call(RetractConfig(name)).rc == 0
    gone = even6.ERROR_EVT_CHANNEL_NOT_FOUND
    assert pending.result(30).rc == (gone if push else 0)
    if not push:
        assert bob.call(RemoteSubscriptionNext(handle)).rc == gone
        assert bob.call(RemoteSubscriptionNext(handle)).rc == gone


def test_a_cleared_log_stays_cleared_after_a_crash(make_server):
    server = make_server(administrators=("bob",))
    with Publisher(server) as publisher, logon(server, "bob") as bob:
        publisher.numbers("Application", 20_000)
        assert clear(bob, "Application") == 0
        server.kill()
    server.start()
    with Publisher(server) as publisher, logon(server, "bob") as bob:
        assert log_value(bob, "Application", NUMBER_OF_RECORDS) == 0
        assert publisher.numbers("Application", 1) == 20_001
    assert server.stop() == 0
    server.evenlog("verify", server.store)


# What impacket sends (facts 16.1, rows 7 and 8)

def counted(text):
    units = (text + "\0").encode("utf-16-le")
    count = len(units) // 2
    return struct.pack("<III", count, 0, count) + units + \
        b"\0" * (-len(units) % 4)


def test_impackets_form_of_no_backup_clears(bob, publisher, channel):
    """Its NULL is twelve bytes of an empty string, not a pointer."""
    publisher.numbers(channel, 2)
    control = bob.call(RegisterControllableOperation()).handle
    stub = control + counted(channel) + bytes(12) + bytes(4)
    reply = bob.call(even6.Raw(6, stub))
    if not bob.ndr64:
        assert reply == bytes(16)
    assert log_numbers(bob, channel) == []


def test_impackets_export_has_no_pointer_and_is_a_bad_stub(bob, channel):
    """Windows refuses it as well; no string of theirs begins like that."""
    control = bob.call(RegisterControllableOperation()).handle
    stub = control + counted(channel) + counted("*") + counted("C:\\x") + \
        bytes(4)
    with pytest.raises(dcerpc.Fault) as fault:
        bob.call(even6.Raw(7, stub))
    assert fault.value.status in (0x6F7, 0x1C000007)
