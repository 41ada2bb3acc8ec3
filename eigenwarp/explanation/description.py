"""A component in one line that a radiologist can read."""

from collections.abc import Mapping

import numpy as np

from eigenwarp.field.motion import Motion, Vector

# Below these nothing is said of a motion: it would not be seen.
SMALLEST_MM, SMALLEST_DEGREES, SMALLEST_PERCENT = 0.05, 0.5, 0.5
# A kind of motion with less of the energy than this is not named, whatever its size.
SMALLEST_SHARE = 0.1

_TOWARDS = (("left", "right"), ("posterior", "anterior"), ("inferior", "superior"))
_AXES = ("left-right", "anterior-posterior", "superior-inferior")
_PLANES = ("sagittal", "coronal", "axial")
# A direction is named by its axis alone where that axis has this cosine: within 30 degrees.
_ALONG = float(np.cos(np.radians(30)))


def describe_motion(motion: Motion, label_changes: Mapping[str, float] | None = None) -> str:
    """One line on what a motion does.

    Args:
        motion: of the anatomy, world RAS.
        label_changes: each label's change of volume in percent.

    Returns:
        Such as "mostly a translation of 1.2 mm towards anterior, with a rotation of 3.1° about the left-right axis (in
        the sagittal plane); the head grows by 4 %".
    """
    named = _named(motion)
    if motion.rms_mm < SMALLEST_MM:
        line = f"hardly any motion ({motion.rms_mm:.2g} mm)"
    elif not named:
        line = f"many small motions of {motion.rms_mm:.1f} mm that no single kind stands for"
    else:
        share, first = named[0]
        line = f"{'mostly ' if share > 0.5 else 'above all ' if len(named) > 1 else 'in part '}{first}"
        if len(named) > 1:
            line += ", with " + " and ".join(text for _, text in named[1:3])
    changed = [
        f"the {name} {'grows' if percent > 0 else 'shrinks'} by {abs(percent):.0f} %"
        for name, percent in (label_changes or {}).items()
        if abs(percent) >= max(SMALLEST_PERCENT, 1)
    ]
    return "; ".join([line, *changed])


def direction_name(vector: Vector) -> str:
    """The anatomical direction of a displacement, such as "anterior" or "anterior and superior".

    Args:
        vector: world RAS, any length but 0.
    """
    unit = np.asarray(vector) / np.linalg.norm(vector)
    order = np.argsort(-np.abs(unit))
    count = 1 if abs(unit[order[0]]) >= _ALONG else 2
    return " and ".join(_TOWARDS[axis][int(unit[axis] > 0)] for axis in order[:count])


def axis_name(axis: Vector) -> str:
    """The anatomical axis nearest to a rotation's, and the plane in which it turns."""
    unit = np.abs(np.asarray(axis)) / np.linalg.norm(axis)
    nearest = int(np.argmax(unit))
    if unit[nearest] >= _ALONG:
        return f"the {_AXES[nearest]} axis (in the {_PLANES[nearest]} plane)"
    second = int(np.argsort(-unit)[1])
    return f"an axis between {_AXES[nearest]} and {_AXES[second]}"


def _named(motion: Motion) -> list[tuple[float, str]]:
    """The kinds of motion worth naming, the largest share first."""
    found: list[tuple[float, str]] = []
    length = float(np.linalg.norm(motion.translation_mm))
    if length >= SMALLEST_MM:
        towards = direction_name(motion.translation_mm)
        found.append((motion.translation_share, f"a translation of {length:.1f} mm towards {towards}"))
    if motion.rotation_degrees >= SMALLEST_DEGREES:
        about = axis_name(motion.rotation_axis)
        found.append((motion.rotation_share, f"a rotation of {motion.rotation_degrees:.1f}° about {about}"))
    percent = 100 * (motion.scaling - 1)
    if abs(percent) >= SMALLEST_PERCENT:
        kind = "an enlargement" if percent > 0 else "a shrinking"
        found.append((motion.scaling_share, f"{kind} of {abs(percent):.1f} % in every direction"))
    found.append((motion.shear_share, "a stretch in one direction at the cost of another"))
    found.append((motion.rest_share, "a local, non-affine change of shape"))
    return sorted([entry for entry in found if entry[0] >= SMALLEST_SHARE], key=lambda entry: -entry[0])
