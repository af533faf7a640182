# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels' properties from outside: opnums 20 and 21, 15 and 16, against
facts 4.6, 12.1 and 12.2."""

import itertools
import json
import os
import signal
import uuid as uuids
import xml.etree.ElementTree as ElementTree

import pytest

import binxml
import dcerpc
import even6
import even6_config as cfg
import ndr
from even6 import OpenLogHandle, RegisterLogQuery, RegisterRemoteSubscription
from even6_config import (AssertConfig, GetChannelConfig, PutChannelConfig,
                          RetractConfig)
from ndr import Variant
from publisher import Publisher
from server import USERS, Server
from subscribing import (all_numbers, bookmark, drain_query, numbers, pull,
                         query_list, start_query)

DENIED = even6.ERROR_ACCESS_DENIED
INVALID = even6.ERROR_INVALID_PARAMETER
FIXED = even6.ERROR_INVALID_OPERATION

# facts 12.2
APPLICATION_ACCESS = (
    "O:BAG:SYD:(A;;0xf0007;;;SY)(A;;0x7;;;BA)(A;;0x7;;;SO)(A;;0x3;;;IU)"
    "(A;;0x3;;;SU)(A;;0x3;;;S-1-5-3)(A;;0x3;;;S-1-5-33)"
    "(A;;0x1;;;S-1-5-32-573)")
SYSTEM_ACCESS = (
    "O:BAG:SYD:(A;;0xf0007;;;SY)(A;;0x7;;;BA)(A;;0x3;;;BO)(A;;0x5;;;SO)"
    "(A;;0x1;;;IU)(A;;0x3;;;SU)(A;;0x1;;;S-1-5-3)(A;;0x2;;;S-1-5-33)"
    "(A;;0x1;;;S-1-5-32-573)")
FALLBACK_ACCESS = \
    "O:BAG:SYD:(A;;0xf0005;;;SY)(A;;0x5;;;BA)(A;;0x1;;;S-1-5-32-573)"

CONFIG = """
[channel Fixed]
enabled = yes
max_size = 3M
access = O:BAG:SYD:(A;;0x1;;;BA)
[channel Half]
max_size = 5M
"""


def logon(server, user):
    return even6.connect("127.0.0.1", server.port,
                         dcerpc.Ntlm(user, USERS[user]))


@pytest.fixture(scope="module")
def host():
    """A server where alice is an administrator and bob nobody."""
    server = Server(administrators=("alice",), config=CONFIG)
    try:
        server.add_users()
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def admin(host):
    with logon(host, "alice") as client:
        yield client


@pytest.fixture
def bob(host):
    with logon(host, "bob") as client:
        yield client


_numbers = itertools.count(1)


@pytest.fixture
def name():
    return f"Made/{next(_numbers):03}"


def put(client, channel, values=None, flags=cfg.OPEN_OR_CREATE):
    return client.call(PutChannelConfig(channel, values or {}, flags)).rc


def apply(client, channel, values=None, flags=cfg.OPEN_OR_CREATE):
    """Change and put in force, which must succeed."""
    got = client.call(PutChannelConfig(channel, values or {}, flags))
    assert (got.rc, got.error) == (0, (0, 0, 0))
    assert client.call(AssertConfig(channel)).rc == 0


def value(client, channel, index):
    got = client.call(GetChannelConfig(channel))
    assert got.rc == 0
    return got.value(index)


def channels(client):
    return client.call(even6.GetChannelList()).names


def wait_for_reports(server):
    """Until those that were made are there: events of a channel are written
    in their order."""
    server.publish("Evenlog/Operational")


def reports(server, event_id):
    """The fields of Evenlog's own events of that id, oldest first."""
    wait_for_reports(server)
    with logon(server, "alice") as client:
        query = start_query(client, "Evenlog/Operational")
        events = [binxml.Event(record.document)
                  for batch in drain_query(client, query.handle)
                  for record in batch.records()]
        return [event.values() for event in events
                if event.event_id == event_id]


# 20: what is in force

@pytest.mark.parametrize("channel", ["Application", "System", "Security",
                                     "ForwardedEvents", "Evenlog/Operational",
                                     "Fixed"])
def test_every_property_has_its_place_and_type(admin, channel):
    got = admin.call(GetChannelConfig(channel))
    assert got.rc == 0
    assert len(got.properties) == 21
    for index, (shown, kind) in enumerate(zip(got.properties, cfg.TYPES)):
        optional = index in (cfg.OWNING_PUBLISHER, cfg.PUBLISHER_LIST)
        assert shown.type == (ndr.NULL if optional else kind), index
        assert shown.flags == 0


# Isolation, type, classic: as wevtutil gl shows Windows' own logs.
@pytest.mark.parametrize("channel, isolation, kind, classic, access", [
    ("Application", 0, 0, True, APPLICATION_ACCESS),
    ("System", 1, 0, True, SYSTEM_ACCESS),
    ("Security", 2, 0, True, FALLBACK_ACCESS),
    ("ForwardedEvents", 2, 1, False, FALLBACK_ACCESS),
    ("Evenlog/Operational", 0, 1, False, FALLBACK_ACCESS)])
def test_the_channels_of_the_service_itself(
        admin, channel, isolation, kind, classic, access):
    got = admin.call(GetChannelConfig(channel))
    assert [got.value(i) for i in (cfg.ENABLED, cfg.ISOLATION, cfg.TYPE,
                                   cfg.CLASSIC, cfg.ACCESS, cfg.MAX_SIZE)] \
        == [True, isolation, kind, classic, access, 1 << 30]
    path = channel.replace("/", "%4")
    assert got.value(cfg.LOG_FILE_PATH) == \
        rf"%SystemRoot%\System32\Winevt\Logs\{path}.evtx"


