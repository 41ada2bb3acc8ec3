"""The bridge, the service and the archive killed in the middle of it: everything arrives, and once."""

from collections.abc import Callable, Iterator

import pytest

from tests.bridge.phantom import classic_series, stack
from tests.bridge.site import Site, send, stored
from tests.integration.deployment import Deployment
from tests.servers.orthanc import OrthancServer
from tests.servers.processes import wait_until

RULE = """
[[rules]]
name = "tiny"
model = "tiny"
# Some seconds of work, so that it can be disturbed in the middle.
refine = "latent"
outputs = ["segmentation", "registration"]
[rules.match]
modality = ["MR"]
"""
SERIES = [classic_series(stack("axial"), seed=f"fault-{number}") for number in range(4)]


@pytest.fixture
def breakable(service: Deployment, archive: OrthancServer) -> Iterator[Deployment]:
    """The service, to be broken; it and the archive are mended for the next test."""
    yield service
    service.mend()
    if not archive.answers():
        archive.restart()


def test_everything_arrives_once_although_each_part_is_killed(
    new_site: Callable[..., Site], archive: OrthancServer, breakable: Deployment
) -> None:
    site = new_site(breakable.url, archive, rules=RULE)
    site.start()
    for series in SERIES:
        send(series, site.port)

    # The bridge, while the service computes.
    wait_until(lambda: site.counts()["submitted"] > 0, "the service has a job")
    site.kill()
    site.start()

    # The service, both of its processes.
    wait_until(lambda: _past(site, "submitted"), "something is on its way")
    assert breakable.web is not None
    breakable.web.kill()
    breakable.worker().kill()
    breakable.mend()

    # The archive, while objects wait for it; the bridge once more, while it is away.
    wait_until(lambda: _past(site, "made"), "objects are made")
    archive.kill()
    wait_until(lambda: site.counts()["made"] + site.counts()["delivered"] > 0, "objects wait", 90)
    site.kill()
    archive.start()
    site.start()

    jobs = site.settled(len(SERIES), 120)
    assert [job["state"] for job in jobs] == ["confirmed"] * len(SERIES), jobs
    for modality in ("SEG", "REG"):
        studies = sorted(str(one.StudyInstanceUID) for one in stored(archive, modality))
        assert studies == sorted(str(series[0].StudyInstanceUID) for series in SERIES)
    registrations = breakable.calls.http.get("/jobs?kind=register").json()["jobs"]
    asked = [row for row in registrations if row["request"]["options"]["refine"] == "latent"]
    assert len(asked) == len(SERIES), "no series was computed twice"


def test_an_archive_that_stays_away_makes_a_dead_letter_that_goes_on_when_asked(
    new_site: Callable[..., Site], archive: OrthancServer, breakable: Deployment
) -> None:
    site = new_site(breakable.url, archive, rules=RULE.replace('"latent"', '"none"'))
    site.config.write_text(site.config.read_text().replace("attempts = 40", "attempts = 3"))
    archive.kill()
    site.start()
    send(SERIES[0], site.port)
    (job,) = site.settled(1)
    assert (job["state"], job["code"], job["failed_in"]) == ("failed", "delivery-failed", "made")
    assert "2 of 2 objects" in job["reason"]
    assert "archive-unreachable" in job["reason"]
    archive.start()
    site.run("retry", "--all")
    (job,) = site.settled(1)
    assert job["state"] == "confirmed", (job["code"], job["reason"])


def _past(site: Site, state: str) -> bool:
    """Whether a job is in that state or beyond."""
    order = ["complete", "selected", "converted", "submitted", "computed", "made", "delivered", "confirmed"]
    counts = site.counts()
    return any(counts[one] for one in order[order.index(state) :])
