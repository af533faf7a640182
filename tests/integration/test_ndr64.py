# SPDX-License-Identifier: GPL-3.0-or-later
"""
NDR64, for the client that offers nothing else.  Each call is made in both
syntaxes by a marshaller that owes nothing to the service's (ndr.py), and has
to say the same in both; what it says is other tests' concern.
"""

import dataclasses
import re
import uuid

import pytest

import dcerpc
import even6
import even6_config as config
import even6_manage as manage
import ndr
from even6 import QUERY_CHANNEL, QUERY_FORWARD, QUERY_TOLERATE
from even6_metadata import (
    EVENT, LEVEL, GetClassicLogDisplayName, GetEventMetadataEnum,
    GetNextEventMetadata, GetPublisherList, GetPublisherListForChannel,
    GetPublisherMetadata, GetPublisherResourceMetadata, MessageRender,
    MessageRenderDefault, descriptor, strings)
from server import Server
from subscribing import query_list, start_query, subscribe

NUMBERS = 5     # events of the channel that is asked
CHANNELS = 100


@pytest.fixture(scope="module")
def service():
    """Alice is an administrator: she may clear and configure."""
    server = Server(administrators=("alice",), config="".join(
        f"[channel Test/{i:03}]\n" for i in range(CHANNELS)))
    try:
        server.add_users()
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def clients(connect):
    """In NDR32 and in NDR64."""
    both = connect(), connect(syntaxes=(dcerpc.NDR64,))
    assert [client.ndr64 for client in both] == [False, True]
    return both


def query_of(client, channel):
    return client.call(even6.RegisterLogQuery(channel)).handle


def push(client, channel):
    made = subscribe(client, channel, even6.SUBSCRIBE_OLDEST)
    return client.call(even6.RemoteSubscriptionNextAsync(made.handle, 3))


def pull(client, channel):
    made = subscribe(client, channel,
                     even6.SUBSCRIBE_OLDEST | even6.SUBSCRIBE_PULL)
    return client.call(even6.RemoteSubscriptionNext(made.handle, 3, 1000))


def wait(client, channel):
    made = subscribe(client, channel,
                     even6.SUBSCRIBE_OLDEST | even6.SUBSCRIBE_PULL)
    return client.call(even6.RemoteSubscriptionWaitAsync(made.handle))


def several(client, channel):
    """Names of odd and even length, one that is not there, and an error."""
    return client.call(even6.RegisterLogQuery(
        None, query_list(channel, "No/Such", "System"),
        QUERY_CHANNEL | QUERY_FORWARD | QUERY_TOLERATE))


def seek(client, channel):
    """A hyper after a handle of 20 bytes, and an optional string."""
    handle = query_of(client, channel)
    results = []
    for position, flags in ((3, even6.SEEK_FIRST), (-2, even6.SEEK_LAST),
                            (-(1 << 40), even6.SEEK_FIRST)):
        results += [client.call(even6.QuerySeek(handle, position, flags)),
                    client.call(even6.QueryNext(handle, 1, 1000))]
    mark = f"<BookmarkList><Bookmark Channel='{channel}' RecordId='4' " \
        "IsCurrent='true'/></BookmarkList>"
    return results + [
        client.call(even6.QuerySeek(handle, 0, even6.SEEK_BOOKMARK, mark)),
        client.call(even6.QueryNext(handle, 1, 1000)),
        client.call(even6.QuerySeek(handle, 0, even6.SEEK_BOOKMARK, "<x"))]


def info(client, channel):
    handle = client.call(even6.OpenLogHandle(channel)).handle
    return [client.call(even6.GetLogFileInfo(handle, prop, size))
            for prop, size in ((5, 16), (6, 16), (5, 15), (5, 0))]


def control_of(client):
    return client.call(even6.RegisterControllableOperation()).handle


def clear(client, channel):
    """With a backup: two strings, one of them behind a pointer."""
    path = f"C:\\{channel}-{client.ndr64}.evtx"
    return [client.call(manage.ClearLog(control_of(client), channel)),
            client.call(manage.ClearLog(control_of(client), channel, path)),
            client.call(manage.ClearLog(control_of(client), "System", path))]


