# SPDX-License-Identifier: GPL-3.0-or-later
"""
ConfigMgr messages as their known senders put them on the wire, byte by byte,
and a client of raw sockets for them.  Written from captures; nothing here
comes from the service.

A layout is a function that returns a Message:

    sdk_message, sdk_ddr     Microsoft's SDK; each attachment listed twice
    seed_ddr                 ISmsMessaging::Post of a discovery record
    sender_ddr               the Python sender: two reports, ASync, zlib
    sender_registration      its registration: Sync, no SourceID, signed inside
    native_message           ccmexec, as far as it is known [unverified]

    reply = ccm.send(("127.0.0.1", port), ccm.sdk_ddr(head, full))
    assert reply.is_no_reply()

A Message can be damaged before it is sent: its fields are plain, body() puts
them together, request() adds the sender's own HTTP head.
"""

import datetime
import http.client
import socket
import struct
import uuid
import xml.etree.ElementTree as ElementTree
import zlib
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

BOUNDARY = "aAbBcCdDv1234567890VxXyYzZ"
URL = "/ccm_system/request"
CLIENT_ID = "GUID:01234567-89AB-CDEF-0123-456789ABCDEF"
HOST = "PC01"
NO_GUID = "{00000000-0000-0000-0000-000000000000}"
DISCOVERY_GUID = "{00000000-0000-0000-0000-000000000003}"
SHA256_RSA = "1.2.840.113549.1.1.11"
SHA1_RSA = "1.2.840.113549.1.1.5"

# The heads of requests, in the order in which the senders write them.
SDK_HEAD = (
    ("User-Agent", "ConfigMgr Messaging HTTP Sender"),
    ("Content-Type", 'multipart/mixed; boundary="{boundary}"'),
    ("Content-Length", "{length}"),
    ("Connection", "close"),
    ("Host", "{host}"),
)
SENDER_HEAD = (
    ("Host", "{host}"),
    ("User-Agent", "ConfigMgr Messaging HTTP Sender"),
    ("Accept-Encoding", "gzip, deflate"),
    ("Accept", "*/*"),
    ("Connection", "close"),
    ("Content-Type", 'multipart/mixed; boundary="{boundary}"'),
    ("Content-Length", "{length}"),
)
NATIVE_HEAD = (
    ("Accept", "*/*"),
    ("User-Agent", "ccmhttp"),
    ("Host", "{host}"),
    ("Content-Length", "{length}"),
    ("Content-Type", 'multipart/mixed; boundary="{boundary}"'),
)

# The elements of <Msg>: the three families of senders order them differently.
SDK_ORDER = (
    "ID", "SourceID", "SourceHost", "TargetAddress", "TargetEndpoint",
    "TargetHost", "ReplyTo", "CorrelationID", "Protocol", "Priority",
    "Timeout", "SentTime", "ReplyMode", "Body", "Attachment", "Property",
    "Hooks", "Payload")
SENDER_ORDER = (
    "Body", "Attachment", "CorrelationID", "Hooks", "ID", "Payload",
    "Priority", "Property", "Protocol", "ReplyMode", "ReplyTo", "SentTime",
    "SourceHost", "SourceID", "TargetAddress", "TargetEndpoint", "TargetHost",
    "Timeout")
NATIVE_ORDER = (
    "ID", "SourceHost", "TargetAddress", "ReplyTo", "Priority", "Timeout",
    "SentTime", "Protocol", "Body", "Attachment", "Property", "Hooks",
    "CorrelationID", "Payload", "TargetHost", "ReplyMode", "SourceID",
    "SourceType", "ReplyCapabilities")


def new_id():
    """A message's ID."""
    return "{" + str(uuid.uuid4()).upper() + "}"


def utf16(text):
    """UTF-16LE without BOM."""
    return text.encode("utf-16-le")


def utc(**before):
    """SentTime as most senders write it; before: a timedelta's arguments."""
    now = datetime.datetime.now(datetime.timezone.utc)
    now -= datetime.timedelta(**before)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def cim(when=None):
    """A CIM datetime in UTC, as in reports."""
    when = when or datetime.datetime.now(datetime.timezone.utc)
    return when.strftime("%Y%m%d%H%M%S.%f+000")


