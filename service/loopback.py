"""Who may call without credentials: programs and pages of this very machine, while nothing at all is configured."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from eigenwarp.errors import NotAllowedError, OptionInvalidError

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own: ``localhost``, 127.0.0.0/8, ``::1``."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def require_loopback_binding(host: str) -> None:
    """A server that asks for no credentials may listen here only.

    Raises:
        OptionInvalidError: another address.
    """
    if not is_loopback(host):
        raise OptionInvalidError(
            f"EIGENWARP_HOST is {host}, and neither an API key nor an OIDC issuer is configured: "
            "make a key with 'eigenwarp keys create', or listen on 127.0.0.1"
        )


def require_local_request(client: str | None, headers: Mapping[str, str], method: str) -> None:
    """Refuse what only looks local.

    A name that an attacker's DNS points at 127.0.0.1 shows in ``Host``; a page of another site that posts a form to us
    shows in ``Origin`` or ``Sec-Fetch-Site``; a reverse proxy that would open us to all shows in what it forwards.

    Args:
        client: the peer's address.
        headers: by lower-case name.
        method: of the request.

    Raises:
        NotAllowedError: for one of these reasons, named.
    """
    host = _host_name(headers.get("host", ""))
    if client is None or not is_loopback(client) or any(name in headers for name in _FORWARDED):
        raise NotAllowedError("without credentials only this machine itself may call")
    if not is_loopback(host):
        raise NotAllowedError("without credentials the Host must be localhost or a loopback address")
    if method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = headers.get("origin")
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") or (
        origin is not None and origin.partition("//")[2].lower() != headers.get("host", "").lower()
    ):
        raise NotAllowedError("without credentials a page of another site may change nothing")


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
