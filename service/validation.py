"""Documents that callers send, checked; what does not hold is named by its place."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from eigenwarp.schemas.problem import InvalidPart
from service.refusals import MediaTypeError, RequestInvalidError

JSON = "application/json"
Checked = TypeVar("Checked", bound=BaseModel)


async def read_json(request: Request, model: type[Checked]) -> Checked:
    """The request's body as a document.

    Raises:
        MediaTypeError: it does not say that it is JSON.
        RequestInvalidError: it is none, or not such a document.
    """
    found = request.headers.get("content-type")
    if (found or "").partition(";")[0].strip().lower() != JSON:
        raise MediaTypeError(found, JSON)
    return checked_json(model, await request.body(), "body")


def checked_json(model: type[Checked], content: bytes | str, location: str) -> Checked:
    """A document from JSON text, each value of the very type that it should have.

    Args:
        location: of the text in the request, such as ``body.options``.

    Raises:
        RequestInvalidError: its parts that do not hold.
    """
    try:
        return model.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise _invalid(error, location) from None


def checked(model: type[Checked], values: Mapping[str, object], location: str) -> Checked:
    """A document from values by name; text stands for numbers and times, as in a form.

    Raises:
        RequestInvalidError: its parts that do not hold.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise _invalid(error, location) from None


def _invalid(error: ValidationError, location: str) -> RequestInvalidError:
    """Without the values: they may be anything."""
    return RequestInvalidError(
        [
            InvalidPart(location=".".join((location, *(str(part) for part in found["loc"]))), message=found["msg"])
            for found in error.errors(include_input=False, include_url=False, include_context=False)
        ]
    )
