# SPDX-License-Identifier: GPL-3.0-or-later
"""Transports against a real rsyslogd, and TLS against OpenSSL: forward_send
sends lines, as the forwarder would."""

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from pems import Authority
from rsyslog import Rsyslog
from server import BUILD

SECONDS = 60
HEAD = "<13>1 2026-01-01T00:00:00Z host test - - - "
KINDS = {
    "udp": ["transport=udp"],
    "tcp": ["transport=tcp"],
    "newline": ["transport=tcp", "framing=newline"],
    "tls": ["transport=tls"],
    "relp": ["transport=relp"],
    "unix": ["transport=unix"],
    "unix-stream": ["transport=unix"],
}


def numbered(count, size=0):
    """Lines that tell their numbers; with what is not ASCII."""
    return [f"{HEAD}{i} Grüße {'x' * size}".encode() for i in range(count)]


def number_of(line):
    return int(line[len(HEAD):].split(b" ", 1)[0])


class Sending:
    """forward_send at work."""

    def __init__(self, lines, *options, check=True):
        program = os.path.join(BUILD, "tests", "integration", "forward_send")
        self.check = check
        self.said = []
        self.process = subprocess.Popen(
            [program, "host=127.0.0.1", "idle_timeout=30", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.feeder = threading.Thread(target=self._feed, args=(lines,))
        self.feeder.start()
        self.watch = threading.Timer(SECONDS, self.process.kill)
        self.watch.start()

    def _feed(self, lines):
        self.process.stdin.write(b"".join(line + b"\n" for line in lines))
        self.process.stdin.close()

    def wait_down(self):
        for line in self.process.stdout:
            self.said.append(line.decode().rstrip("\n"))
            if line.startswith(b"down "):
                return
        raise AssertionError("\n".join(self.said))

    def wait_arrived(self, number):
        for line in self.process.stdout:
            self.said.append(line.decode().rstrip("\n"))
            if (line.startswith(b"arrived ")
                    and int(line.split()[1]) >= number):
                return
        raise AssertionError("\n".join(self.said))

    def finish(self):
        for line in self.process.stdout:
            self.said.append(line.decode().rstrip("\n"))
        status = self.process.wait()
        self.process.stdout.close()
        self.watch.cancel()
        self.feeder.join()
        if self.check:
            assert status == 0, "\n".join(self.said)
        return self

    def reasons(self):
        return [line[5:] for line in self.said if line.startswith("down ")]

    def arrived(self):
        return any(line.startswith("arrived ") for line in self.said)


def send(lines, *options, check=True):
    return Sending(lines, *options, check=check).finish()


@pytest.fixture(scope="module")
def pems():
    """An authority, a server's certificate and key, a client's."""
    directory = tempfile.mkdtemp(prefix="evenlog-pems-")
    try:
        authority = Authority(directory)
        authority.server = authority.issue("siem.example.org", "127.0.0.1")
        authority.client = authority.issue("evenlog.example.org")
        yield authority
    finally:
        shutil.rmtree(directory)


def tls_receiver(pems, server=None, **more):
    certificate, key = server or pems.server
    return {"ca": pems.path, "certificate": certificate, "key": key, **more}


@pytest.fixture(scope="module")
def receiver(pems):
    """One that listens on everything."""
    with Rsyslog(("udp", "tcp", "tls", "relp", "unix", "unix-stream"),
                 sync=False, **tls_receiver(pems)) as receiver:
        yield receiver


def options_of(receiver, kind, pems):
    options = list(KINDS[kind])
    name = "tcp" if kind == "newline" else kind
    if name in receiver.paths:
        return options + [f"path={receiver.paths[name]}"]
    options.append(f"port={receiver.ports[name]}")
    return options + ([f"ca={pems.path}"] if kind == "tls" else [])


@pytest.mark.parametrize("kind", KINDS)
def test_every_line_arrives_as_it_was(receiver, pems, kind):
    lines = numbered(1000) + numbered(10, 30000)
    before = receiver.count()
    sending = send(lines, *options_of(receiver, kind, pems))
    came = receiver.wait_lines(before + len(lines))[before:]
    assert came == lines
    assert sending.said[-1] == f"sent {len(lines)} refused 0 connects 1"


@pytest.mark.parametrize("kind", ["tcp", "tls", "relp", "unix-stream"])
def test_message_of_nearly_4_mib_arrives(receiver, pems, kind):
    lines = numbered(2, 4_000_000)
    before = receiver.count()
    send(lines, *options_of(receiver, kind, pems))
    assert receiver.wait_lines(before + 2)[before:] == lines


# ---------------------------------------------------------------- breaks

def killed_and_restarted(pems, kind, count=20000):
    """The numbers that came, in order, of count lines, where the receiver was
    killed -9 in the middle."""
    with Rsyslog((kind,), sync=False, **tls_receiver(pems)) as receiver:
        sending = Sending(numbered(count, 200),
                          *options_of(receiver, kind, pems))
        sending.wait_arrived(count // 4)
        receiver.kill()
        receiver.restart()
        sending.finish()
        assert sending.reasons() != []
        numbers = []
        # In order: with the last one all have come that will.
        while numbers[-1:] != [count - 1]:
            receiver.wait_lines(len(numbers) + 1)
            numbers = [number_of(line) for line in receiver.read_lines()
                       if line.endswith(b"x")]
        return numbers


def test_relp_loses_nothing_when_the_receiver_is_killed(pems):
    count = 20000
    numbers = killed_and_restarted(pems, "relp", count)
    assert sorted(set(numbers)) == list(range(count))
    print(f"{len(numbers) - count} lines came twice")


@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_loss_when_the_receiver_is_killed_is_what_it_had_not_read(pems, kind):
    """One run of lines: those that its kernel had acknowledged."""
    count = 20000
    numbers = set(killed_and_restarted(pems, kind, count))
    lost = [number for number in range(count) if number not in numbers]
    print(f"{len(lost)} lines are lost")
    assert lost == [] or lost[-1] - lost[0] == len(lost) - 1
    assert count - 1 in numbers and 0 in numbers


# ------------------------------------------------------------------- TLS

def refused(receiver, *options):
    """The reason why nothing is sent.  The receiver may be slow to go."""
    sending = send(numbered(10), "transport=tls", "verdict=30",
                   f"port={receiver.ports['tls']}", "downs=1", *options,
                   check=False)
    assert not sending.arrived(), sending.said
    assert receiver.count() == 0
    return sending.reasons()[0]


def test_receiver_of_another_authority_is_refused(pems):
    with tempfile.TemporaryDirectory() as directory:
        other = Authority(directory, "Other authority")
        with OpenSsl(pems) as receiver:
            reason = refused(receiver, f"ca={other.path}")
        assert "issued by \"CN=Test authority\"" in reason
        assert f"no authority of {other.path}" in reason
    with OpenSsl(pems) as receiver:
        assert "no authority of this system" in refused(receiver)


def test_receiver_of_another_name_is_refused(pems):
    with OpenSsl(pems) as receiver:
        reason = refused(receiver, f"ca={pems.path}",
                         "server_name=log.example.org")
    assert ("certificate is for siem.example.org and not for "
            "log.example.org") in reason
    with OpenSsl(pems) as receiver:
        send([b"one"], "transport=tls", f"port={receiver.ports['tls']}",
             f"ca={pems.path}", "server_name=siem.example.org")
    assert receiver.data == b"3 one"


CLIENT_ONLY = [ExtendedKeyUsageOID.CLIENT_AUTH]


@pytest.mark.parametrize("options, why", [
    ({"days": -1}, "certificate has expired on 20"),
    ({"days": 9, "since": 1}, "certificate is not valid before 20"),
    ({"purposes": CLIENT_ONLY}, "certificate is not made for a server"),
])
def test_certificate_that_does_not_hold_is_refused(pems, options, why):
    with OpenSsl(pems, pems.issue("127.0.0.1", **options)) as receiver:
        assert why in refused(receiver, f"ca={pems.path}")
    assert receiver.data == b""


def test_certificate_for_servers_and_others_is_taken(pems):
    purposes = CLIENT_ONLY + [ExtendedKeyUsageOID.SERVER_AUTH]
    with OpenSsl(pems, pems.issue("127.0.0.1",
                                  purposes=purposes)) as receiver:
        send([b"one"], "transport=tls", f"port={receiver.ports['tls']}",
             f"ca={pems.path}")
    assert receiver.data == b"3 one"


def test_authority_that_has_expired_is_not_the_receivers_fault():
    with tempfile.TemporaryDirectory() as directory:
        expired = Authority(directory, days=-1)
        expired.server = expired.issue("127.0.0.1")
        with OpenSsl(expired) as receiver:
            reason = refused(receiver, f"ca={expired.path}")
    assert "certificate of an authority" in reason
    assert f"out of date; renew it, also in {expired.path}" in reason


def test_certificate_of_ours_that_has_expired_is_named(pems):
    certificate, key = pems.issue("evenlog.example.org", days=-1)
    with OpenSsl(pems, verify_mode=ssl.CERT_REQUIRED) as receiver:
        reason = refused(receiver, f"ca={pems.path}",
                         f"certificate={certificate}", f"key={key}")
    assert receiver.data == b""
    assert "does not accept our certificate" in reason
    assert f"{certificate} has expired on 20" in reason


def test_client_certificate_that_is_demanded_is_shown(pems):
    certificate, key = pems.client
    with Rsyslog(("tls",), client_certificate=True,
                 **tls_receiver(pems)) as receiver:
        assert "certificate of ours" in refused(receiver, f"ca={pems.path}")
        lines = numbered(100)
        send(lines, "transport=tls", f"port={receiver.ports['tls']}",
             f"ca={pems.path}", f"certificate={certificate}", f"key={key}")
        assert receiver.wait_lines(100) == lines


def spoilt(*options):
    """The reason why nobody is even connected to."""
    sending = send([b"x"], "transport=tls", "port=1", "downs=1", *options,
                   check=False)
    assert sending.said[-1] == "sent 0 refused 0 connects 0"
    return sending.reasons()[0]


def test_files_that_cannot_be_used_are_named(pems):
    missing = os.path.join(pems.dir, "missing.pem")
    assert spoilt(f"ca={missing}") == f"{missing}: No such file or directory"
    assert spoilt(f"ca={pems.dir}") == f"{pems.dir}: this is no regular file"
    assert "no certificate of an authority" in spoilt(f"ca={pems.client[1]}")
    reason = spoilt(f"ca={pems.path}", f"certificate={pems.client[0]}",
                    f"key={pems.server[1]}")
    assert f"with the key {pems.server[1]} cannot be used" in reason
    sending = send([b"x"], "transport=tls", f"ca={pems.path}",
                   f"key={pems.client[1]}", check=False)
    assert sending.said == ["refused a certificate and its key belong "
                            "together, but only one of them is named"]


def test_files_are_read_again_when_they_have_changed(receiver, pems):
    with tempfile.TemporaryDirectory() as directory:
        path = Authority(directory, "Other authority").path
        before = receiver.count()
        sending = Sending(numbered(10), "transport=tls", f"ca={path}",
                          f"port={receiver.ports['tls']}")
        sending.wait_down()
        shutil.copyfile(pems.path, path + ".new")
        os.replace(path + ".new", path)
        sending.finish()
        assert receiver.wait_lines(before + 10)[before:] == numbered(10)
    assert "no authority of" in sending.reasons()[0]


class OpenSsl:
    """A receiver of Python's ssl, for one connection, which it closes unread
    if it is unwelcome."""

    def __init__(self, pems, server=None, unwelcome=False, **options):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(server or pems.server))
        self.unwelcome = unwelcome
        context.load_verify_locations(pems.path)
        for name, value in options.items():
            setattr(context, name, value)
        self.data, self.error = b"", None
        self.version = None
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.ports = {"tls": self.socket.getsockname()[1]}
        self.thread = threading.Thread(target=self._run, args=(context,))
        self.thread.start()

    def _run(self, context):
        try:
            plain, _ = self.socket.accept()
            plain.settimeout(SECONDS)
            with context.wrap_socket(plain, server_side=True) as connection:
                self.version = connection.version()
                self.shaken(connection)
                if self.unwelcome:
                    # As one that compares names now.
                    time.sleep(0.1)
                    return
                while part := connection.recv(65536):
                    self.data += part
        except OSError as error:
            self.error = error

    def shaken(self, connection):
        """The handshake is over."""

    def count(self):
        return len(self.data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # In case nobody has come.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_openssl_takes_octet_counted_messages(pems, version):
    lines = numbered(200, 3000)
    with OpenSsl(pems, maximum_version=ssl.TLSVersion[version],
                 verify_mode=ssl.CERT_REQUIRED) as receiver:
        send(lines, "transport=tls", f"port={receiver.ports['tls']}",
             f"ca={pems.path}", f"certificate={pems.client[0]}",
             f"key={pems.client[1]}")
    assert receiver.error is None
    assert receiver.data == b"".join(b"%d %s" % (len(line), line)
                                     for line in lines)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_openssl_that_misses_our_certificate_gets_nothing(pems, version):
    """In TLS 1.3 it says so after the handshake; in TLS 1.2 it may be gone
    before that is read."""
    with OpenSsl(pems, maximum_version=ssl.TLSVersion[version],
                 verify_mode=ssl.CERT_REQUIRED) as receiver:
        reason = refused(receiver, f"ca={pems.path}")
    assert receiver.data == b""
    if version == "TLSv1_3":
        assert "demands a certificate of ours" in reason
    else:
        assert ("refuses TLS" in reason
                or "asked for a certificate of ours" in reason)


class EndingOpenSsl(OpenSsl):
    """Says without TLS that nothing more will come."""

    def shaken(self, connection):
        time.sleep(0.2)
        connection.shutdown(socket.SHUT_WR)
        time.sleep(0.5)


def test_end_without_a_word_of_tls_is_the_reason(pems):
    with EndingOpenSsl(pems, unwelcome=True) as receiver:
        sending = send(numbered(8000, 2000), "transport=tls", "downs=1",
                       f"port={receiver.ports['tls']}", f"ca={pems.path}",
                       check=False)
    reason = sending.reasons()[0]
    # The latter on a host that is slow to look.
    assert reason.endswith(("the receiver has closed the connection",
                            "Connection reset by peer"))


class ClosingOpenSsl(OpenSsl):
    """Takes every connection, and closes it after the handshake."""

    def _run(self, context):
        try:
            while True:
                plain, _ = self.socket.accept()
                plain.settimeout(SECONDS)
                context.wrap_socket(plain, server_side=True).close()
        except OSError as error:
            self.error = error


def test_receiver_that_closes_each_time_has_not_failed_the_handshake(pems):
    with ClosingOpenSsl(pems) as receiver:
        sending = send(numbered(10), "transport=tls", "downs=3",
                       f"port={receiver.ports['tls']}", f"ca={pems.path}",
                       check=False)
    # The third connection carries nothing: it has to last first.
    assert sending.reasons()[2].endswith("has closed the connection")


class AskingOpenSsl:
    """openssl s_server: it reads no more than what it can say on, so it is not
    listened to until it has been told to ask."""

    # Keys with an answer; another handshake.
    COMMANDS = {"tls1_3": b"K\n", "tls1_2": b"r\n"}
    ASKED = b"SSL_do_handshake -> 1\n"
    # A record that is none of the sender's messages.
    OTHER = b"Read BLOCK\n"

    def __init__(self, pems, version):
        certificate, key = pems.server
        self.version = version
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1",
             "-cert", certificate, "-key", key, f"-{version}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.watch = threading.Timer(SECONDS, self.process.kill)
        self.watch.start()
        line = b""
        while not line.startswith(b"ACCEPT "):
            line = self.process.stdout.readline()
            assert line
        self.port = int(line.rsplit(b":", 1)[1])

    def _waiting(self):
        """Bytes that its sender's kernel holds for it."""
        with open("/proc/net/tcp", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                _, _, peer, _, queues, *_ = line.split()
                if int(peer.split(":")[1], 16) == self.port:
                    return int(queues.split(":")[0], 16)
        return 0

    def ask(self):
        """When its sender can send no more: a record waits."""
        before, now = -1, 0
        while now == 0 or now != before:
            time.sleep(0.1)
            before, now = now, self._waiting()
        self.process.stdin.write(self.COMMANDS[self.version])
        self.process.stdin.flush()

    def heard(self):
        """Until its sender has gone."""
        said = self.process.stdout.read()
        assert said.count(self.ASKED) == 1
        return said.replace(self.ASKED, b"").replace(self.OTHER, b"")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self.watch.cancel()


@pytest.mark.parametrize("version", AskingOpenSsl.COMMANDS)
def test_receiver_may_ask_for_keys_while_a_record_waits(pems, version):
    lines = numbered(1, 8_000_000) + numbered(100)
    with AskingOpenSsl(pems, version) as receiver:
        sending = Sending(lines, "transport=tls", "downs=1",
                          f"port={receiver.port}", f"ca={pems.path}",
                          check=False)
        receiver.ask()
        heard = receiver.heard()
        sending.finish()
    assert sending.reasons() == []
    assert framed(lines) in heard


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_receiver_that_dislikes_our_name_gets_nothing(pems, version):
    """rsyslog's permittedPeer: it closes after a whole handshake, tickets
    included."""
    with OpenSsl(pems, unwelcome=True, verify_mode=ssl.CERT_REQUIRED,
                 maximum_version=ssl.TLSVersion[version]) as receiver:
        reason = refused(receiver, f"ca={pems.path}",
                         f"certificate={pems.client[0]}",
                         f"key={pems.client[1]}")
    assert receiver.version == version.replace("_", ".")
    assert "where it asked for a certificate of ours" in reason
    assert "in a name that it permits" in reason


class SlowOpenSsl:
    """A receiver of Python's ssl that reads nothing of its first connection
    until it is told to read all, or to go; then all of those that follow."""

    def __init__(self, pems):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*pems.server)
        self.accepted, self.goes = threading.Event(), threading.Event()
        self.reads, self.parts = False, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.socket.settimeout(SECONDS)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        for connection in iter(self._accept, None):
            data = bytearray()
            while part := connection.recv(65536):
                data += part
            self.parts.append(bytes(data))
            connection.close()

    def _accept(self):
        try:
            plain, _ = self.socket.accept()
        except OSError:
            return None
        plain.settimeout(SECONDS)
        connection = self.context.wrap_socket(plain, server_side=True)
        if not self.accepted.is_set():
            self.accepted.set()
            assert self.goes.wait(SECONDS)
            if not self.reads:
                connection.close()
                return self._accept()
        return connection

    def go(self, reads):
        self.reads = reads
        self.goes.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.go(False)
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


def framed(lines):
    return b"".join(b"%d %s" % (len(line), line) for line in lines)


def send_to_slow(receiver, pems, lines):
    """Until the receiver's kernel has taken something."""
    sending = Sending(lines, "transport=tls", f"port={receiver.port}",
                      f"ca={pems.path}", "idle_timeout=1")
    assert receiver.accepted.wait(SECONDS)
    sending.wait_arrived(1)
    return sending


def test_tls_receiver_that_does_not_read_is_waited_for(pems):
    lines = numbered(8000, 2000)
    with SlowOpenSsl(pems) as receiver:
        sending = send_to_slow(receiver, pems, lines)
        # Past idle_timeout, whatever it takes until then.
        time.sleep(2.5)
        receiver.go(reads=True)
        sending.finish()
    assert sending.reasons() == []
    assert receiver.parts == [framed(lines)]


def test_tls_receiver_that_goes_without_reading_gets_the_rest(pems):
    """What its kernel had acknowledged is lost, and nothing else: all that had
    not arrived is sent again, from the start of its first line."""
    lines = numbered(8000, 2000)
    with SlowOpenSsl(pems) as receiver:
        sending = send_to_slow(receiver, pems, lines)
        receiver.go(reads=False)
        sending.finish()
    at = [line.startswith("down ") for line in sending.said].index(True)
    arrived = [int(line.split()[1]) for line in sending.said[:at]
               if line.startswith("arrived ")][-1]
    assert 0 < arrived < len(lines)
    assert receiver.parts == [framed(lines[arrived:])]
