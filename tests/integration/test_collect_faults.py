# SPDX-License-Identifier: GPL-3.0-or-later
"""
What befalls a source while a collector reads it.  After each fault: the
state is right, no event that still existed is lost, none is stored twice, and
each gap is counted, with its cause, in a report that can be read.

What a real service answers is answered by a real one; what only others do
(refused bookmarks, replies that are too large) by tests/integration/
fault_source.c, an evenlogd with faults to order.
"""

import json
import os
import shutil
import signal
import time

import pytest

import collecting
import kdc
from collecting import Numbers, stays_below, wait_for
from ports import free_port
from publisher import Publisher
from relay import Relay
from server import BUILD, SANITIZERS, Server

CHANNEL = "Application"
HELPER = os.path.join(BUILD, "collect", "evenlog-ticket")
DELIVERIES = pytest.mark.parametrize("delivery", ["push", "pull"])
# collect_gap_cause_text()
OVERWRITTEN = "the log rolled over or was cleared before they were read"
CLEARED = "the log was cleared or made anew"
UNREADABLE = "the host cannot deliver them"
# Samba's client puts 16 MiB together in a time that grows with the square of
# them when each reallocation copies, as the sanitizers' does.
LARGE = ["bound 4", "many 4"] + (["large 4"] if SANITIZERS == "no" else [])
STALE, NOT_FOUND, INVALID_QUERY, NOT_SUPPORTED = 15011, 1168, 15001, 50


class FaultySource(Server):
    """Says faults(...) what it shall do, seen() what it was asked."""

    def program(self):
        return [os.path.join(BUILD, "tests", "integration", "fault_source")]

    def start(self, **env):
        return super().start(EVENLOG_FAULTS=self._path(), **env)

    def _path(self):
        return os.path.join(self.dir, "faults")

    def faults(self, *lines):
        with open(self._path() + ".new", "w", encoding="ascii") as file:
            file.write("".join(line + "\n" for line in lines))
        os.rename(self._path() + ".new", self._path())

    def seen(self):
        path = self._path() + ".seen"
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()


class Pair:
    """A source, and a collector that reads its Application channel."""

    def __init__(self, make, source=None, relay=False, channel=CHANNEL,
                 collector="", start=True, **keys):
        self.make = make
        self.source = source or make(mapper_port=free_port())
        self.relay = None
        self.keys = {"delivery": "push", "channels": channel, **keys}
        self.channel = channel
        self.numbers_of = Numbers("source", channel)
        self.published = 0
        if relay:
            self.relay = Relay(self.source.port)
            self.keys["port"] = self.relay.port
        else:
            # The mapper's own port stays over restarts, the service's does
            # not.
            self.keys["mapper_port"] = self.source.mapper_port
        self.collector = make(start=False)
        self.collector.write_config(
            self.collector.read_config() + collector
            + collecting.collect("it", self.collector, **self.keys))
        if start:
            self.collector.start()

    def publish(self, count):
        with Publisher(self.source) as publisher:
            self.numbers_of.publish(publisher, self.published + 1, count)
        self.published += count

    def wait_stored(self, count):
        wait_for(lambda: collecting.record_count(
            self.collector, "ForwardedEvents") >= count,
            f"{count} events", explain=self.explain)
        return collecting.numbers(self.collector)

    def explain(self):
        return json.dumps(self.host(), indent=1) + self.collector.log()

    def host(self):
        return collecting.hosts(self.collector)["127.0.0.1"]

    def feed(self):
        return self.host()["channels"][0]

    def wait_state(self, state):
        return wait_for(
            lambda: self.feed()["state"] == state and self.feed(),
            f"the state {state}", explain=self.explain)

    def gaps(self):
        return collecting.reports(self.collector, collecting.GAP)

    def check(self, numbers, gaps=()):
        """What is in the store now; gaps: of (missing, cause, exact)."""
        assert self.wait_stored(len(numbers)) == list(numbers), \
            self.explain()
        self.wait_state("reading")
        wait_for(lambda: len(self.gaps()) >= len(gaps), "reports of gaps",
                 10, explain=self.explain)
        got = [(int(gap["Missing"]), gap["Cause"], gap["Exact"])
               for gap in self.gaps()]
        assert got == list(gaps)
        assert self.feed()["gaps"] == len(gaps)

    def close(self):
        if self.relay:
            self.relay.close()


@pytest.fixture
def pair(make_server):
    pairs = []

    def make(**options):
        pairs.append(Pair(make_server, **options))
        return pairs[-1]

    yield make
    for one in pairs:
        one.close()


