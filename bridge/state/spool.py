"""Files of the bridge: instances that came, what the service gave, objects that wait. Sealed; whole, or not there."""

import os
import shutil
from pathlib import Path
from uuid import uuid4

from bridge.privacy import Vault
from eigenwarp.errors import StoreUnavailableError


class Spool:
    """Files in one folder, under names that are made of opaque ids.

    Args:
        folder: the bridge's own.
    """

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder = folder
        self._vault = vault

    def instance(self, series: str, instance: str) -> Path:
        """Where an instance lies."""
        return self._folder / "instances" / series / f"{instance}.sealed"

    def of_job(self, key: str, name: str) -> Path:
        """Where something that a job made lies."""
        return self._folder / "jobs" / key / f"{name}.sealed"

    def write(self, path: Path, content: bytes) -> int:
        """On the disk, under its name, when this returns; of a crash in between nothing is left under that name.

        Returns:
            Bytes written.

        Raises:
            StoreUnavailableError: no room, or no right.
        """
        sealed = self._vault.seal(content)
        part = path.with_name(f".{uuid4().hex}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with part.open("xb") as file:
                    file.write(sealed)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            _sync_folder(path.parent)
        except OSError as error:
            raise StoreUnavailableError(f"the bridge's folder cannot be written: {error.strerror}") from None
        return len(sealed)

    def read(self, path: Path) -> bytes:
        """What ``write`` was given.

        Raises:
            StoreUnavailableError: not there, or not to be opened.
        """
        try:
            return self._vault.open(path.read_bytes())
        except OSError as error:
            raise StoreUnavailableError(f"{path.parent.name}/{path.name}: {error.strerror}") from None

    def free_bytes(self) -> int:
        """Room on the disk."""
        return shutil.disk_usage(self._folder).free

    def remove_job(self, key: str) -> None:
        """Everything that a job made."""
        shutil.rmtree(self._folder / "jobs" / key, ignore_errors=True)

    def remove_series(self, series: str) -> None:
        """Every instance of a series."""
        shutil.rmtree(self._folder / "instances" / series, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    """A rename is on the disk only once the folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
