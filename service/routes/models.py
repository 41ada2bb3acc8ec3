"""Published models, with where they come from and how accurate they were measured to be."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from eigenwarp.errors import ModelUnknownError
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.models import PublishedList, PublishedManifest, PublishedRow
from eigenwarp.stores.models import TEMPLATE, TEMPLATE_LABELS, PublishedModel
from service.access import Reader
from service.content import Content, content_response
from service.declarations import CONTENT, content, declared
from service.intake import NIFTI_MEDIA_TYPE
from service.resources import Resources, ResourcesDep

router = APIRouter(prefix="/models", tags=["models"])

_IMMUTABLE = "private, max-age=31536000, immutable"

Name = Annotated[str, Path(max_length=64, examples=["hippocampus"])]
Version = Annotated[str, Path(max_length=64, description="12 hexadecimal digits.")]


@router.get("", responses=declared())
def list_models(resources: ResourcesDep, caller: Reader) -> PublishedList:
    """Every version of every model; of each name the latest first."""
    return PublishedList(models=[_row(model) for model in resources.models.list()])


@router.get("/{name}/{version}", responses=declared("model-unknown"))
def get_model(
    resources: ResourcesDep,
    caller: Reader,
    name: Name,
    version: Version,
) -> PublishedManifest:
    """A version's manifest: provenance, preprocessing, labels, measured accuracy, hashes of its files."""
    model = _published(resources, name, version)
    return PublishedManifest(**model.manifest.model_dump(), published_at=model.published_at, latest=model.latest)


@router.get(
    "/{name}/{version}/template",
    response_class=Response,
    responses={
        **declared("model-unknown", *CONTENT),
        **content("The template's image as NIfTI.", NIFTI_MEDIA_TYPE, presigned=False),
    },
)
@router.head("/{name}/{version}/template", include_in_schema=False)
async def get_template(
    request: Request, resources: ResourcesDep, caller: Reader, name: Name, version: Version
) -> Response:
    """The cohort's mean image, on the model's grid: what subjects are registered with to be compared with it."""
    return await _file(request, resources, name, version, TEMPLATE)


@router.get(
    "/{name}/{version}/template/labels",
    response_class=Response,
    responses={
        **declared("model-unknown", *CONTENT),
        **content("The template's labels as NIfTI.", NIFTI_MEDIA_TYPE, presigned=False),
    },
)
@router.head("/{name}/{version}/template/labels", include_in_schema=False)
async def get_template_labels(
    request: Request, resources: ResourcesDep, caller: Reader, name: Name, version: Version
) -> Response:
    """The template's segmentation."""
    return await _file(request, resources, name, version, TEMPLATE_LABELS)


async def _file(request: Request, resources: Resources, name: str, version: str, file: str) -> Response:
    found = await run_in_threadpool(_content, resources, name, version, file)
    return await content_response(request, resources, found)


def _content(resources: Resources, name: str, version: str, file: str) -> Content:
    reference = _published(resources, name, version).reference
    key, digest = resources.models.file(reference, file)
    found = resources.objects.stat(key)
    if found is None:
        raise ModelUnknownError(f"model {name}@{version} has lost its {file}")
    return Content(
        key=key,
        bytes=found.bytes,
        media_type=NIFTI_MEDIA_TYPE,
        etag=digest,
        filename=f"{name}_{file}",
        cache_control=_IMMUTABLE,
        presigned=False,
    )


def _published(resources: Resources, name: str, version: str) -> PublishedModel:
    reference = ModelReference(name=name, version=version)
    for model in resources.models.list():
        if model.reference == reference:
            return model
    raise ModelUnknownError(f"no published model {f'{name}@{version}'!r}")


def _row(model: PublishedModel) -> PublishedRow:
    manifest = model.manifest
    return PublishedRow(
        name=manifest.name,
        version=manifest.version,
        created=manifest.created,
        labels=manifest.labels,
        data=manifest.provenance.data,
        steps=manifest.provenance.steps,
        metrics=manifest.metrics,
        published_at=model.published_at,
        latest=model.latest,
    )
