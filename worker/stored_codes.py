"""Encode once: encodings in memory and in the object store, by model version and content."""

from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from eigenwarp.errors import ObjectUnknownError, StoreUnavailableError, VolumeUnknownError
from eigenwarp.log import get_logger
from eigenwarp.model.codes import EncodedVolume, content_key
from eigenwarp.schemas.document import ModelReference
from eigenwarp.stores.database.volumes import VolumeRepository
from eigenwarp.stores.objects import ObjectStore
from eigenwarp.volume import Volume
from worker.caches import Memory
from worker.volume_reader import VolumeReader

_log = get_logger(__name__)
_CODE, _PROBABILITIES = "code", "probabilities"


class _Unsaved(NamedTuple):
    volume: str
    key: str
    encoded: EncodedVolume


class StoredCodes:
    """The codes of one process. Disposable: what is missing, damaged or out of reach is computed again.

    Objects lie under ``codes/<model version>/<content key>``. The database knows which volume each was made from, so
    that it goes when the volume goes. They are written by ``save``, once the job that made them is done.
    """

    def __init__(self, volumes: VolumeRepository, objects: ObjectStore, memory: Memory, reader: VolumeReader) -> None:
        self._volumes = volumes
        self._objects = objects
        self._memory = memory
        self._reader = reader
        self._unsaved: list[_Unsaved] = []
        self._lock = Lock()

    def of(self, model: ModelReference) -> "ModelCodes":
        """The codes that a version of a model makes."""
        return ModelCodes(model.version, self)

    def get(self, key: str, encode: Callable[[], EncodedVolume], source: Volume | None) -> EncodedVolume:
        """From memory, else from the object store, else made."""
        kept = self._memory.codes.get(key)
        if kept is not None:
            return kept
        encoded = self._load(key)
        if encoded is None:
            encoded = encode()
            volume = None if source is None else self._reader.id_of(source)
            if volume is not None:
                with self._lock:
                    self._unsaved.append(_Unsaved(volume, key, encoded))
        self._memory.codes.put(key, encoded, _size(encoded))
        return encoded

    def save(self) -> None:
        """Write what was made since the last time. Never raises."""
        with self._lock:
            unsaved, self._unsaved = self._unsaved, []
        for volume, key, encoded in unsaved:
            try:
                self._volumes.add_code_keys(volume, [key])
                self._objects.put(key, _packed(encoded))
                # Who erased the volume between the two lines above found no object to delete.
                self._volumes.get(volume)
            except VolumeUnknownError:
                self._remove(key)
            except StoreUnavailableError as error:
                _log.warning("an encoding was not kept", reason=error.detail)

    def clear(self) -> None:
        """Forget what is in memory."""
        self._memory.codes.clear()

    def _load(self, key: str) -> EncodedVolume | None:
        try:
            return _unpacked(self._objects.get(key))
        except ObjectUnknownError:
            return None
        except StoreUnavailableError as error:
            _log.warning("an encoding was not looked up", reason=error.detail)
        except (SafetensorError, KeyError, ValueError) as error:
            _log.warning("an encoding is damaged", key=key, reason=type(error).__name__)
        return None

    def _remove(self, key: str) -> None:
        try:
            self._objects.delete(key)
        except StoreUnavailableError as error:
            _log.error("an erased volume's encoding was not deleted", key=key, reason=error.detail)


class ModelCodes:
    """``eigenwarp.model.codes.Codes`` of one model version."""

    def __init__(self, version: str, codes: StoredCodes) -> None:
        self._version = version
        self._codes = codes

    def get(
        self, prepared: npt.NDArray[np.float32], encode: Callable[[], EncodedVolume], source: Volume | None = None
    ) -> EncodedVolume:
        return self._codes.get(f"codes/{self._version}/{content_key(prepared)}", encode, source)

    def clear(self) -> None:
        self._codes.clear()


def _size(encoded: EncodedVolume) -> int:
    return encoded.code.nbytes + (0 if encoded.probabilities is None else encoded.probabilities.nbytes)


def _packed(encoded: EncodedVolume) -> bytes:
    """Float32, so that a registration gives the same whether or not its codes were kept."""
    tensors = {_CODE: encoded.code.contiguous()}
    if encoded.probabilities is not None:
        tensors[_PROBABILITIES] = encoded.probabilities.contiguous()
    return save(tensors)


def _unpacked(content: bytes) -> EncodedVolume:
    tensors = load(content)
    code, probabilities = tensors[_CODE], tensors.get(_PROBABILITIES)
    if code.ndim != 1 or code.dtype != torch.float32:
        raise ValueError(f"a code of shape {tuple(code.shape)} and type {code.dtype}")
    return EncodedVolume(code, probabilities)
