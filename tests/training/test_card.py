from pathlib import Path

import pytest

from eigenwarp.model.bundle import load_bundle, read_manifest
from training.card import model_card, results_table
from training.evaluation import PairMeasurement, summarise


def metrics(method: str, dice: float) -> dict[str, dict[str, float]]:
    row = PairMeasurement(
        method, "a", "b", {"head": dice, "body": dice - 0.1}, {"head": 1.0, "body": 2.0}, 0.0012, 0.25, 0.345
    )
    return {method: summarise([row, row])[0].metrics()}


def test_the_table_has_a_row_per_method_and_a_column_per_label() -> None:
    table = results_table(metrics("unregistered", 0.5) | metrics("field", 0.9), ["head", "body"])
    head, rule, *rows = table.splitlines()
    assert len(rows) == 2
    assert len({line.count("|") for line in (head, rule, *rows)}) == 1
    assert "Dice head" in head
    assert "Dice body" in head
    assert rows[0].startswith("| unregistered | **0.450** ± 0.000 | 0.500 ± 0.000 | 0.400 ± 0.000 |")
    assert rows[1].startswith("| field refinement | **0.850**")
    # A share is written in percent.
    assert rows[1].endswith("| 1.50 ± 0.00 | 0.120 | 0.250 | 0.34 |") or rows[1].endswith("| 0.120 | 0.250 | 0.35 |")


def test_a_method_without_a_title_is_shown_by_its_name() -> None:
    assert "| other |" in results_table(metrics("other", 0.9), ["head", "body"])


@pytest.mark.parametrize("measured", [False, True])
def test_the_card_says_what_the_bundle_says(measured: bool, tiny_bundle: Path) -> None:
    bundle = load_bundle(tiny_bundle)
    manifest = bundle.manifest
    if measured:
        manifest = manifest.model_copy(update={"metrics": metrics("none", 0.8)})
    card = model_card(manifest, bundle.basis, notes="A note of its own.\n")
    assert card.startswith("# tiny\n")
    for expected in (manifest.version, "head, body", "synthetic blobs", "A note of its own.", "channels [4, 8]"):
        assert expected in card
    assert bundle.basis is not None
    assert f"3 components hold {100 * bundle.basis.explained_variance_ratio.sum():.1f} %" in card
    assert ("Not measured." in card) != measured
    assert ("On the 2 validation subjects" in card) == measured
    assert ("feed-forward | **0.750**" in card) == measured


def test_a_card_without_a_basis_says_so(tiny_bundle: Path) -> None:
    assert "has no basis" in model_card(read_manifest(tiny_bundle), None)


def test_every_row_of_the_card_fits_its_table(tiny_bundle: Path) -> None:
    lines = model_card(read_manifest(tiny_bundle), None).splitlines()
    made = [line for line in lines if line.startswith("| ")]
    assert made
    assert {line.count("|") for line in made} == {3}
