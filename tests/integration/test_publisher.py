# SPDX-License-Identifier: GPL-3.0-or-later
"""
What the service says of publishers and their events, opnums 22 to 28: every
index and type by [MS-EVEN6] 3.1.4.23 to 3.1.4.28 (facts 12.3 and 12.5).
"""

import os
import uuid
import xml.etree.ElementTree as ElementTree

import pytest

import dcerpc
import even6
import ndr
from even6_metadata import (
    ERROR_NO_DATA, HELP_LINK, KEYWORDS, LEVELS, MESSAGE_ID, NONE,
    NUM_PROPERTIES, OPCODES, TASKS, GetClassicLogDisplayName,
    GetEventMetadataEnum, GetNextEventMetadata, GetPublisherList,
    GetPublisherListForChannel, GetPublisherMetadata,
    GetPublisherResourceMetadata)
from server import SOURCE

MAN = "{http://schemas.microsoft.com/win/2004/08/events}"
EVENLOG = os.path.join(SOURCE, "event", "evenlog.man")

# Facts 12.3, the lists: what stands at an index; everything else is Null.
OPENED = {0: ndr.GUID, 7: ndr.STRING_ARRAY, 8: ndr.UINT32_ARRAY,
          9: ndr.UINT32_ARRAY, 10: ndr.UINT32_ARRAY, 11: ndr.UINT32_ARRAY}
GROUPS = {
    HELP_LINK: {},
    MESSAGE_ID: {5: ndr.UINT32},
    LEVELS: {13: ndr.STRING_ARRAY, 14: ndr.UINT32_ARRAY,
             15: ndr.UINT32_ARRAY},
    TASKS: {17: ndr.STRING_ARRAY, 18: ndr.GUID_ARRAY, 19: ndr.UINT32_ARRAY,
            20: ndr.UINT32_ARRAY},
    OPCODES: {22: ndr.STRING_ARRAY, 23: ndr.UINT32_ARRAY,
              24: ndr.UINT32_ARRAY},
    KEYWORDS: {26: ndr.STRING_ARRAY, 27: ndr.UINT64_ARRAY,
               28: ndr.UINT32_ARRAY},
}
# Facts 12.5
EVENT = [ndr.UINT32] * 6 + [ndr.UINT64, ndr.UINT32, ndr.STRING]


def provider(path):
    return ElementTree.parse(path).find(f".//{MAN}provider")


def open_publisher(client, name, locale=0):
    opened = client.call(GetPublisherMetadata(name, locale))
    assert opened.rc == 0
    assert opened.handle != even6.NO_HANDLE
    return opened


def assert_types(result, expected):
    assert result.types() == [expected.get(index, ndr.NULL)
                              for index in range(NUM_PROPERTIES)]
    assert all(variant.flags == 0 for variant in result.properties)
    arrays = [variant.value for variant in result.properties
              if variant.type >= ndr.BOOLEAN_ARRAY]
    assert None not in arrays       # never a NULL pointer
    assert len({len(array) for array in arrays}) <= 1


# Opnums 22 and 23

def test_every_publisher_is_listed(client):
    listed = client.call(GetPublisherList())
    assert listed.rc == 0
    assert "Evenlog" in listed.names
    assert listed.names == sorted(listed.names, key=str.lower)
    # [MS-EVEN6] 3.1.4.23: flags may be ignored.
    assert client.call(GetPublisherList(7)) == listed


def test_publishers_of_a_channel(client, channel):
    # Evenlog's own channel is for those who may read it: alice is a reader.
    listed = client.call(GetPublisherListForChannel("Evenlog/Operational"))
    assert (listed.rc, listed.names) == (0, ["Evenlog"])
    listed = client.call(GetPublisherListForChannel("evenlog/OPERATIONAL"))
    assert (listed.rc, listed.names) == (0, ["Evenlog"])
    # One that nobody says he writes to.
    listed = client.call(GetPublisherListForChannel(channel))
    assert (listed.rc, listed.names) == (0, [])


