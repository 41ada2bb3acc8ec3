"""What is asked of the service: the bodies of its submissions, kept with the job and read by the worker."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, FiniteFloat

from eigenwarp.schemas.choices import AlignmentChoice, FieldFormatChoice, RefineChoice, ScaleUnit
from eigenwarp.schemas.document import Document
from eigenwarp.schemas.localization import Localize, LocalizePair
from eigenwarp.schemas.moment import Moment
from eigenwarp.schemas.names import ModelName, SubjectId, VolumeId

OutputName = Literal["field", "inverse_field", "warped", "warped_segmentation", "jacobian", "report", "explanation"]
# Drawing takes longer than registering, so a picture is made for those who ask.
DEFAULT_OUTPUTS: tuple[OutputName, ...] = (
    "field",
    "inverse_field",
    "warped",
    "warped_segmentation",
    "jacobian",
    "report",
)
ALL_OUTPUTS: tuple[OutputName, ...] = (*DEFAULT_OUTPUTS, "explanation")


def _each_once(names: tuple[OutputName, ...]) -> tuple[OutputName, ...]:
    return tuple(dict.fromkeys(names))


class RegisterOptions(Document):
    """How to register, and what to hand out."""

    refine: RefineChoice = "none"
    outputs: Annotated[tuple[OutputName, ...], Field(min_length=1, max_length=7), AfterValidator(_each_once)] = Field(
        default=DEFAULT_OUTPUTS, description="All but the picture `explanation`, unless named."
    )
    field_format: FieldFormatChoice = "itk"
    alignment: AlignmentChoice = "center"
    components: int | None = Field(default=None, ge=1, le=4096, description="Use only the first n of the basis.")
    localize: LocalizePair | None = Field(default=None, description="Find a structure in whole heads first.")


class RegisterRequest(Document):
    """Register ``moving`` onto ``fixed``."""

    kind: Literal["register"] = "register"
    moving: VolumeId
    fixed: VolumeId
    moving_segmentation: VolumeId | None = None
    fixed_segmentation: VolumeId | None = None
    model: ModelName | None = None
    options: RegisterOptions = RegisterOptions()


class ProjectRequest(Document):
    """Express a volume in the basis; with ``subject`` the coefficients are kept in that subject's history."""

    kind: Literal["project"] = "project"
    volume: VolumeId
    subject: SubjectId | None = None
    acquired_at: Moment | None = None
    model: ModelName | None = None
    alignment: AlignmentChoice = "center"
    localize: Localize | None = Field(default=None, description="Find a structure in a whole head first.")


class ReconstructRequest(Document):
    """The deformation that coefficients stand for, and the warped template."""

    kind: Literal["reconstruct"] = "reconstruct"
    coefficients: Annotated[tuple[FiniteFloat, ...], Field(min_length=1, max_length=4096)] = Field(
        description="a_1 … a_n, n ≤ K; those that are left out are 0."
    )
    model: ModelName | None = None
    template: VolumeId | None = Field(default=None, description="What to warp; the model's own template by default.")
    field_format: FieldFormatChoice = "itk"


class WarpRequest(Document):
    """A volume and its segmentation moved along component k."""

    kind: Literal["warp"] = "warp"
    component: int = Field(ge=1, le=4096)
    volume: VolumeId
    segmentation: VolumeId | None = None
    scale: FiniteFloat = Field(ge=-1e4, le=1e4)
    unit: ScaleUnit = "sd"
    model: ModelName | None = None
    alignment: AlignmentChoice = "center"
    field_format: FieldFormatChoice = "itk"


class DeformationRequest(Document):
    """A component's field on the template's grid: made once per model version, then kept."""

    kind: Literal["deformation"] = "deformation"
    component: int = Field(ge=1, le=4096)
    scale: FiniteFloat = Field(ge=-1e4, le=1e4)
    unit: ScaleUnit = "sd"
    field_format: FieldFormatChoice = "itk"
    model: ModelName | None = None


class FigureRequest(Document):
    """A component's picture: made once per model version, then kept."""

    kind: Literal["figure"] = "figure"
    component: int = Field(ge=1, le=4096)
    scale: FiniteFloat = Field(ge=-1e4, le=1e4)
    unit: ScaleUnit = "sd"
    model: ModelName | None = None


class NothingRequest(Document):
    """Computes nothing: what the path itself costs. Not offered over HTTP."""

    kind: Literal["nothing"] = "nothing"
    seconds: float = Field(default=0.0, ge=0, le=60, description="How long to hold the worker, cancellable.")


JobRequest = Annotated[
    RegisterRequest
    | ProjectRequest
    | ReconstructRequest
    | WarpRequest
    | DeformationRequest
    | FigureRequest
    | NothingRequest,
    Field(discriminator="kind"),
]
JobKind = Literal["register", "project", "reconstruct", "warp", "deformation", "figure", "nothing"]
