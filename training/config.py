"""Everything a training run depends on, as one frozen value read from TOML."""

import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Literal, Self

from eigenwarp.errors import OptionInvalidError
from eigenwarp.model import Architecture
from eigenwarp.preprocess import Preprocessing


@dataclass(frozen=True)
class AugmentationConfig:
    """Random changes to each volume on its own (section 3.3: flip, rotation, translation, zoom).

    Args:
        rotation_degrees: largest angle about each axis.
        zoom: largest relative change of scale.
        translation_voxels: largest shift along each axis.
        flip_probability: chance of mirroring along each axis.
        elastic_voxels: standard deviation of a random smooth displacement, control points every eighth of the grid.
        gamma: largest |log γ| of a power law on the intensities.
        noise: largest standard deviation of added Gaussian noise, of the intensity range.
        rampup: share of the run over which the strengths grow linearly to the values here.
    """

    rotation_degrees: float = 15.0
    zoom: float = 0.15
    translation_voxels: float = 6.0
    flip_probability: float = 0.5
    elastic_voxels: float = 0.0
    gamma: float = 0.0
    noise: float = 0.0
    rampup: float = 0.0


@dataclass(frozen=True)
class LossConfig:
    """Weights of the loss terms, the same in both directions (sections 3.1 and 3.3).

    Args:
        similarity: of 1 − local correlation.
        similarity_radius: of its window, voxels of the scale it is measured at.
        similarity_scale: 2 measures it on images averaged over 2³ voxels, at an eighth of the cost.
        dice: of 1 − Dice on warped one-hot labels.
        smoothness: α.
        folding: β of the Jacobian loss.
        segmentation: of the segmentation head's cross-entropy and Dice; 0 where there is no head.
    """

    similarity: float = 1.0
    similarity_radius: int = 4
    similarity_scale: int = 1
    dice: float = 1.0
    smoothness: float = 0.1
    folding: float = 0.0
    segmentation: float = 0.0


@dataclass(frozen=True)
class OptimiserConfig:
    """Optimiser and schedule (section 3.3: Adam, constant 1e-4, batch 8).

    Args:
        name: ``adam`` or ``adamw``.
        learning_rate: its largest value.
        schedule: ``constant``, or ``cosine`` to zero after a linear warm-up.
        warmup_steps: of the cosine schedule.
        weight_decay: of AdamW.
        gradient_clip: largest norm of the gradient; 0 to leave it.
        batch: subjects per step. They form cycles of ``cycle`` subjects, each registered with the next, both ways.
        cycle: see ``batch``; a batch is divided among processes by whole cycles.
        steps: length of the run.
    """

    name: Literal["adam", "adamw"] = "adam"
    learning_rate: float = 1e-4
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_steps: int = 100
    weight_decay: float = 0.0
    gradient_clip: float = 0.0
    batch: int = 8
    cycle: int = 4
    steps: int = 15000

    def __post_init__(self) -> None:
        if self.name not in ("adam", "adamw") or self.schedule not in ("constant", "cosine"):
            raise OptionInvalidError(f"optimiser {self.name!r} with schedule {self.schedule!r} is not one of ours")
        if self.steps < 1:
            raise OptionInvalidError(f"steps must be at least 1, got {self.steps}")
        if self.cycle < 2 or self.batch < self.cycle or self.batch % self.cycle:
            raise OptionInvalidError(
                f"batch {self.batch} must be a multiple of cycle {self.cycle}, which is at least 2"
            )