# ------------------------------------------------------------------- messages

def element(name, text):
    return f"<{name}>{escape(text)}</{name}>"


def attributes(name, **values):
    text = "".join(f" {key}={quoteattr(str(value))}"
                   for key, value in values.items() if value is not None)
    return f"<{name}{text} />"


def hooks(*names, clientauth=None):
    """<Hooks>: Hook3 of the names, and the clientauth hook's properties."""
    text = ""
    if clientauth is not None:
        text += '<Hook2 Name="clientauth">' + "".join(
            f"<Property Name={quoteattr(key)}>{escape(value)}</Property>"
            for key, value in clientauth.items()) + "</Hook2>"
    text += "".join(attributes("Hook3", Name=name) for name in names)
    return f"<Hooks>{text}</Hooks>" if text else "<Hooks />"


@dataclass
class Message:
    """
    One message.  elements is what stands in <Msg>, by the element's name: a
    string of XML, empty for none.  payload is as transmitted.
    """
    elements: dict
    payload: bytes
    order: tuple = SDK_ORDER
    head: tuple = SDK_HEAD
    reply_compression: str = "none"
    boundary: str = BOUNDARY
    method: str = "CCM_POST"
    url: str = URL
    #: Bytes that replace the <Msg> part.
    header: bytes = None
    extra: list = field(default_factory=list)

    @property
    def id(self):
        return ElementTree.fromstring(self.elements["ID"]).text

    def header_text(self):
        inner = "".join(self.elements.get(name, "") for name in self.order)
        return (f'<Msg ReplyCompression="{self.reply_compression}" '
                f'SchemaVersion="1.1">{inner}</Msg>')

    def body(self):
        """The multipart body."""
        header = self.header
        if header is None:
            header = b"\xff\xfe" + utf16(self.header_text())
        delimiter = b"--" + self.boundary.encode()
        return (delimiter +
                b"\r\ncontent-type: text/plain; charset=UTF-16\r\n\r\n" +
                header + b"\r\n" + delimiter +
                b"\r\ncontent-type: application/octet-stream\r\n\r\n" +
                self.payload + b"\r\n" + delimiter + b"--")

    def request(self, host="127.0.0.1", body=None):
        """The whole HTTP request; body: what is sent instead."""
        body = self.body() if body is None else body
        lines = [f"{self.method} {self.url} HTTP/1.1"]
        lines += [f"{name}: " + value.format(boundary=self.boundary,
                                             length=len(body), host=host)
                  for name, value in (*self.head, *self.extra)]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def replace(self, **elements):
        """Exchange elements of the header, as XML; the message itself."""
        self.elements.update(elements)
        return self


def _elements(endpoint, *, mode="Async", message_id=None, source_id=CLIENT_ID,
              source_host=HOST, target_host="127.0.0.1", sent=None,
              address="mp:{}", receiver="SccmMessaging", **more):
    """What all senders' headers have."""
    found = {
        "ID": element("ID", message_id or new_id()),
        "CorrelationID": element("CorrelationID", NO_GUID),
        "SourceHost": element("SourceHost", source_host),
        "TargetAddress": element("TargetAddress", address.format(endpoint)),
        "TargetEndpoint": element("TargetEndpoint", endpoint),
        "TargetHost": element("TargetHost", target_host),
        "ReplyTo": element("ReplyTo", f"direct:{source_host}:{receiver}"),
        "ReplyMode": element("ReplyMode", mode),
        "Protocol": element("Protocol", "http"),
        "Priority": element("Priority", "0"),
        "Timeout": element("Timeout", "60000"),
        "SentTime": element("SentTime", sent or utc()),
        "Payload": attributes("Payload", Type="inline"),
        "Hooks": hooks(),
    }
    if source_id is not None:
        found["SourceID"] = element("SourceID", source_id)
    found.update(more)
    return found


def ms_deflate(data):
    """
    A zlib stream as Microsoft's encoder begins one: 58 85, a window of 8 KiB.
    """
    coder = zlib.compressobj(9, zlib.DEFLATED, 13)
    stream = bytearray(coder.compress(data) + coder.flush())
    stream[:2] = b"\x58\x85"
    return bytes(stream)


