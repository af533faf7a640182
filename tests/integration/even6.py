# SPDX-License-Identifier: GPL-3.0-or-later
"""
An [MS-EVEN6] client for tests, independent of the service's own code.

    with connect("127.0.0.1", port, Ntlm("alice", "secret")) as client:
        query = client.call(RegisterLogQuery("Application"))
        batch = client.call(QueryNext(query.handle, 10, 1000))
        for record in batch.records():
            print(record.document)

Every call is a class; its instance is the request, parse() reads the reply.
client.start() sends a call and returns at once, for the calls that wait.
"""

import struct
from dataclasses import dataclass
from typing import Optional

import dcerpc
import ndr

INTERFACE = ("f6beaff7-1e19-4fbb-9f8f-b89e2018337c", 1)

SUBSCRIBE_FUTURE, SUBSCRIBE_OLDEST, SUBSCRIBE_BOOKMARK = 1, 2, 3
SUBSCRIBE_TOLERATE, SUBSCRIBE_STRICT = 0x1000, 0x10000
SUBSCRIBE_PULL = 0x10000000
QUERY_CHANNEL, QUERY_FILE = 0x1, 0x2
QUERY_FORWARD, QUERY_REVERSE, QUERY_TOLERATE = 0x100, 0x200, 0x1000
SEEK_FIRST, SEEK_LAST, SEEK_CURRENT, SEEK_BOOKMARK = 1, 2, 3, 4
SEEK_STRICT = 0x10000
FOREVER = 0xFFFFFFFF

NO_HANDLE = bytes(20)

ERROR_SUCCESS = 0
ERROR_FILE_NOT_FOUND = 2
ERROR_ACCESS_DENIED = 5
ERROR_NOT_SUPPORTED = 0x32
ERROR_INVALID_PARAMETER = 0x57
ERROR_INSUFFICIENT_BUFFER = 0x7A
ERROR_NO_MORE_ITEMS = 0x103
ERROR_NOT_FOUND = 0x490
ERROR_CANCELLED = 0x4C7
ERROR_TIMEOUT = 0x5B4
ERROR_INVALID_OPERATION = 0x10DD
ERROR_EVT_INVALID_CHANNEL_PATH = 0x3A98
ERROR_EVT_INVALID_QUERY = 0x3A99
ERROR_EVT_CHANNEL_NOT_FOUND = 0x3A9F
ERROR_EVT_QUERY_RESULT_STALE = 0x3AA3


# Replies

@dataclass
class Result:
    """rc is the call's return value, always."""
    rc: int


@dataclass
class Registered(Result):
    handle: bytes
    control: bytes
    channels: Optional[list]    # of (name, status); None: a NULL array
    error: tuple                # RpcInfo


@dataclass
class Batch(Result):
    indices: Optional[list]     # None: a NULL array
    sizes: Optional[list]
    buffer: Optional[bytes]

    def blobs(self):
        return [self.buffer[i:i + n] for i, n in
                zip(self.indices or [], self.sizes or [])]

    def records(self):
        return [Record.parse(blob) for blob in self.blobs()]


@dataclass
class Handle(Result):
    handle: bytes


@dataclass
class Opened(Result):
    handle: bytes
    error: tuple


@dataclass
class Seeked(Result):
    error: tuple


@dataclass
class LogInfo(Result):
    buffer: bytes
    length: int

    def value(self):
        """(value, type) of the BinXmlVariant, [MS-EVEN6] 2.2.18."""
        value, _, kind = struct.unpack("<QII", self.buffer[:16])
        return (value & 0xFFFFFFFF if kind in (0x8, 0xD) else value), kind


@dataclass
class Names(Result):
    names: Optional[list]


