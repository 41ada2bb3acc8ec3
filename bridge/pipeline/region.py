"""The region of interest that a rule names: what of a series goes to the service."""

from bridge.archive import Archive
from bridge.config.rules import Rule
from bridge.dicom.region import covered, cropped
from bridge.dicom.series_volume import SeriesVolume
from bridge.pipeline.segmented import segmented_region
from eigenwarp.volume import Volume


def part_to_send(archive: Archive, rule: Rule, series: SeriesVolume) -> tuple[Volume, dict[str, str]]:
    """The series' volume, or its voxels within the region.

    What the service gives then lies on the crop's grid, in the same world: labels are put onto the whole series'
    frames and determinants onto those that they cover when the objects are made, and a field is in world mm.

    Args:
        archive: holds the study, with the SEG that a rule may take its region from.

    Returns:
        The volume, and notes that say what was taken.

    Raises:
        RegionOutsideError, RegionTooSmallError: from the crop.
        SegmentationMissingError, SegmentationAmbiguousError, SegmentationUnusableError: from the search for the SEG.
        ArchiveUnreachableError, ArchiveRefusedError: from the archive.
        EmptyVolumeError: one intensity only.
    """
    notes: dict[str, str] = {}
    if rule.box is not None:
        box = rule.box.in_patient()
    elif rule.segmentation is not None:
        found = segmented_region(archive, rule.segmentation, series)
        box, notes = found.box, {"segmentation": found.sop_instance_uid}
    else:
        series.volume.require_contrast()
        return series.volume, notes
    part = covered(series.volume.geometry, box)
    volume = cropped(series.volume, part)
    volume.require_contrast()
    return volume, {"region": f"{box.text}: {part.text}", **notes}
