"""The pictures show the series the way a radiologist expects it."""

import io

import numpy as np
import pytest
from PIL import Image

from bridge.objects.section_pictures import SIZE, jacobian_pictures, label_pictures
from eigenwarp.volume import Geometry, Segmentation, Volume

ORANGE = (230, 159, 0)
GRID = Geometry.from_spacing((20, 30, 10), (2.0, 1.0, 3.0))
# The patient's right, front, top: high indices of an RAS grid.
RIGHT_FRONT_TOP = (slice(14, 18), slice(22, 28), slice(7, 9))


def _volume() -> Volume:
    data = np.zeros(GRID.shape, dtype=np.float32)
    data[RIGHT_FRONT_TOP] = 100
    return Volume(data, GRID)


def _shown(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def _middle_of_the_bright(picture: np.ndarray) -> tuple[float, float]:
    """(row, column) as parts of the picture."""
    rows, columns = np.nonzero(picture.min(axis=-1) > 200)
    return rows.mean() / SIZE, columns.mean() / SIZE


def test_right_is_left_front_is_left_and_top_is_up() -> None:
    data = _volume().data.copy()
    # Seen in the middle planes as well, where without labels the pictures are taken.
    data[8:12, 22:28, 7:9] = data[14:18, 13:17, 7:9] = data[14:18, 22:28, 4:6] = 100
    sagittal, coronal, axial = (_shown(png) for png in label_pictures(Volume(data, GRID), None, {}))
    row, column = _middle_of_the_bright(sagittal)
    assert row < 0.5
    assert column < 0.5
    row, column = _middle_of_the_bright(coronal)
    assert row < 0.5
    assert column < 0.5
    row, column = _middle_of_the_bright(axial)
    assert row < 0.5
    assert column < 0.5


def test_pictures_keep_the_true_proportions() -> None:
    data = np.zeros(GRID.shape, dtype=np.float32)
    data[4:16, 8:20, 2:6] = 100  # 24 × 12 × 12 mm
    labels = Segmentation((data > 0).astype(np.uint16), GRID)
    _, coronal, _ = (_shown(png) for png in label_pictures(Volume(data, GRID), labels, {}))
    rows, columns = np.nonzero(coronal.min(axis=-1) > 160)
    assert np.ptp(columns) / np.ptp(rows) == pytest.approx(2, rel=0.15)


def test_an_outline_runs_around_its_label_only() -> None:
    labels = np.zeros(GRID.shape, dtype=np.uint16)
    labels[RIGHT_FRONT_TOP] = 1
    for png in label_pictures(_volume(), Segmentation(labels, GRID), {1: ORANGE}):
        picture = _shown(png)
        orange = (picture == ORANGE).all(axis=-1)
        assert 100 < orange.sum() < 0.1 * orange.size
        inside = picture[orange.any(axis=1)][:, orange.any(axis=0)].min(axis=-1) > 200
        assert inside.sum() > 1000


def test_where_the_counterpart_is_larger_the_series_is_blue() -> None:
    jacobian = np.ones(GRID.shape, dtype=np.float32)
    jacobian[:, 15:] = 2
    jacobian[:, :15] = 0.5
    _, _, axial = (_shown(png) for png in jacobian_pictures(_volume(), None, Volume(jacobian, GRID), {}))
    front, back = axial[100:150, 150:270].mean(axis=(0, 1)), axial[280:330, 150:270].mean(axis=(0, 1))
    assert front[2] > front[0] + 50
    assert back[0] > back[2] + 50
