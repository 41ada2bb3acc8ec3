"""Every stage of ``eigenwarp experiment paper``, in the order in which they run and stand in the report."""

from training.experiment.paper import STAGES as OF_THE_PAPER
from training.experiment.stage import Stage

STAGES: tuple[Stage, ...] = (*OF_THE_PAPER,)
