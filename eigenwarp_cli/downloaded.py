"""A registration made of the files that a service handed out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from eigenwarp.field import DisplacementField
from eigenwarp.files import FieldFormat, read_field
from eigenwarp.preprocess import Alignment, Preprocessing
from eigenwarp.schemas.manifest import Manifest
from eigenwarp.schemas.report import Report
from eigenwarp.volume import Volume
from eigenwarp.volume.nifti import read_volume
from eigenwarp_cli.register import FIELD, JACOBIAN, WARPED
from worker.registration import initial_field


@dataclass(frozen=True, eq=False)
class DownloadedRegistration:
    """What of ``RegistrationOutputs`` can be seen.

    Args:
        field: fixed → moving, on the fixed grid.
        initial_field: the initial alignment alone.
        warped: the moving image on the fixed grid.
        jacobian: determinant of the transform on the fixed grid.
    """

    field: DisplacementField
    initial_field: DisplacementField
    warped: Volume
    jacobian: Volume
    report: Report

    @classmethod
    def read(cls, folder: Path, report: Report, manifest: Manifest, moving: Volume, fixed: Volume) -> Self:
        """The files of a folder, the field being ITK's.

        Args:
            manifest: of the model that registered; its preprocessing gives the initial alignment.
            moving, fixed: the volumes that were registered.
        """
        preprocessing = Preprocessing.from_dict(manifest.preprocessing)
        return cls(
            field=read_field(folder / FIELD, FieldFormat.ITK),
            initial_field=initial_field(preprocessing, moving, fixed, Alignment(report.options.alignment)),
            warped=read_volume(folder / WARPED),
            jacobian=read_volume(folder / JACOBIAN),
            report=report,
        )
