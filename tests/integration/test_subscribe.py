# SPDX-License-Identifier: GPL-3.0-or-later
"""Remote subscriptions: opnums 0 to 3, and 13 and 14 on them."""

import time

import pytest

import binxml
import dcerpc
import even6
from even6 import (Cancel, Close, RegisterRemoteSubscription,
                   RemoteSubscriptionNext, RemoteSubscriptionNextAsync,
                   RemoteSubscriptionWaitAsync)
from publisher import (NEW_YEAR, SECOND, Publisher, Refused, event,
                       filler)
from server import USERS, Server
from subscribing import (all_numbers, bookmark, check_limits, drain_pull,
                         has_failed, is_empty, numbers, pull, query_list,
                         start_query, subscribe)

BACKUP = "Microsoft-Windows-Backup/Operational"
OPEN_TO_ALL = "O:BAG:SYD:(A;;0x1;;;WD)"

CONFIG = f"""
[channel {BACKUP}]
[channel Quiet]
enabled = no
[channel Open]
access = {OPEN_TO_ALL}
"""

# [MS-EVEN6] 4.6, as its example prints it.
EXAMPLE_QUERY = """<?xml version="1.0" encoding="UTF-8"?>
<QueryList>
<Query Id="1" Path="Application">
<Select Path="Application">*</Select>
</Query>
<Query Id="2" Path="Microsoft-Windows-Backup/Operational">
<Select Path="Microsoft-Windows-Backup/Operational">*</Select>
</Query>
</QueryList>
"""


def next_async(client, subscription, count=100):
    return client.start(RemoteSubscriptionNextAsync(
        subscription.handle, count))


# The example of the specification

def test_the_push_subscription_of_the_specification(
        service, publisher, client):
    publisher.numbers("Application", 200)
    publisher.numbers(BACKUP, 100)
    got = client.call(RegisterRemoteSubscription(
        None, EXAMPLE_QUERY, None, 0x00000001))
    assert got.rc == 0
    assert got.error == (0, 0, 0)
    assert got.channels == [("Application", 0), (BACKUP, 0)]
    assert got.handle != even6.NO_HANDLE != got.control != got.handle

    # Nothing of the 300 events comes: the call waits.
    waiting = next_async(client, got, 5)
    assert waiting.is_parked()
    assert service.status()["rpc"]["parked_calls"] == 1

    # "The cursors stand at 201 and 101": the next event has the first id,
    # the channel beside it has been passed up to 100.
    publisher.publish("Application", event("Application", 4711,
                                           time=133444736000000001))
    batch = waiting.result()
    assert numbers(batch) == [4711]
    record, = batch.records()
    assert record.queries == [1]
    assert (record.channel, record.record_ids) == (0, [201, 100])
    assert record.direction == 0
    shown = binxml.Event(record.document)
    assert shown.record_id == 201
    assert shown.provider == "Test"
    assert shown.event_id == 1000
    assert shown.channel == "Application"
    assert shown.computer == "there.example"
    assert shown.time == "2023-11-14T22:13:20.0000001Z"
    assert shown.data == [("Number", "4711")]

    waiting = next_async(client, got, 5)
    assert waiting.is_parked()
    publisher.numbers(BACKUP, 1, first=4712)
    record, = waiting.result().records()
    assert record.queries == [2]
    assert (record.channel, record.record_ids) == (1, [201, 101])

    # 14, 13, 13 as clients end it.
    assert client.call(Cancel(got.control)).rc == 0
    for handle in (got.handle, got.control):
        closed = client.call(Close(handle))
        assert (closed.rc, closed.handle) == (0, even6.NO_HANDLE)


# Where a subscription starts

def test_future_events_begin_with_the_registration(client, publisher,
                                                   channel):
    publisher.numbers(channel, 3)
    subscription = pull(client, channel, even6.SUBSCRIBE_FUTURE)
    publisher.numbers(channel, 2, first=4)
    assert all_numbers(drain_pull(client, subscription.handle)) == [4, 5]


def test_oldest_first_and_then_what_comes(client, publisher, channel):
    publisher.numbers(channel, 3)
    subscription = subscribe(client, channel, even6.SUBSCRIBE_OLDEST)
    assert subscription.channels == [(channel, 0)]
    batch = next_async(client, subscription).result()
    assert numbers(batch) == [1, 2, 3]
    assert [r.record_ids for r in batch.records()] == [[1], [2], [3]]
    # The query is no structured one: no Ids of subqueries.
    assert [r.queries for r in batch.records()] == [[], [], []]
    waiting = next_async(client, subscription)
    assert waiting.is_parked()
    publisher.numbers(channel, 1, first=4)
    assert numbers(waiting.result()) == [4]


