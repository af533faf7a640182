# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients may cost: crowds that vanish, readers that do not read, limits
that are reached, and bytes that are no protocol.  In each case the service
goes on for everybody else."""

import contextlib
import json
import os
import resource
import socket
import statistics
import struct
import subprocess
import time

import pytest

import dcerpc
import even6
from collecting import stays_below
from dcerpc import Ntlm, SpnegoNtlm
from even6 import (Close, GetChannelList, RegisterRemoteSubscription,
                   RemoteSubscriptionNext, RemoteSubscriptionNextAsync)
from publisher import Publisher, event, filler
from server import BUILD, SANITIZERS, USERS
from subscribing import numbers, pull, subscribe

CROWD = os.path.join(BUILD, "tests", "integration", "crowd")
SECONDS = 60
QUOTA = 0x718                   # [MS-ERREF], ERROR_NOT_ENOUGH_QUOTA
MIB = 1024 * 1024

# A sanitizer makes everything slow, and keeps memory that was freed.
SANITIZED = SANITIZERS != "no"
CLIENTS = 200 if SANITIZED else 1000
# So soon all is as before when a thousand clients have died.
GONE_SECONDS = 30 if SANITIZED else 3
# What may be missing of their memory then: a kilobyte for each client.
MEMORY_TOLERANCE = CLIENTS * 1024


def alice(server, mechanism=Ntlm, **options):
    return even6.connect("127.0.0.1", server.port,
                         mechanism("alice", USERS["alice"]), **options)


def is_served(server):
    """Whether somebody else is."""
    with alice(server) as client:
        return client.call(GetChannelList()).rc == 0


def rpc(server):
    return server.status()["rpc"]


def wait_for(check, what, seconds=SECONDS):
    """Poll for a state that has no event to wait on."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.01)


class Crowd:
    """Many subscribers, each with a NextAsync that waits."""

    def __init__(self, server, channel, clients, events):
        self.process = subprocess.Popen(
            [CROWD, str(server.port), "alice", channel, str(clients),
             str(events)], stdout=subprocess.PIPE,
            env=dict(os.environ, EVENLOG_PASSWORD=USERS["alice"]))
        assert self.process.stdout.readline() == b"ready\n"
        wait_for(lambda: rpc(server)["parked_calls"] >= clients,
                 "all calls parked")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def arrivals(self):
        """Of (client, record id, time); the crowd has checked the order."""
        out, _ = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 0
        return [tuple(map(int, line.split())) for line in out.splitlines()]


