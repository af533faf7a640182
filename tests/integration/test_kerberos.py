# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos from end to end, with a KDC on loopback.  The command insists on
authentication type 16 (Kerberos) and level 6 (sealed) once it is connected,
so that success here is proof of the mechanism."""

import json
import time

import pytest

from kdc import REALM, Kdc
from server import USERS


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
    keytab = kdc.add_service(f"host/localhost@{REALM}")
    made = make_server(start=False, realm=REALM, keytab=keytab)
    return made.start(KRB5_CONFIG=kdc.krb5_conf)


def ask(server, kdc, cache, *args, host="localhost", port=True):
    target = f"{host}:{server.port}" if port else host
    return server.evenlog(*args, "--remote", target, "--mapper-port",
                          str(server.mapper_port), "--kerberos", check=False,
                          KRB5_CONFIG=kdc.krb5_conf, KRB5CCNAME=cache)


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


def test_once_ticketed_the_kdc_is_not_needed(server, kdc):
    cache = kdc.ticket("alice", USERS["alice"])
    assert ask(server, kdc, cache, "list").returncode == 0
    kdc.stop()
    done = ask(server, kdc, cache, "list")
    assert done.returncode == 0
    assert "Application" in done.stdout


def test_rights_are_the_ticket_s_owner_s(server, kdc):
    cache = kdc.ticket("bob", USERS["bob"])
    done = ask(server, kdc, cache, "query", "Application")
    assert done.returncode == 1
    assert "access denied" in done.stderr


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
