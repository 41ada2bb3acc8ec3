"""What would be done with series, without doing it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from bridge.config import BridgeConfig
from bridge.config.rules import Rule
from bridge.dicom.convert import convert_series
from bridge.dicom.region import covered
from bridge.dicom.series_volume import SeriesVolume
from bridge.select import Chosen, choose, facts_of
from bridge.state import State
from eigenwarp.errors import EigenwarpError, FileUnreadableError


@dataclass(frozen=True)
class PlannedSeries:
    """Args: name: the series' UID; text: what would be done, or why nothing."""

    name: str
    text: str


def plan_files(config: BridgeConfig, folders: Sequence[Path]) -> list[PlannedSeries]:
    """Of the DICOM files under some folders; other files are left out.

    Raises:
        FileUnreadableError: a folder is missing.
    """
    found: dict[str, list[Dataset]] = {}
    for folder in folders:
        if not folder.exists():
            raise FileUnreadableError(f"{folder}: no such folder")
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if path.is_file() and (dataset := _read(path)) is not None:
                found.setdefault(str(dataset.get("SeriesInstanceUID") or "no SeriesInstanceUID"), []).append(dataset)
    return [PlannedSeries(uid, _planned(config, datasets)) for uid, datasets in sorted(found.items())]


def plan_state(config: BridgeConfig, state: State) -> list[PlannedSeries]:
    """Of the series whose instances the bridge holds."""
    planned = []
    for series in state.series.held():
        instances = (
            dcmread(BytesIO(state.spool.read(state.spool.instance(series.id, instance))))
            for instance in state.series.instances(series.id)
        )
        planned.append(PlannedSeries(series.identity.series_uid, _planned(config, instances)))
    return planned


def _planned(config: BridgeConfig, instances: Iterable[Dataset]) -> str:
    datasets = list(instances)
    found = choose(config.rules, facts_of(datasets))
    if not isinstance(found, Chosen):
        return f"nothing: {found.text}"
    rule = found.rule
    try:
        series = convert_series(datasets, rule.conversion.tolerances(), rule.conversion.overrides())
        series.require_writable()
        region = _region(rule, series)
    except EigenwarpError as error:
        return f"rule {rule.name} would fail: {error.code}: {error.detail}"
    side = "" if found.side is None else f", {found.side} {rule.localize.structure}" if rule.localize else ""
    shape = "×".join(str(n) for n in series.volume.shape)
    spacing = "×".join(f"{mm:.3g}" for mm in series.volume.geometry.spacing)
    voxels = f"{shape} voxels of {spacing} mm"
    pair = f"{rule.reference} onto {voxels}" if rule.role == "fixed" else f"{voxels} onto {rule.reference}"
    return f"rule {rule.name}: {rule.model}, {pair}{side}{region}; gives {', '.join(rule.outputs)}"


def _region(rule: Rule, series: SeriesVolume) -> str:
    """What of the series would be sent."""
    if rule.segmentation is not None:
        return f", cropped to the study's {rule.segmentation.text} and {rule.segmentation.margin_mm:g} mm around it"
    if rule.box is None:
        return ""
    box = rule.box.in_patient()
    return f", cropped to {covered(series.volume.geometry, box).text} by the box {box.text}"


def _read(path: Path) -> Dataset | None:
    try:
        return dcmread(path)
    except (InvalidDicomError, OSError):
        return None