@contextlib.contextmanager
def crowd(*args):
    made = Crowd(*args)
    try:
        yield made
    finally:
        made.kill()
        made.process.stdout.close()


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def memory_of(server):
    """Bytes of its own; the store's pages that it looks at are a file's."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("RssAnon:"))
        return int(line.split()[1]) * 1024


# Many clients that die

# The connection is the one that asks.
NOTHING = {"connections": 1, "subscriptions": 0, "handles": 0,
           "parked_calls": 0}


def held(server):
    stats = rpc(server)
    return {name: stats[name] for name in NOTHING}


def test_a_thousand_clients_that_die_leave_nothing(server):
    with crowd(server, "Application", 100, 1):
        pass
    # As long as it takes, and freed memory goes back once a second: this is
    # only the measure of what comes.
    wait_for(lambda: held(server) == NOTHING, "the first have gone")
    time.sleep(2)
    files, memory = descriptors(server), memory_of(server)

    def seconds_until_gone():
        with crowd(server, "Application", CLIENTS, 1) as clients:
            assert descriptors(server) >= files + CLIENTS
            assert rpc(server)["handles"] == 2 * CLIENTS
            clients.kill()
            killed = time.monotonic()
            wait_for(lambda: held(server) == NOTHING, "handles and calls")
            wait_for(lambda: descriptors(server) <= files, "descriptors")
            if not SANITIZED:
                wait_for(lambda: memory_of(server)
                         <= memory + MEMORY_TOLERANCE, "memory")
            return time.monotonic() - killed

    stays_below(GONE_SECONDS, seconds_until_gone)
    assert is_served(server)


# A reader that does not read

def stall(server, channel, requests):
    """
    A client with so many calls for large batches on the way, that reads none
    of the answers; one subscription pushes, the other is asked.
    """
    client = alice(server)
    client.rpc.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    push = subscribe(client, channel, even6.SUBSCRIBE_OLDEST)
    asked = pull(client, channel)
    calls = [client.start(RemoteSubscriptionNextAsync(push.handle, 1024))]
    calls += [client.start(RemoteSubscriptionNext(asked.handle, 1024))
              for _ in range(requests)]
    return client, calls


def latencies(server, channel, clients, events):
    """Seconds from publishing each event to its arrival at each client."""
    sent = {}
    with crowd(server, channel, clients, events) as readers, \
            Publisher(server) as publisher:
        for number in range(events):
            before = time.monotonic_ns()
            sent[publisher.numbers(channel, 1, number)] = before
        arrivals = readers.arrivals()
    assert len(arrivals) == len({key[:2] for key in arrivals}) == \
        clients * events
    return sorted((when - sent[record]) / 1e9
                  for _, record, when in arrivals)


def describe(seconds):
    cuts = statistics.quantiles(seconds, n=100)
    return (f"p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, "
            f"max {seconds[-1] * 1000:.1f} ms")


def test_a_stalled_reader_does_not_delay_99_others(make_server):
    server = make_server(config="[channel Big]\n[channel A]\n[channel B]\n")
    num_big, events, clients = 70, 30, 20 if SANITIZED else 99
    with Publisher(server) as publisher:
        for number in range(num_big):
            publisher.publish("Big", event("Big", number,
                                           filler=filler(1000000)))
    alone = latencies(server, "A", clients, events)

    memory = memory_of(server)
    client, calls = stall(server, "Big", num_big)
    with client:
        beside = latencies(server, "B", clients, events)
        stats = rpc(server)
        # It has stalled: 8 MiB on our side and what fits into the sockets.
        assert stats["calls"][2] < 20
        assert stats["events_delivered"] < 2 * clients * events + 40
        if not SANITIZED:
            assert memory_of(server) < memory + 40 * MIB
        print(f"{clients} readers: {describe(alone)}; "
              f"beside a stalled one: {describe(beside)}")
        # No ratio: the machine may be busy.  Stalled for good it would be
        # never; for the length of a time-out, tens of seconds.
        assert beside[-1] < 10

        # And when it reads it has lost nothing.
        pushed, pulled = [], []
        for number, call in enumerate(calls):
            batch = call.result(timeout=SECONDS)
            (pulled if number else pushed).extend(numbers(batch))
        assert pulled == list(range(num_big))
        assert pushed == list(range(len(pushed))) and pushed


# Limits on connections

def raw(port, source="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", port), SECONDS,
                                    source_address=(source, 0))


def is_closed(connection, seconds=SECONDS):
    """Whether the service closes it, in time and without a word."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def reached(server):
    """The limits that event 22 has named, and the peers."""
    out = server.evenlog("query", "Evenlog/Operational", "--format=json")
    return [tuple(data.values()) for data in (
        one["EventData"] for one in map(json.loads, out.stdout.splitlines())
        if one["System"]["EventID"] == 22)]


def test_connections_are_limited_and_the_local_door_stays_open(make_server):
    server = make_server(rpc="connections = 6")
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(raw(server.port))
        stack.enter_context(raw(server.mapper_port))
        refused = rpc(server)["refused"]
        for port in server.port, server.mapper_port:
            with raw(port) as extra:
                assert is_closed(extra)
        # The administrator can look, and programs can publish.
        assert rpc(server)["refused"] == refused + 2
        server.publish("Application", 1)
        assert reached(server) == [("connections", "127.0.0.1")]
    wait_for(lambda: rpc(server)["connections"] == 1, "all gone")
    assert is_served(server)


def test_local_connections_are_limited_by_themselves(make_server):
    server = make_server(rpc="connections = 3")
    server.port                 # asked before there is no room
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            local = stack.enter_context(socket.socket(socket.AF_UNIX))
            local.connect(server.control)
        with socket.socket(socket.AF_UNIX) as extra:
            extra.connect(server.control)
            assert is_closed(extra)
        assert is_served(server)


def test_one_address_cannot_take_all_connections(make_server):
    server = make_server(rpc="connections_per_peer = 4")
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(raw(server.port))
        with raw(server.port) as extra:
            assert is_closed(extra)
        with raw(server.port, "127.0.0.2") as other:
            assert not is_closed(other, 0.2)
        assert reached(server) == [("connections per peer", "127.0.0.1")]
    wait_for(lambda: is_served_or_none(server), "room for the address")


def is_served_or_none(server):
    try:
        return is_served(server)
    except (dcerpc.Closed, ConnectionError):
        return False


def test_subscriptions_are_limited_in_all(make_server):
    server = make_server(rpc="subscriptions = 3")
    with alice(server) as one, alice(server) as other:
        made = [subscribe(one, "Application", even6.SUBSCRIBE_FUTURE)
                for _ in range(2)]
        subscribe(other, "Application", even6.SUBSCRIBE_FUTURE)
        for client in one, other:
            got = client.call(RegisterRemoteSubscription("Application"))
            assert (got.rc, got.handle) == (QUOTA, even6.NO_HANDLE)
        assert rpc(server)["handles"] == 6
        assert reached(server) == [("subscriptions", "127.0.0.1")]
        # Queries have no share in it, and a place that is freed is free.
        assert other.call(even6.RegisterLogQuery("Application")).rc == 0
        assert one.call(Close(made[0].handle)).rc == 0
        subscribe(other, "Application", even6.SUBSCRIBE_FUTURE)


