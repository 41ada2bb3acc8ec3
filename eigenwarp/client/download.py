"""Results, taken up again where the connection broke and checked when they are whole."""

import hashlib
from typing import BinaryIO

from eigenwarp.client.failures import PassingFailure, failures
from eigenwarp.client.patience import Patience
from eigenwarp.client.transport import Transport
from eigenwarp.errors import ResultDamagedError, ServiceUnreachableError
from eigenwarp.schemas.jobs import ResultRow

_PARTIAL_CONTENT = 206


class Download:
    """One result on its way into a file.

    Args:
        row: what the job says of the result; its length and SHA-256 decide when it is whole.
        sink: an empty file, open for writing, that can be cut off and rewound.
    """

    def __init__(self, transport: Transport, row: ResultRow, sink: BinaryIO) -> None:
        self._transport = transport
        self._row = row
        self._sink = sink
        self._digest = hashlib.sha256()
        self._position = 0

    def run(self) -> None:
        """Read to the end.

        Raises:
            ResultDamagedError: the bytes are not the result's, twice.
            EigenwarpError: as ``Transport.call``.
        """
        self._complete()
        if not self._is_whole():
            # One that went wrong on the way goes right the second time; one that is wrong there does not.
            self._restart()
            self._complete()
        if not self._is_whole():
            raise ResultDamagedError(
                f"{self._row.name}: {self._position} bytes of SHA-256 {self._digest.hexdigest()} arrived,"
                f" the job made {self._row.bytes} of {self._row.sha256}"
            )

    def _complete(self) -> None:
        patience = self._transport.patience()
        while True:
            try:
                self._read(patience)
                return
            except PassingFailure as failure:
                if not patience.pause(failure.retry_after):
                    raise failure.error from None

    def _read(self, patience: Patience) -> None:
        # Positions count the result's own bytes: nothing may be compressed on the way.
        headers = {"Accept-Encoding": "identity"}
        if self._position:
            headers["Range"] = f"bytes={self._position}-"
        with self._transport.stream("GET", self._row.href, headers=headers) as response:
            if self._position and response.status_code != _PARTIAL_CONTENT:
                self._restart()
            with failures("GET", self._row.href):
                for block in response.iter_raw():
                    self._sink.write(block)
                    self._digest.update(block)
                    self._position += len(block)
                    patience.renew()
                    if self._position > self._row.bytes:
                        return
        if self._position < self._row.bytes:
            raise PassingFailure(
                ServiceUnreachableError(f"{self._row.name}: ended after {self._position} of {self._row.bytes} bytes")
            )

    def _restart(self) -> None:
        self._sink.seek(0)
        self._sink.truncate()
        self._digest = hashlib.sha256()
        self._position = 0

    def _is_whole(self) -> bool:
        return self._position == self._row.bytes and self._digest.hexdigest() == self._row.sha256
