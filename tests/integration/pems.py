# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for tests, by python3-cryptography: an authority, and what it
signs, as PEM files in one directory."""

import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Authority:
    """ca.path is its certificate; ca.issue(NAME, ...) gives the paths of a
    certificate and its key."""

    def __init__(self, directory, name="Test authority", days=1):
        self.dir = directory
        self._name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._number = 0
        certificate = self._sign(
            self._name, self._key.public_key(), days,
            [(x509.BasicConstraints(ca=True, path_length=None), True)])
        self.path = self._write(f"{name.replace(' ', '-')}.pem",
                                certificate.public_bytes(
                                    serialization.Encoding.PEM))

    def _write(self, name, data):
        path = os.path.join(self.dir, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
                          0o600), "wb") as file:
            file.write(data)
        return path

    def _sign(self, subject, key, days, extensions, since=-30):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder()
                   .subject_name(subject).issuer_name(self._name)
                   .public_key(key)
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=-since))
                   .not_valid_after(now + datetime.timedelta(days=days)))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256())

    def issue(self, *names, days=1, since=-30, purposes=()):
        """Of these host names and addresses, valid from since to days from
        now; purposes are OIDs of the extended key usage, which else is not
        there."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        extensions = [(x509.SubjectAlternativeName(
            [_alternative(name) for name in names]), False)]
        if purposes:
            extensions.append((x509.ExtendedKeyUsage(purposes), False))
        certificate = self._sign(subject, key.public_key(), days, extensions,
                                 since)
        self._number += 1
        stem = f"{names[0].replace('/', '_')}-{self._number}"
        return (
            self._write(stem + ".pem", certificate.public_bytes(
                serialization.Encoding.PEM)),
            self._write(stem + ".key", key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption())))