@contextlib.contextmanager
def soft_limit_on_files(number):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_low_soft_limit_on_files_is_raised(make_server):
    server = make_server(start=False)
    with soft_limit_on_files(128):
        server.start()
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(raw(server.port))
        assert is_served(server)
        assert rpc(server)["refused"] == 0


def test_without_descriptors_the_service_waits_and_goes_on(make_server):
    server = make_server()
    pid = server.process.pid
    used = descriptors(server)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 20, used + 20))
    with alice(server) as client, contextlib.ExitStack() as stack:
        assert client.call(GetChannelList()).rc == 0
        for _ in range(40):
            stack.enter_context(raw(server.port))
        # Who is in is served; the others wait in the kernel's queue.
        assert client.call(GetChannelList()).rc == 0
    assert is_served(server)
    assert ("open files", "any") in reached(server)


# Time to log on

def begin_logon(server, security):
    """A connection in the middle of its logon."""
    connection = dcerpc.Connection("127.0.0.1", server.port)
    legs = security.legs()
    connection.security = security
    flags = dcerpc.FIRST | dcerpc.LAST | dcerpc.MULTIPLEX
    connection._send_plain(dcerpc.BIND, flags, 1, bind_body(), next(legs))
    assert connection._receive_pdu().kind == dcerpc.BIND_ACK
    return connection


def bind_body():
    return struct.pack("<HHIB3x", 4280, 4280, 0, 1) + \
        struct.pack("<HBB", 0, 1, 0) + dcerpc._syntax(even6.INTERFACE) + \
        dcerpc._syntax(dcerpc.NDR)


def test_who_does_not_log_on_is_cut_off(make_server):
    server = make_server(rpc="logon_seconds = 1")
    with alice(server) as idle, contextlib.ExitStack() as stack:
        assert idle.call(GetChannelList()).rc == 0
        made = {
            "nothing sent": raw(server.port),
            "nothing sent to the mapper": raw(server.mapper_port),
            "half a packet": raw(server.port),
            "bound as nobody": even6.connect(
                "127.0.0.1", server.port).rpc.socket,
            "half a logon": begin_logon(server, Ntlm(
                "alice", USERS["alice"])).socket,
            "half a logon in SPNEGO": begin_logon(server, SpnegoNtlm(
                "alice", USERS["alice"])).socket,
            "logged on as nobody": even6.connect(
                "127.0.0.1", server.port, Ntlm("", "")).rpc.socket,
        }
        for connection in made.values():
            stack.enter_context(connection)
        made["half a packet"].sendall(b"\x05\x00\x0b")
        for what, connection in made.items():
            assert is_closed(connection, 10), what
        # Who has logged on may be idle as long as it likes.
        assert idle.call(GetChannelList()).rc == 0
        assert rpc(server)["connections"] == 2


def test_a_packet_that_trickles_in_gains_no_time(make_server):
    server = make_server(rpc="logon_seconds = 1")
    body = bind_body()
    packet = dcerpc.Connection._header(
        dcerpc.BIND, dcerpc.FIRST | dcerpc.LAST, 16 + len(body), 0, 1) + body
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(raw(server.port)) for _ in range(50)]
        start = time.monotonic()
        for byte in packet[:-1]:
            for connection in slow:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(bytes([byte]))
            assert is_served(server)
            if time.monotonic() > start + 1.5:
                break
        assert all(is_closed(connection, 10) for connection in slow)


# Bytes that are no protocol

def header(kind=dcerpc.BIND, flags=3, size=16, auth_size=0, version=5,
           minor=0, drep=b"\x10\0\0\0"):
    return struct.pack("<BBBB4sHHI", version, minor, kind, flags, drep, size,
                       auth_size, 1)


