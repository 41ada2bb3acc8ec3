"""The coded concepts of the labels: what a viewer or a database knows a segment by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydicom.sr.coding import Code

from bridge.objects.errors import FindingInvalidError
from bridge.objects.private_scheme import private_code

ANATOMICAL_STRUCTURE: Final = Code("123037004", "SCT", "Anatomical Structure")
HIPPOCAMPUS: Final = Code("5366008", "SCT", "Hippocampus")
ANTERIOR: Final = Code("255549009", "SCT", "Anterior")
POSTERIOR: Final = Code("255551008", "SCT", "Posterior")

Laterality = Literal["left", "right"]
LATERALITY_CODES: Final[Mapping[Laterality, Code]] = {
    "left": Code("7771000", "SCT", "Left"),
    "right": Code("24028007", "SCT", "Right"),
}

_VALUE_LIMIT = 16


def series_laterality(laterality: Laterality | None) -> str:
    """What General Series has in Laterality: L, R, or nothing where the side of a paired structure is not known."""
    return "" if laterality is None else laterality[0].upper()


@dataclass(frozen=True)
class LabelConcept:
    """What a label stands for.

    Args:
        name: as the segment is called, such as ``"hippocampus head"``.
        structure: the anatomical structure.
        part: which part of it, where the label is not the whole structure.

    Raises:
        FindingInvalidError: no name, or a code longer than the 16 characters that DICOM's Code Value holds.
    """

    name: str
    structure: Code
    part: Code | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise FindingInvalidError(f"a label's concept has the name {self.name!r}: it must say what the label is")
        for code in (self.structure, *(() if self.part is None else (self.part,))):
            if not 1 <= len(code.value) <= _VALUE_LIMIT:
                raise FindingInvalidError(
                    f"label {self.name!r} has the code value {code.value!r}: 1 to {_VALUE_LIMIT} characters are allowed"
                )


# The hippocampus task's labels are named head and body; its publishers' own names are anterior and posterior, the body
# taking in the tail. SNOMED CT has no concept for either in the subset that DICOM may use: the structure is coded with
# the modifier, as DICOM prefers it to a code of its own for each part.
_KNOWN: Final[Mapping[str, Mapping[str, LabelConcept]]] = {
    "hippocampus": {
        "head": LabelConcept("hippocampus head", HIPPOCAMPUS, ANTERIOR),
        "body": LabelConcept("hippocampus body", HIPPOCAMPUS, POSTERIOR),
    },
}


def label_concepts(model: str, labels: Mapping[str, int]) -> dict[int, LabelConcept]:
    """The concept of each of a model's labels.

    Args:
        model: its name, such as ``hippocampus`` or ``hippocampus-skips``.
        labels: name → label, as the model's manifest has them.

    Returns:
        Label → concept. What is not known gets a code of our own scheme, with the label's name for its meaning.
    """
    family = _KNOWN.get(model.partition("-")[0], {})
    return {label: family.get(name, _private(name, label)) for name, label in labels.items()}


def _private(name: str, label: int) -> LabelConcept:
    return LabelConcept(name, private_code(f"LABEL-{label}", name))