def export(client, channel):
    path = f"C:\\export\\{channel}-{client.ndr64}.evtx"
    return [client.call(manage.ExportLog(control_of(client), channel, "*",
                                         path)),
            client.call(manage.ExportLog(control_of(client), None, query_list(
                channel, "System"), path + "s")),
            client.call(manage.ExportLog(control_of(client), "No/Such"))]


def put(client, channel):
    """Changes of several types; both clients make the same ones."""
    changed = {config.MAX_SIZE: 32 << 20, config.ISOLATION: 0,
               config.ACCESS: "O:BAG:SYD:(A;;0x7;;;BA)"}
    results = [client.call(call) for call in (
        config.PutChannelConfig(channel, changed),
        config.AssertConfig(channel), config.GetChannelConfig(channel),
        config.PutChannelConfig(channel, variants=EVERY_TYPE),
        config.PutChannelConfig(channel, {
            config.MAX_SIZE: ndr.Variant(ndr.STRING, "x")}))]
    assert results[2].value(config.MAX_SIZE) == 32 << 20
    assert results[2].value(config.ACCESS) == changed[config.ACCESS]
    return results


EVERY_TYPE = [ndr.Variant(*variant) for variant in (
    (ndr.STRING, "odd"), (ndr.STRING, "even"), (ndr.UINT32, 7),
    (ndr.BOOLEAN, True), (ndr.UINT64, 1 << 40), (ndr.STRING, None),
    (ndr.GUID, uuid.UUID(int=1 << 100)), (ndr.GUID, None), (ndr.NULL, None),
    (ndr.BOOLEAN_ARRAY, [1, 0, 1]), (ndr.UINT32_ARRAY, [1, 2, 3]),
    (ndr.UINT64_ARRAY, [1 << 40]), (ndr.STRING_ARRAY, ["a", None, "bcd"]),
    (ndr.STRING_ARRAY, None), (ndr.GUID_ARRAY, [uuid.UUID(int=5)]),
    (ndr.BOOLEAN, False), (ndr.STRING, "the last"))]


def render(client, channel):
    """Texts of odd and even length, values, a probe and an error."""
    publisher = client.call(GetPublisherMetadata("Evenlog")).handle
    values = strings("a", "bc") + [ndr.Variant(ndr.UINT64, 1 << 40),
                                   ndr.Variant(ndr.BOOLEAN, True)]
    return [client.call(call) for call in (
        MessageRender(publisher, EVENT, descriptor(20), values=values),
        MessageRender(publisher, LEVEL, descriptor(level=3)),
        MessageRender(publisher, LEVEL, descriptor(level=3), size=0),
        MessageRender(publisher, EVENT, descriptor(999)),
        MessageRender(publisher, EVENT, descriptor(20), values=EVERY_TYPE),
        MessageRenderDefault(LEVEL, descriptor(level=2), values=EVERY_TYPE),
        MessageRenderDefault(LEVEL, descriptor(level=99)))]


def groups(client, channel):
    publisher = client.call(GetPublisherMetadata(None)).handle
    return [client.call(GetPublisherResourceMetadata(publisher, group))
            for group in (0, 4, 5, 0xC, 0x10, 0x15, 0x19)]


def events(client, channel):
    publisher = client.call(GetPublisherMetadata("Evenlog")).handle
    opened = client.call(GetEventMetadataEnum(publisher, 0, "x"))
    return [opened] + [client.call(GetNextEventMetadata(opened.handle, count))
                       for count in (0, 3, 256, 1)]


