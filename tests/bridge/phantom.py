"""An asymmetric phantom, written as DICOM series in any plane and obliqueness: what the bridge's tests send and read.

The phantom is a function of the place in the patient (LPS mm), so that every series of it shows one and the same body;
no symmetry maps it onto itself. Some voxels are marked by values of their own, by which a reader's grid is checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom import Sequence as DicomSequence
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid
from pydicom.valuerep import format_number_as_ds
from scipy.spatial.transform import Rotation

Plane = Literal["axial", "coronal", "sagittal"]
FloatArray = npt.NDArray[np.float64]

PATIENT_NAME = "Phantom^Asymmetric"
PATIENT_ID = "PHANTOM-4711"
MARK = 3000
"""The value of the first marked voxel; the others count on from it. No other voxel is as bright."""

# Direction along a row (of growing column), and down a column (of growing row), LPS.
_DIRECTIONS: dict[Plane, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "axial": ((1, 0, 0), (0, 1, 0)),
    "coronal": ((1, 0, 0), (0, 0, -1)),
    "sagittal": ((0, 1, 0), (0, 0, -1)),
}
# Centre (LPS mm), radius (mm), brightness, label: left of the midline only, in front only, on top only.
_BLOBS = (
    ((9.0, 2.0, -3.0), 7.0, 900.0, 1),
    ((-6.0, -10.0, 1.0), 5.0, 600.0, 2),
    ((-2.0, 7.0, 9.0), 4.0, 1200.0, 3),
)


def blobs() -> list[tuple[FloatArray, float, int]]:
    """Centre (LPS mm), radius (mm) and label of each."""
    return [(np.array(centre), radius, label) for centre, radius, _, label in _BLOBS]


@dataclass(frozen=True)
class Stack:
    """Where the slices of a series lie.

    Args:
        shape: (slices, rows, columns).
        row: direction along a row, a unit vector in LPS.
        column: direction down a column.
        pixel_spacing: between rows, between columns, mm.
        slice_spacing: mm along the normal, row × column.
        position: of the first pixel of the first slice, LPS mm.
    """

    shape: tuple[int, int, int]
    row: FloatArray
    column: FloatArray
    pixel_spacing: tuple[float, float]
    slice_spacing: float
    position: FloatArray

    @property
    def affine(self) -> FloatArray:
        """(slice, row, column) → LPS mm, 4×4."""
        affine = np.eye(4)
        affine[:3, 0] = np.cross(self.row, self.column) * self.slice_spacing
        affine[:3, 1] = self.column * self.pixel_spacing[0]
        affine[:3, 2] = self.row * self.pixel_spacing[1]
        affine[:3, 3] = self.position
        return affine

    def points(self) -> FloatArray:
        """LPS mm of every pixel, (slices, rows, columns, 3)."""
        indices = np.stack(np.meshgrid(*(np.arange(n, dtype=float) for n in self.shape), indexing="ij"), axis=-1)
        return indices @ self.affine[:3, :3].T + self.affine[:3, 3]

    def marked(self) -> list[tuple[int, int, int]]:
        """The marked voxels: one near each corner at the first pixel, and one in the midst."""
        slices, rows, columns = self.shape
        return [
            (0, 0, 0),
            (slices - 1, 1, 2),
            (1, rows - 1, 3),
            (2, 4, columns - 1),
            (slices // 2, rows // 2, columns // 3),
        ]


def stack(
    plane: Plane,
    degrees: tuple[float, float, float] = (0, 0, 0),
    shape: tuple[int, int, int] = (14, 24, 18),
    pixel_spacing: tuple[float, float] = (1.25, 1.75),
    slice_spacing: float = 2.5,
    centre: tuple[float, float, float] = (1.5, -0.5, 2.25),
) -> Stack:
    """A stack around a centre (LPS mm), its plane turned about the patient's x, y and z axes by degrees."""
    turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    row, column = (turn @ np.array(direction, dtype=float) for direction in _DIRECTIONS[plane])
    still = Stack(shape, row, column, pixel_spacing, slice_spacing, np.zeros(3))
    middle = still.affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return replace(still, position=np.array(centre) - middle)


def intensities(of: Stack) -> npt.NDArray[np.int16]:
    """What the phantom's series stores, (slices, rows, columns): blobs, a slope, the marked voxels."""
    points = of.points()
    values = 500 + points @ np.array([4.0, 2.5, -3.0])
    for centre, radius, brightness, _ in _BLOBS:
        values += brightness * np.exp(-(((points - centre) ** 2).sum(axis=-1)) / (2 * (radius / 2) ** 2))
    stored = np.clip(np.round(values), 0, MARK - 1).astype(np.int16)
    for number, voxel in enumerate(of.marked()):
        stored[voxel] = MARK + number
    return stored


