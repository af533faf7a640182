# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a collected channel when its host or its log changes under
the collector: each event exactly once, and each gap counted.  The host is
another evenlogd."""

import random
import shutil
import time

import pytest

from collecting import (GAP, Numbers, collect, numbers, query, record_count,
                        reports, wait_for)
from ports import free_port
from publisher import Publisher


def channel(server):
    rows = server.status()["collect"]["hosts"][0]["channels"]
    return rows[0]


@pytest.fixture
def source(make_server):
    return make_server(administrators=("alice",), port=free_port())


def make_collector(make_server, source, **keys):
    server = make_server(start=False)
    server.write_config(server.read_config() + collect(
        "one", source, port=source.port, **keys))
    return server.start()


def wait_numbers(server, expected):
    wait_for(lambda: record_count(server, "ForwardedEvents") >= len(expected),
             f"{len(expected)} events", explain=server.log)
    assert numbers(server) == expected


def wait_state(server, state):
    wait_for(lambda: channel(server)["state"] == state, state,
             explain=server.log)


def renew(source):
    """The log is made anew: record ids begin with 1 again."""
    source.stop()
    shutil.rmtree(source.store)
    source.start()


@pytest.mark.parametrize("delivery", ["push", "pull"])
def test_a_host_that_restarts_is_read_on(make_server, source, delivery):
    source.publish("Application", 3)
    server = make_collector(make_server, source, delivery=delivery)
    wait_numbers(server, [1, 2, 3])
    source.stop()
    source.start()
    source.publish("Application", 3, first=4)
    wait_numbers(server, [1, 2, 3, 4, 5, 6])
    source.kill()
    source.start()
    source.publish("Application", 1, first=7)
    wait_numbers(server, [1, 2, 3, 4, 5, 6, 7])
    row = channel(server)
    assert (row["record_id"], row["gaps"]) == (7, 0)


def test_a_log_made_anew_that_is_shorter(make_server, source):
    source.publish("Application", 5)
    server = make_collector(make_server, source)
    wait_numbers(server, [1, 2, 3, 4, 5])
    server.stop()
    renew(source)
    source.publish("Application", 2, first=101)
    server.start()
    wait_numbers(server, [1, 2, 3, 4, 5, 101, 102])
    assert channel(server)["gaps"] == 1
    gap, = wait_for(lambda: reports(server, GAP), "the gap")
    assert gap["Cause"] == "the log was cleared or made anew"
    assert (gap["First"], gap["Exact"]) == ("6", "at least")


def test_a_log_made_anew_that_has_grown_past(make_server, source):
    source.publish("Application", 3)
    server = make_collector(make_server, source)
    wait_numbers(server, [1, 2, 3])
    server.stop()
    renew(source)
    source.publish("Application", 6, first=101)
    server.start()
    wait_numbers(server, [1, 2, 3, 101, 102, 103, 104, 105, 106])
    assert channel(server)["gaps"] == 1
    gap, = wait_for(lambda: reports(server, GAP), "the gap")
    assert gap["Cause"] == "the log was cleared or made anew"


def test_a_log_made_anew_while_the_collector_runs(make_server, source):
    source.publish("Application", 3)
    server = make_collector(make_server, source)
    wait_numbers(server, [1, 2, 3])
    renew(source)
    source.publish("Application", 2, first=101)
    wait_numbers(server, [1, 2, 3, 101, 102])
    assert channel(server)["gaps"] == 1


def test_a_cleared_log_that_counts_on(make_server, source):
    source.publish("Application", 3)
    server = make_collector(make_server, source)
    wait_numbers(server, [1, 2, 3])
    server.stop()
    source.publish("Application", 4, first=4)
    source.evenlog("clear", "Application", "--yes")
    source.publish("Application", 2, first=8)
    server.start()
    wait_numbers(server, [1, 2, 3, 8, 9])
    row = channel(server)
    assert (row["gaps"], row["missing"]) == (1, 4)
    gap, = wait_for(lambda: reports(server, GAP), "the gap")
    assert (gap["First"], gap["Last"], gap["Missing"], gap["Exact"]) == (
        "4", "7", "4", "exact")


def test_a_filter_gets_what_it_selects(make_server, source):
    source.publish("Application", 20)
    server = make_collector(make_server, source, delivery="pull", **{
        "query Application": "*[EventData[Data='3' or Data='7']]"})
    wait_numbers(server, [3, 7])
    server.stop()
    source.publish("Application", 5, first=5)
    server.start()
    wait_numbers(server, [3, 7, 7])
    wait_state(server, "reading")
    assert channel(server)["gaps"] == 0


def test_each_event_once_although_the_collector_is_killed(make_server, source):
    """kill -9 at random moments while events come."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    server = make_collector(make_server, source, batch=64)
    writer = Numbers("w")
    last = 0
    with Publisher(source) as connection:
        for _ in range(5):
            for _ in range(chance.randrange(3, 8)):
                writer.publish(connection, last + 1, 100)
                last += 100
                time.sleep(chance.random() / 50)
            server.kill()
            server.start()
    wait_for(lambda: record_count(server, "ForwardedEvents") >= last,
             f"{last} events", explain=server.log)
    assert numbers(server) == list(range(1, last + 1))
    assert channel(server)["gaps"] == 0
    ids = [int(event["System"]["EventRecordID"])
           for event in query(server, "ForwardedEvents")]
    assert ids == sorted(set(ids))
