"""The web application: routes, what surrounds them, and the life of its clients."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import attrgetter

import anyio.to_thread
from fastapi import FastAPI
from starlette.middleware import Middleware

from eigenwarp import __version__
from eigenwarp.settings import Settings
from service.declarations import declared
from service.metrics import Metrics
from service.middleware.body_bound import BodyBoundMiddleware
from service.middleware.cross_origin import cross_origin
from service.middleware.request_id import RequestIdMiddleware
from service.middleware.request_log import RequestLogMiddleware
from service.middleware.request_metrics import RequestMetricsMiddleware
from service.middleware.security_headers import SecurityHeadersMiddleware
from service.openapi import describe
from service.problems import install_problems
from service.resources import open_resources
from service.routes import ROUTERS

# Threads wait for the stores; a few more than the default's 40 cost nothing and keep /healthz answering.
_THREADS = 64


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings. Nothing is opened before it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        with open_resources(settings) as resources:
            app.state.resources = resources
            yield

    metrics = Metrics()
    app = FastAPI(
        title="Eigenwarp",
        version=__version__,
        lifespan=lifespan,
        middleware=[
            Middleware(RequestMetricsMiddleware, metrics=metrics),
            Middleware(RequestIdMiddleware),
            Middleware(SecurityHeadersMiddleware),
            *cross_origin(settings.cors_origins),
            Middleware(RequestLogMiddleware),
            Middleware(BodyBoundMiddleware),
        ],
        redirect_slashes=False,
        generate_unique_id_function=attrgetter("name"),
        # Ours, in routes/explorer.py: the framework's pages load their scripts from another server.
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.metrics = metrics
    app.state.routers = ROUTERS
    install_problems(app)
    for router in ROUTERS:
        app.include_router(router, responses=declared())
    describe(app)
    return app
