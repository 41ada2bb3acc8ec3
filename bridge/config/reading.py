"""The TOML file into values; what is wrong is named by its key, with the value that stands there."""

import tomllib
from pathlib import Path

from pydantic import ValidationError

from bridge.config.document import BridgeConfig
from eigenwarp.errors import FileUnreadableError, OptionInvalidError

_LONGEST_SHOWN = 80


def read_config(path: Path) -> BridgeConfig:
    """A site's configuration. Relative paths in it are relative to the file.

    Raises:
        FileUnreadableError: the file is missing or cannot be read.
        OptionInvalidError: no TOML, an unknown key, or a value out of its range; key and value are named.
    """
    try:
        document = tomllib.loads(path.read_text())
    except OSError as error:
        raise FileUnreadableError(f"{path}: {error.strerror or type(error).__name__}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionInvalidError(f"{path}: {error}") from None
    try:
        config = BridgeConfig.model_validate(document)
    except ValidationError as error:
        raise OptionInvalidError(f"{path}: {_first(error)}") from None
    return _anchored(config, path.resolve().parent)


def read_secret(path: Path, what: str) -> str:
    """A secret from its file.

    Raises:
        OptionInvalidError: it cannot be read, or is empty.
    """
    try:
        secret = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no text"
        raise OptionInvalidError(f"{what}: {path}: {reason}") from None
    if not secret:
        raise OptionInvalidError(f"{what}: {path} is empty")
    return secret


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    value = first["input"]
    shown = (
        ""
        if isinstance(value, (dict, list)) or first["type"] == "missing"
        else f" (found {repr(value)[:_LONGEST_SHOWN]})"
    )
    return f"{where}: {first['msg']}{shown}"


def _anchored(config: BridgeConfig, folder: Path) -> BridgeConfig:
    """Every path in the configuration, seen from the file's folder."""

    def seen(value: object) -> object:
        if isinstance(value, Path):
            return folder / value
        if isinstance(value, dict):
            return {name: seen(inner) for name, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [seen(inner) for inner in value]
        return value

    return BridgeConfig.model_validate(seen(config.model_dump()))
