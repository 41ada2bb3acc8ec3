"""Jobs: submitted, looked at, worked on, recovered. One repository, a file for each of these."""

from eigenwarp.stores.database.jobs.endings import JobEndings
from eigenwarp.stores.database.jobs.leases import JobLeases
from eigenwarp.stores.database.jobs.queries import JobQueries
from eigenwarp.stores.database.jobs.recovery import JobRecovery
from eigenwarp.stores.database.jobs.submission import JobSubmission


class JobRepository(JobSubmission, JobQueries, JobLeases, JobEndings, JobRecovery):
    """The truth about jobs.

    ``queued`` → ``running`` by a claim, back by a release or an expired lease; each ends in ``succeeded``, ``failed``
    or ``cancelled``. Every change is one transaction and is made only if the job is still in the state it leaves; what
    a worker changes, only under the token of its claim.
    """


__all__ = ["JobRepository"]
