# SPDX-License-Identifier: GPL-3.0-or-later
"""
A DCE/RPC client for tests, [C706] 12 and [MS-RPCE] 2.2.2.

impacket gives the endpoint mapper call and the cryptography; the connection
is written here, because the tests need what impacket's has not: several calls
in flight, association groups, fault codes as numbers, SPNEGO with NTLM,
verified signatures, and requests that are wrong on purpose.
"""

import itertools
import os
import socket
import struct
import time
import uuid as uuids
from dataclasses import dataclass
from unittest import mock

from Cryptodome.Cipher import ARC4
from impacket import ntlm
from impacket.dcerpc.v5 import epm, transport
from impacket.krb5 import crypto, gssapi, kerberosv5
from impacket.krb5.ccache import CCache
from impacket.spnego import (SPNEGO_NegTokenInit, SPNEGO_NegTokenResp,
                             TypesMech)
from impacket.uuid import uuidtup_to_bin

REQUEST, RESPONSE, FAULT, BIND, BIND_ACK, BIND_NAK = 0, 2, 3, 11, 12, 13
ALTER, ALTER_RESP, AUTH3, CANCEL, ORPHANED = 14, 15, 16, 18, 19

FIRST, LAST, MULTIPLEX, DID_NOT_EXECUTE = 0x01, 0x02, 0x10, 0x20
HEADER_SIGN = 0x04              # in a bind and its acknowledgement

AUTH_SPNEGO, AUTH_NTLM, AUTH_KERBEROS = 0x09, 0x0A, 0x10
CONNECT, CALL, PACKET, INTEGRITY, PRIVACY = 2, 3, 4, 5, 6
AUTH_CONTEXT = 79231

NDR = ("8a885d04-1ceb-11c9-9fe8-08002b104860", 2)
NDR64 = ("71710533-beba-4937-8319-b5dbef9ccc36", 1)

FAULT_ACCESS_DENIED = 0x00000005
FAULT_BAD_STUB_DATA = 0x000006F7
FAULT_INVALID_BOUND = 0x1C000007
FAULT_CANCEL = 0x1C00000D
FAULT_CONTEXT_MISMATCH = 0x1C00001A
FAULT_OP_RANGE = 0x1C010002
FAULT_PROTOCOL = 0x1C01000B
FAULT_TOO_BUSY = 0x1C010014

FRAGMENT = 4280


class Fault(Exception):
    """A fault PDU."""

    def __init__(self, status, executed=True):
        super().__init__(f"fault 0x{status:08x}")
        self.status = status
        self.executed = executed


class Refused(Exception):
    """A bind that was not accepted."""


class Closed(Exception):
    """The peer closed the connection."""


def bind_time_features(bits):
    """The transfer syntax that asks for features, [MS-RPCE] 3.3.1.5.3."""
    node = struct.pack("<Q", bits).hex()
    return (f"6cb71c2c-9812-4540-{node[:4]}-{node[4:]}", 1)


def _syntax(syntax):
    uuid, version = syntax
    return uuids.UUID(uuid).bytes_le + struct.pack("<I", version)


@dataclass
class Pdu:
    kind: int
    flags: int
    call_id: int
    header: bytes
    body: bytes         # header not included; verified and in the clear
    auth: bytes         # authentication value of a bind and the like


# Security: each has auth_type, level, the legs of its handshake as a
# generator's send() protocol, and protect() and open() for packets.

class Ntlm:
    """NTLMSSP with extended session security, [MS-NLMP] 3.4."""
    auth_type = AUTH_NTLM
    replies_to_last_leg = False
    value_size = 16

    def __init__(self, user, password, domain="", level=PRIVACY):
        self.user, self.password, self.domain = user, password, domain
        self.level = level

    def legs(self):
        negotiate = ntlm.getNTLMSSPType1("", "", signingRequired=True)
        challenge = yield negotiate.getData()
        # By its hash: impacket takes passwords of Latin letters only.
        anonymous = self.user == "" and self.password == ""
        nthash = "" if anonymous else ntlm.compute_nthash(self.password)
        answer, key = ntlm.getNTLMSSPType3(
            negotiate, challenge, self.user, "", self.domain, nthash=nthash)
        self._set_keys(answer["flags"], key)
        yield answer.getData()

    def _set_keys(self, flags, key):
        if not flags & ntlm.NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY:
            raise Refused("no extended session security")
        self._flags = flags
        self._sign, self._handle, self._sequence = {}, {}, {}
        for side in ("Client", "Server"):
            self._sign[side] = ntlm.SIGNKEY(flags, key, side)
            self._handle[side] = ARC4.new(
                ntlm.SEALKEY(flags, key, side)).encrypt
            self._sequence[side] = 0

    def _mac(self, side, message):
        mac = ntlm.MAC(self._flags, self._handle[side], self._sign[side],
                       self._sequence[side], message).getData()
        self._sequence[side] += 1
        return mac

    def protect(self, header, body, trailer):
        sent = self._handle["Client"](body) if self.level == PRIVACY else body
        return sent, self._mac("Client", header + body + trailer)

    def open(self, header, body, trailer, value):
        if self.level == PRIVACY:
            body = self._handle["Server"](body)
        if self._mac("Server", header + body + trailer) != value:
            raise ValueError("a reply's signature is wrong")
        return body


