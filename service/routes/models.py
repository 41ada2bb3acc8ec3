"""Published models, with where they come from and how accurate they were measured to be."""

from typing import Annotated

from fastapi import APIRouter, Path

from eigenwarp.errors import ModelUnknownError
from eigenwarp.schemas.models import PublishedList, PublishedManifest, PublishedRow
from eigenwarp.stores.models import PublishedModel
from service.access import Reader
from service.declarations import declared
from service.resources import ResourcesDep

router = APIRouter(prefix="/models", tags=["models"])


@router.get("", responses=declared())
def list_models(resources: ResourcesDep, caller: Reader) -> PublishedList:
    """Every version of every model; of each name the latest first."""
    return PublishedList(models=[_row(model) for model in resources.models.list()])


@router.get("/{name}/{version}", responses=declared("model-unknown"))
def get_model(
    resources: ResourcesDep,
    caller: Reader,
    name: Annotated[str, Path(max_length=64, examples=["hippocampus"])],
    version: Annotated[str, Path(max_length=64, description="12 hexadecimal digits.")],
) -> PublishedManifest:
    """A version's manifest: provenance, preprocessing, labels, measured accuracy, hashes of its files."""
    for model in resources.models.list():
        if (model.reference.name, model.reference.version) == (name, version):
            return PublishedManifest(
                **model.manifest.model_dump(), published_at=model.published_at, latest=model.latest
            )
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
