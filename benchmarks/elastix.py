"""elastix, through itk-elastix."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.method import Found
from benchmarks.placement import Placement
from benchmarks.subjects import Pair
from eigenwarp.files import FieldFormat, read_field
from eigenwarp.preprocess import Preprocessing
from eigenwarp.volume.nifti import write_volume


class Elastix:
    """Affine, then B-spline, with elastix' default parameter maps.

    Args:
        preprocessing: whose initial alignment all methods share.
        resolutions: levels of both stages; elastix' own default is four.
    """

    distribution: str | None = "itk-elastix"
    name = "elastix affine + B-spline"

    def __init__(self, preprocessing: Preprocessing, resolutions: int = 4) -> None:
        self.preprocessing = preprocessing
        self.resolutions = resolutions

    def register(self, pair: Pair) -> Found:
        """See ``Method``."""
        import itk

        placement = Placement.of(self.preprocessing, pair.moving, pair.fixed)
        with TemporaryDirectory() as name:
            folder = Path(name)
            write_volume(placement.place(pair.moving), folder / "moving.nii")
            write_volume(pair.fixed, folder / "fixed.nii")
            moving, fixed = (itk.imread(str(folder / f"{side}.nii"), itk.F) for side in ("moving", "fixed"))
            started = time.perf_counter()
            parameters = itk.ParameterObject.New()
            for stage in ("affine", "bspline"):
                parameters.AddParameterMap(parameters.GetDefaultParameterMap(stage, self.resolutions))
            _, transform = itk.elastix_registration_method(
                fixed, moving, parameter_object=parameters, log_to_console=False
            )
            # It also writes the field to a file of its own, into the working folder where no other is named.
            found = itk.transformix_deformation_field(
                moving, transform, log_to_console=False, output_directory=str(folder)
            )
            itk.imwrite(found, str(folder / "found.nii"))
            field = read_field(folder / "found.nii", FieldFormat.ITK)
            seconds = time.perf_counter() - started
        return Found(placement.restore(field, pair.fixed.geometry), seconds)
