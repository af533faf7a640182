# SPDX-License-Identifier: GPL-3.0-or-later
"""The evenlog command against the real service: what it shows, what it
writes, and that a subscription loses and repeats nothing."""

import json
import os
import pty
import re
import selectors
import signal
import socket
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import pytest

from server import BUILD, USERS

NAMESPACE = "{http://schemas.microsoft.com/win/2004/08/events/event}"
SECONDS = 60


class Follower:
    """evenlog subscribe, running."""

    def __init__(self, server, *args, **env):
        if not any(arg.startswith("--format") for arg in args):
            args += ("--format=json",)
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "cli", "evenlog"), "--config", server.config,
             "subscribe", *args],
            env=server.env(**env), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.text = {self.process.stdout: b"", self.process.stderr: b""}
        self.selector = selectors.DefaultSelector()
        for stream in self.text:
            os.set_blocking(stream.fileno(), False)
            self.selector.register(stream, selectors.EVENT_READ)

    def pump(self, done):
        """Read both streams until done() or the end."""
        end = time.monotonic() + SECONDS
        while not done() and self.selector.get_map():
            assert time.monotonic() < end, self.text
            for key, _ in self.selector.select(1):
                data = key.fileobj.read()
                if data:
                    self.text[key.fileobj] += data
                elif data == b"":
                    self.selector.unregister(key.fileobj)

    @property
    def out(self):
        return self.text[self.process.stdout].decode()

    @property
    def err(self):
        return self.text[self.process.stderr].decode()

    def numbers(self):
        return [number_of(line) for line in self.out.splitlines()]

    def wait_events(self, count):
        self.pump(lambda: self.out.count("\n") >= count)
        assert self.out.count("\n") >= count, self.err
        return self.numbers()

    def wait_said(self, text):
        self.pump(lambda: text in self.err)
        assert text in self.err

    def end(self, number=None):
        """Signal, if any, and the exit status."""
        if number is not None:
            self.process.send_signal(number)
        self.pump(lambda: False)
        status = self.process.wait(SECONDS)
        self.selector.close()
        self.process.stdout.close()
        self.process.stderr.close()
        return status


def number_of(line):
    return int(json.loads(line)["EventData"]["Number"])


def query(server, *args, **env):
    done = server.evenlog("query", *args, "--format=json", **env)
    return [json.loads(line) for line in done.stdout.splitlines()]


