"""What a result object takes over from the series that it belongs to."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Final

from pydicom import Dataset

from bridge.objects.errors import FindingInvalidError

UTF_8: Final = "ISO_IR 192"

# Patient and General Study Module, Type 2: in every object, empty where the source has none (PS3.3, C.7.1.1, C.7.2.1).
_TYPE_2: Final = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyID",
)
_PIXEL_GROUP = 0x7FE0


def source_images(datasets: Sequence[Dataset]) -> list[Dataset]:
    """The instances of a series, the first of them fit to take patient and study from.

    That one is a copy without pixels: missing Type-2 attributes are there and empty, and its text is Unicode whatever
    character set it came in, so that an object can hold the patient's name beside text of ours. The series itself stays
    as it is.

    Raises:
        FindingInvalidError: no instances.
    """
    if not datasets:
        raise FindingInvalidError("the series has no instances: results have nothing to be written back to")
    header = Dataset()
    for element in datasets[0]:
        if element.tag.group < _PIXEL_GROUP:
            header.add(deepcopy(element))
    # Before the character set is changed, which would have what is not yet decoded read in the wrong one.
    header.decode()
    header.SpecificCharacterSet = UTF_8
    for keyword in _TYPE_2:
        if keyword not in header:
            setattr(header, keyword, "")
    return [header, *datasets[1:]]
