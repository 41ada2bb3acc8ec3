"""Every stage of ``eigenwarp experiment paper``, in the order in which they run and stand in the report."""

from training.experiment import longitudinal
from training.experiment.beyond import STAGES as BEYOND
from training.experiment.paper import STAGES as OF_THE_PAPER
from training.experiment.stage import Stage

STAGES: tuple[Stage, ...] = (*OF_THE_PAPER, *BEYOND, longitudinal.STAGE)