def test_a_bookmark_resumes_after_its_record(client, publisher, channel):
    publisher.numbers(channel, 10)
    for strict in (0, even6.SUBSCRIBE_STRICT):
        subscription = pull(client, channel,
                            even6.SUBSCRIBE_BOOKMARK | strict,
                            bookmark=bookmark((channel, 7)))
        assert all_numbers(drain_pull(client, subscription.handle)) == \
            [8, 9, 10]


def test_a_bookmark_of_the_newest_record_waits_for_the_next(
        client, publisher, channel):
    publisher.numbers(channel, 10)
    subscription = subscribe(
        client, channel, even6.SUBSCRIBE_BOOKMARK | even6.SUBSCRIBE_STRICT,
        bookmark=bookmark((channel, 10)))
    waiting = next_async(client, subscription)
    assert waiting.is_parked()
    publisher.numbers(channel, 1, first=11)
    assert numbers(waiting.result()) == [11]


def test_a_bookmark_of_several_channels_resumes_in_each(
        client, publisher, channels):
    one, two, three = channels
    for number, name in enumerate(channels):
        publisher.numbers(name, 3, first=10 * number + 1,
                          time=NEW_YEAR + number)
    subscription = pull(
        client, None, even6.SUBSCRIBE_BOOKMARK,
        query=query_list(*channels),
        bookmark=bookmark((one, 2), b=(two, 1)))
    # A channel that the bookmark does not name starts at its oldest record.
    assert all_numbers(drain_pull(client, subscription.handle)) == \
        [3, 12, 13, 21, 22, 23]


@pytest.mark.parametrize("text", [
    '<BookmarkList><Bookmark Channel="{0}" RecordId="2" IsCurrent="true"/>'
    '</BookmarkList>',
    '<?xml version="1.0" encoding="UTF-8"?>\r\n<BookmarkList>\r\n'
    "<Bookmark Channel='{0}' RecordId='2' IsCurrent='True'/>"
    "</BookmarkList>",
    "<BookmarkList Direction='forward'><Bookmark IsCurrent='1' RecordId='2' "
    "Channel=' {0}' Future='x'></Bookmark></BookmarkList>",
    "<BookmarkList><Bookmark Channel='{1}' RecordId='2'/></BookmarkList>",
])
def test_bookmarks_are_read_as_clients_write_them(
        client, publisher, channel, text):
    publisher.numbers(channel, 3)
    subscription = pull(client, channel, even6.SUBSCRIBE_BOOKMARK,
                        bookmark=text.format(channel, channel.upper()))
    assert all_numbers(drain_pull(client, subscription.handle)) == [3]


@pytest.mark.parametrize("text", [
    None, "", "garbage", "<BookmarkList>", "<BookmarkList/>",
    "<Bookmark Channel='Application' RecordId='1'/>",
    "<BookmarkList><Bookmark RecordId='1' IsCurrent='true'/></BookmarkList>",
    "<BookmarkList><Bookmark Channel='Application' IsCurrent='true'/>"
    "</BookmarkList>",
    "<BookmarkList><Bookmark Channel='Application' RecordId='x'/>"
    "</BookmarkList>",
    "<BookmarkList><Bookmark Channel='Application' RecordId='1'/>"
    "</BookmarkList><more/>",
])
@pytest.mark.parametrize("strict", [0, even6.SUBSCRIBE_STRICT])
def test_a_bookmark_that_is_none_is_refused(client, text, strict):
    got = client.call(RegisterRemoteSubscription(
        "Application", "*", text, even6.SUBSCRIBE_BOOKMARK | strict))
    assert got.rc == even6.ERROR_INVALID_PARAMETER
    assert (got.handle, got.control) == (even6.NO_HANDLE, even6.NO_HANDLE)
    assert got.channels is None
    assert got.error[0] != 0


@pytest.mark.parametrize("text", ["", "garbage"])
def test_a_bookmark_is_not_looked_at_without_its_flag(client, text):
    for flags in (even6.SUBSCRIBE_FUTURE, even6.SUBSCRIBE_OLDEST):
        got = client.call(RegisterRemoteSubscription(
            "Application", "*", text, flags))
        assert got.rc == 0


def test_strict_refuses_a_bookmark_beyond_the_newest_record(
        client, publisher, channel):
    publisher.numbers(channel, 3)
    got = client.call(RegisterRemoteSubscription(
        channel, "*", bookmark((channel, 1000)),
        even6.SUBSCRIBE_BOOKMARK | even6.SUBSCRIBE_STRICT))
    assert got.rc == even6.ERROR_NOT_FOUND
    assert got.handle == even6.NO_HANDLE


