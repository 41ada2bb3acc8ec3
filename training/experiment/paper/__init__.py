"""The reproduction of the paper: a stage for each of its tables and figures, in its order."""

from training.experiment.paper import components, dice, grids, responses, strength, variance
from training.experiment.stage import Stage

STAGES: tuple[Stage, ...] = (
    dice.STAGE,
    variance.STAGE,
    components.STAGE,
    strength.STAGE,
    responses.STAGE,
    grids.STAGE,
)
