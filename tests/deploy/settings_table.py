"""The settings as a table for docs/operations.md: ``python -m tests.deploy.settings_table`` writes it there anew."""

import sys
from pathlib import Path

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from eigenwarp.settings import PREFIX, Settings
from tests.deploy.project import ROOT

PAGE = ROOT / "docs" / "operations.md"
START, END = "<!-- settings -->\n", "<!-- /settings -->\n"


def settings_table() -> str:
    """Every setting with its default and what it is for, in the order of the source."""
    lines = ["| setting | default | |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        assert field.description, f"{name} tells nobody what it is for"
        lines.append(f"| `{PREFIX}{name.upper()}` | {_shown(field.default)} | {field.description} |")
    return "".join(f"{line}\n" for line in lines)


def table_in(page: Path) -> str:
    """What stands between the marks."""
    return page.read_text().partition(START)[2].partition(END)[0]


def _shown(value: object) -> str:
    if value is PydanticUndefined:
        return "`~/.local/share/eigenwarp/service`"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value == ():
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    before, _, rest = PAGE.read_text().partition(START)
    PAGE.write_text(before + START + settings_table() + END + rest.partition(END)[2])
    sys.stdout.write(f"{PAGE}\n")
