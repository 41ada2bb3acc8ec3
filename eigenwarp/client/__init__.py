"""A typed client of the service: ``with Client("http://127.0.0.1:8000") as client: client.register(moving, fixed)``."""

from eigenwarp.client.client import Client
from eigenwarp.client.files import VolumeSource
from eigenwarp.client.waiting import ProgressCallback

__all__ = ["Client", "ProgressCallback", "VolumeSource"]
