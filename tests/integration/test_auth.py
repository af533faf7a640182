# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets in and who may read: logons by NTLM, raw and inside SPNEGO, what is
refused and how, rights by access strings and configured groups, and what an
administrator sees of it.  Kerberos is in test_kerberos.py."""

import glob
import json
import os
import signal
import subprocess
import time

import pytest

import dcerpc
import even6
from dcerpc import (CALL, CONNECT, INTEGRITY, PACKET, PRIVACY, Ntlm,
                    SpnegoNtlm)
from even6 import (GetChannelList, OpenLogHandle, Raw, RegisterLogQuery,
                   RegisterRemoteSubscription)
from server import BUILD, USERS
from subscribing import query_list

MECHANISMS = pytest.mark.parametrize("mechanism", [Ntlm, SpnegoNtlm])
BUILT_IN = ("Application", "System", "Security", "ForwardedEvents",
            "Evenlog/Operational")
EVEN6_CALLS = 29
SEC_PKG_ERROR = 0x721           # [MS-ERREF], RPC_S_SEC_PKG_ERROR
SECONDS = 60


def logon(server, user, password, mechanism=Ntlm, level=PRIVACY, **options):
    return even6.connect("127.0.0.1", server.port,
                         mechanism(user, password, level=level, **options))


def rc_of(server, user, call, password=None):
    """The result of one call on a connection of its own."""
    with logon(server, user, password or USERS[user]) as client:
        return client.call(call).rc


def gets_in(server, user, password, mechanism=Ntlm, **options):
    """Whether the logon succeeds; if not, it must be refused properly."""
    try:
        client = logon(server, user, password, mechanism, **options)
    except dcerpc.Fault as fault:
        # The answer to SPNEGO's last leg.
        assert (mechanism, fault.status) == (SpnegoNtlm, SEC_PKG_ERROR)
        return False
    with client:
        try:
            return client.call(GetChannelList()).rc == 0
        except dcerpc.Fault as fault:
            # Raw NTLM's last leg has no answer, so the first call tells.
            assert (mechanism, fault.status) == (Ntlm, dcerpc.FAULT_PROTOCOL)
        with pytest.raises((dcerpc.Closed, ConnectionError)):
            client.call(GetChannelList())
        return False


def wait_for(check, what):
    """Poll for a state that has no event to wait on."""
    end = time.monotonic() + SECONDS
    while not check():
        assert time.monotonic() < end, f"not within {SECONDS} s: {what}"
        time.sleep(0.02)


def reload(server, text):
    """Have the service take over this configuration."""
    before = server.log().count("configuration reloaded")
    server.write_config(text)
    server.signal(signal.SIGHUP)
    wait_for(lambda: server.log().count("configuration reloaded") > before,
             "the reload")


def with_readers(server, *readers):
    return server.read_config().replace(
        "event_log_readers = alice\n",
        f"event_log_readers = {', '.join(readers)}\n")


def sid_of(server, user):
    """The account's SID as Samba's own tool tells it."""
    conf = os.path.join(server.dir, "samba", "smb.conf")
    out = subprocess.run(["net", "-s", conf, "sam", "show", user],
                         env=server.env(ASAN_OPTIONS="detect_leaks=0"),
                         capture_output=True, text=True, timeout=SECONDS,
                         check=True).stdout
    return out.partition("with SID ")[2].strip()


def own_events(server, event_id):
    """EventData of Evenlog's own events with that id."""
    out = server.evenlog("query", "Evenlog/Operational",
                         "--format=json").stdout
    events = [json.loads(line) for line in out.splitlines()]
    return [event["EventData"] for event in events
            if event["System"]["EventID"] == event_id]


# Logons

@MECHANISMS
@pytest.mark.parametrize("level", [INTEGRITY, PRIVACY])
def test_the_right_password_signed_and_sealed(service, mechanism, level):
    before = service.status()["rpc"]
    with logon(service, "alice", USERS["alice"], mechanism, level) as client:
        assert client.call(GetChannelList()).rc == 0
        assert client.call(OpenLogHandle("Application")).rc == 0
        after = service.status()["rpc"]
    assert after["logons"] == before["logons"] + 1
    assert after["logons_kerberos"] == before["logons_kerberos"]
    assert after["logon_failures"] == before["logon_failures"]


