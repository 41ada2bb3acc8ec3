"""What HTTP itself refuses, apart from what the domain does: each with the code of its problem type."""

from collections.abc import Mapping, Sequence

from eigenwarp.errors import EigenwarpError
from eigenwarp.schemas.problem import InvalidPart


class HttpRefusal(EigenwarpError):
    """A refusal that may bring headers of its own.

    Args:
        detail: one sentence that names the value at fault and what was expected.
        headers: further headers of the answer.
    """

    def __init__(self, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.headers = dict(headers or {})


class RequestInvalidError(HttpRefusal):
    """Parts of the request do not have the expected form.

    Args:
        errors: the parts, at least one.
    """

    code = "request-invalid"

    def __init__(self, errors: Sequence[InvalidPart]) -> None:
        super().__init__("; ".join(f"{part.location}: {part.message}" for part in errors[:3]))
        self.errors = list(errors)

    @classmethod
    def at(cls, location: str, message: str) -> "RequestInvalidError":
        """For one part."""
        return cls([InvalidPart(location=location, message=message)])


class MediaTypeError(HttpRefusal):
    """The body's media type is not one of those that the call reads."""

    code = "media-type-unsupported"

    def __init__(self, found: str | None, expected: str) -> None:
        named = "no Content-Type" if found is None else f"Content-Type {found.partition(';')[0].strip()[:80]!r}"
        super().__init__(f"{named}: expected {expected}", {"Accept": expected})


class RequestTooLargeError(HttpRefusal):
    """The body is longer than the call takes."""

    code = "request-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is longer than the limit of {limit} bytes")


class RangeInvalidError(HttpRefusal):
    """None of the ranges asked for lies in the content."""

    code = "range-invalid"

    def __init__(self, total: int) -> None:
        super().__init__(f"no range asked for lies within the {total} bytes", {"Content-Range": f"bytes */{total}"})


class PreconditionFailedError(HttpRefusal):
    """``If-Match`` names another content."""

    code = "precondition-failed"

    def __init__(self, etag: str) -> None:
        super().__init__(f"If-Match names another content than {etag}")
