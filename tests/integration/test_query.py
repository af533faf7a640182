# SPDX-License-Identifier: GPL-3.0-or-later
"""Log queries: opnums 5, 11 and 12."""

import pytest

import binxml
import even6
from even6 import (Cancel, Close, QueryNext, QuerySeek, RegisterLogQuery,
                   SEEK_BOOKMARK, SEEK_CURRENT, SEEK_FIRST, SEEK_LAST,
                   SEEK_STRICT)
from publisher import NEW_YEAR, SECOND, event, filler
from subscribing import (all_numbers, bookmark, check_limits, drain_query,
                         has_failed, is_empty, numbers, query_list,
                         start_query)

FORWARD, REVERSE = even6.QUERY_FORWARD, even6.QUERY_REVERSE
CHANNEL, FILE = even6.QUERY_CHANNEL, even6.QUERY_FILE
TOLERATE = even6.QUERY_TOLERATE
NO_ID = 0xFFFFFFFF      # of a Query without Id

CONFIG = """
[channel Quiet]
enabled = no
[channel Open]
access = O:BAG:SYD:(A;;0x1;;;WD)
"""


def read(client, query):
    return all_numbers(drain_query(client, query.handle))


def next_number(client, query):
    """The Number of the next record; None at the end."""
    batch = client.call(QueryNext(query.handle, 1))
    if batch.rc == even6.ERROR_NO_MORE_ITEMS:
        return None
    number, = numbers(batch)
    return number


def seek(client, query, origin, position, text=None):
    """Seek, and the result code; RpcInfo tells the same."""
    got = client.call(QuerySeek(query.handle, position, origin, text))
    assert (got.rc == 0) == (got.error == (0, 0, 0))
    return got.rc


# Order and end

def test_oldest_first(client, publisher, channel):
    publisher.numbers(channel, 10)
    query = start_query(client, channel, CHANNEL | FORWARD)
    assert query.channels == [(channel, 0)]
    batch = client.call(QueryNext(query.handle, 1024))
    check_limits(batch)
    assert numbers(batch) == list(range(1, 11))
    assert [(r.channel, r.record_ids, r.queries, r.direction)
            for r in batch.records()] == \
        [(0, [n], [], 0) for n in range(1, 11)]
    assert [binxml.Event(r.document).record_id for r in batch.records()] == \
        list(range(1, 11))


def test_newest_first(client, publisher, channel):
    publisher.numbers(channel, 10)
    query = start_query(client, channel, CHANNEL | REVERSE)
    batch = client.call(QueryNext(query.handle, 1024))
    check_limits(batch)
    assert numbers(batch) == list(range(10, 0, -1))
    assert {r.direction for r in batch.records()} == {1}


def test_the_end_is_an_error_without_records(client, publisher, channel):
    publisher.numbers(channel, 1)
    query = start_query(client, channel)
    assert numbers(client.call(QueryNext(query.handle, 2))) == [1]
    for timeout in (0, 10, even6.FOREVER):
        assert has_failed(
            client.call(QueryNext(query.handle, 2, timeout)),
            even6.ERROR_NO_MORE_ITEMS)


@pytest.mark.parametrize("direction", [FORWARD, REVERSE])
def test_an_empty_channel_is_at_its_end(client, channel, direction):
    query = start_query(client, channel, CHANNEL | direction)
    assert has_failed(client.call(QueryNext(query.handle)),
                      even6.ERROR_NO_MORE_ITEMS)


def test_a_forward_query_sees_what_comes_after_its_end(
        client, publisher, channel):
    query = start_query(client, channel, CHANNEL | FORWARD)
    assert read(client, query) == []
    publisher.numbers(channel, 2)
    assert read(client, query) == [1, 2]
    publisher.numbers(channel, 1, first=3)
    assert read(client, query) == [3]


