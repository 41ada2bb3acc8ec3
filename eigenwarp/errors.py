"""The one error root: every failure that a caller can cause or repair is an ``EigenwarpError``.

Each class carries a stable ``code``, the last part of the problem type that the REST interface
answers with (``/problems/<code>``). The detail names the value at fault and the limit, never a
patient's data. Anything else that escapes is a defect of ours.
"""

from typing import ClassVar


class EigenwarpError(Exception):
    """Root of the errors that a caller can cause or repair.

    Args:
        detail: one sentence that names the value at fault and what was expected.
    """

    code: ClassVar[str] = "error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class FileUnreadableError(EigenwarpError):
    """A file is missing, or cannot be read or written."""

    code = "file-unreadable"


class VolumeNotNiftiError(EigenwarpError):
    """The bytes are not a NIfTI-1 or NIfTI-2 single-file image, or are cut short."""

    code = "volume-not-nifti"


class VolumeShapeError(EigenwarpError):
    """The image is not a scalar 3-D volume: 4-D, RGB, complex or structured voxels."""

    code = "volume-not-3d"


class VolumeTooLargeError(EigenwarpError):
    """More voxels or bytes than the limit."""

    code = "volume-too-large"


class EmptyVolumeError(EigenwarpError):
    """No voxels along an axis, or one and the same intensity everywhere."""

    code = "empty-volume"


class GeometryInvalidError(EigenwarpError):
    """The affine is singular, sheared past tolerance or not finite, or the spacing is not positive."""

    code = "geometry-invalid"


class VoxelsNotFiniteError(EigenwarpError):
    """NaN or infinite intensities."""

    code = "voxels-not-finite"


class LabelsNotIntegerError(EigenwarpError):
    """A segmentation holds values that are not small non-negative whole numbers."""

    code = "labels-not-integer"


class SegmentationGeometryError(EigenwarpError):
    """A segmentation does not lie on the grid of its volume."""

    code = "segmentation-geometry-mismatch"


class FieldInvalidError(EigenwarpError):
    """A displacement field has the wrong shape, intent or is not finite."""

    code = "field-invalid"


class ModelUnknownError(EigenwarpError):
    """No bundle of that name or version."""

    code = "model-unknown"


class BundleInvalidError(EigenwarpError):
    """A bundle's files are missing, altered, or of a format version this release does not read."""

    code = "bundle-invalid"


class ComponentOutOfRangeError(EigenwarpError):
    """A component number outside 1…K."""

    code = "component-out-of-range"


class OptionInvalidError(EigenwarpError):
    """An option or a setting has a value outside its range."""

    code = "option-invalid"


class DataSetError(EigenwarpError):
    """A data set's folder, archive or split is missing, altered or inconsistent."""

    code = "dataset-invalid"


class VolumeUnknownError(EigenwarpError):
    """No volume of that id."""

    code = "volume-unknown"


class UploadUnknownError(EigenwarpError):
    """No upload of that id, or one that has expired or is complete."""

    code = "upload-unknown"


class UploadIncompleteError(EigenwarpError):
    """The bytes of an upload have not arrived."""

    code = "upload-incomplete"


class VolumeInUseError(EigenwarpError):
    """A volume that a queued or running job still needs."""

    code = "volume-in-use"


class JobUnknownError(EigenwarpError):
    """No job of that id."""

    code = "job-unknown"


class JobFinishedError(EigenwarpError):
    """The job has ended and can no longer be cancelled."""

    code = "job-finished"


class ResultUnknownError(EigenwarpError):
    """The job has no result of that name, or not yet."""

    code = "result-unknown"


class SubjectUnknownError(EigenwarpError):
    """Nothing is held on that subject."""

    code = "subject-unknown"


class KeyUnknownError(EigenwarpError):
    """No API key of that id."""

    code = "key-unknown"


class IdempotencyMismatchError(EigenwarpError):
    """An Idempotency-Key that was used with another request."""

    code = "idempotency-mismatch"


class NotAuthenticatedError(EigenwarpError):
    """No credentials, or none that hold."""

    code = "not-authenticated"


class NotAllowedError(EigenwarpError):
    """Credentials without the scope that the call needs."""

    code = "not-allowed"


class RateLimitedError(EigenwarpError):
    """More calls than the limit.

    Args:
        detail: names the limit.
        retry_after: seconds to wait.
    """

    code = "rate-limited"

    def __init__(self, detail: str, retry_after: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class LocalizeUnavailableError(EigenwarpError):
    """The worker has not the libraries that find a structure in a whole head."""

    code = "localize-unavailable"


class StructureNotLocatedError(EigenwarpError):
    """The image is no whole head, or none in which the structure can be found."""

    code = "structure-not-located"


class StoreUnavailableError(EigenwarpError):
    """The database, the object store or Redis does not answer, or has no room left."""

    code = "store-unavailable"


class QueueFullError(EigenwarpError):
    """As many jobs wait as are allowed to."""

    code = "queue-full"


class NotReadyError(EigenwarpError):
    """What was asked for is being computed; ask again."""

    code = "not-ready"


class ObjectUnknownError(EigenwarpError):
    """The object store holds nothing under that key."""

    code = "object-unknown"


class LeaseLostError(EigenwarpError):
    """Another worker has taken the job over, or it has ended: what this one does no longer counts."""

    code = "lease-lost"


class JobCancelledError(EigenwarpError):
    """The job was cancelled while it ran."""

    code = "job-cancelled"


class TimeLimitError(EigenwarpError):
    """A job ran longer than the limit."""

    code = "time-limit"


class OutOfMemoryError(EigenwarpError):
    """The device has not the memory that a job needs."""

    code = "out-of-memory"


class AttemptsExhaustedError(EigenwarpError):
    """A job's worker was lost on each of its attempts."""

    code = "attempts-exhausted"


class ServiceError(EigenwarpError):
    """The service gave an answer that has no class of its own here, or none that can be understood.

    Args:
        detail: names the call and what came back.
        status: HTTP status of the answer, where there was one.
    """

    code = "service-error"

    def __init__(self, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.status = status


class ServiceUnreachableError(ServiceError):
    """The service does not answer."""

    code = "service-unreachable"


class ResultDamagedError(EigenwarpError):
    """A downloaded result is not the one that the job made."""

    code = "result-damaged"


class ServiceStartError(EigenwarpError):
    """A part of a service that is started here ends again and again."""

    code = "service-start"
