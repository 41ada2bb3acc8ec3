"""What a series is registered with: the model's template, an earlier series, or a file that the rule names."""

from pathlib import Path

from bridge.config.rules import Rule
from bridge.pipeline.context import PipelineContext
from bridge.pipeline.prior import PRIOR_VOLUME
from bridge.state.jobs import JobRecord
from eigenwarp.errors import FileUnreadableError


def reference_volumes(context: PipelineContext, job: JobRecord, rule: Rule) -> tuple[bytes, bytes | None]:
    """Its image and its labels, as NIfTI files.

    Raises:
        FileUnreadableError: the rule's file.
        EigenwarpError: from the service, as ``Client.template``.
    """
    if rule.reference == "prior":
        return context.read(job, PRIOR_VOLUME), None
    if rule.reference_file is not None:
        return _bytes(rule.reference_file), reference_labels(context, job, rule)
    name, _, version = job.notes["model"].partition("@")
    return context.client.template(name, version), reference_labels(context, job, rule)


def reference_labels(context: PipelineContext, job: JobRecord, rule: Rule) -> bytes | None:
    """Its labels alone; None where it has none.

    Raises:
        FileUnreadableError, EigenwarpError: as ``reference_volumes``.
    """
    if rule.reference == "prior":
        return None
    if rule.reference_file is not None:
        return None if rule.reference_labels is None else _bytes(rule.reference_labels)
    name, _, version = job.notes["model"].partition("@")
    return context.client.template_labels(name, version)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadableError(f"{path}: {error.strerror or type(error).__name__}") from None