# ------------------------------------------------------------------------ SDK

def sdk_message(endpoint, body, attachments=(), *, compress=False,
                file_type=None, attachment_names=None, **more):
    """
    A message of Microsoft's SDK: Body with its NUL, then the attachments with
    a BOM and no NUL, then CRLF.  Each attachment is listed twice, first with
    offset zero.
    """
    payload = utf16(body) + b"\0\0"
    more.setdefault("Body", attributes("Body", Type="ByteRange",
                                       Length=len(payload), Offset=0))
    listed = ""
    for i, text in enumerate(attachments):
        data = b"\xff\xfe" + utf16(text)
        name = attachment_names[i] if attachment_names else str(uuid.uuid4())
        listed += attributes("Attachment", Type="ByteRange", Length=len(data),
                             Name=name, Offset=0)
        listed += attributes("Attachment", Length=len(data), Name=name,
                             Offset=len(payload))
        payload += data
    payload += b"\r\n"
    if file_type:
        more["Property"] = attributes("Property", Name="FileType",
                                      Value=file_type)
    if compress:
        payload = ms_deflate(payload)
        more["Hooks"] = hooks("zlib-compress")
    return Message(_elements(endpoint, Attachment=listed, **more), payload)


def sdk_ddr(head, full, **more):
    """A discovery record by the SDK: header-only report, then all of it."""
    return sdk_message("MP_DdrEndpoint", head, [full], **more)


def sdk_state(report, **more):
    """State messages by the SDK, relayed."""
    return sdk_message("MP_RelayEndpoint", report, file_type="SMX", **more)


def sdk_status(status, **more):
    """A status message by the SDK."""
    return sdk_message("StatusReceiver", status, **more)


def seed_ddr(head, full, **more):
    """
    ISmsMessage::SetBodyFromString, SetAttachmentFromBuffer with the name that
    a discovery record's attachment has, ISmsMessaging::Post.  As documented
    the attachment's length is without a NUL, and it is listed once.
    """
    body = utf16(head) + b"\0\0"
    data = utf16(full)
    return Message(_elements(
        "MP_DdrEndpoint",
        Body=attributes("Body", Type="ByteRange", Length=len(body), Offset=0),
        Attachment=attributes("Attachment", Name=DISCOVERY_GUID,
                              Offset=len(body), Length=len(data)),
        **more), body + data + b"\r\n")


# --------------------------------------------------------------- Python sender

def sender_ddr(head, full, *, key=None, hash_algorithm=SHA256_RSA, **more):
    """
    The Python sender's discovery record: Body is the range of the second,
    full report; the first attachment is the header-only one, a second without
    Name and Type is the Body again, two bytes less.  SentTime is a CIM
    datetime, ReplyMode "ASync".  key signs it.
    """
    first = utf16(head)
    second = utf16(full)
    offset = len(first) + 4
    payload = zlib.compress(first + b"\0\0\r\n" + second + b"\0\0\r\n")
    more.setdefault("sent", cim())
    more.setdefault("mode", "ASync")
    source_id = more.get("source_id", CLIENT_ID)
    auth = None
    if key is not None:
        auth = key.clientauth(source_id, payload, hash_algorithm,
                              more.get("source_host", HOST))
    return Message(_elements(
        "MP_DdrEndpoint",
        Body=attributes("Body", Type="ByteRange", Length=len(second) + 2,
                        Offset=offset),
        Attachment=attributes("Attachment", Type="ByteRange",
                              Length=len(first), Name=str(uuid.uuid4()),
                              Offset=0) +
        attributes("Attachment", Length=len(second), Offset=offset),
        Hooks=hooks("zlib-compress", clientauth=auth), **more),
        payload, SENDER_ORDER, SENDER_HEAD, "zlib")


def sender_message(endpoint, text, *, mode="Sync", key=None,
                   hash_algorithm=SHA256_RSA, **more):
    """One of its other messages: UTF-16LE, NUL, CRLF; zlib both ways."""
    body = utf16(text) + b"\0\0"
    payload = zlib.compress(body + b"\r\n")
    auth = None
    if key is not None:
        auth = key.clientauth(more.get("source_id", CLIENT_ID), payload,
                              hash_algorithm, more.get("source_host", HOST))
    return Message(_elements(
        endpoint, mode=mode,
        Body=attributes("Body", Type="ByteRange", Length=len(body), Offset=0),
        Hooks=hooks("zlib-compress", clientauth=auth), **more),
        payload, SENDER_ORDER, SENDER_HEAD, "zlib")


