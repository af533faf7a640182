# SPDX-License-Identifier: GPL-3.0-or-later
"""evenlogd as collector of other evenlogd: configuration, reload, status and
metrics.  What it does when a source fails is in other modules."""

import os
import signal
import subprocess
import urllib.request

import pytest

from collecting import (collect, numbers, query, record_count, reports,
                        section, wait_for)

CONNECTED, LOST, STARTED, STOPPED = 70, 71, 72, 73
FORGOTTEN = 81
REFUSED = 4

METRICS = section("listener", "metrics", serve="metrics", port=0)


@pytest.fixture
def source(make_server):
    return make_server()


def hosts(server):
    return {host["host"]: host
            for host in server.status().get("collect", {}).get("hosts", [])}


def channel(server, host, name="Application"):
    for row in hosts(server)[host]["channels"]:
        if row["channel"] == name:
            return row
    raise KeyError(name)


def wait_up(server, *names):
    wait_for(lambda: all(hosts(server).get(name, {}).get("state") == "up"
                         for name in names), f"{names} up",
             explain=server.log)


def wait_records(server, count, target="ForwardedEvents"):
    wait_for(lambda: record_count(server, target) >= count,
             f"{count} events", explain=server.log)


def write_hosts(server, name, text):
    os.makedirs(server.collect, exist_ok=True)
    with open(os.path.join(server.collect, name), "w",
              encoding="utf-8") as file:
        file.write(text)


def reload(server, says="configuration reloaded"):
    before = server.log().count(says)
    server.signal(signal.SIGHUP)
    wait_for(lambda: server.log().count(says) > before, says,
             explain=server.log)


def test_events_arrive_with_their_own_numbers_and_computer(
        make_server, source):
    source.publish("Application", 5)
    source.publish("System", 2)
    server = make_server(start=False)
    server.write_config(server.read_config() + collect(
        "one", source, host="127.0.0.1", port=source.port,
        channels="Application, System", **{
            "query System": "*[EventData[Data='2']]"}))
    server.start()
    wait_records(server, 6)

    events = query(server, "ForwardedEvents")
    got = sorted((event["System"]["Channel"],
                  int(event["System"]["EventRecordID"]),
                  event["System"]["Computer"]) for event in events)
    assert got == ([("Application", n, "srv.example") for n in range(1, 6)]
                   + [("System", 2, "srv.example")])

    source.publish("Application", 1, first=6)
    wait_records(server, 7)
    assert "collector: 1 host\n" in server.log()
    host = hosts(server)["127.0.0.1"]
    assert (host["section"], host["state"], host["authentication"]) == (
        "one", "up", "ntlm")
    assert host["attempts"] == host["connects"] == 1
    assert host["failure"] is None and host["next_attempt"] is None
    row = channel(server, "127.0.0.1")
    assert (row["state"], row["target"]) == ("reading", "ForwardedEvents")
    assert (row["record_id"], row["events"], row["gaps"]) == (6, 6, 0)
    assert row["last_event"] is not None and not row["silent"]
    row = channel(server, "127.0.0.1", "System")
    assert (row["record_id"], row["events"]) == (2, 1)
    totals = server.status()["collect"]["totals"]
    assert (totals["hosts"], totals["up"], totals["channels"],
            totals["events"]) == (1, 1, 2, 7)
    assert [data["Section"] for data in reports(
        server, STARTED, Host="127.0.0.1")] == ["one"]
    assert [data["Authentication"] for data in reports(
        server, CONNECTED, Host="127.0.0.1")] == ["NTLM"]


def test_a_reload_touches_only_what_has_changed(make_server):
    sources = {f"127.0.0.{n}": make_server(listen=f"127.0.0.{n}")
               for n in (1, 2, 3)}
    server = make_server(config=METRICS)

    def one(address, **keys):
        write_hosts(server, f"{address}.conf", collect(
            f"s{address[-1]}", sources[address], host=address,
            port=sources[address].port, **keys))

    for source in sources.values():
        source.publish("Application", 3)
    one("127.0.0.1")
    one("127.0.0.2")
    reload(server)
    wait_up(server, "127.0.0.1", "127.0.0.2")
    wait_records(server, 6)
    since = hosts(server)["127.0.0.1"]["since"]

    # One more, one changed, one as it was.
    one("127.0.0.2", batch=7)
    one("127.0.0.3")
    reload(server)
    wait_up(server, "127.0.0.1", "127.0.0.3")
    wait_for(lambda: channel(server, "127.0.0.2")["batch"] == 7)
    wait_up(server, "127.0.0.2")
    wait_records(server, 9)
    same = hosts(server)["127.0.0.1"]
    assert (same["connects"], same["since"]) == (1, since)
    # It went on where it was.
    sources["127.0.0.2"].publish("Application", 1, first=4)
    wait_records(server, 10)
    assert sorted(numbers(server)) == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4]

    # One goes, and a mistake in another file changes nothing.
    os.unlink(os.path.join(server.collect, "127.0.0.3.conf"))
    reload(server)
    assert sorted(hosts(server)) == ["127.0.0.1", "127.0.0.2"]
    assert len(reports(server, STOPPED, Host="127.0.0.3")) == 1
    one("127.0.0.3")
    one("127.0.0.2", batch=8)
    write_hosts(server, "z.conf", "[collect z]\nhost = dc\nbtch = 1\n")
    reload(server, says="the configuration in force stays as it is")
    wait_for(lambda: reports(server, REFUSED), "the refusal")
    assert "z.conf:3: unknown key 'btch'" in reports(
        server, REFUSED)[0]["Reason"]
    assert sorted(hosts(server)) == ["127.0.0.1", "127.0.0.2"]
    assert channel(server, "127.0.0.2")["batch"] == 7
    sources["127.0.0.1"].publish("Application", 1, first=4)
    wait_records(server, 11)
    same = hosts(server)["127.0.0.1"]
    assert (same["connects"], same["since"]) == (1, since)

    check_metrics(server)