# facts 12.1, "default for a channel created by op 21"
def test_a_channel_that_is_created_begins_with_the_defaults(admin, name):
    assert admin.call(GetChannelConfig(name)).rc == \
        even6.ERROR_EVT_CHANNEL_NOT_FOUND
    apply(admin, name)
    got = admin.call(GetChannelConfig(name))
    buffers = 2 * os.cpu_count()
    path = name.replace("/", "%4")
    assert [shown.value for shown in got.properties] == [
        True, 0, 0, None, False, APPLICATION_ACCESS, False, False, 20971520,
        rf"%SystemRoot%\System32\Winevt\Logs\{path}.evtx", 0,
        0xFFFFFFFFFFFFFFFF, uuids.UUID(int=0), 64, buffers, buffers + 22, 1,
        0, 1, None, 0]
    assert name in channels(admin)


def test_a_channel_of_the_file_shows_what_the_file_says(admin):
    got = admin.call(GetChannelConfig("Fixed"))
    assert got.value(cfg.MAX_SIZE) == 3 << 20
    assert got.value(cfg.ACCESS) == "O:BAG:SYD:(A;;0x1;;;BA)"


@pytest.mark.parametrize("channel", ["No/Such", "", "a<b", "\\x", "?" * 500])
def test_properties_of_a_channel_that_is_none(admin, channel):
    got = admin.call(GetChannelConfig(channel))
    assert (got.rc, got.properties) == (even6.ERROR_EVT_CHANNEL_NOT_FOUND,
                                        None)


def test_names_are_compared_without_case(admin, name):
    apply(admin, name, {cfg.LEVEL: 3})
    apply(admin, name.upper(), {cfg.FILE_MAX: 4})
    assert value(admin, name.lower(), cfg.LEVEL) == 3
    assert value(admin, name, cfg.FILE_MAX) == 4
    assert name.upper() not in channels(admin)


# 21 and 15: pending, then in force

CHANGES = {
    cfg.ENABLED: False, cfg.ISOLATION: 2, cfg.TYPE: 1,
    cfg.OWNING_PUBLISHER: "Some-Publisher", cfg.CLASSIC: True,
    cfg.ACCESS: "O:BAG:SYD:(A;;0x7;;;BA)", cfg.MAX_SIZE: 0x01400000,
    # As the specification's sample in 4.13 has them.
    cfg.LEVEL: 0xFFFF, cfg.FILE_MAX: 16,
    cfg.LOG_FILE_PATH: r"%SystemRoot%\system32\winevt\logs\forwarded.evtx",
    cfg.KEYWORDS: 0x8000000000000001,
    cfg.PUBLISHER_LIST: ["First", "Second"]}


def test_changes_wait_until_they_are_asserted(admin, name):
    apply(admin, name)
    before = admin.call(GetChannelConfig(name)).properties
    assert put(admin, name, CHANGES) == 0
    assert admin.call(GetChannelConfig(name)).properties == before
    assert admin.call(AssertConfig(name)).rc == 0
    after = admin.call(GetChannelConfig(name)).properties
    for index in range(21):
        expected = CHANGES.get(index, before[index].value)
        assert after[index] == Variant(cfg.TYPES[index], expected), index
    # What was asserted does not wait any more.
    assert admin.call(AssertConfig(name)).rc == 0
    assert admin.call(GetChannelConfig(name)).properties == after


def test_changes_add_up_until_they_are_asserted(host, admin, name):
    apply(admin, name, {cfg.LEVEL: 1, cfg.FILE_MAX: 1})
    assert put(admin, name, {cfg.LEVEL: 2}) == 0
    with logon(host, "alice") as other:
        assert put(other, name, {cfg.FILE_MAX: 3}) == 0
        assert put(other, name, {cfg.LEVEL: 4}) == 0
        assert admin.call(AssertConfig(name)).rc == 0
    assert value(admin, name, cfg.LEVEL) == 4
    assert value(admin, name, cfg.FILE_MAX) == 3


def test_a_new_channel_is_not_there_before_it_is_asserted(admin, name):
    assert put(admin, name, {cfg.LEVEL: 5}) == 0
    assert name not in channels(admin)
    for call in (GetChannelConfig(name), RegisterLogQuery(name),
                 OpenLogHandle(name)):
        assert admin.call(call).rc == even6.ERROR_EVT_CHANNEL_NOT_FOUND
    assert admin.call(AssertConfig(name)).rc == 0
    assert name in channels(admin)
    assert value(admin, name, cfg.LEVEL) == 5


def test_only_entries_marked_as_changed_count(admin, name):
    apply(admin, name, {cfg.LEVEL: 1})
    # Nothing of these could be accepted.
    wrong = [Variant(ndr.UINT64_ARRAY, [1], flags)
             for flags in itertools.islice(itertools.cycle((0, 2)), 21)]
    wrong[cfg.FILE_MAX] = Variant(ndr.UINT32, 9, cfg.MODIFIED)
    got = admin.call(PutChannelConfig(name, variants=wrong))
    assert got.rc == 0
    assert admin.call(AssertConfig(name)).rc == 0
    assert value(admin, name, cfg.LEVEL) == 1
    assert value(admin, name, cfg.FILE_MAX) == 9


@pytest.mark.parametrize("count", [0, 1, 20, 21, 256])
def test_lists_of_other_lengths(admin, name, count):
    """Vista knows 20 properties; what is not marked says nothing."""
    got = admin.call(PutChannelConfig(name, variants=cfg.changes({}, count)))
    assert got.rc == 0
    assert admin.call(AssertConfig(name)).rc == 0
    assert name in channels(admin)


@pytest.mark.parametrize("size, kept", [
    (0, 1 << 20), (1 << 20, 1 << 20), ((1 << 20) + 1, (1 << 20) + 65536),
    (0x01400000, 0x01400000), (64 << 40, 64 << 40)])
def test_max_size_is_rounded_as_on_windows(admin, name, size, kept):
    apply(admin, name, {cfg.MAX_SIZE: size})
    assert value(admin, name, cfg.MAX_SIZE) == kept