def test_a_reverse_query_never_sees_what_comes_later(
        client, publisher, channel):
    publisher.numbers(channel, 3)
    query = start_query(client, channel, CHANNEL | REVERSE)
    publisher.numbers(channel, 2, first=4)
    assert next_number(client, query) == 3
    publisher.numbers(channel, 2, first=6)
    assert read(client, query) == [2, 1]
    publisher.numbers(channel, 2, first=8)
    assert read(client, query) == []


def test_two_queries_on_one_connection_do_not_disturb_each_other(
        client, publisher, channel):
    publisher.numbers(channel, 4)
    up = start_query(client, channel, CHANNEL | FORWARD)
    down = start_query(client, channel, CHANNEL | REVERSE)
    for number in range(1, 5):
        assert next_number(client, up) == number
        assert next_number(client, down) == 5 - number


# Amounts

@pytest.mark.parametrize("count", [1025, 0xFFFFFFFF])
def test_more_than_1024_records_are_refused(client, publisher, channel,
                                            count):
    publisher.numbers(channel, 1)
    query = start_query(client, channel)
    assert has_failed(client.call(QueryNext(query.handle, count)),
                      even6.ERROR_INVALID_PARAMETER)
    assert read(client, query) == [1]


def test_1024_records_are_given(client, publisher, channel):
    publisher.numbers(channel, 1030)
    query = start_query(client, channel)
    batch = client.call(QueryNext(query.handle, 1024))
    check_limits(batch)
    assert numbers(batch) == list(range(1, 1025))
    batch = client.call(QueryNext(query.handle, 1024))
    assert numbers(batch) == list(range(1025, 1031))


def test_no_record_asked_for_is_none_given(client, publisher, channel):
    publisher.numbers(channel, 1)
    query = start_query(client, channel)
    assert is_empty(client.call(QueryNext(query.handle, 0)))
    assert read(client, query) == [1]


@pytest.mark.parametrize("timeout", [0, 1, 3000, even6.FOREVER])
def test_what_is_there_is_given_whatever_the_time(
        client, publisher, channel, timeout):
    publisher.numbers(channel, 3)
    query = start_query(client, channel)
    assert numbers(client.call(QueryNext(query.handle, 2, timeout))) == [1, 2]
    # Fewer than asked for is no reason to wait.
    assert numbers(client.call(QueryNext(query.handle, 2, timeout))) == [3]


@pytest.mark.parametrize("direction", [FORWARD, REVERSE])
def test_more_than_two_mebibytes(client, publisher, channel, direction):
    publisher.publish(channel, *(
        event(channel, n, filler=filler(6000 + 711 * (n % 40)),
              odd=n % 3 == 0) for n in range(250)))
    query = start_query(client, channel, CHANNEL | direction)
    batches = list(drain_query(client, query.handle))
    assert sum(len(batch.buffer) for batch in batches) > 2 * 1024 * 1024
    order = range(250) if direction == FORWARD else range(249, -1, -1)
    assert all_numbers(batches) == list(order)


def test_an_event_close_to_a_mebibyte(client, publisher, channel):
    text = filler(1040 * 1000)
    large = event(channel, 2, filler=text)
    assert 1040 * 1000 < len(large) <= 1024 * 1024
    publisher.publish(channel, event(channel, 1), large, event(channel, 3))
    query = start_query(client, channel)
    batch, = drain_query(client, query.handle)
    assert numbers(batch) == [1, 2, 3]
    shown = binxml.Event(batch.records()[1].document).values()
    assert [shown[f"Filler{i}"] for i in range(len(text))] == text


# Paths and flags

@pytest.mark.parametrize("flags", [
    CHANNEL, CHANNEL | TOLERATE, CHANNEL | FORWARD | TOLERATE])
def test_without_a_direction_it_is_forward(client, publisher, channel, flags):
    """.NET sends none for it (facts 1.5)."""
    publisher.numbers(channel, 3)
    assert read(client, start_query(client, channel, flags)) == [1, 2, 3]