def test_strict_refuses_the_bookmark_of_another_channel(
        client, publisher, channels):
    publisher.numbers(channels[0], 3)
    got = client.call(RegisterRemoteSubscription(
        channels[0], "*", bookmark((channels[1], 2)),
        even6.SUBSCRIBE_BOOKMARK | even6.SUBSCRIBE_STRICT))
    assert got.rc == even6.ERROR_NOT_FOUND


@pytest.mark.parametrize("foreign", [False, True])
def test_a_bookmark_that_fits_nothing_resumes_at_the_oldest_record(
        service, client, publisher, channels, foreign):
    """Never at "now", which would lose events silently."""
    publisher.numbers(channels[0], 3)
    before = service.status()["rpc"]["losses"]["gaps"]
    stale = (channels[1], 2) if foreign else (channels[0], 1000)
    subscription = pull(client, channels[0], even6.SUBSCRIBE_BOOKMARK,
                        bookmark=bookmark(stale))
    assert all_numbers(drain_pull(client, subscription.handle)) == [1, 2, 3]
    # And counted, so that it is not silent either.
    assert service.status()["rpc"]["losses"]["gaps"] == before + 1


# Trimmed records

SMALL = "".join(f"[channel {name}]\nmax_size = 1M\n"
                for name in ("Small", "Strict", "Lenient", "Asked"))


@pytest.fixture(scope="module")
def trimmed():
    """A server whose channel Small has lost its oldest records."""
    server = Server(config=SMALL)
    try:
        server.add_users()
        server.start()
        with Publisher(server) as publisher:
            publisher.numbers("Small", 300, filler=filler(10000))
        yield server
    finally:
        server.close()


@pytest.fixture
def reader(trimmed):
    with even6.connect("127.0.0.1", trimmed.port,
                       dcerpc.Ntlm("alice", USERS["alice"])) as client:
        yield client


def oldest_of(client, channel):
    """OldestRecordNumber, once it has moved."""
    log = client.call(even6.OpenLogHandle(channel))
    assert log.rc == 0
    end = time.monotonic() + 30
    while True:
        oldest, _ = client.call(even6.GetLogFileInfo(log.handle, 6)).value()
        if oldest > 1:
            client.call(Close(log.handle))
            return oldest
        assert time.monotonic() < end, "nothing is trimmed"
        time.sleep(0.02)


def test_a_trimmed_bookmark_resumes_at_the_oldest_record(trimmed, reader):
    oldest = oldest_of(reader, "Small")
    assert oldest > 3
    subscription = pull(reader, "Small", even6.SUBSCRIBE_BOOKMARK,
                        bookmark=bookmark(("Small", 2)))
    assert all_numbers(drain_pull(reader, subscription.handle)) == \
        list(range(oldest, 301))
    # The loss is counted, and an event that people can see.
    losses = trimmed.status()["rpc"]["losses"]
    assert losses == {"gaps": 1, "records_missing": oldest - 3,
                      "records_damaged": 0}
    watch = pull(reader, "Evenlog/Operational")
    told = RemoteSubscriptionNext(watch.handle, 1, 30000)
    while True:
        shown = binxml.Event(reader.call(told).records()[0].document)
        if shown.values().get("Channel") == "Small":
            break
    assert shown.values()["RecordId"] == "2"
    assert shown.values()["ResumedAt"] == str(oldest)


def test_strict_refuses_a_trimmed_bookmark(reader):
    oldest = oldest_of(reader, "Small")
    got = reader.call(RegisterRemoteSubscription(
        "Small", "*", bookmark(("Small", oldest - 2)),
        even6.SUBSCRIBE_BOOKMARK | even6.SUBSCRIBE_STRICT))
    # Collectors test for both (facts 4.1).
    assert got.rc in (even6.ERROR_NOT_FOUND,
                      even6.ERROR_EVT_QUERY_RESULT_STALE)
    assert got.handle == even6.NO_HANDLE


def overtake(client, publisher, name):
    """Have a channel lose what a reader at its beginning has not read;
    the oldest record that is left."""
    publisher.numbers(name, 300, filler=filler(10000))
    return oldest_of(client, name)


def test_strict_tells_once_that_records_were_lost(trimmed, reader):
    """Then it goes on (facts 11.1)."""
    with Publisher(trimmed) as publisher:
        publisher.numbers("Strict", 1, first=0)
        made = pull(reader, "Strict",
                    even6.SUBSCRIBE_OLDEST | even6.SUBSCRIBE_STRICT)
        oldest = overtake(reader, publisher, "Strict")
    assert reader.call(RemoteSubscriptionWaitAsync(made.handle)).rc == 0
    assert has_failed(reader.call(RemoteSubscriptionNext(made.handle)),
                      even6.ERROR_EVT_QUERY_RESULT_STALE)
    records = [record for batch in drain_pull(reader, made.handle)
               for record in batch.records()]
    assert [record.record_id for record in records] == \
        list(range(oldest, 302))


