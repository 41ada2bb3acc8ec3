"""The synthetic cohort is what it says: labelled, deformed as its truth tells, and the same for the same seed."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from eigenwarp.errors import DataSetError, OptionInvalidError
from eigenwarp.field import folding_share, jacobian_determinant, warp_segmentation
from eigenwarp.files.field_files import FieldFormat, read_field
from eigenwarp.volume import Geometry, Segmentation
from training.data.cohort import open_cohort
from training.data.deformation import Deformation
from training.data.synthetic import make_cohort, make_subject, template

SHAPE = (24, 32, 24)


@pytest.fixture(scope="module")
def cohort_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cohort(tmp_path_factory.mktemp("synthetic") / "cohort", 5, seed=7, shape=SHAPE)


def digests(root: Path) -> dict[str, str]:
    """Of the voxels, not the files: gzip writes the time."""
    cohort = open_cohort(root)
    return {
        subject.name: hashlib.sha256(b"".join(array.data.tobytes() for array in cohort.load(index))).hexdigest()
        for index, subject in enumerate(cohort.subjects)
    }


def dice(first: np.ndarray, second: np.ndarray, label: int) -> float:
    a, b = first == label, second == label
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def test_cohort_is_a_data_set_with_two_labels(cohort_root: Path) -> None:
    assert len(open_cohort(cohort_root, "train")) == 4
    cohort = open_cohort(cohort_root, "validation")
    assert cohort.names == ("blob_005",)
    volume, segmentation = cohort.load(0)
    assert volume.shape == SHAPE
    assert segmentation.labels == (1, 2)
    assert volume.data.std() > 0


def test_same_seed_gives_the_same_voxels(cohort_root: Path, tmp_path: Path) -> None:
    again = make_cohort(tmp_path / "again", 5, seed=7, shape=SHAPE)
    other = make_cohort(tmp_path / "other", 5, seed=8, shape=SHAPE)
    assert digests(again) == digests(cohort_root)
    assert not set(digests(other).values()) & set(digests(cohort_root).values())


def test_larger_cohort_begins_with_the_smaller_ones_subjects(cohort_root: Path, tmp_path: Path) -> None:
    small = digests(make_cohort(tmp_path / "small", 2, seed=7, shape=SHAPE))
    assert small.items() <= digests(cohort_root).items()


def test_true_field_brings_the_template_onto_each_subject(cohort_root: Path) -> None:
    half_width = (np.array(SHAPE) - 1) / 2
    # Finely sampled, so that what is left is the surface's rounding to an eighth of a voxel.
    fine = Geometry.from_spacing(tuple(4 * n for n in SHAPE), (0.25, 0.25, 0.25))
    moving = Segmentation(template(fine.to_world(fine.voxel_grid()), half_width)[0], fine)
    coarse = Geometry.from_spacing(SHAPE)
    undeformed, _ = template(coarse.to_world(coarse.voxel_grid()), half_width)
    cohort = open_cohort(cohort_root)
    for index, subject in enumerate(cohort.subjects):
        truth = read_field(cohort_root / "truth" / f"{subject.name}.nii.gz", FieldFormat.RAS)
        _, segmentation = cohort.load(index)
        warped = warp_segmentation(moving, truth)
        for label in (1, 2):
            assert dice(undeformed, segmentation.data, label) < 0.92
            assert dice(warped.data, segmentation.data, label) > 0.94


def test_labels_are_the_templates_at_the_points_that_the_truth_names(cohort_root: Path) -> None:
    cohort = open_cohort(cohort_root)
    for index, subject in enumerate(cohort.subjects):
        truth = read_field(cohort_root / "truth" / f"{subject.name}.nii.gz", FieldFormat.RAS)
        _, segmentation = cohort.load(index)
        points = segmentation.geometry.to_world(segmentation.geometry.voxel_grid()) + truth.displacement
        labels, _ = template(points, (np.array(SHAPE) - 1) / 2)
        assert (labels == segmentation.data).mean() > 0.9999


def test_true_fields_do_not_fold(cohort_root: Path) -> None:
    for path in sorted((cohort_root / "truth").iterdir()):
        assert folding_share(jacobian_determinant(read_field(path, FieldFormat.RAS))) == 0


def test_without_steepness_every_subject_is_the_template() -> None:
    geometry = Geometry.from_spacing(SHAPE)
    labels, _ = template(geometry.to_world(geometry.voxel_grid()), (np.array(SHAPE) - 1) / 2)
    _, segmentation, truth = make_subject(np.random.default_rng(0), SHAPE, steepness=0)
    assert np.array_equal(segmentation.data, labels)
    assert not truth.displacement.any()


def test_gradient_of_a_deformation_is_that_of_its_displacement() -> None:
    generator = np.random.default_rng(3)
    deformation = Deformation.random(generator, np.array((10.0, 14.0, 9.0)))
    points = generator.uniform(-8, 8, size=(50, 3))
    step = 1e-5
    for axis in range(3):
        shift = np.eye(3)[axis] * step
        slope = (deformation.displacement(points + shift) - deformation.displacement(points - shift)) / (2 * step)
        np.testing.assert_allclose(deformation.gradient(points)[..., axis], slope, atol=1e-8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"subjects": 1}, "at least 2 subjects, got 1"),
        ({"subjects": 4, "validation": 4}, "of 4 subjects, 4 cannot"),
        ({"subjects": 4, "validation": 0}, "of 4 subjects, 0 cannot"),
        ({"subjects": 2, "shape": (8, 32, 32)}, "16 voxels or more"),
        ({"subjects": 2, "steepness": 1.0}, "from 0 to below 1, got 1"),
    ],
)
def test_values_out_of_range_are_refused(tmp_path: Path, arguments: dict[str, int], message: str) -> None:
    with pytest.raises(OptionInvalidError, match=message):
        make_cohort(tmp_path / "cohort", **arguments)
    assert not (tmp_path / "cohort").exists()


def test_folder_that_holds_something_is_left_alone(cohort_root: Path) -> None:
    before = digests(cohort_root)
    with pytest.raises(DataSetError, match="holds something else"):
        make_cohort(cohort_root, 2, seed=1, shape=SHAPE)
    assert digests(cohort_root) == before