def wait_for(condition):
    """For files of another process: looked at, never slept for a fixed
    time."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def subscriptions(server):
    return server.status()["rpc"]["subscriptions"]


def is_followed(server):
    """A follower waits for the next event.  It subscribes before already, to
    learn where now is."""
    return server.status()["rpc"]["parked_calls"] == 1


def remote(server, user="alice", host="127.0.0.1", port=True):
    target = f"{host}:{server.port}" if port else host
    return ["--remote", target, "--mapper-port", str(server.mapper_port),
            "--user", user]


# publish and query

def test_an_event_comes_back_as_it_was_published(server):
    done = server.evenlog(
        "publish", "Application", "--provider=Pröv & Co", "--id=4711",
        "--provider-guid=54849625-5478-4994-a5ba-3e3b0328c30d",
        "--level=warning", "--task=7", "--opcode=3", "--event-version=2",
        "--keywords=0x80000000000001", "--data=User=bob smith",
        "--data=Port:UInt16=445", "--data=Mask:HexInt64=0xff",
        "--data=On:Boolean=true", "--data=Empty=", "--data=Eq=a=b")
    assert done.stdout == "record 1\n"
    event, = query(server, "Application")
    system = event["System"]
    assert system["Provider"] == {
        "Name": "Pröv & Co",
        "Guid": "{54849625-5478-4994-A5BA-3E3B0328C30D}"}
    assert system["EventID"] == 4711
    assert (system["Level"], system["Task"]) == (3, 7)
    assert (system["Opcode"], system["Version"]) == (3, 2)
    assert system["Keywords"] == "0x80000000000001"
    assert system["Channel"] == "Application"
    assert system["Computer"] == "srv.example"
    assert system["EventRecordID"] == 1
    assert event["EventData"] == {
        "User": "bob smith", "Port": 445, "Mask": "0xff", "On": True,
        "Empty": "", "Eq": "a=b"}


def test_order_count_and_direction(server):
    server.publish("Application", 10)
    everything = [int(e["EventData"]["Number"])
                  for e in query(server, "Application")]
    assert everything == list(range(1, 11))
    newest = query(server, "Application", "--reverse", "--count=3")
    assert [int(e["EventData"]["Number"]) for e in newest] == [10, 9, 8]
    oldest = query(server, "Application", "--count=1")
    assert [int(e["EventData"]["Number"]) for e in oldest] == [1]
    assert query(server, "Application", "--count=0") == []
    assert query(server, "System") == []


def test_more_events_than_a_batch_holds(server):
    server.publish("Application", 3000)
    numbers = [int(e["EventData"]["Number"])
               for e in query(server, "Application")]
    assert numbers == list(range(1, 3001))


def test_a_structured_query_spans_channels(server):
    server.publish("Application", 2)
    server.publish("System", 2, first=11)
    path = os.path.join(server.dir, "query.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\ufeff<QueryList><Query Id='0'>"
                   "<Select Path='Application'>*</Select>"
                   "<Select Path='System'>*</Select></Query></QueryList>")
    events = query(server, "--structured", path)
    assert sorted(int(e["EventData"]["Number"]) for e in events) == \
        [1, 2, 11, 12]
    with open(path, encoding="utf-8") as file:
        done = server.evenlog("query", "--structured=-", "--format=json",
                              stdin=file.read())
    assert len(done.stdout.splitlines()) == 4


def test_every_format_is_one_harmless_line_for_each_event(server):
    nasty = "a\x1b[2Jb\nc\u009bd\u202ee\x7f"
    server.publish("Application", 1, Nasty=nasty)
    for form in "text", "xml", "json":
        out = server.evenlog("query", "Application", f"--format={form}").stdout
        assert out.count("\n") == 1
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out), form
    event, = query(server, "Application")
    # XML and JSON can be read back; XML 1.0 has no ESC.
    assert event["EventData"]["Nasty"] == nasty
    xml = server.evenlog("query", "Application", "--format=xml").stdout
    root = ElementTree.fromstring(xml)
    data = {d.get("Name"): d.text for d in root.iter(NAMESPACE + "Data")}
    assert data["Nasty"] == nasty.replace("\x1b", "\ufffd")


def test_lines_that_are_wrong_are_reported_and_passed_over(server):
    good = {"System": {"Provider": {"Name": "P"}, "EventID": 1},
            "EventData": {"Number": "1"}}
    lines = [json.dumps(good), "{", "", json.dumps(good), "[]",
             json.dumps({"EventData": {"Number": "1"}}), json.dumps(good)]
    done = server.evenlog("publish", "Application", "--stdin",
                          stdin="\n".join(lines), check=False)
    assert done.returncode == 1
    reported = re.findall(r"^evenlog: line (\d+): ", done.stderr, re.M)
    assert reported == ["2", "5", "6"]
    assert "3 events published" in done.stderr
    assert "3 lines refused" in done.stderr
    assert len(query(server, "Application")) == 3


def test_options_complete_what_lines_leave_out(server):
    server.evenlog("publish", "Application", "--stdin", "--provider=Q",
                   "--id=9", "--level=error",
                   stdin='{"EventData":{"Number":1}}\n'
                         '{"System":{"EventID":10,"Level":5}}\n')
    first, second = query(server, "Application")
    assert first["System"]["Provider"]["Name"] == "Q"
    assert (first["System"]["EventID"], first["System"]["Level"]) == (9, 2)
    assert (second["System"]["EventID"], second["System"]["Level"]) == (10, 5)


def test_what_query_writes_publish_reads(server):
    server.publish("Application", 3, Text="ä \\ \" <&>")
    out = server.evenlog("query", "Application", "--format=json").stdout
    server.evenlog("publish", "ForwardedEvents", "--stdin", stdin=out)
    before = query(server, "Application")
    after = query(server, "ForwardedEvents")
    assert [e["EventData"] for e in after] == [e["EventData"] for e in before]
    for old, new in zip(before, after):
        for name in "Provider", "EventID", "TimeCreated", "Channel":
            assert new["System"][name] == old["System"][name]


def test_a_slow_writer_s_events_are_not_held_back(server):
    process = subprocess.Popen(
        [os.path.join(BUILD, "cli", "evenlog"), "--config", server.config,
         "publish", "Application", "--stdin", "--provider=P", "--id=1"],
        env=server.env(), stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(b'{"EventData":{"Number":1}}\n')
    process.stdin.flush()
    # The pipe stays open, and the event is there all the same.
    wait_for(lambda: len(query(server, "Application")) == 1)
    process.stdin.close()
    assert process.wait(SECONDS) == 0
    process.stderr.close()


def test_an_unknown_channel_is_named(server):
    for verb in "query", "subscribe", "log-info":
        done = server.evenlog(verb, "Nope", check=False)
        assert done.returncode == 1
        assert "Nope" in done.stderr and "no such channel" in done.stderr
    done = server.evenlog("publish", "Nope", "--provider=P", "--id=1",
                          check=False)
    assert done.returncode == 1
    assert "no such channel" in done.stderr


def test_a_reader_that_leaves_ends_a_query_quietly(server):
    server.publish("Application", 2000, size=500)
    process = subprocess.Popen(
        [os.path.join(BUILD, "cli", "evenlog"), "--config", server.config,
         "query", "Application"], env=server.env(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.wait(SECONDS)
    process.stderr.close()


# list, log-info, status, verify

def test_list_and_log_info(server):
    server.publish("Application", 5)
    names = server.evenlog("list").stdout.splitlines()
    assert {"Application", "System", "Security", "ForwardedEvents",
            "Evenlog/Operational"} <= set(names)
    assert names == sorted(names, key=str.lower)
    info = json.loads(server.evenlog("log-info", "Application",
                                     "--format=json").stdout)
    assert info["NumberOfLogRecords"] == 5
    assert info["OldestRecordNumber"] == 1
    assert info["IsLogFull"] is False
    assert info["FileSize"] > 0


def test_status_names_the_ports_and_channels(server):
    status = server.status()
    assert status["port"] > 0
    text = server.evenlog("status").stdout
    assert (f", port {status['port']}, mapper "
            f"{status['endpoint_mapper_port']}\n") in text
    assert "Application" in text


def test_a_store_that_may_not_be_read_is_no_failing_disk(server, tmp_path):
    """Nor does somebody other than root and the service see it as one."""
    store = tmp_path / "store"
    store.mkdir()
    (store / "data.mdb").write_bytes(b"")
    nobody = []
    if os.getuid() == 0:
        nobody = ["setpriv", "--reuid", "65534", "--regid", "65534",
                  "--clear-groups"]
        for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
            parent.chmod(0o755)
    store.chmod(0)
    done = subprocess.run(
        [*nobody, os.path.join(BUILD, "cli", "evenlog"), "verify",
         str(store)], capture_output=True, text=True, timeout=60,
        env=server.env(), check=False)
    store.chmod(0o700)
    assert done.returncode == 1
    assert done.stderr == (f"evenlog: cannot check {store}: "
                           "Permission denied\n")


def test_verify_tells_a_good_store_from_none(server):
    server.publish("Application", 5)
    done = server.evenlog("verify")
    assert "no errors" in done.stdout
    result = json.loads(server.evenlog("verify", "--format=json").stdout
                        .splitlines()[-1])
    assert result["errors"] == 0 and result["records"] >= 5
    assert server.evenlog("verify", server.dir,
                          check=False).returncode == 1


# subscribe

@pytest.mark.parametrize("mode", [(), ("--pull",)])
def test_events_are_shown_as_they_happen(server, mode):
    server.publish("Application", 2)
    follower = Follower(server, "Application", *mode)
    wait_for(lambda: is_followed(server))
    for number in 3, 4:
        server.publish("Application", 1, first=number)
        assert follower.wait_events(number - 2)[-1] == number
    assert follower.end(signal.SIGINT) == 0
    assert follower.numbers() == [3, 4]
    assert follower.err == ""
    assert subscriptions(server) == 0


@pytest.mark.parametrize("mode", [(), ("--pull",)])
def test_from_oldest_shows_all_and_goes_on(server, mode):
    server.publish("Application", 1500)
    follower = Follower(server, "Application", "--from=oldest",
                        "--count=1501", *mode)
    follower.wait_events(1500)
    server.publish("Application", 1, first=1501)
    assert follower.end() == 0
    assert follower.numbers() == list(range(1, 1502))


def test_a_bookmark_carries_across_runs(server):
    mark = os.path.join(server.dir, "mark")
    server.publish("Application", 10)
    first = Follower(server, "Application", "--from=oldest",
                     f"--bookmark={mark}", "--count=4")
    assert first.end() == 0
    assert first.numbers() == [1, 2, 3, 4]
    # Where a bookmark is, --from is not asked.
    second = Follower(server, "Application", "--from=oldest",
                      f"--bookmark={mark}")
    second.wait_events(6)
    assert second.end(signal.SIGTERM) == 0
    assert second.numbers() == [5, 6, 7, 8, 9, 10]
    server.publish("Application", 2, first=11)
    third = Follower(server, "Application", "--from=bookmark",
                     f"--bookmark={mark}", "--count=2")
    assert third.end() == 0
    assert third.numbers() == [11, 12]


def test_now_is_a_position_before_the_first_event(server):
    mark = os.path.join(server.dir, "mark")
    server.publish("Application", 3)
    first = Follower(server, "Application", f"--bookmark={mark}")
    wait_for(lambda: os.path.exists(mark))
    assert first.end(signal.SIGINT) == 0
    assert first.numbers() == []
    # What happens between the runs belongs to the second one.
    server.publish("Application", 2, first=4)
    second = Follower(server, "Application", f"--bookmark={mark}",
                      "--count=2")
    assert second.end() == 0
    assert second.numbers() == [4, 5]


def test_now_in_an_empty_channel_is_a_position_too(server):
    mark = os.path.join(server.dir, "mark")
    first = Follower(server, "Application", f"--bookmark={mark}")
    wait_for(lambda: os.path.exists(mark))
    assert first.end(signal.SIGINT) == 0
    server.publish("Application", 2)
    second = Follower(server, "Application", f"--bookmark={mark}",
                      "--count=2")
    assert second.end() == 0
    assert second.numbers() == [1, 2]
    assert "missing" not in second.err


def test_a_lost_connection_loses_and_repeats_nothing(server):
    server.publish("Application", 5)
    follower = Follower(server, "Application", "--from=oldest")
    follower.wait_events(5)
    server.stop()
    follower.wait_said("trying again")
    server.start()
    server.publish("Application", 5, first=6)
    follower.wait_events(10)
    assert follower.end(signal.SIGINT) == 0
    assert follower.numbers() == list(range(1, 11))
    assert "connected again" in follower.err


def test_a_killed_service_is_followed_from_now_too(server):
    server.publish("Application", 5)
    follower = Follower(server, "Application")
    wait_for(lambda: is_followed(server))
    # Not a single event was shown when the service dies.
    server.kill()
    follower.wait_said("trying again")
    server.start()
    server.publish("Application", 3, first=6)
    follower.wait_events(3)
    assert follower.end(signal.SIGINT) == 0
    assert follower.numbers() == [6, 7, 8]


def test_without_reconnect_a_lost_connection_is_the_end(server):
    server.publish("Application", 1)
    follower = Follower(server, "Application", "--from=oldest",
                        "--no-reconnect")
    follower.wait_events(1)
    server.kill()
    assert follower.end() == 1
    assert "closed" in follower.err
    server.start()


def test_a_bookmark_moves_only_behind_what_was_written(server):
    """stdout breaks in the middle: the bookmark must not be ahead."""
    mark = os.path.join(server.dir, "mark")
    server.publish("Application", 2000, size=500)
    process = subprocess.Popen(
        [os.path.join(BUILD, "cli", "evenlog"), "--config", server.config,
         "subscribe", "Application", "--from=oldest", f"--bookmark={mark}",
         "--format=json"],
        env=server.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seen = number_of(process.stdout.readline())
    process.stdout.close()
    process.stderr.read()
    assert process.wait(SECONDS) == 1
    process.stderr.close()
    assert seen == 1
    rest = Follower(server, "Application", "--from=oldest",
                    f"--bookmark={mark}", "--count=1")
    rest.end()
    # What the reader took is at most the pipe's 64 KiB and a batch.
    written = rest.numbers()[0] - 1
    assert written <= 1024


def test_strict_insists_on_the_bookmarked_event(server):
    mark = os.path.join(server.dir, "mark")
    server.publish("Application", 3)
    with open(mark, "w", encoding="utf-8") as file:
        file.write("<BookmarkList><Bookmark Channel='Application'"
                   " RecordId='999' IsCurrent='true'/></BookmarkList>")
    done = server.evenlog("subscribe", "Application", "--strict",
                          f"--bookmark={mark}", check=False)
    assert done.returncode == 1
    assert done.stdout == ""


def test_a_damaged_bookmark_is_an_error_not_a_start_from_now(server):
    mark = os.path.join(server.dir, "mark")
    with open(mark, "w", encoding="utf-8") as file:
        file.write("")
    done = server.evenlog("subscribe", "Application", f"--bookmark={mark}",
                          check=False)
    assert done.returncode == 1
    assert mark in done.stderr


# Another host

def test_a_remote_host_by_mapper_and_by_port(server):
    server.publish("Application", 3)
    password = USERS["alice"]
    for port in True, False:
        events = query(server, "Application", *remote(server, port=port),
                       EVENLOG_PASSWORD=password)
        assert len(events) == 3
    # By name, resolved here.
    server.evenlog("list", *remote(server, host="localhost"),
                   EVENLOG_PASSWORD=password)


def test_a_remote_subscription(server):
    follower = Follower(server, "Application", *remote(server, port=False),
                        EVENLOG_PASSWORD=USERS["alice"])
    wait_for(lambda: is_followed(server))
    server.publish("Application", 3)
    follower.wait_events(3)
    assert follower.end(signal.SIGINT) == 0


def test_a_password_from_a_file(server):
    path = os.path.join(server.dir, "password")
    with open(path, "w", encoding="utf-8") as file:
        file.write(USERS["alice"] + "\nnot this\n")
    os.chmod(path, 0o600)
    done = server.evenlog("list", *remote(server),
                          f"--password-file={path}")
    assert "Application" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("user, password", [
    ("alice", "wrong"), ("alice", ""), ("nobody-at-all", "x")])
def test_a_refused_logon_says_so(server, user, password):
    done = server.evenlog("list", *remote(server, user=user), check=False,
                          EVENLOG_PASSWORD=password)
    assert done.returncode == 1
    assert "refused the logon" in done.stderr
    assert done.stdout == ""


def test_an_account_without_rights_sees_nothing(server):
    server.publish("Application", 3)
    for verb in "query", "subscribe", "log-info":
        done = server.evenlog(verb, "Application",
                              *remote(server, user="bob"), check=False,
                              EVENLOG_PASSWORD=USERS["bob"])
        assert done.returncode == 1
        assert "access denied" in done.stderr
        assert done.stdout == ""


def test_a_missing_mapper_is_named(server):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        done = server.evenlog("list", "--remote=127.0.0.1",
                              f"--mapper-port={port}", "--user=alice",
                              check=False, EVENLOG_PASSWORD="x")
    assert done.returncode == 1
    assert "endpoint mapper" in done.stderr


def test_a_service_that_is_no_event_log_is_told(server):
    """The mapper's own port is a DCE/RPC service, too."""
    done = server.evenlog(
        "list", f"--remote=127.0.0.1:{server.mapper_port}", "--user=alice",
        check=False, EVENLOG_PASSWORD=USERS["alice"])
    assert done.returncode == 1
    assert "no event log service" in done.stderr