@pytest.mark.parametrize("flags", [
    CHANNEL | REVERSE, FILE | REVERSE, FILE | REVERSE | TOLERATE,
    FILE | TOLERATE, CHANNEL, CHANNEL | FORWARD])
def test_without_a_path_the_kind_of_path_is_not_looked_at(
        client, publisher, channel, flags):
    """Get-WinEvent -FilterHashtable calls channels files (facts 1.5)."""
    publisher.numbers(channel, 3)
    query = start_query(client, None, flags, query_list(channel))
    assert query.channels == [(channel, 0)]
    expected = [3, 2, 1] if flags & REVERSE else [1, 2, 3]
    assert read(client, query) == expected


def test_a_channel_that_does_not_exist(client):
    got = client.call(RegisterLogQuery("No/Such"))
    assert got.rc == even6.ERROR_EVT_CHANNEL_NOT_FOUND
    assert (got.handle, got.control, got.channels) == \
        (even6.NO_HANDLE, even6.NO_HANDLE, None)
    assert got.error[0] != 0


def test_a_file_that_does_not_exist(client):
    got = client.call(RegisterLogQuery(r"C:\no\such.evtx", "*", FILE))
    assert got.rc in (even6.ERROR_FILE_NOT_FOUND, even6.ERROR_NOT_SUPPORTED)
    assert got.handle == even6.NO_HANDLE


@pytest.mark.parametrize("query", ["*[", "*[System", "]", "*", ""])
def test_an_xpath_needs_a_path(client, query):
    got = client.call(RegisterLogQuery(None, query))
    assert got.rc in (even6.ERROR_INVALID_PARAMETER,
                      even6.ERROR_EVT_INVALID_QUERY)
    assert any(got.error)


@pytest.mark.parametrize("query", ["*[", "*[System", "]"])
def test_a_malformed_xpath(client, query):
    got = client.call(RegisterLogQuery("Application", query))
    assert got.rc == even6.ERROR_EVT_INVALID_QUERY
    assert (got.handle, got.channels) == (even6.NO_HANDLE, None)
    assert any(got.error)


@pytest.mark.parametrize("query", [
    "<QueryList>", "<QueryList/>",
    "<QueryList><Query Id='1'/></QueryList>",
    "<QueryList><Query Id='x' Path='Application'><Select>*</Select></Query>"
    "</QueryList>",
    "<Other><Query Path='Application'><Select>*</Select></Query></Other>",
    "<!DOCTYPE q [<!ENTITY e 'x'>]><QueryList><Query Path='&e;'>"
    "<Select>*</Select></Query></QueryList>",
])
@pytest.mark.parametrize("path", ["Application", None])
def test_a_malformed_structured_query(client, query, path):
    got = client.call(RegisterLogQuery(path, query))
    assert got.rc == even6.ERROR_EVT_INVALID_QUERY
    assert (got.handle, got.channels) == (even6.NO_HANDLE, None)
    assert any(got.error)


def test_a_disabled_channel_can_be_read(client):
    assert read(client, start_query(client, "Quiet")) == []


# Structured queries

def test_several_channels_are_merged_by_time(client, publisher, channels):
    for name, times in zip(channels, ((0, 3, 6), (1, 4, 7), (2, 5))):
        publisher.publish(name, *(
            event(name, at, time=NEW_YEAR + at * SECOND) for at in times))
    structured = query_list(*channels)
    query = start_query(client, None, CHANNEL | FORWARD, structured)
    assert query.channels == [(name, 0) for name in channels]
    batch, = drain_query(client, query.handle)
    assert numbers(batch) == list(range(8))
    assert [(r.channel, r.queries) for r in batch.records()] == \
        [(at % 3, [at % 3 + 1]) for at in range(8)]
    query = start_query(client, None, CHANNEL | REVERSE, structured)
    assert read(client, query) == list(range(7, -1, -1))


def structured(client, text, **options):
    query = start_query(client, None, CHANNEL | FORWARD,
                        f"<QueryList>{text}</QueryList>", **options)
    records = [record for batch in drain_query(client, query.handle)
               for record in batch.records()]
    return query, [
        (int(binxml.Event(r.document).values()["Number"]), r.queries)
        for r in records]


