"""Volumes as the service knows them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from eigenwarp.schemas.document import Document, Vector
from eigenwarp.schemas.moment import Moment
from eigenwarp.schemas.names import SubjectId

VolumeKind = Literal["image", "segmentation"]


class VolumeRow(Document):
    """A stored volume. Header fields that can carry a name were cleared when it came."""

    id: str = Field(description="sha256:… of kind, voxels and geometry: the same content has the same id.")
    kind: VolumeKind
    shape: tuple[int, int, int]
    spacing_mm: Vector
    orientation: str = Field(description="Where each array axis points to, such as RAS.")
    affine: list[list[float]] = Field(description="4×4, array index → mm, RAS.")
    dtype: str = Field(description="Of the stored voxels, NumPy's name.")
    labels: list[int] | None = Field(default=None, description="Of a segmentation, background left out.")
    bytes: int = Field(ge=0, description="Length of the content as stored (.nii.gz).")
    subject: str | None = None
    acquired_at: datetime | None = None
    created_at: datetime


class UploadRequest(Document):
    """Asks for a place to put a large file to."""

    kind: VolumeKind = "image"
    subject: SubjectId | None = None
    acquired_at: Moment | None = None
    bytes: int = Field(gt=0, description="Length of the file that will be put.")


class UploadTicket(Document):
    """Where to put the file, with one HTTP PUT of its bytes."""

    upload: str
    url: str = Field(description="Presigned; absolute.")
    method: Literal["PUT"] = "PUT"
    expires_at: datetime
    max_bytes: int