def labels(of: Stack) -> npt.NDArray[np.uint16]:
    """The phantom's blobs as labels 1, 2, 3, (slices, rows, columns)."""
    found = np.zeros(of.shape, dtype=np.uint16)
    for centre, radius, _, label in _BLOBS:
        found[((of.points() - centre) ** 2).sum(axis=-1) <= radius**2] = label
    return found


def classic_series(
    of: Stack, pixels: npt.NDArray[np.int16] | None = None, *, seed: str = "classic"
) -> list[FileDataset]:
    """One single-frame MR instance per slice, in the order of the slices; the same seed gives the same UIDs."""
    pixels = intensities(of) if pixels is None else pixels
    series = []
    for k, frame in enumerate(pixels):
        dataset = _instance(MRImageStorage, generate_uid(entropy_srcs=[seed, "instance", str(k)]), seed)
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "M"]
        dataset.InstanceNumber = k + 1
        dataset.ImagePositionPatient = _decimals(of.affine[:3, 3] + k * of.affine[:3, 0])
        dataset.ImageOrientationPatient = _decimals([*of.row, *of.column])
        dataset.PixelSpacing = _decimals(of.pixel_spacing)
        dataset.SliceThickness = _decimals([of.slice_spacing])[0]
        dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "GR", "NONE", ""
        dataset.MRAcquisitionType, dataset.EchoTime, dataset.EchoTrainLength = "3D", "3", "1"
        _set_pixels(dataset, frame)
        series.append(dataset)
    return series


def enhanced_series(
    of: Stack,
    pixels: npt.NDArray[np.int16] | None = None,
    *,
    order: Sequence[int] | None = None,
    rescale: tuple[float, float] = (1.0, 0.0),
    seed: str = "enhanced",
) -> FileDataset:
    """One enhanced multi-frame MR instance; ``order`` gives the slice that each frame holds."""
    pixels = intensities(of) if pixels is None else pixels
    order = range(of.shape[0]) if order is None else order
    dataset = _instance(EnhancedMRImageStorage, generate_uid(entropy_srcs=[seed, "instance"]), seed)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    dataset.InstanceNumber = 1
    measures, orientation, transformation = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = _decimals(of.pixel_spacing)
    measures.SliceThickness = _decimals([of.slice_spacing])[0]
    orientation.ImageOrientationPatient = _decimals([*of.row, *of.column])
    transformation.RescaleSlope, transformation.RescaleIntercept = _decimals(rescale)
    transformation.RescaleType = "US"
    shared = Dataset()
    shared.PixelMeasuresSequence = DicomSequence([measures])
    shared.PlaneOrientationSequence = DicomSequence([orientation])
    shared.PixelValueTransformationSequence = DicomSequence([transformation])
    dataset.SharedFunctionalGroupsSequence = DicomSequence([shared])
    frames = []
    for number, k in enumerate(order, start=1):
        frame, position, content = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = _decimals(of.affine[:3, 3] + k * of.affine[:3, 0])
        content.StackID, content.InStackPositionNumber = "1", k + 1
        content.DimensionIndexValues = [1, k + 1]
        content.FrameAcquisitionNumber = number
        frame.PlanePositionSequence, frame.FrameContentSequence = DicomSequence([position]), DicomSequence([content])
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = DicomSequence(frames)
    dataset.NumberOfFrames = len(frames)
    _set_pixels(dataset, pixels[list(order)])
    return dataset


def save_series(series: Sequence[FileDataset], folder: Path) -> list[Path]:
    """Written as DICOM files, numbered in the order given."""
    paths = []
    for number, dataset in enumerate(series):
        path = folder / f"{number:04d}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def _instance(sop_class: str, sop_instance: str, seed: str) -> FileDataset:
    """What every instance of the phantom says of itself: one patient, one study, one series, one frame of reference."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, sop_instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, sop_instance
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=[seed, "study"])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[seed, "series"])
    dataset.FrameOfReferenceUID = generate_uid(entropy_srcs=[seed, "frame of reference"])
    dataset.PatientName, dataset.PatientID = PATIENT_NAME, PATIENT_ID
    dataset.PatientBirthDate, dataset.PatientSex = "19700102", "O"
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20260102", "030405", "1"
    dataset.AccessionNumber, dataset.ReferringPhysicianName = "ACC-4711", ""
    dataset.Modality, dataset.Manufacturer = "MR", "Phantoms"
    dataset.SeriesNumber, dataset.AcquisitionNumber = 3, 1
    dataset.SeriesDescription, dataset.PatientPosition = "T1 phantom", "HFS"
    dataset.PositionReferenceIndicator = ""
    return dataset


def _set_pixels(dataset: FileDataset, pixels: npt.NDArray[np.int16]) -> None:
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.PixelData = np.ascontiguousarray(pixels, dtype="<i2").tobytes()


def _decimals(values: Sequence[float] | FloatArray) -> list[str]:
    """Decimal strings of at most 16 characters, as exact as DICOM's DS holds."""
    return [format_number_as_ds(float(value)) for value in values]
