# SPDX-License-Identifier: GPL-3.0-or-later
"""
The reader of ConfigMgr messages against messages that were built, signed and
deflated by Python's libraries, and its answers read by them.
"""

import datetime
import email
import json
import os
import subprocess
import xml.etree.ElementTree as ElementTree
import zlib

import pytest

import ccm
from server import BUILD

# enum bridge_signature.
NONE, INVALID, SELF_ASSERTED, _, _, NOT_CHECKED = range(6)


@pytest.fixture(scope="module")
def key():
    return ccm.Key()


def show(message, body=None, *arguments):
    program = os.path.join(BUILD,
                           "tests/integration/ccm_show")
    done = subprocess.run(
        [program, f'multipart/mixed; boundary="{message.boundary}"',
         *arguments],
        input=message.body() if body is None else body, timeout=30,
        capture_output=True, check=True)
    return json.loads(done.stdout)


def texts(shown):
    """The parts as text, without what stands around it."""
    return [bytes.fromhex(part).decode("utf-16" if part.startswith("fffe")
                                       else "utf-16-le").rstrip("\0")
            for part in shown["parts"]]


def reports():
    return ccm.discovery_reports()


@pytest.mark.parametrize("compress", [False, True])
def test_the_sdk_discovery_record_is_read(compress):
    head, full = reports()
    message = ccm.sdk_ddr(head, full, compress=compress)
    if compress:
        assert message.payload[:2] == b"\x58\x85"
    shown = show(message)
    assert shown["error"] is None, shown["reason"]
    assert texts(shown) == [head, full]
    assert shown["endpoint"] == "MP_DdrEndpoint"
    assert shown["id"] == message.id
    assert shown["source_id"] == ccm.CLIENT_ID
    assert shown["compressed"] is compress
    assert shown["signature"] == NONE and shown["key"] == "00" * 32
    assert not shown["sync"]


def test_the_documented_discovery_record_is_read():
    head, full = reports()
    shown = show(ccm.seed_ddr(head, full))
    assert shown["error"] is None, shown["reason"]
    assert texts(shown) == [head, full]


def test_the_python_senders_discovery_record_is_read(key):
    head, full = reports()
    message = ccm.sender_ddr(head, full, key=key,
                             sent="20261121192359.000000+000")
    shown = show(message)
    assert shown["error"] is None, shown["reason"]
    # The body is the full report; the second attachment is the same again.
    assert texts(shown) == [full, head, full]
    when = datetime.datetime(2026, 11, 21, 19, 23, 59)
    since = when - datetime.datetime(1601, 1, 1)
    assert shown["sent"] == int(since.total_seconds()) * 10**7
    assert not shown["sync"]


def test_a_native_message_is_read(key):
    head, full = reports()
    shown = show(ccm.native_message("MP_HinvEndpoint", head, [full], key=key))
    assert shown["error"] is None, shown["reason"]
    assert shown["endpoint"] == "MP_HinvEndpoint"
    assert texts(shown) == [head, full]
    assert shown["signature"] == SELF_ASSERTED


@pytest.mark.parametrize("algorithm", [ccm.SHA256_RSA, ccm.SHA1_RSA])
def test_signatures_of_another_library_are_right(key, algorithm):
    shown = show(ccm.sender_ddr(*reports(), key=key,
                                hash_algorithm=algorithm))
    assert shown["signature"] == SELF_ASSERTED
    assert shown["key"] == key.fingerprint()


@pytest.mark.parametrize("bits", [1024, 4096])
def test_keys_of_other_sizes_are_taken(bits):
    key = ccm.Key(bits)
    shown = show(ccm.sender_ddr(*reports(), key=key))
    assert shown["signature"] == SELF_ASSERTED
    assert shown["key"] == key.fingerprint()


def test_a_signature_by_another_key_is_not_right(key):
    message = ccm.sender_ddr(*reports(), key=key)
    other = ccm.Key().blob().hex().upper()
    mine = key.blob().hex().upper()
    message.replace(Hooks=message.elements["Hooks"].replace(mine, other))
    assert show(message)["signature"] == INVALID