@pytest.mark.parametrize("index, wrong, rc", [
    (cfg.ISOLATION, 3, INVALID), (cfg.ISOLATION, 0xFFFFFFFF, INVALID),
    (cfg.TYPE, 4, INVALID),
    (cfg.ACCESS, "nonsense", cfg.ERROR_INVALID_DATA),
    (cfg.ACCESS, "", cfg.ERROR_INVALID_DATA),
    (cfg.ACCESS, "O:BAG:SY", cfg.ERROR_INVALID_DATA),
    (cfg.ACCESS, "D:" + "(A;;0x1;;;BA)" * 5100, cfg.ERROR_INVALID_DATA),
    (cfg.MAX_SIZE, (64 << 40) + 1, INVALID),
    (cfg.OWNING_PUBLISHER, "x" * 256, INVALID),
    (cfg.LOG_FILE_PATH, "a\nb", INVALID),
    (cfg.LOG_FILE_PATH, None, INVALID),
    (cfg.PUBLISHER_LIST, ["x"] * 1025, INVALID),
    (cfg.PUBLISHER_LIST, ["a", ""], INVALID),
    (cfg.PUBLISHER_LIST, ["a", None], INVALID),
    (cfg.AUTO_BACKUP, True, FIXED),
    (cfg.BUFFER_SIZE, 64, FIXED), (cfg.MIN_BUFFERS, 4, FIXED),
    (cfg.MAX_BUFFERS, 10, FIXED), (cfg.LATENCY, 1, FIXED),
    (cfg.CLOCK_TYPE, 0, FIXED), (cfg.SID_TYPE, 1, FIXED),
    (cfg.LEVEL, Variant(ndr.UINT64, 1), INVALID),
    (cfg.ENABLED, Variant(ndr.UINT32, 1), INVALID),
    (cfg.KEYWORDS, Variant(ndr.UINT32, 1), INVALID),
    (cfg.PUBLISHER_LIST, Variant(ndr.STRING, "a"), INVALID),
    (cfg.CONTROL_GUID, Variant(ndr.STRING, "a"), INVALID)])
def test_what_cannot_be_set(admin, name, index, wrong, rc):
    """The code, which property it was, and nothing of the call remains."""
    apply(admin, name, {cfg.FILE_MAX: 1})
    assert put(admin, name, {cfg.FILE_MAX: 2}) == 0
    got = admin.call(PutChannelConfig(name, {cfg.FILE_MAX: 3, index: wrong}))
    assert (got.rc, got.error) == (rc, (rc, 0xFFFFFFFF, index))
    assert admin.call(AssertConfig(name)).rc == 0
    assert value(admin, name, cfg.FILE_MAX) == 2


def test_there_is_no_22nd_property(admin, name):
    variants = cfg.changes({}, 22)
    variants[21] = Variant(ndr.UINT32, 1, cfg.MODIFIED)
    got = admin.call(PutChannelConfig(name, variants=variants))
    assert (got.rc, got.error) == (INVALID, (INVALID, 0xFFFFFFFF, 21))


def test_the_control_guid_is_taken_and_forgotten(admin, name):
    apply(admin, name, {cfg.CONTROL_GUID: uuids.uuid4()})
    assert value(admin, name, cfg.CONTROL_GUID) == uuids.UUID(int=0)


def test_null_gives_a_property_back(admin, name):
    apply(admin, name, CHANGES)
    apply(admin, name, {index: cfg.NULL for index in CHANGES})
    got = admin.call(GetChannelConfig(name))
    for index, expected in (
            (cfg.ENABLED, True), (cfg.TYPE, 0), (cfg.OWNING_PUBLISHER, None),
            (cfg.ACCESS, APPLICATION_ACCESS), (cfg.MAX_SIZE, 20971520),
            (cfg.LEVEL, 0), (cfg.PUBLISHER_LIST, None)):
        assert got.value(index) == expected


def test_a_built_in_channel_gets_its_own_back(host, admin):
    apply(admin, "ForwardedEvents", {cfg.MAX_SIZE: 5 << 20, cfg.LEVEL: 2,
                                     cfg.ACCESS: "O:BAG:SYD:(A;;0x3;;;BA)"})
    assert value(admin, "ForwardedEvents", cfg.MAX_SIZE) == 5 << 20
    apply(admin, "ForwardedEvents", {cfg.MAX_SIZE: cfg.NULL,
                                     cfg.ACCESS: cfg.NULL})
    got = admin.call(GetChannelConfig("ForwardedEvents"))
    assert got.value(cfg.MAX_SIZE) == 1 << 30
    assert got.value(cfg.ACCESS) == FALLBACK_ACCESS
    assert got.value(cfg.LEVEL) == 2


@pytest.mark.parametrize("flags, missing, there", [
    (cfg.OPEN_OR_CREATE, 0, 0), (cfg.OPEN, even6.ERROR_NOT_FOUND, 0),
    (cfg.CREATE_ANEW, 0, 0), (cfg.CREATE, 0, cfg.ERROR_ALREADY_EXISTS),
    (4, INVALID, INVALID), (0xFFFFFFFF, INVALID, INVALID)])
def test_the_ways_to_open(admin, name, flags, missing, there):
    assert put(admin, name, {}, flags) == missing
    admin.call(AssertConfig(name))
    assert (name in channels(admin)) == (missing == 0)
    apply(admin, name)
    assert put(admin, name, {}, flags) == there


def test_a_channel_that_waits_to_be_created_is_taken(admin, name):
    assert put(admin, name, {cfg.LEVEL: 1}, cfg.CREATE) == 0
    assert put(admin, name, {}, cfg.CREATE) == cfg.ERROR_ALREADY_EXISTS
    assert put(admin, name, {cfg.FILE_MAX: 2}, cfg.OPEN) == 0
    assert admin.call(AssertConfig(name)).rc == 0
    assert value(admin, name, cfg.LEVEL) == 1
    assert value(admin, name, cfg.FILE_MAX) == 2