@MECHANISMS
@pytest.mark.parametrize("level, user, password", [
    (INTEGRITY, "alice", "wrong"), (PRIVACY, "alice", "wrong"),
    (PRIVACY, "alice", ""), (PRIVACY, "alice", USERS["alice"].lower()),
    (PRIVACY, "alice", USERS["bob"]),
    (INTEGRITY, "nobody-at-all", "x"), (PRIVACY, "nobody-at-all", "x"),
    # Unix users without an account here.
    (PRIVACY, "nobody", ""), (PRIVACY, "root", "")])
def test_a_logon_that_is_wrong(service, mechanism, level, user, password):
    """What is wrong, user or password, cannot be told from the answer."""
    before = service.status()["rpc"]
    assert not gets_in(service, user, password, mechanism, level=level)
    after = service.status()["rpc"]
    assert after["calls"] == before["calls"]
    assert after["logons"] == before["logons"]
    assert after["logon_failures"] == before["logon_failures"] + 1
    assert gets_in(service, "alice", USERS["alice"], mechanism, level=level)


@MECHANISMS
@pytest.mark.parametrize("domain", ["", "EVENLOG", "CLIENT-PC", "corp.example"])
def test_whatever_domain_the_client_names_accounts_are_local(
        service, mechanism, domain):
    assert gets_in(service, "alice", USERS["alice"], mechanism, domain=domain)
    assert not gets_in(service, "alice", "wrong", mechanism, domain=domain)


@MECHANISMS
def test_user_names_are_compared_without_case(service, mechanism):
    assert gets_in(service, "Alice", USERS["alice"], mechanism)


def test_a_password_is_any_unicode(server):
    for password in "pässwörd €", "пароль", "\U0001d11e", "x" * 127:
        server.evenlog("user", "add", "bob", EVENLOG_PASSWORD=password)
        assert gets_in(server, "bob", password)
        assert not gets_in(server, "bob", password + "x")


# Less than integrity

@MECHANISMS
@pytest.mark.parametrize("level", [CONNECT, PACKET])
def test_below_integrity_every_call_is_refused(service, mechanism, level):
    with logon(service, "alice", USERS["alice"], mechanism, level) as client:
        for call in (GetChannelList(), OpenLogHandle("Application"),
                     RegisterLogQuery("Application")):
            assert even6.fault_of(client, call) == dcerpc.FAULT_ACCESS_DENIED


@MECHANISMS
def test_the_level_of_datagrams_is_refused_by_the_bind(service, mechanism):
    """Level "call" is not for connections; Samba's core says no at once."""
    with pytest.raises(dcerpc.Refused):
        logon(service, "alice", USERS["alice"], mechanism, CALL)


def test_anonymous_may_bind_and_do_nothing(service):
    before = service.status()["rpc"]
    with even6.connect("127.0.0.1", service.port) as client:
        for opnum in range(EVEN6_CALLS):
            assert even6.fault_of(client, Raw(opnum)) == \
                dcerpc.FAULT_ACCESS_DENIED
    assert service.status()["rpc"]["logons"] == before["logons"]


@MECHANISMS
@pytest.mark.parametrize("level", [INTEGRITY, PRIVACY])
def test_a_protected_anonymous_session_may_do_nothing(
        service, mechanism, level):
    with logon(service, "", "", mechanism, level) as client:
        for call in (GetChannelList(), OpenLogHandle("Application"),
                     RegisterLogQuery("Application"),
                     RegisterRemoteSubscription("Application")):
            assert even6.fault_of(client, call) == dcerpc.FAULT_ACCESS_DENIED


# Packets that are not what the user sent

