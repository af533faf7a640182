# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs to a real rsyslogd: order, breaks, kill -9, rewind, gaps, reload."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import threading
import time

import pytest
from pems import Authority
from rsyslog import Rsyslog

NUMBER = re.compile(rb'Number="(\d+)"')


@pytest.fixture
def receivers():
    """A function that starts an rsyslogd; syncing is not what is tested."""
    started = []

    def make(*transports, start=True, **options):
        receiver = Rsyslog(transports=transports, sync=False, **options)
        started.append(receiver)
        if start:
            receiver.start()
        return receiver

    yield make
    for receiver in started:
        receiver.close()


def section(name, receiver, transport="tcp", **keys):
    keys = {"channels": "Application", **keys}
    lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return (f"[forward {name}]\ntransport = {transport}\nhost = 127.0.0.1\n"
            f"port = {receiver.ports[transport]}\nbackoff_max = 1s\n{lines}")


def numbers(lines):
    return [int(found.group(1)) for found in map(NUMBER.search, lines)
            if found]


def output(server, name):
    (found,) = [row for row in server.status()["forward"]
                if row["name"] == name]
    return found


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)


def events_of(server, event_id):
    done = server.evenlog("query", "Evenlog/Operational",
                          f"*[System[EventID={event_id}]]", "--format=json")
    return [json.loads(line)["EventData"]
            for line in done.stdout.splitlines()]


@pytest.mark.parametrize("transport", ["tcp", "relp"])
def test_events_arrive_once_and_in_order(make_server, receivers, transport):
    receiver = receivers(transport)
    server = make_server(config=section("siem", receiver, transport))
    server.publish("Application", 500)
    server.publish("System", 5, first=9000)
    server.publish("Application", 500, first=501)
    lines = receiver.wait_lines(1000)
    assert numbers(lines) == list(range(1, 1001))
    until(lambda: output(server, "siem")["arrived"] == 1000)
    row = output(server, "siem")
    assert row["state"] == "up" and row["resent"] == 0
    assert row["channels"] == [{"name": "Application", "position": 1000,
                                "newest": 1000, "lag_events": 0,
                                "lag_seconds": 0}]


@pytest.mark.parametrize("transport", ["tcp", "relp"])
def test_a_backlog_comes_when_the_receiver_does(make_server, receivers,
                                                transport):
    receiver = receivers(transport, start=False)
    server = make_server(config=section("siem", receiver, transport))
    server.publish("Application", 300)
    row = output(server, "siem")
    assert row["state"] == "down"
    assert row["channels"][0]["lag_events"] == 300
    receiver.start()
    receiver.wait_lines(300)
    receiver.stop()
    server.publish("Application", 200, first=301)
    receiver.restart()
    until(lambda: output(server, "siem")["channels"][0]["position"] == 500)
    lines = receiver.wait_lines(500)
    # What a break left in doubt may be there twice, never not at all.
    assert sorted(set(numbers(lines))) == list(range(1, 501))
    assert events_of(server, 90) and events_of(server, 91)


def test_kill_9_loses_nothing(make_server, receivers):
    receiver = receivers("tcp")
    server = make_server(config=section("siem", receiver))
    for part in range(4):
        server.publish("Application", 1000, first=1000 * part + 1)
        receiver.wait_lines(1000 * part + 100)
        server.kill()
        server.start()
    until(lambda: output(server, "siem")["channels"][0]["position"] == 4000)
    lines = receiver.wait_lines(4000)
    assert sorted(set(numbers(lines))) == list(range(1, 4001))


def test_rewind(make_server, receivers, tmp_path):
    receiver = receivers("tcp")
    server = make_server(config=section("siem", receiver))
    server.publish("Application", 10)
    receiver.wait_lines(10)
    until(lambda: output(server, "siem")["arrived"] == 10)
    # Later than all of these, and before all that come.
    between = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                            time.gmtime(time.time() + 1))
    until(lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                time.gmtime()) >= between)
    server.publish("Application", 5, first=11)
    receiver.wait_lines(15)
    bookmark = tmp_path / "bookmark"
    bookmark.write_text("<BookmarkList><Bookmark Channel='Application' "
                        "RecordId='13' IsCurrent='true'/></BookmarkList>")
    total = 15
    for options, first in ((("--oldest",), 1),
                           (("--since", between), 11),
                           (("--channel", "application", "--record", "7"), 7),
                           (("--bookmark", str(bookmark)), 14)):
        done = server.evenlog("forward", "rewind", "siem", *options)
        assert f"Application: goes on with record {first}" in done.stderr
        total += 16 - first
        lines = receiver.wait_lines(total)
        assert numbers(lines[-(16 - first):]) == list(range(first, 16))
    assert len(events_of(server, 95)) == 4
    done = server.evenlog("forward", "rewind", "nosuch", "--oldest",
                          check=False)
    assert done.returncode == 1 and "no such output" in done.stderr
    done = server.evenlog("forward", "rewind", "siem", "--record", "99",
                          "--channel", "Application", check=False)
    assert done.returncode == 1 and "no such record" in done.stderr
    shown = server.evenlog("forward", "list").stdout
    assert re.search(r"^siem +up +tcp 127\.0\.0\.1:\d+ +rfc5424 ", shown,
                     re.MULTILINE)


