"""The service as ``curl`` sees it, with what it answers checked to be what the schemas say."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import httpx

from eigenwarp.schemas.jobs import FINAL_STATES, JobRow
from eigenwarp.schemas.problem import Problem
from eigenwarp.schemas.volumes import VolumeKind, VolumeRow
from tests.servers.processes import wait_until

JOB_SECONDS = 60.0


class HttpCalls:
    """Calls of one client. Thread-safe.

    Args:
        url: of the service.
    """

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=90.0, limits=httpx.Limits(max_connections=None))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def upload(self, content: Path | bytes, kind: VolumeKind = "image", **fields: str) -> str:
        """A volume's id."""
        data = content.read_bytes() if isinstance(content, Path) else content
        answer = self.http.post("/volumes", files={"file": ("volume.nii.gz", data)}, data={"kind": kind, **fields})
        assert answer.status_code in (200, 201), answer.text
        return VolumeRow.model_validate_json(answer.content).id

    def submit(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> str:
        """A job's id; the answer is checked to be one of an accepted job."""
        answer = self.http.post(path, json=body, headers=headers)
        assert answer.status_code == 202, answer.text
        row = JobRow.model_validate_json(answer.content)
        assert answer.headers["location"].endswith(f"/jobs/{row.id}")
        assert int(answer.headers["retry-after"]) >= 0
        return row.id

    def job(self, job_id: str) -> JobRow:
        """A job as it is now."""
        answer = self.http.get(f"/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return JobRow.model_validate_json(answer.content)

    def finished(self, job_id: str, seconds: float = JOB_SECONDS) -> JobRow:
        """A job in a final state."""
        wait_until(lambda: self.job(job_id).state in FINAL_STATES, f"{job_id} has ended", seconds)
        return self.job(job_id)

    def succeeded(self, job_id: str, seconds: float = JOB_SECONDS) -> JobRow:
        """A job that ended well."""
        row = self.finished(job_id, seconds)
        assert row.state == "succeeded", row.problem
        assert row.problem is None
        return row

    def result(self, row: JobRow, name: str) -> bytes:
        """A result's bytes, checked against what the job's row says of them."""
        told = next(result for result in row.results if result.name == name)
        answer = self.http.get(told.href, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == told.content_type
        assert len(answer.content) == told.bytes
        assert hashlib.sha256(answer.content).hexdigest() == told.sha256
        return answer.content


def problem_code(answer: httpx.Response) -> str:
    """Of an answer that is a problem, checked to be well-formed."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = Problem.model_validate_json(answer.content)
    assert problem.status == answer.status_code
    return problem.type.removeprefix("/problems/")
