"""TLS handshakes that go wrong: what is told of them, with the files that are at fault."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from bridge.refusals import ArchiveUnreachableError


def handshake_failure(error: OSError, authority: Path | None, certificate: Path | None) -> str:
    """What it means for whoever set the files.

    Args:
        authority: that the other side's certificate was held against; None for what is known publicly.
        certificate: that this bridge shows.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        trusted = "the authorities that are known publicly" if authority is None else str(authority)
        return f"TLS: its certificate does not fit {trusted}: {error.verify_message}"
    named = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    reason = (named or type(error).__name__).lower().replace("_", " ")
    if reason in ("wrong version number", "record layer failure"):
        return f"TLS: it does not speak TLS there: {reason}"
    shown = "no certificate" if certificate is None else str(certificate)
    return f"TLS: it ends the handshake: {reason}; the bridge shows {shown}"


class HandshakeWatch:
    """Keeps the TLS failure of connections made by a context; pynetdicom tells that there is none, and not why."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.failure: OSError | None = None
        watch = self

        class WatchedSocket(ssl.SSLSocket):
            def connect(self, addr: Any) -> None:
                try:
                    super().connect(addr)
                # Some that speak no TLS hang up on what they do not understand.
                except (ssl.SSLError, ConnectionResetError) as error:
                    watch.failure = error
                    raise

            def recv(self, *arguments: Any) -> bytes:
                # In TLS 1.3 a client learns only here that its certificate was not wanted.
                try:
                    return super().recv(*arguments)
                except ssl.SSLError as error:
                    watch.failure = error
                    raise

        context.sslsocket_class = WatchedSocket


class TlsAdapter(HTTPAdapter):
    """Says what is wrong with certificates, which requests buries in its own errors.

    Args:
        authority, certificate: as of ``handshake_failure``.
    """

    def __init__(self, authority: Path | None, certificate: Path | None) -> None:
        super().__init__()
        self._authority = authority
        self._certificate = certificate

    def send(self, *arguments: Any, **options: Any) -> requests.Response:
        """As requests does.

        Raises:
            ArchiveUnreachableError: a handshake fails.
            requests.RequestException: anything else.
        """
        try:
            return super().send(*arguments, **options)
        except requests.RequestException as error:
            for cause in _causes(error):
                if isinstance(cause, ssl.SSLError):
                    raise ArchiveUnreachableError(
                        handshake_failure(cause, self._authority, self._certificate)
                    ) from None
            raise


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it was made of."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = (*one.args, getattr(one, "reason", None), one.__cause__, one.__context__)
        waiting += [cause for cause in inner if isinstance(cause, BaseException)]
