# SPDX-License-Identifier: GPL-3.0-or-later
"""
The calls about channels' properties, [MS-EVEN6] 3.1.4.21, 3.1.4.22, 3.1.4.33
and 3.1.4.34, for the client of even6.py.

    config = client.call(GetChannelConfig("Application"))
    config.value(MAX_SIZE)
    client.call(PutChannelConfig("Application", {MAX_SIZE: 1 << 24}))
    client.call(AssertConfig("Application"))
"""

from dataclasses import dataclass, field
from typing import Optional

import ndr
from even6 import Call, Result
from ndr import Variant

# Indices, facts 12.1.
(ENABLED, ISOLATION, TYPE, OWNING_PUBLISHER, CLASSIC, ACCESS, RETENTION,
 AUTO_BACKUP, MAX_SIZE, LOG_FILE_PATH, LEVEL, KEYWORDS, CONTROL_GUID,
 BUFFER_SIZE, MIN_BUFFERS, MAX_BUFFERS, LATENCY, CLOCK_TYPE, SID_TYPE,
 PUBLISHER_LIST, FILE_MAX) = range(21)
PROPERTIES = 21

# facts 12.1, column "variant type".
TYPES = [ndr.BOOLEAN, ndr.UINT32, ndr.UINT32, ndr.STRING, ndr.BOOLEAN,
         ndr.STRING, ndr.BOOLEAN, ndr.BOOLEAN, ndr.UINT64, ndr.STRING,
         ndr.UINT32, ndr.UINT64, ndr.GUID, ndr.UINT64, ndr.UINT32, ndr.UINT32,
         ndr.UINT32, ndr.UINT32, ndr.UINT32, ndr.STRING_ARRAY, ndr.UINT32]

OPEN_OR_CREATE, OPEN, CREATE_ANEW, CREATE = range(4)
CHANNEL_PATH, PUBLISHER_NAME = 0, 1
MODIFIED = 1

ERROR_INVALID_DATA = 0xD
ERROR_ALREADY_EXISTS = 0xB7
ERROR_NOT_ENOUGH_QUOTA = 0x718
ERROR_EVT_SUBSCRIPTION_TO_DIRECT_CHANNEL = 0x3AA1

NULL = Variant(ndr.NULL)


def changes(values, count=PROPERTIES):
    """
    A list for opnum 21 that changes these properties: index to value, of the
    property's own type, or to a Variant as it is.
    """
    variants = [Variant(ndr.NULL) for _ in range(count)]
    for index, value in values.items():
        if not isinstance(value, Variant):
            value = Variant(TYPES[index], value)
        variants[index] = Variant(value.type, value.value, MODIFIED)
    return variants


@dataclass
class Config(Result):
    properties: Optional[list]      # of Variant; None: a NULL array

    def value(self, index):
        return self.properties[index].value


@dataclass
class Put(Result):
    error: tuple


@dataclass
class GetChannelConfig(Call):
    opnum = 20
    channel: str
    flags: int = 0

    def stub(self):
        return ndr.Writer().string(self.channel).u32(self.flags).data

    def parse(self, r):
        variants = r.variants()
        return Config(r.u32(), variants)


@dataclass
class PutChannelConfig(Call):
    opnum = 21
    channel: str
    values: dict = field(default_factory=dict)
    flags: int = OPEN_OR_CREATE
    variants: Optional[list] = None     # in place of values

    def stub(self):
        variants = self.variants
        if variants is None:
            variants = changes(self.values)
        return ndr.Writer().string(self.channel).u32(self.flags) \
            .variants(variants).data

    def parse(self, r):
        error = r.rpc_info()
        return Put(r.u32(), error)


@dataclass
class AssertConfig(Call):
    opnum = 15
    path: str
    flags: int = CHANNEL_PATH

    def stub(self):
        return ndr.Writer().string(self.path).u32(self.flags).data


@dataclass
class RetractConfig(Call):
    opnum = 16
    path: str
    flags: int = CHANNEL_PATH

    def stub(self):
        return ndr.Writer().string(self.path).u32(self.flags).data
