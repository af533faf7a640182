# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests' own client, against documented bytes: it is the judge of the
service, so it must not share the service's mistakes."""

import os
import uuid as uuids

import pytest

import binxml
import dcerpc
import even6
import even6_metadata
import ndr

DATA = os.path.join(os.path.dirname(__file__), "..", "event", "data")
HANDLE = bytes.fromhex("00000000 04030201 0605 0807 090a 0b0c0d0e0f10")


def vector(name):
    with open(os.path.join(DATA, name + ".hex"), encoding="ascii") as file:
        return bytes.fromhex("".join(
            line for line in file.read().split("\n")
            if not line.startswith("#")))


# Events

def test_a_windows_event_decodes_to_what_windows_shows():
    event = binxml.Event(vector("windows-4634"))
    assert event.provider == "Microsoft-Windows-Security-Auditing"
    assert event.attribute("Provider", "Guid") == \
        "{54849625-5478-4994-A5BA-3E3B0328C30D}"
    assert event.event_id == 4634
    assert event.record_id == 28493
    assert event.text("Version") == "0"
    assert event.text("Task") == "12545"
    assert event.text("Keywords") == "0x8020000000000000"
    assert event.time == "2020-07-23T03:02:31.2952353Z"
    assert event.attribute("Execution", "ProcessID") == "468"
    assert event.attribute("Execution", "ThreadID") == "1140"
    assert event.channel == "Security"
    assert event.computer == "ADSERVER.idfw.local"
    assert event.data == [
        ("TargetUserSid", "S-1-5-18"), ("TargetUserName", "ADSERVER$"),
        ("TargetDomainName", "IDFW"), ("TargetLogonId", "0x10ac2b1"),
        ("LogonType", "3")]


def test_a_manifest_style_event_decodes():
    event = binxml.Event(vector("manifest-style"))
    assert event.provider == "Example-Provider"
    assert (event.event_id, event.record_id) == (1000, 1)
    assert event.text("Level") == "4"
    assert event.time == "2023-11-14T22:13:20.0000000Z"
    assert event.attribute("Security", "UserID") == "S-1-5-18"
    assert event.channel == "Application"
    assert event.computer == "srv.example"
    assert event.values() == {"User": "bob", "Port": "445"}
    # Nothing of the optional attributes whose values are Null.
    assert event.attribute("Correlation", "ActivityID") is None


def test_the_specification_s_plain_document_decodes():
    root = binxml.decode(vector("spec-4.4"))
    assert [e.tag for e in root] == ["Element1", "Element2", "Element3"]
    assert root[0].text == "abc"
    assert root[1].text == " def &< ghi "
    assert root[2].attrib == {"AttrA": "abc", "AttrB": "def&<ghi"}


def test_the_specification_s_template_with_waste_bytes_decodes():
    root = binxml.decode(vector("spec-4.8"))
    user_data = root.find("UserData")
    assert user_data[0].tag == "MyEvent"
    assert [(e.tag, e.text) for e in user_data[0]] == [
        ("Property", "1"), ("Property2", "2")]
    assert root.find("System/EventRecordID").text == "6"


@pytest.mark.parametrize("name", ["windows-4634", "manifest-style",
                                  "spec-4.4", "spec-4.8"])
def test_a_cut_off_document_is_malformed(name):
    data = vector(name)
    for size in range(len(data)):
        with pytest.raises(binxml.Malformed):
            binxml.decode(data[:size])


def test_a_wrong_name_hash_is_malformed():
    data = bytearray(vector("spec-4.4"))
    data[9] ^= 1
    with pytest.raises(binxml.Malformed, match="hash"):
        binxml.decode(bytes(data))


def test_a_wrong_element_size_is_malformed():
    data = bytearray(vector("manifest-style"))
    at = data.index(bytes.fromhex("41ffff 41000000"))
    data[at + 3] += 1
    with pytest.raises(binxml.Malformed, match="Provider"):
        binxml.decode(bytes(data))


def test_a_result_record_is_taken_apart():
    record = even6.Record.parse(vector("result-record"))
    assert record.document == vector("spec-4.4")
    assert record.queries == [1]
    assert (record.channel, record.record_ids) == (0, [201, 100])
    assert record.record_id == 201
    assert record.direction == 0


def test_a_result_record_with_a_wrong_size_is_refused():
    data = vector("result-record")
    with pytest.raises(ValueError):
        even6.Record.parse(data[:-1])
    with pytest.raises(ValueError):
        even6.Record.parse(data + b"\0")


