"""What becomes of a job when something is raised out of it."""

from dataclasses import dataclass
from enum import Enum, auto

import torch
from celery.exceptions import SoftTimeLimitExceeded

from eigenwarp.errors import (
    EigenwarpError,
    JobCancelledError,
    LeaseLostError,
    OutOfMemoryError,
    StoreUnavailableError,
    TimeLimitError,
)
from eigenwarp.schemas.problem import Problem
from eigenwarp.schemas.problem_types import problem_of
from eigenwarp.stores.database import JobRecord
from worker.stopping import WorkerStopping

_NO_ROOM = ("not enough memory", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")


class Fate(Enum):
    """What is done with the job."""

    FAIL = auto()
    """It cannot be done."""
    RETRY = auto()
    """It is queued again, and the attempt counts."""
    RELEASE = auto()
    """It is queued again as if it had not been begun."""
    CANCEL = auto()
    """It ends as it was asked to."""
    FORGET = auto()
    """It is another worker's, or has ended."""


@dataclass(frozen=True)
class Verdict:
    """A fate and, for FAIL, what the caller is told."""

    fate: Fate
    problem: Problem | None = None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device or the machine had no room."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    # PyTorch's processor side has no class of its own for it, nor have the libraries that CUDA itself loads.
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _NO_ROOM)


def is_broken_device(error: BaseException) -> bool:
    """Whether CUDA has failed for good: every further call in this process does, for whichever job."""
    return isinstance(error, RuntimeError) and not is_out_of_memory(error) and "CUDA error" in str(error)


def judge(error: BaseException, job: JobRecord, max_attempts: int, job_seconds: float) -> Verdict:
    """What becomes of a job.

    Args:
        error: what was raised.
        job: as it was claimed.
    """
    last = job.attempt >= max_attempts
    if isinstance(error, WorkerStopping):
        return Verdict(Fate.RELEASE)
    if isinstance(error, LeaseLostError):
        return Verdict(Fate.FORGET)
    if isinstance(error, JobCancelledError):
        return Verdict(Fate.CANCEL)
    if isinstance(error, SoftTimeLimitExceeded):
        return _fail(TimeLimitError(f"the job ran for longer than {job_seconds:g} s"), job)
    if is_out_of_memory(error):
        return _fail(OutOfMemoryError("the worker's device has not enough memory for volumes of this size"), job)
    if isinstance(error, EigenwarpError) and not isinstance(error, StoreUnavailableError):
        return _fail(error, job)
    # A store that stays away, or a defect of ours that may have been the moment's.
    return _fail(error, job) if last else Verdict(Fate.RETRY)


def _fail(error: BaseException, job: JobRecord) -> Verdict:
    return Verdict(Fate.FAIL, problem_of(error, instance=job.id))
