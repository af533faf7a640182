# SPDX-License-Identifier: GPL-3.0-or-later
"""
evenlogd on a member of an Active Directory, without rights, with a state
directory that was empty: Kerberos and NTLM, the domain's groups, renewed
keys.  The host's nsswitch.conf names no winbind.
"""

import contextlib
import os
import re
import shlex
import signal
import struct
import threading
import time

import pytest

import adlab
import dcerpc
import even6
import forge
from adlab import DOMAIN, REALM, SERVICE_UID, USERS
from dcerpc import INTEGRITY, PRIVACY
from even6 import OpenLogHandle
from impacket.dcerpc.v5 import epm
from impacket.dcerpc.v5 import even6 as impacket_even6
from impacket.dcerpc.v5 import transport
from impacket.dcerpc.v5.rpcrt import (RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
                                      RPC_C_AUTHN_WINNT)
from server import BUILD

WHY_NOT = adlab.why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))

TARGET = f"mem1.ad.lab.test@{REALM}"
HOST = f"host/{TARGET}"
# Seconds.  Whoever waits for a controller that hangs waits a minute, and the
# machine may be busy.
SOON = 30


def keytab_unit():
    """evenlog-keytab.service as it would be installed."""
    unit = os.path.join(BUILD, "evenlog-keytab.service")
    with open(unit, encoding="utf-8") as file:
        return file.read().replace("\\\n", "")


def keytab():
    """Where it keeps the keys, below this build's sysconfdir."""
    return re.search(r"keytab file=([^\"]*)\"", keytab_unit())[1]


def renew_keytab(lab):
    """What evenlog-keytab.service does."""
    text = keytab_unit()
    commands = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        lab.mem.run(*shlex.split(command))


@pytest.fixture(scope="module")
def lab():
    with adlab.Lab() as lab:
        lab.up()
        lab.mem.mount(os.path.dirname(keytab()))
        renew_keytab(lab)
        yield lab


@pytest.fixture(scope="module")
def service(lab):
    """Its first start, on an empty directory."""
    server = adlab.MemberServer(
        lab, readers=[f"{DOMAIN}\\EvtNested"],
        administrators=[f"{DOMAIN}\\Domain Admins"], config=f"""
[channel Members]
access = O:BAG:SYD:(A;;0x1;;;{lab.sid('EvtNested')})
[channel Admins]
access = O:BAG:SYD:(A;;0x1;;;DA)
[channel Users]
access = O:BAG:SYD:(D;;0x1;;;{lab.sid('EvtReaders')})(A;;0x1;;;DU)
""")
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture(scope="module")
def tickets(lab):
    return {user: lab.ticket(user, HOST) for user in USERS}


MECHANISMS = {
    "ntlm": lambda user, level, tickets:
        dcerpc.Ntlm(user, USERS[user], DOMAIN, level=level),
    "spnego-ntlm": lambda user, level, tickets:
        dcerpc.SpnegoNtlm(user, USERS[user], DOMAIN, level=level),
    "kerberos": lambda user, level, tickets:
        dcerpc.Kerberos(TARGET, tickets[user], level=level, spnego=False),
    "spnego-kerberos": lambda user, level, tickets:
        dcerpc.Kerberos(TARGET, tickets[user], level=level),
}


@pytest.fixture
def log_on(lab, service, tickets):
    """A function that connects from the client as a user of the domain."""
    clients = []

    def log_on(user="alice", mechanism="spnego-kerberos", level=PRIVACY,
               security=None):
        security = security or MECHANISMS[mechanism](user, level, tickets)
        with lab.network():
            client = even6.connect(lab.mem.address, service.port, security)
        clients.append(client)
        return client

    yield log_on
    for client in clients:
        client.close()


def opens(client, channel):
    return client.call(OpenLogHandle(channel)).rc


@pytest.mark.parametrize("level", [INTEGRITY, PRIVACY])
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_mechanism_logs_on_the_domain_s_users(service, log_on, mechanism,
                                                    level):
    before = service.status()["rpc"]
    assert opens(log_on("alice", mechanism, level), "Application") == 0
    assert opens(log_on("bob", mechanism, level), "Application") == 5
    after = service.status()["rpc"]
    assert after["logons"] == before["logons"] + 2
    assert after["logons_kerberos"] == before["logons_kerberos"] + \
        (2 if mechanism.endswith("kerberos") else 0)


