# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that decide whether Windows-compatible clients work: one to
eight at the top of facts/even6.md."""

import struct
import uuid as uuids

import pytest

import binxml
import dcerpc
import even6
from even6 import (QueryNext, Raw, RegisterLogQuery,
                   RegisterRemoteSubscription, RemoteSubscriptionNext,
                   RemoteSubscriptionNextAsync, RemoteSubscriptionWaitAsync)
from emission import definitions, event_fields
from publisher import NEW_YEAR, SECOND, event, filler
from server import USERS
from subscribing import (all_numbers, bookmark, check_limits, drain_pull,
                         drain_query, is_empty, numbers, pull, query_list,
                         start_query, subscribe)

LIST_CHANNELS = even6.GetChannelList()


# 1. TCP and endpoint mapper, authentication level 5 or 6, NDR32 is enough,
#    BTFN acknowledged, context handles by association group.

def test_rule_1_the_endpoint_mapper_tells_the_port(service):
    assert dcerpc.map_endpoint("127.0.0.1", even6.INTERFACE,
                               service.mapper_port) == service.port


@pytest.mark.parametrize("security", [dcerpc.Ntlm, dcerpc.SpnegoNtlm])
@pytest.mark.parametrize("level", [dcerpc.INTEGRITY, dcerpc.PRIVACY])
def test_rule_1_integrity_and_privacy_are_served(connect, security, level):
    client = connect(security=security, level=level)
    assert client.call(LIST_CHANNELS).rc == 0


@pytest.mark.parametrize("security, level", [
    (None, None), (dcerpc.Ntlm, dcerpc.CONNECT),
    (dcerpc.SpnegoNtlm, dcerpc.CONNECT)])
def test_rule_1_below_integrity_calls_are_denied(connect, security, level):
    """The bind succeeds, every call is answered with fault 0x5."""
    client = connect(security=security, level=level)
    for call in (LIST_CHANNELS, RegisterLogQuery("Application"), Raw(6)):
        assert even6.fault_of(client, call) == dcerpc.FAULT_ACCESS_DENIED


def test_rule_1_ndr32_is_chosen_and_features_are_acknowledged(
        connect, publisher, channel):
    """The three contexts that Windows offers in one bind (facts 1.3)."""
    client = connect(syntaxes=(dcerpc.NDR, dcerpc.NDR64,
                               dcerpc.bind_time_features(3)),
                     header_signing=True)
    ndr32, ndr64, features = client.rpc.results
    assert ndr32 == (0, 0)
    assert client.rpc.accepted[0] == \
        uuids.UUID(dcerpc.NDR[0]).bytes_le + struct.pack("<I", 2)
    # provider_rejection, proposed_transfer_syntaxes_not_supported
    assert ndr64 == (2, 2)
    # negotiate_ack with no bit that was not asked for, and no syntax
    assert features[0] == 3
    assert features[1] & ~3 == 0
    assert client.rpc.accepted[2] == bytes(20)
    publisher.numbers(channel, 1)
    query = start_query(client, channel)
    assert all_numbers(drain_query(client, query.handle)) == [1]


@pytest.mark.parametrize("bits", [0, 1, 2, 3, 0xFF, 2**63])
def test_rule_1_only_features_that_exist_are_acknowledged(connect, bits):
    client = connect(syntaxes=(dcerpc.NDR, dcerpc.bind_time_features(bits)))
    result, accepted = client.rpc.results[1]
    assert result == 3
    assert accepted & ~(bits & 3) == 0


@pytest.mark.parametrize("security", [dcerpc.Ntlm, dcerpc.SpnegoNtlm])
@pytest.mark.parametrize("offered", [True, False])
def test_rule_1_header_signing_is_granted_where_offered(
        connect, security, offered):
    client = connect(security=security, header_signing=offered)
    granted = bool(client.rpc.ack_flags & dcerpc.HEADER_SIGN)
    assert granted == offered
    # Requests and replies of several fragments, signatures verified.
    query = "*" + " " * 20000
    assert client.call(RegisterLogQuery("Application", query)).rc == 0
    assert client.call(LIST_CHANNELS).rc == 0


def test_rule_1_context_handles_belong_to_the_association_group(
        client, connect, publisher, channel):
    publisher.numbers(channel, 2)
    query = start_query(client, channel)
    friend, stranger = connect(group=client.rpc.group), connect()
    assert friend.rpc.group == client.rpc.group != stranger.rpc.group
    assert numbers(friend.call(QueryNext(query.handle, 1))) == [1]
    assert even6.fault_of(stranger, QueryNext(query.handle, 1)) == \
        dcerpc.FAULT_CONTEXT_MISMATCH
    assert numbers(client.call(QueryNext(query.handle, 1))) == [2]


def test_rule_1_a_group_that_does_not_exist_is_not_joined(connect):
    """A new one is made, or the bind is refused: never another's."""
    try:
        client = connect(group=0x7FFFFFF0)
    except (dcerpc.Refused, dcerpc.Fault, dcerpc.Closed):
        return
    assert client.rpc.group != 0x7FFFFFF0


