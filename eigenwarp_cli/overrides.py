"""``--set section.key=value``: changes to a training configuration."""

import tomllib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from eigenwarp.errors import OptionInvalidError

if TYPE_CHECKING:
    from training.config import TrainingConfig


def with_settings(config: "TrainingConfig", settings: Sequence[str]) -> "TrainingConfig":
    """A configuration with some values replaced.

    Args:
        settings: ``section.key=value`` or ``key=value``, the value as in TOML; bare words are text.

    Raises:
        OptionInvalidError: no such key, or a value that the configuration refuses; the setting is named.
    """
    from training.config import TrainingConfig

    values = config.to_dict()
    for setting in settings:
        path, equals, text = setting.partition("=")
        *sections, key = path.strip().split(".")
        table: object = values
        for section in sections:
            table = table.get(section) if isinstance(table, dict) else None
        if not equals or not isinstance(table, dict):
            raise OptionInvalidError(f"--set {setting!r}: expected section.key=value of the configuration")
        if key not in table:
            raise OptionInvalidError(f"--set {setting!r}: no {path!r}; there are {', '.join(sorted(map(str, table)))}")
        table[key] = _value(text.strip())
    return TrainingConfig.from_dict(values)


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
