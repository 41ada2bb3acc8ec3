"""A job's way from a series to objects in the archive: one step for each state, each of which may be made again."""

from bridge.pipeline.context import PipelineContext
from bridge.pipeline.runner import Runner

__all__ = ["PipelineContext", "Runner"]
