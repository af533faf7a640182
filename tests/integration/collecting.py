# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of collector and forwarder share: sections of the
configuration, waiting for a state, events with sequence numbers, and what a
collector says of gaps."""

import json
import os
import re
import struct
import time

import publisher
from server import USERS

WAIT_SECONDS = 20
GAP = 76            # Evenlog/Operational, store/operational.h


def section(kind, name, **keys):
    """[KIND NAME]; a key whose value is None is left out."""
    lines = [f"[{kind} {name}]"]
    lines += [f"{key} = {value}" for key, value in keys.items()
              if value is not None]
    return "\n".join(lines) + "\n"


def collect(name, server, user="alice", **keys):
    """A host to collect from: server is where its password file goes."""
    password = os.path.join(server.dir, f"password-{user}")
    if not os.path.exists(password):
        with open(os.open(password, os.O_WRONLY | os.O_CREAT, 0o600), "w",
                  encoding="ascii") as file:
            file.write(USERS[user] + "\n")
    keys = {"host": "127.0.0.1", "authentication": "ntlm", "user": user,
            "password_file": password, "channels": "Application",
            "read_existing": "yes", "backoff_max": "1s", **keys}
    return section("collect", name, **keys)


def forward(name, transport, port, **keys):
    keys = {"transport": transport, "host": "127.0.0.1", "port": port,
            "channels": "ForwardedEvents", "start": "oldest",
            "backoff_max": "1s", **keys}
    return section("forward", name, **keys)


def wait_for(condition, what="condition", seconds=WAIT_SECONDS, every=0.05,
             explain=lambda: ""):
    """What condition returns once it is true."""
    end = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}\n"
                                 f"{explain()}")
        time.sleep(every)


def stays_below(bound, measure, attempts=5):
    """Whether a measured time is below bound in one of some attempts: what a
    busy machine adds it does not add each time, what waits always waits."""
    times = []
    while not times or times[-1] >= bound:
        assert len(times) < attempts, f"{times}, not below {bound}"
        times.append(measure())


class Numbers:
    """Events of one writer with Data Number = 1, 2, ... and its name, made
    quickly: one document whose number is patched."""

    MARK = 0x1122334455667788

    def __init__(self, name, channel="Application", values=()):
        """values: texts that each event has behind its writer's name."""
        self.name, self.channel = name, channel
        document = publisher.event(channel, self.MARK,
                                   filler=[name, *values])
        mark = struct.pack("<Q", self.MARK)
        assert document.count(mark) == 1
        self._head, self._tail = document.split(mark)

    def documents(self, first, count):
        return [self._head + struct.pack("<Q", number) + self._tail
                for number in range(first, first + count)]

    def publish(self, connection, first, count):
        return connection.publish(self.channel,
                                  *self.documents(first, count))


NUMBER = re.compile(rb'Number[^0-9]{1,12}(\d+)')


def query(server, channel, *args, **options):
    """Events of a channel, as JSON objects."""
    out = server.evenlog("query", channel, "--format=json", *args,
                         **options).stdout
    return [json.loads(line) for line in out.splitlines()]


def numbers(server, channel="ForwardedEvents", *args):
    """Data Number of the events of a channel, in the store's order."""
    out = server.evenlog("query", channel, "--format=json", *args).stdout
    return [int(NUMBER.search(line)[1]) for line in out.encode().splitlines()]


def newest_number(server, channel):
    """Data Number of a channel's newest event, or 0."""
    got = numbers(server, channel, "--reverse", "-n", "1")
    return got[0] if got else 0


def record_count(server, channel):
    for row in server.status()["channels"]:
        if row["name"].lower() == channel.lower():
            return row["records"]
    return 0


def reports(server, event_id, **fields):
    """EventData of the reports in Evenlog/Operational with that id, those
    that have these fields."""
    got = [event["EventData"] for event in query(
        server, "Evenlog/Operational", f"*[System[EventID={event_id}]]")]
    return [data for data in got
            if all(data.get(key) == value for key, value in fields.items())]


def hosts(server):
    """What the status says of each host, by its name."""
    return {host["host"]: host
            for host in server.status()["collect"]["hosts"]}