def test_otherwise_a_reader_goes_on_at_the_oldest_record(trimmed, reader):
    losses = trimmed.status()["rpc"]["losses"]
    with Publisher(trimmed) as publisher:
        publisher.numbers("Lenient", 1, first=0)
        made = pull(reader, "Lenient")
        oldest = overtake(reader, publisher, "Lenient")
    records = [record for batch in drain_pull(reader, made.handle)
               for record in batch.records()]
    assert [record.record_id for record in records] == \
        list(range(oldest, 302))
    after = trimmed.status()["rpc"]["losses"]
    assert after["gaps"] == losses["gaps"] + 1
    assert after["records_missing"] == losses["records_missing"] + oldest - 1


def test_a_query_goes_on_at_the_oldest_record_too(trimmed, reader):
    with Publisher(trimmed) as publisher:
        publisher.numbers("Asked", 2)
        query = start_query(reader, "Asked")
        first = reader.call(even6.QueryNext(query.handle, 1))
        assert numbers(first) == [1]
        oldest = overtake(reader, publisher, "Asked")
    got = reader.call(even6.QueryNext(query.handle, 1))
    assert got.records()[0].record_id == oldest


# Flags and paths

@pytest.mark.parametrize("flags", [
    0, 4, 4 | even6.SUBSCRIBE_PULL, even6.SUBSCRIBE_PULL,
    even6.SUBSCRIBE_TOLERATE, even6.SUBSCRIBE_STRICT])
def test_a_starting_point_is_required(client, flags):
    """4 is what some versions of impacket take for "after bookmark"."""
    got = client.call(RegisterRemoteSubscription(
        "Application", "*", bookmark(("Application", 1)), flags))
    assert got.rc == even6.ERROR_INVALID_PARAMETER
    assert (got.handle, got.control, got.channels) == \
        (even6.NO_HANDLE, even6.NO_HANDLE, None)


def test_a_channel_that_does_not_exist(client):
    got = client.call(RegisterRemoteSubscription("No/Such"))
    assert got.rc == even6.ERROR_EVT_CHANNEL_NOT_FOUND
    assert got.handle == even6.NO_HANDLE
    assert got.error[0] != 0


@pytest.mark.parametrize("name", ["a<b", "a|b", "a\x01b", 'a"b', "a?b"])
def test_a_name_that_no_channel_can_have(client, name):
    got = client.call(RegisterRemoteSubscription(name))
    assert got.rc == even6.ERROR_EVT_INVALID_CHANNEL_PATH


def test_channel_names_are_compared_without_case(client, publisher, channel):
    publisher.numbers(channel, 1)
    subscription = pull(client, channel.upper())
    assert all_numbers(drain_pull(client, subscription.handle)) == [1]


def test_neither_channel_nor_structured_query(client):
    assert client.call(RegisterRemoteSubscription(None, "*")).rc != 0


@pytest.mark.parametrize("query", [
    "*[", "<QueryList><Query", "<QueryList></QueryList>",
    "<QueryList><Query Path='Application'><Select>*[</Select></Query>"
    "</QueryList>"])
def test_a_malformed_query(client, query):
    got = client.call(RegisterRemoteSubscription("Application", query))
    assert got.rc == even6.ERROR_EVT_INVALID_QUERY
    assert any(got.error)


@pytest.mark.parametrize("query", ["", "*", " *\r\n"])
def test_everything_of_a_channel(client, publisher, channel, query):
    publisher.numbers(channel, 2)
    subscription = pull(client, channel, query=query)
    assert all_numbers(drain_pull(client, subscription.handle)) == [1, 2]


def test_a_missing_channel_fails_a_structured_query(client, channel):
    query = query_list(channel, "No/Such")
    got = client.call(RegisterRemoteSubscription(None, query))
    assert got.rc in (even6.ERROR_EVT_INVALID_CHANNEL_PATH,
                      even6.ERROR_EVT_CHANNEL_NOT_FOUND)
    # Strict wins where both are set, and names the code.
    got = client.call(RegisterRemoteSubscription(
        None, query, None, even6.SUBSCRIBE_FUTURE | even6.SUBSCRIBE_STRICT
        | even6.SUBSCRIBE_TOLERATE))
    assert got.rc == even6.ERROR_EVT_INVALID_CHANNEL_PATH


