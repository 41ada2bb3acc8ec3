"""Rules over facts. The first rule that holds is taken; the others say what kept them from it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bridge.config.rules import Match, Rule, Side
from bridge.select.facts import SeriesFacts
from eigenwarp.schemas.choices import SideChoice

_TEXTS = ("series_description", "study_description", "protocol_name", "body_part", "image_type")
_RANGES = ("rows", "columns")


@dataclass(frozen=True)
class Chosen:
    """A rule takes the series.

    Args:
        side: of the structure that is to be found in it, where the rule localises.
    """

    rule: Rule
    side: SideChoice | None


@dataclass(frozen=True)
class Refused:
    """No rule takes the series.

    Args:
        reasons: one for each rule, in their order, by the rule's name; holds what the series says.
    """

    reasons: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """All of them in one line."""
        return "; ".join(f"{name}: {reason}" for name, reason in self.reasons)


def choose(rules: Sequence[Rule], facts: SeriesFacts) -> Chosen | Refused:
    """The rule for a series."""
    if facts.is_own:
        return Refused((("every rule", "the series was made by this bridge"),))
    reasons: list[tuple[str, str]] = []
    for rule in rules:
        reason = mismatch(rule.match, facts)
        if reason is None:
            found = _side(rule, facts)
            if isinstance(found, Chosen):
                return found
            reason = found
        reasons.append((rule.name, reason))
    return Refused(tuple(reasons))


def mismatch(match: Match, facts: SeriesFacts) -> str | None:
    """The first criterion that does not hold, in words; None where all do."""
    return next(_mismatches(match, facts), None)


def _mismatches(match: Match, facts: SeriesFacts) -> Iterator[str]:
    if match.modality and _asked(match, "modality", facts.modality):
        if facts.modality is None:
            yield "modality is missing"
        elif facts.modality not in match.modality:
            yield f"modality {facts.modality} is none of {', '.join(match.modality)}"
    if match.sop_class:
        others = sorted(facts.sop_classes - set(match.sop_class))
        if others or not facts.sop_classes:
            yield f"SOP class {others[0] if others else 'missing'} is none of {', '.join(match.sop_class)}"
    for name in _TEXTS:
        pattern, value = getattr(match, name), getattr(facts, name)
        if pattern is None or not _asked(match, name, value):
            continue
        if value is None:
            yield f"{name} is missing"
        elif re.search(pattern, value) is None:
            yield f"{name} {value!r} does not match {pattern!r}"
    for name in _RANGES:
        wanted, found = getattr(match, name), getattr(facts, name)
        if wanted is None or not _asked(match, name, found):
            continue
        if found is None:
            yield f"{name} is missing"
        elif found[0] < wanted[0] or found[1] > wanted[1]:
            yield f"{name} {_spelled(found)} is outside {wanted[0]} to {wanted[1]}"
    if match.images is not None and not match.images[0] <= facts.images <= match.images[1]:
        yield f"{facts.images} images are outside {match.images[0]} to {match.images[1]}"


def _asked(match: Match, name: str, value: object) -> bool:
    return value is not None or name not in match.missing


def _side(rule: Rule, facts: SeriesFacts) -> Chosen | str:
    """The rule with its side; why not, where the series does not say."""
    if rule.localize is None:
        return Chosen(rule, None)
    side = rule.localize.side
    if not isinstance(side, Side):
        return Chosen(rule, side)
    value = facts.tag(side.tag)
    if value is None:
        return f"the side is read from {side.tag}, which is missing"
    is_left, is_right = (re.search(pattern, value) is not None for pattern in (side.left, side.right))
    if is_left == is_right:
        which = "both sides" if is_left else "neither side"
        return f"{side.tag} {value!r} matches {which}: a side is never guessed"
    return Chosen(rule, "left" if is_left else "right")


def _spelled(found: tuple[int, int]) -> str:
    return str(found[0]) if found[0] == found[1] else f"{found[0]} to {found[1]}"
