"""Which rule takes a series, and why the others do not."""

from bridge.select.facts import SeriesFacts, facts_of
from bridge.select.matching import Chosen, Refused, choose, mismatch

__all__ = ["Chosen", "Refused", "SeriesFacts", "choose", "facts_of", "mismatch"]
