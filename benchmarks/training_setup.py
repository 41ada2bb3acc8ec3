"""Which tricks of the training step are measured, each as a pair of setups that differ in it alone."""

from dataclasses import dataclass, replace

from eigenwarp.volume import Shape
from training.config import TrainingConfig

# The paper's grid, and its window of the local correlation.
CUBE: Shape = (64, 64, 64)
WIDE_RADIUS = 4


@dataclass(frozen=True)
class StepSetup:
    """One way to make a training step.

    Args:
        name: unique among the setups of a run.
        config: of the run.
        channels_last: memory layout of the network.
        fused: the optimiser updates all parameters in one pass.
        library_norm: torch's instance norm in place of ours.
        pooled_box: average pooling in place of cumulative sums.
    """

    name: str
    config: TrainingConfig
    channels_last: bool = True
    fused: bool = True
    library_norm: bool = False
    pooled_box: bool = False


@dataclass(frozen=True)
class Trick:
    """What one row of the table compares.

    Args:
        name: with the plain way after "against".
        on, off: setups that differ in the trick alone.
    """

    name: str
    on: StepSetup
    off: StepSetup


def tricks(config: TrainingConfig) -> list[Trick]:
    """Every trick, one at a time, on top of a configuration that has them all."""
    preset = StepSetup("preset", config)
    scale = config.loss.similarity_scale
    wide_loss = replace(config.loss, similarity_scale=1, similarity_radius=WIDE_RADIUS)
    wide = StepSetup("9³ window at full scale", replace(config, loss=wide_loss))
    window = f"{2 * config.loss.similarity_radius + 1}³ window, 1/{scale} scale"
    return [
        Trick(
            f"box filter by cumulative sums, not avg_pool3d ({window})",
            preset,
            replace(preset, name="pooled", pooled_box=True),
        ),
        Trick(
            "the same, 9³ window, full scale",
            wide,
            replace(wide, name="pooled 9³ window at full scale", pooled_box=True),
        ),
        Trick(
            "similarity at half scale, not full (windows of one size in mm)",
            preset,
            wide,
        ),
        Trick(
            "bfloat16 autocast, not float32",
            preset,
            replace(preset, name="float32", config=replace(config, precision="float32")),
        ),
        Trick(
            "channels_last_3d, not contiguous",
            preset,
            replace(preset, name="contiguous", channels_last=False),
        ),
        Trick(
            "our InstanceNorm, not torch.nn.InstanceNorm3d",
            preset,
            replace(preset, name="torch's InstanceNorm3d", library_norm=True),
        ),
        Trick(
            "strided stem, not one more level at full resolution",
            preset,
            StepSetup("full resolution", _with_full_resolution(config)),
        ),
        Trick(
            f"grid of {'×'.join(map(str, config.architecture.shape))}, not 64³",
            preset,
            StepSetup("64³", _with_shape(config, CUBE)),
        ),
        Trick(
            "fused AdamW, not one parameter at a time",
            preset,
            replace(preset, name="AdamW by parameter", fused=False),
        ),
    ]


def _with_full_resolution(config: TrainingConfig) -> TrainingConfig:
    """The same bottleneck, and before it a level on the grid itself with half the channels."""
    channels = config.architecture.channels
    finest = max(channels[0] // 2, 1)
    return replace(
        config, architecture=replace(config.architecture, full_resolution=True, channels=(finest, *channels))
    )


def _with_shape(config: TrainingConfig, shape: Shape) -> TrainingConfig:
    return replace(
        config,
        architecture=replace(config.architecture, shape=shape),
        preprocessing=replace(config.preprocessing, shape=shape),
    )
