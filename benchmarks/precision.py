"""Half precision in the decoder: what it saves, and what it costs against float64."""

import time
from collections.abc import Callable, Sequence
from copy import deepcopy

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmarks.interleave import interleave
from benchmarks.machine import finish
from benchmarks.report import Cell, Column, Table, median, median_ratio
from benchmarks.subjects import Pair
from eigenwarp.model import RegistrationNetwork
from eigenwarp.model.precision import Precision, autocast
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.model.warp import integrate_gradients

REPEATS = 5

COLUMNS = (
    Column(name="decoder"),
    Column(name="seconds", digits=3),
    Column(name="time, × float32"),
    Column(name="mean error, voxels", digits=4),
    Column(name="99 %, voxels", digits=4),
    Column(name="largest, voxels", digits=4),
)


@torch.inference_mode()
def decode_in_float64(network: RegistrationNetwork, difference: Tensor) -> Tensor:
    """The displacement with every layer, the sigmoid and the sum in float64; on the CPU.

    The statistics of a decoder's instance norms, where it has any, stay in float32.

    Args:
        difference: (B, D).

    Returns:
        (B, 3, X, Y, Z), voxels.
    """
    double = deepcopy(network).to("cpu", torch.float64)
    parts = double.unflatten(difference.to("cpu", torch.float64))
    logits = double.decoder.logits(parts)
    if not double.decoder.homogeneous:
        logits = logits - double.decoder.logits([torch.zeros_like(part) for part in parts])
    return integrate_gradients(2 * torch.sigmoid(logits), network.architecture.shape)


def measure_precision(
    model: RegistrationModel,
    pairs: Sequence[Pair],
    rounds: int = 5,
    budget_seconds: float = float("inf"),
    progress: Callable[[str], None] = lambda _: None,
) -> Table:
    """Decode the latent differences of real pairs in each precision."""
    codes = [model.encode(pair.moving) - model.encode(pair.fixed) for pair in pairs]
    differences = torch.from_numpy(np.stack(codes)).to(model.device)
    cases = {str(kind): _Decoding(model, kind, differences) for kind in (Precision.FLOAT32, Precision.BFLOAT16)}
    found = interleave(cases, rounds, budget_seconds, progress=progress)
    reference = torch.cat([decode_in_float64(model.network, difference[None]) for difference in differences])
    rows: list[tuple[Cell, ...]] = []
    for kind, seconds in found.items():
        error = _distance(cases[kind].displacement, reference)
        rows.append(
            (
                kind,
                median(seconds),
                median_ratio(seconds, found[Precision.FLOAT32]),
                float(error.mean()),
                float(np.percentile(error, 99)),
                float(error.max()),
            )
        )
    return Table(
        title="Precision of the decoder",
        note=(
            f"Latent differences of {len(pairs)} pairs, one at a time; seconds per decoding, medians over "
            f"interleaved rounds ({len(found[Precision.FLOAT32])}); distance between displacements and those of "
            "float64, over every voxel of the model's grid."
        ),
        columns=COLUMNS,
        rows=tuple(rows),
    )


class _Decoding:
    """Decodes every difference; keeps the displacements of the last round."""

    def __init__(self, model: RegistrationModel, precision: Precision, differences: Tensor) -> None:
        self.model, self.precision, self.differences = model, precision, differences
        self.displacement = torch.empty(0)

    @torch.inference_mode()
    def __call__(self) -> float:
        started = time.perf_counter()
        with autocast(self.model.device, self.precision):
            for _ in range(REPEATS):
                decoded = [self.model.network.decode(difference[None]) for difference in self.differences]
        finish(self.model.device)
        seconds = time.perf_counter() - started
        self.displacement = torch.cat(decoded).cpu()
        return seconds / (REPEATS * len(self.differences))


def _distance(displacement: Tensor, reference: Tensor) -> npt.NDArray[np.float64]:
    return np.asarray((displacement.double() - reference).square().sum(dim=1).sqrt().numpy())