# 2. Opnums 1 and 3 wait for long; other calls go on meanwhile.

def test_rule_2_calls_go_on_while_others_wait(
        client, connect, publisher, channel):
    pushed = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    pulled = pull(client, channel, even6.SUBSCRIBE_FUTURE)
    second = connect(group=client.rpc.group)
    waiting = [client.start(RemoteSubscriptionNextAsync(pushed.handle)),
               second.start(RemoteSubscriptionWaitAsync(pulled.handle))]
    for one in (client, second):
        assert is_empty(one.call(RemoteSubscriptionNext(pulled.handle)))
        query = start_query(one, channel)
        assert list(drain_query(one, query.handle)) == []
        for handle in (query.handle, query.control):
            assert one.call(even6.Close(handle)).rc == 0
        assert one.call(LIST_CHANNELS).rc == 0
    assert all(one.is_parked() for one in waiting)
    publisher.numbers(channel, 1)
    assert numbers(waiting[0].result()) == [1]
    assert waiting[1].result().rc == 0


def test_rule_2_a_cancelled_call_ends_with_a_fault(
        client, publisher, channel):
    """co_cancel, as for a client that waits for the call's end."""
    made = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    for number in (1, 2):
        waiting = client.start(RemoteSubscriptionNextAsync(made.handle))
        assert waiting.is_parked()
        client.rpc.cancel(waiting.call_id)
        with pytest.raises(dcerpc.Fault) as ended:
            waiting.result()
        assert ended.value.status == dcerpc.FAULT_CANCEL
        # Nothing is lost to it.
        publisher.numbers(channel, 1, first=number)
        again = client.call(RemoteSubscriptionNextAsync(made.handle))
        assert numbers(again) == [number]


def test_rule_2_an_orphaned_call_is_dropped(client, publisher, channel):
    """Its client listens no more, and has the next call at once."""
    made = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    orphan = client.start(RemoteSubscriptionNextAsync(made.handle))
    assert orphan.is_parked()
    client.rpc.orphan(orphan.call_id)
    waiting = client.start(RemoteSubscriptionNextAsync(made.handle))
    assert waiting.is_parked()
    publisher.numbers(channel, 1)
    assert numbers(waiting.result()) == [1]
    assert client.call(LIST_CHANNELS).rc == 0
    assert not client.rpc.is_done(orphan.call_id)


@pytest.mark.parametrize("packet", ["cancel", "orphan"])
def test_rule_2_giving_up_what_does_not_wait_changes_nothing(
        client, publisher, channel, packet):
    """The call of another, one that has been answered, one never made."""
    publisher.numbers(channel, 1)
    made = [subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
            for _ in range(2)]
    waiting = client.start(RemoteSubscriptionNextAsync(made[0].handle))
    assert waiting.is_parked()
    for call_id in (waiting.call_id + 1, 1, 0x7FFFFFFF):
        getattr(client.rpc, packet)(call_id)
    query = start_query(client, channel)
    assert all_numbers(drain_query(client, query.handle)) == [1]
    assert waiting.is_parked()
    publisher.numbers(channel, 1, first=2)
    assert numbers(waiting.result()) == [2]


def test_rule_2_the_packet_may_carry_a_verifier(client, channel):
    made = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    for _ in range(3):
        waiting = client.start(RemoteSubscriptionNextAsync(made.handle))
        assert waiting.is_parked()
        client.rpc.orphan(waiting.call_id, verifier=bytes(16))


@pytest.mark.parametrize("packet", ["cancel", "orphan"])
def test_rule_2_what_happens_before_the_next_call_is_for_it(
        service, client, publisher, channel, packet):
    before = service.status()["rpc"]["parked_calls"]
    made = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    given_up = client.start(RemoteSubscriptionNextAsync(made.handle))
    assert given_up.is_parked()
    getattr(client.rpc, packet)(given_up.call_id)
    assert client.call(LIST_CHANNELS).rc == 0
    assert service.status()["rpc"]["parked_calls"] == before
    publisher.numbers(channel, 1)
    again = client.call(RemoteSubscriptionNextAsync(made.handle))
    assert numbers(again) == [1]


