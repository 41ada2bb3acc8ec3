"""What the bridge remembers: instances, series, jobs, results, cursors. On disk before anything is answered."""

from bridge.state.opening import State, open_state

__all__ = ["State", "open_state"]
