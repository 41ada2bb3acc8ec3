"""Sentences that more than one object carries."""

from typing import Final

INTENDED_USE: Final = "Research software, not a medical device. Not for diagnosis."
