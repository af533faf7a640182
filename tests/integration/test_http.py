# SPDX-License-Identifier: GPL-3.0-or-later
"""
The ports of the SOAP bridge against clients that mean no good or know no
better.  In each case the service goes on for everybody else.
"""

import contextlib
import datetime
import http.client
import json
import os
import resource
import signal
import socket
import ssl
import time

import pytest

from server import SANITIZERS

MIB = 1024 * 1024
SYNC = "/ServerSyncWebService/ServerSyncWebService.asmx"
REPORTING = "/ReportingWebService/ReportingWebService.asmx"
XML = ("Content-Type", "text/xml; charset=utf-8")
IDLE = 200 if SANITIZERS != "no" else 1000
# Others are served within it, whatever goes on.
PROMPT_SECONDS = 20

CONFIG = """
[listener metrics]
serve = metrics
port = 0
[listener dss]
serve = wsus, configmgr
port = 0
allow = 127.0.0.1
connections = 1000
connections_per_address = 1000
[listener quick]
serve = wsus, configmgr
port = 0
idle_timeout = 1s
head_timeout = 1s
body_timeout = 1s
body_rate = 1K
"""


def head(method, path, *fields):
    lines = [f"{method} {path} HTTP/1.1", "Host: srv.example"]
    lines += [f"{name}: {value}" for name, value in fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@contextlib.contextmanager
def connected(service, listener="dss", source=None, first=b""):
    with socket.create_connection(
            service.http(listener), timeout=60,
            source_address=source and (source, 0)) as connection:
        connection.sendall(first)
        yield connection


def rest(connection):
    """What comes until the service closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def send_all(connection, data):
    """Until the service takes no more: it may answer and close before."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(data)


def health(service):
    start = time.monotonic()
    connection = http.client.HTTPConnection(*service.http("metrics"),
                                            timeout=60)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"ok\n")
    finally:
        connection.close()
    assert time.monotonic() - start < PROMPT_SECONDS


def is_served(service, listener="dss"):
    """Somebody else is, on the same port."""
    start = time.monotonic()
    connection = http.client.HTTPConnection(*service.http(listener),
                                            timeout=60)
    try:
        connection.request("POST", SYNC, body=b"<", headers=dict([XML]))
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    assert time.monotonic() - start < PROMPT_SECONDS
    return answer.status == 500      # a fault: it is no XML


@pytest.fixture(autouse=True)
def goes_on(service):
    yield
    health(service)
    assert is_served(service)


def stats(service, listener="dss"):
    return next(row for row in service.status()["listeners"]
                if row["name"] == listener)


def reload(server):
    before = server.log().count("configuration reloaded")
    server.signal(signal.SIGHUP)
    while server.log().count("configuration reloaded") == before:
        server.status()      # it lives


# ------------------------------------------------------------------- bodies

@pytest.mark.parametrize("path, length", [
    (SYNC, 8 * MIB + 1), (REPORTING, 512 * MIB + 1),
    ("/ccm_system/request", 8 * MIB + 1)])
def test_a_body_over_its_limit_is_refused_by_its_length(service, path, length):
    kind = XML
    if path.startswith("/ccm"):
        kind = ("Content-Type", 'multipart/mixed; boundary="aAbB"')
    with connected(service, first=head("POST", path, kind,
                                       ("Content-Length", length),
                                       ("Expect", "100-continue"))) as c:
        answer = rest(c)
    assert answer.startswith(b"HTTP/1.1 413 "), answer
    assert f"longer than the {length - 1} bytes".encode() in answer


def test_a_chunked_body_over_its_limit_is_refused_when_it_is(service):
    envelope = (b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/'
                b'envelope/"><e:Body><GetAuthConfig xmlns="http://www.'
                b'microsoft.com/SoftwareDistribution"/></e:Body>')
    space = b"%x\r\n" % MIB + b" " * MIB + b"\r\n"
    with connected(service, first=head("POST", SYNC, XML, (
            "Transfer-Encoding", "chunked"))) as c:
        send_all(c, b"%x\r\n" % len(envelope) + envelope + b"\r\n")
        for _ in range(16):
            send_all(c, space)
        answer = rest(c)
    assert answer.startswith(b"HTTP/1.1 413 "), answer


def test_a_body_within_its_limit_is_taken(service):
    body = b" " * (8 * MIB - 1) + b"<"
    with connected(service, first=head(
            "POST", SYNC, XML, ("Content-Length", len(body)),
            ("Connection", "close"))) as c:
        c.sendall(body)
        assert rest(c).startswith(b"HTTP/1.1 500 ")


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "xml",
                                  "multipart/form-data; boundary=x", ""])
