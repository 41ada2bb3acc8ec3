"""What every part of the file keeps to."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints


class Section(BaseModel):
    """Frozen; a key that it does not know is an error, as it would be a mistyped one."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


AeTitle = Annotated[str, StringConstraints(pattern=r"^[!-\[\]-~](?:[ -\[\]-~]{0,14}[!-\[\]-~])?$")]
"""At most 16 characters of ASCII without a backslash, no space at either end (PS3.5, table 6.2-1, VR AE)."""
