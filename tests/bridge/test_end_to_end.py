"""A series sent to the bridge, and what the archive has of it afterwards."""

from collections.abc import Callable

from tests.bridge.phantom import classic_series, stack
from tests.bridge.site import Site, send, stored
from tests.integration.deployment import Deployment
from tests.servers.orthanc import OrthancServer


def test_a_series_comes_back_as_objects_of_the_same_study(
    new_site: Callable[..., Site], archive: OrthancServer, service: Deployment
) -> None:
    site = new_site(service.url, archive)
    site.start()
    series = classic_series(stack("axial", (8, -4, 3)))
    send(series, site.port)
    (job,) = site.settled(1)
    assert job["state"] == "confirmed", job
    for modality in ("SEG", "OT", "REG"):
        (made,) = stored(archive, modality)
        assert made.StudyInstanceUID == series[0].StudyInstanceUID
