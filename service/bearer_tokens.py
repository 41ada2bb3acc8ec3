"""Bearer tokens of an OpenID Connect issuer: who they were made for, by whom, until when, and what they allow."""

from collections.abc import Mapping
from typing import get_args

import jwt
from jwt.exceptions import PyJWTError

from eigenwarp.errors import NotAuthenticatedError
from eigenwarp.schemas.access import Scope
from eigenwarp.settings import Settings
from eigenwarp.stores.database.records import Caller
from service.signing_keys import ASYMMETRIC, SigningKeys

SCOPE_PREFIX = "eigenwarp:"
# Clocks of two machines differ by so much.
_LEEWAY_SECONDS = 30
# OpenID Connect's own limit on ``sub``.
_MAX_SUBJECT = 255


class BearerTokens:
    """Checks tokens; asks the issuer for nothing but its keys.

    Args:
        issuer: what ``iss`` must be.
        audience: what ``aud`` must hold.
        scope_claim: the claim that lists ``eigenwarp:read`` and its like, as words or as an array.
        keys: the issuer's keys.
    """

    def __init__(self, issuer: str, audience: str, scope_claim: str, keys: SigningKeys) -> None:
        self._issuer, self._audience, self._scope_claim, self._keys = issuer, audience, scope_claim, keys

    @classmethod
    def of(cls, settings: Settings) -> "BearerTokens | None":
        """None where no issuer is configured."""
        if settings.oidc_issuer is None or settings.oidc_audience is None:
            return None
        keys = SigningKeys(settings.oidc_issuer, settings.oidc_jwks_url)
        return cls(settings.oidc_issuer, settings.oidc_audience, settings.oidc_scope_claim, keys)

    def verify(self, token: str) -> Caller:
        """Who holds the token.

        Raises:
            NotAuthenticatedError: the token does not hold; the detail says in which respect, nothing of its content.
            StoreUnavailableError: the issuer's keys cannot be had.
        """
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = self._keys.get(key_id if isinstance(key_id, str) else None)
            if key is None:
                raise NotAuthenticatedError("the bearer token is signed with a key that its issuer does not publish")
            claims = jwt.decode(
                token,
                key,
                algorithms=ASYMMETRIC,
                issuer=[self._issuer],
                audience=self._audience,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except PyJWTError as error:
            raise NotAuthenticatedError(f"the bearer token does not hold: {_reason(error)}") from None
        subject = claims["sub"]
        if not 0 < len(subject) <= _MAX_SUBJECT:
            raise NotAuthenticatedError(f"the bearer token's sub is empty or longer than {_MAX_SUBJECT} characters")
        return Caller(id=f"oidc:{subject}", name=subject, scopes=self._scopes(claims))

    def _scopes(self, claims: Mapping[str, object]) -> frozenset[Scope]:
        given = claims.get(self._scope_claim)
        words = given.split() if isinstance(given, str) else given if isinstance(given, list) else []
        return frozenset(scope for scope in get_args(Scope) if f"{SCOPE_PREFIX}{scope}" in words)


_REASONS: tuple[tuple[type[PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "it has expired"),
    (jwt.ImmatureSignatureError, "it is not valid yet"),
    (jwt.InvalidAudienceError, "it was made for another audience"),
    (jwt.InvalidIssuerError, "it comes from another issuer"),
    (jwt.MissingRequiredClaimError, "one of exp, iss, aud and sub is missing"),
    (jwt.InvalidAlgorithmError, f"its algorithm is none of {', '.join(ASYMMETRIC)}, or not its key's"),
    (jwt.InvalidSignatureError, "its signature is wrong"),
)


def _reason(error: PyJWTError) -> str:
    return next((text for kind, text in _REASONS if isinstance(error, kind)), "it is malformed")
