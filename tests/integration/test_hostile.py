# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hostile host can do to our client: it answers the endpoint mapper's
bind and call, and the service's bind, with what it likes.  The client ends
with an error that says what happened, soon and without much memory; and no
host makes it take a weaker logon, or talk without encryption."""

import os
import random
import socket
import struct
import subprocess
import threading

import pytest

import dcerpc
from kdc import REALM, Kdc, is_installed
from server import BUILD, SANITIZERS

SECONDS = 60
# libdcerpc puts a whole answer together, and has a limit of its own.
# MiB.  What Linux says of a child is at least what its parent had: pytest's
# own, after a thousand tests, is some 130.  A whole answer was 257.
MEMORY = 1024 if SANITIZERS != "no" else 200
FRAGMENT = 4280
BOTH = dcerpc.FIRST | dcerpc.LAST


def pdu(kind, body, flags=BOTH, call=1, length=None, auth=0):
    length = 16 + len(body) if length is None else length
    return struct.pack("<BBBB4sHHI", 5, 0, kind, flags, b"\x10\0\0\0",
                       length, auth, call) + body


def bind_ack(**kwargs):
    """Accepts the one context, in NDR."""
    port = b"135\0"
    body = struct.pack("<HHIH", FRAGMENT, FRAGMENT, 1, len(port)) + port
    body += b"\0" * (-len(body) % 4)
    body += struct.pack("<BBHHH", 1, 0, 0, 0, 0)
    body += bytes.fromhex("045d888aeb1cc9119fe808002b104860")
    return pdu(dcerpc.BIND_ACK, body + struct.pack("<I", 2), **kwargs)


def response(stub, call, flags=BOTH, hint=None, context=0, **kwargs):
    hint = len(stub) if hint is None else hint
    return pdu(dcerpc.RESPONSE, struct.pack("<IHBB", hint, context, 0, 0) +
               stub, flags, call, **kwargs)


def fault(status, call, flags=BOTH):
    return pdu(dcerpc.FAULT, struct.pack("<IHBBI4x", 32, 0, 0, 0, status),
               flags, call)


class Host:
    """Accepts connections; script(send, request) gets each PDU's bytes."""

    def __init__(self, script):
        self.script = script
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,),
                             daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                while True:
                    data = connection.recv(65536)
                    if not data or self.script(connection.sendall, data):
                        return
            except OSError:
                pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            connection.close()


@pytest.fixture
def host():
    hosts = []

    def make(script):
        hosts.append(Host(script))
        return hosts[-1]

    yield make
    for made in hosts:
        made.close()


def run(server, verb, *args):
    """Exit status, what was said, and the most memory, in MiB."""
    return run_as(server, verb, *by_password(server), *args)


def by_password(server):
    path = os.path.join(server.dir, "password")
    with open(path, "w", encoding="ascii") as file:
        file.write("x")
    os.chmod(path, 0o600)
    return ["--user=u", f"--password-file={path}"]


def run_as(server, verb, *args, **env):
    process = subprocess.Popen(
        [os.path.join(BUILD, "cli", "evenlog"), "--config", server.config,
         *verb, *args], env=server.env(**env),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True)
    watchdog = threading.Timer(SECONDS, process.kill)
    watchdog.start()
    try:
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        watchdog.cancel()
        process.stderr.close()
    return process.returncode, errors, usage.ru_maxrss // 1024


def assert_survives(server, host, by_mapper=True, verb=("list",)):
    """Exit status 1, said why, in little memory; no sanitizer spoke."""
    target = (["--remote=127.0.0.1", f"--mapper-port={host.port}"]
              if by_mapper else [f"--remote=127.0.0.1:{host.port}"])
    status, errors, memory = run(server, verb, *target)
    assert status == 1, errors
    assert errors.startswith("evenlog: "), errors
    assert "Sanitizer" not in errors and "runtime error" not in errors
    assert "PANIC" not in errors, errors
    assert memory < MEMORY, memory
    return errors


def call_of(request):
    return struct.unpack_from("<I", request, 12)[0]


def after_bind(answer):
    """A script that accepts the bind and then answers the call so."""
    def script(send, request):
        if request[2] == dcerpc.BIND:
            return send(bind_ack(call=call_of(request)))
        return answer(send, call_of(request))
    return script