@pytest.mark.parametrize("name", ["No/Such", "", "a" * 600, "\\x"])
def test_publishers_of_a_channel_that_is_none(client, name):
    listed = client.call(GetPublisherListForChannel(name))
    assert listed.rc == even6.ERROR_INVALID_PARAMETER
    assert listed.names is None


def test_publishers_of_a_channel_one_may_not_read(connect):
    """The same answer as for one that is not there."""
    listed = connect("bob").call(
        GetPublisherListForChannel("Evenlog/Operational"))
    assert listed.rc == even6.ERROR_INVALID_PARAMETER
    assert listed.names is None


# Opnum 24

def test_what_opening_a_publisher_says(client):
    opened = open_publisher(client, "Evenlog")
    assert_types(opened, OPENED)
    own = provider(EVENLOG)
    assert opened[0] == uuid.UUID(own.get("guid"))
    channels = [one.get("name") for one in own.iter(f"{MAN}channel")]
    assert opened[7] == channels
    assert opened[8] == list(range(len(channels)))
    assert len(set(opened[9])) == len(channels)     # ids of descriptors
    assert opened[10] == [0] * len(channels)        # not imported
    assert NONE not in opened[11]


@pytest.mark.parametrize("name", [
    "evenlog", "EVENLOG", "{7c0a9e5b-4f1d-4b0e-9c39-6d1f3a52e8b4}"])
def test_a_publisher_by_another_spelling(client, name):
    assert open_publisher(client, name)[7] == ["Evenlog/Operational"]


@pytest.mark.parametrize("name", ["No-Such", "", "{0}", "x" * 2000])
def test_a_publisher_that_is_none(client, name):
    opened = client.call(GetPublisherMetadata(name))
    assert opened.rc == even6.ERROR_FILE_NOT_FOUND
    assert opened.properties is None
    assert opened.handle == even6.NO_HANDLE


def test_a_name_longer_than_the_protocol_has_is_a_fault(client):
    assert even6.fault_of(client, GetPublisherMetadata("x" * 2048)) == \
        dcerpc.FAULT_INVALID_BOUND


def test_a_log_file_and_flags_are_ignored(client):
    opened = client.call(
        GetPublisherMetadata("Evenlog", file="C:\\x.evtx", flags=9))
    assert opened.rc == 0
    assert_types(opened, OPENED)


def test_the_default_publisher(client):
    """Without a name: the standard names, facts 12.3 and 12.6."""
    opened = open_publisher(client, None)
    assert_types(opened, OPENED)
    levels = client.call(GetPublisherResourceMetadata(opened.handle, LEVELS))
    assert dict(zip(levels[14], levels[13]))[2] == "win:Error"
    assert levels[14] == list(range(16))
    opcodes = client.call(
        GetPublisherResourceMetadata(opened.handle, OPCODES))
    assert {value >> 16 for value in opcodes[23]} == {*range(10), 240}
    assert not any(value & 0xFFFF for value in opcodes[23])
    keywords = client.call(
        GetPublisherResourceMetadata(opened.handle, KEYWORDS))
    assert {1 << bit for bit in range(48, 56)} <= set(keywords[27])
    tasks = client.call(GetPublisherResourceMetadata(opened.handle, TASKS))
    assert tasks[19] == [0]
    assert tasks[18] == [uuid.UUID(int=0)]


def test_a_channel_one_may_not_read_is_left_out(client, connect):
    """Of all of the parallel arrays; bob is no Event Log Reader."""
    assert open_publisher(client, "Evenlog")[7] == ["Evenlog/Operational"]
    opened = open_publisher(connect("bob"), "Evenlog")
    assert_types(opened, OPENED)
    assert [opened[index] for index in range(7, 12)] == [[]] * 5
    # Application may be read by interactive users, Security by readers.
    standard = open_publisher(connect("bob"), None)
    assert "Security" not in standard[7]
    assert_types(standard, OPENED)
    assert "Security" in open_publisher(client, None)[7]