NONSENSE = {
    "zeros": bytes(4096),
    "ones": b"\xff" * 4096,
    "text": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 40,
    "tls": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "smb": bytes.fromhex("00000054ff534d4272") + bytes(80),
    "version 4": header(version=4),
    "minor version 9": header(minor=9),
    "shorter than its header": header(size=8),
    "size 0": header(size=0),
    "header alone": header(),
    "longest size": header(size=0xffff) + bytes(0xffff - 16),
    "authentication longer than the packet":
        header(size=72, auth_size=0xffff) + bytes(56),
    "big-endian": header(drep=b"\0\0\0\0", size=0x4800) + bytes(56),
    "unknown drep": header(drep=b"\xff" * 4, size=72) + bytes(56),
    "unknown kind": header(kind=99, size=72) + bytes(56),
    "bind of nothing": header(size=28) + bytes(12),
    "bind with 255 contexts that are not there":
        header(size=28) + struct.pack("<HHIB3x", 4280, 4280, 0, 255),
    "bind to the tiniest fragments":
        header(size=72) + struct.pack("<HHI", 1, 1, 0) + bind_body()[8:],
    "authentication of an unknown kind":
        header(size=16 + 56 + 16, auth_size=8) + bind_body()
        + struct.pack("<BBBBI", 0x77, 6, 0, 0, 1) + bytes(8),
    "a token that is none":
        header(size=16 + 56 + 16, auth_size=8) + bind_body()
        + struct.pack("<BBBBI", 9, 6, 0, 0, 1) + b"\x60\x84\xff\xff\xff\xff  ",
    **{f"kind {kind} before a bind": header(kind=kind, size=72) + bytes(56)
       for kind in range(20) if kind != dcerpc.BIND},
}


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_does_no_harm(service, what):
    """At either port; the service may answer or close, or wait for more."""
    for port in service.port, service.mapper_port:
        with raw(port) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(NONSENSE[what])
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(SECONDS)
                while connection.recv(4096):
                    pass
    assert is_served(service)
    assert service.process.poll() is None


@pytest.mark.parametrize("security", [None, Ntlm, SpnegoNtlm])
@pytest.mark.parametrize("kind", [
    dcerpc.REQUEST, dcerpc.BIND, dcerpc.ALTER, dcerpc.AUTH3, dcerpc.CANCEL,
    dcerpc.ORPHANED, dcerpc.RESPONSE])
def test_packets_out_of_turn_do_no_harm(service, kind, security):
    """Behind a bind, or in the middle of a logon."""
    before = rpc(service)
    if security is None:
        connection = even6.connect("127.0.0.1", service.port).rpc
    else:
        connection = begin_logon(service, security("alice", USERS["alice"]))
    with connection:
        for _ in range(2):
            with contextlib.suppress(ConnectionError):
                connection._send_plain(kind, 3, 7, bind_body(), None)
        with contextlib.suppress(dcerpc.Closed, OSError):
            connection.socket.shutdown(socket.SHUT_WR)
            while True:
                connection._receive_pdu()
    assert is_served(service)
    after = rpc(service)
    assert after["logons"] == before["logons"] + 1


def test_a_client_that_goes_within_a_fragment(service):
    """With a call parked, a request begun, and half a packet of its rest."""
    def held_now():
        return {k: v for k, v in held(service).items() if k != "connections"}
    before = held_now()
    for abort in False, True:
        client = alice(service)
        made = subscribe(client, "Application", even6.SUBSCRIBE_FUTURE)
        assert client.start(RemoteSubscriptionNextAsync(
            made.handle)).is_parked()
        head = struct.pack("<IHH", 100000, 0, 5)
        client.rpc._send_call(dcerpc.FIRST, 99, head, bytes(1024))
        client.rpc.socket.sendall(header(dcerpc.REQUEST, 0, 2000)[:10])
        assert held_now() != before
        (client.rpc.abort if abort else client.close)()
        wait_for(lambda: held_now() == before, "the client's things")
    assert is_served(service)


@pytest.mark.parametrize("user", ["nobody", "alice"])
def test_a_request_without_end_is_bounded(service, user):
    """Fragment after fragment, never the last one."""
    client = even6.connect("127.0.0.1", service.port) \
        if user == "nobody" else alice(service)
    before = memory_of(service)
    head = struct.pack("<IHH", 0, 0, 5)
    with client:
        sent = 0
        with pytest.raises((ConnectionError, TimeoutError)):
            client.rpc.socket.settimeout(SECONDS)
            while sent < 64 * MIB:
                client.rpc._send_call(dcerpc.FIRST * (sent == 0), 99, head,
                                      bytes(4096))
                sent += 4096
    assert sent < 64 * MIB
    if not SANITIZED:
        assert memory_of(service) < before + 16 * MIB
    assert is_served(service)


def test_contexts_of_a_connection_are_limited(service):
    """Alter context after alter context, each with another id."""
    with alice(service) as client:
        accepted = 0
        for number in range(1, 200):
            body = struct.pack("<HHIB3x", 4280, 4280, client.rpc.group, 1)
            body += struct.pack("<HBB", number, 1, 0) + \
                dcerpc._syntax(even6.INTERFACE) + dcerpc._syntax(dcerpc.NDR)
            client.rpc._send_plain(dcerpc.ALTER, 3, number + 10, body, None)
            try:
                pdu = client.rpc._receive_pdu()
            except (dcerpc.Closed, ConnectionError):
                break
            if pdu.kind != dcerpc.ALTER_RESP:
                break
            size, = struct.unpack_from("<H", pdu.body, 8)
            at = 10 + size
            at += -at % 4
            accepted += struct.unpack_from("<H", pdu.body, at + 4)[0] == 0
        assert accepted < 64
    assert is_served(service)