def test_a_registration_is_read_and_its_signature_right(key):
    message = ccm.sender_registration(key)
    text = zlib.decompress(message.payload)[:-4].decode("utf-16-le")
    signature = ElementTree.fromstring(text).find(
        "Signature/SignatureValue").text
    shown = show(message, None, key.certificate().hex(), signature)
    assert shown["error"] is None, shown["reason"]
    assert texts(shown) == [text]
    assert shown["sync"] and shown["source_id"] is None
    assert shown["signature"] == NONE
    assert shown["registration"] == SELF_ASSERTED
    # The same key as a message is signed with.
    assert shown["certificate_key"] == key.fingerprint()
    # A registration of something else under this signature.
    other = ccm.sender_registration(key, netbios="PC02")
    shown = show(other, None, key.certificate().hex(), signature)
    assert shown["registration"] == INVALID


def as_reply(shown, name):
    return ccm.Reply(200, {"content-type": shown["reply_type"]},
                     bytes.fromhex(shown[name]))


def by_email(reply):
    """The parts as Python's own MIME parser finds them."""
    whole = email.message_from_bytes(
        b"Content-Type: " + reply.headers["content-type"].encode() +
        b"\r\n\r\n" + reply.body)
    assert not whole.defects
    return [(part.get_content_type(), part.get_param("charset"),
             part.get_payload(decode=True)) for part in whole.get_payload()]


def test_an_asynchronous_answer_is_byte_exact():
    shown = show(ccm.sdk_ddr(*reports()))
    reply = as_reply(shown, "reply_none")
    assert reply.is_no_reply()
    assert reply.body == (
        b"--aAbBcCdDv1234567890VxXyYzZ\r\n"
        b"Content-Type: text/plain; charset=UTF-16\r\n\r\n"
        b"\xff\xfeN\0o\0R\0e\0p\0l\0y\0\r\n--aAbBcCdDv1234567890VxXyYzZ--")
    assert by_email(reply) == [
        ("text/plain", "UTF-16", b"\xff\xfe" + ccm.utf16("NoReply"))]


@pytest.mark.parametrize("compress", [False, True])
def test_a_synchronous_answer_is_read_by_others(key, compress):
    message = ccm.sender_registration(key)
    message.reply_compression = "zlib" if compress else "none"
    reply = as_reply(show(message), "reply_xml")
    (kind, charset, header), (kind2, _, payload) = by_email(reply)
    assert (kind, charset) == ("text/plain", "UTF-16")
    assert kind2 == "application/octet-stream"
    if compress:
        payload = zlib.decompress(payload)
    xml = '<Reply SMSID="ä"/>'
    assert payload == ccm.utf16(xml) + b"\0\0\r\n"

    msg, text = reply.message()
    assert text == xml
    assert msg.find("CorrelationID").text == message.id
    assert msg.find("ID").text == "{01234567-89AB-CDEF-0123-456789ABCDEF}"
    assert dict(msg.find("Body").items()) == {
        "Type": "ByteRange", "Offset": "0", "Length": str(2 * len(xml) + 2)}
    assert msg.find("SentTime").text == "2026-11-21T19:22:19Z"
    assert [hook.get("Name") for hook in msg.find("Hooks")] == (
        ["zlib-compress"] if compress else [])
    # An answer has the shape of a request.
    again = show(ccm.Message({}, b""), reply.body)
    assert again["error"] is None, again["reason"]
    assert again["endpoint"] == "direct:PC01:SccmMessaging"
    assert texts(again) == [xml]


def test_a_zip_bomb_is_refused():
    message = ccm.sdk_message("MP_DdrEndpoint", "x")
    coder = zlib.compressobj(9)
    mebibyte = bytes(1024 * 1024)
    message.payload = b"".join(
        [coder.compress(mebibyte) for _ in range(65)] + [coder.flush()])
    shown = show(message)
    assert shown["error"] == "EVERR_LIMIT"
    assert shown["reason"] == ("the payload has more than 67,108,864 bytes "
                               "when it is inflated")
    assert shown["id"] == message.id
