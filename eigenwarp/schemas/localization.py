"""A structure to be found in a whole head, and where it was found."""

from pydantic import Field

from eigenwarp.schemas.choices import SideChoice, StructureChoice, WholeHeadChoice
from eigenwarp.schemas.document import Document, Share, Vector


class Localize(Document):
    """The image is a whole head; the model is to see a crop around this structure. The side is never guessed."""

    structure: StructureChoice
    side: SideChoice = Field(description="Of the patient, by the image's own world coordinates.")


class LocalizePair(Localize):
    """As ``Localize``, for both volumes of a registration or for one of them."""

    volumes: WholeHeadChoice = Field(default="both", description="Which of the volumes are whole heads.")


class Localization(Document):
    """The box that was cropped, and how far to trust it."""

    structure: StructureChoice
    side: SideChoice
    offset: tuple[int, int, int] = Field(description="Of the box in the image as given, voxels.")
    shape: tuple[int, int, int] = Field(description="Of the box, voxels of the image.")
    centre_mm: Vector = Field(description="World RAS.")
    lower_mm: Vector = Field(description="Bounds of the box's outermost voxel centres along the world's axes, RAS.")
    upper_mm: Vector
    correlation: float = Field(ge=-1, le=1, description="Rank correlation of image and template within the brain.")
    brain_share: Share = Field(description="Share of the template's brain that the image covers.")
