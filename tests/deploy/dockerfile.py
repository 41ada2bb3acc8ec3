"""A Dockerfile, read as far as ours go: no heredocs, no ONBUILD, one shell."""

import json
import re
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Instruction:
    """``KEYWORD rest``, continuation lines joined; ``stage`` counts the FROM lines from 0."""

    stage: int
    keyword: str
    rest: str

    @property
    def words(self) -> list[str]:
        """Of the exec form, else those between blanks."""
        return json.loads(self.rest) if self.rest.startswith("[") else self.rest.split()


@dataclass(frozen=True)
class Dockerfile:
    """Its instructions, in order."""

    instructions: tuple[Instruction, ...]

    @classmethod
    def read(cls, path: Path) -> "Dockerfile":
        """Read a file."""
        lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
        found: list[Instruction] = []
        stage = -1
        for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
            keyword, _, rest = line.strip().partition(" ")
            if keyword:
                stage += keyword == "FROM"
                found.append(Instruction(stage, keyword, rest.strip()))
        return cls(tuple(found))

    def of(self, keyword: str, stage: int | None = None) -> list[Instruction]:
        """All of one keyword."""
        return [i for i in self.instructions if i.keyword == keyword and stage in (None, i.stage)]

    @property
    def last_stage(self) -> int:
        """What the image is made from."""
        return self.instructions[-1].stage

    @property
    def arguments(self) -> dict[str, str]:
        """What ``--build-arg`` may name, with the defaults."""
        pairs = (i.rest.partition("=") for i in self.of("ARG"))
        return {name: value for name, _, value in pairs}

    def environment(self, stage: int) -> dict[str, str]:
        """What ENV sets in a stage."""
        pairs = (word.partition("=") for i in self.of("ENV", stage) for word in i.words)
        return {name: value for name, _, value in pairs}

    @property
    def entry_command(self) -> list[str]:
        """What ``docker run IMAGE`` starts."""
        return self.of("ENTRYPOINT")[-1].words + self.of("CMD", self.last_stage)[-1].words

    @property
    def health_command(self) -> list[str]:
        """What HEALTHCHECK runs."""
        words: list[str] = json.loads(self.of("HEALTHCHECK")[-1].rest.partition("CMD ")[2])
        return words

    def copied(self) -> list[str]:
        """The sources in the build context that COPY names."""
        return [
            source
            for i in self.of("COPY")
            if not i.rest.startswith("--from=")
            for source in [word for word in i.words if not word.startswith("--")][:-1]
        ]


@dataclass(frozen=True)
class DockerIgnore:
    """Which files of the checkout reach the build."""

    rules: tuple[tuple[re.Pattern[str], bool], ...]

    @classmethod
    def read(cls, path: Path) -> "DockerIgnore":
        """Read a ``.dockerignore``."""
        rules = []
        for line in path.read_text().splitlines():
            pattern = line.strip()
            if pattern and not pattern.startswith("#"):
                kept = pattern.startswith("!")
                rules.append((_expression(pattern.removeprefix("!").strip("/")), kept))
        return cls(tuple(rules))

    def sends(self, path: str) -> bool:
        """Whether a file is sent: the last rule that matches it, or a folder above it, says so."""
        own = PurePosixPath(path)
        names = [str(own), *(str(folder) for folder in own.parents if str(folder) != ".")]
        sent = True
        for expression, kept in self.rules:
            if any(expression.fullmatch(name) for name in names):
                sent = kept
        return sent


def _expression(pattern: str) -> re.Pattern[str]:
    """``*`` stays within a name, ``**`` crosses folders."""
    parts = ["(?:.*/)?" if part == "**" else _name_expression(part) + "/" for part in pattern.split("/")]
    return re.compile("".join(parts).removesuffix("/"))


def _name_expression(part: str) -> str:
    return translate(part).removeprefix("(?s:").removesuffix(r")\Z").replace(".*", "[^/]*")
