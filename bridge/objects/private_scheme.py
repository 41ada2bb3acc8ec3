"""The scheme of the codes that no standard has: ``99EIGENWARP``, and how an object declares it."""

from typing import Final

from highdicom import UID
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom.sr.coding import Code

PRIVATE_SCHEME: Final = "99EIGENWARP"
PRIVATE_SCHEME_UID: Final = "2.25.173486127338250113208415092387251106047"
_VERSION: Final = "1"

JACOBIAN: Final = Code("JACOBIAN", PRIVATE_SCHEME, "Jacobian determinant of the deformation")


def private_schemes() -> list[CodingSchemeIdentificationItem]:
    """What an object with such codes says of the scheme (Coding Scheme Identification Sequence)."""
    return [
        CodingSchemeIdentificationItem(
            designator=PRIVATE_SCHEME,
            name="Eigenwarp measurements and labels",
            version=_VERSION,
            uid=UID(PRIVATE_SCHEME_UID),
            responsible_organization="Eigenwarp",
        )
    ]


def private_code(value: str, meaning: str) -> Code:
    """A code of our own.

    Args:
        value: up to 16 characters.
        meaning: up to 64.
    """
    return Code(value, PRIVATE_SCHEME, meaning)