# Stubs: the bytes are those of [MS-EVEN6]'s IDL in NDR, laid out by hand.

@pytest.mark.parametrize("call, expected", [
    (even6.RegisterRemoteSubscription(None),
     "00000000 02000000 00000000 02000000 2a000000 00000000 01000000"),
    (even6.RegisterLogQuery("Application"),
     "00000200 0c000000 00000000 0c000000"
     "4100700070006c00690063006100740069006f006e000000"
     "02000000 00000000 02000000 2a000000 01010000"),
    (even6.RemoteSubscriptionNextAsync(HANDLE, 5),
     HANDLE.hex() + "05000000 00000000"),
    (even6.QueryNext(HANDLE, 5, 3000),
     HANDLE.hex() + "05000000 b80b0000 00000000"),
    (even6.QuerySeek(HANDLE, -1, even6.SEEK_LAST),
     HANDLE.hex() + "00000000 ffffffffffffffff 00000000 00000000 02000000"),
    (even6.GetLogFileInfo(HANDLE, 5),
     HANDLE.hex() + "05000000 10000000"),
    (even6.Close(HANDLE), HANDLE.hex()),
    (even6.GetChannelList(), "00000000"),
    (even6.OpenLogHandle("S"),
     "02000000 00000000 02000000 5300 0000 01000000"),
    (even6_metadata.GetPublisherMetadata("P", 0x409),
     "00000200 02000000 00000000 02000000 50000000 00000000 09040000"
     "00000000"),
    (even6_metadata.MessageRender(HANDLE, 8, bytes(range(16)), 0x1234, [],
                                  4096),
     HANDLE.hex() + "10000000 10000000 000102030405060708090a0b0c0d0e0f"
     "34120000 00000000 00000000 08000000 00100000"),
    # A value, from a multiple of eight: type, flags, arm, referent; what it
    # points to.
    (even6_metadata.MessageRenderDefault(
        1, bytes(1), values=even6_metadata.strings("A"), size=0),
     "01000000 01000000 00 000000 00000000 01000000 00000200 01000000"
     "00000000 04000000 00000000 04000000 04000200"
     "02000000 00000000 02000000 41000000 01000000 00000000"),
])
def test_requests_have_the_documented_bytes(call, expected):
    assert call.stub().hex() == expected.replace(" ", "")


def reply(call, text):
    return even6._reply(call, bytes.fromhex(text))


def test_a_registration_s_reply_is_read():
    got = reply(even6.RegisterRemoteSubscription(None), HANDLE.hex() + """
        00000000 14131211 1615 1817 191a 1b1c1d1e1f20
        02000000 00000200 02000000 04000200 00000000 08000200 9f3a0000
        02000000 00000000 02000000 4100 0000
        03000000 00000000 03000000 4200 4300 0000 0000
        01000000 02000000 03000000 05000000""")
    assert got.rc == 5
    assert got.handle == HANDLE
    assert got.channels == [("A", 0), ("BC", 0x3A9F)]
    assert got.error == (1, 2, 3)


def test_a_failed_registration_s_reply_is_read():
    got = reply(even6.RegisterLogQuery("x"), "00" * 60 + "9f3a0000")
    assert (got.rc, got.channels) == (even6.ERROR_EVT_CHANNEL_NOT_FOUND, None)


def test_a_batch_is_read():
    got = reply(even6.QueryNext(HANDLE), """
        01000000 00000200 01000000 00000000 04000200 01000000 08000000
        08000000 08000200 08000000 0102030405060708 00000000""")
    assert got.rc == 0
    assert got.blobs() == [bytes(range(1, 9))]


def test_empty_and_null_batches_differ():
    null = reply(even6.QueryNext(HANDLE), "00" * 20 + "03010000")
    assert (null.rc, null.indices) == (even6.ERROR_NO_MORE_ITEMS, None)
    empty = reply(even6.RemoteSubscriptionNext(HANDLE), """
        00000000 00000200 00000000 04000200 00000000 00000000
        08000200 00000000 00000000""")
    assert (empty.rc, empty.indices, empty.buffer) == (0, [], b"")


def test_log_info_is_read():
    got = reply(even6.GetLogFileInfo(HANDLE, 5), """
        10000000 2000000000000000 01000000 0a000000 10000000 00000000""")
    assert (got.rc, got.length, got.value()) == (0, 16, (32, 0x0A))