@dataclass
class Record:
    """A result record, [MS-EVEN6] 2.2.17, with its bookmark, 2.2.16."""
    document: bytes             # BinXml
    queries: list               # Ids of the queries that selected it
    channel: int                # index into the registered channels
    record_ids: list            # one for each channel
    direction: int

    @property
    def record_id(self):
        return self.record_ids[self.channel]

    @classmethod
    def parse(cls, data):
        total, header, event, bookmark, size = struct.unpack_from(
            "<5I", data)
        if (total, header, event) != (len(data), 0x10, 0x10):
            raise ValueError("a result record's header is wrong")
        document = data[20:20 + size]
        at = 20 + size
        (count,) = struct.unpack_from("<I", data, at)
        queries = list(struct.unpack_from(f"<{count}I", data, at + 4))
        if bookmark != at + 4 + 4 * count:
            raise ValueError("a result record's bookmark is elsewhere")
        mark = data[bookmark:]
        size, header, channels, current, direction, ids = \
            struct.unpack_from("<6I", mark)
        if (size, header, ids) != (len(mark), 0x18, 0x18) \
                or size != 0x18 + 8 * channels or current >= channels:
            raise ValueError("a result record's bookmark is wrong")
        return cls(document, queries, current,
                   list(struct.unpack_from(f"<{channels}Q", mark, ids)),
                   direction)


# Calls

class Call:
    opnum = None

    def stub(self):
        raise NotImplementedError

    def parse(self, r):
        return Result(r.u32())


def _registered(r):
    handle, control, count = r.handle(), r.handle(), r.u32()
    channels = None
    if r.array(count):
        entries = []
        for _ in range(count):
            entries.append((r.pointer(), r.u32()))
            r.structure()
        channels = [(r.string() if named else None, status)
                    for named, status in entries]
    error = r.rpc_info()
    return Registered(r.u32(), handle, control, channels, error)


def _batch(r):
    count = r.u32()
    indices, sizes = r.u32_array(count), r.u32_array(count)
    buffer = r.byte_array(r.u32())
    return Batch(r.u32(), indices, sizes, buffer)


@dataclass
class RegisterRemoteSubscription(Call):
    opnum = 0
    channel: Optional[str]
    query: str = "*"
    bookmark: Optional[str] = None
    flags: int = SUBSCRIBE_FUTURE

    def stub(self):
        return ndr.Writer().unique_string(self.channel).string(self.query) \
            .unique_string(self.bookmark).u32(self.flags).data

    parse = staticmethod(_registered)


@dataclass
class RemoteSubscriptionNextAsync(Call):
    opnum = 1
    handle: bytes
    count: int = 100
    flags: int = 0

    def stub(self):
        return ndr.Writer().handle(self.handle).u32(self.count, self.flags) \
            .data

    parse = staticmethod(_batch)


@dataclass
class RemoteSubscriptionNext(Call):
    opnum = 2
    handle: bytes
    count: int = 100
    timeout: int = 0
    flags: int = 0

    def stub(self):
        return ndr.Writer().handle(self.handle).u32(
            self.count, self.timeout, self.flags).data

    parse = staticmethod(_batch)


@dataclass
class RemoteSubscriptionWaitAsync(Call):
    opnum = 3
    handle: bytes

    def stub(self):
        return self.handle


@dataclass
class RegisterControllableOperation(Call):
    opnum = 4

    def stub(self):
        return b""

    def parse(self, r):
        handle = r.handle()
        return Handle(r.u32(), handle)


@dataclass
class RegisterLogQuery(Call):
    opnum = 5
    path: Optional[str]
    query: str = "*"
    flags: int = QUERY_CHANNEL | QUERY_FORWARD

    def stub(self):
        return ndr.Writer().unique_string(self.path).string(self.query) \
            .u32(self.flags).data

    parse = staticmethod(_registered)


@dataclass
class QueryNext(Call):
    opnum = 11
    handle: bytes
    count: int = 100
    timeout: int = FOREVER
    flags: int = 0

    def stub(self):
        return ndr.Writer().handle(self.handle).u32(
            self.count, self.timeout, self.flags).data

    parse = staticmethod(_batch)


