# SPDX-License-Identifier: GPL-3.0-or-later
"""
Filters as options: which events come back.  Each option is judged by a
function of Python's over the events that were published, not by the query it
means.
"""

import json
import random
import signal

import pytest

from server import Server
from test_cli import Follower, query

LEVELS = {"always": 0, "critical": 1, "error": 2, "warning": 3,
          "information": 4, "verbose": 5}
PROVIDERS = ["Backup", "it's", 'say "x"', "Two Words"]
SIDS = [None, "S-1-5-18", "S-1-5-21-1-2-3-500"]
KEYWORDS = [0x8000000000000000, 0x8010000000000000, 0x8020000000000000, 0x21]
# An hour apart, from 10:00 on; the last second of the day, and the first.
TIMES = ([f"2026-11-20T{hour:02}:00:00.1230000Z" for hour in range(10, 16)] +
         ["2026-11-20T23:59:59.9999999Z", "2026-11-21T00:00:00.0000000Z"])


def make_events(count):
    """Random, but the same each time."""
    chance = random.Random(20261121)
    events = []
    for number in range(1, count + 1):
        security = chance.choice(SIDS)
        system = {
            "Provider": {"Name": chance.choice(PROVIDERS)},
            "EventID": chance.choice([1, 2, 3, 4624, 4625, 4630, 4634, 4635,
                                      65535]),
            "Level": chance.randrange(6),
            "Task": chance.randrange(3), "Opcode": chance.randrange(12),
            "Keywords": f"0x{chance.choice(KEYWORDS):x}",
            "TimeCreated": {"SystemTime": chance.choice(TIMES)},
            "Computer": chance.choice(["pc1.example.org", "pc2"]),
        }
        if security:
            system["Security"] = {"UserID": security}
        events.append({
            "System": system,
            "EventData": {"Number": str(number),
                          "User": chance.choice(["bob", "eve", "it's"]),
                          "Logon Type": chance.choice(["2", "10"])}})
    return events


@pytest.fixture(scope="module")
def world():
    """A service with events that no test changes: (server, events)."""
    server = Server(mapper=False)
    server.add_users()
    server.start()
    events = make_events(600)
    for channel, part in [("Application", events[:400]),
                          ("System", events[400:])]:
        server.evenlog("publish", channel, "--stdin",
                       stdin="".join(json.dumps(event) + "\n"
                                     for event in part))
    yield server, events
    server.close()


def system(name):
    return lambda event: event["System"].get(name)


ID, LEVEL, TASK, OPCODE = map(system, ["EventID", "Level", "Task", "Opcode"])
TIME = lambda event: event["System"]["TimeCreated"]["SystemTime"]
NAME = lambda event: event["System"]["Provider"]["Name"]
MASK = lambda event: int(event["System"]["Keywords"], 16)
DATA = lambda event, name: event["EventData"][name]
USER = lambda event: event["System"].get("Security", {}).get("UserID")

CASES = [
    (["--id=4624"], lambda e: ID(e) == 4624),
    (["--id=4624,4625-4634,!4630"],
     lambda e: ID(e) == 4624 or 4625 <= ID(e) <= 4634 and ID(e) != 4630),
    (["--id", "1,2", "--id", "65535"], lambda e: ID(e) in (1, 2, 65535)),
    (["--id", "-4624-4630"], lambda e: not 4624 <= ID(e) <= 4630),
    (["--id=-1,-2"], lambda e: ID(e) not in (1, 2)),
    (["--level=error"], lambda e: LEVEL(e) == 2),
    (["--level=error,verbose"], lambda e: LEVEL(e) in (2, 5)),
    (["--level=warning+"], lambda e: LEVEL(e) in (1, 2, 3)),
    (["--level=information"], lambda e: LEVEL(e) in (0, 4)),
    (["--level=4"], lambda e: LEVEL(e) == 4),
    (["--level=0"], lambda e: LEVEL(e) == 0),
    (["--level=verbose+"], lambda e: True),
    (["--provider=Backup"], lambda e: NAME(e) == "Backup"),
    (["--provider=it's", '--provider=say "x"'],
     lambda e: NAME(e) in ("it's", 'say "x"')),
    (["--computer=pc2"], lambda e: e["System"]["Computer"] == "pc2"),
    (["--user-id=SYSTEM"], lambda e: USER(e) == "S-1-5-18"),
    (["--user-id=S-1-5-21-1-2-3-500"],
     lambda e: USER(e) == "S-1-5-21-1-2-3-500"),
    (["--data=User=bob"], lambda e: DATA(e, "User") == "bob"),
    (["--data=User=it's"], lambda e: DATA(e, "User") == "it's"),
    (["--data", "Logon Type=10", "-d", "User=eve"],
     lambda e: DATA(e, "Logon Type") == "10" and DATA(e, "User") == "eve"),
    (["--data==bob"], lambda e: DATA(e, "User") == "bob"),
    (["--keyword=AuditFailure"], lambda e: MASK(e) & 0x10000000000000),
    (["--keyword=audit success,AuditFailure"],
     lambda e: MASK(e) & 0x30000000000000),
    (["--keyword=0x21"], lambda e: MASK(e) & 0x21),
    (["--keyword=0x8000000000000001"],
     lambda e: MASK(e) & 0x8000000000000001),
    (["--task=1"], lambda e: TASK(e) == 1),
    (["--opcode=1,10-11"], lambda e: OPCODE(e) in (1, 10, 11)),
    (["--since=2026-11-20T12:00:00.123Z"],
     lambda e: TIME(e) >= "2026-11-20T12:00:00.1230000Z"),
    (["--since=2026-11-20 12:00:00.124", "--utc"],
     lambda e: TIME(e) > "2026-11-20T12:00:00.1240000Z"),
    (["--until=2026-11-20T13:00:00.123+00:00"],
     lambda e: TIME(e) <= "2026-11-20T13:00:00.1230000Z"),
    (["--since=2026-11-20", "--until=2026-11-20", "--utc"],
     lambda e: TIME(e).startswith("2026-11-20")),
    (["--since=2026-11-21", "--utc"],
     lambda e: TIME(e).startswith("2026-11-21")),
    (["--level=error+", "--provider=Backup", "--id=1-4630",
      "--since=2026-11-20T11:00Z", "--data=User=bob"],
     lambda e: (LEVEL(e) in (1, 2) and NAME(e) == "Backup" and
                ID(e) <= 4630 and TIME(e) >= "2026-11-20T11" and
                DATA(e, "User") == "bob")),
]