@dataclass(frozen=True)
class TrainingConfig:
    """One training run.

    Args:
        name: of the model.
        preset: by which this configuration was asked for; empty for one from a file.
        started_from: the model whose weights the run started from; empty for none.
        labels: anatomical labels in the segmentations, background left out, and their names.
        precision: ``bfloat16`` runs the network under autocast; the warps and losses stay in float32.
        seed: of everything random. Step n draws from (seed, n) alone, so a resumed run repeats exactly.
        evaluate_every: steps between validations, after each of which a checkpoint is written.
    """

    name: str = "hippocampus"
    preset: str = ""
    started_from: str = ""
    labels: dict[str, int] = field(default_factory=dict)
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = 0
    evaluate_every: int = 250
    architecture: Architecture = field(default_factory=Architecture)
    preprocessing: Preprocessing = field(default_factory=lambda: Preprocessing(shape=(64, 64, 64)))
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)

    def __post_init__(self) -> None:
        if self.precision not in ("float32", "bfloat16"):
            raise OptionInvalidError(f"precision {self.precision!r} is neither float32 nor bfloat16")
        if self.evaluate_every < 1:
            raise OptionInvalidError(f"evaluate_every must be at least 1, got {self.evaluate_every}")
        if self.architecture.shape != self.preprocessing.shape:
            raise OptionInvalidError(
                f"architecture.shape {self.architecture.shape} differs from "
                f"preprocessing.shape {self.preprocessing.shape}"
            )
        if bool(self.loss.segmentation) != bool(self.architecture.segmentation_classes):
            raise OptionInvalidError(
                "a segmentation loss needs architecture.segmentation_classes, and the other way round"
            )

    def to_dict(self) -> dict[str, object]:
        """Plain values, for checkpoints and ``model.json``."""
        plain = asdict(self)
        plain["architecture"] = self.architecture.to_dict()
        plain["preprocessing"] = self.preprocessing.to_dict()
        return plain

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> Self:
        """From ``to_dict``'s output or a parsed TOML file.

        Raises:
            OptionInvalidError: an unknown name or a bad value.
        """
        rest = dict(values)
        try:
            parts = {
                "architecture": Architecture.from_dict(_table(rest, "architecture")),
                "preprocessing": Preprocessing.from_dict(Preprocessing().to_dict() | _table(rest, "preprocessing")),
                "augmentation": AugmentationConfig(**_table(rest, "augmentation")),  # type: ignore[arg-type]
                "loss": LossConfig(**_table(rest, "loss")),  # type: ignore[arg-type]
                "optimiser": OptimiserConfig(**_table(rest, "optimiser")),  # type: ignore[arg-type]
            }
            return cls(**rest, **parts)  # type: ignore[arg-type]
        except TypeError as error:
            known = ", ".join(f.name for f in fields(cls))
            raise OptionInvalidError(f"training configuration: {error}; known at the top are {known}") from error

    def with_steps(self, steps: int) -> Self:
        """The same run with another length."""
        return replace(self, optimiser=replace(self.optimiser, steps=steps))


def _table(values: dict[str, object], name: str) -> dict[str, object]:
    table = values.pop(name, {})
    if not isinstance(table, dict):
        raise OptionInvalidError(f"training configuration: {name} must be a table, got {table!r}")
    return table


def presets() -> list[str]:
    """Names that ``load_config`` knows without a file."""
    return sorted(p.name.removesuffix(".toml") for p in files("training.presets").iterdir() if p.name.endswith(".toml"))


def load_config(name_or_path: str) -> TrainingConfig:
    """Read a preset by name or a TOML file by path.

    Raises:
        OptionInvalidError: neither a preset nor a readable TOML file, or bad values in it.
    """
    preset = name_or_path if name_or_path in presets() else ""
    if preset:
        text = (files("training.presets") / f"{preset}.toml").read_text()
    else:
        path = Path(name_or_path)
        if not path.is_file():
            raise OptionInvalidError(f"{name_or_path!r} is neither a file nor a preset ({', '.join(presets())})")
        text = path.read_text()
    try:
        return replace(TrainingConfig.from_dict(tomllib.loads(text)), preset=preset)
    except tomllib.TOMLDecodeError as error:
        raise OptionInvalidError(f"{name_or_path}: {error}") from error