@dataclass
class QuerySeek(Call):
    opnum = 12
    handle: bytes
    position: int
    flags: int
    bookmark: Optional[str] = None
    timeout: int = 0

    def stub(self):
        return ndr.Writer().handle(self.handle).i64(self.position) \
            .unique_string(self.bookmark).u32(self.timeout, self.flags).data

    def parse(self, r):
        error = r.rpc_info()
        return Seeked(r.u32(), error)


@dataclass
class Close(Call):
    opnum = 13
    handle: bytes

    def stub(self):
        return self.handle

    def parse(self, r):
        handle = r.handle()
        return Handle(r.u32(), handle)


@dataclass
class Cancel(Call):
    opnum = 14
    control: bytes

    def stub(self):
        return self.control


@dataclass
class OpenLogHandle(Call):
    opnum = 17
    channel: str
    flags: int = QUERY_CHANNEL

    def stub(self):
        return ndr.Writer().string(self.channel).u32(self.flags).data

    def parse(self, r):
        handle, error = r.handle(), r.rpc_info()
        return Opened(r.u32(), handle, error)


@dataclass
class GetLogFileInfo(Call):
    opnum = 18
    handle: bytes
    property: int
    size: int = 16

    def stub(self):
        return ndr.Writer().handle(self.handle).u32(self.property,
                                                    self.size).data

    def parse(self, r):
        r.conformance(self.size)
        buffer, length = r.bytes(self.size), r.u32()
        return LogInfo(r.u32(), buffer, length)


@dataclass
class GetChannelList(Call):
    opnum = 19
    flags: int = 0

    def stub(self):
        return ndr.Writer().u32(self.flags).data

    def parse(self, r):
        names = r.string_array(r.u32())
        return Names(r.u32(), names)


@dataclass
class Raw(Call):
    """Any opnum with any stub; the reply is its bytes."""
    opnum: int
    data: bytes = b""

    def stub(self):
        return self.data


# The client

class Pending:
    """A call whose reply is still to come."""

    def __init__(self, client, call):
        self.client, self.call = client, call
        self.call_id = client.rpc.send(call.opnum, client.stub(call))

    def result(self, timeout=None):
        """Wait for the reply; TimeoutError when none comes in time."""
        data = self.client.rpc.receive(self.call_id, timeout)
        return _reply(self.call, data, self.client.ndr64)

    def is_parked(self):
        """
        Whether the server has taken up this call and not answered it: a
        call sent later on the same connection is answered before.
        """
        self.client.call(GetChannelList())
        return not self.client.rpc.is_done(self.call_id)


def _reply(call, data, ndr64=False):
    if isinstance(call, Raw):
        return data
    reader = ndr.Reader(data, ndr64)
    result = call.parse(reader)
    reader.end()
    return result


class Client:
    """ndr64: which of the two transfer syntaxes calls are written in."""

    def __init__(self, rpc):
        self.rpc = rpc
        self.ndr64 = rpc.speaks(dcerpc.NDR64)

    def stub(self, call):
        with ndr.syntax(self.ndr64):
            return call.stub()

    def call(self, call, timeout=None):
        """A call and its reply; Fault when it is answered with one."""
        data = self.rpc.call(call.opnum, self.stub(call), timeout)
        return _reply(call, data, self.ndr64)

    def start(self, call):
        return Pending(self, call)

    def close(self):
        self.rpc.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def fault_of(client, call):
    """The status of the fault that answers a call; None: it is no fault."""
    try:
        client.call(call)
    except dcerpc.Fault as fault:
        return fault.status
    return None


def connect(host, port=None, security=None, mapper_port=135, group=0,
            timeout=30, **options):
    """
    Connect and bind.  port None: ask the endpoint mapper.  group: the
    association group to join, another client's rpc.group.
    """
    if port is None:
        port = dcerpc.map_endpoint(host, INTERFACE, mapper_port)
    rpc = dcerpc.Connection(host, port, timeout)
    try:
        rpc.bind(INTERFACE, security, group, **options)
    except BaseException:
        rpc.close()
        raise
    return Client(rpc)
