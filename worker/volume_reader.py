"""Volumes by their ids: from memory, else from the object store."""

from weakref import WeakKeyDictionary

from eigenwarp.settings import Settings
from eigenwarp.stores.database.volumes import VolumeRepository
from eigenwarp.stores.objects import ObjectStore
from eigenwarp.volume import Segmentation, Volume
from eigenwarp.volume.nifti import ReadLimits, segmentation_from_bytes, volume_from_bytes
from worker.caches import Memory


class VolumeReader:
    """Reads what callers uploaded, and remembers which volume came from which id.

    Every call raises ``VolumeUnknownError`` where a volume is gone, ``StoreUnavailableError`` where a store is away.
    """

    def __init__(self, settings: Settings, volumes: VolumeRepository, objects: ObjectStore, memory: Memory) -> None:
        self._limits = ReadLimits(voxels=settings.max_voxels)
        self._volumes = volumes
        self._objects = objects
        self._memory = memory
        self._ids: WeakKeyDictionary[Volume, str] = WeakKeyDictionary()

    def image(self, volume_id: str) -> Volume:
        """An image by its id."""
        image = self._memory.images.get(volume_id)
        if image is None:
            image = volume_from_bytes(self._content(volume_id), self._limits)
            self._memory.images.put(volume_id, image, image.data.nbytes)
        self._ids[image] = volume_id
        return image

    def segmentation(self, volume_id: str) -> Segmentation:
        """Labels by their id."""
        labels = self._memory.segmentations.get(volume_id)
        if labels is None:
            labels = segmentation_from_bytes(self._content(volume_id), self._limits)
            self._memory.segmentations.put(volume_id, labels, labels.data.nbytes)
        return labels

    def id_of(self, image: Volume) -> str | None:
        """Under which id this very image was read; None for one that was not."""
        return self._ids.get(image)

    def _content(self, volume_id: str) -> bytes:
        return self._objects.get(self._volumes.get(volume_id).key)
