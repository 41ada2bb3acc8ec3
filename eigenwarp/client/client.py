"""The service's calls as methods."""

from types import TracebackType
from typing import Self

from eigenwarp.client.basis_calls import BasisCalls
from eigenwarp.client.failures import PassingFailure
from eigenwarp.client.patience import Patience
from eigenwarp.client.result_calls import ResultCalls
from eigenwarp.client.subject_calls import SubjectCalls
from eigenwarp.client.submission_calls import SubmissionCalls
from eigenwarp.client.transport import Transport
from eigenwarp.errors import EigenwarpError, OptionInvalidError, ServiceUnreachableError


class Client(SubmissionCalls, ResultCalls, BasisCalls, SubjectCalls):
    """A service over HTTP. Synchronous; its connections are kept, so use one for many calls, and close it.

    What the service refuses is raised as the ``EigenwarpError`` that has the problem's code, as if the call had been
    made in this process; a code that this release does not know as ``ServiceError``. A call that meets 429, 502, 503,
    504 or a broken connection is tried again.

    Args:
        url: such as ``http://127.0.0.1:8000``.
        key: an API key or an OIDC token; None where the service asks for none.
        timeout: seconds without a byte after which a try has failed.
        patience: seconds during which a failed call is tried again; 0 for never.

    Raises:
        OptionInvalidError: the URL is none.
    """

    def __init__(self, url: str, key: str | None = None, *, timeout: float = 30.0, patience: float = 60.0) -> None:
        if timeout <= 0 or patience < 0:
            raise OptionInvalidError(f"timeout {timeout:g} s must be positive, patience {patience:g} s not negative")
        self._transport = Transport(url, key, timeout, patience)

    @property
    def url(self) -> str:
        """Of the service."""
        return self._transport.url

    def is_ready(self) -> bool:
        """Whether the service and its stores answer; asked once."""
        try:
            with self._transport.stream("GET", "/readyz"):
                return True
        except (EigenwarpError, PassingFailure):
            return False

    def require_answer(self, seconds: float = 3.0) -> None:
        """Somebody answers there: a URL that was mistyped is found out before the patience of the calls.

        Args:
            seconds: during which a broken connection is tried again.

        Raises:
            ServiceUnreachableError: nobody does.
        """
        patience = Patience(seconds)
        while True:
            try:
                with self._transport.stream("GET", "/healthz"):
                    return
            except PassingFailure as failure:
                if not isinstance(failure.error, ServiceUnreachableError):
                    return
                if not patience.pause():
                    raise failure.error from None
            except EigenwarpError:
                # What it refuses and why, the call itself finds out.
                return

    def close(self) -> None:
        """Connections are given back."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
