"""The public keys that a token issuer signs with: fetched, kept for a while, fetched again when they change."""

import threading
import time
from collections.abc import Callable

import httpx
from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWTError
from pydantic import BaseModel, ValidationError

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.log import get_logger

# Of elliptic curves and RSA. With a symmetric one, who can check a token could also make one.
ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")

KEPT_SECONDS = 300.0
# Unknown key ids cost nothing to invent: they may not make us ask the issuer more often than this.
PAUSE_SECONDS = 5.0
_MAX_BYTES = 1 << 20
_TIMEOUT = httpx.Timeout(5.0)

_log = get_logger(__name__)


class _Discovery(BaseModel):
    """The part of ``/.well-known/openid-configuration`` that is needed."""

    issuer: str
    jwks_uri: str


class _KeySet(BaseModel):
    """A JSON Web Key Set (RFC 7517); each key is read by PyJWT, which leaves out those it cannot use."""

    keys: list[dict[str, object]]


class SigningKeys:
    """One issuer's keys by their id. Thread-safe.

    Args:
        issuer: its URL, spelled as in its discovery document and in its tokens.
        jwks_url: where the keys are; found through the discovery document where it is None.
        clock: seconds that only go forward.
    """

    def __init__(self, issuer: str, jwks_url: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer, self._jwks_url, self._clock = issuer, jwks_url, clock
        # Held while the issuer is asked, by one thread; those whose key is at hand do not wait for it.
        self._asking = threading.Lock()
        self._keys: tuple[PyJWK, ...] = ()
        self._fetched = self._asked = float("-inf")

    def get(self, key_id: str | None) -> PyJWK | None:
        """The key of that id, or the only key for a token that names none; None where there is none such.

        Raises:
            StoreUnavailableError: the issuer does not answer, and none of its keys are at hand.
        """
        found = self._find(key_id)
        if found is not None and self._clock() - self._fetched < KEPT_SECONDS:
            return found
        if self._asking.acquire(blocking=found is None):
            try:
                found = self._find(key_id)
                now = self._clock()
                stale = now - self._fetched >= KEPT_SECONDS
                if (found is None or stale) and now - self._asked >= PAUSE_SECONDS:
                    self._asked = now
                    self._refresh(now)
                    found = self._find(key_id)
            finally:
                self._asking.release()
        if found is None and not self._keys:
            raise StoreUnavailableError("the token issuer's keys cannot be fetched")
        return found

    def _find(self, key_id: str | None) -> PyJWK | None:
        keys = self._keys
        if key_id is None:
            return keys[0] if len(keys) == 1 else None
        return next((key for key in keys if key.key_id == key_id), None)

    def _refresh(self, now: float) -> None:
        # An issuer that is away for an hour locks nobody out: the keys that are at hand stay.
        try:
            with httpx.Client(timeout=_TIMEOUT) as client:
                url = self._jwks_url or self._discover(client)
                found = PyJWKSet.from_dict(_KeySet.model_validate_json(_get(client, url)).model_dump()).keys
        except (httpx.HTTPError, httpx.InvalidURL, ValidationError, ValueError, PyJWTError) as error:
            _log.warning("issuer-keys-not-fetched", issuer=self._issuer, error=type(error).__name__)
            return
        self._keys = tuple(
            key for key in found if key.algorithm_name in ASYMMETRIC and key.public_key_use in (None, "sig")
        )
        self._fetched = now

    def _discover(self, client: httpx.Client) -> str:
        url = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
        document = _Discovery.model_validate_json(_get(client, url))
        if document.issuer != self._issuer:
            raise ValueError("the discovery document is another issuer's")
        return document.jwks_uri


def _get(client: httpx.Client, url: str) -> str:
    content = bytearray()
    with client.stream("GET", url) as response:
        response.raise_for_status()
        for block in response.iter_bytes():
            content += block
            if len(content) > _MAX_BYTES:
                raise ValueError(f"more than {_MAX_BYTES} bytes")
    return content.decode()