def test_a_missing_channel_can_be_tolerated(client, publisher, channel):
    publisher.numbers(channel, 2)
    subscription = pull(
        client, None, even6.SUBSCRIBE_OLDEST | even6.SUBSCRIBE_TOLERATE,
        query=query_list("No/Such", channel))
    (missing, status), there = subscription.channels
    assert missing == "No/Such"
    assert status in (even6.ERROR_EVT_INVALID_CHANNEL_PATH,
                      even6.ERROR_EVT_CHANNEL_NOT_FOUND)
    assert there == (channel, 0)
    batch, = drain_pull(client, subscription.handle)
    assert numbers(batch) == [1, 2]
    # The index is that of the list, with the missing one in its place.
    assert [(r.channel, r.record_ids) for r in batch.records()] == \
        [(1, [0, 1]), (1, [0, 2])]


def test_a_disabled_channel_is_quiet(client, publisher):
    """It can be subscribed to, and takes no events."""
    subscription = subscribe(client, "Quiet", even6.SUBSCRIBE_OLDEST)
    waiting = next_async(client, subscription)
    assert waiting.is_parked()
    with pytest.raises(Refused):
        publisher.numbers("Quiet", 1)
    assert waiting.is_parked()


# Several channels

def test_channels_are_merged_by_time(client, publisher, channels):
    one, two, three = channels
    for name, times in ((one, (0, 3, 6)), (two, (1, 4, 7)), (three, (2, 5))):
        publisher.publish(name, *(
            event(name, at, time=NEW_YEAR + at * SECOND) for at in times))
    subscription = pull(client, None, query=query_list(*channels))
    batch, = drain_pull(client, subscription.handle)
    assert numbers(batch) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert [r.record_ids for r in batch.records()] == [
        [1, 0, 0], [1, 1, 0], [1, 1, 1], [2, 1, 1], [2, 2, 1], [2, 2, 2],
        [3, 2, 2], [3, 3, 2]]


def test_at_the_same_time_the_order_of_the_query_decides(
        client, publisher, channels):
    one, two, _ = channels
    publisher.numbers(two, 2, first=10)
    publisher.numbers(one, 2, first=20)
    subscription = pull(client, None, query=query_list(one, two))
    assert all_numbers(drain_pull(client, subscription.handle)) == \
        [20, 21, 10, 11]


def test_within_a_channel_the_record_id_decides(client, publisher, channel):
    publisher.publish(channel, *(
        event(channel, n, time=NEW_YEAR - n * SECOND) for n in range(3)))
    subscription = pull(client, channel)
    assert all_numbers(drain_pull(client, subscription.handle)) == [0, 1, 2]


# Pull

def test_wait_completes_with_the_first_event_and_while_it_is_unread(
        client, publisher, channel):
    subscription = pull(client, channel)
    wait = RemoteSubscriptionWaitAsync(subscription.handle)
    waiting = client.start(wait)
    assert waiting.is_parked()
    publisher.numbers(channel, 3)
    assert waiting.result().rc == 0
    # Waiting moves nothing, and is level triggered.
    assert client.call(wait).rc == 0
    got = client.call(RemoteSubscriptionNext(subscription.handle, 2))
    assert numbers(got) == [1, 2]
    assert client.call(wait).rc == 0
    got = client.call(RemoteSubscriptionNext(subscription.handle, 2))
    assert numbers(got) == [3]
    assert client.start(wait).is_parked()


def test_wait_on_a_second_connection_of_the_group(
        client, connect, publisher, channel):
    """What a client without concurrent multiplexing does (facts 1.3)."""
    subscription = pull(client, channel)
    second = connect(group=client.rpc.group, multiplex=False)
    assert second.rpc.group == client.rpc.group
    wait = RemoteSubscriptionWaitAsync(subscription.handle)
    waiting = second.start(wait)
    assert is_empty(client.call(
        RemoteSubscriptionNext(subscription.handle, 5, 0)))
    publisher.numbers(channel, 6)
    assert waiting.result().rc == 0
    got = client.call(RemoteSubscriptionNext(subscription.handle, 5))
    assert numbers(got) == [1, 2, 3, 4, 5]
    assert second.call(wait).rc == 0
    got = second.call(RemoteSubscriptionNext(subscription.handle, 5))
    assert numbers(got) == [6]


def test_an_idle_pull_without_time_answers_at_once(client, channel):
    """Empty success: polling clients take any error for the end."""
    subscription = pull(client, channel)
    waiting = client.start(
        RemoteSubscriptionNext(subscription.handle, 100, 0))
    assert not waiting.is_parked()
    assert is_empty(waiting.result())