@pytest.fixture
def faulty():
    servers = []

    def make():
        server = FaultySource(mapper_port=free_port())
        servers.append(server)
        server.add_users()
        server.faults()
        return server.start()

    yield make
    for server in servers:
        server.close()


# The service and its port

@DELIVERIES
def test_a_source_that_starts_again_on_another_port_goes_on(pair, delivery):
    case = pair(delivery=delivery)
    case.publish(10)
    case.check(range(1, 11))
    before = case.source.port
    case.source.kill()
    wait_for(lambda: case.feed()["state"] == "down", "the loss",
             explain=case.explain)
    case.source.start()
    assert case.source.port != before
    case.publish(10)
    case.check(range(1, 21))
    # Connected and lost; repetitions within a minute are counted together.
    assert collecting.reports(case.collector, 70, Host="127.0.0.1")
    assert collecting.reports(case.collector, 71, Host="127.0.0.1")


def test_a_collector_that_is_killed_goes_on_where_its_store_is(pair):
    case = pair()
    case.publish(3000)
    case.wait_stored(1)
    case.collector.kill()
    case.publish(10)
    case.collector.start()
    case.check(range(1, 3011))


# Replies that cannot be read

@DELIVERIES
@pytest.mark.parametrize("fault", LARGE)
def test_an_invalid_bound_makes_batches_smaller(pair, faulty, fault,
                                                delivery):
    source = faulty()
    source.faults(fault)
    case = pair(source=source, delivery=delivery, batch=8)
    case.publish(40)
    case.check(range(1, 41))
    assert case.feed()["batch"] <= 4


def test_an_event_that_no_reply_can_carry_is_a_gap_of_one(pair, faulty):
    source = faulty()
    source.faults("poison 7")
    case = pair(source=source)
    case.publish(20)
    case.check([*range(1, 7), *range(8, 21)],
               [(1, UNREADABLE, "exact")])


def test_a_result_that_is_none_is_a_gap_of_one(pair, faulty):
    source = faulty()
    source.faults("garbage 7")
    case = pair(source=source)
    case.publish(20)
    case.check([*range(1, 7), *range(8, 21)],
               [(1, UNREADABLE, "exact")])


# Bookmarks that are refused

@pytest.mark.parametrize("code, what", [
    (STALE, 1), (NOT_FOUND, 2), (INVALID_QUERY, 1)])
def test_a_refused_bookmark_loses_nothing_and_doubles_nothing(
        pair, faulty, code, what):
    source = faulty()
    case = pair(source=source)
    case.publish(10)
    case.check(range(1, 11))
    source.faults(f"register {code} {what} 0")
    source.kill()
    source.start()
    case.publish(5)
    case.check(range(1, 16))


def test_what_a_host_cannot_find_is_known_when_it_comes(pair, faulty):
    """It takes no bookmark and goes to no record: the log itself, from its
    oldest record on, shows whether it is the one that was read."""
    source = faulty()
    case = pair(source=source, batch=4)
    case.publish(10)
    case.check(range(1, 11))
    source.faults(f"register {NOT_SUPPORTED} 1 0", f"seek {NOT_SUPPORTED}")
    source.kill()
    source.start()
    case.publish(15)
    case.check(range(1, 26))
    source.kill()
    source.start()
    case.publish(1)
    case.check(range(1, 27))


@DELIVERIES
def test_a_subscription_that_becomes_stale_is_opened_again(pair, faulty,
                                                           delivery):
    source = faulty()
    case = pair(source=source, delivery=delivery)
    case.publish(10)
    case.check(range(1, 11))
    source.faults(f"next {STALE} 1")
    case.publish(5)
    case.publish(5)
    case.check(range(1, 21))


# Channels

def test_a_missing_channel_is_collected_once_it_is_there(pair):
    case = pair(channel="Later/Operational")
    feed = case.wait_state("retrying")
    assert "Later/Operational" in feed["failure"]["text"]
    case.source.evenlog("set-log", "Later/Operational", "--create")
    case.publish(10)
    case.check(range(1, 11))
    assert collecting.reports(case.collector, 75)   # log failed


def test_access_that_is_granted_is_used(pair, make_server):
    source = make_server(readers=())
    case = pair(source=source)
    case.publish(10)
    feed = case.wait_state("retrying")
    assert "access" in feed["failure"]["text"].lower()
    source.write_config(source.read_config().replace(
        "event_log_readers = ", "event_log_readers = alice"))
    source.signal(signal.SIGHUP)
    case.check(range(1, 11))


# Logs that are not what they were

def test_a_log_that_is_cleared_while_it_is_read_loses_nothing(pair):
    case = pair()
    case.publish(10)
    case.check(range(1, 11))
    case.source.evenlog("clear", CHANNEL)
    case.publish(3)
    case.check(range(1, 14))


