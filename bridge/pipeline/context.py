"""What steps work with."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from pydicom import Dataset, dcmread

from bridge.archive import Archive
from bridge.config import BridgeConfig
from bridge.config.rules import Rule
from bridge.metrics import BridgeMetrics
from bridge.state import State
from bridge.state.jobs import JobRecord
from eigenwarp.client import Client
from eigenwarp.errors import OptionInvalidError


@dataclass(frozen=True, eq=False)
class PipelineContext:
    """Shared by all steps, which run in several threads."""

    config: BridgeConfig
    state: State
    client: Client
    archive: Archive
    metrics: BridgeMetrics

    def rule_of(self, job: JobRecord) -> Rule:
        """The rule that took a job.

        Raises:
            OptionInvalidError: the configuration has it no longer.
        """
        for rule in self.config.rules:
            if rule.name == job.rule:
                return rule
        raise OptionInvalidError(f"rules: there is no rule {job.rule!r} any more; `retry` once there is")

    def instances(self, job: JobRecord, tags: Sequence[str] | None = None) -> list[Dataset]:
        """The instances that a job is of.

        Args:
            tags: only these attributes, without the pixels.

        Raises:
            StoreUnavailableError: a file is missing.
        """
        spool = self.state.spool
        found: list[Dataset] = []
        for instance in self.state.jobs.instances(job.key):
            content = BytesIO(spool.read(spool.instance(job.series, instance)))
            if tags is None:
                found.append(dcmread(content))
            else:
                found.append(dcmread(content, stop_before_pixels=True, specific_tags=list(tags)))
        return found

    def write(self, job: JobRecord, name: str, content: bytes) -> None:
        """Keep something for a later step."""
        self.state.spool.write(self.state.spool.of_job(job.key, name), content)

    def read(self, job: JobRecord, name: str) -> bytes:
        """What an earlier step kept.

        Raises:
            StoreUnavailableError: it is not there.
        """
        return self.state.spool.read(self.state.spool.of_job(job.key, name))
