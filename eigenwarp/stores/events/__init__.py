"""Jobs' live events, in Redis."""

from eigenwarp.stores.events.event_stream import EventStream

__all__ = ["EventStream"]