@pytest.mark.parametrize("after", [1, 30])
def test_events_that_were_cleared_unread_are_counted(pair, after):
    """Record numbers go on after a clear; after: short of the bookmark's
    record, or grown past it."""
    case = pair()
    case.publish(10)
    case.check(range(1, 11))
    case.collector.stop()
    case.publish(5)
    case.source.evenlog("clear", CHANNEL)
    case.publish(after)
    case.collector.start()
    case.check([*range(1, 11), *range(16, 16 + after)],
               [(5, OVERWRITTEN, "exact")])


@pytest.mark.parametrize("after", [4, 10, 30])
def test_a_log_made_anew_is_read_from_its_start(pair, after):
    """Record numbers begin again: with fewer, as many and more events than
    before, the log that grew past the bookmark is noticed by its events."""
    case = pair()
    case.publish(10)
    case.check(range(1, 11))
    case.collector.stop()
    case.source.stop()
    shutil.rmtree(case.source.store)
    case.source.start()
    case.publish(after)
    case.collector.start()
    case.check(range(1, 11 + after), [(0, CLEARED, "at least")])


def test_a_log_made_anew_under_a_waiting_collector_is_read_from_its_start(
        pair):
    case = pair()
    case.publish(10)
    case.check(range(1, 11))
    case.source.stop()
    shutil.rmtree(case.source.store)
    case.source.start()
    case.publish(12)
    case.check(range(1, 23), [(0, CLEARED, "at least")])


# The network

@DELIVERIES
def test_a_connection_that_died_without_a_word_is_noticed(pair, delivery):
    case = pair(relay=True, liveness="1s", delivery=delivery)
    case.publish(10)
    case.check(range(1, 11))
    case.relay.silent = True
    case.publish(10)
    wait_for(lambda: case.feed()["state"] == "down", "the loss",
             explain=case.explain)
    case.relay.silent = False
    case.check(range(1, 21))


def test_a_source_that_hangs_is_noticed(pair):
    case = pair(liveness="1s")
    case.publish(10)
    case.check(range(1, 11))
    case.source.signal(signal.SIGSTOP)
    try:
        wait_for(lambda: case.feed()["state"] == "down", "the loss",
                 explain=case.explain)
    finally:
        case.source.signal(signal.SIGCONT)
    case.publish(10)
    case.check(range(1, 21))


@DELIVERIES
def test_answers_that_are_cut_off_are_asked_for_again(pair, delivery):
    case = pair(relay=True, delivery=delivery, batch=50)
    for size in (3000, 60000):
        case.relay.cut_after(size)
        case.publish(300)
        case.wait_stored(case.published)
    case.check(range(1, 601))


# Kerberos

def test_a_dead_kdc_holds_up_no_other_host(pair, make_server):
    """The KDC takes the connection and says nothing more; a host with NTLM
    goes on beside it."""
    if not kdc.is_installed():
        print("no krb5-kdc: not tested")
        return
    centre = kdc.Kdc()
    try:
        with Relay() as swallowing:
            keytab = centre.add_service("host/collector")
            path = os.path.join(centre.dir, "dead.conf")
            with open(centre.krb5_conf, encoding="utf-8") as file:
                text = file.read().replace(f"127.0.0.1:{centre.port}",
                                           f"127.0.0.1:{swallowing.port}")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            _collect_beside_a_dead_kdc(pair, swallowing, keytab, path)
    finally:
        centre.close()


def _collect_beside_a_dead_kdc(pair, swallowing, keytab, krb5_conf):
    case = pair(start=False)
    collector = case.collector
    collector.write_config(
        collector.read_config()
        + f"[collector]\nticket_helper = {HELPER}\n"
        + collecting.section(
            "collect", "dead", host="localhost", port=case.source.port,
            authentication="kerberos", keytab=keytab, backoff_max="1s",
            channels=CHANNEL))
    events = 0

    def lag():
        nonlocal events
        asked = swallowing.accepted
        if events:
            # It is the longest since the start.
            collector.stop()
        collector.start(KRB5_CONFIG=krb5_conf)
        wait_for(lambda: swallowing.accepted > asked, "a question to the KDC",
                 explain=case.explain)
        for _ in range(20):
            case.publish(10)
            time.sleep(0.02)
        events += 200
        case.check(range(1, events + 1))
        return collector.status()["loop_lag"]["max_us"]

    stays_below(50000 if SANITIZERS == "no" else 500000, lag)
    dead = collecting.hosts(collector)["localhost"]
    assert dead["state"] != "up"
