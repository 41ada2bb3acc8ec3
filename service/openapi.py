"""The interface's description: what FastAPI gathers, and the documents that it does not see."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from eigenwarp.schemas.jobs import JobEvent
from eigenwarp.schemas.problem import Problem
from eigenwarp.schemas.requests import ProjectRequest, ReconstructRequest, RegisterOptions, RegisterRequest
from eigenwarp.schemas.volumes import UploadRequest
from service.submission_body import SubmissionForm, WarpBody
from service.validation import JSON

_REFERENCE = "#/components/schemas/{model}"
# Read from the request by ourselves, so that forms and JSON can share a path.
_DOCUMENTS: tuple[type[BaseModel], ...] = (
    Problem,
    RegisterRequest,
    RegisterOptions,
    ProjectRequest,
    ReconstructRequest,
    WarpBody,
    UploadRequest,
    JobEvent,
)
_TAGS = [
    {"name": "volumes", "description": "Images and segmentations in, named by their content."},
    {"name": "jobs", "description": "Submitted, waited for, followed, and their results."},
    {"name": "basis", "description": "The elementary deformations of a model."},
    {"name": "models", "description": "What is published."},
    {"name": "subjects", "description": "Histories, and erasure."},
    {"name": "health", "description": "Whether the service lives and is ready."},
]
_REQUEST_ID = {
    "description": "Under which the log tells more; the caller's own, where one was sent.",
    "schema": {"type": "string"},
}
_DESCRIPTION = """\
Upload NIfTI volumes; get displacement fields, warped volumes and segmentations, and coefficients in a basis of \
elementary deformations.

Times are RFC 3339 in UTC, lengths millimetres, angles degrees, world coordinates RAS. Component numbers `k` run from \
1 to K. Every error is `application/problem+json` (RFC 9457) with a stable `type`. Every answer carries \
`X-Request-Id`; a sane one that the caller sends is kept.\
"""


def describe(app: FastAPI) -> None:
    """Replace the application's own description by ours, made when it is first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _description(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way that FastAPI's documentation gives


def submission_body(form: SubmissionForm, example: dict[str, Any]) -> dict[str, Any]:
    """A submission's ``requestBody``: JSON that names volumes, or a form with files."""
    parts = {name: field for name, field in form_fields(form.body).items() if name != "kind"}
    for name in form.volumes:
        parts[name] = {
            "description": "A NIfTI file (.nii or .nii.gz), or the id of a volume.",
            "type": "string",
            "format": "binary",
        }
    required = [name for name, field in form.body.model_fields.items() if field.is_required()]
    multipart: dict[str, Any] = {
        "schema": {"type": "object", "properties": parts, "required": required, "additionalProperties": False}
    }
    if form.documents:
        multipart["encoding"] = {name: {"contentType": JSON} for name in form.documents}
    schema = {"$ref": _REFERENCE.format(model=form.body.__name__)}
    return {
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": schema, "example": example}, "multipart/form-data": multipart},
        }
    }


def form_fields(model: type[BaseModel]) -> dict[str, Any]:
    """A document's parts as the fields of a form."""
    properties = model.model_json_schema(ref_template=_REFERENCE)["properties"]
    return {name: _never_null(schema) for name, schema in properties.items()}


def json_body(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """A ``requestBody`` of one document."""
    schema = {"$ref": _REFERENCE.format(model=model.__name__)}
    return {"requestBody": {"required": True, "content": {JSON: {"schema": schema, "example": example}}}}


def _description(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes, tags=_TAGS)
    _, documents = models_json_schema([(model, "validation") for model in _DOCUMENTS], ref_template=_REFERENCE)
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in documents["$defs"].items():
        schemas.setdefault(name, schema)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path in found["paths"].values():
        for operation in path.values():
            _complete(operation)
    return found


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """What can be left out of a URL, a header or a form cannot be null there."""
    some = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(some) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name not in ("anyOf", "default")}, **some[0]}


def _complete(operation: dict[str, Any]) -> None:
    """What holds of every call: a summary that is a sentence, an id in every answer, no problem that cannot be."""
    operation["summary"] = operation.get("description", "").partition("\n")[0].partition(". ")[0].rstrip(".")
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _never_null(parameter["schema"])
    responses: dict[str, dict[str, Any]] = operation["responses"]
    if not operation.get("security"):
        for status in ("401", "403", "429"):
            responses.pop(status, None)
    if not operation.get("parameters") and "requestBody" not in operation:
        responses.pop("422", None)
    for response in responses.values():
        response.setdefault("headers", {})["X-Request-Id"] = _REQUEST_ID
