"""Results as files, the same for every kind of job."""

from collections.abc import Callable

from pydantic import BaseModel

from eigenwarp.field import DisplacementField
from eigenwarp.files import FieldFormat, field_to_bytes
from eigenwarp.schemas.choices import FieldFormatChoice
from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.nifti import segmentation_to_bytes, volume_to_bytes
from worker.outcome import JSON, NIFTI, Result


def field_result(name: str, field: DisplacementField, format: FieldFormatChoice, moving: Geometry) -> Result:
    """A field, in the format asked for.

    Args:
        moving: the grid of the image that the field moves.
    """
    return _nifti(name, lambda: field_to_bytes(field, FieldFormat(format), moving))


def volume_result(name: str, volume: Volume) -> Result:
    """An image."""
    return _nifti(name, lambda: volume_to_bytes(volume))


def segmentation_result(name: str, segmentation: Segmentation) -> Result:
    """Labels."""
    return _nifti(name, lambda: segmentation_to_bytes(segmentation))


def document_result(name: str, document: BaseModel) -> Result:
    """JSON."""
    return Result(name, f"{name}.json", JSON, lambda: document.model_dump_json(indent=1).encode())


def _nifti(name: str, content: Callable[[], bytes]) -> Result:
    return Result(name, f"{name}.nii.gz", NIFTI, content)
