"""Where results go and earlier studies come from, and what is watched for new series."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from bridge.config.section import AeTitle, Section


def _http(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{value!r}: an http:// or https:// URL is wanted")
    if parts.password:
        raise ValueError("a password in a URL is shown to everyone who sees the file: name it by password_file")
    return value.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_http)]


class HttpAccess(Section):
    """An HTTP server and how it is entered: a user with a password, a bearer token, or nothing.

    Args:
        authority: a PEM file of the certificate authority, where it is none that is known publicly.
        certificate, key: PEM files of this bridge, for a server that wants to know its clients.
    """

    url: HttpUrl
    user: str | None = None
    password_file: Path | None = None
    token_file: Path | None = None
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    timeout_seconds: float = Field(default=60.0, gt=0)

    @model_validator(mode="after")
    def _one_way_in(self) -> "HttpAccess":
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user and password_file go together")
        if self.user is not None and self.token_file is not None:
            raise ValueError("user and token_file exclude each other")
        if self.key is not None and self.certificate is None:
            raise ValueError(f"key {str(self.key)!r} without a certificate")
        if (self.authority or self.certificate) is not None and not self.url.startswith("https://"):
            raise ValueError(f"authority and certificate are for https://, and the URL is {self.url!r}")
        return self


class RemoteEntity(Section):
    """An application entity that this bridge calls.

    Args:
        authority: with it the association is opened over TLS, and it must have signed the peer's certificate.
        certificate, key: that this bridge shows there, PEM; with ``authority``.
    """

    ae_title: AeTitle
    host: str
    port: int = Field(ge=1, le=65535)
    timeout_seconds: float = Field(default=60.0, gt=0)
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _whole_tls(self) -> "RemoteEntity":
        if self.key is not None and self.certificate is None:
            raise ValueError(f"key {str(self.key)!r} without a certificate")
        if self.certificate is not None and self.authority is None:
            # Without one the association would be opened in the clear.
            raise ValueError(f"certificate {str(self.certificate)!r} without the authority of the other side")
        return self


class DicomwebArchive(HttpAccess):
    """Results by STOW-RS, questions by QIDO-RS, earlier studies by WADO-RS."""

    kind: Literal["dicomweb"]


class DimseArchive(RemoteEntity):
    """Results by C-STORE, questions by C-FIND.

    Args:
        retrieve: earlier studies by C-GET, or by C-MOVE to the bridge's own listener, whose AE title, host and port the
            archive must know then.
    """

    kind: Literal["dimse"]
    retrieve: Literal["get", "move"] = "get"


Archive = Annotated[DicomwebArchive | DimseArchive, Field(discriminator="kind")]


class OrthancWatch(HttpAccess):
    """An Orthanc whose list of changes is followed.

    Args:
        seconds: between two looks.
        from_now: at the very first look, leave what it holds already alone.
    """

    kind: Literal["orthanc"]
    name: str = Field(default="orthanc", pattern=r"^[a-z0-9-]{1,32}$")
    seconds: float = Field(default=5.0, gt=0)
    from_now: bool = True


class DicomwebWatch(HttpAccess):
    """An archive that is asked by QIDO-RS for the series of the last days.

    Args:
        days: that are looked back by StudyDate.
        modalities: that are asked for.
    """

    kind: Literal["dicomweb"]
    name: str = Field(default="dicomweb", pattern=r"^[a-z0-9-]{1,32}$")
    seconds: float = Field(default=30.0, gt=0)
    days: int = Field(default=1, ge=0, le=3650)
    modalities: tuple[str, ...] = ("MR",)


Watch = Annotated[OrthancWatch | DicomwebWatch, Field(discriminator="kind")]
