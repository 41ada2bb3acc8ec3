"""An object as an archive gets it: written, and read again."""

import io
from pathlib import Path

from pydicom import Dataset, dcmread


def read_again(result: Dataset) -> Dataset:
    """The object after a way through a file in memory."""
    buffer = io.BytesIO()
    result.save_as(buffer, enforce_file_format=True)
    buffer.seek(0)
    return dcmread(buffer)


def save(result: Dataset, path: Path) -> Path:
    """Written as a DICOM file."""
    result.save_as(path, enforce_file_format=True)
    return path