def numbers(events):
    return sorted(int(event["EventData"]["Number"]) for event in events)


def expected(events, judge, first=1, last=400):
    found = numbers(event for event in events[first - 1:last]
                    if judge(event))
    return found


@pytest.mark.parametrize("args,judge", CASES,
                         ids=[" ".join(args) for args, _ in CASES])
def test_an_option_selects_its_events(world, args, judge):
    server, events = world
    want = expected(events, judge)
    assert want, "the case is about something"
    assert numbers(query(server, "Application", *args)) == want


def test_options_and_a_path_select_what_fits_both(world):
    server, events = world
    for path, judge in [
            ("*[System[EventID=1]]", lambda e: ID(e) == 1),
            ("*[System[EventID=1 or EventID=2]]", lambda e: ID(e) in (1, 2)),
            ("*[System[EventID=1]] or *[System[EventID=2]]",
             lambda e: ID(e) in (1, 2)),
            ("*[System[EventID=1]] and *[System[Task=1]]",
             lambda e: ID(e) == 1 and TASK(e) == 1),
            ("*[System][EventData[Data[@Name='User']='bob']]",
             lambda e: DATA(e, "User") == "bob"),
            ("Event/System[EventID=1]", lambda e: ID(e) == 1),
            ("*", lambda e: True)]:
        got = query(server, "Application", path, "--level=warning+")
        assert numbers(got) == expected(
            events, lambda e, judge=judge: judge(e) and LEVEL(e) in (1, 2, 3))


def test_several_channels_give_the_events_of_all(world):
    server, events = world
    judge = CASES[1][1]
    got = query(server, "Application", "System", *CASES[1][0])
    assert numbers(got) == expected(events, judge, 1, 600)
    got = query(server, "Application", "System", "*[System[EventID=1]]")
    assert numbers(got) == expected(events, lambda e: ID(e) == 1, 1, 600)


def test_records_are_chosen_by_their_ids(world):
    server, events = world
    assert numbers(query(server, "Application", "--record=5-7,9")) == [
        5, 6, 7, 9]


def test_what_is_explained_is_what_is_asked(world):
    server, events = world
    for args, judge in CASES:
        path = server.evenlog("query", "Application", *args,
                              "--explain").stdout.strip()
        assert numbers(query(server, "Application", path)) == expected(
            events, judge)
    text = server.evenlog("query", "Application", "System", "--level=error",
                          "--explain").stdout
    done = server.evenlog("query", "--structured=-", "--format=json",
                          stdin=text)
    got = [json.loads(line) for line in done.stdout.splitlines()]
    assert numbers(got) == expected(events, lambda e: LEVEL(e) == 2, 1, 600)


def test_filters_work_over_the_network(world):
    server, events = world
    args, judge = CASES[-1]
    target = ["--remote", f"127.0.0.1:{server.port}", "--user", "alice"]
    got = query(server, "Application", *args, *target,
                EVENLOG_PASSWORD="Al1ce-pass")
    assert numbers(got) == expected(events, judge)


def test_ages_count_from_now(server):
    server.publish("Application", 3)
    server.evenlog("publish", "Application", "--stdin", stdin=json.dumps({
        "System": {"Provider": {"Name": "Test"}, "EventID": 1,
                   "TimeCreated": {"SystemTime": "2020-01-01T00:00:00Z"}},
        "EventData": {"Number": "4"}}))
    assert numbers(query(server, "Application", "--since=1h")) == [1, 2, 3]
    assert numbers(query(server, "Application", "--until=1h")) == [4]
    assert numbers(query(server, "Application", "--since=today",
                         "--until=now")) in ([1, 2, 3], [])


def test_a_subscription_takes_filters_too(server):
    server.publish("Application", 2)
    follower = Follower(server, "Application", "System", "--since=1h",
                        "--data=Number=2", "--data=Number=2")
    follower.wait_events(1)
    server.publish("System", 4)
    assert follower.wait_events(2) == [2, 2]
    assert follower.end(signal.SIGINT) == 0
    assert follower.numbers() == [2, 2]


def test_a_wrong_path_is_the_service_s_to_refuse(world):
    server, _ = world
    for path in ["*[System[EventID=1]", "*[System[", "System[EventID=1]"]:
        done = server.evenlog("query", "Application", path, "--level=error",
                              check=False)
        assert done.returncode == 1, done.stderr
        assert "Application" in done.stderr