@pytest.mark.parametrize("packet", ["cancel", "orphan"])
def test_rule_2_a_call_of_the_same_id_elsewhere_goes_on(
        client, connect, publisher, channel, packet):
    """Call ids are a connection's own, also within a group."""
    second = connect(group=client.rpc.group)
    waiting = []
    for one in (client, second):
        made = subscribe(one, channel, even6.SUBSCRIBE_FUTURE)
        waiting.append(one.start(RemoteSubscriptionNextAsync(made.handle)))
    assert waiting[0].call_id == waiting[1].call_id
    getattr(client.rpc, packet)(waiting[0].call_id)
    assert client.call(LIST_CHANNELS).rc == 0
    assert waiting[1].is_parked()
    publisher.numbers(channel, 1)
    assert numbers(waiting[1].result()) == [1]


@pytest.mark.parametrize("kind", ["wait", "next"])
def test_rule_2_calls_of_a_pull_are_given_up(
        client, publisher, channel, kind):
    made = pull(client, channel, even6.SUBSCRIBE_FUTURE)
    call = {"wait": RemoteSubscriptionWaitAsync(made.handle),
            "next": RemoteSubscriptionNext(made.handle,
                                           timeout=even6.FOREVER)}[kind]
    given_up = client.start(call)
    assert given_up.is_parked()
    client.rpc.orphan(given_up.call_id)
    again = client.start(call)
    assert again.is_parked()
    publisher.numbers(channel, 1)
    assert again.result().rc == 0


# 3. On success arrays are there, also empty ones; on error they are NULL and
#    the result is the last word.

def words(reply):
    return list(struct.unpack(f"<{len(reply) // 4}I", reply))


def test_rule_3_success_without_records_has_arrays(client, channel):
    made = pull(client, channel)
    call = RemoteSubscriptionNext(made.handle)
    reply = words(client.call(Raw(2, call.stub())))
    number, first, zero1, second, zero2, size, third, zero3, rc = reply
    assert (number, zero1, zero2, size, zero3, rc) == (0,) * 6
    assert first and second and third


def test_rule_3_failed_calls_have_null_arrays(client, channel):
    """Five words of nothing, then the result (facts 2.2)."""
    pushed = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    pulled = pull(client, channel)
    query = start_query(client, channel)
    for call, rc in (
            (RemoteSubscriptionNextAsync(pulled.handle), 0x10DD),
            (RemoteSubscriptionNext(pushed.handle), 0x10DD),
            (QueryNext(query.handle), 0x103),
            (QueryNext(query.handle, 1025), 0x57)):
        reply = client.call(Raw(call.opnum, call.stub()))
        assert words(reply) == [0, 0, 0, 0, 0, rc]


def test_rule_3_failed_registrations_have_null_arrays(client):
    for call in (RegisterRemoteSubscription("No/Such"),
                 RegisterLogQuery("No/Such")):
        reply = words(client.call(Raw(call.opnum, call.stub())))
        assert len(reply) == 16
        assert reply[:12] == [0] * 12
        assert reply[12] != 0           # RpcInfo
        assert reply[15] == 0x3A9F


# 4. The order of queryChannelInfo is that of the bookmarks' indices.

@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_rule_4_bookmarks_have_the_order_of_the_channel_list(
        client, publisher, channels, order):
    for position, name in enumerate(channels):
        publisher.numbers(name, position + 1, first=100 * position,
                          time=NEW_YEAR + position * SECOND)
    paths = [channels[i] for i in order]
    made = pull(client, None, query=query_list(*paths))
    asked = start_query(client, None, query=query_list(*paths))
    assert [name for name, _ in made.channels] == paths
    assert [name for name, _ in asked.channels] == paths
    for batches in (drain_pull(client, made.handle),
                    drain_query(client, asked.handle)):
        records = [r for batch in batches for r in batch.records()]
        for record in records:
            shown = binxml.Event(record.document)
            assert shown.channel == paths[record.channel]
            assert shown.record_id == record.record_id
        # At the end each channel stands at its last record.
        assert records[-1].record_ids == [i + 1 for i in order]


# 5. At most 1024 records and 2 MiB, the rest in the next call.

