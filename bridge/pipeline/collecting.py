"""submitted → computed: the service's job waited for, and what it made fetched."""

import time

from bridge.pipeline.context import PipelineContext
from bridge.pipeline.outcome import Advance, Anew, GiveUp, Outcome, Wait
from bridge.pipeline.passing import may_pass_at_the_service
from bridge.state.job_states import JobState
from bridge.state.jobs import JobRecord
from eigenwarp.client.waiting import succeeded
from eigenwarp.errors import EigenwarpError, JobUnknownError
from eigenwarp.schemas.jobs import FINAL_STATES

SERVICE_JOB = "service_job.json"
_SHORTEST_POLL_S, _LONGEST_POLL_S = 0.3, 5.0


def collect(context: PipelineContext, job: JobRecord) -> Outcome:
    """Each result is compared with the service's hash of it and kept with the job."""
    try:
        row = context.client.job(job.notes["service_job"])
    except JobUnknownError as error:
        return Anew(JobState.CONVERTED, error.code, error.detail)
    if row.state not in FINAL_STATES:
        # A job that has gone on for long need not be asked for often.
        return Wait(min(max(_SHORTEST_POLL_S, (time.time() - job.updated_at) / 10), _LONGEST_POLL_S))
    try:
        succeeded(row)
    except EigenwarpError as error:
        if may_pass_at_the_service(error):
            return Anew(JobState.CONVERTED, error.code, error.detail)
        return GiveUp(error.code, error.detail)
    for result in row.results:
        context.write(job, f"result-{result.name}", context.client.result(row, result.name))
    context.write(job, SERVICE_JOB, row.model_dump_json().encode())
    return Advance(JobState.COMPUTED)