def registration_request(key, *, client_id="", netbios=HOST,
                         fqdn="pc01.example.com", agent="CCMSetup.exe",
                         agent_version="5.00.8325.0000", sign=True):
    """ClientRegistrationRequest with the key's certificate, signed by it."""
    certificate = key.certificate().hex().upper()
    data = (
        f'<Data HashAlgorithm="{SHA256_RSA}" SMSID={quoteattr(client_id)} '
        f'RequestType="Registration" TimeStamp="{utc()}">'
        f"<AgentInformation AgentIdentity={quoteattr(agent)} "
        f"AgentVersion={quoteattr(agent_version)} "
        'AgentType="0" /><Certificates>'
        f'<Encryption Encoding="HexBinary" KeyType="1">{certificate}'
        f'</Encryption><Signing Encoding="HexBinary" KeyType="1">{certificate}'
        "</Signing></Certificates><DiscoveryProperties>"
        f'<Property Name="Netbios Name" Value={quoteattr(netbios)} />'
        f'<Property Name="FQ Name" Value={quoteattr(fqdn)} />'
        '<Property Name="Locale ID" Value="1033" />'
        '<Property Name="InternetFlag" Value="0" />'
        "</DiscoveryProperties></Data>")
    signature = key.sign(utf16(data)) if sign else ""
    return (f"<ClientRegistrationRequest>{data}<Signature><SignatureValue>"
            f"{signature}</SignatureValue></Signature>"
            "</ClientRegistrationRequest>")


def sender_registration(key, *, message=None, **request):
    """The Python sender's registration; message: more for its <Msg>."""
    more = {"source_id": None, "source_host": request.get("netbios", HOST)}
    more.update(message or {})
    return sender_message("MP_ClientRegistration",
                          registration_request(key, **request), **more)


# ---------------------------------------------------------------------- native

def native_message(endpoint, body, attachments=(), *, key=None, **more):
    """
    What a native client's message may look like [unverified]: "[http]" in the
    address, no TargetEndpoint, SourceType and ReplyCapabilities.
    """
    payload = utf16(body) + b"\0\0"
    more.setdefault("Body", attributes("Body", Type="ByteRange",
                                       Length=len(payload), Offset=0))
    listed = ""
    for text in attachments:
        data = utf16(text)
        listed += attributes("Attachment", Name=DISCOVERY_GUID,
                             Length=len(data), Offset=len(payload))
        payload += data
    payload = zlib.compress(payload + b"\r\n")
    host = more.get("source_host", HOST)
    auth = None
    if key is not None:
        auth = key.clientauth(more.get("source_id", CLIENT_ID), payload,
                              SHA256_RSA, host)
    return Message(_elements(
        endpoint, address="mp:[http]{}", receiver=endpoint, Attachment=listed,
        SourceType=element("SourceType", "Client"),
        ReplyCapabilities="<ReplyCapabilities><AllowRegistrationReset>direct:"
        f"{host}:ClientRegistration</AllowRegistrationReset>"
        "</ReplyCapabilities>",
        Hooks=hooks("zlib-compress", clientauth=auth), **more),
        payload, NATIVE_ORDER, NATIVE_HEAD, "zlib")


# ------------------------------------------------------------------------ keys