class Forged(Ntlm):
    """Changes one bit of what it sends, when told to."""
    bit = None

    def protect(self, header, body, trailer):
        sent, value = super().protect(header, body, trailer)
        if self.bit is not None:
            changed = bytearray(sent)
            changed[self.bit // 8] ^= 1 << self.bit % 8
            sent = bytes(changed)
        return sent, value


class Recording:
    """A socket that remembers what was sent."""

    def __init__(self, socket):
        self.socket, self.sent = socket, []

    def __getattr__(self, name):
        return getattr(self.socket, name)

    def sendall(self, data):
        self.sent.append(data)
        self.socket.sendall(data)


def is_cut_off(client, call):
    """No answer but a fault, and then the end of the connection."""
    with pytest.raises((dcerpc.Fault, dcerpc.Closed, ConnectionError)):
        client.call(call)
    with pytest.raises((dcerpc.Closed, ConnectionError)):
        client.call(call)
    return True


@pytest.mark.parametrize("level", [INTEGRITY, PRIVACY])
@pytest.mark.parametrize("bit", [0, 40])
def test_a_changed_request_is_not_carried_out(service, level, bit):
    with logon(service, "alice", USERS["alice"], Forged, level) as client:
        assert client.call(GetChannelList()).rc == 0
        before = service.status()["rpc"]["calls"]
        client.rpc.security.bit = bit
        assert is_cut_off(client, OpenLogHandle("Application"))
    assert service.status()["rpc"]["calls"] == before


@pytest.mark.parametrize("level", [INTEGRITY, PRIVACY])
def test_a_request_sent_again_is_not_carried_out(service, level):
    with logon(service, "alice", USERS["alice"], Ntlm, level) as client:
        client.rpc.socket = recording = Recording(client.rpc.socket)
        assert client.call(GetChannelList()).rc == 0
        before = service.status()["rpc"]["calls"]
        recording.sendall(recording.sent[-1])
        with pytest.raises((dcerpc.Closed, ConnectionError)):
            while True:
                client.rpc._receive_pdu()
    assert service.status()["rpc"]["calls"] == before


def test_a_session_s_requests_cannot_do_without_protection(service):
    with logon(service, "alice", USERS["alice"]) as client:
        assert client.call(GetChannelList()).rc == 0
        before = service.status()["rpc"]["calls"]
        client.rpc.security = None
        assert is_cut_off(client, GetChannelList())
    assert service.status()["rpc"]["calls"] == before


# Rights

@pytest.mark.parametrize("name", BUILT_IN)
def test_without_a_right_to_read_no_door_opens(service, name):
    """Other tests have the details; these are the logs that are built in."""
    denied = even6.ERROR_ACCESS_DENIED
    with logon(service, "bob", USERS["bob"]) as bob:
        for call in (RegisterRemoteSubscription(name),
                     RegisterRemoteSubscription(None, query_list(name)),
                     RegisterLogQuery(name),
                     RegisterLogQuery(None, query_list(name)),
                     OpenLogHandle(name)):
            got = bob.call(call)
            assert (got.rc, got.handle) == (denied, even6.NO_HANDLE)
        # The names of logs are no secret, as on Windows.
        assert name in bob.call(GetChannelList()).names
    assert rc_of(service, "alice", OpenLogHandle(name)) == 0


def test_an_access_string_names_a_user(make_server):
    server = make_server(start=False, readers=())
    alice, bob = sid_of(server, "alice"), sid_of(server, "bob")
    server.write_config(server.read_config() + f"""
[channel Given]
access = O:BAG:SYD:(A;;0x1;;;{bob})
[channel Denied]
access = O:BAG:SYD:(D;;0x1;;;{bob})(A;;0x1;;;AU)
[channel Everybody]
access = O:BAG:SYD:(A;;0x7;;;WD)
[channel Writers]
access = O:BAG:SYD:(A;;0x6;;;{bob})
[channel Nobody]
access = O:BAG:SYD:
""")
    server.start()
    assert alice != bob and alice.startswith("S-1-5-21-")
    no, yes = even6.ERROR_ACCESS_DENIED, 0
    for name, of_alice, of_bob in (
            ("Given", no, yes), ("Denied", yes, no), ("Everybody", yes, yes),
            ("Writers", no, no), ("Nobody", no, no)):
        assert rc_of(server, "alice", RegisterLogQuery(name)) == of_alice
        assert rc_of(server, "bob", RegisterLogQuery(name)) == of_bob


def test_a_reload_gives_and_takes_rights(server):
    ask = RegisterLogQuery("Application")
    with logon(server, "bob", USERS["bob"]) as bob, \
            logon(server, "alice", USERS["alice"]) as alice:
        assert bob.call(ask).rc == even6.ERROR_ACCESS_DENIED
        reload(server, with_readers(server, "alice", "bob"))
        # On the connection that is open, and on a new one.
        assert bob.call(ask).rc == 0
        assert rc_of(server, "bob", ask) == 0
        reload(server, server.read_config().replace("alice, bob", "bob"))
        assert bob.call(ask).rc == 0
        assert alice.call(ask).rc == even6.ERROR_ACCESS_DENIED


def test_a_reload_changes_a_channel_s_access(server):
    ask = OpenLogHandle("System")
    text = server.read_config()
    with logon(server, "bob", USERS["bob"]) as bob:
        for access, rc in ("(A;;0x1;;;AU)", 0), ("(A;;0x1;;;SY)", 5):
            reload(server, f"{text}\n[channel System]\n"
                           f"access = O:BAG:SYD:{access}\n")
            assert bob.call(ask).rc == rc


def test_an_administrator_may_read(make_server):
    server = make_server(readers=(), administrators=("bob",))
    assert rc_of(server, "bob", OpenLogHandle("Security")) == 0
    assert rc_of(server, "alice", OpenLogHandle("Security")) == 5


# What the administrator sees

def test_refused_access_is_an_event_and_a_storm_is_few(server):
    with logon(server, "bob", USERS["bob"]) as bob:
        for _ in range(20):
            assert bob.call(OpenLogHandle("Security")).rc == 5
        assert bob.call(RegisterLogQuery("System")).rc == 5
    seen = own_events(server, 20)
    assert [event["Channel"] for event in seen] == ["Security", "System"]
    for event in seen:
        assert event["User"].rpartition("\\")[2] == "bob"
        assert event["Peer"] == "127.0.0.1"
        assert event["Operation"] == "read"
        assert "Count" not in event
    # The repetitions are not lost at a stop before the minute ends.
    server.stop()
    server.start()
    first, second, rest = own_events(server, 20)
    assert [first, second] == seen
    assert (rest["Channel"], rest["Count"]) == ("Security", 19)


def test_failed_logons_are_an_event_and_a_storm_is_few(server):
    for _ in range(10):
        assert not gets_in(server, "alice", "wrong")
    seen = own_events(server, 21)
    assert [event["Peer"] for event in seen] == ["127.0.0.1"]
    server.stop()
    server.start()
    assert own_events(server, 21)[1]["Count"] == 9


# Accounts that change

@MECHANISMS
def test_a_changed_password_counts_from_the_next_logon(server, mechanism):
    old = USERS["alice"]
    with logon(server, "alice", old, mechanism) as open_before:
        assert open_before.call(GetChannelList()).rc == 0
        server.evenlog("user", "add", "alice", EVENLOG_PASSWORD="N3w-pass")
        assert not gets_in(server, "alice", old, mechanism)
        assert gets_in(server, "alice", "N3w-pass", mechanism)
        assert open_before.call(GetChannelList()).rc == 0


@MECHANISMS
def test_a_removed_user_cannot_log_on(server, mechanism):
    assert gets_in(server, "alice", USERS["alice"], mechanism)
    server.evenlog("user", "remove", "alice")
    assert not gets_in(server, "alice", USERS["alice"], mechanism)
    # The same name again is another account: other SID, other password.
    server.evenlog("user", "add", "alice", EVENLOG_PASSWORD="An0ther-one")
    assert not gets_in(server, "alice", USERS["alice"], mechanism)
    assert gets_in(server, "alice", "An0ther-one", mechanism)


# Secrets

def command_lines():
    lines = {}
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                lines[path] = file.read()
        except OSError:  # it has ended
            continue
    return lines


def files_below(path):
    for folder, _, names in os.walk(path):
        for name in names:
            full = os.path.join(folder, name)
            if os.path.isfile(full):
                with open(full, "rb") as file:
                    yield full, file.read()


def test_no_password_is_written_down_or_shown(server):
    secret = "Geh31m-never-seen"
    typo = "Typed-1n-the-wrong-field"
    server.evenlog("user", "add", "alice", EVENLOG_PASSWORD=secret)
    for mechanism in Ntlm, SpnegoNtlm:
        assert gets_in(server, "alice", secret, mechanism)
        assert not gets_in(server, "bob", secret, mechanism)
        assert not gets_in(server, typo, secret, mechanism)
    remote = ["--remote", f"127.0.0.1:{server.port}", "--user=alice"]
    assert server.evenlog("list", *remote,
                          EVENLOG_PASSWORD=secret).stderr == ""
    server.evenlog("list", *remote, EVENLOG_PASSWORD=secret + "x",
                   check=False)
    follower = subprocess.Popen(
        [os.path.join(BUILD, "cli", "evenlog"), "--config", server.config,
         "subscribe", "Application", *remote],
        env=server.env(EVENLOG_PASSWORD=secret), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: server.status()["rpc"]["subscriptions"] == 1,
                 "the subscription")
        for path, line in command_lines().items():
            assert secret.encode() not in line, path
    finally:
        follower.terminate()
        out, err = follower.communicate(timeout=SECONDS)
    assert secret.encode() not in out + err
    server.stop()
    # The log, the store with our own events, the accounts, everything.
    for path, data in files_below(server.dir):
        for text in secret, typo:
            assert text.encode() not in data, path
            assert text.encode("utf-16-le") not in data, path
    server.start()