def test_the_service_has_no_rights_and_its_own_files(lab, service):
    with open(f"/proc/{service.process.pid}/status",
              encoding="ascii") as file:
        status = dict(line.split(":\t", 1) for line in file)
    assert set(status["Uid"].split()) == {str(SERVICE_UID)}
    # CAP_NET_BIND_SERVICE and nothing else, for good.
    assert {status[name].strip() for name in ("CapPrm", "CapBnd")} == \
        {f"{1 << 10:016x}"}
    with open(lab.mem.path("/etc/nsswitch.conf"), encoding="ascii") as file:
        assert "winbind" not in file.read()
    for top, names, files in os.walk(service.dir + "/samba"):
        for name in names + files:
            assert os.lstat(os.path.join(top, name)).st_uid == SERVICE_UID


@pytest.mark.parametrize("mechanism", ["ntlm", "kerberos"])
def test_nested_groups_of_the_domain_open_channels(log_on, mechanism):
    """alice is in EvtReaders, and by that in EvtNested."""
    access = {user: [opens(log_on(user, mechanism), channel)
                     for channel in ("Application", "Members", "Admins",
                                     "Users")]
              for user in USERS}
    assert access == {"alice": [0, 0, 5, 5], "bob": [5, 5, 5, 0],
                      "Administrator": [0, 5, 0, 0]}


def test_wrong_passwords_and_strangers(service, log_on):
    for security in (
            dcerpc.SpnegoNtlm("alice", "wrong", DOMAIN),
            dcerpc.Ntlm("alice", "wrong", DOMAIN),
            dcerpc.Ntlm("nobody-of-ours", "x", DOMAIN),
            dcerpc.Ntlm("nobody", "", "MEM1"), dcerpc.Ntlm("", "")):
        before = service.status()["rpc"]
        with pytest.raises((dcerpc.Refused, dcerpc.Fault, dcerpc.Closed)):
            opens(log_on(security=security), "Application")
        after = service.status()["rpc"]
        assert after["logons"] == before["logons"]


def test_users_are_known_by_their_principal_name_too(log_on):
    security = dcerpc.Ntlm(f"alice@{adlab.DNS_DOMAIN}", USERS["alice"])
    assert opens(log_on(security=security), "Members") == 0


@pytest.mark.parametrize("mechanism", ["ntlm", "spnego-kerberos"])
def test_a_subscription_from_the_domain(service, log_on, mechanism):
    client = log_on("alice", mechanism)
    made = client.call(even6.RegisterRemoteSubscription("Application"))
    waiting = client.start(even6.RemoteSubscriptionNextAsync(made.handle))
    assert waiting.is_parked()
    service.publish("Application", 1)
    assert len(waiting.result().records()) == 1


@pytest.mark.parametrize("by_mapper", [False, True])
def test_the_command_by_kerberos(lab, service, by_mapper):
    """With a ticket for nothing yet: it asks the domain controller."""
    service.publish("Members", 1, Text="by Kerberos")
    name = lab.mem.fqdn + ("" if by_mapper else f":{service.port}")

    def query(user, **options):
        return lab.cli.run(
            os.path.join(BUILD, "cli", "evenlog"), "--config", service.config,
            "--remote", name, "--kerberos", "query", "Members",
            "--format=json", pid=False,
            env=dict(os.environ, KRB5CCNAME=lab.ticket(user)), **options)

    assert "by Kerberos" in query("alice").stdout
    done = query("bob", check=False)
    assert done.returncode == 1 and "access denied" in done.stderr


def test_impacket_by_ntlm_and_the_mapper(lab, service):
    service.publish("Members", 1)
    with lab.network():
        binding = epm.hept_map(lab.mem.address,
                               impacket_even6.MSRPC_UUID_EVEN6,
                               protocol="ncacn_ip_tcp")
        factory = transport.DCERPCTransportFactory(binding)
        factory.set_credentials("alice", USERS["alice"], DOMAIN)
        dce = factory.get_dce_rpc()
        dce.set_auth_type(RPC_C_AUTHN_WINNT)
        dce.set_auth_level(RPC_C_AUTHN_LEVEL_PKT_PRIVACY)
        dce.connect()
        dce.bind(impacket_even6.MSRPC_UUID_EVEN6)
    query = impacket_even6.hEvtRpcRegisterLogQuery(
        dce, "Members\0", impacket_even6.EvtQueryChannelName
        | impacket_even6.EvtReadOldestToNewest)
    found = impacket_even6.hEvtRpcQueryNext(dce, query["Handle"], 1, 1000)
    assert found["NumActualRecords"] == 1
    dce.disconnect()


def test_whatever_of_the_machine_s_names_a_ticket_is_for(lab, log_on):
    """Which one Windows asks for is not known (facts 1.2)."""
    for service in "host", "RPCSS", "cifs":
        cache = lab.ticket("alice", f"{service}/{TARGET}")
        security = dcerpc.Kerberos(TARGET, cache, service=service)
        assert opens(log_on(security=security), "Members") == 0


