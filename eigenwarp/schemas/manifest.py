"""``model.json``: what a bundle says of itself."""

import hashlib
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT_VERSION: Literal[1] = 1


class Provenance(BaseModel):
    """How the model was made."""

    model_config = ConfigDict(extra="forbid")

    command: str
    commit: str
    data: str
    training_subjects: int
    validation_subjects: int
    device: str
    steps: int
    seconds: float
    configuration: dict[str, object]


class Manifest(BaseModel):
    """A bundle's description; every other file's SHA-256 is in ``files``."""

    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = FORMAT_VERSION
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    version: str = Field(pattern=r"^[0-9a-f]{12}$")
    created: str
    architecture: dict[str, object]
    preprocessing: dict[str, object]
    labels: dict[str, int]
    provenance: Provenance
    metrics: dict[str, dict[str, float]]
    files: dict[str, str]


def version_of(files: dict[str, str]) -> str:
    """A bundle's version: the hash of its files' hashes, so that no two contents share one."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:12]