def test_create_anew_forgets_properties_and_keeps_events(host, admin, name):
    apply(admin, name, CHANGES)
    apply(admin, name, {cfg.ENABLED: True})
    with Publisher(host) as publisher:
        publisher.numbers(name, 3)
    apply(admin, name, {cfg.LEVEL: 7}, cfg.CREATE_ANEW)
    got = admin.call(GetChannelConfig(name))
    assert [got.value(i) for i in (cfg.LEVEL, cfg.FILE_MAX, cfg.MAX_SIZE,
                                   cfg.ACCESS, cfg.PUBLISHER_LIST)] == \
        [7, 0, 20971520, APPLICATION_ACCESS, None]
    query = start_query(admin, name)
    assert all_numbers(drain_query(admin, query.handle)) == [1, 2, 3]


@pytest.mark.parametrize("channel", ["", "a<b", "\\x", "?", "x" * 256])
def test_names_that_no_channel_can_have(admin, channel):
    path = even6.ERROR_EVT_INVALID_CHANNEL_PATH
    got = admin.call(PutChannelConfig(channel))
    assert (got.rc, got.error) == (path, (path, 0xFFFFFFFF, 0xFFFFFFFF))
    assert admin.call(AssertConfig(channel)).rc == INVALID
    assert admin.call(RetractConfig(channel)).rc == path


def test_asserting_what_is_not_there(admin, name):
    assert admin.call(AssertConfig(name)).rc == INVALID
    assert admin.call(AssertConfig("Application")).rc == 0


@pytest.mark.parametrize("flags", [2, 3, 0x10000, 0xFFFFFFFF])
def test_flags_that_are_none(admin, flags):
    assert admin.call(AssertConfig("Application", flags)).rc == INVALID
    assert admin.call(RetractConfig("Application", flags)).rc == INVALID


def test_publishers_come_from_manifests(admin, bob):
    assert admin.call(AssertConfig("Evenlog", cfg.PUBLISHER_NAME)).rc == 0
    assert admin.call(RetractConfig("No-Such", cfg.PUBLISHER_NAME)).rc == 0
    assert admin.call(RetractConfig("Evenlog",
                                    cfg.PUBLISHER_NAME)).rc == FIXED
    for call in (AssertConfig("P", cfg.PUBLISHER_NAME),
                 RetractConfig("P", cfg.PUBLISHER_NAME)):
        assert bob.call(call).rc == DENIED


def test_pending_changes_are_limited(make_server):
    """By number, and none of those before is lost."""
    server = make_server(administrators=("alice",))
    with logon(server, "alice") as client:
        for number in range(256):
            assert put(client, f"P/{number}", {cfg.LEVEL: number}) == 0
        assert put(client, "One/More") == cfg.ERROR_NOT_ENOUGH_QUOTA
        assert put(client, "P/7", {cfg.FILE_MAX: 1}) == 0
        assert client.call(AssertConfig("P/255")).rc == 0
        assert value(client, "P/255", cfg.LEVEL) == 255
        assert put(client, "One/More") == 0
        assert client.call(RetractConfig("P/254")).rc == 0
        assert put(client, "And/Another") == 0
    assert {"Limit", "Peer"} <= set(reports(server, 22)[0])


QUOTA = cfg.ERROR_NOT_ENOUGH_QUOTA


def test_the_size_of_pending_changes_is_limited(make_server):
    server = make_server(administrators=("alice",))
    # Few and long entries: Samba copies the list for each that it reads.
    access = "D:" + f"(A;;0x1;;;S-1-5-21{'-4294967295' * 14})" * 375
    with logon(server, "alice") as client:
        codes = []
        while len(codes) < 80 and codes[-3:-2] != [QUOTA]:
            codes.append(put(client, f"P/{len(codes)}",
                             {cfg.ACCESS: access}))
    kept = codes.index(QUOTA)
    assert 40 <= kept <= 64
    assert codes == [0] * kept + [QUOTA] * 3


# Restarts, crashes, evenlog.conf

def test_what_was_asserted_survives_and_what_waits_does_not(make_server):
    server = make_server(administrators=("alice",))
    with logon(server, "alice") as client:
        for channel in ("Made", "Application"):
            apply(client, channel, {
                index: changed for index, changed in CHANGES.items()
                if channel == "Made" or index not in (cfg.TYPE,
                                                      cfg.ISOLATION)})
            assert put(client, channel, {cfg.LEVEL: 99}) == 0
        assert put(client, "Waiting") == 0
        before = [client.call(GetChannelConfig(channel)).properties
                  for channel in ("Made", "Application")]
    for end in (server.stop, server.kill):
        end()
        server.start()
        with logon(server, "alice") as client:
            assert client.call(AssertConfig("Made")).rc == 0
            assert client.call(AssertConfig("Waiting")).rc == INVALID
            assert [client.call(GetChannelConfig(channel)).properties
                    for channel in ("Made", "Application")] == before


def reload(server, text):
    server.write_config(text)
    before = server.log().count("configuration reloaded")
    server.evenlog("status")
    server.signal(signal.SIGHUP)
    while server.log().count("configuration reloaded") == before:
        assert server.process.poll() is None
        server.evenlog("status")


def test_a_reload_keeps_what_was_asserted(make_server):
    server = make_server(administrators=("alice",))
    with logon(server, "alice") as client:
        apply(client, "System", {cfg.MAX_SIZE: 7 << 20, cfg.LEVEL: 3})
        apply(client, "Made", {cfg.MAX_SIZE: 9 << 20})
        reload(server, server.read_config() +
               "\n[channel System]\nmax_age = 1d\n[channel New]\n")
        assert value(client, "System", cfg.MAX_SIZE) == 7 << 20
        assert value(client, "System", cfg.LEVEL) == 3
        assert value(client, "Made", cfg.MAX_SIZE) == 9 << 20
        assert value(client, "New", cfg.MAX_SIZE) == 1 << 30


