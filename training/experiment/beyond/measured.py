"""What several stages need, measured once for one workplace: encodings, the mean anatomy, the cohort's fields."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from eigenwarp.field import DisplacementField, field_from_model
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.volume import Geometry, Segmentation
from training.basis import encode_cohort
from training.experiment.stage import Workplace

FloatArray = npt.NDArray[np.float32]

BATCH = 8


@dataclass(frozen=True, eq=False)
class Encoded:
    """One network's encodings.

    Args:
        model: the network and its basis.
        name: as tables call it.
        train, validation: (N, D) float32, in the cohorts' order.
    """

    model: RegistrationModel
    name: str
    train: FloatArray
    validation: FloatArray


@lru_cache(maxsize=1)
def encoded(workplace: Workplace) -> tuple[Encoded, Encoded]:
    """Without skips and with."""
    return _encoded(workplace, workplace.model, "without skips"), _encoded(
        workplace, workplace.with_skips, "with skips"
    )


@lru_cache(maxsize=1)
def encoded_other_seed(workplace: Workplace) -> Encoded | None:
    """Of the network without skips that started from another seed, where there is one."""
    model = workplace.other_seed
    return None if model is None else _encoded(workplace, model, "another seed")


def _encoded(workplace: Workplace, model: RegistrationModel, name: str) -> Encoded:
    train, validation = (
        np.concatenate(list(encode_cohort(model.network, cohort, BATCH)))
        for cohort in (workplace.prepared_train, workplace.prepared_validation)
    )
    return Encoded(model, name, train, validation)


@torch.inference_mode()
def encode_images(model: RegistrationModel, images: Tensor) -> FloatArray:
    """Encodings of prepared images (N, 1, X, Y, Z): (N, D) float32."""
    model.network.eval()
    parts = [model.network.encode(batch.to(model.device)).cpu() for batch in images.split(BATCH)]
    return torch.cat(parts).numpy()


@torch.inference_mode()
def decode_batches(model: RegistrationModel, differences: npt.ArrayLike) -> Iterator[Tensor]:
    """D(z) of latent differences (N, D): displacements (≤ 8, 3, X, Y, Z) at a time, voxels of the model's grid."""
    model.network.eval()
    z = torch.as_tensor(np.asarray(differences, dtype=np.float32))
    for batch in z.split(BATCH):
        yield model.network.decode(batch.to(model.device)).float().cpu()


def model_grid(model: RegistrationModel) -> Geometry:
    """The template's grid, which is the model's, or one around the world's origin where there is no template."""
    template, preprocessing = model.bundle.template, model.preprocessing
    if template is None or template.shape != preprocessing.shape:
        return Geometry.from_spacing(preprocessing.shape, preprocessing.spacing)
    return template.geometry


def world_field(model: RegistrationModel, displacement: Tensor) -> DisplacementField:
    """A displacement of the network's (3, X, Y, Z), voxels, as a field on the model's grid, mm."""
    grid = model_grid(model)
    return field_from_model(displacement.permute(1, 2, 3, 0).numpy(), grid, grid, grid)


def in_millimetres(model: RegistrationModel, displacement: Tensor) -> Tensor:
    """Displacements (…, 3, X, Y, Z) in voxels → mm along the grid's axes, whose lengths are those in the world."""
    return displacement * torch.tensor(model.preprocessing.spacing).view(3, 1, 1, 1)


@lru_cache(maxsize=1)
def mean_anatomy(workplace: Workplace) -> Segmentation:
    """Labels of the mean, on the model's grid: the template's, or what most training subjects have at each voxel."""
    model = workplace.model
    template = model.bundle.template_segmentation
    if template is not None and template.labels and template.shape == model.preprocessing.shape:
        return template
    values = np.array((0, *model.labels.values()), dtype=np.uint16)
    labels = workplace.prepared_train.labels.numpy()
    counts = np.stack([(labels == place).sum(axis=0) for place in range(len(values))])
    return Segmentation(values[counts.argmax(axis=0)], model_grid(model))


def anatomy_region(workplace: Workplace) -> npt.NDArray[np.bool_]:
    """Where the mean has a label, (X, Y, Z): fields count there, not in the empty margin around."""
    return np.asarray(mean_anatomy(workplace).data > 0)


def fields_over_anatomy(workplace: Workplace, model: RegistrationModel, differences: npt.ArrayLike) -> FloatArray:
    """D(z) of many latent differences over the mean anatomy, (N, voxels, 3), mm along the grid's axes."""
    region = torch.from_numpy(anatomy_region(workplace))
    parts = [in_millimetres(model, batch)[:, :, region].transpose(1, 2) for batch in decode_batches(model, differences)]
    return torch.cat(parts).numpy()


@lru_cache(maxsize=1)
def cohort_fields(workplace: Workplace) -> tuple[FloatArray, FloatArray]:
    """Each subject's field D(E(X) − mean) over the mean anatomy: training and validation, (N, voxels, 3), mm.

    It says where each point of the mean anatomy lies in the subject.
    """
    without, _ = encoded(workplace)
    mean = without.model.basis.mean
    return (
        fields_over_anatomy(workplace, without.model, without.train - mean),
        fields_over_anatomy(workplace, without.model, without.validation - mean),
    )


def root_mean_square(displacement: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Of displacements (N, voxels, 3): (N,), in their unit."""
    return np.asarray(np.sqrt((displacement.astype(np.float64) ** 2).sum(axis=2).mean(axis=1)))


def part_of(on_progress: Callable[[float], None], start: float, stop: float) -> Callable[[float], None]:
    """Progress within a part of a stage."""
    return lambda done: on_progress(start + (stop - start) * done)
