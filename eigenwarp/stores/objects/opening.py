"""The object store that the settings name."""

from eigenwarp.settings import Settings
from eigenwarp.stores.objects.folder import FolderStore
from eigenwarp.stores.objects.object_store import ObjectStore
from eigenwarp.stores.objects.s3 import S3Store


def open_object_store(settings: Settings) -> ObjectStore:
    """S3 where ``s3_endpoint`` is set, a folder of the data folder otherwise. Not to be shared across a fork.

    Raises:
        StoreUnavailableError: the folder cannot be made. An S3 server may be away; its calls say so.
        OptionInvalidError: an endpoint that is none.
    """
    if settings.s3_endpoint is None or settings.s3_access_key is None or settings.s3_secret_key is None:
        return FolderStore(settings.objects_folder)
    return S3Store(
        settings.s3_endpoint,
        settings.s3_bucket,
        access_key=settings.s3_access_key.get_secret_value(),
        secret_key=settings.s3_secret_key.get_secret_value(),
        region=settings.s3_region,
        secure=settings.s3_secure,
        public_endpoint=settings.s3_public_endpoint,
    )