def test_what_the_file_sets_wins(make_server):
    server = make_server(administrators=("alice",))
    text = server.read_config()
    with logon(server, "alice") as client:
        apply(client, "System", {cfg.MAX_SIZE: 7 << 20, cfg.LEVEL: 3})
        assert put(client, "System", {cfg.MAX_SIZE: 8 << 20}) == 0
        reload(server, text + "\n[channel System]\nmax_size = 2M\n")
        assert value(client, "System", cfg.MAX_SIZE) == 2 << 20
        # What has been waiting since before does not change that.
        assert client.call(AssertConfig("System")).rc == 0
        assert value(client, "System", cfg.MAX_SIZE) == 2 << 20
        assert value(client, "System", cfg.LEVEL) == 3
        # The file's word is gone: what was asserted counts again.
        reload(server, text)
        assert value(client, "System", cfg.MAX_SIZE) == 8 << 20


@pytest.mark.parametrize("channel, index, wrong, same", [
    ("Fixed", cfg.MAX_SIZE, 4 << 20, 3 << 20),
    ("Fixed", cfg.ENABLED, False, True),
    ("Fixed", cfg.ACCESS, "O:BAG:SYD:(A;;0x3;;;BA)",
     "O:BAG:SYD:(A;;0x1;;;BA)"),
    ("Half", cfg.MAX_SIZE, 4 << 20, 5 << 20),
    # The service's own channels are what they are.
    ("Application", cfg.TYPE, 2, 0), ("System", cfg.ISOLATION, 0, 1),
    ("Evenlog/Operational", cfg.TYPE, 3, 1)])
def test_a_property_that_is_fixed(host, admin, channel, index, wrong, same):
    """0x10DD, and the host's administrator can read why."""
    before = admin.call(GetChannelConfig(channel)).properties
    got = admin.call(PutChannelConfig(channel, {index: wrong}))
    assert (got.rc, got.error) == (FIXED, (FIXED, 0xFFFFFFFF, index))
    assert put(admin, channel, {index: same}) == 0
    assert admin.call(AssertConfig(channel)).rc == 0
    assert admin.call(GetChannelConfig(channel)).properties == before
    names = {cfg.MAX_SIZE: "MaxSize", cfg.ENABLED: "Enabled",
             cfg.ACCESS: "Access", cfg.TYPE: "Type",
             cfg.ISOLATION: "Isolation"}
    told = [report for report in reports(host, 53)
            if report["Channel"] == channel]
    # Aggregated by channel: the first one is there at once.
    assert told[0]["Property"] in names.values()
    assert told[0]["User"].endswith("\\alice")
    assert told[0]["Peer"] == "127.0.0.1"


def test_what_the_file_leaves_open_can_be_set(admin):
    apply(admin, "Half", {cfg.ENABLED: False, cfg.LEVEL: 4})
    assert value(admin, "Half", cfg.ENABLED) is False
    assert value(admin, "Half", cfg.MAX_SIZE) == 5 << 20


# What the store obeys

def publish_some(server, channel, first, count):
    """Events of 10,000 characters each, as one call."""
    lines = "".join(json.dumps({
        "System": {"Provider": {"Name": "Test"}, "EventID": 1},
        "EventData": {"Number": str(first + i), "Filler": "x" * 10000}}) +
        "\n" for i in range(count))
    return server.evenlog("publish", channel, "--stdin", stdin=lines,
                          check=False)


def test_a_disabled_channel_takes_no_events(host, admin, name):
    """It can be subscribed to and read, and nothing new comes (facts 12.1)."""
    apply(admin, name)
    host.publish(name, 2)
    apply(admin, name, {cfg.ENABLED: False})
    made = pull(admin, name)
    refused = host.evenlog("publish", name, "--provider=Test", "--id=1",
                           check=False)
    assert refused.returncode != 0
    assert "disabled" in refused.stderr
    assert numbers(admin.call(
        even6.RemoteSubscriptionNext(made.handle))) == [1, 2]
    query = start_query(admin, name)
    assert all_numbers(drain_query(admin, query.handle)) == [1, 2]
    apply(admin, name, {cfg.ENABLED: True})
    host.publish(name, 1, first=3)
    assert numbers(admin.call(
        even6.RemoteSubscriptionNext(made.handle))) == [3]


def test_a_smaller_channel_is_trimmed(host, admin, name):
    apply(admin, name)
    host.publish(name, 300, size=10000)
    apply(admin, name, {cfg.MAX_SIZE: 1 << 20})
    log = admin.call(OpenLogHandle(name)).handle
    # Retention's turn comes with the next events at the latest.
    for number in range(300, 400):
        host.publish(name, 1, first=number)
        size, _ = admin.call(even6.GetLogFileInfo(log, 3)).value()
        if size <= (1 << 20) + 65536:
            break
    assert size <= (1 << 20) + 65536


def test_a_channel_that_keeps_its_events_takes_no_more_than_fit(
        host, admin, name):
    apply(admin, name, {cfg.MAX_SIZE: 1 << 20, cfg.RETENTION: True})
    assert value(admin, name, cfg.RETENTION) is True
    for first in range(0, 200, 10):
        done = publish_some(host, name, first, 10)
        if done.returncode != 0:
            break
    assert 0 < first < 200
    assert "full" in done.stderr
    log = admin.call(OpenLogHandle(name)).handle
    size, oldest, full = (admin.call(even6.GetLogFileInfo(log, i)).value()[0]
                          for i in (3, 6, 7))
    assert (oldest, full) == (1, 1)
    assert size <= 1 << 20
    assert {"Channel": name} in [
        {"Channel": told["Channel"]} for told in reports(host, 34)]
    apply(admin, name, {cfg.RETENTION: False})
    assert publish_some(host, name, 0, 10).returncode == 0


# Direct channels, facts 4.1 and 4.2