def test_a_list_of_names_is_read():
    got = reply(even6.GetChannelList(), """
        02000000 00000200 02000000 04000200 08000200
        02000000 00000000 02000000 6100 0000
        03000000 00000000 03000000 6200 6300 0000 0000 00000000""")
    assert got.names == ["a", "bc"]


def test_a_message_s_reply_is_read():
    got = reply(even6_metadata.MessageRenderDefault(2), """
        06000000 06000000 00000200 06000000 480069000000 0000
        00000000 00000000 00000000 00000000""")
    assert (got.rc, got.actual, got.needed, got.text) == (0, 6, 6, "Hi")


def test_a_display_name_s_reply_is_read():
    got = reply(even6_metadata.GetClassicLogDisplayName("x"), """
        00000200 02000000 00000000 02000000 5800 0000 00000000""")
    assert (got.rc, got.name) == (0, "X")


def test_lists_of_events_are_read_depth_first():
    """All heads, then each list with what its elements point to."""
    got = reply(even6_metadata.GetNextEventMetadata(HANDLE), """
        02000000 00000200 02000000
        01000000 04000200 01000000 08000200
        01000000 03000000 00000000 03000000 00000000 0807060504030201
        01000000 00000000 04000000 00000000 04000000 0c000200
        02000000 00000000 02000000 41000000
        00000000""")
    assert got.rc == 0
    assert got.values() == [[0x0102030405060708], ["A"]]


def test_bytes_behind_a_reply_are_an_error():
    with pytest.raises(ValueError, match="too many"):
        reply(even6.Cancel(HANDLE), "00000000 00000000")


def test_a_string_without_its_end_is_an_error():
    reader = ndr.Reader(bytes.fromhex("01000000 00000000 01000000 6100"))
    with pytest.raises(ValueError, match="NUL"):
        reader.string()


def test_bind_time_features_are_a_transfer_syntax():
    assert dcerpc.bind_time_features(3) == \
        ("6cb71c2c-9812-4540-0300-000000000000", 1)


# The rules of facts 2.2, by hand: pads are spelled "--".
VARIANTS = [ndr.Variant(ndr.UINT32, 5), ndr.Variant(ndr.STRING, "ab"),
            ndr.Variant(ndr.UINT64_ARRAY, [7])]
VARIANTS_NDR32 = """
    03000000 00000200 03000000 --------
    02000000 00000000 02000000 05000000
    04000000 00000000 04000000 04000200
    08000000 00000000 08000000 01000000 08000200
    03000000 00000000 03000000 6100 6200 0000 ----
    01000000 -------- 0700000000000000"""
VARIANTS_NDR64 = """
    03000000 -------- 0000020000000000 0300000000000000
    02000000 00000000 02000000 -------- 05000000 --------
    04000000 00000000 04000000 -------- 0400020000000000
    08000000 00000000 08000000 -------- 01000000 -------- 0800020000000000
    0300000000000000 0000000000000000 0300000000000000 6100 6200 0000 ----
    0100000000000000 0700000000000000"""


@pytest.mark.parametrize("ndr64", [False, True])
def test_a_list_of_variants_in_both_syntaxes(ndr64):
    text = VARIANTS_NDR64 if ndr64 else VARIANTS_NDR32
    data = bytes.fromhex(text.replace("-", "0"))
    assert ndr.Writer(ndr64).variants(VARIANTS).data == data
    reader = ndr.Reader(data, ndr64)
    assert reader.variants() == VARIANTS
    reader.end()


@pytest.mark.parametrize("ndr64", [False, True])
def test_every_variant_is_read_as_it_was_written(ndr64):
    one, two = uuids.uuid4(), uuids.uuid4()
    variants = [ndr.Variant(*variant) for variant in (
        (ndr.NULL, None), (ndr.BOOLEAN, True), (ndr.BOOLEAN, False),
        (ndr.UINT32, 0xFFFFFFFF, 1), (ndr.UINT64, 1 << 63),
        (ndr.STRING, None), (ndr.STRING, ""), (ndr.GUID, one),
        (ndr.GUID, None), (ndr.BOOLEAN_ARRAY, [1, 0, 1]),
        (ndr.UINT32_ARRAY, [1, 2, 3]), (ndr.UINT64_ARRAY, []),
        (ndr.STRING_ARRAY, ["a", None, "bcd"]), (ndr.GUID_ARRAY, [one, two]),
        (ndr.STRING_ARRAY, None), (ndr.BOOLEAN, True))]
    reader = ndr.Reader(ndr.Writer(ndr64).variants(variants).data, ndr64)
    assert reader.variants() == variants
    reader.end()
