"""RFC 9457 problem details."""

from pydantic import Field

from eigenwarp.schemas.document import Document

PROBLEM_PREFIX = "/problems/"


class InvalidPart(Document):
    """One part of a request that does not hold."""

    location: str = Field(description="Such as body.options.refine or query.scale.")
    message: str


class Problem(Document):
    """What went wrong, for people (``title``, ``detail``) and for programs (``type``)."""

    type: str = Field(description="/problems/<code>, stable.", examples=["/problems/volume-not-nifti"])
    title: str
    status: int
    detail: str = Field(description="Names the value at fault and the limit; never a patient's data.")
    instance: str | None = Field(default=None, description="The request's id.")
    errors: list[InvalidPart] | None = None
