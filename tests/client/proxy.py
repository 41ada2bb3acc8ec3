"""A TCP proxy that breaks what passes through it, as networks do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_BLOCK = 65536

_PROBLEM = b'{"type": "/problems/store-unavailable", "title": "", "status": 503, "detail": "the database is away"}'
BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 0\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(_PROBLEM), _PROBLEM)
)


@dataclass
class Fault:
    """What to do with the answers to some requests.

    Args:
        request: part of the request's head that it is recognised by.
        times: to how many of them.
        answer: sent in place of the server's answer, before the connection is closed.
        cut: bytes of the server's answer after which the connection is closed.
        cut_after: text of the server's answer after which the connection is closed.
        corrupt: byte of the server's answer that is changed.
    """

    request: bytes
    times: int = 1
    answer: bytes | None = None
    cut: int | None = None
    cut_after: bytes | None = None
    corrupt: int | None = None
    met: int = 0


@dataclass
class Proxy:
    """Listens on a port of the loopback for one server."""

    target: tuple[str, int]
    faults: list[Fault] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"http://{host}:{port}"

    def add(self, fault: Fault) -> Fault:
        """From now on."""
        with self._lock:
            self.faults.append(fault)
        return fault

    def heads(self, part: bytes) -> list[bytes]:
        """Of the requests that have passed and hold some text."""
        with self._lock:
            return [head for head in self.requests if part in head]

    def close(self) -> None:
        """With all connections."""
        self._listener.close()
        with self._lock:
            for connection in self._open:
                _close(connection)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self.target)
        except OSError:
            _close(client)
            return
        with self._lock:
            self._open |= {client, server}
        exchange = _Exchange()
        answers = threading.Thread(target=self._answers, args=(server, client, exchange), daemon=True)
        answers.start()
        with suppress(OSError):
            while block := client.recv(_BLOCK):
                if block.partition(b" ")[0] in (b"GET", b"POST", b"DELETE"):
                    exchange.fault, exchange.passed, exchange.seen = self._fault_for(block), 0, b""
                    if exchange.fault is not None and exchange.fault.answer is not None:
                        client.sendall(exchange.fault.answer)
                        break
                server.sendall(block)
        _close(client)
        _close(server)

    def _fault_for(self, head: bytes) -> Fault | None:
        with self._lock:
            self.requests.append(head)
            for fault in self.faults:
                if fault.request in head and fault.met < fault.times:
                    fault.met += 1
                    return fault
        return None

    def _answers(self, server: socket.socket, client: socket.socket, exchange: "_Exchange") -> None:
        with suppress(OSError):
            while block := server.recv(_BLOCK):
                fault, passed = exchange.fault, exchange.passed
                exchange.passed += len(block)
                if fault is not None and fault.corrupt is not None and passed <= fault.corrupt < exchange.passed:
                    place = fault.corrupt - passed
                    block = block[:place] + bytes([block[place] ^ 1]) + block[place + 1 :]
                if fault is not None and fault.cut is not None and exchange.passed >= fault.cut:
                    client.sendall(block[: fault.cut - passed])
                    break
                client.sendall(block)
                if fault is not None and fault.cut_after is not None:
                    exchange.seen += block
                    if fault.cut_after in exchange.seen:
                        break
        _close(client)
        _close(server)


@dataclass
class _Exchange:
    """The request that is being answered on one connection."""

    fault: Fault | None = None
    passed: int = 0
    seen: bytes = b""


def _close(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def proxied(port: int) -> Iterator[Proxy]:
    """A proxy to a port of the loopback, for the time of a block."""
    proxy = Proxy(("127.0.0.1", port))
    try:
        yield proxy
    finally:
        proxy.close()