DOMAIN_USERS = struct.pack("<LL", 513, 7)    # as a GROUP_MEMBERSHIP
DOMAIN_ADMINS = struct.pack("<LL", 512, 7)


def as_administrator(pac):
    assert pac.count(DOMAIN_USERS) == 1
    return pac.replace(DOMAIN_USERS, DOMAIN_ADMINS)


@pytest.mark.parametrize("change,expected", [
    # What the forger can do otherwise: all but the signature.
    (lambda pac, keys: [pac], [0, 5]),
    (lambda pac, keys: [forge.sign(as_administrator(pac), keys)], [0, 0]),
    (lambda pac, keys: [as_administrator(pac)], None),
    (lambda pac, keys: [as_administrator(pac), pac], None),
    (lambda pac, keys: [pac, as_administrator(pac)], [0, 5]),
    (lambda pac, keys: [], None),
], ids=["as it was", "signed", "changed", "another before", "another behind",
        "none"])
def test_a_forged_pac_makes_nobody_administrator(lab, log_on, change,
                                                 expected):
    """The ticket is right, the signature over the PAC is not."""
    cache = f"{lab.dir}/forged.cache"
    keys = forge.service_keys(lab.mem.path(keytab()))
    forge.rewrite(lab.ticket("alice", HOST), cache, keys,
                  lambda pac: change(pac, keys))
    security = dcerpc.Kerberos(TARGET, cache)
    if expected is None:
        with pytest.raises((dcerpc.Refused, dcerpc.Fault, dcerpc.Closed)):
            opens(log_on(security=security), "Application")
        return
    client = log_on(security=security)
    assert [opens(client, "Members"), opens(client, "Admins")] == expected


def test_a_new_machine_password_needs_new_keys(lab, log_on, tickets):
    """Which the service takes without a restart."""
    old = log_on("alice")
    lab.mem.run("net", "ads", "changetrustpw")
    fresh = dcerpc.Kerberos(TARGET, lab.ticket("alice", HOST))
    with pytest.raises((dcerpc.Refused, dcerpc.Fault, dcerpc.Closed)):
        log_on(security=fresh)
    assert opens(log_on("alice", "ntlm"), "Members") == 0

    renew_keytab(lab)
    assert opens(log_on(security=fresh), "Members") == 0
    # Tickets from before, and who is logged on already, go on.
    stat = os.stat(lab.mem.path(keytab()))
    assert (stat.st_uid, stat.st_gid, stat.st_mode & 0o777) == \
        (0, SERVICE_UID, 0o640)
    assert opens(old, "Members") == 0


@contextlib.contextmanager
def frozen_controller(lab):
    """The domain controller is there and does not answer."""
    lab.dc.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        lab.dc.signal(signal.SIGCONT)


def reload(server):
    """SIGHUP, and until it says that it has done so."""
    word = "configuration reloaded"
    done = server.log().count(word)
    server.signal(signal.SIGHUP)
    end = time.monotonic() + 60
    while server.log().count(word) == done:
        assert time.monotonic() < end
        time.sleep(0.01)


def start_log_on(lab, service, security):
    """A logon that is under way: its thread and what came of it."""
    results = []

    def log_on():
        try:
            with lab.network():
                client = even6.connect(lab.mem.address, service.port, security)
            results.append(opens(client, "Application"))
            client.close()
        except (dcerpc.Refused, dcerpc.Fault, dcerpc.Closed, OSError) as error:
            results.append(error)

    thread = threading.Thread(target=log_on)
    thread.start()
    return thread, results


def test_a_controller_that_hangs_holds_up_nobody_else(lab, service, log_on):
    """Facts 2: Samba's own way held the service up for a minute."""
    def alice_by_ntlm():
        return start_log_on(lab, service,
                            dcerpc.Ntlm("alice", USERS["alice"], DOMAIN))

    client = log_on("alice")
    made = client.call(even6.RegisterRemoteSubscription("Application"))
    with frozen_controller(lab):
        waiting = [alice_by_ntlm() for _ in range(3)]
        # By Kerberos, who has a ticket comes in without the controller.
        assert opens(log_on("alice"), "Members") == 0
        assert opens(log_on("bob", "kerberos"), "Members") == 5
        for _ in range(20):
            began = time.monotonic()
            call = client.start(even6.RemoteSubscriptionNextAsync(made.handle))
            service.publish("Application", 1)
            assert len(call.result().records()) == 1
            assert time.monotonic() - began < SOON
        # They did wait for it all the time.
        assert all(thread.is_alive() for thread, _ in waiting)
    for thread, results in waiting:
        thread.join(60)
        assert results == [0]
    assert service.status()["loop_lag"]["max_us"] < SOON * 1000000


