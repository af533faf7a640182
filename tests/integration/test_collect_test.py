# SPDX-License-Identifier: GPL-3.0-or-later
"""evenlog collect test: each step's word, and what is said where it fails."""

import glob
import json
import os
import signal
import socket
import subprocess
import threading

import pytest

from kdc import REALM, Kdc, is_installed
from server import BUILD, USERS

HELPER = os.path.join(BUILD, "collect", "evenlog-ticket")
HOST = f"host/localhost@{REALM}"


def steps(server, *args, status=0, **env):
    """The steps in order, each as the line about it."""
    done = server.evenlog("collect", "test", *args, "--format=json",
                          check=False, **env)
    assert done.returncode == status, done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(line["ok"] for line in lines) == (status == 0)
    assert all(line["milliseconds"] >= 0 for line in lines)
    return lines


def names(lines):
    return [line["step"] for line in lines]


@pytest.fixture
def password(tmp_path):
    path = tmp_path / "password"
    path.write_text(USERS["alice"] + "\n", encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def by_alice(password, *args):
    return ["--user=alice", f"--password-file={password}", *args]


def test_a_good_host(server, password):
    server.publish("Application", 3)
    lines = steps(server, "127.0.0.1", *by_alice(
        password, f"--mapper-port={server.mapper_port}",
        "--channel=Application", "--channel=System"))
    assert names(lines) == ["name", "mapper", "connect", "logon", "access",
                            "subscribe", "event", "access", "subscribe"]
    assert lines[0]["text"] == "127.0.0.1"
    assert str(server.port) in lines[1]["text"]
    assert lines[3]["text"] == "NTLM, encrypted"
    assert [line["channel"] for line in lines[4:]] == \
        ["Application"] * 3 + ["System"] * 2
    assert "3 records, 1 to 3" in lines[4]["text"]
    event = lines[6]["text"]
    assert "record 1 of 20" in event and "computer srv.example" in event
    assert "provider Test, event 1" in event
    assert lines[7]["text"] == "the log is empty"


def test_a_host_of_the_configuration(make_server, password):
    source = make_server()
    source.publish("Security", 1)
    server = make_server(start=False, config=f"""
[collect dcs]
host = localhost
port = {source.port}
authentication = ntlm
user = alice
password_file = {password}
channels = Security
""")
    done = server.evenlog("collect", "test", "localhost")
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["ok", step] for step in ("name", "connect", "logon", "access",
                                  "subscribe", "event")]
    assert all(" ms  " in line for line in lines)
    # Another password than the configured one is asked for with the user.
    lines = steps(server, "localhost", "--user=alice", status=1,
                  EVENLOG_PASSWORD="wrong")
    assert names(lines)[-1] == "logon"


def test_a_port_where_nothing_listens(server, password):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        lines = steps(server, f"127.0.0.1:{port}", *by_alice(password),
                      status=1)
        assert names(lines) == ["name", "connect"]
        assert "refused" in lines[-1]["text"]
        assert "Remote Event Log Management" in lines[-1]["text"]
        lines = steps(server, "127.0.0.1", *by_alice(
            password, f"--mapper-port={port}"), status=1)
    assert names(lines) == ["name", "mapper"]
    assert "Remote Event Log Management" in lines[-1]["text"]


def test_a_name_that_does_not_exist(server, password):
    lines = steps(server, "nowhere.invalid", *by_alice(password), status=1)
    assert names(lines) == ["name"]
    assert "nowhere.invalid" in lines[0]["text"]


