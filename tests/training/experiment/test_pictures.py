"""Pictures stay small and keep their colours."""

from pathlib import Path

import numpy as np
from PIL import Image

from training.experiment.pictures import WIDEST, compact, new_figure, save_figure


def scan_with_arrows(width: int = 400) -> np.ndarray:
    """Noise of all greys with a thin rainbow in it."""
    generator = np.random.default_rng(0)
    pixels = np.repeat(generator.integers(0, 256, size=(200, width, 1), dtype=np.uint8), 3, axis=2)
    ramp = np.linspace(0, 255, width).astype(np.uint8)
    pixels[100] = np.stack([ramp, 255 - ramp, np.full(width, 255)], axis=1)
    return pixels


def test_a_compact_picture_keeps_its_colours_and_its_greys(tmp_path: Path) -> None:
    path, pixels = tmp_path / "picture.png", scan_with_arrows()
    Image.fromarray(pixels).save(path)
    before = path.stat().st_size
    compact(path)
    shown = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert path.stat().st_size < 0.95 * before
    assert np.abs(shown[100] - pixels[100]).max() <= 6
    assert np.abs(np.delete(shown - pixels, 100, axis=0)).max() <= 3


def test_a_wide_picture_becomes_narrower_and_a_compact_one_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    Image.fromarray(scan_with_arrows(2 * WIDEST)).save(path)
    compact(path)
    content = path.read_bytes()
    assert Image.open(path).size == (WIDEST, 100)
    compact(path)
    assert path.read_bytes() == content


def test_a_figure_gives_the_same_bytes_each_time(tmp_path: Path) -> None:
    written = []
    for name in ("a", "b"):
        figure = new_figure(2, 1)
        figure.subplots().plot([0, 1], [1, 0])
        save_figure(figure, tmp_path / name, "line")
        written.append((tmp_path / name / "line.png").read_bytes())
    assert written[0] == written[1]
