"""The computing core: arrays to arrays. It knows no queue, no database and no store."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import torch

from eigenwarp.model.bundle import load_bundle
from eigenwarp.model.catalogue import DEFAULT_MODEL, find_bundle
from eigenwarp.model.codes import CodeCache, Codes
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.schemas.document import ModelReference
from worker.along_component import Moved, move_along_component
from worker.components import component_field, describe_component, describe_components
from worker.localize.whole_head import project_whole_head, register_whole_heads
from worker.projection import project_volume
from worker.reconstruction import Reconstruction, reconstruct
from worker.registration import RegistrationOutputs, register_volumes

__all__ = [
    "Engine",
    "Moved",
    "Reconstruction",
    "RegistrationOutputs",
    "component_field",
    "describe_component",
    "describe_components",
    "move_along_component",
    "project_volume",
    "project_whole_head",
    "reconstruct",
    "register_volumes",
    "register_whole_heads",
]


def _codes_in_memory(model: ModelReference) -> Codes:
    return CodeCache()


class Engine:
    """The models that a process holds, each loaded once, when it is first asked for; safe to use from several threads.

    Args:
        device: torch's name of it; the GPU where there is one by default.
        capacity: models held; the least recently used is dropped for one more.
        codes: where a model's encodings are kept.
    """

    def __init__(
        self,
        device: str | None = None,
        *,
        capacity: int = 4,
        codes: Callable[[ModelReference], Codes] = _codes_in_memory,
    ) -> None:
        self._device = torch.device(device) if device else None
        self._capacity = capacity
        self._codes = codes
        self._models: OrderedDict[str, RegistrationModel] = OrderedDict()
        self._lock = Lock()

    def model(self, name: str = DEFAULT_MODEL) -> RegistrationModel:
        """A model by its name or folder.

        Raises:
            ModelUnknownError: no such bundle.
            BundleInvalidError: one that is incomplete or altered.
        """
        return self._held(name, lambda: find_bundle(name))

    def pinned(self, reference: ModelReference, fetch: Callable[[ModelReference], Path]) -> RegistrationModel:
        """A version of a model.

        Args:
            fetch: gives its bundle's folder; asked only where the model is not held.

        Raises:
            BundleInvalidError: incomplete or altered.
            EigenwarpError: what ``fetch`` raises.
        """
        return self._held(f"{reference.name}@{reference.version}", lambda: fetch(reference))

    def _held(self, key: str, folder: Callable[[], Path]) -> RegistrationModel:
        with self._lock:
            if key not in self._models:
                bundle = load_bundle(folder())
                codes = self._codes(ModelReference(name=bundle.name, version=bundle.version))
                self._models[key] = RegistrationModel(bundle, self._device, codes=codes)
                while len(self._models) > self._capacity:
                    self._models.popitem(last=False)
            self._models.move_to_end(key)
            return self._models[key]
