"""Encodings of the cohort, made once for all stages that ask for them."""

from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from eigenwarp.model.registration import RegistrationModel
from training.basis import encode_cohort
from training.experiment.known_transformations import KnownTransformation, apply_known
from training.experiment.stage import Workplace
from training.tensors import PreparedCohort

FloatArray = npt.NDArray[np.float32]
Network = Literal["without skips", "with skips"]
NETWORKS: tuple[Network, ...] = ("without skips", "with skips")
Group = Literal["train", "validation"]


def network_of(workplace: Workplace, network: Network) -> RegistrationModel:
    """One of the two models."""
    return workplace.model if network == "without skips" else workplace.with_skips


def cohort_of(workplace: Workplace, group: Group) -> PreparedCohort:
    """One of the two groups of subjects."""
    return workplace.prepared_train if group == "train" else workplace.prepared_validation


@lru_cache(maxsize=4)
def encodings(workplace: Workplace, network: Network, group: Group) -> FloatArray:
    """E(X) of a group's subjects in their order, (N, D); not to be changed, as others hold it too."""
    return _encode(network_of(workplace, network), cohort_of(workplace, group))


@lru_cache(maxsize=6)
def transformed_encodings(workplace: Workplace, network: Network, transformation: KnownTransformation) -> FloatArray:
    """E(X') of the validation subjects under a known transformation, (N, D); not to be changed."""
    cohort = workplace.prepared_validation
    moved = PreparedCohort(cohort.names, apply_known(cohort.images, transformation), cohort.labels)
    return _encode(network_of(workplace, network), moved)


def _encode(model: RegistrationModel, cohort: PreparedCohort) -> FloatArray:
    codes = np.concatenate(list(encode_cohort(model.network, cohort)))
    codes.setflags(write=False)
    return codes
