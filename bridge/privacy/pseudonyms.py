"""Opaque ids: keyed hashes that nobody without the site's secret can make or take back."""

import hmac
from typing import Literal

Kind = Literal["subject", "study", "series", "instance"]

_LETTERS = 32


class Pseudonyms:
    """HMAC-SHA256 of a kind and an identifier, 128 bits of it in hexadecimal.

    Args:
        key: 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, kind: Kind, *identifiers: str) -> str:
        """The same for the same identifiers; an instance's or a series' id says nothing of its UID."""
        text = "\0".join((kind, *identifiers))
        return hmac.digest(self._key, text.encode(), "sha256").hex()[:_LETTERS]

    def subject(self, patient_id: str, issuer: str) -> str:
        """What the service knows a patient by."""
        return "sub-" + self.of("subject", issuer, patient_id)
