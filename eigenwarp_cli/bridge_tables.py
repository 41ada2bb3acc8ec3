"""What ``eigenwarp bridge`` shows."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from eigenwarp_cli.output import print_text, results

if TYPE_CHECKING:
    from bridge.config import BridgeConfig
    from bridge.config.rules import Rule
    from bridge.planning import PlannedSeries
    from bridge.state import State
    from bridge.state.jobs import JobRecord


def print_check(config: "BridgeConfig") -> None:
    """The configuration in sentences."""
    listener = config.listener
    if listener is not None:
        peers = ", ".join(peer.ae_title for peer in listener.peers) or "everybody on this machine"
        how = " over TLS" if listener.tls else ""
        print_text(f"listens as {listener.ae_title} on {listener.host}:{listener.port}{how}, to {peers}")
    for watch in config.watch:
        print_text(f"watches {watch.kind} {watch.url} every {watch.seconds:g} s")
    archive = config.archive
    where = archive.url if archive.kind == "dicomweb" else f"{archive.ae_title} at {archive.host}:{archive.port}"
    print_text(f"sends results to {where} ({archive.kind})")
    if config.commitment is not None:
        print_text(f"asks {config.commitment.ae_title} for storage commitment")
    print_text(f"computes at {config.service.url}")
    kept = "encrypted" if config.privacy.key_file else "NOT encrypted: privacy.key_file names no key"
    print_text(f"keeps its state in {config.state}, {kept}")
    for rule in config.rules:
        print_text(f"rule {rule.name}: {_does(rule)}")


def _does(rule: "Rule") -> str:
    reference = rule.reference_file or {"atlas": "the model's template", "prior": "the earlier study"}[rule.reference]
    pair = f"{reference} onto the series" if rule.role == "fixed" else f"the series onto {reference}"
    text = f"{rule.model}, {pair}, refine {rule.refine}; gives {', '.join(rule.outputs)}"
    if rule.box is not None:
        return f"{text}; crops to the box {rule.box.in_patient().text}"
    if rule.segmentation is not None:
        return f"{text}; crops to the study's {rule.segmentation.text} and {rule.segmentation.margin_mm:g} mm around it"
    if rule.localize is None:
        return text
    side = rule.localize.side
    read = side if isinstance(side, str) else f"by {side.tag}"
    return f"{text}; finds the {rule.localize.structure}, side {read}"


def print_plan(planned: "list[PlannedSeries]") -> None:
    """A line for each series."""
    for series in planned:
        print_text(f"{series.name}: {series.text}")
    if not planned:
        print_text("no series")


def print_status(state: "State", *, as_json: bool, everything: bool) -> None:
    """Tables, or one JSON document."""
    from bridge.state.job_states import GOING_ON, JobState

    shown = (*GOING_ON, JobState.FAILED, JobState.SKIPPED)
    jobs = [job for job in state.jobs.all() if everything or job.state in shown]
    arriving = state.series.arriving()
    if as_json:
        document = {
            "arriving": [{"series": one.id, "images": one.images, "expected": one.expected} for one in arriving],
            "jobs": [_row(job) for job in jobs],
            "counts": {str(name): count for name, count in state.jobs.counts().items()},
        }
        print_text(json.dumps(document, indent=1))
        return
    from rich.table import Table
    from rich.text import Text

    print_text(", ".join(f"{count} {name}" for name, count in state.jobs.counts().items() if count) or "no jobs")
    for one in arriving:
        of = f" of {one.expected}" if one.expected else ""
        print_text(f"arriving: {one.images}{of} images of series {one.id[:16]}")
    if not jobs:
        return
    table = Table(box=None)
    for heading in ("job", "rev", "images", "state", "rule", "tries", "changed", "reason"):
        table.add_column(heading, no_wrap=heading != "reason")
    for job in jobs:
        where = f"{job.state} in {job.failed_in}" if job.state is JobState.FAILED else str(job.state)
        reason = Text(f"{job.code}: {job.reason}" if job.code else "")
        changed = f"{datetime.fromtimestamp(job.updated_at, UTC):%Y-%m-%d %H:%M:%S}"
        cells = (job.key, str(job.revision), str(job.images), where, job.rule or "", str(job.attempts), changed)
        table.add_row(*cells, reason)
    results().print(table, highlight=False)


def print_job(state: "State", job: "JobRecord") -> None:
    """Everything that is known of one job, as JSON."""
    series = state.series.get(job.series)
    document = {
        **_row(job),
        "study_instance_uid": series.identity.study_uid if series else None,
        "series_instance_uid": series.identity.series_uid if series else None,
        "notes": dict(job.notes),
        "objects": [
            {
                "kind": result.kind,
                "state": str(result.state),
                "code": result.code,
                "attempts": result.attempts,
                "series_instance_uid": result.identity.series_uid,
                "sop_class_uid": result.identity.sop_class_uid,
                "sop_instance_uid": result.identity.sop_instance_uid,
                "committed": result.committed_at is not None,
            }
            for result in state.results.of(job.key)
        ],
    }
    print_text(json.dumps(document, indent=1))


def _row(job: "JobRecord") -> dict[str, object]:
    return {
        "key": job.key,
        "revision": job.revision,
        "images": job.images,
        "state": str(job.state),
        "failed_in": None if job.failed_in is None else str(job.failed_in),
        "rule": job.rule,
        "code": job.code,
        "reason": job.reason,
        "attempts": job.attempts,
        "created_at": datetime.fromtimestamp(job.created_at, UTC).isoformat(),
        "updated_at": datetime.fromtimestamp(job.updated_at, UTC).isoformat(),
    }