def check_metrics(server):
    address, port = server.http("metrics")
    with urllib.request.urlopen(f"http://{address}:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines
                  if not line.startswith("#"))
    assert values["evenlog_collect_hosts"] == "2"
    for name, value in {"host_up": 1, "connects_total": 1}.items():
        assert values[f'evenlog_collect_{name}{{host="127.0.0.1"}}'] == str(
            value)
    for name, value in {"channel_reading": 1, "events_total": 4,
                        "gaps_total": 0, "missing_total": 0,
                        "missing_at_most_total": 0, "lag_events": 0,
                        "lag_seconds": 0, "mismatched_total": 0,
                        "silent": 0}.items():
        assert values[f'evenlog_collect_{name}{{host="127.0.0.1",'
                      f'channel="Application"}}'] == str(value), name
    assert int(values['evenlog_collect_bytes_total{host="127.0.0.1",'
                      'channel="Application"}']) > 400


def test_a_host_that_cannot_be_reached_says_why_and_others_go_on(
        make_server, source):
    source.publish("Application", 1)
    server = make_server(start=False)
    secret = "Wr0ng-and-secret"
    path = os.path.join(server.dir, "wrong")
    with open(path, "w", encoding="ascii") as file:
        file.write(secret + "\n")
    os.chmod(path, 0o644)
    server.write_config(
        server.read_config()
        + collect("good", source, host="127.0.0.1", port=source.port)
        + collect("bad", source, host="localhost", port=source.port,
                  password_file=path)
        + collect("none", source, host="127.0.0.9", port=source.port,
                  password_file=path + ".none"))
    server.start()
    wait_records(server, 1)
    wait_for(lambda: hosts(server)["localhost"]["failure"], "a failure")
    host = hosts(server)["localhost"]
    assert host["state"] != "up" and host["connects"] == 0
    wait_for(lambda: reports(server, LOST, Host="localhost"), "its report")
    assert reports(server, LOST, Host="localhost")[0]["Section"] == "bad"
    assert hosts(server)["127.0.0.1"]["state"] == "up"
    assert f"[collect bad]: everybody on this host may read {path}" in (
        server.log())
    assert (f"[collect none]: {path}.none: No such file or directory; its hosts"
            in server.log())
    assert secret not in server.log()
    assert secret not in server.evenlog("status", "--format=json").stdout


def test_what_vanishes_before_a_reload_stops_nothing(make_server, source):
    server = make_server()
    write_hosts(server, "a.conf", collect("one", source, host="127.0.0.1",
                                          port=source.port))
    reload(server)
    wait_up(server, "127.0.0.1")
    away = server.collect + ".away"
    os.rename(server.collect, away)
    reload(server, says="the configuration in force stays as it is")
    assert f"{server.collect} is gone" in server.log()
    assert hosts(server)["127.0.0.1"]["connects"] == 1
    # Emptied it is meant.
    os.mkdir(server.collect)
    reload(server)
    assert not hosts(server)
    os.rmdir(server.collect)
    os.rename(away, server.collect)
    reload(server)
    wait_up(server, "127.0.0.1")


def test_a_forgotten_host_is_collected_from_the_start(make_server, source):
    source.publish("Application", 3)
    server = make_server()
    one = collect("one", source, host="127.0.0.1", port=source.port)
    write_hosts(server, "a.conf", one)
    reload(server)
    wait_records(server, 3)

    done = server.evenlog("collect", "forget", "127.0.0.1", check=False)
    assert done.returncode == 1
    assert ("Application of 127.0.0.1 is being collected, by [collect one]"
            in done.stderr)
    done = server.evenlog("collect", "forget", "127.0.0.1", "System",
                          check=False)
    assert done.returncode == 1 and "there is none" in done.stderr

    write_hosts(server, "a.conf", "")
    reload(server)
    done = server.evenlog("collect", "forget", "127.0.0.1", "Application")
    assert "Application: forgotten; it was behind record 3" in done.stderr
    assert "begins as read_existing" in done.stderr
    wait_for(lambda: reports(server, FORGOTTEN, Host="127.0.0.1",
                             Channel="Application", RecordId="3"),
             "its report")
    write_hosts(server, "a.conf", one)
    reload(server)
    wait_records(server, 6)
    assert numbers(server) == [1, 2, 3, 1, 2, 3]
    assert channel(server, "127.0.0.1")["gaps"] == 0


def test_check_config_finds_mistakes_of_all_files(make_server):
    server = make_server(start=False)
    write_hosts(server, "a.conf", "[collect a]\nhost = dc1\nuser = u\n"
                "password_file = /p\nquery Security = *[System[\n")
    done = subprocess.run([*server.program(), "--config", server.config,
                           "--check-config"], env=server.env(),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "a.conf:5: the query of Security:" in done.stderr
