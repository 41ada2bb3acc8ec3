"""What a job of any kind may use."""

from collections.abc import Callable

from eigenwarp.model.registration import RegistrationModel
from eigenwarp.model.stages import OnStage, part_of
from eigenwarp.volume import Segmentation, Volume
from worker.patience import Patience
from worker.volume_reader import VolumeReader

# Shares of a job's time at which its inputs are there, and at which its results are computed.
_LOADED, COMPUTED = 0.05, 0.9


class JobContext:
    """The model, the volumes and the ear of whoever follows a job.

    Args:
        load_model: gives the model that the job is pinned to.
        reader: of volumes by id.
        patience: with stores that are away.
        on_stage: told how far the job is; raises where it is to end.
    """

    def __init__(
        self,
        load_model: Callable[[], RegistrationModel],
        reader: VolumeReader,
        patience: Patience,
        on_stage: OnStage,
    ) -> None:
        self._load_model = load_model
        self._reader = reader
        self._patience = patience
        self._on_stage = on_stage
        self.on_stage: OnStage = part_of(on_stage, _LOADED, COMPUTED)
        """For the computation proper, which tells its own progress from 0 to 1."""

    def begin(self) -> None:
        """Inputs are fetched from here on."""
        self._on_stage("load", 0.0)

    def model(self) -> RegistrationModel:
        """The model that the job is pinned to."""
        return self._patience(self._load_model)

    def image(self, volume_id: str) -> Volume:
        """An input."""
        return self._patience(lambda: self._reader.image(volume_id))

    def labels(self, volume_id: str | None) -> Segmentation | None:
        """An input that may not have been given."""
        return None if volume_id is None else self._patience(lambda: self._reader.segmentation(volume_id))
