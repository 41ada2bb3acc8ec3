"""A cohort small enough to train on in a test: one ball of two labels per subject."""

import torch

from training.config import AugmentationConfig, TrainingConfig
from training.tensors import PreparedCohort

SHAPE = (16, 16, 16)


def balls(subjects: int = 6, seed: int = 0) -> PreparedCohort:
    """Bright balls that differ in place and size; the lower half along x is label 1, the upper label 2."""
    generator = torch.Generator().manual_seed(seed)
    index = torch.stack(torch.meshgrid(*[torch.arange(n, dtype=torch.float32) for n in SHAPE], indexing="ij"))
    images, labels = [], []
    for _ in range(subjects):
        centre = 7.5 + 4 * (torch.rand(3, generator=generator) - 0.5)
        radius = 4 + 1.5 * torch.rand(1, generator=generator)
        distance = (index - centre.view(3, 1, 1, 1)).norm(dim=0)
        upper = index[0] > centre[0]
        inside = distance < radius
        images.append(torch.sigmoid(2 * (radius - distance)) * (0.6 + 0.4 * upper))
        labels.append((inside * (1 + upper.long())).to(torch.uint8))
    names = tuple(f"ball_{number:02d}" for number in range(subjects))
    return PreparedCohort(names, torch.stack(images)[:, None], torch.stack(labels))


NOTHING = AugmentationConfig(rotation_degrees=0, zoom=0, translation_voxels=0, flip_probability=0)


def small_config(**changes: object) -> TrainingConfig:
    """A configuration for ``balls``; a table given replaces the values it names."""
    values: dict[str, object] = {"labels": {"lower": 1, "upper": 2}, "evaluate_every": 1000}
    tables: dict[str, dict[str, object]] = {
        "architecture": {
            "shape": list(SHAPE),
            "channels": [4, 8],
            "latent_channels": 6,
            "full_resolution": False,
            "decoder_norm": "none",
            "segmentation_classes": 2,
        },
        "preprocessing": {"shape": list(SHAPE)},
        "augmentation": {"rotation_degrees": 5.0, "zoom": 0.05, "translation_voxels": 1.0, "flip_probability": 0.0},
        "loss": {"similarity_radius": 2, "segmentation": 0.5, "smoothness": 0.05},
        "optimiser": {"learning_rate": 1e-3, "batch": 4, "cycle": 2, "steps": 8},
    }
    for name, value in changes.items():
        if isinstance(value, dict) and name in tables:
            tables[name] |= value
        else:
            values[name] = value
    return TrainingConfig.from_dict(values | tables)
