"""What finished jobs no longer need, removed after a time. Their rows stay: the same series again is the same job."""

import time

from bridge.state import State
from bridge.state.job_states import JobState

_OVER = (JobState.CONFIRMED, JobState.SKIPPED, JobState.SUPERSEDED)


def remove_old(state: State, keep_hours: float) -> int:
    """Files of jobs that ended ``keep_hours`` ago, and instances of series all of whose jobs did.

    Returns:
        Jobs cleared.
    """
    before = time.time() - keep_hours * 3600
    cleared = 0
    for key, series in state.jobs.old(_OVER, before):
        state.spool.remove_job(key)
        if state.series.forget(series, before):
            state.spool.remove_series(series)
            state.jobs.clear(key)
            cleared += 1
    return cleared
