"""The basis of a model: what each of its components explains and does."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from eigenwarp.errors import ComponentOutOfRangeError
from eigenwarp.schemas.components import ComponentRow, ComponentTable
from eigenwarp.schemas.document import Document, ModelReference
from eigenwarp.schemas.names import ModelName
from service.access import Reader
from service.declarations import Responses, answer_headers, declared
from service.etags import is_held
from service.resources import Resources, ResourcesDep

router = APIRouter(tags=["basis"])

_CONDITIONAL: Responses = {
    200: {"description": "The latest, or the version asked for.", "headers": answer_headers("ETag", "Cache-Control")},
    304: {"description": "The caller has it already.", "headers": answer_headers("ETag")},
}

Model = Annotated[ModelName | None, Query(description="`name` or `name@version`; the default model without.")]


@router.get("/components", response_model=ComponentTable, responses={**declared("model-unknown"), **_CONDITIONAL})
def list_components(request: Request, resources: ResourcesDep, caller: Reader, model: Model = None) -> Response:
    """K rows: what each component explains, and what it does to the template at +1 standard deviation."""
    reference = _resolve(resources, model)
    return _conditional(request, resources.models.components(reference), pinned="@" in (model or ""))


@router.get(
    "/components/{k}",
    response_model=ComponentRow,
    responses={**declared("model-unknown", "component-out-of-range"), **_CONDITIONAL},
)
def get_component(
    request: Request,
    resources: ResourcesDep,
    caller: Reader,
    component: Annotated[int, Path(alias="k", description="From 1 to K as in the paper.", examples=[1])],
    model: Model = None,
) -> Response:
    """One row of the table."""
    reference = _resolve(resources, model)
    rows = resources.models.components(reference).rows
    if not 1 <= component <= len(rows):
        raise ComponentOutOfRangeError(f"component {component}: model {reference.name} has 1 to {len(rows)}")
    return _conditional(request, rows[component - 1], pinned="@" in (model or ""))


def _resolve(resources: Resources, model: str | None) -> ModelReference:
    return resources.models.resolve(model or resources.settings.default_model)


def _conditional(request: Request, document: Document, *, pinned: bool) -> Response:
    """Of a version that the caller pinned nothing changes; which version a bare name means may."""
    content = document.model_dump_json().encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, max-age=31536000, immutable" if pinned else "private, no-cache"}
    if is_held(request.headers, etag):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)
