"""Sections lie the way a radiologist expects, whatever the array's own axes."""

import numpy as np
import pytest

from eigenwarp.volume import Geometry
from eigenwarp.volume.section import sections

# 12 × 14 × 10 mm about the origin.
RAS = Geometry.from_spacing((12, 14, 10))


def stored_otherwise(geometry: Geometry) -> Geometry:
    """The same voxels as an L-S-P array."""
    return geometry.reoriented("LSP")[0]


@pytest.mark.parametrize("geometry", [RAS, stored_otherwise(RAS)])
def test_anterior_right_and_superior_are_where_the_letters_say(geometry: Geometry) -> None:
    right, anterior, superior = np.moveaxis(geometry.to_world(geometry.voxel_grid()), -1, 0)
    sagittal, coronal = sections(geometry)
    assert sagittal.edges == ("A", "P", "S", "I")
    assert np.all(np.diff(np.asarray(sagittal.take(anterior), dtype=float), axis=1) < 0)
    assert np.all(np.diff(np.asarray(sagittal.take(superior), dtype=float), axis=0) > 0)
    assert np.ptp(np.asarray(sagittal.take(right), dtype=float)) == 0
    assert coronal.edges == ("R", "L", "S", "I")
    assert np.all(np.diff(np.asarray(coronal.take(right), dtype=float), axis=1) < 0)
    assert np.all(np.diff(np.asarray(coronal.take(superior), dtype=float), axis=0) > 0)


def test_vectors_to_the_right_of_the_patient_point_left_in_the_coronal_picture() -> None:
    _, coronal = sections(RAS)
    across, up = coronal.in_plane(np.broadcast_to([1.0, 5.0, 2.0], (*RAS.shape, 3)))
    assert np.all(across == -1)
    assert np.all(up == 2)


def test_pixels_keep_the_spacing_of_their_axes() -> None:
    anisotropic = Geometry.from_spacing((12, 14, 10), (1.0, 2.0, 3.0))
    sagittal, _ = sections(anisotropic)
    assert sagittal.extent() == (0, 28, 0, 30)


def test_the_plane_shows_the_most_of_the_labels_and_a_margin_around_them() -> None:
    large = Geometry.from_spacing((100, 100, 100))
    labels = np.zeros(large.shape, dtype=np.uint16)
    labels[60:63, 40:50, 50:55] = 1
    labels[61, 38:52, 50:55] = 1
    sagittal, _ = sections(large, labels)
    assert sagittal.index == 61
    assert (sagittal.columns, sagittal.rows) == (slice(23, 67), slice(35, 70))
