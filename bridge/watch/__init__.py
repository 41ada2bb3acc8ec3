"""Archives that are looked into for new series."""

from bridge.watch.opening import Watcher, open_watch

__all__ = ["Watcher", "open_watch"]
