# SPDX-License-Identifier: GPL-3.0-or-later
"""evenlog export and evenlog clear against the real service."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from publisher import Publisher, filler
from server import BUILD, SOURCE, USERS, Server

sys.path.insert(0, os.path.join(SOURCE, "tests", "event"))
import evtx_judge    # noqa: E402

SECONDS = 60
CONFIG = "".join(f"[channel Test/{i:03}]\n" for i in range(20))


@pytest.fixture(scope="module")
def host():
    server = Server(administrators=("bob",), config=CONFIG)
    try:
        server.add_users()
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def publisher(host):
    with Publisher(host) as publisher:
        yield publisher


@pytest.fixture(scope="module")
def _names():
    return (f"Test/{i:03}" for i in range(20))


@pytest.fixture
def channel(_names):
    return next(_names)


def remote(host, user):
    return (f"--remote=127.0.0.1:{host.port}", f"--user={user}")


def file_numbers(path):
    return [int(event.find(".//{*}Data[@Name='Number']").text)
            for event in evtx_judge.read_corpus(path)]


def count(host, channel):
    out = host.evenlog("log-info", channel, "--format=json").stdout
    return json.loads(out)["NumberOfLogRecords"]


def test_the_file_is_where_it_is_said_to_be(host, publisher, channel):
    publisher.numbers(channel, 20)
    top = os.path.join(host.dir, "export")
    for output, expected in [
            ("/cli/a.evtx", f"{top}/cli/a.evtx"),
            ("C:\\cli\\a.evtx", f"{top}/C/cli/a.evtx"),
            (f"{top}/cli/b.evtx", f"{top}/cli/b.evtx")]:
        done = host.evenlog("export", channel, "--output", output)
        assert done.stdout == expected + "\n"
        assert file_numbers(expected) == list(range(1, 21))
    done = host.evenlog("epl", channel, "-o", "/cli/c.evtx", "--format=json")
    assert json.loads(done.stdout) == {"Path": f"{top}/cli/c.evtx"}


def test_filters_and_queries_select(host, publisher, channel, tmp_path):
    publisher.numbers(channel, 20)
    top = os.path.join(host.dir, "export")
    host.evenlog("export-log", channel, "-o", "/f1.evtx", "--record=5-7")
    assert file_numbers(f"{top}/f1.evtx") == [5, 6, 7]
    host.evenlog("export", channel, "*[System[EventRecordID > 18]]",
                 "-o", "/f2.evtx")
    assert file_numbers(f"{top}/f2.evtx") == [19, 20]
    query = tmp_path / "query.xml"
    query.write_text(f'<QueryList><Query><Select Path="{channel}">*[System'
                     '[EventRecordID=4]]</Select></Query></QueryList>')
    host.evenlog("export", "--structured", str(query), "-o", "/f3.evtx")
    assert file_numbers(f"{top}/f3.evtx") == [4]


def test_another_host_exports_to_its_own_disk(host, publisher, channel):
    publisher.numbers(channel, 3)
    done = host.evenlog(*remote(host, "alice"), "export", channel,
                        "--output", "C:\\far.evtx",
                        EVENLOG_PASSWORD=USERS["alice"])
    assert done.stdout == "C:\\far.evtx\n"
    assert file_numbers(f"{host.dir}/export/C/far.evtx") == [1, 2, 3]


@pytest.mark.parametrize("args, status, said", [
    (["/taken.evtx"], 1, "a file of that name is there already"),
    (["../x.evtx"], 2, "cannot be a path"),
    (["/x/../../y"], 2, "cannot be a path"),
    (["\\\\server\\share\\x.evtx"], 2, "cannot be a path"),
    (["C:\\con.evtx"], 2, "cannot be a path")])
def test_what_is_wrong_with_a_path_is_said(host, channel, args, status, said):
    with open(f"{host.dir}/export/taken.evtx", "w", encoding="ascii"):
        pass
    done = host.evenlog("export", channel, "--output", *args, check=False)
    assert done.returncode == status
    assert said in done.stderr
    assert done.stdout == ""


def test_the_output_must_be_named(host, channel):
    done = host.evenlog("export", channel, check=False)
    assert done.returncode == 2
    assert "--output is missing" in done.stderr


def test_an_interrupt_takes_an_export_back(host, publisher, channel):
    publisher.numbers(channel, 12_000, filler=filler(8000))
    before = sorted(os.listdir(f"{host.dir}/export"))
    process = subprocess.Popen(
        [os.path.join(BUILD, "cli", "evenlog"), "--config", host.config,
         "export", channel, "--output", "/stop.evtx"], env=host.env(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + SECONDS
    while sorted(os.listdir(f"{host.dir}/export")) == before:
        assert time.monotonic() < end and process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (1, "")
    assert "cancelled" in err
    while sorted(os.listdir(f"{host.dir}/export")) != before:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_clearing_needs_no_question_without_a_terminal(host, publisher,
                                                       channel):
    publisher.numbers(channel, 5)
    done = host.evenlog("clear", channel)
    assert (done.stdout, done.stderr) == ("", "")
    assert count(host, channel) == 0


def test_a_backup_is_made_first(host, publisher, channel):
    publisher.numbers(channel, 5)
    done = host.evenlog("cl", channel, "--backup", "/backup.evtx")
    path = f"{host.dir}/export/backup.evtx"
    assert done.stdout == path + "\n"
    assert file_numbers(path) == [1, 2, 3, 4, 5]
    assert count(host, channel) == 0
    publisher.numbers(channel, 2)
    done = host.evenlog("clear-log", channel, "--backup", "/backup.evtx",
                        check=False)
    assert done.returncode == 1
    assert "a file of that name is there already" in done.stderr
    assert count(host, channel) == 2


def test_who_may_not_clear_is_told(host, publisher, channel):
    publisher.numbers(channel, 2)
    done = host.evenlog(*remote(host, "alice"), "clear", channel,
                        check=False, EVENLOG_PASSWORD=USERS["alice"])
    assert done.returncode == 1
    assert "right to clear" in done.stderr
    done = host.evenlog(*remote(host, "bob"), "clear", channel,
                        EVENLOG_PASSWORD=USERS["bob"])
    assert count(host, channel) == 0


@pytest.mark.parametrize("answer, left", [("n", 3), ("", 3), ("y", 0)])
def test_a_person_is_asked(host, publisher, channel, answer, left):
    publisher.numbers(channel, 3)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(os.path.join(BUILD, "cli", "evenlog"),
                  ["evenlog", "--config", host.config, "clear", channel],
                  host.env())
    text = b""
    end = time.monotonic() + SECONDS
    while b"[y/N]" not in text:
        assert time.monotonic() < end, text
        if select.select([terminal], [], [], 1)[0]:
            text += os.read(terminal, 4096)
    os.write(terminal, answer.encode() + b"\n")
    status = os.waitpid(pid, 0)[1]
    os.close(terminal)
    assert re.search(rb"removes the 3 events of Test/\d+ on this host", text)
    assert os.waitstatus_to_exitcode(status) == (0 if left == 0 else 1)
    assert count(host, channel) == left


def at_terminal(host, *args, answer="y\n", **streams):
    """The command with a terminal as its standard input."""
    terminal, end = pty.openpty()
    try:
        os.write(terminal, answer.encode())
        return subprocess.run(
            [os.path.join(BUILD, "cli", "evenlog"), "--config", host.config,
             *args], env=host.env(), stdin=end, text=True, timeout=SECONDS,
            check=False, **streams)
    finally:
        os.close(terminal)
        os.close(end)


def test_a_question_that_nobody_sees_is_not_taken_for_yes(host, publisher,
                                                         channel):
    publisher.numbers(channel, 3)
    done = at_terminal(host, "clear", channel, capture_output=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--yes" in done.stderr
    assert count(host, channel) == 3
    done = at_terminal(host, "clear", channel, "--yes", capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert count(host, channel) == 0


def test_nobody_is_asked_about_a_channel_that_is_not_there(host):
    terminal, end = pty.openpty()
    try:
        done = at_terminal(host, "clear", "Missing", stderr=end)
        text = os.read(terminal, 4096).decode()
    finally:
        os.close(terminal)
        os.close(end)
    assert done.returncode == 1
    assert "there is no such channel" in text
    assert "[y/N]" not in text
