# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hostile host can do to our client: it answers the endpoint mapper's
bind and call, and the service's bind, with what it likes.  The client ends
with an error that says what happened, soon and without much memory."""

import os
import random
import socket
import struct
import subprocess
import threading

import pytest

import dcerpc
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
    path = os.path.join(server.dir, "password")
    with open(path, "w", encoding="ascii") as file:
        file.write("x")
    os.chmod(path, 0o600)
    process = subprocess.Popen(
        [os.path.join(BUILD, "cli", "evenlog"), "--config", server.config,
         *verb, "--user=u", f"--password-file={path}", *args],
        env=server.env(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
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
