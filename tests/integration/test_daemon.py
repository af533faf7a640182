# SPDX-License-Identifier: GPL-3.0-or-later
"""evenlogd as its administrator meets it: start, stop, reload, refusals."""

import json
import os
import re
import signal
import subprocess
import time

import pytest
from server import BUILD

EVENLOGD = os.path.join(BUILD, "daemon", "evenlogd")


def run(*args):
    return subprocess.run([EVENLOGD, *args], capture_output=True, text=True,
                          timeout=60, check=False)


def numbers(server, channel="Application"):
    out = server.evenlog("query", channel, "--format=json").stdout
    return [int(json.loads(line)["EventData"]["Number"])
            for line in out.splitlines()]


def wait_for(check, what, seconds=30):
    """Poll for a state that has no event to wait on."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def test_help_and_version():
    assert "--check-config" in run("--help").stdout
    assert re.fullmatch(r"evenlogd \d+\.\d+\.\d+\n", run("--version").stdout)


def test_an_unknown_option_is_refused():
    done = run("--nonsense")
    assert done.returncode == 2
    assert "--nonsense" in done.stderr


def test_check_config_names_file_and_line_of_every_mistake(tmp_path):
    path = tmp_path / "evenlog.conf"
    path.write_text("[rpc]\nport = many\n\n[store]\nfoo = 1\n")
    done = run("--config", str(path), "--check-config")
    assert done.returncode == 2
    assert f"{path}:2: port = many: must be a number" in done.stderr
    assert f"{path}:5: unknown key 'foo'" in done.stderr


def test_check_config_is_content_with_a_good_file(tmp_path):
    path = tmp_path / "evenlog.conf"
    path.write_text("[channel Microsoft-Windows-Backup/Operational]\n")
    done = run("--config", str(path), "--check-config")
    assert (done.returncode, done.stderr) == (0, "")


def test_check_config_finds_files_that_are_not_there(make_server):
    """A receiver's authority, and a keytab, for want of which hosts wait."""
    server = make_server(start=False, config="""
[collect dcs]
host = dc1.example
keytab = /nonexistent/collector.keytab
[forward siem]
transport = tls
host = localhost
ca = /nonexistent/ca.pem
""")
    done = run("--config", server.config, "--check-config")
    assert done.returncode == 2 and done.stdout == ""
    assert ("[forward siem]: /nonexistent/ca.pem: No such file or directory"
            in done.stderr)
    assert ("[collect dcs]: /nonexistent/collector.keytab: No such file"
            in done.stderr)


def test_sigterm_ends_cleanly_and_events_survive(server):
    server.publish("Application", 5)
    assert server.stop() == 0
    server.start()
    assert numbers(server) == [1, 2, 3, 4, 5]


def test_acknowledged_events_survive_a_kill(server):
    for first in range(1, 41, 10):
        server.publish("Application", 10, first)
        server.kill()
        server.start()
    assert numbers(server) == list(range(1, 41))
    assert server.evenlog("verify").returncode == 0


def test_a_second_service_on_the_same_store_is_refused(server):
    text = server.read_config().replace(server.control, server.control + "2")
    other = os.path.join(server.dir, "other.conf")
    with open(other, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([EVENLOGD, "--config", other], env=server.env(),
                          capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 1
    assert "another process has the store open" in done.stderr


def test_reload_adds_a_channel(server):
    assert "Added/Later" not in server.evenlog("list").stdout
    server.write_config(server.read_config() + "\n[channel Added/Later]\n")
    server.signal(signal.SIGHUP)
    wait_for(lambda: "Added/Later" in server.evenlog("list").stdout,
             "the new channel")


def test_a_reload_names_what_needs_a_restart(server):
    good = server.read_config()
    server.write_config(good.replace("map_size = 16G", "map_size = 32G")
                        .replace("computer = srv.example", "computer = other")
                        .replace("[rpc]", "[rpc]\nlogon_seconds = 29")
                        .replace(f"{server.dir}/samba",
                                 f"{server.dir}/samba2"))
    server.signal(signal.SIGHUP)
    wait_for(lambda: "configuration reloaded" in server.log(), "the reload")
    for what in ("[store] need", "[rpc] need", "[authentication] need",
                 "'computer' needs"):
        assert what in server.log()


def test_a_bad_file_at_reload_changes_nothing(server):
    good = server.read_config()
    server.write_config(good + "\n[channel New/One]\nmax_size = big\n")
    server.signal(signal.SIGHUP)
    wait_for(lambda: "stays as it is" in server.log(), "the refusal")
    assert "max_size = big: must be a size" in server.log()
    # The command line refuses the bad file as well.
    server.write_config(good)
    assert "New/One" not in server.evenlog("list").stdout
    server.publish("Application", 1)
    assert numbers(server) == [1]


def test_start_and_reload_are_events(server):
    server.signal(signal.SIGHUP)
    wait_for(lambda: "configuration reloaded" in server.log(), "the reload")

    def ids():
        out = server.evenlog("query", "Evenlog/Operational",
                             "--format=json").stdout
        return [json.loads(line)["System"]["EventID"]
                for line in out.splitlines()]
    wait_for(lambda: 3 in ids(), "event 3, configuration reloaded")
    assert ids()[0] == 1


def test_status_tells_what_an_administrator_asks(server):
    server.publish("Application", 3)
    status = server.status()
    channel = next(c for c in status["channels"]
                   if c["name"] == "Application")
    assert channel["records"] == 3
    assert channel["next_id"] == 4
    assert status["computer"] == "srv.example"
    assert status["port"] > 0
    assert status["loop_lag"]["samples"] >= 0


@pytest.mark.parametrize("broken", ["path = /proc/nowhere/store"])
def test_a_store_that_cannot_be_made_is_said_so(make_server, broken):
    server = make_server(start=False)
    server.write_config(re.sub(r"path = .*", broken, server.read_config(),
                               count=1))
    done = subprocess.run([EVENLOGD, "--config", server.config],
                          env=server.env(), capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 1
    assert "/proc/nowhere/store" in done.stderr