@pytest.mark.parametrize("size, count", [(0, 1100), (8000, 500),
                                         (200000, 15), (1000000, 4)])
def test_rule_5_batches_are_bounded_and_nothing_is_lost(
        client, publisher, channel, size, count):
    publisher.publish(channel, *(
        event(channel, n, filler=filler(size), odd=n % 2 == 0)
        for n in range(count)))
    made = pull(client, channel)
    asked = start_query(client, channel)
    for batches in (list(drain_pull(client, made.handle)),
                    list(drain_query(client, asked.handle))):
        assert all_numbers(batches) == list(range(count))
        # Full ones: the next record would not have fitted.
        for batch in batches[:-1]:
            assert len(batch.indices) == 1024 or \
                len(batch.buffer) + size > 2 * 1024 * 1024
    pushed = subscribe(client, channel, even6.SUBSCRIBE_OLDEST)
    seen = []
    while len(seen) < count:
        batch = client.call(RemoteSubscriptionNextAsync(pushed.handle, 1024))
        check_limits(batch)
        seen += numbers(batch)
    assert seen == list(range(count))


# 6. Lenience.

def test_rule_6_no_direction_is_forward(client, publisher, channel):
    publisher.numbers(channel, 3)
    for flags in (even6.QUERY_CHANNEL, 0):
        query = start_query(client, channel, flags)
        assert all_numbers(drain_query(client, query.handle)) == [1, 2, 3]


@pytest.mark.parametrize("flags", [
    even6.QUERY_CHANNEL, even6.QUERY_FILE, 0,
    even6.QUERY_CHANNEL | even6.QUERY_FILE])
def test_rule_6_structured_without_path_takes_either_kind(
        client, publisher, channel, flags):
    publisher.numbers(channel, 1)
    query = start_query(client, None, flags, query_list(channel))
    assert all_numbers(drain_query(client, query.handle)) == [1]


@pytest.mark.parametrize("flags", [even6.SUBSCRIBE_FUTURE,
                                   even6.SUBSCRIBE_OLDEST])
def test_rule_6_an_empty_bookmark_is_none(client, channel, flags):
    assert pull(client, channel, flags, bookmark="").rc == 0


def test_rule_6_a_declaration_of_another_encoding(
        client, publisher, channel):
    publisher.numbers(channel, 2)
    declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'
    made = pull(client, None, even6.SUBSCRIBE_BOOKMARK,
                query=declaration + query_list(channel),
                bookmark=declaration + bookmark((channel, 1)))
    assert all_numbers(drain_pull(client, made.handle)) == [2]


def test_rule_6_bytes_behind_the_stub(client, channel):
    call = RegisterLogQuery(channel)
    reply = client.call(Raw(call.opnum, call.stub() + b"\xff" * 12))
    assert even6._reply(call, reply).rc == 0


# 7. Ends: of a query, of an idle pull, and none of a push.

def test_rule_7_a_query_ends_with_no_more_items(client, publisher, channel):
    publisher.numbers(channel, 1)
    query = start_query(client, channel)
    assert numbers(client.call(QueryNext(query.handle, 64))) == [1]
    got = client.call(QueryNext(query.handle, 64))
    assert (got.rc, got.indices) == (0x103, None)


@pytest.mark.parametrize("timeout", [0, 50])
def test_rule_7_an_idle_pull_succeeds_without_records(
        client, channel, timeout):
    made = pull(client, channel)
    for _ in range(3):
        assert is_empty(client.call(
            RemoteSubscriptionNext(made.handle, 100, timeout)))


def test_rule_7_a_push_never_completes_empty(
        client, publisher, channels):
    """Not for another channel's events, nor for another subscription's."""
    made = subscribe(client, channels[0], even6.SUBSCRIBE_FUTURE)
    other = subscribe(client, channels[1], even6.SUBSCRIBE_FUTURE)
    waiting = client.start(RemoteSubscriptionNextAsync(made.handle))
    for number in range(3):
        publisher.numbers(channels[1], 1, first=number)
        got = client.call(RemoteSubscriptionNextAsync(other.handle))
        assert numbers(got) == [number]
        assert waiting.is_parked()
    publisher.numbers(channels[0], 1, first=9)
    assert numbers(waiting.result()) == [9]


# 8. What events look like: the service's own and those of its command line,
#    in the form that the pickiest known clients read (facts 9.7, 10.3).

