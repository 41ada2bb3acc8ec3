"""The field as a Deformable Spatial Registration (PS3.3, A.39.2 and C.20.3), and our own reading of one.

The object lives in the *fixed* space: its Frame of Reference UID is the Registered RCS, and that of the moving side is
the Source RCS. A point of the fixed space plus its offset is the point of the moving space to sample: the displacement
field as ITK has it, LPS, millimetres. There is nothing before and nothing after it, so both matrices are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from highdicom.sr import CodedConcept
from pydicom import Dataset
from pydicom.uid import DeformableSpatialRegistrationStorage

from bridge.dicom.series_volume import SeriesVolume
from bridge.objects.bare_object import bare_object
from bridge.objects.concepts import series_laterality
from bridge.objects.errors import FindingInvalidError, RegistrationObjectError
from bridge.objects.finding import Finding
from bridge.objects.identity import ResultIdentity
from bridge.objects.references import add_references, instance_reference
from bridge.objects.registration_grid import grid_item, read_grid_item
from bridge.objects.source import source_images
from eigenwarp.field import DisplacementField

_KIND: Final = "registration"
_IDENTITY: Final = CodedConcept("125021", "DCM", "Frame of Reference Identity")
_IMAGE_CONTENT_BASED: Final = CodedConcept("125024", "DCM", "Image Content-based Alignment")


@dataclass(frozen=True, eq=False)
class RegistrationGrid:
    """What a Deformable Spatial Registration says.

    Args:
        fixed_frame_of_reference, moving_frame_of_reference: the spaces that the field leads from and to.
        field: fixed → moving, on the object's grid, world RAS mm.
    """

    fixed_frame_of_reference: str
    moving_frame_of_reference: str
    field: DisplacementField


def spatial_registration(finding: Finding, series: SeriesVolume, identity: ResultIdentity) -> Dataset:
    """The finding's field as an object of the series' study.

    Raises:
        FindingInvalidError: the finding has no field.
        GeometryInvalidError: the field's grid is sheared.
        WriteBackBlockedError: the series has no place in patient space.
    """
    series.require_writable()
    field, counterpart = finding.field, finding.counterpart
    if field is None or counterpart is None:
        raise FindingInvalidError(f"job {finding.job}: a registration object needs a field, the finding has none")
    images = source_images(series.datasets)
    own = _Side(str(series.frame_of_reference_uid), images)
    other = _Side(counterpart.frame_of_reference_uid, counterpart.datasets)
    fixed, moving = (own, other) if finding.side == "fixed" else (other, own)

    result = bare_object(images[0], identity, _KIND, DeformableSpatialRegistrationStorage, "REG")
    result.FrameOfReferenceUID = fixed.frame_of_reference
    result.PositionReferenceIndicator = ""
    result.ContentLabel = "EIGENWARP"
    result.ContentDescription = _described(finding)
    result.ContentCreatorName = ""
    result.DeformableRegistrationSequence = [_deformed(field, moving)]
    if fixed.images:
        # They lie in the object's own space already; the item says which images of it were registered to.
        result.DeformableRegistrationSequence.append(_registered(fixed, _IDENTITY))
    add_references(result, [*images, *counterpart.datasets])
    result.Laterality = series_laterality(finding.laterality)
    identity.seal(result, _KIND)
    return result


def read_registration(dataset: Dataset) -> RegistrationGrid:
    """Read a Deformable Spatial Registration of one grid without matrices, as ``spatial_registration`` writes it.

    Raises:
        RegistrationObjectError: another object, no grid, matrices, or a grid that does not hold together.
    """
    if dataset.get("SOPClassUID") != DeformableSpatialRegistrationStorage:
        raise RegistrationObjectError(f"SOP class {dataset.get('SOPClassUID')} is no Deformable Spatial Registration")
    items = [item for item in dataset.get("DeformableRegistrationSequence", ()) if _grids(item)]
    if len(items) != 1 or len(_grids(items[0])) != 1:
        raise RegistrationObjectError(
            f"the registration has {sum(len(_grids(item)) for item in items)} grids in {len(items)} items, expected one"
        )
    (item,) = items
    for keyword in ("PreDeformationMatrixRegistrationSequence", "PostDeformationMatrixRegistrationSequence"):
        if item.get(keyword):
            raise RegistrationObjectError(f"the registration has a {keyword}, which is not read here")
    for holder, keyword in ((dataset, "FrameOfReferenceUID"), (item, "SourceFrameOfReferenceUID")):
        if not holder.get(keyword):
            raise RegistrationObjectError(f"the registration has no {keyword}")
    return RegistrationGrid(
        fixed_frame_of_reference=dataset.FrameOfReferenceUID,
        moving_frame_of_reference=item.SourceFrameOfReferenceUID,
        field=read_grid_item(_grids(item)[0]),
    )


class _Side(NamedTuple):
    frame_of_reference: str
    images: Sequence[Dataset]


def _deformed(field: DisplacementField, moving: _Side) -> Dataset:
    item = _registered(moving, _IMAGE_CONTENT_BASED)
    item.DeformableRegistrationGridSequence = [grid_item(field)]
    return item


def _registered(side: _Side, how: CodedConcept) -> Dataset:
    item = Dataset()
    item.SourceFrameOfReferenceUID = side.frame_of_reference
    if side.images:
        item.ReferencedImageSequence = [instance_reference(dataset) for dataset in side.images]
    item.RegistrationTypeCodeSequence = [how]
    return item


def _grids(item: Dataset) -> Sequence[Dataset]:
    found: Sequence[Dataset] = item.get("DeformableRegistrationGridSequence") or ()
    return found


def _described(finding: Finding) -> str:
    other = "the counterpart" if finding.counterpart is None else finding.counterpart.description
    pair = f"{other} onto the series" if finding.side == "fixed" else f"the series onto {other}"
    return pair[:64]
