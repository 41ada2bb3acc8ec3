"""What one job found about one series: everything that the result objects are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as made_by
from typing import Literal

from pydicom import Dataset

from bridge.objects.concepts import LabelConcept, Laterality
from bridge.objects.errors import FindingInvalidError
from eigenwarp.field import DisplacementField
from eigenwarp.schemas.components import ComponentTable
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.projection import Projection
from eigenwarp.schemas.report import Report
from eigenwarp.volume import Segmentation, Volume

Side = Literal["moving", "fixed"]
LabelSource = Literal["predicted", "warped"]

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Picture:
    """A picture for the report.

    Args:
        png: a PNG file, such as the service's figure of a component.
        caption: one sentence that says what is seen; no patient data.

    Raises:
        FindingInvalidError: no PNG.
    """

    png: bytes
    caption: str

    def __post_init__(self) -> None:
        if not self.png.startswith(_PNG):
            raise FindingInvalidError(f"the picture {self.caption!r} is no PNG file: it begins with {self.png[:8]!r}")


@dataclass(frozen=True, eq=False)
class Counterpart:
    """What the series was registered with.

    Args:
        kind: the model's template, an earlier study of the patient, or a volume that the rule names.
        description: for a reader, such as ``"hippocampus template a5763ff5c1b8"``; no patient data.
        frame_of_reference_uid: of its space; ``identity.atlas_frame_of_reference`` for an atlas.
        datasets: the instances of an earlier study, for references; empty for what is not in the archive.

    Raises:
        FindingInvalidError: no frame of reference, or an earlier study without its instances.
    """

    kind: Literal["atlas", "prior", "volume"]
    description: str
    frame_of_reference_uid: str
    datasets: tuple[Dataset, ...] = ()

    def __post_init__(self) -> None:
        if not self.frame_of_reference_uid:
            raise FindingInvalidError(f"{self.description}: a registration names the frame of reference of both sides")
        if self.kind == "prior" and not self.datasets:
            raise FindingInvalidError(f"{self.description}: an earlier study is referred to by its instances, got none")


@dataclass(frozen=True, eq=False)
class Finding:
    """What one job gave for one series.

    Args:
        job: the service's job, ``job_…``; result UIDs derive from it.
        model: which model computed it.
        side: which side of the registration the series was.
        counterpart: what it was registered with; None for a projection alone.
        report: of a registration.
        projection: of a projection; with a registration as well where both were asked for.
        segmentation: labels on the series' own RAS grid (``SeriesVolume.volume.geometry``) or a part of it.
        label_source: drawn by the model's segmentation head, or carried over by the field from the other side.
        concepts: what each label of the segmentation stands for (``concepts.label_concepts``).
        laterality: of a paired structure, only where it is known and never guessed.
        jacobian: determinant of the transform from the series to the counterpart, on the series' own RAS grid or a part
            of it: above 1 the counterpart is the larger. Where ``side`` is ``fixed``, the service's ``jacobian``; else
            ``jacobian_determinant`` of its ``inverse_field``.
        field: fixed → moving, world RAS mm, on the fixed grid or a part of it; the fixed side's space is the series'
            own where ``side`` is ``fixed``, else the counterpart's.
        components: what the components do, for the report's words.
        pictures: for the report.

    Raises:
        FindingInvalidError: parts that do not belong together; they are named.
    """

    job: str
    model: ModelReference
    side: Side = "fixed"
    counterpart: Counterpart | None = None
    report: Report | None = None
    projection: Projection | None = None
    segmentation: Segmentation | None = None
    label_source: LabelSource = "predicted"
    concepts: Mapping[int, LabelConcept] = made_by(default_factory=dict)
    laterality: Laterality | None = None
    jacobian: Volume | None = None
    field: DisplacementField | None = None
    components: ComponentTable | None = None
    pictures: tuple[Picture, ...] = ()

    def __post_init__(self) -> None:
        if not self.job:
            raise FindingInvalidError("a finding needs the job that it comes from: result UIDs derive from it")
        if self.report is None and self.projection is None:
            raise FindingInvalidError(f"job {self.job}: neither a registration's report nor a projection")
        for name, model in (
            ("report", None if self.report is None else self.report.model),
            ("projection", None if self.projection is None else self.projection.model),
            ("components", None if self.components is None else self.components.model),
        ):
            if model is not None and model != self.model:
                raise FindingInvalidError(
                    f"job {self.job}: the {name} comes from model {model.name} {model.version},"
                    f" the finding from {self.model.name} {self.model.version}"
                )
        if self.field is not None and self.counterpart is None:
            raise FindingInvalidError(f"job {self.job}: a field, and nothing said of what it leads to")
        if self.segmentation is not None:
            unnamed = [label for label in self.segmentation.labels if label not in self.concepts]
            if unnamed:
                raise FindingInvalidError(f"job {self.job}: label {unnamed[0]} of the segmentation has no concept")
