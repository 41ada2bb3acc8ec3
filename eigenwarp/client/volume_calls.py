"""Volumes: sent, looked at, fetched, removed."""

from datetime import datetime

from eigenwarp.client.files import VolumeSource, kind_of, known_id, opened
from eigenwarp.client.transport import Transport
from eigenwarp.errors import OptionInvalidError
from eigenwarp.schemas.volumes import VolumeKind, VolumeRow
from eigenwarp.volume import Segmentation, Volume
from eigenwarp.volume.nifti import segmentation_from_bytes, volume_from_bytes


class VolumeCalls:
    """The part of ``Client`` about volumes."""

    _transport: Transport

    def upload(
        self,
        source: VolumeSource,
        kind: VolumeKind | None = None,
        *,
        subject: str | None = None,
        acquired_at: datetime | None = None,
    ) -> VolumeRow:
        """Send a volume, a file in blocks. The same content has the same id and is kept once.

        Args:
            source: a NIfTI file's path or bytes, or a volume in memory; of one that the service holds its row is asked
                for.
            kind: ``image`` by default, ``segmentation`` of a ``Segmentation``.
            subject: an opaque id, which the volume is erased with; it must not tell who the person is.
            acquired_at: aware.

        Raises:
            EigenwarpError: what is wrong with the file, as ``eigenwarp.volume.nifti`` would say.
        """
        held = known_id(source)
        if held is not None:
            return self.volume(held)
        if isinstance(source, VolumeRow):
            return source
        if acquired_at is not None and acquired_at.tzinfo is None:
            raise OptionInvalidError(f"acquired_at {acquired_at.isoformat()} has no time zone")
        fields: dict[str, str] = {"kind": kind_of(source, kind)}
        if subject is not None:
            fields["subject"] = subject
        if acquired_at is not None:
            fields["acquired_at"] = acquired_at.isoformat()
        with opened(source, fields) as body:
            return self._transport.document(VolumeRow, "POST", "/volumes", upload=body)

    def volume(self, volume_id: str) -> VolumeRow:
        """What the service knows of a volume.

        Raises:
            VolumeUnknownError: no such volume.
        """
        return self._transport.document(VolumeRow, "GET", f"/volumes/{volume_id}")

    def content(self, volume_id: str) -> bytes:
        """The ``.nii.gz`` file that the service keeps of a volume; headers that could carry a name are cleared."""
        return self._transport.call("GET", f"/volumes/{volume_id}/content").content

    def load(self, volume_id: str) -> Volume | Segmentation:
        """A stored volume, in memory."""
        content = self.content(volume_id)
        if self.volume(volume_id).kind == "segmentation":
            return segmentation_from_bytes(content)
        return volume_from_bytes(content)

    def delete_volume(self, volume_id: str) -> None:
        """Erase a volume.

        Raises:
            VolumeInUseError: a job that has not ended needs it.
            VolumeUnknownError: no such volume, or it went with an earlier try whose answer was lost.
        """
        self._transport.call("DELETE", f"/volumes/{volume_id}")

    def _volume_id(self, source: VolumeSource, kind: VolumeKind) -> str:
        held = known_id(source)
        return held if held is not None else self.upload(source, kind).id
