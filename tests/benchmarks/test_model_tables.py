"""Tables about a model: a small untrained one on blobs."""

from pathlib import Path

import pytest
import torch

from benchmarks.encoding import OneAgainstMany, measure_encoding
from benchmarks.method import Eigenwarp, Found
from benchmarks.precision import decode_in_float64, measure_precision
from benchmarks.registration import COLUMNS, measure_registration
from benchmarks.report import Spread
from benchmarks.subjects import Pair
from eigenwarp.model.registration import Refine, RegistrationModel
from tests.tiny_bundle import blob


@pytest.fixture(scope="module")
def model(tiny_bundle: Path) -> RegistrationModel:
    return RegistrationModel.load(str(tiny_bundle), "cpu")


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return [Pair((f"s{i}", f"s{i + 1}"), *blob(i), *blob(i + 1)) for i in range(2)]


class Missing:
    """A program that nobody has installed."""

    name = "another program"
    distribution: str | None = "no-such-distribution"

    def register(self, pair: Pair) -> Found:
        raise AssertionError("a program that is not installed was asked to register")


class Failing:
    """A program that fails on every pair."""

    name = "a failing program"
    distribution: str | None = None

    def register(self, pair: Pair) -> Found:
        raise RuntimeError("no samples map inside the moving image")


def test_registration_has_a_row_for_each_method_and_says_what_is_missing(
    model: RegistrationModel, pairs: list[Pair]
) -> None:
    methods = [Eigenwarp(model, Refine.NONE), Missing(), Failing()]
    table = measure_registration(model, pairs, methods)
    names = [row[0] for row in table.rows]
    assert names == [
        "unregistered",
        "Eigenwarp, feed-forward",
        "another program (not installed)",
        "a failing program (failed)",
    ]
    ours = dict(zip((column.name for column in COLUMNS), table.rows[1], strict=True))
    assert isinstance(ours["Dice"], Spread)
    assert 0 < ours["Dice"].mean < 1
    assert ours["time, × feed-forward"] == 1.0
    assert ours["pairs"] == 2
    assert table.rows[2][1:] == (None,) * (len(COLUMNS) - 1)


def test_a_spent_budget_measures_fewer_pairs_and_says_so(model: RegistrationModel, pairs: list[Pair]) -> None:
    table = measure_registration(model, pairs, [Eigenwarp(model, Refine.NONE)], budget_seconds=0)
    assert [row[-1] for row in table.rows] == [1.0, 1.0]
    assert table.note.startswith("Pairs: 1,")


@pytest.mark.parametrize(
    ("forget_each", "know_others", "encoded"), [(True, False, 6), (False, False, 4), (False, True, 1)]
)
def test_encodings_are_counted_as_they_are_made(
    model: RegistrationModel, forget_each: bool, know_others: bool, encoded: int
) -> None:
    others = [blob(seed)[0] for seed in (1, 2, 3)]
    case = OneAgainstMany(model, blob(0)[0], others, forget_each=forget_each, know_others=know_others)
    assert case.encodings == encoded
    seconds = case()
    assert 0 < seconds.network < seconds.whole
    # What is kept at the end: the last pair alone, or every volume once.
    assert len(model.codes) == (2 if forget_each else 4)


def test_encoding_is_compared_with_encoding_for_each_registration(model: RegistrationModel) -> None:
    table = measure_encoding(model, blob(0)[0], [blob(1)[0], blob(2)[0]], rounds=1)
    assert [row[1] for row in table.rows] == [4.0, 3.0, 1.0]
    assert table.rows[0][4:] == (1.0, 1.0)


def test_float64_is_the_limit_that_float32_comes_close_to(model: RegistrationModel) -> None:
    difference = torch.from_numpy(model.encode(blob(0)[0]) - model.encode(blob(1)[0]))[None]
    exact = decode_in_float64(model.network, difference)
    assert exact.dtype == torch.float64
    assert exact.abs().max() > 0.1
    error = (model.network.decode(difference) - exact).abs().max()
    assert 0 < error < 1e-3
    assert next(model.network.parameters()).dtype == torch.float32


def test_bfloat16_errs_more_than_float32(model: RegistrationModel, pairs: list[Pair]) -> None:
    table = measure_precision(model, pairs, rounds=1)
    single, half = (dict(zip((c.name for c in table.columns), row, strict=True)) for row in table.rows)
    assert (single["decoder"], half["decoder"]) == ("float32", "bfloat16")
    assert single["time, × float32"] == 1.0
    errors = single["mean error, voxels"], half["mean error, voxels"]
    assert isinstance(errors[0], float)
    assert isinstance(errors[1], float)
    assert errors[0] < errors[1] < 0.5
