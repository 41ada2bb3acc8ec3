"""Pages of other sites that may call us, where the deployment names any."""

from collections.abc import Sequence

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

_ASKED = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "If-Range",
    "Last-Event-ID",
    "Prefer",
    "Range",
    "X-Api-Key",
    "X-Request-Id",
)
_TOLD = (
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Link",
    "Location",
    "Preference-Applied",
    "Retry-After",
    "X-Request-Id",
)


def cross_origin(origins: Sequence[str]) -> list[Middleware]:
    """Lets pages of these origins call and read all that the interface says in headers; without any, of none.

    Credentials are always given in a header, so no cookie is ever allowed.
    """
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST", "PUT", "DELETE"),
            allow_headers=_ASKED,
            expose_headers=_TOLD,
            allow_credentials=False,
        )
    ]
