"""The site's secret, and the keys that are derived from it."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge.config.document import Privacy
from bridge.config.reading import read_secret
from bridge.privacy.pseudonyms import Pseudonyms
from bridge.privacy.vault import Vault
from eigenwarp.errors import OptionInvalidError, StoreUnavailableError

_SHORTEST = 32
_OWN_KEY = "pseudonyms.key"
_KEY_BYTES = 32


@dataclass(frozen=True)
class SiteSecret:
    """Pseudonyms and vault of one site; the same file gives the same ones."""

    pseudonyms: Pseudonyms
    vault: Vault


def open_secret(privacy: Privacy, folder: Path) -> SiteSecret:
    """The keys of a bridge.

    Args:
        folder: the bridge's own, where it keeps the key that it makes for itself when it is given none.

    Raises:
        OptionInvalidError: the key's file cannot be read, or the key is too short.
        StoreUnavailableError: the folder cannot be written to.
    """
    if privacy.key_file is None:
        return SiteSecret(Pseudonyms(_derived(_own_key(folder / _OWN_KEY), b"pseudonyms")), Vault(None))
    text = read_secret(privacy.key_file, "privacy.key_file")
    if len(text) < _SHORTEST:
        raise OptionInvalidError(f"privacy.key_file: {len(text)} characters, at least {_SHORTEST} are wanted")
    key = text.encode()
    return SiteSecret(Pseudonyms(_derived(key, b"pseudonyms")), Vault(_derived(key, b"vault")))


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"eigenwarp bridge " + purpose).derive(key)


def _own_key(path: Path) -> bytes:
    """Made once: with another key every subject would have another id."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreUnavailableError(f"{path}: {error.strerror}") from None
    return read_secret(path, "the bridge's own key").encode()
