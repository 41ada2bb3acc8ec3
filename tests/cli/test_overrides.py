"""``--set`` changes one value of a training configuration."""

import pytest

from eigenwarp.errors import OptionInvalidError
from eigenwarp_cli.overrides import with_settings
from training.config import load_config

BASE = load_config("hippocampus")


def test_values_are_read_as_toml_and_bare_words_as_text() -> None:
    changed = with_settings(
        BASE,
        ["seed=7", "optimiser.name=adam", "loss.dice=0.5", "architecture.channels=[16, 32, 64]"],
    )
    assert (changed.seed, changed.optimiser.name, changed.loss.dice) == (7, "adam", 0.5)
    assert changed.architecture.channels == (16, 32, 64)


def test_nothing_else_changes() -> None:
    assert with_settings(BASE, []) == BASE


@pytest.mark.parametrize("setting", ["loss.unknown=1", "nowhere.key=1", "loss.dice", "seed.deeper=1"])
def test_what_the_configuration_does_not_hold_is_refused_by_name(setting: str) -> None:
    with pytest.raises(OptionInvalidError, match=setting.partition("=")[0]):
        with_settings(BASE, [setting])
