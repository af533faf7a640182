# SPDX-License-Identifier: GPL-3.0-or-later
"""[listener NAME] as an administrator meets it: start, reload, refusals."""

import datetime
import http.client
import os
import signal
import ssl
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from server import BUILD

METRICS = "[listener metrics]\nserve = metrics\nport = 0\n"


def get(server, listener="metrics", path="/health", context=None):
    address = server.http(listener)
    connection = http.client.HTTPConnection(*address, timeout=30) \
        if context is None else http.client.HTTPSConnection(
            *address, timeout=30, context=context)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def is_refused(server):
    """Whether the listener closes the connection without an answer."""
    try:
        get(server)
    except (ConnectionError, http.client.RemoteDisconnected):
        return True
    return False


def change(server, old, new):
    text = server.read_config()
    assert old in text
    server.write_config(text.replace(old, new))


def reload(server, check=True):
    """SIGHUP; what the log says until its end."""
    before = len(server.log())
    os.kill(server.process.pid, signal.SIGHUP)
    end = time.monotonic() + 30
    log = ""
    while "configuration reloaded" not in log and (
            "stays as it is" not in log):
        assert time.monotonic() < end, log
        time.sleep(0.02)
        log = server.log()[before:]
    assert ("configuration reloaded" in log) == check, log
    return log


