"""What a component looks like: its deformation and its picture, made by a worker when first asked for, then kept."""

import hashlib
from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from eigenwarp.errors import NotReadyError
from eigenwarp.schemas.choices import FieldFormatChoice, ScaleUnit
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.jobs import FINAL_STATES
from eigenwarp.schemas.names import ModelName
from eigenwarp.schemas.requests import DeformationRequest, FigureRequest
from eigenwarp.stores.database.records import JobRecord
from eigenwarp.stores.models import derived_key
from eigenwarp.stores.objects import ObjectInfo
from service.access import Reader
from service.admission import admit
from service.content import Content, content_response
from service.declarations import CONTENT, content, declared
from service.intake import NIFTI_MEDIA_TYPE
from service.prefer import wanted_wait
from service.problems import answer, request_id_of
from service.resources import Resources, ResourcesDep
from service.submission import enqueue
from service.watching import wait_for_end

router = APIRouter(prefix="/components", tags=["basis"])

_LONGEST_WAIT_SECONDS: Final = 30
_CALLER: Final = "service"
_MOST_TRIES: Final = 20
_PINNED, _LATEST = "public, max-age=31536000, immutable", "public, max-age=300"
_PROBLEMS = (
    "component-out-of-range",
    "model-unknown",
    "not-ready",
    "queue-full",
    "time-limit",
    "out-of-memory",
    "attempts-exhausted",
    *CONTENT,
)

Component = Annotated[int, Path(alias="k", ge=1, le=4096, description="From 1 to K.", examples=[1])]
Scale = Annotated[float, Query(ge=-1e4, le=1e4, allow_inf_nan=False, description="How far along the component.")]
Unit = Annotated[ScaleUnit, Query(description="Standard deviations, or the paper's λ.")]
Model = Annotated[ModelName | None, Query(description="`name` or `name@version`; the default model without.")]
Prefer = Annotated[str | None, Header(description="`wait=N`: wait N seconds for what is yet to be made; 30 at most.")]


@router.get(
    "/{k}/deformation",
    response_class=Response,
    responses={
        **declared(*_PROBLEMS),
        **content("The field as NIfTI, on the template's grid.", NIFTI_MEDIA_TYPE, presigned=False),
    },
)
@router.head("/{k}/deformation", include_in_schema=False)
async def get_deformation(
    request: Request,
    resources: ResourcesDep,
    caller: Reader,
    component: Component,
    scale: Scale = 2.0,
    unit: Unit = "sd",
    format: Annotated[FieldFormatChoice, Query(description="Convention of the vectors.")] = "itk",
    model: Model = None,
    prefer: Prefer = None,
) -> Response:
    """The deformation that a component stands for. It never changes for one model version: pin it with
    `model=name@version`, and the answer may be kept for ever."""
    wanted = DeformationRequest(component=component, scale=scale + 0.0, unit=unit, field_format=format, model=model)
    return await _derived(request, resources, wanted)


@router.get(
    "/{k}/figure.png",
    response_class=Response,
    responses={**declared(*_PROBLEMS), **content("The picture.", "image/png", presigned=False)},
)
@router.head("/{k}/figure.png", include_in_schema=False)
async def get_figure(
    request: Request,
    resources: ResourcesDep,
    caller: Reader,
    component: Component,
    scale: Scale = 2.0,
    unit: Unit = "sd",
    model: Model = None,
    prefer: Prefer = None,
) -> Response:
    """The template, its contour before and after, and displacement arrows, coronal and sagittal."""
    wanted = FigureRequest(component=component, scale=scale + 0.0, unit=unit, model=model)
    return await _derived(request, resources, wanted)


async def _derived(request: Request, resources: Resources, wanted: DeformationRequest | FigureRequest) -> Response:
    reference, key, found = await run_in_threadpool(_look, resources, wanted)
    if found is None:
        job = await run_in_threadpool(_job, resources, wanted, reference, key)
        preferred = wanted_wait(request.headers.getlist("prefer"))
        seconds = _LONGEST_WAIT_SECONDS if preferred is None else min(preferred, _LONGEST_WAIT_SECONDS)
        job = await wait_for_end(resources, job.id, seconds)
        if job.state in FINAL_STATES and job.problem is not None:
            return answer(job.problem.model_copy(update={"instance": request_id_of(request)}))
        found = await run_in_threadpool(resources.objects.stat, key)
        if found is None:
            raise NotReadyError(f"component {wanted.component} is being computed, by job {job.id}")
    is_picture = isinstance(wanted, FigureRequest)
    suffix = "png" if is_picture else "nii.gz"
    name = f"component_{wanted.component}_{wanted.scale:g}{wanted.unit}.{suffix}"
    return await content_response(
        request,
        resources,
        Content(
            key=key,
            bytes=found.bytes,
            media_type="image/png" if is_picture else NIFTI_MEDIA_TYPE,
            etag=_etag(found),
            filename=name,
            cache_control=_PINNED if "@" in (wanted.model or "") else _LATEST,
            presigned=False,
        ),
    )


def _look(
    resources: Resources, wanted: DeformationRequest | FigureRequest
) -> tuple[ModelReference, str, ObjectInfo | None]:
    reference = admit(resources, wanted)
    if reference is None:
        raise NotReadyError("no model was pinned")
    key = derived_key(reference, wanted)
    return reference, key, resources.objects.stat(key)


def _job(
    resources: Resources, wanted: DeformationRequest | FigureRequest, reference: ModelReference, key: str
) -> JobRecord:
    """The one job that makes this: whoever asks meanwhile waits for the same. One that has come to nothing is followed
    by another."""
    pinned = wanted.model_copy(update={"model": f"{reference.name}@{reference.version}"})
    name = key
    for _ in range(_MOST_TRIES):
        job = enqueue(resources, _CALLER, pinned, reference, [], None, idempotency_key=name)
        if job.state not in FINAL_STATES:
            return job
        name = f"{key} after {job.id}"
    raise NotReadyError(f"component {wanted.component} could not be computed; ask again")


def _etag(found: ObjectInfo) -> str:
    """Objects appear whole and are never altered: key, length and time of writing name the bytes."""
    text = f"{found.key} {found.bytes} {found.modified.isoformat()}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
