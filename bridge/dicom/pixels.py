"""The grey values of frames: decoded by pydicom's plugins, with the modality's rescaling applied."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.pixels.processing import apply_modality_lut
from pydicom.pixels.utils import pixel_array

from bridge.dicom.attributes import attribute_name, required_numbers
from bridge.dicom.frames import Frame, functional_group
from bridge.errors import PixelDataError


def grey_values(datasets: Sequence[Dataset], frames: Sequence[Frame]) -> npt.NDArray[np.float32]:
    """The frames' values, (slices, rows, columns) in the order given.

    Raises:
        PixelDataError: no pixels, no grey values, cut short, or a transfer syntax that is not read.
        AttributeMissingError: half a rescaling.
    """
    values = np.empty((len(frames), *frames[0].matrix), dtype=np.float32)
    of_dataset: dict[int, list[int]] = {}
    for place, frame in enumerate(frames):
        of_dataset.setdefault(frame.source.dataset, []).append(place)
    for index, places in of_dataset.items():
        dataset = datasets[index]
        stored = _decoded(dataset, frames[places[0]])
        for place in places:
            frame = frames[place]
            one = stored if frame.source.number is None else stored[frame.source.number - 1]
            values[place] = _rescaled(one, dataset, frame)
    return values


def _decoded(dataset: Dataset, frame: Frame) -> npt.NDArray[np.generic]:
    """All frames of an instance, (rows, columns), or (frames, rows, columns) of a multi-frame one."""
    samples, photometric = dataset.get("SamplesPerPixel"), dataset.get("PhotometricInterpretation")
    if samples != 1 or photometric != "MONOCHROME2":
        raise PixelDataError(
            f"pixels of {frame.name} are {photometric} of {samples} samples: expected MONOCHROME2 of one"
        )
    if not any(keyword in dataset for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise PixelDataError(f"{attribute_name('PixelData')} is missing from {frame.name}")
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    if syntax is None:
        raise PixelDataError(f"{attribute_name('TransferSyntaxUID')} is missing from {frame.name}")
    try:
        found: npt.NDArray[np.generic] = pixel_array(dataset)
    # Decoders are plugins, and each has errors of its own for bytes that are none of its format.
    except Exception as error:
        raise PixelDataError(
            f"pixels of {frame.name} cannot be decoded ({syntax.name}): {type(error).__name__}"
        ) from error
    if frame.source.number is not None and found.ndim == 2:
        found = found[None]
    if found.shape[-2:] != frame.matrix:
        raise PixelDataError(f"pixels of {frame.name} decode to {found.shape[-2:]}, its header says {frame.matrix}")
    return found


def _rescaled(stored: npt.NDArray[np.generic], dataset: Dataset, frame: Frame) -> npt.NDArray[np.floating]:
    if frame.source.number is None:
        if "ModalityLUTSequence" in dataset:
            return np.asarray(apply_modality_lut(stored, dataset), dtype=np.float64)
        of: Dataset | None = dataset if "RescaleSlope" in dataset or "RescaleIntercept" in dataset else None
    else:
        of = functional_group(dataset, frame.source.number, "PixelValueTransformationSequence")
    if of is None:
        return stored.astype(np.float64)
    (slope,) = required_numbers(of, "RescaleSlope", 1, frame.name)
    (intercept,) = required_numbers(of, "RescaleIntercept", 1, frame.name)
    return stored.astype(np.float64) * slope + intercept