class Relp:
    """A RELP receiver that answers 500 to messages that have a text."""

    def __init__(self, refuses):
        self.refuses, self.lines = refuses, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.ports = {"relp": self.socket.getsockname()[1]}
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        for connection in iter(self._accept, None):
            with connection, connection.makefile("rb") as frames:
                try:
                    while frame := self._frame(frames):
                        connection.sendall(self._answer(*frame))
                except OSError:
                    pass

    def _accept(self):
        try:
            return self.socket.accept()[0]
        except OSError:
            return None

    @staticmethod
    def _frame(frames):
        head = b""
        while head.count(b" ") < 3 and not head.endswith(b"\n"):
            if not (byte := frames.read(1)):
                return None
            head += byte
        number, command, size = head.split()
        return number, command, frames.read(int(size) + 1)[:-1]

    def _answer(self, number, command, data):
        answer = b"200 OK"
        if command == b"open":
            answer = b"200 OK\nrelp_version=0\ncommands=syslog"
        elif self.refuses in data:
            answer = b"500 not this one"
        elif command == b"syslog":
            self.lines.append(data)
        return b"%s rsp %d %s\n" % (number, len(answer), answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


def test_a_message_that_is_refused_can_be_left_out(make_server):
    """What keeps the output is named, with the command that passes it over;
    that command is run as it is written."""
    with Relp(refuses=b'Number="3"') as receiver:
        server = make_server(config=section("siem", receiver, "relp"))
        server.publish("Application", 6)
        until(lambda: (output(server, "siem")["refused"] or {}).get(
            "times", 0) >= 2)
        refused = output(server, "siem")["refused"]
        assert (refused["channel"], refused["record"]) == ("Application", 3)
        assert refused["reason"].endswith("answered 500 not this one")
        # What comes after it may have come with the first attempt.
        before = numbers(receiver.lines)
        assert before in ([1, 2], [1, 2, 4], [1, 2, 4, 5], [1, 2, 4, 5, 6])
        (told, *_) = events_of(server, 98)
        assert (told["Output"], told["Channel"], told["RecordId"],
                told["NextRecordId"]) == ("siem", "Application", "3", "4")
        assert "answered 500 not this one" in told["Reason"]
        for shown in (server.evenlog("forward", "list").stdout,
                      server.evenlog("status").stdout):
            assert "record 3 of Application is not taken, tried " in shown
        (hint,) = [line for line in
                   server.evenlog("forward", "list").stdout.splitlines()
                   if "to leave it out" in line]
        words = shlex.split(hint.split(": ", 1)[1])
        assert words[0] == "evenlog"
        server.evenlog(*words[1:])
        until(lambda: numbers(receiver.lines) == before + [4, 5, 6])
        (gap,) = [line for line in receiver.lines
                  if not NUMBER.search(line)]
        assert b'gapFirst="3" gapLast="3" gapMissing="1"' in gap
        assert b'gapCause="rewound"' in gap
        until(lambda: output(server, "siem")["state"] == "up")
        assert output(server, "siem")["refused"] is None
        server.stop()


def test_a_stalled_receiver_holds_up_nobody(make_server, receivers):
    receiver = receivers("tcp")
    with socket.create_server(("127.0.0.1", 0)) as stalled:
        config = section("siem", receiver) + (
            "[forward stalled]\ntransport = tcp\nhost = 127.0.0.1\n"
            f"port = {stalled.getsockname()[1]}\nchannels = Application\n")
        server = make_server(config=config)
        server.publish("Application", 800, size=20000)
        lines = receiver.wait_lines(800)
        assert numbers(lines) == list(range(1, 801))
        row = output(server, "stalled")
        # What the kernel and one window take, of some 16 MB.
        assert 0 < row["sent"] < 800
        # A loop that waited for it would wait for ever.
        assert server.status()["loop_lag"]["max_us"] < 5000000


def test_retention_that_overtakes_is_a_gap(make_server, receivers):
    receiver = receivers("tcp", start=False)
    server = make_server(config="[channel Application]\nmax_size = 1M\n"
                                + section("siem", receiver))
    server.publish("Application", 300, size=8000)

    def oldest():
        (row,) = [row for row in server.status()["channels"]
                  if row["name"] == "Application"]
        return row["oldest_id"]

    until(lambda: oldest() > 1)
    receiver.start()
    until(lambda: output(server, "siem")["channels"][0]["position"] == 300)
    row = output(server, "siem")
    lines = receiver.wait_lines(row["sent"])
    sent = numbers(lines)
    assert sent == list(range(sent[0], 301))
    assert sent[0] > 1 and row["gaps"] == 1
    assert row["missing"] == sent[0] - 1
    (gap,) = [line for line in lines if not NUMBER.search(line)]
    assert b"Application" in gap and str(sent[0] - 1).encode() in gap
    (told,) = events_of(server, 94)
    assert (told["Output"], told["Cause"]) == ("siem", "trimmed")
    assert int(told["Missing"]) == sent[0] - 1


def test_files_that_are_spoilt_hold_up_their_output_only(
        make_server, receivers, tmp_path):
    """At the start nobody is kept from the others; mended they do without
    a restart, and spoilt again they are no reason to disconnect."""
    authority = Authority(str(tmp_path))
    certificate, key = authority.issue("127.0.0.1")
    ca, spoilt, mended = (str(tmp_path / name)
                          for name in ("ca", "spoilt", "mended"))
    for path in (ca, spoilt):
        with open(path, "w", encoding="ascii") as file:
            file.write("-----BEGIN CERTIFICATE-----\nAAAA\n"
                       "-----END CERTIFICATE-----\n")
    plain = receivers("tcp")
    tls = receivers("tls", ca=authority.path, certificate=certificate,
                    key=key)
    server = make_server(config=section("siem", plain)
                         + section("safe", tls, "tls", ca=ca))
    server.publish("Application", 5)
    assert numbers(plain.wait_lines(5)) == [1, 2, 3, 4, 5]
    until(lambda: events_of(server, 91))
    row = output(server, "safe")
    assert (row["state"], row["connects"]) == ("down", 0)
    reason = f"{ca}: no certificate of an authority to trust"
    assert row["last_error"].startswith(reason)
    assert row["channels"][0]["lag_events"] == 5
    (lost,) = events_of(server, 91)
    assert lost["Output"] == "safe" and lost["Reason"].startswith(reason)
    warning = f"[forward safe] cannot connect until this is mended: {reason}"
    assert server.log().count(warning) == 1

    shutil.copyfile(authority.path, mended)
    os.replace(mended, ca)
    assert numbers(tls.wait_lines(5)) == [1, 2, 3, 4, 5]

    os.replace(spoilt, ca)
    server.signal(signal.SIGHUP)
    until(lambda: "configuration reloaded" in server.log())
    assert server.log().count(warning) == 2
    server.publish("Application", 1, first=6)
    assert numbers(tls.wait_lines(6)) == [1, 2, 3, 4, 5, 6]
    assert output(server, "safe")["connects"] == 1


def test_a_reload_changes_what_has_changed(make_server, receivers):
    first, second = receivers("tcp"), receivers("tcp")
    server = make_server(config="")
    base = server.read_config()

    def reload(text):
        before = server.log().count("configuration reloaded")
        server.write_config(base + text)
        server.signal(signal.SIGHUP)
        until(lambda: server.log().count("configuration reloaded") > before)

    server.publish("Application", 3)
    reload(section("kept", first))
    first.wait_lines(3)
    until(lambda: output(server, "kept")["arrived"] == 3)
    since = output(server, "kept")["since"]
    reload(section("kept", first) + section("added", second, start="now"))
    server.publish("Application", 2, first=4)
    assert numbers(second.wait_lines(2)) == [4, 5]
    first.wait_lines(5)
    reload(section("kept", first) + section("added", second, start="now",
                                            format="json"))
    server.publish("Application", 1, first=6)
    lines = second.wait_lines(3)
    assert json.loads(lines[-1][lines[-1].index(b"{"):])
    reload(section("kept", first))
    assert [row["name"] for row in server.status()["forward"]] == ["kept"]
    assert output(server, "kept")["since"] == since
    server.write_config(base + "[forward bad]\ntransport = tcp\n")
    server.signal(signal.SIGHUP)
    until(lambda: events_of(server, 4))
    assert output(server, "kept")["state"] == "up"
    assert numbers(first.wait_lines(6)) == [1, 2, 3, 4, 5, 6]
