# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs and channels: opnums 17 to 19."""

import time

import pytest

import even6
from even6 import Close, GetChannelList, GetLogFileInfo, OpenLogHandle
from publisher import filler

CREATION, ACCESS, WRITE, SIZE, ATTRIBUTES, COUNT, OLDEST, FULL = range(8)
UINT32, UINT64, BOOL, FILETIME = 0x8, 0xA, 0xD, 0x11
TYPES = {CREATION: FILETIME, ACCESS: FILETIME, WRITE: FILETIME,
         SIZE: UINT64, ATTRIBUTES: UINT32, COUNT: UINT64, OLDEST: UINT64,
         FULL: BOOL}
FILE_ATTRIBUTE_ARCHIVE = 0x20
UNIX_EPOCH = 116444736000000000     # as FILETIME

CONFIG = """
[channel Quiet]
enabled = no
[channel Small]
max_size = 1M
"""


def filetime(seconds):
    return UNIX_EPOCH + int(seconds * 10**7)


@pytest.fixture
def log(client, channel):
    opened = client.call(OpenLogHandle(channel))
    assert (opened.rc, opened.error) == (0, (0, 0, 0))
    assert opened.handle != even6.NO_HANDLE
    return opened.handle


def info(client, log, name):
    got = client.call(GetLogFileInfo(log, name))
    assert (got.rc, got.length) == (0, 16)
    value, kind = got.value()
    assert kind == TYPES[name]
    return value


def test_an_empty_channel(client, log):
    assert info(client, log, COUNT) == 0
    assert info(client, log, OLDEST) == 0
    assert info(client, log, FULL) == 0
    assert info(client, log, ATTRIBUTES) == FILE_ATTRIBUTE_ARCHIVE


def test_what_publishing_changes(client, publisher, log, channel):
    size = info(client, log, SIZE)
    created = info(client, log, CREATION)
    before = filetime(time.time())
    publisher.numbers(channel, 32, filler=filler(1000))
    after = filetime(time.time())
    # A second of tolerance: the service's clock may be a coarse one.
    assert before - 10**7 <= info(client, log, WRITE) <= after + 10**7
    assert info(client, log, ACCESS) >= info(client, log, CREATION)
    assert info(client, log, CREATION) == created <= before
    assert info(client, log, COUNT) == 32
    assert info(client, log, OLDEST) == 1
    assert info(client, log, SIZE) >= size + 32 * 1000
    assert info(client, log, FULL) == 0


def test_a_number_of_records_has_the_specification_s_bytes(
        client, publisher, log, channel):
    """[MS-EVEN6] 4.2, with its 16-bit fields read as 32 (facts 4.5)."""
    publisher.numbers(channel, 32)
    got = client.call(GetLogFileInfo(log, COUNT))
    assert got.buffer.hex() == "2000000000000000" "01000000" "0a000000"


def test_a_trimmed_channel_tells_its_oldest_record(client, publisher):
    log = client.call(OpenLogHandle("Small")).handle
    publisher.numbers("Small", 300, filler=filler(10000))
    end = time.monotonic() + 30
    while info(client, log, OLDEST) == 1:
        assert time.monotonic() < end, "nothing is trimmed"
        time.sleep(0.02)
    oldest, count = info(client, log, OLDEST), info(client, log, COUNT)
    assert oldest + count == 301
    # Trimmed to its size, or nearly.
    assert info(client, log, SIZE) <= 1024 * 1024 + 64 * 1024


@pytest.mark.parametrize("size", [0, 1, 15])
def test_a_small_buffer(client, log, size):
    """The length that is needed, and the buffer as it was asked for."""
    got = client.call(GetLogFileInfo(log, COUNT, size))
    assert (got.rc, got.length) == (even6.ERROR_INSUFFICIENT_BUFFER, 16)
    assert len(got.buffer) == size


def test_a_large_buffer(client, log):
    got = client.call(GetLogFileInfo(log, COUNT, 4096))
    assert (got.rc, got.length, len(got.buffer)) == (0, 16, 4096)
    assert got.value() == (0, UINT64)
    assert not any(got.buffer[16:])


@pytest.mark.parametrize("name", [8, 100, 0xFFFFFFFF])
@pytest.mark.parametrize("size", [16, 0])
def test_an_unknown_property(client, log, name, size):
    got = client.call(GetLogFileInfo(log, name, size))
    assert got.rc == even6.ERROR_INVALID_PARAMETER


def test_a_channel_that_does_not_exist(client):
    got = client.call(OpenLogHandle("No/Such"))
    assert got.rc == even6.ERROR_EVT_CHANNEL_NOT_FOUND
    assert got.handle == even6.NO_HANDLE
    assert got.error[0] != 0


@pytest.mark.parametrize("flags", [0, 3, 4, 0x101])
def test_flags_that_are_none(client, channel, flags):
    got = client.call(OpenLogHandle(channel, flags))
    assert got.rc == even6.ERROR_INVALID_PARAMETER
    assert got.handle == even6.NO_HANDLE


def test_a_file_that_does_not_exist(client):
    got = client.call(OpenLogHandle(r"C:\no\such.evtx", even6.QUERY_FILE))
    assert got.rc in (even6.ERROR_FILE_NOT_FOUND, even6.ERROR_NOT_SUPPORTED)
    assert got.handle == even6.NO_HANDLE


def test_names_are_compared_without_case(client, publisher, channel):
    publisher.numbers(channel, 1)
    opened = client.call(OpenLogHandle(channel.upper()))
    assert opened.rc == 0
    assert info(client, opened.handle, COUNT) == 1


def test_a_disabled_channel_can_be_opened(client):
    opened = client.call(OpenLogHandle("Quiet"))
    assert opened.rc == 0
    assert info(client, opened.handle, COUNT) == 0


def test_handles(client, connect, log):
    control = client.call(even6.RegisterControllableOperation())
    assert client.call(GetLogFileInfo(control.handle, COUNT)).rc == \
        even6.ERROR_INVALID_PARAMETER
    assert even6.fault_of(connect(), GetLogFileInfo(log, COUNT)) == 0x1C00001A
    closed = client.call(Close(log))
    assert (closed.rc, closed.handle) == (0, even6.NO_HANDLE)
    assert even6.fault_of(client, GetLogFileInfo(log, COUNT)) == 0x1C00001A


def test_without_the_right_to_read(connect, channel):
    got = connect("bob").call(OpenLogHandle(channel))
    assert got.rc == even6.ERROR_ACCESS_DENIED
    assert got.handle == even6.NO_HANDLE


def test_all_channels_are_listed(client):
    got = client.call(GetChannelList())
    assert got.rc == 0
    assert {"Application", "System", "Security", "ForwardedEvents",
            "Evenlog/Operational", "Quiet", "Small", "Test/000"} \
        <= set(got.names)
    assert len({name.lower() for name in got.names}) == len(got.names)
