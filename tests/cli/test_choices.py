"""The choices of the command line are those of the code that takes them."""

from typing import get_args

from eigenwarp.files import FieldFormat
from eigenwarp.model.registration import Refine
from eigenwarp.preprocess import Alignment
from eigenwarp.schemas.choices import AlignmentChoice, FieldFormatChoice, RefineChoice


def test_choices_are_the_enumerations_values() -> None:
    assert get_args(FieldFormatChoice) == tuple(FieldFormat)
    assert get_args(AlignmentChoice) == tuple(Alignment)
    assert get_args(RefineChoice) == tuple(Refine)
