"""Patterns of the names that callers choose, and of those that we give."""

from typing import Annotated

from pydantic import StringConstraints

SubjectId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""Opaque: it must not tell who the person is."""

VolumeId = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}(@[0-9a-f]{12})?$")]
"""``name``, or ``name@version`` to pin one; the latest published otherwise."""

JobId = Annotated[str, StringConstraints(pattern=r"^job_[0-9a-f]{32}$")]
