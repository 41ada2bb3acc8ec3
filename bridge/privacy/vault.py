"""Encryption at rest: AES-256-GCM with a fresh nonce for each content."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from eigenwarp.errors import StoreUnavailableError

_PLAIN: Final = b"ewb0"
_SEALED: Final = b"ewb1"
_NONCE_BYTES: Final = 12


class Vault:
    """Seals what is kept of a patient, and opens it.

    Args:
        key: 32 bytes; None to keep it as it is.
    """

    def __init__(self, key: bytes | None) -> None:
        self._cipher = None if key is None else AESGCM(key)

    @property
    def encrypts(self) -> bool:
        """Whether there is a key."""
        return self._cipher is not None

    def seal(self, content: bytes) -> bytes:
        """What may lie on a disk."""
        if self._cipher is None:
            return _PLAIN + content
        nonce = os.urandom(_NONCE_BYTES)
        return _SEALED + nonce + self._cipher.encrypt(nonce, content, _SEALED)

    def open(self, sealed: bytes) -> bytes:
        """The content.

        Raises:
            StoreUnavailableError: sealed under another key, altered, or nothing that a vault made.
        """
        mark, rest = sealed[: len(_SEALED)], sealed[len(_SEALED) :]
        if mark == _PLAIN:
            return rest
        if mark != _SEALED or self._cipher is None:
            reason = "the configuration names no key" if mark == _SEALED else "it was not written by a bridge"
            raise StoreUnavailableError(f"kept content cannot be opened: {reason}")
        try:
            return self._cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _SEALED)
        except (InvalidTag, ValueError):
            raise StoreUnavailableError("kept content cannot be opened: another key, or it was altered") from None