def test_who_gives_up_while_the_controller_hangs(lab, log_on):
    """The service forgets them; winbindd's answers come to nobody."""
    server = adlab.MemberServer(lab, readers=[f"{DOMAIN}\\alice"],
                                mapper=False, rpc="logon_seconds = 1")
    security = dcerpc.Ntlm("alice", USERS["alice"], DOMAIN)
    try:
        server.start()
        with frozen_controller(lab):
            clients = []
            for _ in range(5):
                with lab.network():
                    rpc = dcerpc.Connection(lab.mem.address, server.port)
                # The last leg of NTLM has no answer to wait for.
                rpc.bind(even6.INTERFACE, security)
                clients.append(rpc)
            clients[0].abort()
            for rpc in clients[1:]:
                with pytest.raises((dcerpc.Closed, ConnectionError)):
                    rpc.call(0)
            end = time.monotonic() + 30
            while server.status()["rpc"]["connections"] != 1:
                assert time.monotonic() < end
        with lab.network():
            client = even6.connect(lab.mem.address, server.port, security)
        assert opens(client, "Application") == 0
        client.close()
    finally:
        server.close()


def test_stopping_while_the_controller_hangs(lab):
    """Nobody waits for the threads that wait for winbindd."""
    server = adlab.MemberServer(lab, mapper=False)
    security = dcerpc.Ntlm("alice", USERS["alice"], DOMAIN)
    try:
        server.start()
        with frozen_controller(lab):
            clients = []
            for _ in range(70):     # more than wait at the same time
                with lab.network():
                    clients.append(dcerpc.Connection(lab.mem.address,
                                                     server.port))
                clients[-1].bind(even6.INTERFACE, security)
            # Who is one too many is told at once.
            with pytest.raises((dcerpc.Fault, dcerpc.Closed,
                                ConnectionError)):
                clients[-1].call(0)
            threads = os.listdir(f"/proc/{server.process.pid}/task")
            assert 64 <= len(threads) < 64 + 16
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < SOON
            for client in clients:
                client.abort()
    finally:
        server.close()


def test_names_while_the_controller_hangs(lab, service, log_on, tickets):
    """Start and reload wait two seconds; later names count when they come."""
    server = adlab.MemberServer(lab, mapper=False,
                                readers=[f"{DOMAIN}\\Domain Users"])

    def bob_opens():
        security = MECHANISMS["kerberos"]("bob", PRIVACY, tickets)
        with lab.network():
            client = even6.connect(lab.mem.address, server.port, security)
        with client:
            return opens(client, "Application") == 0

    try:
        with frozen_controller(lab):
            began = time.monotonic()
            server.start()
            assert not bob_opens()
            service.write_config(service.read_config().replace(
                f"{DOMAIN}\\Domain Admins",
                f"{DOMAIN}\\Domain Admins, {DOMAIN}\\Nobody Knows"))
            reload(service)
            assert time.monotonic() - began < SOON
            # Names that were known stay so.
            assert opens(log_on("alice"), "Application") == 0
            assert opens(log_on("Administrator"), "Application") == 0
        end = time.monotonic() + 50
        while not bob_opens():
            assert time.monotonic() < end
    finally:
        server.close()


def test_local_users_are_there_beside_the_domain_s(lab):
    """Their domain is the host."""
    server = adlab.MemberServer(lab, mapper=False, readers=["local"])
    try:
        lab.mem.run(os.path.join(BUILD, "cli", "evenlog"), "--config",
                    server.config, "user", "add", "local", pid=False,
                    env=dict(os.environ, EVENLOG_PASSWORD="L0cal-pass"))
        server.start()
        for password, expected in ("L0cal-pass", True), ("other", False):
            security = dcerpc.SpnegoNtlm("local", password, "MEM1")
            thread, results = start_log_on(lab, server, security)
            thread.join(60)
            assert (results == [0]) == expected
    finally:
        server.close()


def test_without_winbindd(lab, service, log_on):
    """Kerberos goes on, NTLM is refused at once, and comes back."""
    lab.mem.signal(signal.SIGSTOP)
    try:
        assert opens(log_on("alice"), "Members") == 0
    finally:
        lab.mem.signal(signal.SIGCONT)
    lab.mem.signal(signal.SIGKILL)
    assert opens(log_on("alice"), "Members") == 0
    with pytest.raises((dcerpc.Refused, dcerpc.Fault, dcerpc.Closed)):
        opens(log_on("alice", "ntlm"), "Members")
    # What the first start found out holds for the next one.
    assert service.stop() == 0
    service.start()
    assert opens(log_on("alice"), "Application") == 5
    lab.start_winbindd()
    assert opens(log_on("alice", "ntlm"), "Members") == 0
