"""The hospital's archive: objects go there, and are asked for again; earlier studies come from there."""

from bridge.archive.archive import Archive, StoredSeries, StoredStudy
from bridge.archive.opening import open_archive

__all__ = ["Archive", "StoredSeries", "StoredStudy", "open_archive"]
