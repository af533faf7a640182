# SPDX-License-Identifier: GPL-3.0-or-later
"""
The calls that clear and export logs, [MS-EVEN6] 3.1.4.16 to 3.1.4.18, for the
client of even6.py.

    control = client.call(RegisterControllableOperation()).handle
    export = client.start(ExportLog(control, "Security", path="C:\\\\s.evtx"))
    client.call(Cancel(control))
    assert export.result().rc == ERROR_CANCELLED
"""

from dataclasses import dataclass
from typing import Optional

import ndr
from even6 import NO_HANDLE, Call, Result

EXPORT_CHANNEL, EXPORT_FILE, EXPORT_TOLERATE = 0x1, 0x2, 0x1000

ERROR_PATH_NOT_FOUND = 3
ERROR_FILE_EXISTS = 0x50
ERROR_DISK_FULL = 0x70
ERROR_FILE_TOO_LARGE = 0xDF


@dataclass
class Managed(Result):
    error: tuple                # RpcInfo


def _managed(r):
    error = r.rpc_info()
    return Managed(r.u32(), error)


@dataclass
class ClearLog(Call):
    opnum = 6
    control: bytes
    channel: str
    backup: Optional[str] = None
    flags: int = 0

    def stub(self):
        return ndr.Writer().handle(self.control or NO_HANDLE).string(
            self.channel).unique_string(self.backup).u32(self.flags).data

    parse = staticmethod(_managed)


@dataclass
class ExportLog(Call):
    opnum = 7
    control: bytes
    channel: Optional[str]
    query: str = "*"
    path: str = "/export.evtx"
    flags: int = EXPORT_CHANNEL

    def stub(self):
        return ndr.Writer().handle(self.control or NO_HANDLE).unique_string(
            self.channel).string(self.query).string(self.path).u32(
            self.flags).data

    parse = staticmethod(_managed)


@dataclass
class LocalizeExportLog(Call):
    opnum = 8
    control: bytes
    path: str
    locale: int = 0
    flags: int = 0

    def stub(self):
        return ndr.Writer().handle(self.control or NO_HANDLE).string(
            self.path).u32(self.locale, self.flags).data

    parse = staticmethod(_managed)
