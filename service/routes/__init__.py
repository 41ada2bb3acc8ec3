"""The calls of the REST interface, one module for each resource."""

from fastapi import APIRouter

from service.routes import (
    components,
    derived,
    events,
    explorer,
    health,
    jobs,
    models,
    results,
    subjects,
    submissions,
    uploads,
    volumes,
)

ROUTERS: tuple[APIRouter, ...] = (
    uploads.router,
    volumes.router,
    submissions.router,
    jobs.router,
    events.router,
    results.router,
    components.router,
    derived.router,
    models.router,
    subjects.router,
    health.router,
    explorer.router,
)
"""Every router, in the order in which the interface's description lists them."""
