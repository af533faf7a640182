# SPDX-License-Identifier: GPL-3.0-or-later
"""Links to hosts that are kept up for ever, by a program that only has links
(link_show): what becomes of them when the service goes, comes back elsewhere,
or no longer answers; and tickets by the helper program."""

import contextlib
import datetime
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from collecting import stays_below
from kdc import REALM, Kdc, is_installed
from ports import free_port
from server import BUILD, SANITIZERS, USERS

SHOW = os.path.join(BUILD, "tests", "integration", "link_show")
HELPER = os.path.join(BUILD, "collect", "evenlog-ticket")
HOST = f"host/localhost@{REALM}"
SECONDS = 60
# What the loop may be held, milliseconds; sanitizers make all of it slower.
LAG = 50 if SANITIZERS == "no" else 500

needs_kdc = pytest.mark.skipif(
    not is_installed(), reason="needs Debian's krb5-kdc and krb5-user")


class Links:
    def __init__(self, *hosts, env=None, **collector):
        arguments = [",".join(f"{key}={value}" for key, value in host.items())
                     for host in (collector or {"connects": 8}, *hosts)]
        self.process = subprocess.Popen(
            [SHOW, *arguments], stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, **(env or {})), stderr=subprocess.DEVNULL)
        self.lines = queue.Queue()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()
        assert self.next()["state"] == "ready"

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def next(self):
        return self.lines.get(timeout=SECONDS)

    def until(self, state, host=None):
        """The first line of this state."""
        while True:
            line = self.next()
            if line.get("state") == state and host in (None, line["host"]):
                return line

    def report(self):
        """Lines that came before are still there afterwards."""
        others = []
        self.process.send_signal(signal.SIGUSR1)
        while True:
            line = self.next()
            if "lag" in line:
                break
            others.append(line)
        for other in others:
            self.lines.put(other)
        return line

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(SECONDS)
        self.thread.join()
        self.process.stdout.close()
        assert status == 0


