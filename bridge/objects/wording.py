"""What a registration found, in words that need no mathematics."""

from typing import Final

import numpy as np

from bridge.dicom.series_volume import SeriesVolume
from bridge.objects.finding import Finding
from eigenwarp.schemas.components import ComponentRow, MotionRow
from eigenwarp.schemas.document import Vector
from eigenwarp.schemas.report import ComponentShare

INTENDED_USE: Final = "Research software, not a medical device. Not for diagnosis."

# A motion that has less than this of the squared displacement is not worth a word.
_NOTABLE_SHARE: Final = 0.2
# Of the patient, along the world's axes: at a positive and at a negative component.
_DIRECTIONS: Final = (("to the right", "to the left"), ("forward", "backward"), ("upward", "downward"))
_AXES: Final = (
    "the left–right axis, as in nodding",
    "the front–back axis, as in tilting the head sideways",
    "the head–foot axis, as in shaking the head",
)


def counterpart_name(finding: Finding) -> str:
    """What the series is compared with, short enough for a sentence."""
    if finding.counterpart is None:
        return "the average of the training subjects"
    return {"atlas": "the template", "prior": "the earlier study", "volume": "the reference volume"}[
        finding.counterpart.kind
    ]


def cautions(finding: Finding, series: SeriesVolume) -> list[str]:
    """What a reader should know of the series' geometry, the registration and the projection, each said once."""
    notices = [
        *series.notices,
        *(() if finding.report is None else finding.report.warnings),
        *(() if finding.projection is None else finding.projection.warnings),
    ]
    return list(dict.fromkeys(side_named(finding, notice.detail) for notice in notices))


def side_named(finding: Finding, detail: str) -> str:
    """A warning's text with the series and its counterpart called so, not by the side of the registration."""
    other = "moving" if finding.side == "fixed" else "fixed"
    for prefix, name in ((finding.side, "this series"), (other, counterpart_name(finding))):
        if detail.startswith(f"{prefix}: "):
            return name + detail[len(prefix) :]
    return detail


def component_sentence(finding: Finding, share: ComponentShare, row: ComponentRow) -> str:
    """How a component sets the series apart from its counterpart.

    The template looks like a subject whose coefficient is lower when it is warped by +1 standard deviation, and the
    latent difference is moving less fixed: seen from the moving side, the fixed one is the moving one moved by
    coefficient / standard deviation.
    """
    scale = share.coefficient / row.standard_deviation if row.standard_deviation > 0 else 0.0
    amount = scale if finding.side == "fixed" else -scale
    return motion_words(row.motion, amount)


def motion_words(motion: MotionRow, amount: float) -> str:
    """A motion ``amount`` times as long as it is at one standard deviation, its notable parts from the largest on.

    Returns:
        Such as ``"a shift of 1.4 mm backward, and a turn of 3.0° about the left–right axis, as in nodding"``.
    """
    parts = {
        _shift(motion.translation_mm, amount): motion.shares.translation,
        _turn(motion, amount): motion.shares.rotation,
        _growth(motion.scaling_percent * amount): motion.shares.scaling,
        "a skewing": motion.shares.shear,
        "a change of form that no shift, turn, growth or skewing makes": motion.shares.rest,
    }
    ranked = sorted(parts, key=lambda words: parts[words], reverse=True)
    notable = [words for words in ranked if parts[words] >= _NOTABLE_SHARE] or ranked[:1]
    return ", and ".join(notable)


def domain_words(percentile: float) -> str:
    """How usual a distance from the training subjects' mean is."""
    if percentile >= 100:
        return "further from the average than every training subject"
    return f"further from the average than {percentile:.0f} % of the training subjects"


def _shift(translation: Vector, amount: float) -> str:
    vector = np.array(translation) * amount
    length = float(np.linalg.norm(vector))
    order = [int(axis) for axis in np.argsort(-np.abs(vector))]
    # A second direction is named where it is at least half as long as the first.
    named = [axis for axis in order[:2] if abs(vector[axis]) >= 0.5 * abs(vector[order[0]])]
    words = " and ".join(_DIRECTIONS[axis][0 if vector[axis] > 0 else 1] for axis in named)
    return f"a shift of {length:.1f} mm {words}"


def _turn(motion: MotionRow, amount: float) -> str:
    axis = int(np.argmax(np.abs(motion.rotation_axis)))
    return f"a turn of {abs(motion.rotation_degrees * amount):.1f}° about {_AXES[axis]}"


def _growth(percent: float) -> str:
    return f"an overall {'growth' if percent > 0 else 'shrinkage'} by {abs(percent):.1f} % in length"
