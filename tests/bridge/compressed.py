"""Series compressed as scanners and archives compress them, by GDCM."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Final

import gdcm
from pydicom import dcmread
from pydicom.dataset import FileDataset

from tests.bridge.phantom import save_series

COMPRESSED: Final = {
    "RLE Lossless": gdcm.TransferSyntax.RLELossless,
    "JPEG Lossless": gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    "JPEG-LS Lossless": gdcm.TransferSyntax.JPEGLSLossless,
    "JPEG 2000 Lossless": gdcm.TransferSyntax.JPEG2000Lossless,
}


def compressed_series(series: Sequence[FileDataset], syntax: str, folder: Path) -> list[FileDataset]:
    """The same instances, their pixels in a transfer syntax of ``COMPRESSED``; they are written to the folder."""
    found = []
    for dataset, path in zip(series, save_series(series, folder), strict=True):
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(COMPRESSED[syntax]))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        writer.SetFileName(str(path))
        assert writer.Write()
        # GDCM writes spacings and places of its own into the header, and those of multi-frame instances wrong.
        made = dcmread(path)
        one = deepcopy(dataset)
        one.file_meta.TransferSyntaxUID = made.file_meta.TransferSyntaxUID
        one["PixelData"] = made["PixelData"]
        one.save_as(path, enforce_file_format=True)
        found.append(dcmread(path))
    assert all(dataset.file_meta.TransferSyntaxUID.is_compressed for dataset in found)
    return found
