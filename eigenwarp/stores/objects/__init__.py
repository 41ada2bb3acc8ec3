"""Bytes under keys: a folder, or any S3 server."""

from eigenwarp.stores.objects.folder import FolderStore
from eigenwarp.stores.objects.object_store import ObjectInfo, ObjectStore
from eigenwarp.stores.objects.opening import open_object_store
from eigenwarp.stores.objects.s3 import S3Store

__all__ = ["FolderStore", "ObjectInfo", "ObjectStore", "S3Store", "open_object_store"]
