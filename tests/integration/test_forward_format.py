# SPDX-License-Identifier: GPL-3.0-or-later
"""rsyslogd parses every message that the formats make of 200 hostile events:
what it takes for the fields is what was put in."""

import json
import os
import re
import socket
import sys

import pytest

from rsyslog import Rsyslog

sys.path.insert(0, os.path.join(os.environ.get("top_srcdir", "."), "tests",
                                "forward"))
import check_syslog  # noqa: E402  pylint: disable=wrong-import-position

PROGRAM = os.path.join(os.environ.get("top_builddir", "."), "tests",
                       "forward", "format_cases")


@pytest.fixture(name="cases", scope="module")
def declared():
    return check_syslog.declared_cases(PROGRAM)


# rsyslogd 8.2302 counts structured data in 16 bits: of longer ones it has a
# part, which may end inside a character.  Its rawmsg is whole.
RSYSLOG_SD_MAX = 65535


def through_rsyslog(messages):
    """Send with octet counting; what rsyslogd made of each."""
    with Rsyslog(transports=("tcp",), parsed=True, sync=False) as receiver:
        with socket.create_connection(
                (receiver.address, receiver.ports["tcp"]), 30) as sock:
            for message in messages:
                sock.sendall(b"%d %s" % (len(message), message))
        receiver.wait_lines(len(messages))
        return [json.loads(line.decode("utf-8", "replace"))
                for line in receiver.read_lines()]


def structured_data(text):
    """The elements, by the grammar of RFC 5424."""
    return re.findall(r'\[((?:[^"\]]|"(?:[^"\\]|\\.)*")*)\]', text)


def check_header(case, got):
    assert int(got["pri"]) == 128 + case.severity
    assert got["host"] == case.host
    assert got["version"] == "1"
    assert got["app"] == check_syslog.header_name(case.provider, 48)
    assert got["procid"] == (str(case.declared["processId"])
                             if case.whole else "-")
    assert got["msgid"] == str(case.declared["eventId"])


@pytest.mark.parametrize("maximum", (2097152, 8192))
def test_rsyslog_parses_rfc5424(cases, maximum):
    messages = check_syslog.messages(PROGRAM, "rfc5424", maximum)
    parsed = through_rsyslog(messages)
    assert len(parsed) == len(cases)
    for case, message, got in zip(cases, messages, parsed):
        check_header(case, got)
        ours = check_syslog.Syslog(message)
        assert got["raw"].encode() == message
        if len(message) <= RSYSLOG_SD_MAX:
            assert len(structured_data(got["sd"])) == len(ours.elements)
            assert (b" " + got["sd"].encode()
                    + (b" " if ours.text else b"")) in message
        assert check_syslog.undo_octal(
            got["msg"].lstrip(" ").removeprefix("\ufeff")) == (
                ours.text or "").lstrip(" ")


def test_rsyslog_parses_rfc5424_json(cases):
    messages = check_syslog.messages(PROGRAM, "rfc5424-json", 2097152)
    for case, message, got in zip(cases, messages,
                                  through_rsyslog(messages)):
        check_header(case, got)
        assert len(structured_data(got["sd"])) == 1
        assert message.endswith(got["msg"].encode())
        check_syslog.check_object(case, got["msg"], len(message), 2097152,
                                  header=True)


def test_rsyslog_parses_rfc3164(cases):
    messages = check_syslog.messages(PROGRAM, "rfc3164", 2097152)
    for case, message, got in zip(cases, messages,
                                  through_rsyslog(messages)):
        ours = check_syslog.Bsd(message)
        assert int(got["pri"]) == 128 + case.severity
        assert got["version"] == "0"
        assert got["host"] == case.host
        assert got["app"] == ours.tag
        assert got["procid"] == (ours.pid or "-")
        assert message.endswith(got["msg"].encode())
        assert got["msg"].lstrip().startswith('msg="') or ours.params[0][0] \
            == "marks"
