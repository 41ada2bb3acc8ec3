"""Findings about phantoms in several planes, oblique and with unlike spacings, classic and enhanced."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from pydicom import Dataset

from bridge.dicom.convert import convert_series
from bridge.dicom.series_volume import SeriesVolume
from bridge.objects.build import result_objects
from bridge.objects.finding import Finding
from bridge.objects.identity import ObjectKind, ResultIdentity
from eigenwarp.volume import Segmentation
from tests.bridge import phantom
from tests.bridge.objects.findings import JOB, finding_of, labels_of

STACKS = {
    "axial": phantom.stack("axial"),
    "axial oblique": phantom.stack("axial", (11, -7, 19)),
    "coronal oblique": phantom.stack("coronal", (-23, 8, 14)),
    "sagittal oblique": phantom.stack("sagittal", (9, 31, -12)),
}


@dataclass(frozen=True, eq=False)
class Case:
    """A series, what is known of it, and what was found."""

    stack: phantom.Stack
    series: SeriesVolume
    segmentation: Segmentation
    finding: Finding


def case_of(name: str) -> Case:
    kind, _, plane = name.partition(" ")
    stack = STACKS[plane]
    datasets = phantom.classic_series(stack) if kind == "classic" else [phantom.enhanced_series(stack)]
    series = convert_series(datasets)
    segmentation = labels_of(series, stack)
    return Case(stack, series, segmentation, finding_of(series, segmentation))


@pytest.fixture(
    scope="package",
    params=[*(f"classic {plane}" for plane in STACKS), "enhanced sagittal oblique"],
)
def case(request: pytest.FixtureRequest) -> Case:
    return case_of(request.param)


@pytest.fixture(scope="package")
def one_case() -> Case:
    return case_of("classic coronal oblique")


@pytest.fixture(scope="package")
def identity() -> ResultIdentity:
    return ResultIdentity(JOB, datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))


@pytest.fixture(scope="package")
def made(case: Case, identity: ResultIdentity) -> dict[ObjectKind, Dataset]:
    """All objects of a case; not to be changed."""
    return result_objects(case.finding, case.series, identity)
