"""ANTs' SyN, through antspyx."""

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from benchmarks.method import Found
from benchmarks.placement import Placement
from benchmarks.subjects import Pair
from eigenwarp.files import FieldFormat, read_field
from eigenwarp.preprocess import Preprocessing
from eigenwarp.volume.nifti import write_volume

Stages = Literal["SyN", "SyNOnly"]


@dataclass(frozen=True)
class SynSettings:
    """What drives SyN.

    Args:
        metric: mutual information or local cross-correlation.
        sampling: histogram bins of the one, radius in voxels of the other.
        iterations: at a quarter, a half and the whole of the resolution.
    """

    metric: Literal["mattes", "CC"]
    sampling: int
    iterations: tuple[int, int, int]


DEFAULTS = SynSettings("mattes", 32, (40, 20, 0))
# The defaults leave the finest level out: too coarse for structures of a few voxels.
CORRELATION = SynSettings("CC", 2, (40, 20, 10))


class AntsSyn:
    """Symmetric normalisation.

    Args:
        stages: ``SyN`` aligns centres of mass and an affine first; ``SyNOnly`` starts from the common placement.
        preprocessing: whose initial alignment all methods share.
        settings: antspyx's own, or those for small structures.
    """

    distribution: str | None = "antspyx"

    def __init__(self, stages: Stages, preprocessing: Preprocessing, settings: SynSettings = CORRELATION) -> None:
        kind = "defaults" if settings == DEFAULTS else "correlation"
        self.name = f"ANTs affine + SyN, {kind}" if stages == "SyN" else f"ANTs SyN alone, {kind}"
        self.stages = stages
        self.preprocessing = preprocessing
        self.settings = settings

    def register(self, pair: Pair) -> Found:
        """See ``Method``. The seconds include that ANTs hands its transforms over as files."""
        import ants

        placement = Placement.of(self.preprocessing, pair.moving, pair.fixed)
        with TemporaryDirectory() as name:
            folder = Path(name)
            write_volume(placement.place(pair.moving), folder / "moving.nii")
            write_volume(pair.fixed, folder / "fixed.nii")
            moving, fixed = ants.image_read(str(folder / "moving.nii")), ants.image_read(str(folder / "fixed.nii"))
            started = time.perf_counter()
            result = ants.registration(
                fixed,
                moving,
                self.stages,
                outprefix=str(folder / "found"),
                syn_metric=self.settings.metric,
                syn_sampling=self.settings.sampling,
                reg_iterations=self.settings.iterations,
                random_seed=1,
            )
            composed = ants.apply_transforms(fixed, moving, result["fwdtransforms"], compose=str(folder / "whole"))
            if composed is None:
                raise RuntimeError("ANTs composed no field")
            field = read_field(Path(composed), FieldFormat.ITK)
            seconds = time.perf_counter() - started
        return Found(placement.restore(field, pair.fixed.geometry), seconds)
