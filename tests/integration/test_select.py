# SPDX-License-Identifier: GPL-3.0-or-later
"""What filters select through the whole service, judged by lxml: random
events are stored, and every shape of filter that clients send (facts 7.2) is
asked in every way there is to ask."""

import os
import random
import sys
import time
from xml.sax.saxutils import escape

import pytest

import dcerpc
import even6
from server import USERS
from subscribing import drain_pull, drain_query, pull, start_query

etree = pytest.importorskip("lxml.etree")
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "event"))
import filter_events  # noqa: E402
import filter_oracle  # noqa: E402

EVENTS = 200
EPOCH = 116444736000000000      # 1970 as a FILETIME
SHAPES = [text for text in filter_oracle.SHAPES
          if text not in filter_oracle.REFUSED]


def xml_lines(service, channel):
    """The events as the command line renders them, one a line."""
    return service.evenlog("query", channel, "--format=xml").stdout \
        .splitlines()


def ids(batches):
    return [record.record_id for batch in batches
            for record in batch.records()]


@pytest.fixture(scope="module")
def judged(service, publisher):
    """The channel, and by shape the record ids that lxml selects in it."""
    channel = "Test/099"
    rand = random.Random(7)
    publisher.publish(channel, *(filter_events.Maker(rand).event()
                                 for _ in range(EVENTS)))
    with even6.connect("127.0.0.1", service.port, _alice()) as client:
        records = [record for batch in drain_query(
            client, start_query(client, channel).handle)
            for record in batch.records()]
    lines = xml_lines(service, channel)
    assert len(records) == len(lines) == EVENTS
    filter_oracle.NOW = EPOCH + time.time_ns() // 100
    oracle = filter_oracle.Oracle(
        [filter_oracle.Translation(text).xpath for text in SHAPES])
    wanted = {text: [] for text in SHAPES}
    for record, line in zip(records, lines):
        for text, is_in in zip(SHAPES, oracle.matches(
                line.encode(), record.document)):
            if is_in:
                wanted[text].append(record.record_id)
    assert sum(0 < len(found) < EVENTS for found in wanted.values()) > 40
    return channel, wanted


def _alice():
    return dcerpc.Ntlm("alice", USERS["alice"])


def number_of(text):
    return f"shape{SHAPES.index(text)}"


@pytest.mark.parametrize("text", SHAPES, ids=number_of)
def test_a_query_gives_what_its_filter_selects(client, judged, text):
    channel, wanted = judged
    query = start_query(client, channel, query=text)
    assert ids(drain_query(client, query.handle, 50)) == wanted[text]
    query = start_query(
        client, channel, even6.QUERY_CHANNEL | even6.QUERY_REVERSE,
        query=text)
    assert ids(drain_query(client, query.handle)) == wanted[text][::-1]


@pytest.mark.parametrize("text", SHAPES, ids=number_of)
def test_select_and_suppress_take_and_leave(client, judged, text):
    channel, wanted = judged
    both = f"""<QueryList>
      <Query Id="1" Path="{channel}"><Select>{escape(text)}</Select></Query>
      <Query Id="2" Path="Application"><Select Path="{channel}">*</Select>
        <Suppress Path="{channel}">{escape(text)}</Suppress></Query>
    </QueryList>"""
    query = start_query(client, None, even6.QUERY_FILE, query=both)
    found = {1: [], 2: []}
    for batch in drain_query(client, query.handle):
        for record in batch.records():
            (number,) = record.queries
            found[number].append(record.record_id)
    assert found[1] == wanted[text]
    assert found[2] == sorted(set(range(1, EVENTS + 1)) - set(wanted[text]))


@pytest.mark.parametrize("text", SHAPES[::5], ids=number_of)
def test_a_subscription_gives_what_its_filter_selects(client, judged, text):
    channel, wanted = judged
    subscription = pull(client, channel, query=text)
    assert ids(drain_pull(client, subscription.handle, 30)) == wanted[text]


@pytest.mark.parametrize("origin, position", [
    (even6.SEEK_FIRST, 3), (even6.SEEK_LAST, -2), (even6.SEEK_CURRENT, 2)])
def test_seek_counts_what_the_filter_selects(client, judged, origin,
                                             position):
    channel, wanted = judged
    rich = [text for text in SHAPES if 6 <= len(wanted[text]) < EVENTS]
    assert len(rich) > 10
    for text in rich[::3]:
        query = start_query(client, channel, query=text)
        client.call(even6.QueryNext(query.handle, 1))
        assert client.call(even6.QuerySeek(query.handle, position,
                                           origin)).rc == 0
        at = {even6.SEEK_FIRST: 3, even6.SEEK_LAST: len(wanted[text]) - 3,
              even6.SEEK_CURRENT: 3}[origin]
        assert ids(drain_query(client, query.handle)) == wanted[text][at:]
        client.call(even6.Close(query.handle))
        client.call(even6.Close(query.control))
