# SPDX-License-Identifier: GPL-3.0-or-later
"""
The calls of [MS-EVEN6] about publishers and messages: opnums 9, 10 and 22 to
28, as classes for even6.Client.
"""

import struct
from dataclasses import dataclass, field
from typing import Optional

import ndr
from even6 import Call, Handle, Names, Result

(EVENT, LEVEL, TASK, OPCODE, KEYWORD, CHANNEL, PROVIDER, ID) = range(1, 9)

HELP_LINK, MESSAGE_ID, LEVELS, TASKS, OPCODES, KEYWORDS = \
    4, 5, 0xC, 0x10, 0x15, 0x19

NONE = 0xFFFFFFFF           # no message
NUM_PROPERTIES = 29
ALL = 2 * 1024 * 1024       # room for any text

ERROR_NO_DATA = 0xE8
ERROR_QUOTA = 0x718
ERROR_MESSAGE_NOT_FOUND = 0x3AB3
ERROR_MESSAGE_ID_NOT_FOUND = 0x3AB4


def descriptor(event=0, version=0, channel=0, level=0, opcode=0, task=0,
               keywords=0):
    """EVENT_DESCRIPTOR, [MS-DTYP] 2.3.1."""
    return struct.pack("<HBBBBHQ", event, version, channel, level, opcode,
                       task, keywords)


def strings(*texts):
    """Values for a message."""
    return [ndr.Variant(ndr.STRING, text) for text in texts]


@dataclass
class Properties(Result):
    properties: Optional[list]      # of ndr.Variant; None: a NULL array
    handle: bytes = b""

    def types(self):
        return [variant.type for variant in self.properties]

    def __getitem__(self, index):
        return self.properties[index].value


@dataclass
class Events(Result):
    lists: Optional[list]           # of lists of ndr.Variant

    def values(self):
        return [[variant.value for variant in one] for one in self.lists]


@dataclass
class Rendered(Result):
    actual: int
    needed: int
    data: Optional[bytes]           # UTF-16LE as it came
    error: tuple

    @property
    def text(self):
        """Without its NUL, of which there has to be one."""
        text = self.data.decode("utf-16-le")
        assert text.endswith("\0")
        return text[:-1]


@dataclass
class DisplayName(Result):
    name: Optional[str]


@dataclass
class MessageRender(Call):
    opnum = 9
    publisher: Optional[bytes]
    flags: int
    event: bytes = descriptor()
    message: int = 0
    values: list = field(default_factory=list)
    size: int = ALL

    def stub(self):
        writer = ndr.Writer()
        if self.publisher is not None:
            writer.handle(self.publisher)
        return writer.u32(len(self.event)).byte_array(self.event) \
            .u32(self.message).variants(self.values) \
            .u32(self.flags, self.size).data

    def parse(self, r):
        actual, needed = r.u32(), r.u32()
        data = r.byte_array(actual)
        error = r.rpc_info()
        return Rendered(r.u32(), actual, needed, data, error)


class MessageRenderDefault(MessageRender):
    """The same without a publisher."""
    opnum = 10

    def __init__(self, *args, **named):
        super().__init__(None, *args, **named)


@dataclass
class GetPublisherList(Call):
    opnum = 22
    flags: int = 0

    def stub(self):
        return ndr.Writer().u32(self.flags).data

    def parse(self, r):
        names = r.string_array(r.u32())
        return Names(r.u32(), names)


@dataclass
class GetPublisherListForChannel(Call):
    opnum = 23
    channel: str
    flags: int = 0

    def stub(self):
        return ndr.Writer().string(self.channel).u32(self.flags).data

    parse = GetPublisherList.parse


@dataclass
class GetPublisherMetadata(Call):
    opnum = 24
    publisher: Optional[str]
    locale: int = 0
    file: Optional[str] = None
    flags: int = 0

    def stub(self):
        return ndr.Writer().unique_string(self.publisher) \
            .unique_string(self.file).u32(self.locale, self.flags).data

    def parse(self, r):
        properties, handle = r.variants(), r.handle()
        return Properties(r.u32(), properties, handle)


@dataclass
class GetPublisherResourceMetadata(Call):
    opnum = 25
    handle: bytes
    property: int
    flags: int = 0

    def stub(self):
        return ndr.Writer().handle(self.handle) \
            .u32(self.property, self.flags).data

    def parse(self, r):
        properties = r.variants()
        return Properties(r.u32(), properties)


@dataclass
class GetEventMetadataEnum(Call):
    opnum = 26
    publisher: bytes
    flags: int = 0
    filter: Optional[str] = None

    def stub(self):
        return ndr.Writer().handle(self.publisher).u32(self.flags) \
            .unique_string(self.filter).data

    def parse(self, r):
        handle = r.handle()
        return Handle(r.u32(), handle)


@dataclass
class GetNextEventMetadata(Call):
    opnum = 27
    handle: bytes
    count: int = 256
    flags: int = 0

    def stub(self):
        return ndr.Writer().handle(self.handle) \
            .u32(self.flags, self.count).data

    def parse(self, r):
        lists = r.variant_lists(r.u32())
        return Events(r.u32(), lists)


@dataclass
class GetClassicLogDisplayName(Call):
    opnum = 28
    log: str
    locale: int = 0
    flags: int = 0

    def stub(self):
        return ndr.Writer().string(self.log).u32(self.locale, self.flags).data

    def parse(self, r):
        name = r.unique_string()
        return DisplayName(r.u32(), name)
