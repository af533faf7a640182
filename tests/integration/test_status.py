# SPDX-License-Identifier: GPL-3.0-or-later
"""evenlog status, once and --watch."""

import json
import os
import pty
import re
import select
import signal
import subprocess

import pytest

from collecting import wait_for
from server import BUILD

SECONDS = 30


class Watch:
    """evenlog status --watch with its output read as it comes."""

    def __init__(self, server, *args, terminal=False, term="xterm"):
        self.text = ""
        self.end, end = pty.openpty() if terminal else os.pipe()
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "cli", "evenlog"), "--config", server.config,
             "status", "--watch", "1", *args], stdout=end,
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=server.env(TERM=term))
        os.close(end)

    def until(self, pattern):
        """Read until the pattern is there; what is up to it is taken."""
        while True:
            found = re.search(pattern, self.text, re.DOTALL)
            if found:
                self.text = self.text[found.end():]
                return found.group()
            assert select.select([self.end], [], [], SECONDS)[0], self.text
            data = os.read(self.end, 65536)
            assert data, self.text
            self.text += data.decode()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate(timeout=SECONDS)
        os.close(self.end)
        assert errors == b""
        return self.process.returncode


@pytest.fixture
def watch():
    watches = []

    def start(*args, **kwargs):
        watches.append(Watch(*args, **kwargs))
        return watches[-1]

    yield start
    for started in watches:
        if started.process.poll() is None:
            started.process.kill()
            started.process.communicate()


def test_a_table_of_channels(server):
    server.publish("Application", 3)
    text = server.evenlog("status").stdout
    assert re.search(r"^evenlog \S+ on \S+, up \d+s, process \d+, port \d+, "
                     r"mapper \d+$",
                     text, re.MULTILINE)
    assert re.search(r"^CHANNEL +RECORDS +NEWEST +SIZE", text, re.MULTILINE)
    assert re.search(r"^Application +3 +3 +[\d.]+ \S+ +0 +\d+s ago$", text,
                     re.MULTILINE)
    assert server.status()["store"]["records"] >= 3


def test_the_page_shows_what_the_service_says_of_its_disk(server):
    """In the service's first second there is nothing to show yet."""
    line = r"^store: [\d.]+ [KMG]iB, disk: [\d.]+ [KMGT]iB free$"
    wait_for(lambda: re.search(line, server.evenlog("status").stdout,
                               re.MULTILINE), "the line of the store")


def test_counters_are_shown_when_they_are_asked_for(server):
    assert "parked_calls" not in server.evenlog("status").stdout
    text = server.evenlog("status", "--verbose").stdout
    assert "parked_calls: " in text and "calls: 0 0" not in text


def test_a_host_that_is_not_collected_from(server):
    done = server.evenlog("status", "nobody", check=False)
    assert done.returncode == 1
    assert 'host "nobody"' in done.stderr


@pytest.mark.parametrize("args", [("a", "b"), ("--watch", "0"),
                                  ("--watch", "a", "b"),
                                  ("--watch", "a", "1", "b")])
def test_arguments_that_cannot_be(server, args):
    assert server.evenlog("status", *args, check=False).returncode == 2


def test_watching_goes_on_when_the_service_restarts(server, watch):
    seen = watch(server)
    seen.until(r"^evenlog .*CHANNEL.*\n\n")
    server.stop()
    seen.until(r"not running")
    server.start()
    seen.until(r"\nevenlog .*CHANNEL")
    assert seen.stop() == 0


def test_watching_gives_an_object_a_line(server, watch):
    seen = watch(server, "--format=json")
    for _ in range(2):
        assert json.loads(seen.until(r"^[^\n]+\n"))["port"] > 0
    server.stop()
    line = json.loads(seen.until(r'\{"running"[^\n]+\n'))
    assert line["running"] is False and "not running" in line["error"]
    assert seen.stop() == 0


def test_a_dumb_terminal_gets_page_after_page(server, watch):
    seen = watch(server, terminal=True, term="dumb")
    text = seen.until(r"evenlog .*?CHANNEL") + seen.until(
        r"\r\n\r\nevenlog .*?CHANNEL")
    assert "\x1b" not in text
    assert seen.stop() == 0


def test_a_terminal_is_drawn_over(server, watch):
    seen = watch(server, terminal=True)
    seen.until("\x1b\\[H\x1b\\[J")
    for _ in range(2):
        page = seen.until("\x1b\\[H.*?\x1b\\[J")
        assert page.count("\x1b[K\r\n") == page.count("\n") > 4
    assert seen.stop() == 0