def test_a_wrong_content_type_is_refused(service, kind):
    fields = [("Content-Type", kind)] if kind else []
    with connected(service, first=head(
            "POST", SYNC, *fields, ("Content-Length", 3),
            ("Connection", "close")) + b"<a>") as c:
        assert rest(c).startswith(b"HTTP/1.1 415 ")


@pytest.mark.parametrize("request_bytes", [
    b"\0" * 1000, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 600,
    b"GET " + b"/" * 100000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 50000 + b"\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"y" * MIB + b"\r\n\r\n",
    head("POST", SYNC, XML, ("Content-Length", "1" * 40)),
    head("POST", SYNC, XML, ("Transfer-Encoding", "chunked")) + b"fffffffff" * 3
], ids=["zeros", "tls", "path", "fields", "field", "length", "chunk"])
def test_bytes_that_are_no_request_are_refused(service, request_bytes):
    with connected(service) as c:
        send_all(c, request_bytes)
        with contextlib.suppress(OSError):
            c.shutdown(socket.SHUT_WR)
        answer = rest(c)
    assert answer == b"" or answer.split()[1][:1] == b"4", answer


# ---------------------------------------------------------------- addresses

def test_an_address_outside_the_allow_list_is_closed_and_reported(service):
    before = stats(service)["refused"]
    for _ in range(3):
        with connected(service, source="127.0.0.77") as c:
            send_all(c, head("GET", "/"))
            assert rest(c) == b""
    assert stats(service)["refused"] == before + 3

    out = service.evenlog("query", "Evenlog/Operational",
                          "*[System[EventID=23]]", "--format=json").stdout
    # The first at once; its repetitions are counted for a minute.
    data = [json.loads(line)["EventData"] for line in out.splitlines()]
    assert data == [{"Peer": "127.0.0.77", "Listener": "dss"}]
    out = service.evenlog("query", "Evenlog/Operational",
                          "*[System[EventID=23]]", "--format=text").stdout
    assert ("A connection from 127.0.0.77 was closed at once: the address is "
            "not one that the listener dss allows.") in out


def test_another_allow_list_is_taken_on_reload(make_server):
    server = make_server(config="[listener dss]\nserve = metrics\nport = 0\n"
                                "allow = 127.0.0.2\n"
                                "[listener metrics]\nserve = metrics\n"
                                "port = 0\n")
    request = head("GET", "/health", ("Connection", "close"))
    with connected(server, source="127.0.0.3", first=request) as c:
        assert rest(c) == b""
    server.write_config(server.read_config().replace(
        "allow = 127.0.0.2", "allow = 127.0.0.2/31"))
    reload(server)
    with connected(server, source="127.0.0.3", first=request) as c:
        assert rest(c).endswith(b"ok\n")


def test_ipv6_is_served_by_its_own_list(make_server):
    if not socket.has_ipv6:
        print("no IPv6 here")
        return
    server = make_server(config="[listener six]\nserve = metrics\nport = 0\n"
                                "address = ::1\nallow = ::/64\n"
                                "[listener none]\nserve = metrics\n"
                                "port = 0\naddress = ::1\n"
                                "allow = 0.0.0.0/0, 2001:db8::/32\n"
                                "[listener metrics]\nserve = metrics\n"
                                "port = 0\n")
    request = head("GET", "/health", ("Connection", "close"))
    with connected(server, "six", first=request) as c:
        assert rest(c).endswith(b"ok\n")
    with connected(server, "none") as c:
        send_all(c, request)
        assert rest(c) == b""


# --------------------------------------------------------- slow and silent

@pytest.mark.parametrize("first, drip", [
    (b"", b""), (b"POST /", b"x"), (b"GET / HTTP/1.1\r\n", b"A: b\r\n"),
    (head("POST", SYNC, XML, ("Content-Length", MIB)), b""),
    (head("POST", SYNC, XML, ("Content-Length", MIB)), b" "),
    (head("POST", SYNC, XML, ("Transfer-Encoding", "chunked")),
     b"1\r\n \r\n")],
    ids=["silent", "line", "fields", "body", "dripping", "chunks"])
def test_a_slow_sender_holds_no_slot(service, first, drip):
    start = time.monotonic()
    with connected(service, "quick", first=first) as c:
        c.settimeout(0.1)
        while time.monotonic() - start < 60:
            with contextlib.suppress(socket.timeout):
                try:
                    if not c.recv(100):
                        break
                except ConnectionResetError:
                    break
            send_all(c, drip)
    assert time.monotonic() - start < 30


