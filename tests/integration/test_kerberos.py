# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos from end to end, with a KDC on loopback.  The command insists on
authentication type 16 (Kerberos) and level 6 (sealed) once it is connected,
and the service counts its sessions by mechanism, so that success here is proof
of the mechanism at both ends."""

import json
import time

import pytest

import dcerpc
import even6
from dcerpc import INTEGRITY, PRIVACY
from even6 import GetChannelList, OpenLogHandle
from kdc import REALM, Kdc, is_installed
from server import USERS

pytestmark = pytest.mark.skipif(
    not is_installed(), reason="needs Debian's krb5-kdc and krb5-user")

HOST = f"host/localhost@{REALM}"


@pytest.fixture
def kdc():
    made = Kdc()
    made.add_user("alice", USERS["alice"])
    made.add_user("bob", USERS["bob"])
    made.start()
    yield made
    made.close()


@pytest.fixture
def server(make_server, kdc):
    keytab = kdc.add_service(HOST)
    made = make_server(start=False, realm=REALM, keytab=keytab)
    return made.start(KRB5_CONFIG=kdc.krb5_conf)


def ask(server, kdc, cache, *args, host="localhost", port=True):
    target = f"{host}:{server.port}" if port else host
    return server.evenlog(*args, "--remote", target, "--mapper-port",
                          str(server.mapper_port), "--kerberos", check=False,
                          KRB5_CONFIG=kdc.krb5_conf, KRB5CCNAME=cache)


def logon(server, cache, level=PRIVACY, **options):
    """By our own client, which has no other mechanism to fall back to."""
    return even6.connect("127.0.0.1", server.port, dcerpc.Kerberos(
        f"localhost@{REALM}", cache, level=level, **options))


def opens(server, cache, **options):
    """Whether a ticket leads to an answer."""
    try:
        with logon(server, cache, **options) as client:
            return client.call(OpenLogHandle("Application")).rc == 0
    except (dcerpc.Refused, dcerpc.Fault, dcerpc.Closed, ConnectionError):
        return False


def is_refused(server, cache, **options):
    """Whether a ticket opens nothing and leaves no session behind."""
    before = server.status()["rpc"]
    assert not opens(server, cache, **options)
    after = server.status()["rpc"]
    assert after["calls"] == before["calls"]
    assert after["logons"] == before["logons"]
    assert after["logon_failures"] == before["logon_failures"] + 1
    return True


def test_a_ticket_logs_on_with_and_without_the_mapper(server, kdc):
    server.publish("Application", 2)
    cache = kdc.ticket("alice", USERS["alice"])
    for port in True, False:
        done = ask(server, kdc, cache, "query", "Application",
                   "--format=json", port=port)
        assert done.returncode == 0, done.stderr
        numbers = [json.loads(line)["EventData"]["Number"]
                   for line in done.stdout.splitlines()]
        assert numbers == ["1", "2"]
    done = ask(server, kdc, cache, "subscribe", "Application",
               "--from=oldest", "--count=2")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2
    stats = server.status()["rpc"]
    assert (stats["logons"], stats["logons_kerberos"]) == (3, 3)


@pytest.mark.parametrize("spnego", [True, False])
@pytest.mark.parametrize("level", [INTEGRITY, PRIVACY])
def test_another_client_signed_and_sealed(server, kdc, level, spnego):
    server.publish("Application", 1)
    cache = kdc.ticket("alice", USERS["alice"], HOST)
    with logon(server, cache, level, spnego=spnego) as client:
        assert client.call(OpenLogHandle("Application")).rc == 0
        query = client.call(even6.RegisterLogQuery("Application"))
        assert len(client.call(even6.QueryNext(query.handle)).records()) == 1
    stats = server.status()["rpc"]
    assert (stats["logons"], stats["logons_kerberos"]) == (1, 1)
    # NTLM goes on beside it, and is told apart.
    with even6.connect("127.0.0.1", server.port, dcerpc.Ntlm(
            "alice", USERS["alice"])) as client:
        assert client.call(OpenLogHandle("Application")).rc == 0
    stats = server.status()["rpc"]
    assert (stats["logons"], stats["logons_kerberos"]) == (2, 1)


def test_every_service_name_of_the_keytab_is_taken(server, kdc):
    """Which one Windows asks for is not known (facts 1.2)."""
    kdc.add_service(f"RPCSS/localhost@{REALM}")
    cache = kdc.ticket("alice", USERS["alice"], f"RPCSS/localhost@{REALM}")
    with logon(server, cache, service="RPCSS") as client:
        assert client.call(OpenLogHandle("Application")).rc == 0


def test_below_integrity_every_call_is_refused(server, kdc):
    cache = kdc.ticket("alice", USERS["alice"], HOST)
    with logon(server, cache, dcerpc.CONNECT) as client:
        for call in GetChannelList(), OpenLogHandle("Application"):
            assert even6.fault_of(client, call) == dcerpc.FAULT_ACCESS_DENIED


def test_once_ticketed_the_kdc_is_not_needed(server, kdc):
    cache = kdc.ticket("alice", USERS["alice"])
    assert ask(server, kdc, cache, "list").returncode == 0
    kdc.stop()
    done = ask(server, kdc, cache, "list")
    assert done.returncode == 0
    assert "Application" in done.stdout


def test_rights_are_the_ticket_s_owner_s(server, kdc):
    cache = kdc.ticket("bob", USERS["bob"], HOST)
    done = ask(server, kdc, cache, "query", "Application")
    assert done.returncode == 1
    assert "access denied" in done.stderr
    with logon(server, cache) as client:
        assert client.call(OpenLogHandle("Application")).rc == 5


def test_a_ticket_for_a_key_the_service_has_not(server, kdc):
    kdc.change_key(HOST)
    assert is_refused(server, kdc.ticket("alice", USERS["alice"], HOST))
    done = ask(server, kdc, kdc.ticket("alice", USERS["alice"]), "list")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "refused the Kerberos ticket" in done.stderr


def test_a_principal_that_is_no_user_here(server, kdc):
    kdc.add_user("stranger", "Some-pass")
    assert is_refused(server, kdc.ticket("stranger", "Some-pass", HOST))


def test_an_expired_ticket_is_refused_by_the_service(server, kdc):
    """Our own client does not look at the time."""
    cache = kdc.ticket("alice", USERS["alice"], HOST, lifetime="1s")
    end = time.monotonic() + 30
    while opens(server, cache):
        assert time.monotonic() < end
    assert is_refused(server, cache)
    # It was the time and nothing else.
    assert opens(server, kdc.ticket("alice", USERS["alice"], HOST))


def test_a_service_without_a_keytab_gets_no_other_logon(make_server, kdc):
    kdc.add_service(HOST)
    server = make_server()
    cache = kdc.ticket("alice", USERS["alice"], HOST)
    before = server.status()["rpc"]
    done = ask(server, kdc, cache, "list")
    assert done.returncode == 1
    assert done.stdout == "" and "Kerberos" in done.stderr
    after = server.status()["rpc"]
    assert after["logons"] == before["logons"]
    assert after["calls"] == before["calls"]


def test_what_is_wrong_with_a_ticket_is_said(server, kdc):
    done = ask(server, kdc, f"FILE:{kdc.dir}/none", "list")
    assert done.returncode == 1 and "kinit" in done.stderr

    cache = kdc.ticket("alice", USERS["alice"])
    done = ask(server, kdc, cache, "list", host="127.0.0.1")
    assert done.returncode == 1 and "name" in done.stderr

    # A host that the KDC does not know.
    done = ask(server, kdc, cache, "list", host="ip6-localhost")
    assert done.returncode == 1 and "Application" not in done.stdout

    kdc.stop()
    done = ask(server, kdc, cache, "list")
    assert done.returncode == 1
    assert "no KDC" in done.stderr


def test_an_expired_ticket_is_never_anonymous(server, kdc):
    cache = kdc.ticket("alice", USERS["alice"], lifetime="1s")
    end = time.monotonic() + 30
    # The ticket for the service that a success leaves ends with it.
    done = ask(server, kdc, cache, "list")
    while done.returncode == 0:
        assert time.monotonic() < end
        done = ask(server, kdc, cache, "list")
    assert "ticket" in done.stderr
    assert done.stdout == ""
