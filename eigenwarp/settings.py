"""What the service, the worker and their commands are told by the environment.

Each value is ``EIGENWARP_<NAME>``; ``EIGENWARP_<NAME>_FILE`` names a file that holds it, for secrets that an
orchestrator mounts. Nothing here is read at import: who needs settings makes them once and hands them on.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from eigenwarp.errors import OptionInvalidError

PREFIX = "EIGENWARP_"


def default_home() -> Path:
    """The data folder unless told otherwise: ``$XDG_DATA_HOME/eigenwarp/service``."""
    share = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(share) / "eigenwarp" / "service"


def model_folders() -> list[Path]:
    """Where bundles are looked for: ``EIGENWARP_MODELS`` (several, path-separated), ``models`` here, then our own."""
    configured = [Path(part) for part in os.environ.get(f"{PREFIX}MODELS", "").split(os.pathsep) if part]
    return [*configured, Path("models"), Path(__file__).resolve().parents[1] / "models"]


class Settings(BaseModel):
    """Every setting of a deployment; the defaults are those of one machine with one data folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    home: Path = Field(default_factory=default_home, description="Data folder: database, objects, caches, spool.")
    database_url: SecretStr | None = Field(
        default=None, description="sqlite:///… or postgresql://…; a SQLite file in the data folder by default."
    )
    redis_url: SecretStr = Field(default=SecretStr("redis://127.0.0.1:6379/0"), description="Queue and event streams.")

    s3_endpoint: str | None = Field(
        default=None, description="host:port of an S3 server; a folder in the data folder holds the objects without."
    )
    s3_bucket: str = Field(
        default="eigenwarp", min_length=3, max_length=63, description="Made at the first use where it is missing."
    )
    s3_region: str = Field(default="us-east-1", description="That requests to the S3 server are signed for.")
    s3_secure: bool = Field(default=True, description="TLS towards the S3 server.")
    s3_access_key: SecretStr | None = Field(default=None, description="Needed with an S3 server.")
    s3_secret_key: SecretStr | None = Field(default=None, description="Needed with an S3 server.")
    s3_public_endpoint: str | None = Field(
        default=None, description="URL (https://host) under which clients reach the S3 server; presigned URLs name it."
    )
    presign_seconds: int = Field(default=900, ge=1, le=7 * 86400, description="How long a presigned URL holds.")

    host: str = Field(default="127.0.0.1", description="Address the web server binds to.")
    port: int = Field(default=8000, ge=0, le=65535, description="That the web server listens on; 0 for a free one.")
    public_url: str | None = Field(
        default=None, description="Under which clients reach this server; from the request's Host by default."
    )
    max_upload_bytes: int = Field(default=1 << 30, ge=1, description="Of one uploaded file.")
    max_voxels: int = Field(default=512**3, ge=1, description="Of one volume.")
    max_waiting_uploads: int = Field(default=8, ge=1, description="Uploads checked at the same time; others wait.")
    max_queued_jobs: int = Field(default=10_000, ge=1, description="Beyond it a submission is refused: queue-full.")
    requests_per_minute: int = Field(default=1200, ge=0, description="Per caller; 0 for no limit.")
    failures_per_minute: int = Field(default=20, ge=1, description="Failed authentications from one address.")

    default_model: str = Field(default="hippocampus", description="Of requests that name none.")
    device: str | None = Field(default=None, description="torch's name of it; the GPU where there is one by default.")
    max_attempts: int = Field(default=3, ge=1, le=20, description="Of one job, before it is failed for good.")
    lease_seconds: float = Field(
        default=30.0, ge=0.5, description="A worker that is silent for so long has lost its job."
    )
    job_seconds: float = Field(default=600.0, gt=0, description="Time limit of one job.")
    shutdown_seconds: float = Field(
        default=20.0, ge=0, description="How long a worker that is told to stop lets its job go on."
    )
    recovery_seconds: float = Field(
        default=5.0, gt=0, description="How often expired leases and lost messages are looked for."
    )
    worker_cache_bytes: int = Field(default=1 << 30, ge=0, description="Volumes and codes kept in a worker's memory.")
    worker_recycle_jobs: int = Field(default=0, ge=0, description="Jobs after which a worker process is renewed.")

    oidc_issuer: str | None = Field(default=None, description="Bearer tokens of this issuer are taken.")
    oidc_audience: str | None = Field(default=None, description="That a token must be made for.")
    oidc_jwks_url: str | None = Field(default=None, description="The issuer's keys; found by discovery by default.")
    oidc_scope_claim: str = Field(default="scope", description="Claim that lists eigenwarp:read, :submit, :admin.")
    cors_origins: tuple[str, ...] = Field(default=(), description="Comma-separated.")

    log_level: str = Field(
        default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR."
    )
    log_format: str = Field(default="json", pattern="^(json|text)$", description="json, one object a line, or text.")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: SecretStr) -> SecretStr:
        if urlsplit(value.get_secret_value()).scheme not in ("redis", "rediss"):
            raise ValueError("a redis:// or rediss:// URL is wanted")
        return value

    @field_validator("s3_endpoint")
    @classmethod
    def _bare_endpoint(cls, value: str | None) -> str | None:
        if value is not None and ("/" in value or not value):
            raise ValueError("host:port is wanted, without a scheme or a path")
        return value

    @field_validator("public_url", "s3_public_endpoint", "oidc_issuer", "oidc_jwks_url")
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("an http:// or https:// URL is wanted")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.s3_endpoint is not None and (self.s3_access_key is None or self.s3_secret_key is None):
            raise ValueError("s3_endpoint needs s3_access_key and s3_secret_key: a store without keys is open to all")
        if self.oidc_issuer is not None and self.oidc_audience is None:
            raise ValueError("oidc_issuer needs oidc_audience: tokens made for others would be taken")
        return self

    @property
    def database(self) -> str:
        """The database's URL in SQLAlchemy's spelling. Holds the password: never print it."""
        if self.database_url is None:
            return f"sqlite:///{self.home / 'eigenwarp.sqlite3'}"
        url = self.database_url.get_secret_value()
        for scheme in ("postgresql://", "postgres://"):
            if url.startswith(scheme):
                return "postgresql+psycopg://" + url.removeprefix(scheme)
        return url

    @property
    def objects_folder(self) -> Path:
        """Where the folder store keeps its objects."""
        return self.home / "objects"

    @property
    def spool_folder(self) -> Path:
        """Where uploads are written while they arrive; emptied at start."""
        return self.home / "spool"

    @property
    def cache_folder(self) -> Path:
        """What can be fetched again: bundles."""
        return self.home / "cache"


def load_settings(environment: Mapping[str, str] | None = None, **values: object) -> Settings:
    """Settings from the environment, ``…_FILE`` secrets read, with ``values`` above them.

    Raises:
        OptionInvalidError: a setting is out of its range; it is named, a secret's value is not.
    """
    found = os.environ if environment is None else environment
    fields = Settings.model_fields
    given: dict[str, object] = {}
    for name in fields:
        direct, by_file = found.get(f"{PREFIX}{name.upper()}"), found.get(f"{PREFIX}{name.upper()}_FILE")
        if direct is not None and by_file is not None:
            raise OptionInvalidError(f"{PREFIX}{name.upper()} and {PREFIX}{name.upper()}_FILE are both set")
        if by_file is not None:
            try:
                given[name] = Path(by_file).read_text().strip()
            except OSError as error:
                raise OptionInvalidError(f"{PREFIX}{name.upper()}_FILE: {by_file}: {error.strerror}") from None
        elif direct is not None:
            given[name] = direct
    try:
        return Settings.model_validate({**given, **values})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        name = f"{PREFIX}{where.upper()}: " if where else ""
        raise OptionInvalidError(f"{name}{first['msg']}") from None