def test_a_wrong_password(server, tmp_path):
    path = tmp_path / "wrong"
    path.write_text("Wr0ng-pass\n", encoding="utf-8")
    lines = steps(server, f"127.0.0.1:{server.port}", *by_alice(path),
                  status=1)
    assert names(lines) == ["name", "connect", "logon"]
    assert "password" in lines[-1]["text"]
    assert "Wr0ng" not in lines[-1]["text"]
    assert "one of the host itself" in lines[-1]["text"]
    lines = steps(server, f"127.0.0.1:{server.port}", "--user=D\\alice",
                  f"--password-file={path}", status=1)
    assert "password" in lines[-1]["text"]
    assert "the host itself" not in lines[-1]["text"]
    # Nobody is asked with what cannot be one.
    path.write_bytes(b"\xef\xbb\xbfx\n")
    done = server.evenlog("collect", "test", "127.0.0.1", *by_alice(path),
                          check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert "byte order mark" in done.stderr


def test_something_else_listens_there(server, password):
    """Who was reached is not looked for behind a firewall."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        # Or it would wait for ever where only one of them comes.
        other.settimeout(60)
        closing = threading.Thread(
            target=lambda: [other.accept()[0].close() for _ in range(2)])
        closing.start()
        lines = steps(server, f"127.0.0.1:{other.getsockname()[1]}",
                      *by_alice(password), status=1)
        closing.join()
    assert names(lines) == ["name", "connect", "logon"]
    assert "service's port?" in lines[-1]["text"]
    assert "firewall" not in lines[-1]["text"]


def test_a_channel_that_is_missing_and_one_that_is_not(server, password):
    server.publish("Application", 1)
    lines = steps(server, f"127.0.0.1:{server.port}", *by_alice(
        password, "--channel=No/Such", "--channel=Application"), status=1)
    assert names(lines)[3:] == ["access", "access", "subscribe", "event"]
    assert [line["ok"] for line in lines[3:]] == [False, True, True, True]
    assert "no such channel" in lines[3]["text"]


def test_a_user_without_the_right(server):
    lines = steps(server, f"127.0.0.1:{server.port}", "--user=bob",
                  "--channel=Application", status=1,
                  EVENLOG_PASSWORD=USERS["bob"])
    assert names(lines) == ["name", "connect", "logon", "access"]
    assert "Event Log Readers" in lines[-1]["text"]


@pytest.mark.skipif(not is_installed(),
                    reason="needs Debian's krb5-kdc and krb5-user")
def test_kerberos(make_server):
    kdc = Kdc()
    try:
        kdc.add_user("alice", USERS["alice"])
        kdc.start()
        server = make_server(start=False, realm=REALM,
                             keytab=kdc.add_service(HOST), config=f"""
[collector]
ticket_helper = {HELPER}
""")
        server.start(KRB5_CONFIG=kdc.krb5_conf)
        where = f"localhost:{server.port}"
        env = {"KRB5_CONFIG": kdc.krb5_conf}
        lines = steps(server, where, "--channel=Application", "--keytab",
                      kdc.keytab("alice"), **env)
        assert names(lines) == ["name", "ticket", "connect", "logon",
                                "access", "subscribe"]
        assert lines[1]["text"] == f"for {HOST}"
        assert lines[3]["text"] == "Kerberos, encrypted"
        cache = kdc.ticket("alice", USERS["alice"])
        steps(server, where, "--kerberos", "--channel=Application",
              KRB5CCNAME=cache, **env)

        # Interrupted at the logon, it takes its ticket along.
        with socket.socket() as mute:
            mute.bind(("127.0.0.1", 0))
            mute.listen()
            test = subprocess.Popen(
                [os.path.join(BUILD, "cli", "evenlog"), "--config",
                 server.config, "collect", "test",
                 f"localhost:{mute.getsockname()[1]}", "--keytab",
                 kdc.keytab("alice")], env=server.env(**env),
                stdout=subprocess.PIPE, text=True)
            mute.accept()[0].close()  # of the step "connect"
            with mute.accept()[0]:
                assert glob.glob(f"{server.dir}/evenlog-ticket-*")
                test.send_signal(signal.SIGINT)
                test.communicate(timeout=30)
        assert test.returncode == -signal.SIGINT
        assert not glob.glob(f"{server.dir}/evenlog-ticket-*")

        lines = steps(server, where, "--keytab", kdc.keytab("alice"),
                      status=1, TMPDIR="/nonexistent", **env)
        assert "/nonexistent" in lines[-1]["text"]
        lines = steps(server, where, "--keytab", f"{kdc.dir}/none", status=1,
                      **env)
        assert names(lines) == ["name", "ticket"]
        kdc.stop()
        lines = steps(server, where, "--keytab", kdc.keytab("alice"),
                      status=1, **env)
        assert "port 88" in lines[-1]["text"]
        # The tickets are gone with the command.
        assert not [name for name in os.listdir(server.dir)
                    if "ticket" in name]
    finally:
        kdc.close()


def test_what_is_not_said_is_asked_for(server):
    for args, text in ((["test"], ""), (["tset", "x"], "tset"),
                       (["test", "127.0.0.1"], "--keytab"),
                       (["test", "a:x"], "NAME:PORT"),
                       (["test", "x", "--format=xml"], "xml")):
        done = server.evenlog("collect", *args, check=False)
        assert done.returncode == 2 and text in done.stderr, args
        assert done.stdout == ""
