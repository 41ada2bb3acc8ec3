"""What a list of models says of each."""

from datetime import datetime

from pydantic import Field

from eigenwarp.schemas.document import Document
from eigenwarp.schemas.manifest import Manifest


class ModelRow(Document):
    """One bundle."""

    name: str
    version: str
    created: str
    labels: dict[str, int]
    data: str
    steps: int
    metrics: dict[str, dict[str, float]]


class PublishedRow(ModelRow):
    """One version of a model as the service has it."""

    published_at: datetime
    latest: bool = Field(description="Whether the name alone means this version.")


class PublishedList(Document):
    """What is published, by name; of each name the latest version first."""

    models: list[PublishedRow]


class PublishedManifest(Manifest):
    """A version's manifest, and its standing in the service."""

    published_at: datetime
    latest: bool = Field(description="Whether the name alone means this version.")