class Key:
    """An RSA key of a client, by python3-cryptography."""

    def __init__(self, bits=2048):
        from cryptography.hazmat.primitives.asymmetric import rsa

        self.private = rsa.generate_private_key(65537, bits)
        self._certificate = None

    def numbers(self):
        return self.private.public_key().public_numbers()

    def blob(self):
        """CAPI's PUBLICKEYBLOB."""
        numbers = self.numbers()
        bits = self.private.key_size
        return (b"\x06\x02\0\0\0\xa4\0\0RSA1" +
                struct.pack("<II", bits, numbers.e) +
                numbers.n.to_bytes(bits // 8, "little"))

    def sign(self, data, hash_algorithm=SHA256_RSA):
        """PKCS #1 v1.5, bytes reversed, upper-case hexadecimal."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        digest = hashes.SHA1() if hash_algorithm == SHA1_RSA \
            else hashes.SHA256()
        return self.private.sign(data, padding.PKCS1v15(),
                                 digest)[::-1].hex().upper()

    def clientauth(self, source_id, payload, hash_algorithm, host):
        """The hook's properties for a message."""
        return {
            "AuthSenderMachine": host,
            "PublicKey": self.blob().hex().upper(),
            "ClientIDSignature": self.sign(utf16(source_id) + b"\0\0",
                                           hash_algorithm),
            "PayloadSignature": self.sign(payload, hash_algorithm),
            "ClientCapabilities": "NonSSL",
            "HashAlgorithm": hash_algorithm,
        }

    def certificate(self):
        """Self-signed as a client's is, DER; made once."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization

        if self._certificate is None:
            name = x509.Name([x509.NameAttribute(
                x509.NameOID.COMMON_NAME, "ConfigMgr Client")])
            now = datetime.datetime.utcnow()
            usages = [x509.ObjectIdentifier("1.3.6.1.4.1.311.101.2"),
                      x509.ObjectIdentifier("1.3.6.1.4.1.311.101")]
            self._certificate = (
                x509.CertificateBuilder()
                .subject_name(name).issuer_name(name)
                .public_key(self.private.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(days=1))
                .not_valid_after(now + datetime.timedelta(days=365))
                .add_extension(x509.ExtendedKeyUsage(usages), False)
                .sign(self.private, hashes.SHA256())
                .public_bytes(serialization.Encoding.DER))
        return self._certificate

    def fingerprint(self):
        """SHA-256 over modulus and exponent, big endian; hexadecimal."""
        import hashlib

        numbers = self.numbers()
        data = b"".join(n.to_bytes((n.bit_length() + 7) // 8, "big")
                        for n in (numbers.n, numbers.e))
        return hashlib.sha256(data).hexdigest()


# --------------------------------------------------------------------- reports

def instance(cls, content="New", namespace=rf"\\{HOST}\root\ccm", **values):
    """An <Instance>; a list of values repeats the property."""
    inner = ""
    for name, value in values.items():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            inner += element(name, one) if one else f"<{name} />"
    return (f'<Instance Content="{content}" Namespace={quoteattr(namespace)} '
            f'Class="{cls}" ParentClass="{cls}"><{cls}>{inner}</{cls}>'
            "</Instance>")


DISCOVERY = (
    ("CCM_ComputerSystem", {"Domain": "EXAMPLE"}),
    ("CCM_Client", {"ClientIdChangeDate": "11/20/2026 08:00:00",
                    "ClientVersion": "5.00.8325.0000",
                    "PreviousClientId": "Unknown"}),
    ("SMS_Authority", {"Name": "SMS:ABC"}),
    ("CCM_ADSiteInfo", {"ADSiteName": "Default-First-Site-Name"}),
    ("CCM_ExtNetworkAdapterConfiguration", {"FQDN": "pc01.example.com"}),
    ("Win32_ComputerSystemProduct", {"IdentifyingNumber": "SN-1",
                                     "Name": "Virtual Machine",
                                     "UUID": "01234567-89AB-CDEF-0123-"
                                             "456789ABCDEF",
                                     "Version": "1.0"}),
    ("CCM_DiscoveryData", {"PlatformID":
                           "Microsoft Windows NT Workstation 10.0"}),
    ("CCM_NetworkAdapterConfiguration", {"IPSubnet": ["192.0.2.0",
                                                      "64"]}),
    ("Win32_NetworkAdapterConfiguration", {"IPAddress": ["192.0.2.17",
                                                         "2001:db8::17"],
                                           "Index": "1",
                                           "MACAddress":
                                           "00:00:5E:00:53:01"}),
)


def report(*body, content="Inventory Data", kind="Full", date=None,
           version="1.0", action="{00000000-0000-0000-0000-000000000003}",
           description="Discovery", client_id=CLIENT_ID, netbios=HOST,
           priority=""):
    """A Report; body: its instances, none for a header-only one."""
    date = date or cim()
    inner = f"<ReportBody>{''.join(body)}</ReportBody>" if body \
        else "<ReportBody />"
    return (
        "<Report><ReportHeader><Identification><Machine>"
        "<ClientInstalled>1</ClientInstalled><ClientType>1</ClientType>"
        f"<ClientID>{client_id}</ClientID>"
        "<ClientVersion>5.00.8325.0000</ClientVersion>"
        f"<NetBIOSName>{escape(netbios)}</NetBIOSName>"
        "<CodePage>437</CodePage><SystemDefaultLCID>1033</SystemDefaultLCID>"
        f"<Priority>{priority}</Priority></Machine></Identification>"
        f"<ReportDetails><ReportContent>{content}</ReportContent>"
        f"<ReportType>{kind}</ReportType><Date>{date}</Date>"
        f"<Version>{version}</Version><Format>1.1</Format></ReportDetails>"
        '<InventoryAction ActionType="Predefined">'
        f"<InventoryActionID>{action}</InventoryActionID>"
        f"<Description>{description}</Description>"
        "<InventoryActionLastUpdateTime>"
        f"{date}</InventoryActionLastUpdateTime></InventoryAction>"
        f"</ReportHeader>{inner}</Report>")


def discovery_reports(**details):
    """The header-only report of a heartbeat, and all of it."""
    details.setdefault("date", cim())
    return (report(**details),
            report(*(instance(cls, **values) for cls, values in DISCOVERY),
                   **details))


# ------------------------------------------------------------------------ HTTP

@dataclass
class Reply:
    status: int
    headers: dict
    body: bytes

    def parts(self):
        """The bytes of a multipart answer's parts, as senders split them."""
        delimiter = b"--" + self.headers["content-type"].split(
            'boundary="')[1].rstrip('"').encode()
        pieces = self.body.split(delimiter)
        assert pieces[0] == b"" and pieces[-1] == b"--", self.body
        found = []
        for piece in pieces[1:-1]:
            assert piece.startswith(b"\r\n") and piece.endswith(b"\r\n")
            found.append(piece[2:-2].partition(b"\r\n\r\n")[2])
        return found

    def is_no_reply(self):
        """Whether it is what an asynchronous message is answered."""
        return (self.status == 200 and
                self.parts() == [b"\xff\xfe" + utf16("NoReply")])

    def message(self):
        """A synchronous answer: the <Msg> element, and its body's text."""
        header, payload = self.parts()
        msg = ElementTree.fromstring(header.decode("utf-16"))
        if msg.find("Hooks/Hook3[@Name='zlib-compress']") is not None:
            payload = zlib.decompress(payload)
        body = msg.find("Body")
        start = int(body.get("Offset"))
        text = payload[start:start + int(body.get("Length"))]
        assert text.endswith(b"\0\0") and payload.endswith(b"\0\0\r\n")
        return msg, text[:-2].decode("utf-16-le")


def exchange(address, data, *, tls=None, timeout=30):
    """Raw bytes to (host, port), and the answer.  tls: an SSLContext."""
    with socket.create_connection(address, timeout=timeout) as sock:
        if tls is not None:
            sock = tls.wrap_socket(sock, server_hostname=address[0])
        with sock:
            sock.sendall(data)
            response = http.client.HTTPResponse(sock)
            response.begin()
            body = response.read()
            headers = {name.lower(): value
                       for name, value in response.getheaders()}
            return Reply(response.status, headers, body)


def send(address, message, *, body=None, tls=None, timeout=30):
    """Send a Message, with another body if one is given."""
    host = f"{address[0]}:{address[1]}"
    return exchange(address, message.request(host, body), tls=tls,
                    timeout=timeout)


def get(address, path, *, tls=None, timeout=30):
    """A GET as the SDK writes it: /sms_mp/.sms_aut?MPLIST1 for one."""
    return exchange(address, (
        f"GET {path} HTTP/1.1\r\n"
        "User-Agent: ConfigMgr Messaging HTTP Sender\r\n"
        "Content-Length: 0\r\nConnection: close\r\n"
        f"Host: {address[0]}:{address[1]}\r\n\r\n").encode(), tls=tls,
        timeout=timeout)