def at_once(*parts):
    """Sends these whatever was asked, and closes."""
    def script(send, request):
        for part in parts:
            send(part(call_of(request)) if callable(part) else part)
        return True
    return script


@pytest.fixture(scope="module")
def server():
    """Its files only: nothing of it runs."""
    from server import Server
    made = Server()
    yield made
    made.close()


# ------------------------------------------------------- whatever is asked

RANDOM = random.Random(20).randbytes(65536)

ANSWERS = {
    "nothing": at_once(),
    "random bytes": at_once(RANDOM),
    "a text": at_once(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "half a header": at_once(bind_ack()[:9]),
    "half an acknowledgement": at_once(bind_ack()[:30]),
    "a length below the header": at_once(bind_ack(length=4)),
    "a length of nothing": at_once(bind_ack(length=0)),
    "a length beyond the end": at_once(bind_ack(length=60000)),
    "a length before the end": at_once(bind_ack(length=24)),
    "an authenticator that is not there": at_once(bind_ack(auth=60000)),
    "another call": at_once(lambda call: bind_ack(call=call + 1)),
    "no contexts": at_once(lambda call: pdu(
        dcerpc.BIND_ACK, struct.pack("<HHIH2xI", 4280, 4280, 1, 0, 0),
        call=call)),
    "255 contexts that are not there": at_once(lambda call: pdu(
        dcerpc.BIND_ACK, struct.pack("<HHIH2xI", 4280, 4280, 1, 0, 255),
        call=call)),
    "no fragments to be had": at_once(lambda call: pdu(
        dcerpc.BIND_ACK, struct.pack("<HHIH2xI", 0, 0, 1, 0, 0), call=call)),
    "a fault": at_once(lambda call: fault(5, call)),
    "a response": at_once(lambda call: response(b"\0" * 64, call)),
    "a request": at_once(lambda call: pdu(dcerpc.REQUEST, b"\0" * 64,
                                          call=call)),
    "a kind that is none": at_once(lambda call: pdu(77, b"", call=call)),
    **{f"refusal {reason}": at_once(
        lambda call, reason=reason: pdu(
            dcerpc.BIND_NAK, struct.pack("<HBBB", reason, 1, 5, 0),
            call=call))
       for reason in (0, 1, 4, 8, 0xFFFF)},
}


@pytest.mark.parametrize("by_mapper", (True, False), ids=("mapper", "port"))
def test_answers_to_a_bind(server, host, by_mapper):
    for name, script in ANSWERS.items():
        try:
            assert_survives(server, host(script), by_mapper)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


def test_a_subscription_says_so_too(server, host):
    assert_survives(server, host(at_once(RANDOM)),
                    verb=("subscribe", "Security"))


# ---------------------------------------------------- answers to the mapper

def test_faults(server, host):
    for status in (0, 5, 0x1717, 0x1C010002, 0x1C00001A, 0x1C000007,
                   0x1C01000B, 0xC0000022, 0xFFFFFFFF):
        assert_survives(server, host(after_bind(
            lambda send, call, status=status: send(fault(status, call)))))


STUBS = {
    "nothing": b"",
    "one byte": b"\0",
    "zeros": b"\0" * 128,
    "ones": b"\xff" * 128,
    "random bytes": RANDOM[:2048],
    "many towers": b"\0" * 20 + struct.pack("<IIII", 500, 500, 0, 500) +
                   b"\1\0\0\0" * 500,
}


def test_stubs(server, host):
    for stub in STUBS.values():
        assert_survives(server, host(after_bind(
            lambda send, call, stub=stub: send(response(stub, call)))))


def test_lengths_of_fragments(server, host):
    for change in ({"length": 16}, {"length": 20}, {"length": 65535},
                   {"hint": 0xFFFFFFFF}, {"auth": 65535}, {"context": 9}):
        def answer(send, call, change=change):
            send(response(b"\0" * 64, call, **change))
            return True

        assert_survives(server, host(after_bind(answer)))


@pytest.mark.parametrize("hint", (0, 0xFFFFFFFF))
def test_fragments_without_end(server, host, hint):
    def answer(send, call):
        send(response(b"\0" * 4000, call, dcerpc.FIRST, hint))
        block = response(b"\0" * 4000, call, 0, hint) * 64
        while True:
            send(block)

    assert_survives(server, host(after_bind(answer)))


# ------------------------------------------------ a host that wants it weaker

# [MS-NLMP] 2.2.2.5; what a host of today answers.
UNICODE, SIGN, SEAL, NTLM = 0x1, 0x10, 0x20, 0x200
LM_KEY, ALWAYS_SIGN, EXTENDED = 0x80, 0x8000, 0x80000
TARGET_INFO, KEY_56, KEY_128 = 0x800000, 0x80000000, 0x20000000
KEY_EXCHANGE = 0x40000000
USUAL = (UNICODE | SIGN | SEAL | NTLM | ALWAYS_SIGN | EXTENDED | TARGET_INFO |
         KEY_128 | KEY_EXCHANGE)
NTLMSSP_OID = bytes.fromhex("060a2b06010401823702020a")
KERBEROS_OID = bytes.fromhex("06092a864886f712010202")
ACCEPTED, INCOMPLETE = b"\x0a\x01\0", b"\x0a\x01\1"


def challenge(flags):
    """[MS-NLMP] 2.2.1.2, with the name of a domain and no time."""
    name = "D".encode("utf-16-le")
    info = struct.pack("<HH", 2, len(name)) + name + b"\0\0\0\0"
    if not flags & TARGET_INFO:
        info = b""
    return (b"NTLMSSP\0" + struct.pack(
        "<IHHII8s8xHHI", 2, len(name), len(name), 48, flags, b"12345678",
        len(info), len(info), 48 + len(name)) + name + info)


def spnego(state, mechanism=None, token=None):
    """RFC 4178 4.2.2"""
    der = dcerpc.der
    fields = der(0xA0, state)
    if mechanism is not None:
        fields += der(0xA1, mechanism)
    if token is not None:
        fields += der(0xA2, der(0x04, token))
    return der(0xA1, der(0x30, fields))


def with_token(ack, token, level=dcerpc.PRIVACY, kind=dcerpc.AUTH_SPNEGO):
    """An acknowledgement with an authenticator, [MS-RPCE] 2.2.2.11."""
    ack += b"\0" * (-len(ack) % 4)
    ack += struct.pack("<BBBBI", kind, level, 0, 0, 1) + token
    return ack[:8] + struct.pack("<HH", len(ack), len(token)) + ack[12:]


class Weaker:
    """Answers binds with what it is given, one after the other, and keeps
    what it was sent."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.said = None

    def __call__(self, send, request):
        self.asked.append(request)
        if not self.answers:
            return True
        send(self.answers.pop(0)(call_of(request)))
        return False

    def logon(self):
        """The one AUTHENTICATE_MESSAGE; None: none was sent."""
        found = [request[request.index(b"NTLMSSP\0\3"):]
                 for request in self.asked if b"NTLMSSP\0\3" in request]
        assert len(found) <= 1
        return found[0] if found else None

    def calls(self):
        return [request for request in self.asked
                if request[2] == dcerpc.REQUEST]


def field(message, at):
    """A field of an NTLM message by the place of its length."""
    length, _, offset = struct.unpack_from("<HHI", message, at)
    return message[offset:offset + length]


def ask_weaker(server, host, *answers):
    script = Weaker(*answers)
    script.said = assert_survives(server, host(script), by_mapper=False,
                                  verb=("query", "Security"))
    return script


def tempted(flags):
    return [lambda call: with_token(bind_ack(call=call), spnego(
                INCOMPLETE, NTLMSSP_OID, challenge(flags))),
            lambda call: with_token(
                bind_ack(call=call)[:2] + bytes([dcerpc.ALTER_RESP]) +
                bind_ack(call=call)[3:], spnego(ACCEPTED))]


@pytest.mark.parametrize("flags", (
    USUAL, USUAL & ~EXTENDED | LM_KEY,
    USUAL & ~(KEY_128 | KEY_EXCHANGE | EXTENDED | UNICODE) | KEY_56 | LM_KEY),
    ids=hex)
def test_ntlm_is_version_2_whatever_the_host_offers(server, host, flags):
    """[MS-NLMP] 2.2.2.8: 16 bytes of proof and a structure that begins with
    1, 1; version 1 is 24 bytes."""
    script = ask_weaker(server, host, *tempted(flags))
    logon = script.logon()
    answer, lm = field(logon, 20), field(logon, 12)
    assert len(answer) >= 16 + 28 and answer[16:24] == b"\1\1" + b"\0" * 6
    # Version 2 of it too, or nothing: not made of the old hash.
    assert len(lm) in (0, 24)
    assert not any(lm) or lm[16:] == answer[32:40]
    assert struct.unpack_from("<I", logon, 60)[0] & (SIGN | SEAL | EXTENDED) \
        == SIGN | SEAL | EXTENDED
    for call in script.calls():
        assert_sealed(call)


def assert_sealed(call):
    length, size = struct.unpack_from("<HH", call, 8)
    kind, level = call[length - size - 8:length - size - 6]
    assert (kind, level) == (dcerpc.AUTH_SPNEGO, dcerpc.PRIVACY)
    assert "Security".encode("utf-16-le") not in call


# Without names there is no version 2.
@pytest.mark.parametrize("missing", (SEAL, SIGN, SIGN | SEAL, TARGET_INFO,
                                     TARGET_INFO | EXTENDED), ids=hex)
def test_a_host_that_cannot_seal_or_do_version_2_gets_no_logon(server, host,
                                                               missing):
    script = ask_weaker(server, host, *tempted(USUAL & ~missing))
    assert script.logon() is None and not script.calls()
    assert ("version 2" if missing & TARGET_INFO else "signing and encryption"
            ) in script.said


REFUSALS = {
    "no authenticator": [lambda call: bind_ack(call=call)],
    "a lower level": [lambda call: with_token(
        bind_ack(call=call), spnego(INCOMPLETE, NTLMSSP_OID,
                                    challenge(USUAL)), level=2)],
    "no level": [lambda call: with_token(
        bind_ack(call=call), spnego(INCOMPLETE, NTLMSSP_OID,
                                    challenge(USUAL)), level=1)],
    "accepted at once": [lambda call: with_token(bind_ack(call=call),
                                                 spnego(ACCEPTED))],
    "accepted for another mechanism": [lambda call: with_token(
        bind_ack(call=call), spnego(ACCEPTED, KERBEROS_OID))],
    "an empty token": [lambda call: with_token(bind_ack(call=call), b"")],
}


@pytest.mark.parametrize("name", REFUSALS)
def test_without_its_logon_it_asks_for_nothing(server, host, name):
    script = ask_weaker(server, host, *REFUSALS[name])
    assert script.logon() is None and not script.calls()


# Handles and counts of zero, and success.
STUB = b"\0" * 64
CLEAR = {
    "no authenticator": lambda call: response(STUB, call),
    "a lower level": lambda call: with_token(response(STUB, call), b"\1" * 16,
                                             level=2),
    "signed, not sealed": lambda call: with_token(
        response(STUB, call), b"\1" * 16, level=5),
    "a false signature": lambda call: with_token(response(STUB, call),
                                                 b"\1\0\0\0" * 4),
}


@pytest.mark.parametrize("name", CLEAR)
def test_an_answer_that_is_not_sealed_is_no_answer(server, host, name):
    script = ask_weaker(server, host, *tempted(USUAL), CLEAR[name])
    assert len(script.calls()) == 1 and not script.answers


@pytest.mark.skipif(not is_installed(),
                    reason="needs Debian's krb5-kdc and krb5-user")
def test_kerberos_takes_no_host_that_has_not_its_key(server, host):
    """Nor NTLM, or no authentication, instead of it."""
    kdc = Kdc()
    try:
        kdc.add_user("alice", "Al1ce-pass")
        kdc.add_service(f"host/localhost@{REALM}")
        kdc.start()
        env = {"KRB5_CONFIG": kdc.krb5_conf,
               "KRB5CCNAME": kdc.ticket("alice", "Al1ce-pass")}
        kerberos = dcerpc.AUTH_KERBEROS
        for answer, said in (
                (lambda ack: ack, "protocol error"),
                (lambda ack: with_token(ack, RANDOM[:100], kind=kerberos),
                 "not proved to be host/localhost"),
                (lambda ack: with_token(ack, RANDOM[:100], 2, kerberos),
                 "protocol error"),
                (lambda ack: with_token(ack, challenge(USUAL),
                                        kind=dcerpc.AUTH_NTLM),
                 "protocol error")):
            script = Weaker(lambda call, answer=answer:
                            answer(bind_ack(call=call)))
            status, errors, _ = run_as(
                server, ("query", "Security"), "--kerberos",
                f"--remote=localhost:{host(script).port}", **env)
            assert status == 1 and said in errors, errors
            assert len(script.asked) == 1
    finally:
        kdc.close()
