"""Volumes and the grids they lie on: the value types of everything else."""

from eigenwarp.volume.geometry import Geometry, Shape
from eigenwarp.volume.volume import Segmentation, Volume

__all__ = ["Geometry", "Segmentation", "Shape", "Volume"]
