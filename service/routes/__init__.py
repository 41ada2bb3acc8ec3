"""The calls of the REST interface, one module for each resource."""

from fastapi import APIRouter

ROUTERS: tuple[APIRouter, ...] = ()
"""Every router, in the order in which the interface's description lists them."""
