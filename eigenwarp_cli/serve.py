"""``eigenwarp serve``: the web server, alone. Workers and Redis run elsewhere; ``eigenwarp up`` starts all of them."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eigenwarp.settings import Settings

# Streams of events never end by themselves: a stop waits for the answers in progress for so long.
_GRACE_SECONDS = 5
_KEEP_ALIVE_SECONDS = 75


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; EIGENWARP_HOST or 127.0.0.1.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0 for a free one; EIGENWARP_PORT or 8000.")
    ] = None,
) -> None:
    """Serve the REST interface, with the settings that the environment gives (EIGENWARP_…).

    Without an API key or an OIDC issuer only loopback addresses are listened on.
    """
    import uvicorn

    from eigenwarp.log import configure_logging
    from eigenwarp.settings import load_settings
    from service.app import create_app

    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = load_settings(os.environ, **given)
    _require_safe_address(settings)
    configure_logging(settings)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _require_safe_address(settings: "Settings") -> None:
    """The application refuses an open address itself; asked here, the refusal is a line rather than a traceback.

    Raises:
        OptionInvalidError: neither a key nor an issuer, and an address that others can reach.
    """
    from eigenwarp.errors import StoreUnavailableError
    from eigenwarp.stores.database import open_database
    from service.loopback import is_loopback, require_loopback_binding

    if is_loopback(settings.host) or settings.oidc_issuer is not None:
        return
    database = open_database(settings.database)
    try:
        if settings.database.startswith("sqlite"):
            database.migrate()
        if not database.keys.list():
            require_loopback_binding(settings.host)
    except StoreUnavailableError:
        # The application asks again once the database is back, and lets nobody in before.
        return
    finally:
        database.close()
