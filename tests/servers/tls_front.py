"""A server that ends TLS before another that has none, as hospitals put one before their archive."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.servers.certificates import Certified


@contextmanager
def tls_front(port: int, own: Certified, clients: Path | None = None) -> Iterator[int]:
    """For the time of a block; its port.

    Args:
        port: of the server behind, on the loopback.
        clients: the authority of the clients' certificates; without, they need none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_accept, args=(listening, context, port))
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            # Wakes the thread out of accept().
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listening: socket.socket, context: ssl.SSLContext, port: int) -> None:
    while True:
        try:
            taken, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(taken, context, port), daemon=True).start()


def _serve(taken: socket.socket, context: ssl.SSLContext, port: int) -> None:
    # A client that is refused, or that refuses, is no matter of this server's.
    with (
        suppress(OSError),
        context.wrap_socket(taken, server_side=True) as front,
        socket.create_connection(("127.0.0.1", port)) as behind,
    ):
        back = threading.Thread(target=_hand_on, args=(behind, front), daemon=True)
        back.start()
        _hand_on(front, behind)
        back.join()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(1 << 16):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)
