"""What is kept of a stage that has run: its findings, and a fingerprint of all they depend on."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from eigenwarp.model.bundle import Bundle
from training.data.cohort import Cohort
from training.experiment.findings import Findings

PNG, CSV = ".png", ".csv"


@dataclass(frozen=True)
class Fingerprint:
    """What a stage's findings depend on; two that are equal stand for the same findings.

    Args:
        model, with_skips: name and version of the bundles.
        subjects: hash of the names and files of both groups.
        seed: of everything random.
        code: of the stage, ``source_version``.
    """

    model: str
    with_skips: str
    subjects: str
    seed: int
    code: str


@dataclass(frozen=True)
class Record:
    """One stage's findings, as they lie in ``stages/NAME.json``.

    Args:
        made: when, UTC, ISO 8601.
        seconds: that it took.
    """

    fingerprint: Fingerprint
    made: str
    seconds: float
    findings: Findings


_RECORD = TypeAdapter(Record)


def record_path(out: Path, stage: str) -> Path:
    return out / "stages" / f"{stage}.json"


def write_record(out: Path, stage: str, record: Record) -> None:
    """Write a record; the file appears whole or not at all. A number that is not finite becomes a gap."""
    path = record_path(out, stage)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(_RECORD.dump_json(record, indent=1) + b"\n")
    os.replace(partial, path)


def read_record(out: Path, stage: str) -> Record | None:
    """A stage's record; None where there is none, one that cannot be read, or one whose pictures are gone."""
    try:
        record = _RECORD.validate_json(record_path(out, stage).read_bytes())
    except (OSError, ValidationError):
        return None
    pictures = [out / "figures" / f"{figure.name}{PNG}" for figure in record.findings.figures]
    return record if all(picture.is_file() for picture in pictures) else None


def remove_superseded(out: Path, old: Record, new: Record) -> None:
    """Remove the pictures and tables of an earlier record that the new one no longer names."""
    kept = {figure.name for figure in new.findings.figures}
    for figure in old.findings.figures:
        if figure.name not in kept:
            (out / "figures" / f"{figure.name}{PNG}").unlink(missing_ok=True)
    kept = {table.name for table in new.findings.tables}
    for table in old.findings.tables:
        if table.name not in kept:
            (out / "tables" / f"{table.name}{CSV}").unlink(missing_ok=True)


def describe_bundle(bundle: Bundle) -> str:
    return f"{bundle.name} {bundle.version}"


def hash_subjects(*cohorts: Cohort) -> str:
    """Of the names of all subjects and the content of their files: twelve hexadecimal digits."""
    digest = hashlib.sha256()
    for cohort in cohorts:
        digest.update(f"{len(cohort)}\n".encode())
        for subject in cohort.subjects:
            for path in (subject.image, subject.segmentation):
                content = b"" if path is None else path.read_bytes()
                digest.update(f"{subject.name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()[:12]