def test_an_idle_pull_waits_its_time(client, channel):
    subscription = pull(client, channel)
    started = time.monotonic()
    waiting = client.start(
        RemoteSubscriptionNext(subscription.handle, 100, 300))
    assert waiting.is_parked()
    assert is_empty(waiting.result())
    assert time.monotonic() - started >= 0.29


def test_an_event_ends_the_wait_of_a_pull(client, publisher, channel):
    subscription = pull(client, channel)
    for number, timeout in enumerate((60000, even6.FOREVER)):
        waiting = client.start(
            RemoteSubscriptionNext(subscription.handle, 100, timeout))
        assert waiting.is_parked()
        publisher.numbers(channel, 1, first=number)
        assert numbers(waiting.result()) == [number]


# Amounts

def test_no_record_asked_for_is_none_given(client, publisher, channel):
    publisher.numbers(channel, 1)
    subscription = pull(client, channel)
    assert is_empty(client.call(
        RemoteSubscriptionNext(subscription.handle, 0, even6.FOREVER)))
    assert all_numbers(drain_pull(client, subscription.handle)) == [1]
    subscription = subscribe(client, channel, even6.SUBSCRIBE_OLDEST)
    assert is_empty(next_async(client, subscription, 0).result())
    assert numbers(next_async(client, subscription, 1).result()) == [1]


@pytest.mark.parametrize("count", [1, 1023, 1024, 1025, 0xFFFFFFFF])
def test_a_pull_gives_what_was_asked_up_to_1024(
        client, publisher, channel, count):
    publisher.numbers(channel, 1030)
    subscription = pull(client, channel)
    got = client.call(RemoteSubscriptionNext(subscription.handle, count,
                                             even6.FOREVER))
    check_limits(got)
    given = min(count, 1024)
    assert numbers(got) == list(range(1, given + 1))
    got = client.call(RemoteSubscriptionNext(subscription.handle, count,
                                             even6.FOREVER))
    assert numbers(got) == list(range(given + 1,
                                      min(1030, given + count) + 1))


@pytest.mark.parametrize("count", [1, 1024, 1025, 0xFFFFFFFF])
def test_a_push_gives_no_more_than_was_asked_and_loses_nothing(
        client, publisher, channel, count):
    publisher.numbers(channel, 1030 if count > 1 else 5)
    subscription = subscribe(client, channel, even6.SUBSCRIBE_OLDEST)
    seen = []
    while len(seen) < (1030 if count > 1 else 5):
        got = next_async(client, subscription, count).result()
        check_limits(got)
        assert 1 <= len(got.indices) <= count
        seen += numbers(got)
    assert seen == list(range(1, len(seen) + 1))
    assert next_async(client, subscription, count).is_parked()


def test_a_single_record_is_pushed_one_at_a_time(client, publisher, channel):
    subscription = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    publisher.numbers(channel, 3)
    for number in (1, 2, 3):
        got = next_async(client, subscription, 1).result()
        assert numbers(got) == [number]


@pytest.mark.parametrize("is_push", [False, True])
def test_more_than_two_mebibytes_waiting(client, publisher, channel, is_push):
    """No batch is larger, and every record comes exactly once."""
    count = 300
    publisher.publish(channel, *(
        event(channel, n, filler=filler(7000 + 613 * (n % 50)),
              odd=n % 3 == 0) for n in range(count)))
    total, seen = 0, []
    if is_push:
        subscription = subscribe(client, channel, even6.SUBSCRIBE_OLDEST)
        while len(seen) < count:
            batch = next_async(client, subscription, 1024).result()
            check_limits(batch)
            total += len(batch.buffer)
            seen += numbers(batch)
    else:
        subscription = pull(client, channel)
        for batch in drain_pull(client, subscription.handle):
            total += len(batch.buffer)
            seen += numbers(batch)
    assert seen == list(range(count))
    assert total > 3 * 1024 * 1024


def test_a_large_event_comes_whole(client, publisher, channel):
    text = filler(1000 * 1000)
    publisher.publish(channel, event(channel, 1),
                      event(channel, 2, filler=text), event(channel, 3))
    subscription = subscribe(client, channel, even6.SUBSCRIBE_OLDEST)
    seen = {}
    while len(seen) < 3:
        batch = next_async(client, subscription).result()
        check_limits(batch)
        for record in batch.records():
            seen[record.record_id] = binxml.Event(record.document).values()
    assert [seen[2][f"Filler{i}"] for i in range(len(text))] == text
    assert [seen[i]["Number"] for i in (1, 2, 3)] == ["1", "2", "3"]


def test_records_start_at_even_offsets(client, publisher, channel):
    """As on Windows: one byte between, no size counts it (facts 5)."""
    publisher.publish(channel, *(
        event(channel, n, odd=n % 2 == 1) for n in range(20)))
    subscription = pull(client, channel)
    batch, = drain_pull(client, subscription.handle)
    assert {size % 2 for size in batch.sizes} == {0, 1}
    assert all(index % 2 == 0 for index in batch.indices)
    assert numbers(batch) == list(range(20))