@pytest.mark.parametrize("kind", [2, 3])
def test_an_analytic_or_debug_channel_is_read_forward_only(
        host, admin, name, kind):
    apply(admin, name)
    host.publish(name, 2)
    apply(admin, name, {cfg.TYPE: kind})
    direct = cfg.ERROR_EVT_SUBSCRIPTION_TO_DIRECT_CHANNEL
    both = query_list("Application", name)
    for path, query in ((name, "*"), (None, both)):
        for flags in (1, 0x10000001, 0x11001):
            got = admin.call(RegisterRemoteSubscription(path, query, None,
                                                        flags))
            assert (got.rc, got.error[0]) == (direct, direct)
            assert got.handle == even6.NO_HANDLE
        got = admin.call(RegisterLogQuery(path, query, 0x201))
        assert (got.rc, got.handle) == (INVALID, even6.NO_HANDLE)
    got = admin.call(RegisterRemoteSubscription(None, both, None, 0x1001))
    assert (got.rc, got.channels) == (0, [("Application", 0),
                                          (name, direct)])
    got = admin.call(RegisterLogQuery(None, both, 0x1201))
    assert (got.rc, got.channels) == (0, [("Application", 0),
                                          (name, INVALID)])
    query = start_query(admin, name)
    assert all_numbers(drain_query(admin, query.handle)) == [1, 2]
    apply(admin, name, {cfg.TYPE: 1})
    pull(admin, name)


# 16: retract

def test_a_channel_is_removed_with_its_events(host, admin, name):
    apply(admin, name, {cfg.LEVEL: 5})
    host.publish(name, 3)
    log = admin.call(OpenLogHandle(name)).handle
    query = start_query(admin, name)
    assert admin.call(RetractConfig(name)).rc == 0
    assert name not in channels(admin)
    for call in (GetChannelConfig(name), RegisterLogQuery(name),
                 OpenLogHandle(name)):
        assert admin.call(call).rc == even6.ERROR_EVT_CHANNEL_NOT_FOUND
    # What was open on it finds it empty.
    assert admin.call(even6.GetLogFileInfo(log, 5)).value()[0] == 0
    assert admin.call(even6.QueryNext(query.handle, 10, 0)).rc in (
        even6.ERROR_NO_MORE_ITEMS, even6.ERROR_EVT_QUERY_RESULT_STALE)
    # Nothing of it comes back with its name.
    apply(admin, name)
    assert value(admin, name, cfg.LEVEL) == 0
    query = start_query(admin, name)
    assert all_numbers(drain_query(admin, query.handle)) == []


def test_a_removed_channel_stays_away(make_server):
    server = make_server(administrators=("alice",))
    with logon(server, "alice") as client:
        apply(client, "Made", {cfg.LEVEL: 5})
        assert client.call(RetractConfig("Made")).rc == 0
    server.stop()
    server.start()
    with logon(server, "alice") as client:
        assert "Made" not in channels(client)
        apply(client, "Made")
        assert value(client, "Made", cfg.LEVEL) == 0


@pytest.mark.parametrize("channel", ["Application", "System", "Security",
                                     "ForwardedEvents", "Evenlog/Operational",
                                     "Fixed", "Half"])
def test_channels_that_stay(admin, channel):
    assert admin.call(RetractConfig(channel)).rc == FIXED
    assert channel in channels(admin)


def test_retracting_what_is_not_there_is_no_error(admin, bob, name):
    for client in (admin, bob):
        assert client.call(RetractConfig(name)).rc == 0
    # What waits to be created is dropped.
    assert put(admin, name) == 0
    assert bob.call(RetractConfig(name)).rc == DENIED
    assert admin.call(RetractConfig(name)).rc == 0
    assert admin.call(AssertConfig(name)).rc == INVALID


# Rights, facts 12.2

def test_who_has_no_right_gets_nowhere(host, admin, bob, name):
    apply(admin, name, {cfg.ACCESS: "O:BAG:SYD:(A;;0xf0007;;;BA)"})
    got = bob.call(GetChannelConfig(name))
    assert (got.rc, got.properties) == (DENIED, None)
    got = bob.call(PutChannelConfig(name, {cfg.LEVEL: 1}))
    assert (got.rc, got.error) == (DENIED, (DENIED, 0xFFFFFFFF, 0xFFFFFFFF))
    assert put(bob, name, {}, cfg.CREATE_ANEW) == DENIED
    assert put(bob, name + "/New") == DENIED
    assert bob.call(AssertConfig(name)).rc == DENIED
    assert bob.call(AssertConfig(name + "/New")).rc == DENIED
    assert bob.call(RetractConfig(name)).rc == DENIED
    told = {(report["Channel"], report["Operation"])
            for report in reports(host, 20)
            if report["User"].endswith("\\bob")
            and report["Peer"] == "127.0.0.1"}
    assert {(name, "read"), (name, "configure"), (name, "start afresh"),
            (name + "/New", "create"), (name, "remove")} <= told


@pytest.mark.parametrize("rights, may", [
    (0x1, {"read"}), (0x2, {"configure"}), (0x4, set()),
    (0x10000, {"remove"}), (0x40000, set()),
    (0x40002, {"configure", "access"}),
    (0xf0007, {"read", "configure", "access", "remove"})])
def test_each_right_opens_its_own_door(admin, bob, name, rights, may):
    access = f"O:BAG:SYD:(A;;0x7;;;BA)(A;;0x{rights:x};;;AU)"
    apply(admin, name, {cfg.ACCESS: access})
    done = {"read": bob.call(GetChannelConfig(name)).rc,
            "configure": put(bob, name, {cfg.LEVEL: 2}),
            "access": put(bob, name, {cfg.ACCESS: access}),
            "remove": bob.call(RetractConfig(name)).rc}
    assert done == {what: 0 if what in may else DENIED for what in done}


