"""Times as callers give them: spelled out, with an offset, in JSON as in a form."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from eigenwarp.schemas.moment import Moment

MOMENT = TypeAdapter(Moment)
NEW_YEAR = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00Z", "2026-01-01T02:00:00+02:00", "2026-01-01 00:00:00.000z"])
def test_every_spelling_of_a_moment_is_the_same(text: str) -> None:
    assert MOMENT.validate_python(text) == NEW_YEAR
    assert MOMENT.validate_json(f'"{text}"', strict=True) == NEW_YEAR
    assert MOMENT.validate_python(NEW_YEAR) == NEW_YEAR


@pytest.mark.parametrize(
    "value", [0, 0.5, "0", "0.5", "2026-01-01", "2026-01-01T00:00:00", "now", "2026-13-01T00:00:00Z"]
)
def test_what_is_no_moment_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        MOMENT.validate_python(value)
