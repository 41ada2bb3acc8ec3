"""API keys: made, and checked against the database on every request. The command line uses this module too."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from eigenwarp.errors import KeyUnknownError, NotAuthenticatedError, OptionInvalidError
from eigenwarp.schemas.access import Scope
from eigenwarp.stores.database import Database
from eigenwarp.stores.database.records import Caller, KeyRecord
from service.key_text import KeyText

_REMEMBERED = 1024
_MAX_NAME = 100


def create_key(
    database: Database,
    name: str,
    scopes: Iterable[Scope],
    lifetime: timedelta | None = None,
    now: datetime | None = None,
) -> KeyText:
    """Make a key and keep its hash; the key itself is in the answer and nowhere else.

    Args:
        name: for people, in lists.
        lifetime: how long it holds; until it is revoked by default.

    Raises:
        OptionInvalidError: no scope, or an unfit name.
        StoreUnavailableError: the database does not answer.
    """
    chosen = frozenset(scopes)
    if not chosen:
        raise OptionInvalidError("a key needs at least one scope: read, submit or admin")
    if not (0 < len(name) <= _MAX_NAME and name.isprintable()):
        raise OptionInvalidError(f"a key's name has 1 to {_MAX_NAME} printable characters")
    key = KeyText.new()
    created_at = now or datetime.now(UTC)
    database.keys.add(
        KeyRecord(
            id=key.id,
            name=name,
            secret_hash=PasswordHasher().hash(key.secret),
            scopes=chosen,
            created_at=created_at,
            expires_at=None if lifetime is None else created_at + lifetime,
        )
    )
    return key


class KeyVerifier:
    """Tells who holds a key. Thread-safe.

    argon2id is slow and wants 64 MiB, on purpose; a secret that it has accepted is remembered by its SHA-256, which
    for 256 random bits is as hard to turn round. The row is read on every request: a revoked key ends at once.

    Args:
        database: holds the keys.
        remembered: how many accepted secrets are kept.
    """

    def __init__(self, database: Database, remembered: int = _REMEMBERED) -> None:
        self._database, self._limit = database, remembered
        self._hasher = PasswordHasher()
        # One computation at a time: forty at once would want 2.5 GB.
        self._computing = threading.Lock()
        self._lock = threading.Lock()
        self._accepted: OrderedDict[bytes, str] = OrderedDict()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(remembered={len(self._accepted)})"

    def is_remembered(self, key: KeyText) -> bool:
        """Whether the check costs next to nothing."""
        with self._lock:
            return _digest(key) in self._accepted

    def verify(self, key: KeyText, now: datetime | None = None) -> Caller:
        """Who holds the key.

        Raises:
            NotAuthenticatedError: no such key, another secret, expired or revoked; which of them is not told.
            StoreUnavailableError: the database does not answer.
        """
        try:
            record = self._database.keys.get(key.id)
        except KeyUnknownError:
            raise _refusal() from None
        expired = record.expires_at is not None and record.expires_at <= (now or datetime.now(UTC))
        if expired or record.revoked_at is not None or not self._holds(key, record.secret_hash):
            raise _refusal()
        return Caller(id=f"key:{record.id}", name=record.name, scopes=record.scopes)

    def _holds(self, key: KeyText, stored: str) -> bool:
        digest = _digest(key)
        if self._recall(digest) == stored:
            return True
        with self._computing:
            # Whoever came with the same key in the meantime has paid for it.
            if self._recall(digest) == stored:
                return True
            try:
                self._hasher.verify(stored, key.secret)
            except (VerificationError, InvalidHashError):
                return False
            with self._lock:
                self._accepted[digest] = stored
                while len(self._accepted) > self._limit:
                    self._accepted.popitem(last=False)
            return True

    def _recall(self, digest: bytes) -> str | None:
        with self._lock:
            if digest in self._accepted:
                self._accepted.move_to_end(digest)
            return self._accepted.get(digest)


def _digest(key: KeyText) -> bytes:
    return hashlib.sha256(key.reveal().encode()).digest()


def _refusal() -> NotAuthenticatedError:
    return NotAuthenticatedError("the API key is unknown, expired or revoked")
