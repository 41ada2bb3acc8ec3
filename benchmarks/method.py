"""What every registration program is reduced to: a pair in, a displacement field and its seconds out."""

import time
from typing import NamedTuple, Protocol

from benchmarks.machine import finish, installed
from benchmarks.subjects import Pair
from eigenwarp.field import DisplacementField
from eigenwarp.model.registration import Refine, RegistrationModel


class Found(NamedTuple):
    """A field on the fixed volume's grid, the whole transform, and the seconds it took from two volumes in memory."""

    field: DisplacementField
    seconds: float


class Method(Protocol):
    """A way to register.

    Attributes:
        name: of its row.
        distribution: the optional package it needs, None for ours.
    """

    name: str
    distribution: str | None

    def register(self, pair: Pair) -> Found:
        """Register a pair's images; the labels are not looked at.

        Raises:
            RuntimeError: the program fails on this pair.
        """
        ...


class Eigenwarp:
    """Our own registration, with codes that are not cached, and with the inverse field that it always gives."""

    distribution: str | None = None

    def __init__(self, model: RegistrationModel, refine: Refine) -> None:
        self.name = "Eigenwarp, feed-forward" if refine is Refine.NONE else f"Eigenwarp, {refine.value} refinement"
        self.model = model
        self.refine = refine

    def register(self, pair: Pair) -> Found:
        self.model.codes.clear()
        started = time.perf_counter()
        field = self.model.register(pair.moving, pair.fixed, refine=self.refine).field
        finish(self.model.device)
        return Found(field, time.perf_counter() - started)


def is_available(method: Method) -> bool:
    return method.distribution is None or installed(method.distribution) is not None
