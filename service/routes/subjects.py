"""What is kept on a subject: read, and erased."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from eigenwarp.schemas.names import SubjectId
from eigenwarp.schemas.subjects import Erasure, History
from service.access import Administrator, Reader
from service.audit import AuditedRoute, audited
from service.declarations import answer_headers, declared
from service.erasure import erase_subject
from service.history_csv import history_csv
from service.resources import ResourcesDep

router = APIRouter(prefix="/subjects", tags=["subjects"], route_class=AuditedRoute)

Subject = Annotated[SubjectId, Path(description="Opaque, as given with a volume or a projection.", examples=["s-0042"])]
Format = Annotated[
    Literal["json", "csv"] | None, Query(alias="format", description="What `Accept` says without; JSON by default.")
]


@router.get(
    "/{subject}/coefficients",
    response_model=History,
    responses={
        **declared("subject-unknown"),
        200: {
            "description": "By date of acquisition, then of recording.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
            "headers": answer_headers("Cache-Control"),
        },
    },
)
@audited("subject.read")
def get_history(
    request: Request, resources: ResourcesDep, caller: Reader, subject: Subject, chosen: Format = None
) -> Response:
    """The subject's coefficients, by date of acquisition, then of recording, as JSON or CSV."""
    history = History(subject=subject, rows=resources.database.subjects.history(subject))
    headers = {"Vary": "Accept", "Cache-Control": "no-store"}
    if chosen == "csv" or (chosen is None and _prefers_csv(request.headers.get("accept", ""))):
        headers["Content-Disposition"] = f'attachment; filename="{subject}_coefficients.csv"'
        return Response(history_csv(history), media_type="text/csv; charset=utf-8", headers=headers)
    return Response(history.model_dump_json(), media_type="application/json", headers=headers)


@router.delete("/{subject}", responses=declared("subject-unknown"))
@audited("subject.erase")
def delete_subject(resources: ResourcesDep, caller: Administrator, subject: Subject) -> Erasure:
    """Erase all that is held on the subject: its volumes, its coefficients, and every job that used either.

    Jobs that have not ended go too. What a store that is away still holds is deleted once it is back.
    """
    return erase_subject(resources, subject)


def _prefers_csv(accept: str) -> bool:
    weights = {"text/csv": 0.0, "application/json": 0.0}
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if kind in weights:
            weights[kind] = next((_weight(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
    return weights["text/csv"] > weights["application/json"]


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