# Opnum 25

@pytest.mark.parametrize("publisher", ["Evenlog", None])
@pytest.mark.parametrize("group", GROUPS)
def test_a_group_of_properties(client, publisher, group):
    handle = open_publisher(client, publisher).handle
    result = client.call(GetPublisherResourceMetadata(handle, group))
    assert result.rc == 0
    assert_types(result, GROUPS[group])


@pytest.mark.parametrize("group", [
    0, 1, 2, 3, 6, 7, 0xB, 0xD, 0xE, 0x11, 0x14, 0x16, 0x18, 0x1A, 28, 29,
    0xFFFFFFFF])
def test_a_group_that_does_not_exist(client, group):
    handle = open_publisher(client, "Evenlog").handle
    result = client.call(GetPublisherResourceMetadata(handle, group))
    assert result.rc == even6.ERROR_INVALID_PARAMETER
    assert result.properties is None


# Opnums 26 and 27

def enumerate_events(client, handle, count=256):
    """All events, and what each call gave."""
    opened = client.call(GetEventMetadataEnum(handle))
    assert opened.rc == 0
    events, sizes = [], []
    while True:
        got = client.call(GetNextEventMetadata(opened.handle, count))
        if got.rc == ERROR_NO_DATA:
            assert got.lists is None
            return events, sizes
        assert got.rc == 0
        for one in got.lists:
            assert [variant.type for variant in one] == EVENT
            assert not any(variant.flags for variant in one)
        events += got.values()
        sizes.append(len(got.lists))


def test_the_events_of_a_publisher(client):
    opened = open_publisher(client, "Evenlog")
    events, _ = enumerate_events(client, opened.handle)
    declared = provider(EVENLOG).findall(f".//{MAN}event")
    levels = {"win:Error": 2, "win:Warning": 3, "win:Informational": 4}
    assert [(event[0], event[1], event[3]) for event in events] == sorted(
        (int(one.get("value")), 0, levels[one.get("level")])
        for one in declared)
    templates = {one.get("value"): one.get("template") for one in declared}
    fields = {one.get("tid"): [data.get("name") for data in one]
              for one in provider(EVENLOG).iter(f"{MAN}template")}
    for event in events:
        assert [event[2]] == opened[9]      # the channel's id
        assert event[7] != NONE
        template = templates[str(event[0])]
        if template is None:
            assert event[8] == ""
            continue
        root = ElementTree.fromstring(event[8])
        assert root.tag == f"{MAN}template"
        assert [(data.tag, data.get("name"), data.get("inType"))
                for data in root] == [
            (f"{MAN}data", name, "win:UnicodeString")
            for name in fields[template]]


@pytest.mark.parametrize("count", [1, 5, 13, 14, 15, 1000, 0xFFFFFFFF])
def test_events_come_in_the_numbers_asked_for(client, count):
    handle = open_publisher(client, "Evenlog").handle
    every, _ = enumerate_events(client, handle)
    events, sizes = enumerate_events(client, handle, count)
    assert events == every
    assert all(size == min(count, len(every)) for size in sizes[:-1])


def test_none_asked_for_none_given(client):
    handle = client.call(GetEventMetadataEnum(
        open_publisher(client, "Evenlog").handle)).handle
    for _ in range(3):
        got = client.call(GetNextEventMetadata(handle, 0))
        assert (got.rc, got.lists) == (0, [])
    assert client.call(GetNextEventMetadata(handle, 1)).values()[0][0] == 1


def test_a_publisher_without_events(client):
    """Once a success of none, then the end."""
    handle = client.call(GetEventMetadataEnum(
        open_publisher(client, None).handle)).handle
    got = client.call(GetNextEventMetadata(handle))
    assert (got.rc, got.lists) == (0, [])
    got = client.call(GetNextEventMetadata(handle))
    assert (got.rc, got.lists) == (ERROR_NO_DATA, None)


