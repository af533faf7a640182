# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every call: stubs that are wrong, opnums that are not
served, and the faults that [MS-EVEN6] and [MS-RPCE] want for them."""

import struct

import pytest

import dcerpc
import even6
import even6_config
from even6 import Raw
from ndr import Writer
from subscribing import start_query, subscribe

NOT_SUPPORTED = struct.pack("<I", even6.ERROR_NOT_SUPPORTED)
NULL_HANDLE = bytes(20)


def strings(*texts):
    writer = Writer()
    for text in texts:
        writer.string(text)
    return writer


def test_the_call_that_is_not_served_is_answered_in_form(client):
    """Opnum 8: its RpcInfo and its return value, [MS-EVEN6] 6 in NDR."""
    control = client.call(even6.RegisterControllableOperation()).handle
    reply = client.call(Raw(8, Writer().handle(control).string(
        "C:\\x.evtx").u32(0x409, 0).data))
    assert len(reply) == 16
    assert reply[:4] == reply[-4:] == NOT_SUPPORTED


@pytest.mark.parametrize("opnum", [29, 30, 100, 0xFFFF])
def test_an_opnum_that_does_not_exist(client, opnum):
    assert even6.fault_of(client, Raw(opnum)) == dcerpc.FAULT_OP_RANGE
    # The connection goes on.
    assert client.call(even6.GetChannelList()).rc == 0


# Stubs

HANDLE = bytes(4) + bytes(range(16))
REQUESTS = [
    even6.RegisterRemoteSubscription("Application", "*", "<BookmarkList/>"),
    even6.RemoteSubscriptionNextAsync(HANDLE),
    even6.RemoteSubscriptionNext(HANDLE),
    even6.RemoteSubscriptionWaitAsync(HANDLE),
    even6.RegisterLogQuery("Application"),
    even6.QueryNext(HANDLE),
    even6.QuerySeek(HANDLE, -1, 2, "<BookmarkList/>"),
    even6.Close(HANDLE),
    even6.Cancel(HANDLE),
    even6.OpenLogHandle("Application"),
    even6.GetLogFileInfo(HANDLE, 0),
    even6.GetChannelList(),
    even6_config.GetChannelConfig("Application"),
    even6_config.PutChannelConfig("Application", {
        even6_config.ENABLED: True, even6_config.LOG_FILE_PATH: "x",
        even6_config.PUBLISHER_LIST: ["One", "Two"]}),
    even6_config.AssertConfig("Application"),
    even6_config.RetractConfig("Application"),
]


@pytest.mark.parametrize("call", REQUESTS, ids=lambda c: f"opnum{c.opnum}")
def test_a_stub_cut_off_anywhere_is_bad(client, call):
    stub = call.stub()
    for size in range(len(stub)):
        fault = even6.fault_of(client, Raw(call.opnum, stub[:size]))
        assert fault == dcerpc.FAULT_BAD_STUB_DATA, \
            f"{size} of {len(stub)} bytes: {fault}"


@pytest.mark.parametrize("size", [1, 4, 12, 1000])
def test_bytes_behind_a_request_do_no_harm(client, channel, size):
    """impacket sends twelve with some calls (facts 16.1)."""
    more = b"\xaa" * size
    for call in (even6.RegisterRemoteSubscription(channel),
                 even6.RegisterLogQuery(channel),
                 even6.OpenLogHandle(channel)):
        reply = client.call(Raw(call.opnum, call.stub() + more))
        got = even6._reply(call, reply)
        assert got.rc == 0
        assert got.handle != even6.NO_HANDLE
        closed = client.call(Raw(13, got.handle + more))
        assert closed == bytes(24)


def counted(count, text=""):
    """A string that claims another size than it has."""
    units = text.encode("utf-16-le")
    return struct.pack("<III", count, 0, len(units) // 2) + units + \
        b"\0" * (-len(units) % 4)


def unique(data):
    return struct.pack("<I", 0x20000) + data


STAR = counted(2, "*\0")
NULL = bytes(4)


@pytest.mark.parametrize("opnum, stub", [
    # channelPath: 0 to 512 units
    (0, unique(counted(513, "a" * 512 + "\0")) + STAR + NULL + b"\1\0\0\0"),
    # query: at least 1 unit, at most 1,048,576
    (0, NULL + counted(0) + NULL + b"\1\0\0\0"),
    (0, NULL + counted(1048577, "*\0") + NULL + b"\1\0\0\0"),
    # bookmarkXml
    (0, NULL + STAR + unique(counted(1048577, "\0")) + b"\1\0\0\0"),
    (5, unique(counted(32769, "A\0")) + STAR + b"\1\1\0\0"),
    (5, NULL + counted(0) + b"\1\1\0\0"),
    (17, counted(0) + b"\1\0\0\0"),
    (17, counted(513, "a" * 512 + "\0") + b"\1\0\0\0"),
    (18, HANDLE + struct.pack("<II", 0, 2097153)),
    (15, counted(513, "a" * 512 + "\0") + bytes(4)),
    (9, HANDLE + struct.pack("<II", 257, 257) + bytes(257 + 3 + 32)),
    (9, HANDLE + struct.pack("<II", 0, 0) + bytes(32)),
])
def test_a_size_out_of_its_range(client, opnum, stub):
    assert even6.fault_of(client, Raw(opnum, stub)) == \
        dcerpc.FAULT_INVALID_BOUND
    assert client.call(even6.GetChannelList()).rc == 0


def test_the_longest_names_that_are_in_range(client):
    """511 characters and the NUL: unknown, but not out of bounds."""
    name = "a" * 511
    got = client.call(even6.RegisterRemoteSubscription(name))
    assert got.rc in (even6.ERROR_EVT_CHANNEL_NOT_FOUND,
                      even6.ERROR_EVT_INVALID_CHANNEL_PATH)
    assert client.call(even6.OpenLogHandle(name)).rc in (
        even6.ERROR_EVT_CHANNEL_NOT_FOUND,
        even6.ERROR_EVT_INVALID_CHANNEL_PATH)


def test_a_query_of_the_largest_size(client, channel):
    """Two megabytes of request, in many fragments."""
    query = "*" + " " * (1048576 - 2)
    assert start_query(client, channel, query=query).channels == \
        [(channel, 0)]


@pytest.mark.parametrize("stub", [
    # The actual count is above the maximum.
    unique(struct.pack("<III", 2, 0, 3) + "ab\0".encode("utf-16-le") + b"\0\0")
    + STAR + NULL + b"\1\0\0\0",
    # An offset.
    unique(struct.pack("<III", 4, 1, 3) + "ab\0".encode("utf-16-le") + b"\0\0")
    + STAR + NULL + b"\1\0\0\0",
])
def test_counts_that_contradict_each_other(client, stub):
    assert even6.fault_of(client, Raw(0, stub)) in (
        dcerpc.FAULT_BAD_STUB_DATA, dcerpc.FAULT_INVALID_BOUND)


def test_strings_without_their_end(client):
    """Windows refuses them; a service may also take them (facts 16.1)."""
    stub = counted(11, "Application") + b"\1\0\0\0"
    try:
        reply = client.call(Raw(17, stub))
    except dcerpc.Fault as fault:
        assert fault.status == dcerpc.FAULT_BAD_STUB_DATA
    else:
        assert reply[-4:] == bytes(4)


def test_lone_surrogates_in_a_name(client):
    got = even6.fault_of(client, even6.OpenLogHandle("A\ud800B"))
    assert got in (None, dcerpc.FAULT_BAD_STUB_DATA)
    assert client.call(even6.GetChannelList()).rc == 0


# Control handles, opnum 4

def test_a_control_of_nothing(client):
    control = client.call(even6.RegisterControllableOperation())
    assert control.rc == 0
    assert control.handle != even6.NO_HANDLE
    assert client.call(even6.Cancel(control.handle)).rc == 0
    closed = client.call(even6.Close(control.handle))
    assert (closed.rc, closed.handle) == (0, even6.NO_HANDLE)


def test_handles_are_limited_and_come_back(make_server):
    server = make_server(rpc="handles_per_connection = 10")
    with even6.connect("127.0.0.1", server.port,
                       dcerpc.Ntlm("alice", "Al1ce-pass")) as client:
        handles = []
        while True:
            got = client.call(even6.RegisterControllableOperation())
            if got.rc != 0:
                break
            handles.append(got.handle)
            assert len(handles) <= 10
        assert got.handle == even6.NO_HANDLE
        assert len(handles) == 10
        # A subscription takes two: with room for one it leaves none behind.
        client.call(even6.Close(handles.pop()))
        assert client.call(even6.RegisterRemoteSubscription(
            "Application")).rc != 0
        assert server.status()["rpc"]["handles"] == 9
        client.call(even6.Close(handles.pop()))
        subscribe(client, "Application", even6.SUBSCRIBE_FUTURE)


def test_calls_in_flight_are_limited(make_server):
    server = make_server(rpc="calls_in_flight = 2")
    with even6.connect("127.0.0.1", server.port,
                       dcerpc.Ntlm("alice", "Al1ce-pass")) as client:
        made = [subscribe(client, "Application", even6.SUBSCRIBE_FUTURE)
                for _ in range(3)]
        waiting = [client.start(even6.RemoteSubscriptionNextAsync(
            one.handle)) for one in made[:2]]
        assert all(one.is_parked() for one in waiting)
        assert even6.fault_of(client, even6.RemoteSubscriptionNextAsync(
            made[2].handle)) == dcerpc.FAULT_TOO_BUSY
        # What need not wait is done, and makes room.
        assert client.call(even6.Cancel(made[0].control)).rc == 0
        assert waiting[0].result().rc == even6.ERROR_CANCELLED
        assert client.start(even6.RemoteSubscriptionNextAsync(
            made[2].handle)).is_parked()
        assert server.status()["rpc"]["refused"] == 1
