"""The numbers that the paper lacks, as stages; ``docs/explanations.md`` defines each."""

from training.experiment.beyond import (
    additivity,
    component_motions,
    components_used,
    concentration,
    dose_response,
    label_effects,
    outliers,
    shape_model,
    stability,
)
from training.experiment.stage import Stage

STAGES: tuple[Stage, ...] = (
    component_motions.STAGE,
    concentration.STAGE,
    dose_response.STAGE,
    components_used.STAGE,
    stability.STAGE,
    additivity.STAGE,
    shape_model.STAGE,
    outliers.STAGE,
    label_effects.STAGE,
)
