"""Ports of this machine."""

import socket

from eigenwarp.errors import OptionInvalidError


def take_port(host: str, port: int) -> int:
    """A port that can be listened on now: the one asked for, or any free one for 0.

    Raises:
        OptionInvalidError: somebody listens there, or the host is not this machine's.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As the server itself does it: connections of an earlier one that linger do not matter.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except OSError as error:
        raise OptionInvalidError(f"--port {port}: cannot listen on {host}: {error.strerror or error}") from None


def url_of(host: str, port: int) -> str:
    """Where a browser on this machine finds a server that listens there."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"
