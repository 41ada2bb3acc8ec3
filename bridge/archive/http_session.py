"""An HTTP session with a site's credentials, and what its failures mean."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from requests.auth import HTTPBasicAuth

from bridge.archive.handshakes import TlsAdapter
from bridge.config.archive import HttpAccess
from bridge.config.reading import read_secret
from bridge.refusals import ArchiveRefusedError, ArchiveUnreachableError
from bridge.tls import client_context

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


def open_session(access: HttpAccess, what: str) -> requests.Session:
    """A session that carries the user and password or the token.

    Args:
        what: the configuration's key, for errors.

    Raises:
        OptionInvalidError: a secret cannot be read, or a certificate does not serve.
    """
    session = requests.Session()
    # The environment's proxies and .netrc are not the site's configuration.
    session.trust_env = False
    if access.user is not None and access.password_file is not None:
        password = read_secret(access.password_file, f"{what}.password_file")
        session.auth = HTTPBasicAuth(access.user.encode(), password.encode())
    if access.token_file is not None:
        session.headers["Authorization"] = f"Bearer {read_secret(access.token_file, f'{what}.token_file')}"
    # Made here only to find what is wrong with the files; requests reads them for itself.
    client_context(what, access.authority, access.certificate, access.key)
    if access.authority is not None:
        session.verify = str(access.authority)
    if access.certificate is not None:
        session.cert = (str(access.certificate), str(access.key or access.certificate))
    session.mount("https://", TlsAdapter(access.authority, access.certificate))
    return session


@contextmanager
def http_failures(call: str) -> Iterator[None]:
    """Around every HTTP call.

    Args:
        call: what was wanted, for the error; no UID and no name.

    Raises:
        ArchiveUnreachableError: no answer, or one that asks to come again.
        ArchiveRefusedError: any other answer that is no success.
    """
    try:
        yield
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in _PASSING:
            raise ArchiveUnreachableError(f"{call}: the archive answers {status}") from None
        raise ArchiveRefusedError(f"{call}: the archive answers {status}") from None
    except (requests.RequestException, OSError) as error:
        raise ArchiveUnreachableError(f"{call}: no answer: {type(error).__name__}") from None
