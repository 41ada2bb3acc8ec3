"""What the interface's description says of answers: every problem by its type, and every kind of content."""

from collections import defaultdict
from typing import Any, Final

from eigenwarp.schemas.problem_types import PROBLEM_TYPES
from service.problems import PROBLEM_MEDIA_TYPE, RETRY_AFTER_SECONDS

# FastAPI's own type of these: OpenAPI fragments are open-ended.
Responses = dict[int | str, dict[str, Any]]

# Whatever a call is: who calls, how often, in which form, and whether we and our stores are well.
COMMON: Final = ("request-invalid", "not-authenticated", "not-allowed", "rate-limited", "store-unavailable", "internal")
SUBMISSION: Final = (
    "request-invalid",
    "media-type-unsupported",
    "request-too-large",
    "volume-too-large",
    "volume-unknown",
    "volume-not-nifti",
    "volume-not-3d",
    "empty-volume",
    "geometry-invalid",
    "voxels-not-finite",
    "labels-not-integer",
    "segmentation-geometry-mismatch",
    "model-unknown",
    "component-out-of-range",
    "idempotency-mismatch",
    "option-invalid",
    "not-ready",
    "queue-full",
)
CONTENT: Final = ("precondition-failed", "range-invalid")

HEADERS: Final[dict[str, dict[str, Any]]] = {
    "ETag": {"description": "Strong: names these very bytes.", "schema": {"type": "string"}},
    "Location": {"description": "Where it is found.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds after which to ask again.", "schema": {"type": "integer", "minimum": 0}},
    "Preference-Applied": {
        "description": "`wait=N`, where `Prefer` asked for it.",
        "schema": {"type": "string", "pattern": "^wait=[0-9]+$"},
    },
    "Accept-Ranges": {"description": "`bytes`.", "schema": {"type": "string"}},
    "Content-Range": {"description": "Which bytes these are, of how many.", "schema": {"type": "string"}},
    "Content-Disposition": {"description": "The file's name.", "schema": {"type": "string"}},
    "Cache-Control": {"description": "For how long these bytes are the answer.", "schema": {"type": "string"}},
    "Link": {"description": '`<…>; rel="next"`, unless this page is the last.', "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "`Bearer`.", "schema": {"type": "string"}},
    "Allow": {"description": "Methods that are offered here.", "schema": {"type": "string"}},
}


def declared(*codes: str) -> Responses:
    """The problems that a call can answer with: those named, and those of every call.

    Args:
        codes: of problem types.
    """
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in dict.fromkeys((*codes, *COMMON)):
        by_status[PROBLEM_TYPES[code].status].append(code)
    return {status: _problem(status, found) for status, found in sorted(by_status.items())}


def answer_headers(*names: str) -> dict[str, Any]:
    """Descriptions of an answer's headers."""
    return {name: HEADERS[name] for name in names}


def content(description: str, *media_types: str, presigned: bool) -> Responses:
    """What a download answers with, apart from problems.

    Args:
        presigned: whether it may send the caller to the object store.
    """
    names = ("ETag", "Accept-Ranges", "Content-Disposition", "Cache-Control")
    body = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in media_types}
    found: Responses = {
        200: {"description": description, "headers": answer_headers(*names), "content": body},
        206: {
            "description": "The range that was asked for.",
            "headers": answer_headers(*names, "Content-Range"),
            "content": body,
        },
        304: {"description": "The caller has it already.", "headers": answer_headers("ETag")},
    }
    if presigned:
        found[307] = {
            "description": "To be had from the object store itself, under a URL that holds for minutes.",
            "headers": answer_headers("Location"),
        }
    return found


def _problem(status: int, codes: list[str]) -> dict[str, Any]:
    headers = ["Retry-After"] if set(codes) & set(RETRY_AFTER_SECONDS) else []
    headers += ["WWW-Authenticate"] if status == 401 else []
    described: dict[str, Any] = {
        "description": "; ".join(f"`{code}`: {PROBLEM_TYPES[code].title}" for code in codes) + ".",
        "content": {
            PROBLEM_MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {
                    code: {
                        "value": {
                            "type": f"/problems/{code}",
                            "title": PROBLEM_TYPES[code].title,
                            "status": status,
                            "detail": _DETAILS.get(code, "One sentence that names the value at fault and the limit."),
                            "instance": "req_0f3c9a7be1d24c5f8a6b2d4e6f801357",
                        }
                    }
                    for code in codes
                },
            }
        },
    }
    if headers:
        described["headers"] = answer_headers(*headers)
    return described


_DETAILS = {
    "request-invalid": "body.options.refine: Input should be 'none', 'latent' or 'field'",
    "volume-not-nifti": "moving: not a NIfTI file: it starts with 50 4b 03 04",
    "volume-too-large": "shape 1024×1024×1024 is 1073741824 voxels, the limit is 134217728",
    "voxels-not-finite": "3 of 68952 voxels are NaN or infinite",
    "labels-not-integer": "labels must be whole numbers from 0 to 65535, got 0.5",
    "component-out-of-range": "component 99: model hippocampus@0123456789ab has 32 components",
    "model-unknown": "no published model 'brain'; published are: hippocampus@0123456789ab",
    "range-invalid": "no range asked for lies within the 68952 bytes",
    "internal": "an unexpected error; the log has it under this instance",
}