def test_an_event_of_two_subqueries_comes_once_with_both_ids(
        client, publisher, channel):
    publisher.numbers(channel, 2)
    _, found = structured(client, f"""
        <Query Id="5" Path="{channel}"><Select>*</Select></Query>
        <Query Id="9"><Select Path="{channel.upper()}">*</Select>
            <Select Path="{channel}">*</Select></Query>""")
    assert found == [(1, [5, 9]), (2, [5, 9])]


def test_a_subquery_without_id(client, publisher, channel):
    publisher.numbers(channel, 1)
    _, found = structured(
        client, f'<Query Path="{channel}"><Select>*</Select></Query>')
    assert found == [(1, [NO_ID])]


def test_suppress_takes_from_its_own_subquery_only(
        client, publisher, channels):
    one, two, _ = channels
    publisher.numbers(one, 1, first=1)
    publisher.numbers(two, 1, first=2)
    _, found = structured(client, f"""
        <Query Id="1" Path="{one}"><Select>*</Select>
            <Select Path="{two}">*</Select><Suppress>*</Suppress></Query>
        <Query Id="2" Path="{one}"><Select>*</Select></Query>""")
    assert found == [(1, [2]), (2, [1])]
    # Its own path decides, not that of the Query.
    _, found = structured(client, f"""
        <Query Id="1" Path="{one}"><Select>*</Select>
            <Select Path="{two}">*</Select>
            <Suppress Path="{two}">*</Suppress></Query>""")
    assert found == [(1, [1])]


def test_channels_are_listed_in_the_order_of_the_query(
        client, publisher, channels):
    one, two, three = channels
    publisher.numbers(three, 1)
    query, found = structured(client, f"""
        <Query Id="1" Path="{two}"><Select Path="{one}">*</Select>
            <Select>*</Select></Query>
        <Query Id="2" Path="{three}"><Select Path="{two}">*</Select>
            <Select>*</Select></Query>""")
    # Distinct paths at their first appearance.
    assert [name for name, _ in query.channels] == [one, two, three]
    assert found == [(1, [2])]


def test_what_windows_tools_write_around_the_filter(
        client, publisher, channel):
    publisher.numbers(channel, 1)
    text = f"""\ufeff<?xml version="1.0" encoding="UTF-8"?>
        <!-- Event Viewer -->
        <QueryList
            xmlns="http://schemas.microsoft.com/win/2004/08/events/eventquery">
          <Query Path="{channel}" Id="0" Target="Host">
            <Select Path="{channel}">
              *
            </Select>
          </Query>
        </QueryList>"""
    query = start_query(client, None, CHANNEL, text)
    assert read(client, query) == [1]


def test_a_query_without_path_means_the_calls_path(client, publisher,
                                                   channel):
    publisher.numbers(channel, 1)
    text = "<QueryList><Query Id='3'><Select>*</Select></Query></QueryList>"
    query = start_query(client, channel, CHANNEL, text)
    assert query.channels == [(channel, 0)]
    assert read(client, query) == [1]
    assert client.call(RegisterLogQuery(None, text)).rc == \
        even6.ERROR_EVT_INVALID_QUERY


def test_a_missing_channel_fails_or_is_tolerated(client, publisher, channel):
    publisher.numbers(channel, 2)
    text = query_list(channel, "No/Such")
    got = client.call(RegisterLogQuery(None, text, CHANNEL))
    assert got.rc == even6.ERROR_EVT_INVALID_CHANNEL_PATH
    query = start_query(client, None, CHANNEL | TOLERATE, text)
    there, (missing, status) = query.channels
    assert there == (channel, 0)
    assert missing == "No/Such"
    assert status in (even6.ERROR_EVT_INVALID_CHANNEL_PATH,
                      even6.ERROR_EVT_CHANNEL_NOT_FOUND)
    assert read(client, query) == [1, 2]


