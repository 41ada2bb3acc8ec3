"""The parts of a run, each of which gives one table."""

from enum import StrEnum


class Section(StrEnum):
    """What is measured, in this order."""

    REGISTRATION = "registration"
    TRAINING = "training"
    ENCODING = "encoding"
    PRECISION = "precision"
    SERVICE = "service"


# Of the time that a run may take: the other programs need seconds to register one pair, the decoder milliseconds.
SHARES = {
    Section.REGISTRATION: 0.5,
    Section.TRAINING: 0.2,
    Section.ENCODING: 0.1,
    Section.PRECISION: 0.05,
    Section.SERVICE: 0.15,
}
