"""Every stage on small untrained networks: whole tables, ordered intervals, pictures; nothing of what they say."""

import io
from dataclasses import replace
from math import isfinite
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from tests.training.experiment.beyond.conftest import VALIDATION
from training.experiment.beyond import STAGES, outliers, stability
from training.experiment.findings import Findings, Table
from training.experiment.stage import Stage, Workplace


@pytest.fixture(scope="module", params=STAGES, ids=lambda stage: stage.name)
def run(request: pytest.FixtureRequest, workplace: Workplace) -> tuple[Stage, Findings, list[float]]:
    progress: list[float] = []
    return request.param, request.param.run(workplace, progress.append), progress


def test_a_stage_fills_its_tables(run: tuple[Stage, Findings, list[float]]) -> None:
    _, found, _ = run
    assert found.tables
    assert len({table.name for table in found.tables}) == len(found.tables)
    for table in found.tables:
        assert table.rows
        assert table.note
        assert len(set(table.columns)) == len(table.columns), "a program reads a CSV file by its headings"
        for row in table.rows:
            assert all(isfinite(cell) for cell in row if isinstance(cell, float)), (table.name, row)


def test_an_interval_holds_its_estimate(run: tuple[Stage, Findings, list[float]]) -> None:
    for table in run[1].tables:
        for low_at in (place for place, column in enumerate(table.columns) if column.endswith("% from")):
            for row in table.rows:
                estimate, low, high = row[low_at - 1 : low_at + 2]
                if estimate is not None:
                    assert low - 1e-9 <= estimate <= high + 1e-9, (table.name, row)


def test_its_figures_are_pictures_of_something(run: tuple[Stage, Findings, list[float]], workplace: Workplace) -> None:
    for figure in run[1].figures:
        picture = imread(io.BytesIO((workplace.figures / f"{figure.name}.png").read_bytes()))
        assert picture.shape[0] > 200
        assert np.std(picture[..., :3]) > 0.02
        assert figure.caption


def test_it_says_in_words_and_how_far_it_is(run: tuple[Stage, Findings, list[float]]) -> None:
    stage, found, progress = run
    assert len(found.text) > 60
    assert "nan" not in found.text
    assert progress == sorted(progress)
    assert all(0 <= part <= 1 for part in progress)
    assert stage.title
    assert stage.source


def test_names_of_stages_tables_and_figures_are_one_each(workplace: Workplace) -> None:
    names = [stage.name for stage in STAGES]
    assert len(set(names)) == len(names)


def test_the_same_workplace_gives_the_same_findings(workplace: Workplace, tmp_path: Path) -> None:
    # A new workplace measures everything anew, whatever was kept of the old one.
    again = replace(workplace, figures=tmp_path)
    assert outliers.measure(again, lambda _: None) == outliers.measure(workplace, lambda _: None)


def test_another_seed_is_compared_where_there_is_one(workplace: Workplace, with_other_seed: Workplace) -> None:
    without, with_one = (stability.measure(place, lambda _: None) for place in (workplace, with_other_seed))
    assert "No model of another seed was given" in without.text
    assert _networks(without)[-1][:2] == ("another seed: no such model was given", None)
    name, scores, correlation, *_ = _networks(with_one)[-1]
    assert name == "another seed"
    assert scores == 3
    assert isinstance(correlation, float)
    assert 0 <= correlation <= 1


def test_a_network_beside_itself_is_the_same(workplace: Workplace) -> None:
    found = stability.measure(replace(workplace, other_seed=workplace.model), lambda _: None)
    components = _table(found, "stability-components")
    place = components.columns.index("Field, another seed: |cos|")
    assert [row[place] for row in components.rows if row[place] is not None] == pytest.approx([1, 1, 1], abs=1e-4)
    name, _, correlation, _, shared = _networks(found)[-1]
    assert name == "another seed"
    assert correlation == pytest.approx(1, abs=1e-4)
    assert shared == pytest.approx(100, abs=1e-3)


def test_all_validation_subjects_are_judged_as_they_are(workplace: Workplace) -> None:
    found = outliers.measure(workplace, lambda _: None)
    assert f"of {VALIDATION} faultless validation subjects" in found.text
    rates = _table(found, "outlier-rates")
    assert rates.rows[0][0] == "none"


def _networks(found: Findings) -> tuple[tuple[object, ...], ...]:
    return _table(found, "stability-networks").rows


def _table(found: Findings, name: str) -> Table:
    return next(table for table in found.tables if table.name == name)