def test_all_channels_missing_is_tolerated_too(client):
    query = start_query(client, None, CHANNEL | TOLERATE,
                        query_list("No/Such", "Nor/This"))
    assert read(client, query) == []


def test_a_wrong_filter_fails_or_is_tolerated(client, publisher, channels):
    """Facts 7.3: the call succeeds, the channel has a status and no
    records, the others are read."""
    wrong, right = channels[:2]
    publisher.numbers(wrong, 1)
    publisher.numbers(right, 2)
    text = (f"<QueryList><Query Id='0'><Select Path='{wrong}'>*[</Select>"
            f"<Select Path='{right}'>*</Select></Query></QueryList>")
    got = client.call(RegisterLogQuery(None, text, CHANNEL))
    assert got.rc == even6.ERROR_EVT_INVALID_QUERY
    assert any(got.error)
    query = start_query(client, None, CHANNEL | TOLERATE, text)
    assert query.channels == [(wrong, even6.ERROR_EVT_INVALID_QUERY),
                              (right, 0)]
    assert read(client, query) == [1, 2]
    query = start_query(client, right, CHANNEL | TOLERATE, "*[")
    assert query.channels == [(right, even6.ERROR_EVT_INVALID_QUERY)]
    assert read(client, query) == []


# Seek.  Ten records, which nobody adds to; the query has given three.

@pytest.fixture(scope="module")
def of_ten(publisher, _names):
    name = next(_names)
    publisher.numbers(name, 10)
    return name


@pytest.fixture
def ten(client, of_ten):
    """Makes such a query of a direction."""
    def make(direction=FORWARD):
        query = start_query(client, of_ten, CHANNEL | direction)
        first = numbers(client.call(QueryNext(query.handle, 3)))
        assert first == ([1, 2, 3] if direction == FORWARD else [10, 9, 8])
        return query
    return make


@pytest.mark.parametrize("strict", [0, SEEK_STRICT])
@pytest.mark.parametrize("origin, position, record", [
    (SEEK_FIRST, 0, 1), (SEEK_FIRST, 1, 2), (SEEK_FIRST, 9, 10),
    (SEEK_LAST, 0, 10), (SEEK_LAST, -1, 9), (SEEK_LAST, -9, 1),
    (SEEK_CURRENT, 0, 4), (SEEK_CURRENT, 1, 5), (SEEK_CURRENT, 6, 10),
    (SEEK_CURRENT, -1, 3), (SEEK_CURRENT, -3, 1),
])
@pytest.mark.parametrize("direction", [FORWARD, REVERSE])
def test_seek(client, ten, origin, position, record, direction, strict):
    """Positive is the direction of the query."""
    query = ten(direction)
    assert seek(client, query, origin | strict, position) == 0
    expected = list(range(record, 11))
    if direction == REVERSE:
        expected = [11 - number for number in expected]
    assert read(client, query) == expected


@pytest.mark.parametrize("strict", [0, SEEK_STRICT])
@pytest.mark.parametrize("position, record", [
    (0, 6), (1, 7), (4, 10), (-1, 5), (-5, 1)])
def test_seek_to_a_bookmark(client, ten, of_ten, position, record, strict):
    query = ten()
    assert seek(client, query, SEEK_BOOKMARK | strict, position,
                bookmark((of_ten, 6))) == 0
    assert read(client, query) == list(range(record, 11))


@pytest.mark.parametrize("position, expected", [
    (0, [6, 5, 4, 3, 2, 1]), (1, [5, 4, 3, 2, 1]),
    (-1, [7, 6, 5, 4, 3, 2, 1])])
def test_seek_to_a_bookmark_in_a_reverse_query(
        client, ten, of_ten, position, expected):
    query = ten(REVERSE)
    text = bookmark((of_ten, 6)).replace(
        "<BookmarkList>", "<BookmarkList Direction='backward'>")
    assert seek(client, query, SEEK_BOOKMARK, position, text) == 0
    assert read(client, query) == expected