@pytest.fixture
def links():
    made = []

    def make(*hosts, **options):
        made.append(Links(*hosts, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def password(tmp_path):
    path = tmp_path / "password"
    path.write_text(USERS["alice"] + "\n", encoding="utf-8")
    return path


def ntlm(password, **more):
    return {"host": "127.0.0.1", "user": "alice", "password_file": password,
            "liveness": 30, **more}


def test_a_killed_service_comes_back_at_another_port(links, make_server,
                                                     password):
    """The mapper's port is fixed, as 135 is; the service's is not."""
    mapper = free_port()
    server = make_server(mapper_port=mapper)
    link = links(ntlm(password, mapper_port=mapper, subscribe=1))
    assert link.next()["state"] == "up"
    while link.report()["subscribed"] < 1:
        pass
    before = server.port

    server.kill()
    down = link.next()
    assert (down["state"], down["err"]) == ("down", "EVERR_CONNECT")
    server.start()
    assert link.until("up")
    assert server.port != before


def test_a_password_that_is_put_right_is_found(links, server, password):
    right = password.read_text(encoding="utf-8")
    password.write_text("wrong\n", encoding="utf-8")
    before = server.status()["rpc"]["logon_failures"]
    link = links(ntlm(password, port=server.port, backoff=300))
    for _ in range(2):
        down = link.next()
        assert (down["state"], down["err"]) == ("down", "EVERR_AUTH")
        assert "password" in down["text"] and "wrong\n" not in down["text"]
    # The host has seen it once: more of them could lock the account.
    assert server.status()["rpc"]["logon_failures"] == before + 1
    password.write_text(right, encoding="utf-8")
    assert link.until("up")


def test_a_service_that_answers_is_asked_and_kept(links, server, password):
    """Liveness: opnum 28 after each second without an answer."""
    link = links(ntlm(password, port=server.port, liveness=1))
    assert link.next()["state"] == "up"
    while server.status()["rpc"]["calls"][28] < 2:
        pass
    assert link.lines.empty()


def test_a_service_that_stands_still_is_given_up(links, server, password):
    link = links(ntlm(password, port=server.port, liveness=1))
    assert link.next()["state"] == "up"
    server.signal(signal.SIGSTOP)
    try:
        down = link.next()
        assert (down["state"], down["err"]) == ("down", "EVERR_TIMEOUT")
    finally:
        server.signal(signal.SIGCONT)
    assert link.until("up")


class Swallow:
    """An address that takes packets and never says a word."""

    def __init__(self):
        self.port = free_port(socket.SOCK_STREAM, socket.SOCK_DGRAM)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp = socket.socket()
        self.tcp.bind(("127.0.0.1", self.port))
        self.tcp.listen(16)

    def asked(self):
        """Wait until somebody asks."""
        self.tcp.settimeout(SECONDS)
        return self.tcp.accept()[0]

    def forget(self):
        """Who has asked until now."""
        self.tcp.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.tcp.accept()[0].close()

    def close(self):
        self.udp.close()
        self.tcp.close()


@pytest.fixture
def swallow():
    made = Swallow()
    yield made
    made.close()


@pytest.fixture
def kdc():
    made = Kdc()
    made.add_user("alice", USERS["alice"])
    made.start()
    yield made
    made.close()


@pytest.fixture
def domain_server(make_server, kdc):
    """A service that takes tickets, at a port that stays."""
    made = make_server(start=False, realm=REALM, keytab=kdc.add_service(HOST),
                       port=free_port())
    return made.start(KRB5_CONFIG=kdc.krb5_conf)


def kerberos(server, **more):
    return {"host": "localhost", "port": server.port, "liveness": 30, **more}


@pytest.fixture
def tickets(kdc, tmp_path):
    """Options of links that get tickets."""
    return {"ticket_helper": HELPER, "ticket_directory": tmp_path / "tickets",
            "env": {"KRB5_CONFIG": kdc.krb5_conf}}


@needs_kdc
def test_a_ticket_by_keytab_and_by_cache(links, kdc, domain_server, tickets):
    keytab = kdc.keytab("alice")
    cache = kdc.ticket("alice", USERS["alice"])
    link = links(kerberos(domain_server, keytab=keytab, subscribe=1),
                 kerberos(domain_server, ccache=cache, subscribe=1),
                 kerberos(domain_server, keytab=keytab, subscribe=1,
                          principal=f"alice@{REALM}"), **tickets)
    while link.report()["subscribed"] < 3:
        pass
    stats = domain_server.status()["rpc"]
    assert (stats["logons"], stats["logons_kerberos"]) == (3, 3)

    directory = tickets["ticket_directory"]
    assert os.stat(directory).st_mode & 0o777 == 0o700
    made = sorted(os.listdir(directory))
    assert made == ["1-localhost", "2-localhost", "3-localhost"]
    for name in made:
        assert os.stat(directory / name).st_mode & 0o777 == 0o600
    # Nothing but these was put into the cache that is somebody else's.
    shown = subprocess.run(["klist", "-c", cache], capture_output=True,
                           text=True, check=True, env=kdc.env).stdout
    assert "krbtgt/" in shown and "host/" not in shown


@needs_kdc
def test_with_a_ticket_a_connect_needs_no_kdc(links, kdc, domain_server,
                                              tickets):
    """Not even for a host that tickets may be handed on to, as those of
    domain controllers say."""
    kdc.modify(HOST, "+ok_as_delegate")
    with open(kdc.krb5_conf, encoding="utf-8") as file:
        text = file.read()
    with open(kdc.krb5_conf, "w", encoding="utf-8") as file:
        file.write(text.replace("[libdefaults]",
                                "[libdefaults]\nforwardable = true"))
    link = links(kerberos(domain_server, keytab=kdc.keytab("alice"),
                          subscribe=1), **tickets)
    while link.report()["subscribed"] < 1:
        pass
    def comes_back():
        domain_server.kill()
        assert link.until("down")["err"] == "EVERR_CONNECT"
        link.report()
        domain_server.start(KRB5_CONFIG=kdc.krb5_conf)
        assert link.until("up")
        return link.report()["lag"]

    # It takes connections from now on, and says nothing.
    kdc.process.send_signal(signal.SIGSTOP)
    try:
        stays_below(LAG, comes_back)
    finally:
        kdc.process.send_signal(signal.SIGCONT)


@needs_kdc
def test_a_ticket_that_was_deleted_is_asked_for_again(links, kdc, domain_server,
                                                      tickets):
    """With its directory, as a cleaner of /run would do it."""
    link = links(kerberos(domain_server, keytab=kdc.keytab("alice"),
                          subscribe=1), **tickets)
    assert link.until("up")
    shutil.rmtree(tickets["ticket_directory"])
    domain_server.kill()
    assert link.until("down")["err"] == "EVERR_CONNECT"
    # Not for the want of a ticket: what fails is what failed before.
    assert link.until("down")["err"] == "EVERR_CONNECT"
    assert os.listdir(tickets["ticket_directory"]) == ["1-localhost"]
    domain_server.start(KRB5_CONFIG=kdc.krb5_conf)
    assert link.until("up")


@needs_kdc
def test_a_ticket_that_may_end_before_the_logon_is_not_used(
        links, kdc, domain_server, tickets):
    """Samba would ask the KDC for another, in a nested loop."""
    kdc.modify(HOST, '-maxlife', '"10 seconds"')
    link = links(kerberos(domain_server, keytab=kdc.keytab("alice")),
                 **tickets)
    for _ in range(2):
        down = link.next()
        assert (down["state"], down["err"]) == ("down", "EVERR_AUTH")
        assert "ticket ends" in down["text"]
    # Asked for anew each time.
    kdc.modify(HOST, '-maxlife', '"1 day"')
    assert link.until("up")


@needs_kdc
def test_a_dead_kdc_holds_up_nobody_else(links, kdc, domain_server, tickets,
                                         password, swallow):
    with open(kdc.krb5_conf, encoding="utf-8") as file:
        text = file.read()
    with open(kdc.krb5_conf, "w", encoding="utf-8") as file:
        file.write(text.replace(f":{kdc.port}", f":{swallow.port}"))
    keytab = kdc.keytab("alice")

    def lag():
        # More of them than may run at a time.
        link = links(kerberos(domain_server, keytab=keytab, count=12),
                     ntlm(password, port=domain_server.port, subscribe=1),
                     **tickets)
        asked = swallow.asked()
        assert link.until("up")["host"] == "127.0.0.1"
        longest = 0
        subscribed = False
        while not subscribed:
            report = link.report()
            longest = max(longest, report["lag"])
            subscribed = report["subscribed"] == 1
        # The helper goes with the link it works for.
        link.close()
        asked.settimeout(SECONDS)
        while asked.recv(4096):
            pass
        asked.close()
        swallow.forget()
        return longest

    stays_below(LAG, lag)


@needs_kdc
def test_why_there_is_no_ticket_is_said(links, kdc, domain_server, tickets):
    link = links(kerberos(domain_server, keytab=f"{kdc.dir}/none"),
                 **tickets)
    down = link.next()
    assert down["err"] == "EVERR_AUTH" and f"{kdc.dir}/none" in down["text"]
    assert down["text"].startswith("localhost: ")

    # Once it is there the link comes up.
    link.until("down")
    os.rename(kdc.keytab("alice"), f"{kdc.dir}/none")
    assert link.until("up")


def run_helper(*arguments, **env):
    return subprocess.run([HELPER, *arguments], capture_output=True, text=True,
                          timeout=SECONDS, check=False,
                          env=dict(os.environ, **env))


@needs_kdc
def test_the_helper_by_hand(kdc, tmp_path):
    kdc.add_service(HOST)
    keytab = kdc.keytab("alice")
    out = tmp_path / "out"

    def helper(*arguments):
        return run_helper("--out", out, *arguments, KRB5_CONFIG=kdc.krb5_conf)

    for arguments in ((), ("--host", "localhost"),
                      ("--host", "localhost", "--keytab", keytab, "more"),
                      ("--host", "localhost", "--keytab", keytab,
                       "--ccache", "x")):
        done = helper(*arguments)
        assert done.returncode == 3 and "usage" in done.stderr

    done = helper("--host", "localhost", "--keytab", keytab)
    assert done.returncode == 0 and done.stderr == ""
    seconds, principal = done.stdout.split()
    assert principal == HOST
    # The user's and the host's ticket, and when the second one ends.
    shown = subprocess.run(["klist", "-c", out], capture_output=True,
                           text=True, check=True,
                           env=dict(kdc.env, LC_ALL="C", TZ="UTC")).stdout
    lines = [line.split() for line in shown.splitlines() if "@" in line]
    assert [line[-1] for line in lines] == [
        f"alice@{REALM}", f"krbtgt/{REALM}@{REALM}", HOST]
    ends = datetime.datetime.strptime(" ".join(lines[2][2:4]),
                                      "%m/%d/%y %H:%M:%S")
    assert ends.replace(tzinfo=datetime.timezone.utc).timestamp() \
        == int(seconds)

    before = out.read_bytes()
    for arguments, status, text in (
            (("--keytab", keytab, "--host", "nowhere"), 1, "knows no such host"),
            (("--keytab", keytab, "--principal", "carol", "--host",
              "localhost"), 1, "carol"),
            (("--ccache", f"FILE:{tmp_path}/none", "--host", "localhost"), 1,
             "kinit"),
            (("--keytab", keytab, "--host", "localhost", "--out",
              tmp_path / "none" / "out"), 3, "cannot create")):
        done = helper(*arguments)
        assert done.returncode == status and text in done.stderr, done.stderr
        assert done.stdout == "" and done.stderr.count("\n") == 1
    kdc.stop()
    done = helper("--keytab", keytab, "--host", "localhost")
    assert done.returncode == 2 and "port 88" in done.stderr
    # What there was is left alone.
    assert out.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["out"]