EXCHANGES = {
    "0 the oldest": lambda client, channel: client.call(
        even6.RegisterRemoteSubscription(channel, "*", None,
                                         even6.SUBSCRIBE_OLDEST)),
    "0 no such channel": lambda client, channel: client.call(
        even6.RegisterRemoteSubscription("No/Such")),
    "1": push,
    "2": pull,
    "3": wait,
    "4": lambda client, channel: client.call(
        even6.RegisterControllableOperation()),
    "5 several channels": several,
    "5 a wrong query": lambda client, channel: client.call(
        even6.RegisterLogQuery(channel, "*[")),
    "11": lambda client, channel: client.call(
        even6.QueryNext(query_of(client, channel), 3, 1000)),
    "11 no more": lambda client, channel: client.call(
        even6.QueryNext(query_of(client, "Security"), 3, 0)),
    "12": seek,
    "13": lambda client, channel: client.call(
        even6.Close(query_of(client, channel))),
    "14": lambda client, channel: client.call(
        even6.Cancel(start_query(client, channel).control)),
    "17": lambda client, channel: client.call(even6.OpenLogHandle(channel)),
    "17 no such channel": lambda client, channel: client.call(
        even6.OpenLogHandle("No/Such")),
    "18": info,
    "19": lambda client, channel: client.call(even6.GetChannelList()),
    "6": clear,
    "7": export,
    "8": lambda client, channel: client.call(manage.LocalizeExportLog(
        control_of(client), "C:\\x.evtx", 0x409)),
    "9, 10": render,
    "15, 20, 21": put,
    "16": lambda client, channel: [
        client.call(config.RetractConfig(name))
        for name in (channel, "No/Such")],
    "20": lambda client, channel: [
        client.call(config.GetChannelConfig(name))
        for name in ("Evenlog/Operational", "No/Such")],
    "22": lambda client, channel: client.call(GetPublisherList()),
    "23": lambda client, channel: [
        client.call(GetPublisherListForChannel(name))
        for name in ("Evenlog/Operational", channel, "No/Such")],
    "24": lambda client, channel: [
        client.call(GetPublisherMetadata(name))
        for name in ("Evenlog", None, "No-Such")],
    "25": groups,
    "26, 27": events,
    "28": lambda client, channel: [
        client.call(GetClassicLogDisplayName(name))
        for name in ("Application", "System", "No/Such")],
}


def test_every_call_of_the_protocol_is_there():
    numbers = " ".join(EXCHANGES)
    assert {int(opnum) for opnum in re.findall("[0-9]+", numbers)} == \
        set(range(29))


def comparable(result):
    """Handles are new each time: whether there is one."""
    if isinstance(result, list):
        return [comparable(one) for one in result]
    return type(result).__name__, {
        name: any(value) if name in ("handle", "control") else value
        for name, value in dataclasses.asdict(result).items()}


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_call_says_the_same_in_both_syntaxes(clients, channel, publisher,
                                               exchange):
    publisher.numbers(channel, NUMBERS)
    said = [comparable(EXCHANGES[exchange](client, channel))
            for client in clients]
    assert said[0] == said[1]


def test_a_waiting_call_is_answered_in_its_syntax(clients, channel, publisher):
    for client in clients:
        made = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
        waiting = client.start(even6.RemoteSubscriptionNextAsync(made.handle))
        assert waiting.is_parked()
        publisher.numbers(channel, 1)
        assert len(waiting.result().records()) == 1


def test_a_request_in_the_other_syntax_is_no_request(clients):
    """Which one was agreed on holds; the stub does not tell."""
    for client in clients:
        client.ndr64 = not client.ndr64
    for client in clients:
        assert even6.fault_of(client, even6.OpenLogHandle("System")) in \
            (dcerpc.FAULT_BAD_STUB_DATA, dcerpc.FAULT_INVALID_BOUND)


@pytest.mark.parametrize("count", [(1 << 32) + 1, 1 << 63, (1 << 64) - 1])
def test_a_count_of_more_than_32_bits_is_refused(connect, count):
    client = connect(syntaxes=(dcerpc.NDR64,))
    with ndr.syntax(True):
        stub = ndr.Writer().size(count, 0, count)
        stub.data += "System\0".encode("utf-16-le")
        stub.u32(even6.QUERY_CHANNEL)
    fault = even6.fault_of(client, even6.Raw(17, stub.data))
    assert fault in (dcerpc.FAULT_BAD_STUB_DATA, dcerpc.FAULT_INVALID_BOUND)


def test_the_endpoint_mapper_speaks_ndr32_only(service):
    mapper = ("e1af8308-5d1f-11c9-91a4-08002b14a0fa", 3)
    with dcerpc.Connection("127.0.0.1", service.mapper_port) as rpc:
        with pytest.raises(dcerpc.Refused):
            rpc.bind(mapper, syntaxes=(dcerpc.NDR64,))