def certificate(directory, name, number):
    """A self-signed one for localhost; its serial number tells which."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(
        x509.oid.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.utcnow()
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(
        subject).public_key(key.public_key()).serial_number(
        number).not_valid_before(now - datetime.timedelta(days=1)
        ).not_valid_after(now + datetime.timedelta(days=1)).sign(
        key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    with open(os.path.join(directory, name + ".crt"), "wb") as file:
        file.write(made.public_bytes(pem))
    with open(os.path.join(directory, name + ".key"), "wb") as file:
        file.write(key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))


def serial(server, listener):
    """Of the certificate that the listener shows."""
    pem = ssl.get_server_certificate(server.http(listener))
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def test_no_listener_is_no_bridge(make_server):
    server = make_server()
    status = server.status()
    assert status["listeners"] == []
    assert "wsus" not in status and "quarantine" not in status
    assert not os.path.exists(server.quarantine)


def test_an_allow_list_changes_on_reload(make_server):
    server = make_server(config=METRICS + "allow = 192.0.2.0/24\n")
    assert is_refused(server)
    change(server, "allow = 192.0.2.0/24", "allow = 192.0.2.0/24, 127.0.0.1")
    reload(server)
    assert get(server) == 200
    change(server, ", 127.0.0.1", "")
    reload(server)
    assert is_refused(server)
    row = server.status()["listeners"][0]
    assert row["refused"] == 2


def test_a_bad_file_leaves_all_as_it_was(make_server):
    server = make_server(config=METRICS + "[configmgr]\nsite_code = EVL\n")
    assert get(server) == 200
    change(server, "site_code = EVL", "site_code = TOO-LONG")
    change(server, "serve = metrics", "serve = metrics\nallow = 192.0.2.1")
    log = reload(server, check=False)
    assert "must be three letters or digits" in log
    assert get(server) == 200


def test_certificates_are_read_again(make_server, tmp_path):
    certificate(tmp_path, "a", 1001)
    server = make_server(config=(
        METRICS + "[listener tls]\nserve = metrics\nport = 0\n"
        f"certificate = {tmp_path}/a.crt\nkey = {tmp_path}/a.key\n"))
    assert serial(server, "tls") == 1001
    context = ssl.create_default_context(cafile=f"{tmp_path}/a.crt")
    context.check_hostname = False
    assert get(server, "tls", context=context) == 200
    certificate(tmp_path, "a", 1002)
    reload(server)
    assert serial(server, "tls") == 1002


def test_a_damaged_certificate_is_refused_on_reload(make_server, tmp_path):
    certificate(tmp_path, "a", 1001)
    server = make_server(config=(
        METRICS + "[listener tls]\nserve = metrics\nport = 0\n"
        f"certificate = {tmp_path}/a.crt\nkey = {tmp_path}/a.key\n"))
    (tmp_path / "a.crt").write_text("no certificate")
    change(server, "serve = metrics\nport = 0\n[listener tls]",
           "serve = metrics\nport = 0\nallow = 192.0.2.1\n[listener tls]")
    log = reload(server, check=False)
    assert f"{tmp_path}/a.crt" in log
    assert serial(server, "tls") == 1001
    assert get(server) == 200, "the other listener's list is taken back"


def test_a_file_that_cannot_be_read_is_named(make_server, tmp_path):
    certificate(tmp_path, "a", 1001)
    server = make_server(config=(
        METRICS + "[listener tls]\nserve = metrics\nport = 0\n"
        f"certificate = {tmp_path}/a.crt\nkey = {tmp_path}/a.key\n"))
    (tmp_path / "a.key").unlink()
    log = reload(server, check=False)
    assert f"listener tls: {tmp_path}/a.key: No such file" in log
    assert serial(server, "tls") == 1001


@pytest.mark.parametrize("old, new, why", [
    ("port = 0", "port = 1", "[listener metrics] has changed beyond its"),
    ("serve = metrics", "serve = wsus", "[listener metrics] has changed"),
    ("[listener metrics]", "[listener other]", "[listener other] is new"),
    ("[listener metrics]", "[listener other]", "[listener metrics] is gone"),
    ("[wsus]\n", "[wsus]\nenabled = no\n", "'enabled' in [wsus]"),
    ("[quarantine]\n", "[quarantine]\nmax_entries = 5\n",
     "changes in [quarantine] need a restart"),
])
def test_what_needs_a_restart_is_named(make_server, old, new, why):
    server = make_server(config=METRICS)
    change(server, old, new) if old != "port = 0" else change(
        server, METRICS, METRICS.replace(old, new))
    log = reload(server)
    assert why in log
    assert get(server) == 200
    # And what was named once stays in the new configuration: no second word.
    assert why not in reload(server)


@pytest.mark.parametrize("config, why", [
    (METRICS + "certificate = /nonexistent.crt\nkey = /nonexistent.key\n",
     "/nonexistent.crt"),
    (METRICS.replace("port = 0", "port = {taken}"), "in use"),
    (METRICS + "address = 192.0.2.1\n", "192.0.2.1"),
])
def test_a_listener_that_cannot_start_stops_the_start(make_server, config,
                                                      why):
    other = make_server(config=METRICS)
    server = make_server(start=False, config=config.format(
        taken=other.http("metrics")[1]))
    done = subprocess.run(
        [os.path.join(BUILD, "daemon", "evenlogd"), "--config",
         server.config], env=server.env(), capture_output=True, text=True,
        timeout=60, check=False)
    assert done.returncode == 1
    assert "metrics" in done.stderr
    assert why in done.stderr


def test_a_quarantine_that_cannot_be_made_stops_the_start(make_server):
    server = make_server(start=False, config=METRICS)
    change(server, server.quarantine, "/proc/evenlog/quarantine")
    done = subprocess.run(
        [os.path.join(BUILD, "daemon", "evenlogd"), "--config",
         server.config], env=server.env(), capture_output=True, text=True,
        timeout=60, check=False)
    assert done.returncode == 1
    assert "quarantine /proc/evenlog/quarantine: No such file" in done.stderr


def test_what_changes_the_service_is_for_administrators(make_server):
    if os.getuid() != 0:
        print("only root can become another user: not tried")
        return
    server = make_server(config=METRICS)

    def as_nobody(*args):
        return subprocess.run(
            [os.path.join(BUILD, "cli", "evenlog"), "--config",
             server.config, *args], env=server.env(), user=65534,
            group=65534, extra_groups=[], capture_output=True, text=True,
            timeout=60, check=False)

    assert as_nobody("status").returncode == 0
    for args in (["quarantine", "list"], ["quarantine", "show", "x"],
                 ["quarantine", "retry", "x"], ["quarantine", "remove", "x"],
                 ["quarantine", "remove", "--all"],
                 ["collect", "forget", "dc1"],
                 ["collect", "forget", "dc1", "Security"],
                 ["forward", "rewind", "siem", "--oldest"]):
        done = as_nobody(*args)
        assert done.returncode == 1
        assert "access denied; it is for root and those whom " \
            "administrators in [access] names" in done.stderr
