"""A job that computes nothing: what the path itself costs, and what befalls it."""

import time

from eigenwarp.schemas.requests import NothingRequest
from worker.jobs.context import JobContext
from worker.outcome import Outcome

_SLICE_SECONDS = 0.05


def nothing(request: NothingRequest, context: JobContext) -> Outcome:
    """Hold the worker for some seconds."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < request.seconds:
        context.on_stage("hold", passed / request.seconds)
        time.sleep(min(_SLICE_SECONDS, request.seconds - passed))
    return Outcome()