def test_a_user_is_removed_and_cannot_log_on(server):
    assert server.evenlog("user", "list").stdout == "alice\nbob\n"
    server.evenlog("list", *remote(server), EVENLOG_PASSWORD=USERS["alice"])
    server.evenlog("user", "remove", "alice")
    assert server.evenlog("user", "list").stdout == "bob\n"
    done = server.evenlog("list", *remote(server), check=False,
                          EVENLOG_PASSWORD=USERS["alice"])
    assert done.returncode == 1
    done = server.evenlog("user", "remove", "alice", check=False)
    assert done.returncode == 1
    done = server.evenlog("user", "add", "carol", check=False,
                          EVENLOG_PASSWORD="x")
    assert done.returncode == 1
    assert "--create" in done.stderr


def test_a_typed_password_is_not_shown(server):
    """At a terminal of its own; the password is asked for and not echoed."""
    env = server.env()
    env.pop("EVENLOG_PASSWORD", None)
    args = [os.path.join(BUILD, "cli", "evenlog"), "--config", server.config,
            "list", *remote(server)]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(args[0], args, env)
    shown = b""
    while b"Password of alice" not in shown or not shown.endswith(b": "):
        shown += os.read(terminal, 1024)
    os.write(terminal, USERS["alice"].encode() + b"\n")
    while True:
        try:
            data = os.read(terminal, 1024)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        shown += data
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert b"Application" in shown
    assert USERS["alice"].encode() not in shown
