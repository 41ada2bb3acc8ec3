"""A certificate authority of a site, and the certificates that it signs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certified:
    """PEM files of one side.

    Args:
        both: certificate and key in one file.
    """

    certificate: Path
    key: Path
    both: Path


class Authority:
    """Signs certificates for the loopback's address, and for nothing else.

    Args:
        folder: for its files.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._key = generate_private_key(SECP256R1())
        signed = _signed(self._key, name, self._key, name, authority=True)
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(signed.public_bytes(Encoding.PEM))

    def issue(self, name: str, *, days: int = 2) -> Certified:
        """A certificate that is in force for some days from now, or ran out so many days ago."""
        key = generate_private_key(SECP256R1())
        certificate = _signed(key, name, self._key, self._name, days=days).public_bytes(Encoding.PEM)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        paths = [self._folder / f"{name}.{kind}" for kind in ("pem", "key", "both.pem")]
        for path, content in zip(paths, (certificate, private, certificate + private), strict=True):
            path.write_bytes(content)
        return Certified(*paths)


def _signed(
    key: EllipticCurvePrivateKey,
    name: str,
    by: EllipticCurvePrivateKey,
    issuer: str,
    *,
    days: int = 2,
    authority: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if authority:
        # Strict verifiers want it of an authority (RFC 5280, 4.2.1.3).
        signs = dict.fromkeys(("key_cert_sign", "crl_sign"), True)
        others = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        builder = builder.add_extension(x509.KeyUsage(**signs, **others), critical=True)
    else:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(by, SHA256())
