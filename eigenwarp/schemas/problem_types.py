"""Every problem type that leaves this project: one table for HTTP answers and for jobs that failed."""

from typing import NamedTuple

from eigenwarp.errors import EigenwarpError
from eigenwarp.schemas.problem import PROBLEM_PREFIX, InvalidPart, Problem


class ProblemType(NamedTuple):
    """What goes with a code.

    Args:
        status: HTTP status that the problem is answered with.
        title: the same for every occurrence.
    """

    status: int
    title: str


INTERNAL = "internal"

PROBLEM_TYPES: dict[str, ProblemType] = {
    "error": ProblemType(400, "The request cannot be carried out"),
    "request-invalid": ProblemType(422, "The request does not have the expected form"),
    "not-found": ProblemType(404, "Nothing is there"),
    "method-not-allowed": ProblemType(405, "The resource does not offer this method"),
    "not-acceptable": ProblemType(406, "No representation that the caller accepts"),
    "media-type-unsupported": ProblemType(415, "The body's media type is not read here"),
    "request-too-large": ProblemType(413, "The request is larger than the limit"),
    "range-invalid": ProblemType(416, "The range lies outside the content"),
    "precondition-failed": ProblemType(412, "The content is another than the precondition names"),
    "file-unreadable": ProblemType(422, "The file cannot be read"),
    "volume-not-nifti": ProblemType(422, "The content is not a NIfTI volume"),
    "volume-not-3d": ProblemType(422, "The image is not a scalar 3-D volume"),
    "volume-too-large": ProblemType(413, "The volume is larger than the limit"),
    "empty-volume": ProblemType(422, "The volume holds nothing"),
    "geometry-invalid": ProblemType(422, "The volume's geometry cannot be used"),
    "voxels-not-finite": ProblemType(422, "The volume holds values that are not finite"),
    "labels-not-integer": ProblemType(422, "The segmentation's labels are not small whole numbers"),
    "segmentation-geometry-mismatch": ProblemType(422, "The segmentation does not lie on its volume's grid"),
    "field-invalid": ProblemType(422, "The displacement field cannot be used"),
    "model-unknown": ProblemType(404, "No such model"),
    "bundle-invalid": ProblemType(422, "The model's files are incomplete or altered"),
    "component-out-of-range": ProblemType(404, "No such component"),
    "option-invalid": ProblemType(422, "An option has a value outside its range"),
    "dataset-invalid": ProblemType(422, "The data set is incomplete or inconsistent"),
    "structure-not-located": ProblemType(422, "The structure cannot be found in the image"),
    "localize-unavailable": ProblemType(501, "The service does not locate structures"),
    "volume-unknown": ProblemType(404, "No such volume"),
    "upload-unknown": ProblemType(404, "No such upload"),
    "upload-incomplete": ProblemType(409, "The upload's bytes have not arrived"),
    "volume-in-use": ProblemType(409, "A job still needs the volume"),
    "job-unknown": ProblemType(404, "No such job"),
    "job-finished": ProblemType(409, "The job has ended"),
    "result-unknown": ProblemType(404, "No such result"),
    "subject-unknown": ProblemType(404, "Nothing is held on the subject"),
    "key-unknown": ProblemType(404, "No such API key"),
    "idempotency-mismatch": ProblemType(422, "The Idempotency-Key was used with another request"),
    "not-authenticated": ProblemType(401, "Credentials are needed"),
    "not-allowed": ProblemType(403, "The credentials do not allow this"),
    "rate-limited": ProblemType(429, "Too many requests"),
    "store-unavailable": ProblemType(503, "A store does not answer"),
    "queue-full": ProblemType(503, "Too many jobs wait"),
    "not-ready": ProblemType(503, "The result is being made"),
    "object-unknown": ProblemType(404, "The object store holds nothing there"),
    "lease-lost": ProblemType(409, "Another worker has taken the job over"),
    "job-cancelled": ProblemType(409, "The job was cancelled"),
    "time-limit": ProblemType(504, "The job ran longer than the limit"),
    "out-of-memory": ProblemType(507, "The device has not enough memory for the job"),
    "attempts-exhausted": ProblemType(500, "The job's worker was lost on each attempt"),
    "service-error": ProblemType(502, "The service's answer cannot be understood"),
    "service-unreachable": ProblemType(502, "The service does not answer"),
    "service-start": ProblemType(500, "The service does not start"),
    "result-damaged": ProblemType(502, "A result arrived damaged"),
    INTERNAL: ProblemType(500, "A defect of this software"),
}
"""Codes of ``eigenwarp.errors``, of what HTTP itself refuses, and ``internal`` for all that should not happen."""


def problem_of(error: BaseException, instance: str | None = None, errors: list[InvalidPart] | None = None) -> Problem:
    """An error as callers see it.

    Args:
        error: an ``EigenwarpError`` keeps its detail; of anything else nothing is told, for it may hold anything.
        instance: the id of the request or the job, under which the log tells more.
        errors: the parts of the request that do not hold.
    """
    if isinstance(error, EigenwarpError):
        return problem(error.code, error.detail, instance, errors)
    return problem(INTERNAL, "an unexpected error; the log has it under this instance", instance, errors)


def problem(code: str, detail: str, instance: str | None = None, errors: list[InvalidPart] | None = None) -> Problem:
    """A problem by its code; a code that has no row of its own is answered as a defect."""
    status, title = PROBLEM_TYPES.get(code, PROBLEM_TYPES[INTERNAL])
    return Problem(
        type=f"{PROBLEM_PREFIX}{code}", title=title, status=status, detail=detail, instance=instance, errors=errors
    )
