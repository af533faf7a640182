# SPDX-License-Identifier: GPL-3.0-or-later
"""
Texts for events, opnums 9 and 10: [MS-EVEN6] 3.1.4.31 and 3.1.4.32 (facts
4.8 and 12.6), with the publishers every service has.
"""

import struct

import pytest

import dcerpc
import even6
import ndr
from even6_metadata import (
    CHANNEL, ERROR_MESSAGE_ID_NOT_FOUND, ERROR_MESSAGE_NOT_FOUND, EVENT, ID,
    KEYWORD, LEVEL, OPCODE, PROVIDER, TASK, GetClassicLogDisplayName,
    GetEventMetadataEnum, GetNextEventMetadata, GetPublisherMetadata,
    MessageRender, MessageRenderDefault, descriptor, strings)

ACCESS_REFUSED, STARTED = 20, 1     # events of event/evenlog.man


@pytest.fixture
def evenlog(client):
    opened = client.call(GetPublisherMetadata("Evenlog"))
    assert opened.rc == 0
    return opened


def message_ids(client, publisher):
    handle = client.call(GetEventMetadataEnum(publisher)).handle
    events = client.call(GetNextEventMetadata(handle)).values()
    return {event[0]: event[7] for event in events}


# The examples of facts 2.3, byte by byte.

def test_the_bytes_of_a_message(client, evenlog):
    """op 9: sizes, the text as a byte array, RpcInfo, result."""
    stub = ndr.Writer(False).handle(evenlog.handle).u32(16, 16)
    stub.data += descriptor(level=2)
    stub.u32(0, 0, 0, LEVEL, 4096)
    reply = client.call(even6.Raw(9, stub.data))
    text = "Error\0".encode("utf-16-le")
    assert reply[:8] == struct.pack("<II", len(text), len(text))
    assert reply[8:12] != bytes(4)      # a referent
    assert reply[12:16] == struct.pack("<I", len(text))
    assert reply[16:] == text + bytes(12) + bytes(4)


def test_the_bytes_of_an_odd_number_of_units(client):
    """"Stop" and NUL have 10 bytes: two of padding before the RpcInfo."""
    stub = ndr.Writer(False).u32(16, 16)
    stub.data += descriptor(opcode=2)
    stub.u32(0, 0, 0, OPCODE, 4096)
    reply = client.call(even6.Raw(10, stub.data))
    text = "Stop\0".encode("utf-16-le")
    assert len(reply) == 16 + 10 + 2 + 12 + 4
    assert reply[16:] == text + bytes(2) + bytes(12) + bytes(4)


def test_the_bytes_of_a_display_name(client):
    reply = client.call(even6.Raw(28, ndr.Writer(False).string("System")
                                  .u32(0, 0).data))
    text = "System\0".encode("utf-16-le")
    assert reply[:4] != bytes(4)
    assert reply[4:16] == struct.pack("<III", 7, 0, 7)
    assert reply[16:] == text + bytes(2) + bytes(4)


def test_the_bytes_of_an_opened_publisher(client):
    """
    op 24: the list's count and referent, 29 entries of 16 or, where there is
    an array, 20 bytes and padding to eight; what they point to; the handle;
    the result.
    """
    stub = ndr.Writer(False).unique_string("Evenlog").unique_string(None) \
        .u32(0x409, 0)
    reply = client.call(even6.Raw(24, stub.data))
    assert struct.unpack_from("<I", reply) == (29,)
    assert reply[4:8] != bytes(4)
    assert struct.unpack_from("<I", reply, 8) == (29,)
    at, types = 16, []
    for _ in range(29):
        at += -at % 8
        kind, flags, arm = struct.unpack_from("<III", reply, at)
        assert (flags, arm) == (0, kind)
        types.append(kind)
        at += 16 if kind <= ndr.GUID else 20
    assert types[:12] == [ndr.GUID, 0, 0, 0, 0, 0, 0, ndr.STRING_ARRAY,
                          ndr.UINT32_ARRAY, ndr.UINT32_ARRAY,
                          ndr.UINT32_ARRAY, ndr.UINT32_ARRAY]
    # The first thing pointed to is the GUID of entry 0.
    at += -at % 4
    assert reply[at:at + 16] == bytes.fromhex(
        "5b9e0a7c1d4f0e4b9c396d1f3a52e8b4")
    # Then the paths: their number, a referent, the string.
    name = "Evenlog/Operational\0".encode("utf-16-le")
    assert struct.unpack_from("<I", reply, at + 16) == (1,)
    assert struct.unpack_from("<III", reply, at + 24) == (20, 0, 20)
    assert reply[at + 36:at + 36 + len(name)] == name
    assert reply[-4:] == bytes(4)
    assert reply[-24:-20] == bytes(4) and any(reply[-20:-4])


