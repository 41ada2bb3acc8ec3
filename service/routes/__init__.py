"""The calls of the REST interface, one module for each resource."""

from fastapi import APIRouter

from service.routes import components, explorer, health, models, subjects

ROUTERS: tuple[APIRouter, ...] = (
    components.router,
    models.router,
    subjects.router,
    health.router,
    explorer.router,
)
"""Every router, in the order in which the interface's description lists them."""
