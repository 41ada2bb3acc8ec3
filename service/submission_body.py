"""What a submission brings: a JSON document that names volumes, or a form that holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request
from pydantic import Field, FiniteFloat, TypeAdapter

from eigenwarp.schemas.choices import AlignmentChoice, FieldFormatChoice, ScaleUnit
from eigenwarp.schemas.document import Document
from eigenwarp.schemas.localization import Localize
from eigenwarp.schemas.names import ModelName, VolumeId
from eigenwarp.schemas.requests import (
    ProjectRequest,
    ReconstructRequest,
    RegisterOptions,
    RegisterRequest,
    WarpRequest,
)
from eigenwarp.schemas.volumes import VolumeKind
from service.multipart import Form, is_multipart, read_form
from service.refusals import RequestInvalidError
from service.validation import checked, checked_json, read_json

Submitted = RegisterRequest | ProjectRequest | ReconstructRequest | WarpRequest


class WarpBody(Document):
    """A volume and its segmentation moved along the component that the path names."""

    volume: VolumeId
    segmentation: VolumeId | None = None
    scale: FiniteFloat = Field(ge=-1e4, le=1e4)
    unit: ScaleUnit = "sd"
    model: ModelName | None = None
    alignment: AlignmentChoice = "center"
    field_format: FieldFormatChoice = "itk"


@dataclass(frozen=True)
class SubmissionForm:
    """How one kind of submission is read.

    Args:
        body: the document that callers send.
        volumes: the parts of it that name volumes, and the kind that each must be.
        documents: fields of a form that hold JSON: each a document's type, or None for a list of numbers.
    """

    body: type[RegisterRequest | ProjectRequest | ReconstructRequest | WarpBody]
    volumes: Mapping[str, VolumeKind]
    documents: Mapping[str, type[Document] | None] = field(default_factory=dict)

    @property
    def fields(self) -> frozenset[str]:
        """Names that a form may give as text: a volume by its id too."""
        return frozenset(self.body.model_fields) - {"kind"}


REGISTER = SubmissionForm(
    RegisterRequest,
    {"moving": "image", "fixed": "image", "moving_segmentation": "segmentation", "fixed_segmentation": "segmentation"},
    {"options": RegisterOptions},
)
PROJECT = SubmissionForm(ProjectRequest, {"volume": "image"}, {"localize": Localize})
RECONSTRUCT = SubmissionForm(ReconstructRequest, {"template": "image"}, {"coefficients": None})
WARP = SubmissionForm(WarpBody, {"volume": "image", "segmentation": "segmentation"})

_PLACEHOLDER = "sha256:" + 64 * "0"
_NUMBERS = TypeAdapter(list[float])


@dataclass(frozen=True)
class Submission:
    """A request as it arrived.

    Args:
        body: checked; a volume that came as a file has a placeholder's id yet.
        files: those volumes, in the spool.
    """

    body: RegisterRequest | ProjectRequest | ReconstructRequest | WarpBody
    files: Mapping[str, Path]


async def read_submission(request: Request, form: SubmissionForm, folder: Path, file_bytes: int) -> Submission:
    """Read a request's body, of either kind.

    Args:
        folder: for the files of a form.
        file_bytes: limit of each.

    Raises:
        EigenwarpError: as ``read_json`` and ``read_form``.
    """
    if not is_multipart(request):
        return Submission(await read_json(request, form.body), {})
    found = await read_form(request, folder, files=form.volumes, fields=form.fields, file_bytes=file_bytes)
    return Submission(checked(form.body, _values(found, form), "body"), found.files)


def _values(found: Form, form: SubmissionForm) -> dict[str, object]:
    values: dict[str, object] = dict(found.fields)
    for name, model in form.documents.items():
        if name in found.fields:
            values[name] = _document(name, model, found.fields[name])
    return values | dict.fromkeys(found.files, _PLACEHOLDER)


def _document(name: str, model: type[Document] | None, text: str) -> object:
    if model is not None:
        return checked_json(model, text, f"body.{name}")
    try:
        return _NUMBERS.validate_json(text)
    except ValueError:
        raise RequestInvalidError.at(f"body.{name}", "a JSON list of numbers is wanted") from None
