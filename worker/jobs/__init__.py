"""What a worker can do: one module for each kind of job."""

from typing import assert_never

from eigenwarp.schemas.requests import (
    DeformationRequest,
    FigureRequest,
    JobRequest,
    NothingRequest,
    ProjectRequest,
    ReconstructRequest,
    RegisterRequest,
    WarpRequest,
)
from worker.jobs.context import JobContext
from worker.jobs.deformation import deformation
from worker.jobs.figure import figure
from worker.jobs.nothing import nothing
from worker.jobs.project import project
from worker.jobs.reconstruct import reconstruct
from worker.jobs.register import register
from worker.jobs.warp import warp
from worker.outcome import Outcome

__all__ = ["JobContext", "compute"]


def compute(request: JobRequest, context: JobContext) -> Outcome:
    """Do what a request asks for.

    Raises:
        EigenwarpError: it cannot be done as asked, a store is away, or the job is to end.
    """
    match request:
        case RegisterRequest():
            return register(request, context)
        case ProjectRequest():
            return project(request, context)
        case ReconstructRequest():
            return reconstruct(request, context)
        case WarpRequest():
            return warp(request, context)
        case DeformationRequest():
            return deformation(request, context)
        case FigureRequest():
            return figure(request, context)
        case NothingRequest():
            return nothing(request, context)
    assert_never(request)
