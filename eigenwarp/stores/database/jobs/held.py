"""The fence: what a worker may change, and only under the token of its claim."""

from sqlalchemy import Update, update

from eigenwarp.errors import LeaseLostError
from eigenwarp.stores.database.tables import jobs


def held(job_id: str, token: int) -> Update:
    """An update of a running job that changes nothing unless the token is the latest."""
    return update(jobs).where(jobs.c.id == job_id, jobs.c.state == "running", jobs.c.token == token)


def lost(job_id: str) -> LeaseLostError:
    """The job is another worker's, has ended or is gone."""
    return LeaseLostError(f"job {job_id} is no longer held by this worker")