@pytest.mark.parametrize("origin, position, record", [
    (SEEK_FIRST, 10, 10), (SEEK_FIRST, 2**62, 10),
    (SEEK_LAST, -10, 1), (SEEK_LAST, -2**63, 1),
    (SEEK_CURRENT, 7, 10), (SEEK_CURRENT, 2**63 - 1, 10),
    (SEEK_CURRENT, -4, 1), (SEEK_CURRENT, -2**63, 1),
])
@pytest.mark.parametrize("direction", [FORWARD, REVERSE])
def test_seek_beyond_the_ends_stops_at_the_nearest_record(
        client, ten, origin, position, record, direction):
    query = ten(direction)
    assert seek(client, query, origin, position) == 0
    nearest = record if direction == FORWARD else 11 - record
    assert next_number(client, query) == nearest


@pytest.mark.parametrize("origin, position", [
    (SEEK_FIRST, 10), (SEEK_LAST, -10), (SEEK_CURRENT, 7),
    (SEEK_CURRENT, -4), (SEEK_CURRENT, -2**63)])
def test_strict_seek_beyond_the_ends_fails_and_moves_nothing(
        client, ten, origin, position):
    query = ten()
    assert seek(client, query, origin | SEEK_STRICT, position) == \
        even6.ERROR_NOT_FOUND
    assert next_number(client, query) == 4


@pytest.mark.parametrize("strict", [0, SEEK_STRICT])
@pytest.mark.parametrize("origin, position", [
    (SEEK_FIRST, -1), (SEEK_LAST, 1), (SEEK_FIRST, -2**63),
    (SEEK_LAST, 2**63 - 1)])
def test_seek_with_the_wrong_sign_fails_and_moves_nothing(
        client, ten, origin, position, strict):
    query = ten()
    assert seek(client, query, origin | strict, position) == \
        even6.ERROR_INVALID_PARAMETER
    assert next_number(client, query) == 4


@pytest.mark.parametrize("flags", [0, 5, 6, 7, SEEK_STRICT, 8])
def test_seek_needs_an_origin(client, ten, flags):
    query = ten()
    assert seek(client, query, flags, 0) == even6.ERROR_INVALID_PARAMETER
    assert next_number(client, query) == 4


@pytest.mark.parametrize("text", [
    None, "", "garbage", "<BookmarkList/>",
    "<BookmarkList><Bookmark RecordId='1'/></BookmarkList>"])
def test_seek_with_a_bookmark_that_is_none(client, ten, text):
    query = ten()
    assert seek(client, query, SEEK_BOOKMARK, 0, text) == \
        even6.ERROR_INVALID_PARAMETER
    assert next_number(client, query) == 4


def test_seek_does_not_look_at_a_bookmark_it_does_not_need(client, ten):
    query = ten()
    assert seek(client, query, SEEK_FIRST, 0, "garbage") == 0
    assert next_number(client, query) == 1


def test_seek_to_a_bookmark_that_is_not_there(client, ten, of_ten):
    query = ten()
    text = bookmark((of_ten, 1000))
    assert seek(client, query, SEEK_BOOKMARK | SEEK_STRICT, 0, text) == \
        even6.ERROR_NOT_FOUND
    assert next_number(client, query) == 4
    assert seek(client, query, SEEK_BOOKMARK, 0, text) == 0
    assert next_number(client, query) == 10


def test_seek_to_the_bookmark_of_another_channel(client, ten):
    query = ten()
    text = bookmark(("Application", 3))
    assert seek(client, query, SEEK_BOOKMARK | SEEK_STRICT, 0, text) == \
        even6.ERROR_NOT_FOUND
    assert next_number(client, query) == 4