STRING, UINT8, UINT16, UINT32, UINT64 = 0x01, 0x04, 0x06, 0x08, 0x0A
BOOL, GUID, FILETIME, SID, HEX64, BINXML = 0x0D, 0x0F, 0x11, 0x13, 0x15, 0x21

SYSTEM_TYPES = {
    "Provider@Name": STRING, "Provider@Guid": GUID, "EventID": UINT16,
    "EventID@Qualifiers": UINT16, "Version": UINT8, "Level": UINT8,
    "Task": UINT16, "Opcode": UINT8, "Keywords": HEX64,
    "TimeCreated@SystemTime": FILETIME, "EventRecordID": UINT64,
    "Correlation@ActivityID": GUID, "Correlation@RelatedActivityID": GUID,
    "Execution@ProcessID": UINT32, "Execution@ThreadID": UINT32,
    "Channel": STRING, "Computer": STRING, "Security@UserID": SID}
# Without these EVENmonitor fails (facts 16.2).
REQUIRED = {"EventID", "Level", "Task", "Keywords", "Channel",
            "TimeCreated@SystemTime", "EventRecordID", "Computer",
            "Provider@Name"}
# What jcifs reads; the tests' events have data of these types only.
WIDELY_READ = {0x00, STRING, UINT8, UINT16, UINT32, UINT64, BOOL, GUID,
               FILETIME, SID, 0x14, HEX64, BINXML}


@pytest.fixture(scope="module")
def own_events(service):
    """Documents of events that the service's own encoder made."""
    service.evenlog(
        "publish", "Application", "--provider=Rule 8 & more",
        "--provider-guid={11111111-2222-3333-4444-555555555555}", "--id=77",
        "--level=warning", "--task=3", "--opcode=4", "--event-version=2",
        "--data=Text=a & b <c>", "--data=Flag:Boolean=true",
        "--data=Port:UInt32=445", "--data=Empty=", "--data=Who:SID=S-1-5-18")
    service.publish("Application", 3, Text="same shape")
    security = dcerpc.Ntlm("alice", USERS["alice"])
    with even6.connect("127.0.0.1", service.port, security) as client:
        return [record.document
                for name in ("Application", "Evenlog/Operational")
                for batch in drain_query(
                    client, start_query(client, name).handle)
                for record in batch.records()]


def test_rule_8_documents_are_template_instances_in_form(own_events):
    """Headers, ends, hashes, lengths, dependencies: see emission.py."""
    assert len(own_events) >= 5
    for document in own_events:
        assert event_fields(document)
        binxml.decode(document)


def test_rule_8_system_values_have_the_types_that_consumers_want(own_events):
    for document in own_events:
        fields = {path.removeprefix("Event/System/"): kind
                  for path, kind, _ in event_fields(document)
                  if path.startswith("Event/System/")}
        assert REQUIRED <= {n for n, kind in fields.items() if kind != 0}
        for name, kind in fields.items():
            assert kind in (0, SYSTEM_TYPES[name]), name


def test_rule_8_values_are_of_types_that_all_clients_read(own_events):
    for document in own_events:
        for path, kind, value in event_fields(document):
            assert kind in WIDELY_READ, path
            if kind == 0:
                assert value == b"", path
            elif kind == BOOL:
                assert len(value) == 4, path
            elif kind == STRING:
                assert "\0" not in value.decode("utf-16-le"), path


def test_rule_8_a_template_s_guid_always_means_the_same_bytes(own_events):
    seen = {}
    for document in own_events:
        for guid, definition in definitions(document):
            assert seen.setdefault(guid, definition) == definition
    # Events of one shape share theirs.
    last = [definitions(document) for document in own_events
            if binxml.Event(document).values().get("Text") == "same shape"]
    assert len(last) == 3
    assert last[0] == last[1] == last[2]


def test_rule_8_text_arrives_as_it_was_written(own_events):
    shown = binxml.Event(own_events[0])
    assert shown.provider == "Rule 8 & more"
    assert shown.attribute("Provider", "Guid") == \
        "{11111111-2222-3333-4444-555555555555}"
    assert shown.event_id == 77
    assert [shown.text(name) for name in
            ("Version", "Level", "Task", "Opcode")] == ["2", "3", "3", "4"]
    assert shown.record_id == 1
    assert shown.channel == "Application"
    assert shown.data == [
        ("Text", "a & b <c>"), ("Flag", "true"), ("Port", "445"),
        ("Empty", ""), ("Who", "S-1-5-18")]