def test_nobody_gives_himself_a_right_to_read(admin, bob, name):
    """Access is not among what the right to write lets change."""
    apply(admin, name, {cfg.ACCESS: "O:BAG:SYD:(A;;0x2;;;AU)"})
    for access in ("O:BAG:SYD:(A;;0x7;;;AU)", cfg.NULL):
        assert put(bob, name, {cfg.ACCESS: access}) == DENIED
    assert put(bob, name, {}, cfg.CREATE_ANEW) == DENIED
    assert bob.call(AssertConfig(name)).rc == 0
    assert bob.call(GetChannelConfig(name)).rc == DENIED


def test_nobody_else_puts_a_change_of_access_in_force(admin, bob, name):
    """What an administrator has not asserted yet, he may not want any more."""
    apply(admin, name, {cfg.ACCESS: "O:BAG:SYD:(A;;0x2;;;AU)"})
    assert put(admin, name, {cfg.ACCESS: "O:BAG:SYD:(A;;0x7;;;AU)"}) == 0
    assert put(bob, name, {cfg.LEVEL: 3}) == 0
    assert bob.call(AssertConfig(name)).rc == DENIED
    assert bob.call(GetChannelConfig(name)).rc == DENIED
    assert admin.call(AssertConfig(name)).rc == 0
    assert bob.call(GetChannelConfig(name)).rc == 0
    # The string is set, and nobody changes it.
    assert put(bob, name, {cfg.LEVEL: 4}) == 0
    assert bob.call(AssertConfig(name)).rc == 0


def test_only_an_administrator_lets_a_channel_take_more_of_the_disk(
        admin, bob, name):
    apply(admin, name, {cfg.MAX_SIZE: 2 << 20,
                        cfg.ACCESS: "O:BAG:SYD:(A;;0x3;;;AU)"})
    assert put(bob, name, {cfg.MAX_SIZE: 3 << 20}) == DENIED
    assert put(bob, name, {cfg.MAX_SIZE: 2 << 20}) == 0
    assert put(bob, name, {cfg.MAX_SIZE: 1 << 20}) == 0
    assert bob.call(AssertConfig(name)).rc == 0
    assert value(bob, name, cfg.MAX_SIZE) == 1 << 20
    assert put(admin, name, {cfg.MAX_SIZE: 3 << 20}) == 0


def test_an_administrator_configures_what_he_may_not_read(admin, name):
    apply(admin, name, {cfg.ACCESS: "O:BAG:SYD:(A;;0x1;;;SY)"})
    assert admin.call(GetChannelConfig(name)).rc == DENIED
    apply(admin, name, {cfg.ACCESS: "O:BAG:SYD:(A;;0x1;;;BA)"})
    assert admin.call(GetChannelConfig(name)).rc == 0


def test_changes_are_told(host, admin, name):
    apply(admin, name, {cfg.LEVEL: 5})
    apply(admin, name, {cfg.FILE_MAX: 6})
    assert admin.call(AssertConfig(name)).rc == 0
    assert admin.call(RetractConfig(name)).rc == 0
    for event_id, count in ((50, 1), (51, 1), (52, 1)):
        told = [report for report in reports(host, event_id)
                if report["Channel"] == name]
        assert len(told) == count
        assert told[0]["User"].endswith("\\alice")
        assert told[0]["Peer"] == "127.0.0.1"
        if event_id != 52:
            assert "Level=5" in told[0]["Properties"]
        if event_id == 51:
            assert "FileMax=6" in told[0]["Properties"]


def test_changes_are_told_in_words(host, admin, name):
    apply(admin, name, {cfg.LEVEL: 5})
    wait_for_reports(host)
    text = host.evenlog("query", "Evenlog/Operational", "--reverse",
                        "--count=10").stdout
    assert f"The channel {name} was created." in text


# A channel that one may not read does not show

def test_a_hidden_channel_shows_nothing_but_its_name(host, admin, bob, name):
    shown, hidden = name + "/Shown", name + "/Hidden"
    apply(admin, shown, {cfg.ACCESS: "O:BAG:SYD:(A;;0x7;;;WD)"})
    apply(admin, hidden, {cfg.ACCESS: "O:BAG:SYD:(A;;0x7;;;BA)"})
    host.publish(hidden, 3)
    host.publish(shown, 2, first=100)
    host.publish(hidden, 3)
    for paths in ((hidden, shown), (shown, hidden)):
        query = query_list(*paths)
        want = [(path, 5 if path == hidden else 0) for path in paths]
        asked = bob.call(RegisterLogQuery(None, query, 0x1001))
        made = bob.call(RegisterRemoteSubscription(None, query, None,
                                                   0x10001002))
        for got in asked, made:
            assert (got.rc, got.channels) == (0, want)
        position = paths.index(hidden)
        for call in (even6.QueryNext(asked.handle),
                     even6.RemoteSubscriptionNext(made.handle)):
            records = bob.call(call).records()
            assert [r.record_id for r in records] == [1, 2]
            # The record numbers of the other channel stay its own.
            assert [r.record_ids[position] for r in records] == [0, 0]
    # Neither without tolerance, nor alone.
    assert bob.call(RegisterLogQuery(None, query, 1)).rc == DENIED
    for flags in 1, 0x1001:
        assert bob.call(RegisterLogQuery(hidden, "*", flags)).rc == DENIED
        assert bob.call(RegisterLogQuery(None, query_list(hidden),
                                         flags)).rc == DENIED


def test_a_bookmark_does_not_tell_what_a_hidden_channel_has(
        host, admin, bob, name):
    """Strict refuses what is gone: not so for what one may not see."""
    shown, hidden = name + "/Shown", name + "/Hidden"
    apply(admin, shown, {cfg.ACCESS: "O:BAG:SYD:(A;;0x7;;;WD)"})
    apply(admin, hidden, {cfg.ACCESS: "O:BAG:SYD:(A;;0x7;;;BA)"})
    host.publish(shown, 2)
    host.publish(hidden, 3)
    query = query_list(shown, hidden)
    asked = bob.call(RegisterLogQuery(None, query, 0x1001))
    results = []
    for record in (1, 3, 4, 1000):
        mark = bookmark((hidden, record), other=(shown, 1))
        for strict in 0, even6.SEEK_STRICT:
            got = bob.call(even6.QuerySeek(asked.handle, 0,
                                           even6.SEEK_BOOKMARK | strict,
                                           mark))
            left = [] if got.rc else [
                r.record_id for r in bob.call(
                    even6.QueryNext(asked.handle, 10, 0)).records()]
            results.append((strict, got.rc, left))
    assert results[0::2] == results[0:1] * 4
    assert results[1::2] == results[1:2] * 4


