"""Which failures may be gone at another try."""

from typing import Final

from bridge.refusals import ArchiveRefusedError, ArchiveUnreachableError, SegmentationMissingError
from eigenwarp.errors import (
    AttemptsExhaustedError,
    EigenwarpError,
    JobCancelledError,
    NotAllowedError,
    NotAuthenticatedError,
    NotReadyError,
    OutOfMemoryError,
    QueueFullError,
    RateLimitedError,
    ResultDamagedError,
    ServiceError,
    StoreUnavailableError,
    TimeLimitError,
)

_PASSING: Final = (
    ArchiveRefusedError,
    ArchiveUnreachableError,
    # A key that has run out is replaced, and the job goes on.
    NotAllowedError,
    NotAuthenticatedError,
    NotReadyError,
    QueueFullError,
    RateLimitedError,
    ResultDamagedError,
    # Who draws it needs the series as well, and comes later.
    SegmentationMissingError,
    ServiceError,
    StoreUnavailableError,
)
_OF_THE_SERVICES_JOB: Final = (
    AttemptsExhaustedError,
    JobCancelledError,
    OutOfMemoryError,
    ServiceError,
    StoreUnavailableError,
    TimeLimitError,
)


def may_pass(error: EigenwarpError) -> bool:
    """Whether a step that raised this is tried again. What is wrong with a series itself stays so."""
    return isinstance(error, _PASSING)


def may_pass_at_the_service(error: EigenwarpError) -> bool:
    """Whether the service's job that failed with this may go well another time."""
    return isinstance(error, _OF_THE_SERVICES_JOB)
