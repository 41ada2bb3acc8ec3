"""HTTP to one service: credentials, time limits, repeated tries."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Literal, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from eigenwarp import __version__
from eigenwarp.client.failures import PassingFailure, failures, raise_answer
from eigenwarp.client.patience import Patience
from eigenwarp.errors import OptionInvalidError, ServiceError

Method = Literal["GET", "POST", "DELETE"]
Parameters = Mapping[str, str | int | float]
Answer = TypeVar("Answer", bound=BaseModel)

_CONNECT_S = 5.0


@dataclass(frozen=True)
class Upload:
    """A multipart body with one file, sent in blocks, and sent anew at another try.

    Args:
        file: bytes, or a file that can be rewound.
        filename: what the service is told: never a local name, which may be a patient's.
        fields: the form's other parts.
    """

    file: BinaryIO | bytes
    filename: str
    fields: Mapping[str, str]


class Transport:
    """Calls to one service. Every call may be repeated: the paths are idempotent, or carry an Idempotency-Key.

    Args:
        url: of the service, with the path it is mounted under where there is one.
        key: an API key or an OIDC token; None where the service asks for none.
        timeout: seconds without a byte after which a try has failed.
        patience: seconds during which a failed call is tried again; 0 for never.

    Raises:
        OptionInvalidError: no http:// or https:// URL.
    """

    def __init__(self, url: str, key: str | None, timeout: float, patience: float) -> None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise OptionInvalidError(f"{url!r}: a service's URL is http://host:port or https://host:port")
        self.url = url.rstrip("/")
        self._patience = patience
        headers = {"User-Agent": f"eigenwarp/{__version__}"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        self._http = httpx.Client(
            base_url=self.url,
            headers=headers,
            timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_S)),
            follow_redirects=True,
        )

    def patience(self) -> Patience:
        """A fresh one, for one call."""
        return Patience(self._patience)

    def call(
        self,
        method: Method,
        path: str,
        *,
        params: Parameters | None = None,
        json: object = None,
        upload: Upload | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """A whole answer, tried again while its failure may pass.

        Raises:
            ServiceUnreachableError: no answer.
            EigenwarpError: what the service answered.
        """
        patience = self.patience()
        while True:
            try:
                with (
                    self.stream(method, path, params=params, json=json, upload=upload, headers=headers) as response,
                    failures(method, path),
                ):
                    response.read()
                return response
            except PassingFailure as failure:
                if not patience.pause(failure.retry_after):
                    raise failure.error from None

    def document(
        self,
        kind: type[Answer],
        method: Method,
        path: str,
        *,
        params: Parameters | None = None,
        json: object = None,
        upload: Upload | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """As ``call``, the answer's JSON checked against ``kind``.

        Raises:
            ServiceError: it does not fit.
        """
        response = self.call(method, path, params=params, json=json, upload=upload, headers=headers)
        try:
            return kind.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            detail = f"{method} {path}: the answer is no {kind.__name__}: {where}: {first['msg']}"
            raise ServiceError(detail, response.status_code) from None

    @contextmanager
    def stream(
        self,
        method: Method,
        path: str,
        *,
        params: Parameters | None = None,
        json: object = None,
        upload: Upload | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Iterator[httpx.Response]:
        """One try, its body still to be read.

        Args:
            timeout: seconds without a byte, in place of the client's own.

        Raises:
            PassingFailure: no answer, or one that asks to come again.
            EigenwarpError: what the service answered.
        """
        request = self._http.build_request(
            method,
            path,
            params=params,
            json=json,
            files={"file": (upload.filename, upload.file, "application/octet-stream")} if upload else None,
            data=dict(upload.fields) if upload else None,
            headers=headers,
            timeout=httpx.USE_CLIENT_DEFAULT if timeout is None else httpx.Timeout(timeout, connect=_CONNECT_S),
        )
        with failures(method, path):
            response = self._http.send(request, stream=True)
        try:
            if response.is_error:
                with failures(method, path):
                    response.read()
                raise_answer(f"{method} {path}", response)
            yield response
        finally:
            response.close()

    def close(self) -> None:
        """Connections are given back."""
        self._http.close()