# Several subscriptions and connections

def test_two_subscriptions_on_one_connection(client, publisher, channels):
    both = subscribe(client, None, even6.SUBSCRIBE_FUTURE,
                     query=query_list(*channels[:2]))
    one = subscribe(client, channels[1], even6.SUBSCRIBE_FUTURE)
    first, second = next_async(client, both), next_async(client, one)
    assert first.is_parked() and second.is_parked()
    publisher.numbers(channels[0], 1, first=1)
    assert numbers(first.result()) == [1]
    assert second.is_parked()
    first = next_async(client, both)
    assert first.is_parked()
    publisher.numbers(channels[1], 1, first=2)
    # The replies may come in any order.
    assert numbers(second.result()) == [2]
    assert numbers(first.result()) == [2]


def test_a_second_waiting_call_is_refused(client, publisher, channel):
    """Queued, it might take events whose client has given it up."""
    subscription = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    waiting = next_async(client, subscription)
    assert waiting.is_parked()
    assert has_failed(next_async(client, subscription).result(),
                      even6.ERROR_INVALID_OPERATION)
    publisher.numbers(channel, 1)
    assert numbers(waiting.result()) == [1]


def test_push_and_pull_do_not_mix(client, channel):
    pushed = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    pulled = pull(client, channel)
    wrong = even6.ERROR_INVALID_OPERATION
    assert has_failed(client.call(
        RemoteSubscriptionNext(pushed.handle)), wrong)
    assert client.call(
        RemoteSubscriptionWaitAsync(pushed.handle)).rc == wrong
    assert has_failed(client.call(
        RemoteSubscriptionNextAsync(pulled.handle)), wrong)


def test_a_handle_works_on_another_connection_of_its_group(
        client, connect, publisher, channel):
    subscription = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    second = connect(group=client.rpc.group)
    waiting = next_async(second, subscription)
    assert waiting.is_parked()
    # The first connection may go: the group lives on.
    client.close()
    publisher.numbers(channel, 1)
    assert numbers(waiting.result()) == [1]
    assert second.call(Close(subscription.handle)).rc == 0


def test_a_parked_call_is_cancelled_from_another_connection(
        client, connect, channel):
    subscription = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    waiting = next_async(client, subscription)
    assert waiting.is_parked()
    second = connect(group=client.rpc.group)
    assert second.call(Cancel(subscription.control)).rc == 0
    assert has_failed(waiting.result(), even6.ERROR_CANCELLED)


# Cancel and Close

@pytest.mark.parametrize("kind", ["push", "pull", "wait"])
def test_cancel_ends_a_parked_call(client, channel, kind):
    if kind == "push":
        subscription = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
        call = RemoteSubscriptionNextAsync(subscription.handle)
    else:
        subscription = pull(client, channel)
        call = RemoteSubscriptionWaitAsync(subscription.handle) \
            if kind == "wait" else RemoteSubscriptionNext(
                subscription.handle, 10, even6.FOREVER)
    waiting = client.start(call)
    assert waiting.is_parked()
    assert client.call(Cancel(subscription.control)).rc == 0
    got = waiting.result()
    assert got.rc == even6.ERROR_CANCELLED
    if kind != "wait":
        assert has_failed(got, even6.ERROR_CANCELLED)
    # Nothing outstanding: still no error, and the handle stays valid.
    assert client.call(Cancel(subscription.control)).rc == 0
    assert client.call(Close(subscription.handle)).rc == 0
    assert client.call(Close(subscription.control)).rc == 0


def test_a_cancelled_call_loses_no_event(client, publisher, channel):
    subscription = pull(client, channel)
    waiting = client.start(RemoteSubscriptionNext(
        subscription.handle, 10, even6.FOREVER))
    assert waiting.is_parked()
    client.call(Cancel(subscription.control))
    assert waiting.result().rc == even6.ERROR_CANCELLED
    publisher.numbers(channel, 2)
    again = pull(client, channel)
    assert all_numbers(drain_pull(client, again.handle)) == [1, 2]


def test_close_ends_a_parked_call(client, channel):
    subscription = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    waiting = next_async(client, subscription)
    assert waiting.is_parked()
    closed = client.call(Close(subscription.handle))
    assert (closed.rc, closed.handle) == (0, even6.NO_HANDLE)
    assert has_failed(waiting.result(), even6.ERROR_CANCELLED)
    # The two handles are independent of each other.
    assert client.call(Cancel(subscription.control)).rc == 0
    assert client.call(Close(subscription.control)).rc == 0