# Texts

def test_a_message_with_its_values(client, evenlog):
    """Tabs and line ends as FormatMessage makes them."""
    shown = client.call(MessageRender(
        evenlog.handle, EVENT, descriptor(ACCESS_REFUSED),
        values=strings("DOM\\bob", "10.1.2.3", "Security", "read")))
    assert shown.rc == 0
    assert shown.error == (0, 0, 0)
    assert shown.text == ("Access was refused.\r\n\r\nUser:\tDOM\\bob\r\n"
                          "From:\t10.1.2.3\r\nChannel:\tSecurity\r\n"
                          "Operation:\tread")
    assert shown.actual == shown.needed == len(shown.data)


def test_missing_and_superfluous_values(client, evenlog):
    shown = client.call(MessageRender(
        evenlog.handle, EVENT, descriptor(ACCESS_REFUSED),
        values=strings("bob")))
    assert shown.text == ("Access was refused.\r\n\r\nUser:\tbob\r\n"
                          "From:\t%2\r\nChannel:\t%3\r\nOperation:\t%4")
    shown = client.call(MessageRender(
        evenlog.handle, EVENT, descriptor(STARTED),
        values=strings("9.9", "more", "and more")))
    assert shown.text == "The event log service was started (version 9.9)."


@pytest.mark.parametrize("value", [
    "", "ä€𝄞", "100 %", "%2", "%n", "%%", "a\tb\r\nc", "<&>"])
def test_a_value_is_text_as_it_is(client, evenlog, value):
    shown = client.call(MessageRender(
        evenlog.handle, EVENT, descriptor(STARTED), values=strings(value)))
    assert shown.text == \
        f"The event log service was started (version {value})."


def test_a_message_by_its_number(client, evenlog):
    """The event's other fields do not matter then."""
    ids = message_ids(client, evenlog.handle)
    shown = client.call(MessageRender(
        evenlog.handle, ID, b"\xff", ids[STARTED], strings("1")))
    assert shown.text == "The event log service was started (version 1)."


def test_the_names_of_an_event(client, evenlog):
    event = descriptor(STARTED, channel=evenlog[9][0], level=4,
                       keywords=0x30000000000000)
    for flags, text in ((LEVEL, "Information"), (TASK, "None"),
                        (OPCODE, "Info"),
                        (KEYWORD, "Audit Failure\0Audit Success\0"),
                        (CHANNEL, "Evenlog/Operational"),
                        (PROVIDER, "Evenlog")):
        shown = client.call(MessageRender(evenlog.handle, flags, event))
        assert (shown.rc, shown.text) == (0, text)


@pytest.mark.parametrize("flags,event,text", [
    (LEVEL, descriptor(level=1), "Critical"),
    (LEVEL, descriptor(level=2), "Error"),
    (LEVEL, descriptor(level=3), "Warning"),
    (LEVEL, descriptor(level=4), "Information"),
    (LEVEL, descriptor(level=5), "Verbose"),
    (TASK, descriptor(), "None"),
    (OPCODE, descriptor(opcode=0), "Info"),
    (OPCODE, descriptor(opcode=1), "Start"),
    (OPCODE, descriptor(opcode=2), "Stop"),
    (OPCODE, descriptor(opcode=240), "Receive"),
    (KEYWORD, descriptor(keywords=0x10000000000000), "Audit Failure\0"),
    (KEYWORD, descriptor(keywords=0x20000000000000), "Audit Success\0"),
    (KEYWORD, descriptor(keywords=0x40000000000000), "Correlation Hint\0"),
    (KEYWORD, descriptor(keywords=0x80000000000000), "Classic\0"),
    # The channel's bits at the top are nobody's keywords.
    (KEYWORD, descriptor(keywords=0x8080000000000000), "Classic\0"),
])
def test_the_standard_names(client, evenlog, flags, event, text):
    """From the default table, and over the default publisher's handle."""
    shown = client.call(MessageRenderDefault(flags, event))
    assert (shown.rc, shown.text) == (0, text)
    default = client.call(GetPublisherMetadata(None)).handle
    for handle in (default, evenlog.handle):
        shown = client.call(MessageRender(handle, flags, event))
        assert (shown.rc, shown.text) == (0, text)


