"""Objects in a bucket of any S3 server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import certifi
import urllib3
from minio import Minio
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error

from eigenwarp.errors import ObjectUnknownError, OptionInvalidError, StoreUnavailableError
from eigenwarp.stores.objects.blocks import BLOCK_BYTES, write_blocks
from eigenwarp.stores.objects.keys import check_folder, check_key, check_prefix, check_range
from eigenwarp.stores.objects.object_store import ObjectInfo

CHECK_KEY = "health/check"
_CONNECT_SECONDS = 2.0
_RETRIES = 2
_PART_BYTES = 16 << 20


class S3Store:
    """An ``ObjectStore`` in one bucket, which is made where it is missing.

    Nothing is asked of the server before the first call, and a server that is away is noticed within seconds, so that
    a web process can start and answer while it is.

    Args:
        endpoint: host:port.
        bucket: its name.
        access_key, secret_key: of an account that may read, write, list and delete in it.
        region: that the requests are signed for.
        secure: TLS.
        public_endpoint: URL under which clients reach the server. A presigned URL signs the host, so they are
            made for this one; without it there are none.
        answer_seconds: how long the server may keep silent; it is asked twice.
    """

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        *,
        access_key: str,
        secret_key: str,
        region: str = "us-east-1",
        secure: bool = True,
        public_endpoint: str | None = None,
        answer_seconds: float = 5.0,
    ) -> None:
        self._bucket = bucket
        self._region = region
        self._pool = _pool(answer_seconds)
        self._bucket_seen = False
        try:
            self._client = Minio(endpoint, access_key, secret_key, None, secure, region, self._pool)
            self._public: Minio | None = None
            if public_endpoint is not None:
                url = urlsplit(public_endpoint)
                if url.path.strip("/"):
                    raise OptionInvalidError(f"s3_public_endpoint {public_endpoint!r}: a path cannot be signed")
                self._public = Minio(url.netloc, access_key, secret_key, None, url.scheme == "https", region)
        except ValueError as error:
            raise OptionInvalidError(f"object store at {endpoint}: {error}") from None

    def put(self, key: str, content: bytes | Path, content_type: str = "application/octet-stream") -> ObjectInfo:
        check_key(key)
        if isinstance(content, bytes):
            return self._put(key, BytesIO(content), len(content), content_type)
        try:
            with content.open("rb") as file:
                return self._put(key, file, content.stat().st_size, content_type)
        except OSError as error:
            raise StoreUnavailableError(f"what was to be stored cannot be read: {error.strerror or error}") from error

    def get(self, key: str) -> bytes:
        return b"".join(self.stream(key))

    def stream(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        check_key(key)
        check_range(start, length)
        if length == 0:
            # The client takes 0 for "to the end".
            if self.stat(key) is None:
                raise ObjectUnknownError(f"no object {key!r}")
            return iter(())
        blocks = self._blocks(key, start, length)
        next(blocks)
        return blocks

    def fetch(self, key: str, path: Path, limit: int | None = None) -> int:
        return write_blocks(self.stream(key), path, limit)

    def stat(self, key: str) -> ObjectInfo | None:
        check_key(key)
        with _answering():
            try:
                found = self._client.stat_object(self._bucket, key)
            except S3Error as error:
                if error.code in _ABSENT:
                    return None
                raise
        return ObjectInfo(key, found.size or 0, _aware(found.last_modified))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        with _answering():
            try:
                for found in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                    if not found.is_dir and found.object_name is not None:
                        yield ObjectInfo(found.object_name, found.size or 0, _aware(found.last_modified))
            except S3Error as error:
                if error.code != "NoSuchBucket":
                    raise

    def delete(self, key: str) -> None:
        check_key(key)
        with _answering():
            try:
                self._client.remove_object(self._bucket, key)
            except S3Error as error:
                if error.code not in _ABSENT:
                    raise

    def delete_prefix(self, prefix: str) -> int:
        check_folder(prefix)
        keys = [found.key for found in self.list(prefix)]
        with _answering():
            for refused in self._client.remove_objects(self._bucket, [DeleteObject(key) for key in keys]):
                raise StoreUnavailableError(f"the object store refused to delete: {refused.code}")
        return len(keys)

    def presigned_get(self, key: str, expires: timedelta, filename: str, content_type: str) -> str | None:
        check_key(key)
        if self._public is None:
            return None
        if not filename.isascii() or not filename.isprintable() or set(filename) & set('"\\/'):
            raise OptionInvalidError(f"not a file name for a download: {filename[:80]!r}")
        headers: dict[str, str | list[str] | tuple[str]] = {
            "response-content-disposition": f'attachment; filename="{filename}"',
            "response-content-type": content_type,
        }
        return self._public.presigned_get_object(self._bucket, key, expires, headers)

    def presigned_put(self, key: str, expires: timedelta) -> str | None:
        check_key(key)
        if self._public is None:
            return None
        self._make_bucket()
        return self._public.presigned_put_object(self._bucket, key, expires)

    def check(self) -> None:
        self.put(CHECK_KEY, b"writable")
        self.delete(CHECK_KEY)

    def close(self) -> None:
        self._pool.clear()

    def _put(self, key: str, content: BinaryIO, length: int, content_type: str) -> ObjectInfo:
        self._make_bucket()
        with _answering():
            for last in (False, True):
                try:
                    self._client.put_object(
                        self._bucket,
                        key,
                        content,
                        length,
                        content_type,
                        part_size=_PART_BYTES,
                    )
                except S3Error as error:
                    if last or error.code != "NoSuchBucket":
                        raise
                    # A server that was started empty again.
                    self._bucket_seen = False
                    self._make_bucket()
                    content.seek(0)
                else:
                    break
        return ObjectInfo(key, length, datetime.now(UTC))

    def _make_bucket(self) -> None:
        if self._bucket_seen:
            return
        with _answering():
            if not self._client.bucket_exists(self._bucket):
                try:
                    self._client.make_bucket(self._bucket, self._region)
                except S3Error as error:
                    # Another process was first.
                    if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                        raise
        self._bucket_seen = True

    def _blocks(self, key: str, start: int, length: int | None) -> Iterator[bytes]:
        """First an empty block, once the server has answered; then the part's."""
        with _answering():
            try:
                response = self._client.get_object(self._bucket, key, start, length or 0)
            except S3Error as error:
                if error.code in _ABSENT:
                    raise ObjectUnknownError(f"no object {key!r}") from None
                if error.code != "InvalidRange":
                    raise
                yield b""
                return
            try:
                yield b""
                yield from response.stream(BLOCK_BYTES)
            finally:
                response.close()
                response.release_conn()


_ABSENT = frozenset({"NoSuchKey", "NoSuchBucket"})


def _pool(answer_seconds: float) -> urllib3.PoolManager:
    return urllib3.PoolManager(
        maxsize=32,
        timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=answer_seconds),
        # A connection from before the server's restart is found broken only when used: hence one more read.
        retries=urllib3.Retry(total=_RETRIES, read=1, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504)),
        cert_reqs="CERT_REQUIRED",
        # As the client itself has it: the file of a private authority, where a deployment names one.
        ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
    )


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        raise StoreUnavailableError(f"the object store refused the call: {error.code}") from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
        raise StoreUnavailableError(f"the object store does not answer: {type(error).__name__}") from error


def _aware(moment: datetime | None) -> datetime:
    if moment is None:
        raise StoreUnavailableError("the object store gives no modification time")
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
