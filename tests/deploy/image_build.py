"""A Dockerfile's build stage, carried out in a folder: its COPY and RUN lines as they are, without a container."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.deploy.dockerfile import Dockerfile, DockerIgnore, Instruction
from tests.deploy.project import ROOT

# Where the build stage writes. Paths below these are laid under the folder; all others are the machine's own.
_INSIDE = ("/opt/eigenwarp", "/src", "/var/lib/eigenwarp")

# Of this process's environment, what would make an installation find what the image would not.
_LEFT_OUT = ("PYTHON", "VIRTUAL_ENV", "EIGENWARP_")


class ImageBuild:
    """An image's file tree, as far as it is ours, below a folder.

    Stages share the one tree: the last takes the environment from the first under the same name, and that is checked.

    Args:
        dockerfile: what to build.
        folder: an empty one.
        arguments: as ``--build-arg``.
    """

    def __init__(self, dockerfile: Dockerfile, folder: Path, arguments: Mapping[str, str] | None = None) -> None:
        self.dockerfile = dockerfile
        self._folder = folder
        self._arguments = {**dockerfile.arguments, **(arguments or {})}
        self._work = folder
        shims = folder / "shims"
        shims.mkdir()
        (shims / "python").symlink_to(Path(sys._base_executable))
        kept = {key: value for key, value in os.environ.items() if not key.startswith(_LEFT_OUT)}
        own = Path(sys.executable).parent
        path = [str(shims), *(part for part in os.environ["PATH"].split(":") if part != str(own))]
        cache = os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip"))
        self._environment = {**kept, "HOME": str(folder), "PATH": ":".join(path), "PIP_CACHE_DIR": cache}

    def here(self, text: str) -> str:
        """Paths inside the image, as they are on this machine."""
        for inside in _INSIDE:
            text = text.replace(inside, f"{self._folder}{inside}")
        return text

    def build(self) -> None:
        """Carry out the first stage; of the last, what it copies."""
        self._carry_out(self.dockerfile.instructions, {})
        (self._folder / "var/lib/eigenwarp").mkdir(parents=True, exist_ok=True)

    def resolve_the_lock(self) -> str:
        """Carry out the build as far as the installation of the lock file, of which pip only says what it would do."""
        up_to = next(n for n, i in enumerate(self.dockerfile.instructions) if "--requirement" in i.rest)
        self._carry_out(self.dockerfile.instructions[:up_to], {})
        return self._carry_out(self.dockerfile.instructions[up_to : up_to + 1], {"PIP_DRY_RUN": "1"})

    def _carry_out(self, instructions: Sequence[Instruction], given: Mapping[str, str]) -> str:
        last, output = self.dockerfile.last_stage, ""
        for instruction in instructions:
            if instruction.keyword == "WORKDIR":
                self._work = Path(self.here(instruction.rest))
                self._work.mkdir(parents=True, exist_ok=True)
            elif instruction.keyword == "COPY":
                self._copy(instruction)
            elif instruction.keyword == "RUN" and instruction.stage != last:
                environment = self._environment | self._arguments | self.dockerfile.environment(instruction.stage)
                # Off for the image's size; here it spares the index a second download of each package.
                environment.pop("PIP_NO_CACHE_DIR", None)
                output += self.run(["sh", "-c", self.here(instruction.rest)], environment | dict(given))
        return output

    def run(self, command: list[str], environment: Mapping[str, str]) -> str:
        """A command in the tree; its output.

        Raises:
            AssertionError: it failed.
        """
        done = subprocess.run(
            command, cwd=self._work, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout[-4000:]}"
        return done.stdout

    def container_environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """What a container's process finds: the image's ENV, and what ``docker run --env`` adds."""
        own = self.dockerfile.environment(self.dockerfile.last_stage)
        own["PATH"] = own["PATH"].replace("$PATH", self._environment["PATH"])
        return self._environment | {key: self.here(value) for key, value in own.items()} | dict(given)

    def in_container(self, command: list[str], environment: Mapping[str, str]) -> list[str]:
        """A command of the image, its program found on the image's PATH."""
        program = shutil.which(command[0], path=environment["PATH"])
        assert program is not None, command[0]
        assert program.startswith(str(self._folder)), f"{program} is not the image's"
        return [program, *command[1:]]

    def _copy(self, instruction: Instruction) -> None:
        *sources, target = instruction.words
        if sources[0].startswith("--from="):
            assert sources[1] == target, "a virtual environment works where it was made only"
            assert Path(self.here(target)).exists()
            return
        ignored = DockerIgnore.read(ROOT / ".dockerignore")
        destination = Path(self.here(target)) if target.startswith("/") else self._work / target
        for source in sources:
            path = ROOT / source
            files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
            for file in files:
                if ignored.sends(str(file.relative_to(ROOT))):
                    copied = destination / (file.name if path.is_file() else file.relative_to(path))
                    copied.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, copied)