# The command

def shown(server, channel, *options):
    """What get-log says, as text: name to value."""
    lines = server.evenlog("get-log", channel, *options).stdout.splitlines()
    return {name: text.strip() for name, _, text in
            (line.partition(" ") for line in lines)}


def test_get_log_shows_every_property(host, admin, name):
    apply(admin, name, CHANGES)
    expected = {
        "Channel": name, "Enabled": False, "Isolation": "custom",
        "Type": "operational", "OwningPublisher": "Some-Publisher",
        "ClassicEventlog": True, "Access": "O:BAG:SYD:(A;;0x7;;;BA)",
        "Retention": False, "AutoBackup": False, "MaxSize": 0x01400000,
        "LogFilePath": CHANGES[cfg.LOG_FILE_PATH], "Level": 0xFFFF,
        "Keywords": "0x8000000000000001", "BufferSize": 64,
        "MinBuffers": 2 * os.cpu_count(),
        "MaxBuffers": 2 * os.cpu_count() + 22, "Latency": 1, "ClockType": 0,
        "SidType": 1, "PublisherList": ["First", "Second"], "FileMax": 16}
    got = json.loads(host.evenlog("gl", name, "--format=json").stdout)
    assert got == expected
    tree = ElementTree.fromstring(
        host.evenlog("get-log", name, "--format=xml").stdout)
    assert tree.findtext("MaxSize") == str(0x01400000)
    text = shown(host, name)
    assert text["Enabled"] == "no"
    assert text["Access"] == "O:BAG:SYD:(A;;0x7;;;BA)"
    assert text["PublisherList"] == "First, Second"


def test_get_log_of_several_and_of_none(host):
    done = host.evenlog("get-log", "System", "No/Such", "Security",
                        check=False)
    assert done.returncode == 1
    assert "no such channel" in done.stderr
    assert done.stdout.count("Channel ") == 2
    assert FALLBACK_ACCESS in done.stdout
    assert "OwningPublisher  -" in done.stdout


def test_set_log_changes_properties(host, admin, name):
    host.evenlog("set-log", name, "--create", "--type=operational")
    host.evenlog(
        "sl", name, "--enabled=no", "--max-size=64M", "--isolation=custom",
        "--access=O:BAG:SYD:(A;;0x7;;;BA)", "--level=5", "--keywords=0x10",
        "--owning-publisher=Some-Publisher", r"--log-file=C:\x.evtx",
        "--file-max=3", "--auto-backup=no")
    got = admin.call(GetChannelConfig(name))
    assert [shown.value for shown in got.properties[:12]] == [
        False, 2, 1, "Some-Publisher", False, "O:BAG:SYD:(A;;0x7;;;BA)",
        False, False, 64 << 20, r"C:\x.evtx", 5, 0x10]
    assert got.value(cfg.FILE_MAX) == 3
    host.evenlog("set-log", name, "--reset", "--level=1")
    assert value(admin, name, cfg.MAX_SIZE) == 20971520
    assert value(admin, name, cfg.LEVEL) == 1
    host.evenlog("set-log", name, "--delete")
    assert name not in channels(admin)


@pytest.mark.parametrize("options, status, said", [
    ((), 2, "nothing to change"),
    (("--max-size=many",), 2, "a size"), (("--enabled=maybe",), 2, "yes or"),
    (("--type=x",), 2, "admin, operational"),
    (("--keywords=x",), 2, "a mask"), (("--level=-1",), 2, "a number"),
    (("--create", "--delete"), 2, "exclude"),
    (("--delete", "--level=1"), 2, "exclude"),
    (("--access=nonsense",), 1, "Access: the access string"),
    (("--auto-backup=yes",), 1, "AutoBackup: the service or its"),
    (("--create",), 1, "exists already")])
def test_what_set_log_refuses(host, options, status, said):
    done = host.evenlog("set-log", "System", *options, check=False)
    assert done.returncode == status
    assert said in done.stderr


def test_set_log_says_what_the_file_has_fixed(host):
    done = host.evenlog("set-log", "Fixed", "--max-size=64M", check=False)
    assert done.returncode == 1
    assert "Fixed: MaxSize: the service or its configuration file" in \
        done.stderr
    done = host.evenlog("set-log", "Fixed", "--delete", check=False)
    assert done.returncode == 1
    assert "cannot remove Fixed" in done.stderr
    done = host.evenlog("set-log", "No/Such", "--level=1", check=False)
    assert done.returncode == 1
    assert "there is no such channel" in done.stderr


def test_the_command_does_it_on_another_host(host, admin, name):
    remote = (f"--remote=127.0.0.1:{host.port}", "--user=alice")
    password = {"EVENLOG_PASSWORD": USERS["alice"]}
    host.evenlog(*remote, "set-log", name, "--create", "--level=4",
                 **password)
    got = json.loads(host.evenlog(*remote, "get-log", name, "--format=json",
                                  **password).stdout)
    assert (got["Channel"], got["Level"]) == (name, 4)
    done = host.evenlog(f"--remote=127.0.0.1:{host.port}", "--user=bob",
                        "set-log", name, "--level=5", check=False,
                        EVENLOG_PASSWORD=USERS["bob"])
    assert done.returncode == 1
    assert "the channel's right to write" in done.stderr
    host.evenlog(*remote, "set-log", name, "--delete", **password)
    assert name not in channels(admin)
