"""A certificate authority of one test, and a server certificate it signed."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PERSON_PASSWORD = "cheie-1"
"""Opens the key of the person's certificate."""


@dataclass(frozen=True)
class Certificates:
    """Files: the authority's certificate, the server's with its key, a person's with hers."""

    authority: Path
    server: Path
    key: Path
    person: Path


def make_certificates(folder: Path) -> Certificates:
    """Make an authority and a certificate for 127.0.0.1, valid for an hour."""
    now = dt.datetime.now(dt.UTC)  # noqa: TID251  TLS reads the real clock
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])

    def build(subject: str, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(hours=1))
        )

    identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    authority = (
        build("Test authority", ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(identifier, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    server = (
        build("127.0.0.1", key.public_key())
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .sign(ca_key, hashes.SHA256())
    )
    person_key = ec.generate_private_key(ec.SECP256R1())
    person = build("Ana", person_key.public_key()).sign(ca_key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    found = Certificates(
        folder / "ca.pem", folder / "server.pem", folder / "key.pem", folder / "ana.pem"
    )
    found.person.write_bytes(
        person.public_bytes(pem)
        + person_key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PERSON_PASSWORD.encode()),
        )
    )
    found.authority.write_bytes(authority.public_bytes(pem))
    found.server.write_bytes(server.public_bytes(pem))
    found.key.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return found