@pytest.mark.parametrize("number,text", [
    (256, "Application"), (257, "Security"), (258, "System")])
def test_the_channels_dotnet_asks_for(client, number, text):
    shown = client.call(MessageRenderDefault(ID, message=number))
    assert (shown.rc, shown.text) == (0, text)


def test_a_channel_one_may_not_read_has_no_name(client, connect):
    opened = client.call(GetPublisherMetadata("Evenlog"))
    channel, number = opened[9][0], opened[11][0]
    stranger = connect("bob")
    handle = stranger.call(GetPublisherMetadata("Evenlog")).handle
    shown = stranger.call(MessageRender(
        handle, CHANNEL, descriptor(channel=channel)))
    assert (shown.rc, shown.data) == (ERROR_MESSAGE_ID_NOT_FOUND, None)
    shown = stranger.call(MessageRender(handle, ID, message=number))
    assert (shown.rc, shown.data) == (ERROR_MESSAGE_NOT_FOUND, None)


# Sizes

@pytest.mark.parametrize("size", [0, 1, 2, 11])
def test_too_little_room(client, evenlog, size):
    """"Error" and NUL take 12 bytes."""
    for call in (MessageRender(evenlog.handle, LEVEL, descriptor(level=2),
                               size=size),
                 MessageRenderDefault(LEVEL, descriptor(level=2), size=size)):
        shown = client.call(call)
        assert shown.rc == even6.ERROR_INSUFFICIENT_BUFFER
        assert (shown.actual, shown.needed, shown.data) == (0, 12, None)
        assert shown.error[0] == even6.ERROR_INSUFFICIENT_BUFFER


@pytest.mark.parametrize("size", [12, 13, 2 * 1024 * 1024, 0xFFFFFFFF])
def test_enough_room(client, size):
    shown = client.call(MessageRenderDefault(LEVEL, descriptor(level=2),
                                             size=size))
    assert (shown.rc, shown.actual, shown.text) == (0, 12, "Error")


@pytest.mark.parametrize("size", [1, 2, 8, 12, 16, 17, 256])
def test_sizes_of_a_descriptor(client, size):
    """Short ones are filled up with zeros (facts 16.1)."""
    event = (descriptor(level=2) + bytes(256))[:size]
    shown = client.call(MessageRenderDefault(LEVEL, event))
    assert shown.text == ("Error" if size > 4 else "Information")


@pytest.mark.parametrize("size", [0, 257])
def test_sizes_that_no_descriptor_has(client, size):
    assert even6.fault_of(
        client, MessageRenderDefault(LEVEL, bytes(size))) == \
        dcerpc.FAULT_INVALID_BOUND


# Errors

@pytest.mark.parametrize("flags", [0, 9, 10, 0x10000, 0xFFFFFFFF])
def test_flags_there_are_not(client, evenlog, flags):
    for call in (MessageRender(evenlog.handle, flags),
                 MessageRenderDefault(flags)):
        shown = client.call(call)
        assert shown.rc == shown.error[0] == even6.ERROR_INVALID_PARAMETER
        assert (shown.actual, shown.needed, shown.data) == (0, 0, None)


@pytest.mark.parametrize("flags", [CHANNEL, PROVIDER])
def test_flags_that_need_a_publisher(client, flags):
    shown = client.call(MessageRenderDefault(flags))
    assert shown.rc == even6.ERROR_INVALID_PARAMETER


