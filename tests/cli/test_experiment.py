"""``eigenwarp experiment paper`` as a shell runs it."""

from pathlib import Path

from tests.cli.test_commands import eigenwarp
from tests.tiny_bundle import SHAPE, write_tiny_bundle
from training.data.synthetic import make_cohort


def test_a_stage_that_fails_ends_in_one_and_a_second_call_repeats_it_alone(tiny_bundle: Path, tmp_path: Path) -> None:
    data = make_cohort(tmp_path / "data", 6, shape=SHAPE, validation=3)
    bare = write_tiny_bundle(tmp_path / "bare", "bare", with_basis=False)
    arguments = ("experiment", "paper", "--model", tiny_bundle, "--data", data, "--out", tmp_path / "out")

    # Without a basis there is no variance to show; the accuracy can be measured all the same.
    first = eigenwarp(*arguments, "--with-skips", bare, "--only", "dice", "--only", "explained-variance")
    assert first.returncode == 1
    assert "1 stages run, 0 stood already, failed: explained-variance" in first.stdout
    assert "model 'bare' has no basis" in first.stderr
    page = (tmp_path / "out" / "index.html").read_text()
    assert "This stage failed: ModelUnknownError" in page
    assert str(tmp_path) not in page

    again = eigenwarp(*arguments, "--with-skips", bare, "--only", "dice")
    assert again.returncode == 0, again.stderr
    assert "0 stages run, 1 stood already" in again.stdout
