"""What all results that leave as JSON have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Vector = tuple[float, float, float]
Share = Annotated[float, Field(ge=0, le=1)]


class Document(BaseModel):
    """Checked when made, unchangeable afterwards, nothing besides its fields; NaN leaves as null."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class ModelReference(Document):
    """Which model computed a result."""

    name: str
    version: str = Field(description="Hash of the bundle's files.")


class Notice(Document):
    """A warning: the result stands, but a reader should know."""

    code: str = Field(description="Stable, such as geometry-changed, out-of-domain or extreme-field.")
    detail: str