def test_the_control_may_be_closed_first(client, publisher, channel):
    subscription = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    waiting = next_async(client, subscription)
    assert waiting.is_parked()
    assert client.call(Close(subscription.control)).rc == 0
    assert waiting.is_parked()
    publisher.numbers(channel, 1)
    assert numbers(waiting.result()) == [1]


def test_a_client_that_goes_leaves_nothing(service, connect, channel):
    before = service.status()["rpc"]
    for leave in ("close", "abort"):
        client = connect()
        subscription = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
        assert next_async(client, subscription).is_parked()
        getattr(client.rpc, leave)()
    end = time.monotonic() + 30
    names = ("subscriptions", "handles", "parked_calls")
    while True:
        now = service.status()["rpc"]
        if all(now[name] == before[name] for name in names):
            break
        assert time.monotonic() < end, now
        time.sleep(0.02)


# Handles

def test_a_handle_of_another_kind(client, channel):
    pushed = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    query = start_query(client, channel)
    log = client.call(even6.OpenLogHandle(channel))
    control = client.call(even6.RegisterControllableOperation())
    assert log.rc == control.rc == 0
    wrong = even6.ERROR_INVALID_PARAMETER
    for handle in (pushed.control, query.handle, query.control, log.handle,
                   control.handle):
        assert has_failed(client.call(
            RemoteSubscriptionNextAsync(handle)), wrong)
        assert has_failed(client.call(RemoteSubscriptionNext(handle)), wrong)
        assert client.call(RemoteSubscriptionWaitAsync(handle)).rc == wrong
    for handle in (pushed.handle, query.handle, log.handle):
        assert client.call(Cancel(handle)).rc == wrong


def test_a_handle_of_another_group(client, connect, channel):
    subscription = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    stranger = connect()
    assert stranger.rpc.group != client.rpc.group
    for call in (RemoteSubscriptionNextAsync(subscription.handle),
                 Cancel(subscription.control), Close(subscription.handle)):
        assert even6.fault_of(stranger, call) == 0x1C00001A
    # It is none the worse for it.
    assert next_async(client, subscription).is_parked()


def test_a_handle_after_its_close(client, channel):
    subscription = subscribe(client, channel, even6.SUBSCRIBE_FUTURE)
    assert client.call(Close(subscription.handle)).rc == 0
    for call in (RemoteSubscriptionNextAsync(subscription.handle),
                 Close(subscription.handle)):
        assert even6.fault_of(client, call) == 0x1C00001A


def test_the_null_handle(client):
    for call in (RemoteSubscriptionNextAsync(even6.NO_HANDLE),
                 RemoteSubscriptionNext(even6.NO_HANDLE),
                 RemoteSubscriptionWaitAsync(even6.NO_HANDLE),
                 Cancel(even6.NO_HANDLE)):
        assert even6.fault_of(client, call) == 0x1C00001A


# Who may read

def test_without_the_right_to_read_there_is_nothing(
        connect, publisher, channel):
    publisher.numbers(channel, 1)
    bob = connect("bob")
    for flags in (even6.SUBSCRIBE_FUTURE, even6.SUBSCRIBE_OLDEST,
                  even6.SUBSCRIBE_OLDEST | even6.SUBSCRIBE_TOLERATE):
        got = bob.call(RegisterRemoteSubscription(channel, "*", None, flags))
        assert got.rc == even6.ERROR_ACCESS_DENIED
        assert (got.handle, got.channels) == (even6.NO_HANDLE, None)
        got = bob.call(RegisterRemoteSubscription(
            None, query_list(channel), None, flags))
        assert got.rc == even6.ERROR_ACCESS_DENIED
        assert (got.handle, got.channels) == (even6.NO_HANDLE, None)


def test_a_channel_without_the_right_to_read_is_left_out(
        connect, publisher, channel):
    publisher.numbers(channel, 1)
    publisher.numbers("Open", 1, first=7)
    bob = connect("bob")
    query = query_list(channel, "Open")
    got = bob.call(RegisterRemoteSubscription(
        None, query, None, even6.SUBSCRIBE_OLDEST))
    assert got.rc == even6.ERROR_ACCESS_DENIED
    subscription = pull(
        bob, None, even6.SUBSCRIBE_OLDEST | even6.SUBSCRIBE_TOLERATE,
        query=query)
    assert subscription.channels == [
        (channel, even6.ERROR_ACCESS_DENIED), ("Open", 0)]
    batch, = drain_pull(bob, subscription.handle)
    assert numbers(batch) == [7]
    # Not even how many there are.
    assert batch.records()[0].record_ids[0] == 0
