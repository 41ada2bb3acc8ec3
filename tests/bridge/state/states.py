"""A bridge's state in a folder, and instances to put into it."""

from pathlib import Path

from bridge.config import BridgeConfig
from bridge.state import State
from bridge.state.series import NewInstance, SeriesIdentity


def config(folder: Path, **values: object) -> BridgeConfig:
    return BridgeConfig.model_validate(
        {
            "state": folder,
            "service": {"url": "http://127.0.0.1:9"},
            "archive": {"kind": "dicomweb", "url": "http://127.0.0.1:9"},
            "rules": [{"name": "any", "match": {"modality": ["MR"]}}],
            **values,
        }
    )


def add(state: State, series: str, number: int, *, expected: int | None = None, at: float | None = None) -> bool:
    """An instance of a series, without a file."""
    identity = SeriesIdentity(study_uid="1.2.3", series_uid=f"1.2.3.{series}")
    return state.series.add(NewInstance(f"{series}-{number}", series, identity, 100, expected), at)
