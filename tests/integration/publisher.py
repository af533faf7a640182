# SPDX-License-Identifier: GPL-3.0-or-later
"""
Events of the tests' own, and the way they get into the service: BinXml by
hand ([MS-EVEN6] 2.2.12) over the control interface's Publish.

    with Publisher(server) as publisher:
        publisher.publish("Application", event("Application", 1))

What tests expect of an event is thereby known to the byte and not told by
the service's own command line.  A call returns when the service has answered.
"""

import struct
import uuid as uuids

import dcerpc
import ndr
from binxml import HEADER, NO_DEPENDENCY, name_hash
from control import INTERFACE, PUBLISH

PUBLISH_EVENTS = 1024
PUBLISH_BYTES = 3 * 1024 * 1024
EVENT_MAX = 1024 * 1024         # bytes of an event on the wire

NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
UINT8, UINT16, UINT64, FILETIME = 0x04, 0x06, 0x0A, 0x11
STRING, BINXML = 0x01, 0x21

# 2024-01-01T00:00:00Z, and what one second is.
NEW_YEAR = 133485408000000000
SECOND = 10**7


class Refused(Exception):
    """The service did not store the events: index of the one at fault."""

    def __init__(self, error, index):
        super().__init__(f"error 0x{error:08x}, event {index}")
        self.error, self.index = error, index


# BinXml

def _name(name):
    units = name.encode("utf-16-le")
    return struct.pack("<HH", name_hash(name), len(units) // 2) + units + \
        b"\0\0"


def _text(text):
    units = text.encode("utf-16-le")
    return b"\x05\x01" + struct.pack("<H", len(units) // 2) + units


def _value(index, kind):
    """A normal substitution: always there."""
    return b"\x0d" + struct.pack("<HB", index, kind)


def _attributes(items):
    """items: of (name, text or substitution)"""
    data = b""
    for number, (name, value) in enumerate(items):
        more = 0x40 if number < len(items) - 1 else 0
        data += bytes([0x06 | more]) + _name(name) + value
    return struct.pack("<I", len(data)) + data


def _element(name, attributes=(), content=None):
    """An element of a definition; content None: an empty element tag."""
    body = _name(name)
    if attributes:
        body += _attributes(list(attributes))
    body += b"\x03" if content is None else b"\x02" + content + b"\x04"
    return bytes([0x41 if attributes else 0x01]) + \
        struct.pack("<HI", NO_DEPENDENCY, len(body)) + body


def _instance(definition, values):
    """A document with one template instance; values: of (type, bytes)."""
    definition = HEADER + definition + b"\0"
    guid = uuids.uuid5(uuids.NAMESPACE_OID, definition.hex())
    specs = b"".join(struct.pack("<HBB", len(data), kind, 0)
                     for kind, data in values)
    return HEADER + b"\x0c\0" + guid.bytes_le + \
        struct.pack("<I", len(definition)) + definition + \
        struct.pack("<I", len(values)) + specs + \
        b"".join(data for _, data in values) + b"\0"


def _body(number, filler, odd):
    """EventData: Number, fillers, and a byte that makes the size odd."""
    items = [("Number", UINT64, struct.pack("<Q", number))]
    items += [(f"Filler{i}", STRING, text.encode("utf-16-le"))
              for i, text in enumerate(filler)]
    if odd:
        items.append(("Odd", UINT8, b"\x01"))
    data = b"".join(
        _element("Data", [("Name", _text(name))], _value(index, kind))
        for index, (name, kind, _) in enumerate(items, len(_SYSTEM)))
    return _element("EventData", content=data), \
        [(kind, value) for _, kind, value in items]


# The values of System, in their order.
_SYSTEM = (UINT16, FILETIME, UINT64, STRING, STRING)


def event(channel, number, time=NEW_YEAR, filler=(), odd=False,
          provider="Test"):
    """
    A document.  time: FILETIME of TimeCreated; filler: texts, of at most
    32,767 UTF-16 units each; EventRecordID is the service's to set.
    """
    body, values = _body(number, filler, odd)
    system = _element("System", content=(
        _element("Provider", [("Name", _text(provider))])
        + _element("EventID", content=_value(0, UINT16))
        + _element("TimeCreated", [("SystemTime", _value(1, FILETIME))])
        + _element("EventRecordID", content=_value(2, UINT64))
        + _element("Channel", content=_value(3, STRING))
        + _element("Computer", content=_value(4, STRING))))
    root = _element("Event", [("xmlns", _text(NAMESPACE))], system + body)
    data = [struct.pack("<H", 1000), struct.pack("<Q", time), bytes(8),
            channel.encode("utf-16-le"), "there.example".encode("utf-16-le")]
    return _instance(root, list(zip(_SYSTEM, data)) + values)


def filler(size):
    """Texts that make an event about so many bytes larger."""
    units = size // 2
    return ["x" * min(units - at, 30000) for at in range(0, units, 30000)]


class Publisher:
    """A connection to the control interface of a server."""

    def __init__(self, server, opnum=PUBLISH):
        self.opnum = opnum
        self.rpc = dcerpc.Connection(server.control)
        self.rpc.bind(INTERFACE)

    def close(self):
        self.rpc.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def publish(self, channel, *documents):
        """Store the documents, in that order; returns the first record id."""
        first, batch, size = None, [], 0
        for document in documents:
            if batch and (len(batch) == PUBLISH_EVENTS
                          or size + len(document) > PUBLISH_BYTES):
                answer = self._publish(channel, batch)
                first, batch, size = first or answer, [], 0
            batch.append(document)
            size += len(document)
        last = self._publish(channel, batch)
        return first or last

    def _publish(self, channel, batch):
        stub = ndr.Writer().string(channel).u32(len(batch), len(batch))
        for number, document in enumerate(batch):
            stub.u32(len(document), 0x20000 + 4 * number)
        # The deferred pointees; joined once, as there can be megabytes.
        parts = [stub.data + b"\0" * (-len(stub.data) % 4)]
        for document in batch:
            parts.append(struct.pack("<I", len(document)) + document
                         + b"\0" * (-len(document) % 4))
        reply = ndr.Reader(self.rpc.call(self.opnum, b"".join(parts)))
        reply.align(8)
        first, = struct.unpack("<Q", reply.bytes(8))
        index, error, rc = reply.u32(), reply.u32(), reply.u32()
        reply.end()
        if rc != 0 or error != 0:
            raise Refused(error or rc, index)
        return first

    def numbers(self, channel, count, first=1, **options):
        """Store events with Number = first, first + 1, ..."""
        return self.publish(channel, *(
            event(channel, number, **options)
            for number in range(first, first + count)))