def der(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def _neg_token_resp(token, mic=None):
    """SPNEGO's answer, RFC 4178 4.2.2."""
    fields = der(0xA2, der(0x04, token))
    if mic is not None:
        fields += der(0xA3, der(0x04, mic))
    return der(0xA1, der(0x30, fields))


class SpnegoNtlm(Ntlm):
    """The same inside SPNEGO."""
    auth_type = AUTH_SPNEGO
    replies_to_last_leg = True

    def legs(self):
        inner = super().legs()
        init = SPNEGO_NegTokenInit()
        init["MechTypes"] = [TypesMech[
            "NTLMSSP - Microsoft NTLM Security Support Provider"]]
        init["MechToken"] = next(inner)
        answer = yield init.getData()
        challenge = SPNEGO_NegTokenResp(answer)["ResponseToken"]
        yield _neg_token_resp(inner.send(challenge))


class Kerberos:
    """
    Kerberos in DCE style with AES, RFC 4121 and [MS-KILE] 3.4.5, from a
    ticket that lies in a credential cache (kinit, kvno host/NAME).
    """
    auth_type = AUTH_SPNEGO
    replies_to_last_leg = True

    def __init__(self, target, ccache=None, level=PRIVACY, spnego=True,
                 service="host"):
        """target: the host part of the service's name, with its realm."""
        self.level, self._target, self._spnego = level, target, spnego
        self._service = service
        self._ccache = ccache or os.environ["KRB5CCNAME"]
        if not spnego:
            self.auth_type = AUTH_KERBEROS
        self.value_size = 60 if level == PRIVACY else 28

    def legs(self):
        cache = CCache.loadFile(self._ccache.removeprefix("FILE:"))
        credential = cache.getCredential(f"{self._service}/{self._target}")
        client = credential["client"]
        # Who only signs must not ask for confidentiality, which impacket
        # always does: Samba reserves room for signatures by what was asked.
        conf = gssapi.GSS_C_CONF_FLAG if self.level == PRIVACY else 0
        with mock.patch.object(kerberosv5, "GSS_C_CONF_FLAG", conf):
            cipher, key, init = kerberosv5.getKerberosType1(
                client.components[0]["data"].decode(), "",
                client.realm["data"].decode(), "", "",
                TGS=credential.toTGS(), targetName=self._target)
        init_token = SPNEGO_NegTokenInit(init)
        answer = yield init if self._spnego else init_token["MechToken"]

        if not self._spnego:
            answer = _neg_token_resp(answer)
        # The ticket's key opens the reply, the reply's subkey does the rest.
        cipher, self._key, last = kerberosv5.getKerberosType3(
            cipher, key, answer)
        self._gss = gssapi.GSSAPI(cipher)
        self._checksum = {17: crypto._SHA1AES128, 18: crypto._SHA1AES256}[
            cipher.enctype]()
        self._sequence = 0
        token = SPNEGO_NegTokenResp(last)["ResponseToken"]
        if not self._spnego:
            yield token
            return
        # Samba insists on the MIC over the list of mechanisms.
        mechs = der(0x30, der(
            0x06, TypesMech["MS KRB5 - Microsoft Kerberos 5"]))
        yield _neg_token_resp(token, self._mic(mechs))

    def _mic(self, data):
        head = struct.pack(">HB5sQ", 0x0404, 4, b"\xff" * 5, self._sequence)
        self._sequence += 1
        return head + self._checksum.checksum(
            self._key, gssapi.KG_USAGE_INITIATOR_SIGN, data + head)

    def protect(self, header, body, trailer):
        if self.level != PRIVACY:
            return body, self._mic(body)
        sent, value = self._gss.GSS_Wrap(self._key, body, self._sequence)
        self._sequence += 1
        return sent, value

    def open(self, header, body, trailer, value):
        if self.level == PRIVACY:
            return self._gss.GSS_Unwrap(self._key, body, 0,
                                        authData=trailer + value)[0]
        self._checksum.verify(self._key, gssapi.KG_USAGE_ACCEPTOR_SIGN,
                              body + value[:16], value[16:])
        return body


class Connection:
    """One TCP (or Unix socket) connection."""

    def __init__(self, host, port=None, timeout=30):
        if port is None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(host)
        else:
            self.socket = socket.create_connection((host, port), timeout)
        self.security = None
        self.group = 0
        self.results = []       # of each context: result, reason
        self.accepted = []      # of each context: the transfer syntax' bytes
        self.ack_flags = 0      # of the bind's acknowledgement
        self.max_fragment = FRAGMENT
        self._calls = itertools.count(1)
        self._inbox = bytearray()
        self._partial = {}      # call id -> body so far
        self._done = {}         # call id -> body or Fault

    # Binding

    def bind(self, interface, security=None, group=0, multiplex=True,
             syntaxes=(NDR,), header_signing=False):
        """
        Bind; each transfer syntax is a context of its own, as Windows asks.
        Context 0 is the one that calls use unless told.  header_signing:
        offer it.  NTLM signs headers anyway, Kerberos here does not.
        """
        self.security = security
        legs = security.legs() if security else None
        token = next(legs) if legs else None
        flags = FIRST | LAST | (MULTIPLEX if multiplex else 0) \
            | (HEADER_SIGN if header_signing else 0)
        contexts = b"".join(
            struct.pack("<HBB", i, 1, 0) + _syntax(interface) + _syntax(s)
            for i, s in enumerate(syntaxes))
        body = struct.pack("<HHIB3x", FRAGMENT, FRAGMENT, group,
                           len(syntaxes)) + contexts
        call_id = next(self._calls)
        self._send_plain(BIND, flags, call_id, body, token)
        pdu = self._receive_pdu()
        if pdu.kind == BIND_NAK:
            raise Refused(f"reason {struct.unpack_from('<H', pdu.body)[0]}")
        if pdu.kind != BIND_ACK:
            raise Refused(f"packet type {pdu.kind}")
        self.ack_flags = pdu.flags
        self._parse_ack(pdu)
        if legs is not None:
            self._finish(legs, interface, syntaxes[0], flags, pdu.auth)
        if self.results[0][0] != 0:
            raise Refused("context rejected: result %d, reason %d"
                          % self.results[0])
        return self

    def _parse_ack(self, pdu):
        receive, _, self.group, size = struct.unpack_from("<HHIH", pdu.body)
        self.max_fragment = min(FRAGMENT, receive)
        at = 10 + size
        at += -(at + 16) % 4
        count = pdu.body[at]
        starts = [at + 4 + 24 * i for i in range(count)]
        self.results = [struct.unpack_from("<HH", pdu.body, start)
                        for start in starts]
        self.accepted = [pdu.body[start + 4:start + 24] for start in starts]

    def speaks(self, syntax):
        """Whether context 0 is of that transfer syntax."""
        return self.accepted[0] == _syntax(syntax)

    def _finish(self, legs, interface, syntax, flags, token):
        """The second leg of the authentication, and its reply if any."""
        answer = legs.send(token)
        if not self.security.replies_to_last_leg:
            # The call id of the bind, and four bytes of nothing.
            self._send_plain(AUTH3, flags, 1, b"\0" * 4, answer)
            return
        body = struct.pack("<HHIB3x", FRAGMENT, FRAGMENT, self.group, 1)
        body += struct.pack("<HBB", 0, 1, 0) + _syntax(interface) + \
            _syntax(syntax)
        self._send_plain(ALTER, flags, next(self._calls), body, answer)
        pdu = self._receive_pdu()
        if pdu.kind == FAULT:
            raise Fault(struct.unpack_from("<I", pdu.body, 8)[0])
        if pdu.kind != ALTER_RESP:
            raise Refused(f"packet type {pdu.kind}")

    # Calls

    def call(self, opnum, stub=b"", timeout=None, context=0):
        """A call and its reply."""
        return self.receive(self.send(opnum, stub, context), timeout)

    def send(self, opnum, stub=b"", context=0):
        """Send a request; returns its call id."""
        call_id = next(self._calls)
        room = self.max_fragment - 24 - 16 - 8
        if self._protected():
            room -= self.security.value_size
        room &= ~15
        pieces = [stub[i:i + room] for i in range(0, len(stub), room)] or [b""]
        for number, piece in enumerate(pieces):
            flags = FIRST * (number == 0) | \
                LAST * (number == len(pieces) - 1)
            rest = len(stub) - number * room
            head = struct.pack("<IHH", rest, context, opnum)
            self._send_call(flags, call_id, head, piece)
        return call_id

    def wait(self, call_id, timeout=None):
        """Have the reply to a call; others that come first are kept."""
        before = self.socket.gettimeout()
        end = time.monotonic() + (before if timeout is None else timeout)
        try:
            while call_id not in self._done:
                self.socket.settimeout(max(end - time.monotonic(), 0.001))
                self._collect(self._receive_pdu())
        finally:
            self.socket.settimeout(before)

    def is_done(self, call_id):
        """Whether its reply has been received, with others or by itself."""
        return call_id in self._done

    def receive(self, call_id, timeout=None):
        """The reply to a call, or its Fault; TimeoutError when none comes."""
        self.wait(call_id, timeout)
        answer = self._done.pop(call_id)
        if isinstance(answer, Fault):
            raise answer
        return answer

    def _collect(self, pdu):
        if pdu.kind == FAULT:
            self._partial.pop(pdu.call_id, None)
            self._done[pdu.call_id] = Fault(
                struct.unpack_from("<I", pdu.body, 8)[0],
                not pdu.flags & DID_NOT_EXECUTE)
            return
        if pdu.kind != RESPONSE:
            raise ValueError(f"packet type {pdu.kind}")
        body = self._partial.pop(pdu.call_id, b"") + pdu.body[8:]
        if pdu.flags & LAST:
            self._done[pdu.call_id] = body
        else:
            self._partial[pdu.call_id] = body

    def cancel(self, call_id, verifier=None):
        self._send_plain(CANCEL, FIRST | LAST, call_id, b"", verifier)

    def orphan(self, call_id, verifier=None):
        self._send_plain(ORPHANED, FIRST | LAST, call_id, b"", verifier)

    def close(self):
        self.socket.close()

    def abort(self):
        """Close with a reset, as a peer that dies does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Packets

    def _protected(self):
        return self.security is not None and \
            self.security.level in (PACKET, INTEGRITY, PRIVACY)

    @staticmethod
    def _header(kind, flags, size, auth_size, call_id):
        return struct.pack("<BBBB4sHHI", 5, 0, kind, flags, b"\x10\0\0\0",
                           size, auth_size, call_id)

    def _trailer(self, pad):
        return struct.pack("<BBBBI", self.security.auth_type,
                           self.security.level, pad, 0, AUTH_CONTEXT)

    def _send_plain(self, kind, flags, call_id, body, token):
        """A packet that is not protected, perhaps with a handshake token."""
        auth = b""
        if token is not None:
            pad = -len(body) % 4
            auth = b"\0" * pad + self._trailer(pad) + token
        size = 16 + len(body) + len(auth)
        self.socket.sendall(
            self._header(kind, flags, size, len(token or b""), call_id)
            + body + auth)

    def _send_call(self, flags, call_id, head, piece):
        if not self._protected():
            # Authenticated below integrity: a verifier of zeros.
            auth = b""
            if self.security is not None:
                pad = -len(piece) % 4
                auth = b"\0" * pad + self._trailer(pad) + b"\0" * 16
            size = 24 + len(piece) + len(auth)
            self.socket.sendall(
                self._header(REQUEST, flags, size, 16 if auth else 0, call_id)
                + head + piece + auth)
            return
        pad = -len(piece) % 16
        body = piece + b"\0" * pad
        trailer = self._trailer(pad)
        size = 24 + len(body) + 8 + self.security.value_size
        header = self._header(REQUEST, flags, size, self.security.value_size,
                              call_id) + head
        sent, value = self.security.protect(header, body, trailer)
        self.socket.sendall(header + sent + trailer + value)

    def _fill(self, size):
        """Have so many bytes; what came before a timeout is kept."""
        while len(self._inbox) < size:
            more = self.socket.recv(65536)
            if not more:
                raise Closed("the server closed the connection")
            self._inbox += more

    def _receive_pdu(self):
        self._fill(16)
        header = bytes(self._inbox[:16])
        major, _, kind, flags, _, size, auth_size, call_id = \
            struct.unpack("<BBBB4sHHI", header)
        if major != 5 or size < 16:
            raise ValueError("no DCE/RPC packet")
        self._fill(size)
        body = bytes(self._inbox[16:size])
        del self._inbox[:size]
        value = b""
        if auth_size:
            trailer, value = body[-8 - auth_size:-auth_size], \
                body[-auth_size:]
            body = body[:-8 - auth_size]
            if kind == RESPONSE and self._protected():
                body = body[:8] + self.security.open(
                    header + body[:8], body[8:], trailer, value)
            if trailer[2]:
                body = body[:-trailer[2]]
        elif kind == RESPONSE and self._protected():
            raise ValueError("a reply is not protected")
        return Pdu(kind, flags, call_id, header, body, value)


def map_endpoint(host, interface, port=135):
    """The TCP port of an interface, from the endpoint mapper."""
    uuid, version = interface
    rpc = transport.DCERPCTransportFactory(f"ncacn_ip_tcp:{host}[{port}]")
    dce = rpc.get_dce_rpc()
    dce.connect()
    try:
        binding = epm.hept_map(
            host, uuidtup_to_bin((uuid, f"{version}.0")),
            protocol="ncacn_ip_tcp", dce=dce)
    finally:
        dce.disconnect()
    return int(binding.partition("[")[2].rstrip("]"))
