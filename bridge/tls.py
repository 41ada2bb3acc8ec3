"""TLS 1.2 and up (BCP 195; PS3.15, B.12) by a site's PEM files, each of which is named where it does not fit."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificates

from eigenwarp.errors import OptionInvalidError


def client_context(what: str, authority: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """For calls: the other side must show a certificate for its host that the authority signed.

    Args:
        what: whose files they are, for errors, such as ``archive``.
        authority: of the other side; None for those that the system knows.
        certificate, key: of this bridge, where the other side wants them; the key may stand in the certificate's file.

    Raises:
        OptionInvalidError: a file is missing, holds something else, ran out or does not fit another; it is named.
    """
    if authority is not None:
        _require_authority(what, authority)
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=None if authority is None else str(authority))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        _load_own(context, what, certificate, key or certificate)
    return context


def server_context(what: str, certificate: Path, key: Path, authority: Path | None) -> ssl.SSLContext:
    """For a listener.

    Args:
        authority: that must have signed the certificates of those who call; without, they need none.

    Raises:
        OptionInvalidError: as of ``client_context``.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_own(context, what, certificate, key)
    if authority is not None:
        _require_authority(what, authority)
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _load_own(context: ssl.SSLContext, what: str, certificate: Path, key: Path) -> None:
    own = _certificates(f"{what}.certificate", certificate)[0]
    _require_in_force(f"{what}.certificate", certificate, own)
    try:
        private = load_pem_private_key(_content(f"{what}.key", key), None)
    except TypeError:
        raise OptionInvalidError(f"{what}.key: {key} is locked by a passphrase, for which nobody is asked") from None
    except (ValueError, UnsupportedAlgorithm):
        raise OptionInvalidError(f"{what}.key: {key} holds no private key in PEM") from None
    if private.public_key() != own.public_key():
        raise OptionInvalidError(f"{what}.key: {key} is not the key of the certificate {certificate}")
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        # Such as a key that today's rules find too short.
        reason = getattr(error, "reason", None) or type(error).__name__
        raise OptionInvalidError(f"{what}.certificate: {certificate} does not serve: {reason}") from None


def _require_authority(what: str, path: Path) -> None:
    found = _certificates(f"{what}.authority", path)
    now = datetime.now(UTC)
    if all(now > one.not_valid_after_utc for one in found):
        _require_in_force(f"{what}.authority", path, found[0])


def _certificates(key: str, path: Path) -> list[Certificate]:
    try:
        return load_pem_x509_certificates(_content(key, path))
    except ValueError:
        raise OptionInvalidError(f"{key}: {path} holds no certificate in PEM") from None


def _require_in_force(key: str, path: Path, certificate: Certificate) -> None:
    first, last, now = certificate.not_valid_before_utc, certificate.not_valid_after_utc, datetime.now(UTC)
    if now > last:
        raise OptionInvalidError(f"{key}: {path} ran out on {last:%Y-%m-%d}")
    if now < first:
        raise OptionInvalidError(f"{key}: {path} comes into force on {first:%Y-%m-%d} only")


def _content(key: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OptionInvalidError(f"{key}: {path}: {error.strerror or type(error).__name__}") from None