@pytest.mark.parametrize("flags,event,message,rc", [
    (EVENT, descriptor(999), 0, ERROR_MESSAGE_ID_NOT_FOUND),
    (LEVEL, descriptor(level=99), 0, ERROR_MESSAGE_ID_NOT_FOUND),
    (TASK, descriptor(task=99), 0, ERROR_MESSAGE_ID_NOT_FOUND),
    (OPCODE, descriptor(opcode=99), 0, ERROR_MESSAGE_ID_NOT_FOUND),
    (KEYWORD, descriptor(keywords=1), 0, ERROR_MESSAGE_ID_NOT_FOUND),
    (CHANNEL, descriptor(channel=99), 0, ERROR_MESSAGE_ID_NOT_FOUND),
    (ID, descriptor(), 0x12345678, ERROR_MESSAGE_NOT_FOUND),
    (ID, descriptor(), 0xFFFFFFFF, ERROR_MESSAGE_ID_NOT_FOUND),
])
def test_what_has_no_text(client, evenlog, flags, event, message, rc):
    calls = [MessageRender(evenlog.handle, flags, event, message)]
    if flags != CHANNEL:
        calls.append(MessageRenderDefault(flags, event, message))
    for call in calls:
        shown = client.call(call)
        assert shown.rc == shown.error[0] == rc
        assert (shown.actual, shown.needed, shown.data) == (0, 0, None)


def test_a_language_the_publisher_has_not(client):
    """A concrete one is strict, for messages; facts 12.3."""
    opened = client.call(GetPublisherMetadata("Evenlog", 0x411))
    assert opened.rc == 0
    shown = client.call(MessageRender(
        opened.handle, EVENT, descriptor(STARTED)))
    assert (shown.rc, shown.data) == (ERROR_MESSAGE_NOT_FOUND, None)
    shown = client.call(MessageRender(
        opened.handle, LEVEL, descriptor(level=2)))
    assert (shown.rc, shown.text) == (0, "Error")
    for lcid in (0x409, 0x809, 0):      # en-US, en-GB, whatever there is
        opened = client.call(GetPublisherMetadata("Evenlog", lcid))
        shown = client.call(MessageRender(
            opened.handle, EVENT, descriptor(STARTED), values=strings("1")))
        assert shown.text.startswith("The event log service")


def test_handles_that_are_no_publisher(client, connect, evenlog):
    control = client.call(even6.RegisterControllableOperation()).handle
    shown = client.call(MessageRender(control, LEVEL))
    assert shown.rc == shown.error[0] == even6.ERROR_INVALID_PARAMETER
    assert client.call(even6.Close(evenlog.handle)).rc == 0
    for handle in (evenlog.handle, even6.NO_HANDLE):
        assert even6.fault_of(client, MessageRender(handle, LEVEL)) == \
            dcerpc.FAULT_CONTEXT_MISMATCH
    other = connect().call(GetPublisherMetadata("Evenlog")).handle
    assert even6.fault_of(client, MessageRender(other, LEVEL)) == \
        dcerpc.FAULT_CONTEXT_MISMATCH


def test_a_variant_that_is_none_is_a_fault(client, evenlog):
    writer = ndr.Writer(False).handle(evenlog.handle).u32(16, 16)
    writer.data += descriptor(STARTED)
    # A list of one, of type 11.
    writer.u32(0, 1, 0x20000, 1).align(8).u32(11, 0, 11, 0)
    writer.u32(EVENT, 4096)
    assert even6.fault_of(client, even6.Raw(9, writer.data)) == \
        dcerpc.FAULT_BAD_STUB_DATA


def test_more_variants_than_a_list_takes(client, evenlog):
    call = MessageRender(evenlog.handle, EVENT, descriptor(STARTED),
                         values=strings(*["x"] * 256))
    assert client.call(call).rc == 0
    call.values = strings(*["x"] * 257)
    assert even6.fault_of(client, call) == dcerpc.FAULT_INVALID_BOUND


def test_long_values(client, evenlog):
    """A text of 2 MiB is the limit; beyond it, an error and no more."""
    long = "x" * 500_000
    call = MessageRender(evenlog.handle, EVENT, descriptor(ACCESS_REFUSED),
                         values=strings(long, long))
    shown = client.call(call)
    assert shown.rc == 0
    assert shown.text.count("x") == 1_000_000
    call.values = strings(long, long, long)
    shown = client.call(call)
    assert (shown.rc, shown.data) == (0x718, None)
    assert client.call(GetClassicLogDisplayName("System")).rc == 0
