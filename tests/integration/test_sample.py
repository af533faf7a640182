# SPDX-License-Identifier: GPL-3.0-or-later
"""What the quick start sends: doc/examples/send-sample."""

import json
import os
import subprocess
import sys

from server import SOURCE

CONFIG = """
[listener bridge]
serve = wsus, configmgr
port = 0
"""


def send(service, what):
    done = subprocess.run(
        [sys.executable, os.path.join(SOURCE, "doc", "examples",
                                      "send-sample"),
         what, "{}:{}".format(*service.http("bridge"))],
        capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ids(service, channel):
    out = service.evenlog("query", channel, "--format=json").stdout
    return [json.loads(line)["System"]["EventID"]
            for line in out.splitlines()]


def test_a_discovery_record_becomes_one_event(service):
    assert send(service, "ddr") == "discovery record: 200, NoReply\n"
    assert ids(service, "Evenlog-ConfigMgr/Operational") == [1000]
    text = service.evenlog("query", "Evenlog-ConfigMgr/Operational").stdout
    assert "pc17.example.com" in text or "PC17" in text


def test_reports_of_a_server_become_the_quick_starts_events(service):
    send(service, "rollup")
    assert ids(service, "Evenlog-WSUS/Operational") == [
        100, 101, 200, 210, 104, 211, 104]
    text = service.evenlog("query", "Evenlog-WSUS/Operational").stdout
    assert "wsus2.example.com" in text
