"""URLs of this very server that one file can be put to, for an object store that has none to give.

The URL is the permission: it says which upload, how many bytes and until when, and is signed. Web processes that share
a store share the secret: with a folder it lies in the data folder too, with S3 it is made of the store's own.
"""

import hashlib
import hmac
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from eigenwarp.errors import StoreUnavailableError, UploadUnknownError
from eigenwarp.settings import Settings

_FILE = "upload_secret"
_BYTES = 32


class SignedPut:
    """Signs and checks. Thread-safe.

    Args:
        settings: of the store, or of the data folder.

    Raises:
        StoreUnavailableError: the secret cannot be read or made.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.s3_secret_key is not None:
            shared = settings.s3_secret_key.get_secret_value()
            self._secret = hmac.new(shared.encode(), b"eigenwarp: URLs to put to", hashlib.sha256).digest()
            return
        try:
            self._secret = _secret(settings.home)
        except OSError as error:
            raise StoreUnavailableError(f"{settings.home / _FILE}: {error.strerror}") from None

    def path(self, upload_id: str, max_bytes: int, expires_at: datetime) -> str:
        """Path and query of the URL."""
        expires = int(expires_at.timestamp())
        signature = self._signature(upload_id, max_bytes, expires)
        return f"/volumes/uploads/{upload_id}/content?bytes={max_bytes}&expires={expires}&signature={signature}"

    def require(self, upload_id: str, max_bytes: int, expires: int, signature: str) -> None:
        """Check what came back.

        Raises:
            UploadUnknownError: it is not what was signed, or its time is over.
        """
        expected = self._signature(upload_id, max_bytes, expires)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise UploadUnknownError("the URL's signature does not hold")
        if expires < datetime.now(UTC).timestamp():
            raise UploadUnknownError("the URL's time is over")

    def _signature(self, upload_id: str, max_bytes: int, expires: int) -> str:
        message = f"PUT {upload_id} {max_bytes} {expires}"
        return hmac.new(self._secret, message.encode(), hashlib.sha256).hexdigest()


def _secret(home: Path) -> bytes:
    path = home / _FILE
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        arriving = home / f".{_FILE}.{secrets.token_hex(8)}"
        arriving.touch(mode=0o600, exist_ok=False)
        arriving.write_bytes(secrets.token_bytes(_BYTES))
        try:
            # Unlike a rename this leaves the secret of a process that was faster.
            os.link(arriving, path)
        except FileExistsError:
            pass
        finally:
            arriving.unlink()
    return path.read_bytes()
