"""The computing core: arrays to arrays. It knows no queue, no database and no store."""

from threading import Lock

from eigenwarp.model.catalogue import DEFAULT_MODEL
from eigenwarp.model.registration import RegistrationModel
from worker.components import component_field, describe_component, describe_components
from worker.projection import project_volume
from worker.registration import RegistrationOutputs, register_volumes

__all__ = [
    "Engine",
    "RegistrationOutputs",
    "component_field",
    "describe_component",
    "describe_components",
    "project_volume",
    "register_volumes",
]


class Engine:
    """The models that a process holds, each loaded once, when it is first asked for.

    Args:
        device: torch's name of it; the GPU where there is one by default.
    """

    def __init__(self, device: str | None = None) -> None:
        self._device = device
        self._models: dict[str, RegistrationModel] = {}
        self._lock = Lock()

    def model(self, name: str = DEFAULT_MODEL) -> RegistrationModel:
        """A model by its name or folder.

        Raises:
            ModelUnknownError: no such bundle.
            BundleInvalidError: one that is incomplete or altered.
        """
        with self._lock:
            if name not in self._models:
                self._models[name] = RegistrationModel.load(name, self._device)
            return self._models[name]
