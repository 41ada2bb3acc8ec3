"""The Jacobian determinant as a Parametric Map (PS3.3, A.75), float32, on the series' own pixels."""

from typing import Final

import numpy as np
from highdicom import VOILUTTransformation
from highdicom.pm import ParametricMap, RealWorldValueMapping
from pydicom import Dataset
from pydicom.sr.coding import Code

from bridge.dicom.series_volume import SeriesVolume
from bridge.objects.concepts import series_laterality
from bridge.objects.errors import FindingInvalidError
from bridge.objects.finding import Finding
from bridge.objects.frames import frame_box
from bridge.objects.identity import UNSEALED, ResultIdentity
from bridge.objects.private_scheme import JACOBIAN, private_schemes
from eigenwarp.volume import Volume

_KIND: Final = "jacobian"
_NO_UNITS: Final = Code("1", "UCUM", "no units")
# Shown from 0, where tissue vanishes, to twice the volume.
_WINDOW_CENTRE, _WINDOW_WIDTH = 1.0, 2.0


def jacobian_map(finding: Finding, series: SeriesVolume, identity: ResultIdentity) -> Dataset:
    """The finding's Jacobian determinant, values unchanged; of a part of the series where the finding has no more.

    Raises:
        FindingInvalidError: the finding has no Jacobian determinant, or none on the series.
        WriteBackBlockedError: the series has no place in patient space.
    """
    series.require_writable()
    jacobian = finding.jacobian
    if jacobian is None:
        raise FindingInvalidError(f"job {finding.job}: a Jacobian map needs the determinant, the finding has none")
    known = Volume(np.ones(jacobian.shape, dtype=np.float32), jacobian.geometry)
    inside = series.values_on_source(known) > 0
    if not inside.any():
        raise FindingInvalidError(f"job {finding.job}: the Jacobian determinant lies beside the series")
    values = series.values_on_source(jacobian, outside=1.0)
    stack = frame_box(series, values, inside)
    result = ParametricMap(
        source_images=stack.images,
        pixel_array=stack.pixels,
        series_instance_uid=UNSEALED,
        series_number=identity.series_number_of(_KIND),
        sop_instance_uid=UNSEALED,
        instance_number=1,
        manufacturer=identity.manufacturer,
        manufacturer_model_name=identity.model_name,
        software_versions=identity.software_version,
        device_serial_number=identity.device_serial_number,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[
            RealWorldValueMapping(
                lut_label="JACOBIAN",
                lut_explanation=f"Volume change by {finding.model.name} {finding.model.version}"[:64],
                unit=_NO_UNITS,
                value_range=(float(values.min()), float(values.max())),
                slope=1.0,
                intercept=0.0,
                quantity_definition=JACOBIAN,
            )
        ],
        voi_lut_transformations=[VOILUTTransformation(window_center=_WINDOW_CENTRE, window_width=_WINDOW_WIDTH)],
        content_label="JACOBIAN",
        content_description=_described(finding)[:64],
        coding_schemes=private_schemes(),
    )
    result.Laterality = series_laterality(finding.laterality)
    identity.seal(result, _KIND)
    return result


def _described(finding: Finding) -> str:
    other = "the model" if finding.counterpart is None else finding.counterpart.description
    return f"Above 1: larger in {other}"
