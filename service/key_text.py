"""What an API key looks like: ``ew_<id>_<secret>``. The id names its row; of the secret only a hash is kept."""

import re
import secrets
from dataclasses import dataclass, field
from typing import Self

_PATTERN = re.compile(r"ew_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_SECRET_BYTES = 32


@dataclass(frozen=True)
class KeyText:
    """A key as its holder has it.

    Args:
        id: 12 hexadecimal digits.
        secret: 256 random bits; in no representation of this object.
    """

    id: str
    secret: str = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """A key that nobody has had before."""
        return cls(id=secrets.token_hex(6), secret=secrets.token_urlsafe(_SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for what is no key, so that other kinds of credentials can be tried."""
        found = _PATTERN.fullmatch(text)
        return None if found is None else cls(id=found[1], secret=found[2])

    def reveal(self) -> str:
        """The whole key. Show it once, to who asked for it; log it nowhere."""
        return f"ew_{self.id}_{self.secret}"