def test_an_enumeration_outlives_its_publisher(client):
    publisher = open_publisher(client, "Evenlog").handle
    handle = client.call(GetEventMetadataEnum(publisher, 3, "ignored")).handle
    assert client.call(even6.Close(publisher)).rc == 0
    assert len(client.call(GetNextEventMetadata(handle, 2)).lists) == 2
    assert client.call(even6.Close(handle)).rc == 0
    assert even6.fault_of(client, GetNextEventMetadata(handle)) == \
        dcerpc.FAULT_CONTEXT_MISMATCH


# Handles

@pytest.mark.parametrize("call", [
    lambda h: GetPublisherResourceMetadata(h, LEVELS),
    GetEventMetadataEnum, GetNextEventMetadata])
def test_a_handle_of_another_kind(client, call):
    control = client.call(even6.RegisterControllableOperation()).handle
    query = client.call(even6.RegisterLogQuery("Application")).handle
    publisher = open_publisher(client, "Evenlog").handle
    events = client.call(GetEventMetadataEnum(publisher)).handle
    wrong = [control, query]
    wrong.append(publisher if call is GetNextEventMetadata else events)
    for handle in wrong:
        result = client.call(call(handle))
        assert result.rc == even6.ERROR_INVALID_PARAMETER
    # And in other calls' place.
    assert client.call(even6.QueryNext(publisher)).rc == \
        even6.ERROR_INVALID_PARAMETER


@pytest.mark.parametrize("call", [
    lambda h: GetPublisherResourceMetadata(h, LEVELS),
    GetEventMetadataEnum])
def test_a_handle_that_is_none(client, connect, call):
    handle = open_publisher(client, "Evenlog").handle
    assert client.call(call(handle)).rc == 0
    # Another client's, closed, and zero.
    assert even6.fault_of(connect(), call(handle)) == \
        dcerpc.FAULT_CONTEXT_MISMATCH
    assert client.call(even6.Close(handle)).rc == 0
    assert even6.fault_of(client, call(handle)) == \
        dcerpc.FAULT_CONTEXT_MISMATCH
    assert even6.fault_of(client, call(even6.NO_HANDLE)) == \
        dcerpc.FAULT_CONTEXT_MISMATCH


# Opnum 28

@pytest.mark.parametrize("log", ["Application", "Security", "System"])
@pytest.mark.parametrize("locale,flags", [
    (0, 0), (0x409, 0), (0x809, 0), (0x407, 0x100), (0, 0x100)])
def test_the_display_name_of_a_classic_log(client, log, locale, flags):
    """English is what there is; 0x809 is of the same language."""
    shown = client.call(GetClassicLogDisplayName(log, locale, flags))
    assert (shown.rc, shown.name) == (0, log)
    shown = client.call(GetClassicLogDisplayName(log.upper(), locale, flags))
    assert (shown.rc, shown.name) == (0, log)


def test_a_display_name_in_a_language_there_is_not(client):
    shown = client.call(GetClassicLogDisplayName("Application", 0x407, 0))
    assert (shown.rc, shown.name) == (even6.ERROR_NOT_FOUND, None)


@pytest.mark.parametrize("log", ["No/Such", "Evenlog/Operational"])
def test_the_display_name_of_what_is_no_classic_log(client, log):
    shown = client.call(GetClassicLogDisplayName(log))
    assert (shown.rc, shown.name) == (even6.ERROR_NOT_FOUND, None)


@pytest.mark.parametrize("flags", [1, 0x101, 0x200, 0xFFFFFFFF])
def test_flags_of_a_display_name(client, flags):
    shown = client.call(GetClassicLogDisplayName("Application", 0, flags))
    assert (shown.rc, shown.name) == (even6.ERROR_INVALID_PARAMETER, None)


def test_the_display_name_of_a_log_one_may_not_read(connect):
    shown = connect("bob").call(GetClassicLogDisplayName("Security"))
    assert (shown.rc, shown.name) == (even6.ERROR_NOT_FOUND, None)
