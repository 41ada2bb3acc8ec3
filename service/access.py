"""Who calls, and what they may: API keys, bearer tokens, or this machine itself while neither is configured."""

import ipaddress
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from eigenwarp.errors import NotAllowedError, NotAuthenticatedError, StoreUnavailableError
from eigenwarp.schemas.access import ALL_SCOPES, Scope
from eigenwarp.settings import Settings
from eigenwarp.stores.database import Database
from eigenwarp.stores.database.records import Caller
from service.bearer_tokens import BearerTokens
from service.key_text import KeyText
from service.keys import KeyVerifier
from service.loopback import is_loopback, require_local_request, require_loopback_binding
from service.rate_limit import RateLimiter

LOCAL = Caller(id="local", name="local", scopes=ALL_SCOPES)


class Access:
    """Turns a request's credentials into a caller. Thread-safe; calls block.

    Args:
        settings: whether an OIDC issuer is configured, and where the server listens.
        database: holds the keys.
        limiter: counts requests and failures.
    """

    def __init__(self, settings: Settings, database: Database, limiter: RateLimiter) -> None:
        self._host, self._database, self._limiter = settings.host, database, limiter
        self._keys = KeyVerifier(database)
        self._tokens = BearerTokens.of(settings)
        self._guarded = self._tokens is not None

    def require_safe_binding(self) -> None:
        """At the start: a server that would ask for no credentials listens on loopback only.

        Raises:
            OptionInvalidError: it listens elsewhere.
        """
        try:
            if not self.is_guarded():
                require_loopback_binding(self._host)
        except StoreUnavailableError:
            # Nobody can be let in without the database either, and `caller` asks again.
            return

    def is_guarded(self) -> bool:
        """Whether credentials are asked for: an issuer is configured, or a key was ever made.

        Revoked keys count: taking the last one away must not open the door to all.
        """
        if not self._guarded:
            self._guarded = bool(self._database.keys.list())
        return self._guarded

    def caller(self, request: Request, credentials: str | None) -> Caller:
        """Who makes this request; counted against their limit.

        Raises:
            NotAuthenticatedError: no credentials, or none that hold.
            NotAllowedError: without credentials, and not from this machine.
            RateLimitedError: too many requests, or too many failures from this address.
            StoreUnavailableError: the database or the token issuer does not answer.
        """
        if credentials is not None:
            found = self._identify(credentials, _address(request))
        elif self.is_guarded() or not is_loopback(self._host):
            raise NotAuthenticatedError("an API key (X-Api-Key, or Authorization: Bearer) or a bearer token is needed")
        else:
            require_local_request(request.client.host if request.client else None, request.headers, request.method)
            found = LOCAL
        self._limiter.count_request(found.id)
        return found

    def _identify(self, credentials: str, address: str) -> Caller:
        key = KeyText.parse(credentials)
        # An accepted secret costs nothing and passes, however often its holder's neighbours have failed.
        if key is None or not self._keys.is_remembered(key):
            self._limiter.check_failures(address)
        try:
            if key is not None:
                return self._keys.verify(key)
            if self._tokens is not None:
                return self._tokens.verify(credentials)
            raise NotAuthenticatedError("the credentials are no API key, and no token issuer is configured")
        except NotAuthenticatedError:
            self._limiter.count_failure(address)
            raise


_BEARER = HTTPBearer(auto_error=False, scheme_name="bearer", description="An OIDC token, or an API key.")
_API_KEY = APIKeyHeader(name="X-Api-Key", auto_error=False, scheme_name="key", description="`eigenwarp keys create`.")


def require(scope: Scope) -> Callable[..., Caller]:
    """The dependency that lets a route's callers through, and hands the route who they are.

    The caller is in ``request.state.caller`` too, for the log and the audit trail.
    """

    # A plain function: it waits for the database, so FastAPI runs it in a thread.
    def caller_with_scope(
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
        key: Annotated[str | None, Security(_API_KEY)],
    ) -> Caller:
        access: Access = request.app.state.resources.access
        caller = access.caller(request, key or (bearer.credentials if bearer else None))
        request.state.caller = caller
        if scope not in caller.scopes:
            raise NotAllowedError(f"this call needs the scope {scope}")
        return caller

    return caller_with_scope


Reader = Annotated[Caller, Depends(require("read"))]
Submitter = Annotated[Caller, Depends(require("submit"))]
Administrator = Annotated[Caller, Depends(require("admin"))]


def _address(request: Request) -> str:
    """The peer's address; of IPv6 the /64, which is what one household or attacker has."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else host
