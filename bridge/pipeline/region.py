"""The region of interest that a rule names: what of a series goes to the service."""

from bridge.config.rules import Rule
from bridge.dicom.region import PatientBox, covered, cropped
from bridge.dicom.series_volume import SeriesVolume
from bridge.pipeline.context import PipelineContext
from eigenwarp.volume import Volume


def part_to_send(context: PipelineContext, rule: Rule, series: SeriesVolume) -> tuple[Volume, dict[str, str]]:
    """The series' volume, or its voxels within the region.

    What the service gives then lies on the crop's grid, in the same world: labels are put onto the whole series'
    frames and determinants onto those that they cover when the objects are made, and a field is in world mm.

    Returns:
        The volume, and notes that say what was taken.

    Raises:
        RegionOutsideError, RegionTooSmallError: from the crop.
        EmptyVolumeError: one intensity only.
    """
    box = _box(context, rule, series)
    if box is None:
        series.volume.require_contrast()
        return series.volume, {}
    part = covered(series.volume.geometry, box)
    volume = cropped(series.volume, part)
    volume.require_contrast()
    return volume, {"region": f"{box.text}: {part.text}"}


def _box(context: PipelineContext, rule: Rule, series: SeriesVolume) -> PatientBox | None:
    return None if rule.box is None else rule.box.in_patient()
