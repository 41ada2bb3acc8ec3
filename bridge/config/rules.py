"""Which series are taken, and what is done with them."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bridge.config.regions import Box, FromSegmentation
from bridge.config.section import Pattern, Section
from bridge.dicom.tolerances import DEFAULT_TOLERANCES, Overrides, Tolerances
from bridge.objects.identity import ObjectKind
from eigenwarp.errors import OptionInvalidError
from eigenwarp.schemas.choices import AlignmentChoice, RefineChoice, SideChoice, StructureChoice
from eigenwarp.schemas.names import ModelName


def _range(value: tuple[int, int]) -> tuple[int, int]:
    if value[0] > value[1]:
        raise ValueError(f"from {value[0]} to {value[1]}: the first is the larger")
    return value


Range = Annotated[tuple[int, int], AfterValidator(_range)]
Tag = Literal[
    "Laterality", "ImageLaterality", "SeriesDescription", "ProtocolName", "StudyDescription", "BodyPartExamined"
]


class Match(Section):
    """What a series must be. Every criterion given must hold; one on an attribute that the series lacks does not.

    Args:
        modality, sop_class: one of these; a SOP class by UID.
        series_description, study_description, protocol_name, body_part, image_type: regular expressions, found
            anywhere; ImageType with its values joined by backslashes.
        rows, columns, images: from … to, both included; frames count as images.
        missing: attributes of these names may be missing from the series: the criterion is then left out.
    """

    modality: tuple[str, ...] = ()
    sop_class: tuple[str, ...] = ()
    series_description: Pattern | None = None
    study_description: Pattern | None = None
    protocol_name: Pattern | None = None
    body_part: Pattern | None = None
    image_type: Pattern | None = None
    rows: Range | None = None
    columns: Range | None = None
    images: Range | None = None
    missing: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        criteria = set(type(self).model_fields) - {"missing"}
        if not any(getattr(self, name) for name in criteria):
            raise ValueError("no criterion: every series there is would be taken")
        for name in self.missing:
            if name not in criteria:
                raise ValueError(
                    f"missing names {name!r}, which is no criterion; there are {', '.join(sorted(criteria))}"
                )
        return self


class Side(Section):
    """Where left or right is read from. A series that matches neither or both is not taken: a side is never guessed.

    Args:
        tag: of the series.
        left, right: regular expressions over its value.
    """

    tag: Tag
    left: Pattern
    right: Pattern


class Localize(Section):
    """The structure that the service finds in a volume larger than the model's.

    Args:
        side: ``left`` or ``right`` for every series of the rule, or where to read it.
    """

    structure: StructureChoice = "hippocampus"
    side: SideChoice | Side


class Conversion(Section):
    """Tolerances and overrides of the conversion, as ``bridge.dicom.tolerances`` explains and bounds them.

    Args:
        trust_synthetic_geometry: results may be written back although positions are (0, 0, n), made up by a program.
        time_point: which of several frames at each position is taken, from 1.
    """

    orientation_tolerance: float = DEFAULT_TOLERANCES.orientation
    position_tolerance_mm: float = DEFAULT_TOLERANCES.position_mm
    spacing_tolerance: float = DEFAULT_TOLERANCES.pixel_spacing
    trust_synthetic_geometry: bool = False
    time_point: int | None = None

    @model_validator(mode="after")
    def _within_bounds(self) -> Self:
        try:
            self.tolerances()
            self.overrides()
        except OptionInvalidError as error:
            raise ValueError(error.detail) from None
        return self

    def tolerances(self) -> Tolerances:
        """As the conversion takes them."""
        return Tolerances(self.orientation_tolerance, self.position_tolerance_mm, self.spacing_tolerance)

    def overrides(self) -> Overrides:
        """As the conversion takes them."""
        return Overrides(trust_synthetic_geometry=self.trust_synthetic_geometry, time_point=self.time_point)


class Rule(Section):
    """Series that are alike, and what becomes of them. Of several rules that match, the first counts.

    Args:
        name: in lists, numbers and logs.
        model: of the service, pinned by ``name@version`` or the latest of a name.
        role: of the series. ``fixed``: the reference is moved onto it, and every result lies on the series' own grid.
            ``moving``: it is moved onto the reference, and the registration object has the reference's grid and space;
            labels and determinants are brought to the series by the inverse field.
        reference: ``atlas``, the model's template; ``prior``, the series that the same rule takes from the patient's
            latest earlier study in the archive; ``file``, a NIfTI file.
        reference_file, reference_labels: with ``file``.
        localize, box, segmentation: a region of interest; one of them, or none for the series as it is. Of the
            earlier study likewise; the crops alone are computed with, and results lie on the whole series.
        outputs: objects that go back to the archive.
        patient_header: whether the report's pages carry the patient's name and id, as other reports of the site do.
        conversion: how strictly the geometry is taken.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    match: Match
    model: ModelName = "hippocampus"
    role: Literal["fixed", "moving"] = "fixed"
    reference: Literal["atlas", "prior", "file"] = "atlas"
    reference_file: Path | None = None
    reference_labels: Path | None = None
    refine: RefineChoice = "latent"
    alignment: AlignmentChoice = "center"
    localize: Localize | None = None
    box: Box | None = None
    segmentation: FromSegmentation | None = None
    outputs: Annotated[tuple[ObjectKind, ...], Field(min_length=1)] = ("segmentation", "measurements", "report")
    patient_header: bool = False
    conversion: Conversion = Conversion()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.reference == "file") != (self.reference_file is not None):
            raise ValueError("reference = 'file' and reference_file go together")
        if self.reference_labels is not None and self.reference_file is None:
            raise ValueError("reference_labels without a reference_file")
        if self.role == "moving" and self.reference == "prior":
            raise ValueError("role = 'moving' and reference = 'prior': an earlier study has no labels to bring over")
        if self.role == "moving" and self.reference == "file" and self.reference_labels is None:
            raise ValueError("role = 'moving' and reference = 'file' need reference_labels, which are brought over")
        regions = [name for name in ("localize", "box", "segmentation") if getattr(self, name) is not None]
        if len(regions) > 1:
            raise ValueError(f"{' and '.join(regions)}: a rule has one region of interest")
        if len(set(self.outputs)) != len(self.outputs):
            raise ValueError(f"outputs name one twice: {', '.join(self.outputs)}")
        return self
