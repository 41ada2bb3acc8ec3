"""Many callers at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from eigenwarp.volume.nifti import volume_to_bytes
from tests.integration.deployment import Deployment
from tests.integration.http_calls import HttpCalls
from tests.tiny_bundle import blob

CLIENTS, JOBS_EACH = 50, 10
SECONDS = 240.0


def test_five_hundred_jobs_of_fifty_callers_are_done_once_each(deployment: Deployment) -> None:
    """To two workers; each job's coefficients go into the history of a subject of its own."""

    def client(number: int) -> dict[str, str]:
        with HttpCalls(deployment.url) as calls:
            # Ten volumes among the fifty, so that the same content comes from several at once.
            volume = calls.upload(volume_to_bytes(blob(number % 10)[0]))
            jobs = {}
            for turn in range(JOBS_EACH):
                subject = f"concurrent-{number}-{turn}"
                jobs[subject] = calls.submit("/project", {"volume": volume, "subject": subject, "model": "tiny"})
            for job_id in jobs.values():
                calls.succeeded(job_id, SECONDS)
            return jobs

    with ThreadPoolExecutor(CLIENTS) as clients:
        jobs = {subject: job for made in clients.map(client, range(CLIENTS)) for subject, job in made.items()}

    assert len(set(jobs.values())) == CLIENTS * JOBS_EACH
    database = deployment.database
    records = {subject: database.jobs.get(job_id) for subject, job_id in jobs.items()}
    assert Counter(record.state for record in records.values()) == {"succeeded": CLIENTS * JOBS_EACH}
    assert Counter((record.attempt, record.token) for record in records.values()) == {(1, 1): CLIENTS * JOBS_EACH}
    assert len({record.worker for record in records.values()}) == 2, "both workers had their share"
    for subject, job_id in jobs.items():
        assert [row.job for row in database.subjects.history(subject)] == [job_id]
    by_volume = {}
    for record in records.values():
        assert record.projection is not None
        volume = record.request.model_dump()["volume"]
        assert by_volume.setdefault(volume, record.projection.coefficients) == record.projection.coefficients
    assert len(by_volume) == 10