def test_seek_over_several_channels(client, publisher, channels):
    one, two, _ = channels
    for name, times in ((one, (0, 2, 4, 6)), (two, (1, 3, 5, 7))):
        publisher.publish(name, *(
            event(name, at, time=NEW_YEAR + at * SECOND) for at in times))
    query = start_query(client, None, CHANNEL, query_list(one, two))
    for origin, position, expected in (
            (SEEK_LAST, 0, 7), (SEEK_FIRST, 3, 3), (SEEK_CURRENT, 2, 6),
            (SEEK_CURRENT, -3, 4), (SEEK_LAST, -7, 0)):
        assert seek(client, query, origin | SEEK_STRICT, position) == 0
        assert next_number(client, query) == expected
    # What a client makes of a record's bookmark brings it back there.
    assert seek(client, query, SEEK_FIRST, 4) == 0
    record, = client.call(QueryNext(query.handle, 1)).records()
    assert (record.channel, record.record_ids) == (0, [3, 2])
    text = bookmark((one, 3), b=(two, 2))
    for position, expected in ((1, 5), (0, 4), (-1, 3)):
        assert seek(client, query, SEEK_BOOKMARK | SEEK_STRICT, position,
                    text) == 0
        assert next_number(client, query) == expected


def test_events_after_a_seek_behind_the_last_record(
        client, publisher, channel):
    """.NET goes on after its bookmark this way; no event comes again."""
    publisher.numbers(channel, 3)
    query = start_query(client, channel)
    assert seek(client, query, SEEK_BOOKMARK, 1, bookmark((channel, 3))) == 0
    assert read(client, query) == []
    publisher.numbers(channel, 1, first=4)
    assert read(client, query) == [4]


# Handles and rights

def test_handles(client, connect, channel):
    query = start_query(client, channel)
    log = client.call(even6.OpenLogHandle(channel))
    for handle in (query.control, log.handle):
        assert has_failed(client.call(QueryNext(handle)),
                          even6.ERROR_INVALID_PARAMETER)
        assert client.call(QuerySeek(handle, 0, SEEK_FIRST)).rc == \
            even6.ERROR_INVALID_PARAMETER
    assert client.call(Cancel(query.handle)).rc == \
        even6.ERROR_INVALID_PARAMETER
    stranger = connect()
    assert even6.fault_of(stranger, QueryNext(query.handle)) == 0x1C00001A
    assert even6.fault_of(client, QueryNext(even6.NO_HANDLE)) == 0x1C00001A
    for handle in (query.handle, query.control):
        closed = client.call(Close(handle))
        assert (closed.rc, closed.handle) == (0, even6.NO_HANDLE)
        assert even6.fault_of(client, Close(handle)) == 0x1C00001A
    assert even6.fault_of(client, QueryNext(query.handle)) == 0x1C00001A


def test_cancel_with_nothing_outstanding(client, channel):
    query = start_query(client, channel)
    assert client.call(Cancel(query.control)).rc == 0
    assert client.call(Cancel(query.control)).rc == 0


def test_without_the_right_to_read_there_is_nothing(
        connect, publisher, channel):
    publisher.numbers(channel, 1)
    publisher.numbers("Open", 1, first=7)
    bob = connect("bob")
    denied = even6.ERROR_ACCESS_DENIED
    for flags in (CHANNEL, CHANNEL | TOLERATE, CHANNEL | REVERSE):
        got = bob.call(RegisterLogQuery(channel, "*", flags))
        assert (got.rc, got.handle, got.channels) == \
            (denied, even6.NO_HANDLE, None)
        got = bob.call(RegisterLogQuery(None, query_list(channel), flags))
        assert (got.rc, got.handle, got.channels) == \
            (denied, even6.NO_HANDLE, None)
    both = query_list(channel, "Open")
    assert bob.call(RegisterLogQuery(None, both)).rc == denied
    query = start_query(bob, None, CHANNEL | TOLERATE, both)
    assert query.channels == [(channel, denied), ("Open", 0)]
    batch, = drain_query(bob, query.handle)
    assert numbers(batch) == [7]
    assert batch.records()[0].record_ids[0] == 0