def test_slow_senders_hold_up_nobody(service):
    with contextlib.ExitStack() as stack:
        for number in range(100):
            stack.enter_context(connected(
                service, "quick",
                first=(b"GET /" if number % 2 else head(
                    "POST", SYNC, XML, ("Content-Length", MIB)))))
        for _ in range(10):
            health(service)
            assert is_served(service)
            assert is_served(service, "quick")


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (min(hard, max(soft, 4 * IDLE)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_crowd_of_idle_connections_locks_nobody_out(service, many_files):
    request = head("GET", "/nothing")
    with contextlib.ExitStack() as stack:
        for _ in range(IDLE):
            c = stack.enter_context(connected(service, first=request))
            assert c.recv(65536).startswith(b"HTTP/1.1 404 ")
        assert stats(service)["connections"] == IDLE
        for _ in range(20):
            health(service)
            assert is_served(service)
        # The last of the crowd is still welcome.
        c.sendall(request)
        assert c.recv(65536).startswith(b"HTTP/1.1 404 ")


# ---------------------------------------------------------------------- TLS

class Authority:
    """Certificates by python3-cryptography."""

    def __init__(self, directory):
        self.directory = str(directory)
        self.ca = self._make("CN=Authority", None)
        self.write("ca", self.ca)

    def _make(self, name, issuer, purpose=None):
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name.from_rfc4514_string(name)
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        builder = (x509.CertificateBuilder().subject_name(subject)
                   .issuer_name(issuer[0].subject if issuer else subject)
                   .public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=1))
                   .add_extension(x509.BasicConstraints(
                       ca=issuer is None, path_length=None), critical=True))
        if purpose:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([purpose]), critical=False)
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName("srv.example")]),
                critical=False)
        return builder.sign(issuer[1] if issuer else key,
                            hashes.SHA256()), key

    def server(self, name):
        from cryptography.x509.oid import ExtendedKeyUsageOID
        return self._make(name, self.ca, ExtendedKeyUsageOID.SERVER_AUTH)

    def client(self, name):
        from cryptography.x509.oid import ExtendedKeyUsageOID
        return self._make(name, self.ca, ExtendedKeyUsageOID.CLIENT_AUTH)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, pair):
        from cryptography.hazmat.primitives import serialization

        with open(self.path(name + ".pem"), "wb") as file:
            file.write(pair[0].public_bytes(serialization.Encoding.PEM))
        with open(self.path(name + ".key"), "wb") as file:
            file.write(pair[1].private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption()))

    def context(self, client=None):
        context = ssl.create_default_context(cafile=self.path("ca.pem"))
        if client:
            context.load_cert_chain(self.path(client + ".pem"),
                                    self.path(client + ".key"))
        return context


def tls_fetch(server, context):
    """The status of /health and the server's own name."""
    with connected(server, "secure") as tcp:
        with context.wrap_socket(tcp, server_hostname="srv.example") as c:
            c.sendall(head("GET", "/health", ("Connection", "close")))
            answer = rest(c)
            names = [value for part in c.getpeercert()["subject"]
                     for _, value in part]
    return int(answer.split()[1]) if answer else None, names[0]


@pytest.fixture
def secure(make_server, tmp_path):
    """A server behind TLS, and its authority."""
    def make(mode):
        authority = Authority(tmp_path)
        authority.write("server", authority.server("CN=first"))
        config = (f"[listener secure]\nserve = metrics\nport = 0\n"
                  f"certificate = {authority.path('server.pem')}\n"
                  f"key = {authority.path('server.key')}\n"
                  f"client_certificate = {mode}\n")
        if mode != "none":
            config += f"client_ca = {authority.path('ca.pem')}\n"
        return make_server(config=config), authority
    return make


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3])
def test_openssl_speaks_with_it_and_sees_new_certificates(secure, version):
    server, authority = secure("none")
    context = authority.context()
    context.minimum_version = context.maximum_version = version
    assert tls_fetch(server, context) == (200, "first")
    authority.write("server", authority.server("CN=second"))
    reload(server)
    assert tls_fetch(server, context) == (200, "second")


def test_a_required_client_certificate_is_required(secure):
    server, authority = secure("required")
    authority.write("client", authority.client("CN=dss1"))
    with contextlib.suppress(ssl.SSLError, ConnectionResetError):
        assert tls_fetch(server, authority.context())[0] is None
    assert tls_fetch(server, authority.context("client")) == (200, "first")


def test_an_optional_client_certificate_is_optional(secure):
    server, authority = secure("optional")
    authority.write("client", authority.client("CN=dss1"))
    assert tls_fetch(server, authority.context())[0] == 200
    assert tls_fetch(server, authority.context("client"))[0] == 200
