"""What every part of the file keeps to."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


class Section(BaseModel):
    """Frozen; a key that it does not know is an error, as it would be a mistyped one."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


AeTitle = Annotated[str, StringConstraints(pattern=r"^[!-\[\]-~](?:[ -\[\]-~]{0,14}[!-\[\]-~])?$")]
"""At most 16 characters of ASCII without a backslash, no space at either end (PS3.5, table 6.2-1, VR AE)."""


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from None
    return value


Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression, found anywhere."""
