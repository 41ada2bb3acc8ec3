"""``eigenwarp bridge``: what it would do, what it has, and what a running one answers over HTTP."""

from collections.abc import Callable
from pathlib import Path

import httpx
from pydicom.uid import generate_uid

from tests.bridge.phantom import classic_series, save_series, stack
from tests.bridge.site import Site, send
from tests.servers.processes import wait_until

NOWHERE = "http://127.0.0.1:9"


def test_check_says_what_the_bridge_would_do(new_site: Callable[..., Site]) -> None:
    site = new_site(NOWHERE)
    said = site.run("check")
    assert f"listens as EIGENWARP on 127.0.0.1:{site.port}, to SCANNER, ARCHIVE" in said
    assert "sends results to http://127.0.0.1:9 (dicomweb)" in said
    assert ", encrypted" in said
    assert "rule tiny: tiny, the model's template onto the series" in said
    assert "no answer" in site.run("check", "--connect", code=2)
    site.config.write_text(site.config.read_text().replace("quiet_seconds = 1.0", 'quiet_seconds = "soon"'))
    assert "complete.quiet_seconds" in site.run("check", code=2)


def test_plan_says_of_each_series_what_would_be_done_and_sends_nothing(
    new_site: Callable[..., Site], tmp_path: Path
) -> None:
    site = new_site(NOWHERE)
    good, gap, other = (classic_series(stack("axial"), seed=seed) for seed in ("good", "gap", "other"))
    for dataset in other:
        dataset.Modality = "CT"
    for name, series in (("good", good), ("gap", gap[:4] + gap[5:]), ("other", other)):
        (tmp_path / name).mkdir()
        save_series(series, tmp_path / name)
    (tmp_path / "notes.txt").write_text("no DICOM")
    planned = dict(line.split(": ", 1) for line in site.run("plan", str(tmp_path)).splitlines())
    assert planned[good[0].SeriesInstanceUID].startswith("rule tiny: tiny, atlas onto 18×24×14 voxels")
    assert planned[gap[0].SeriesInstanceUID].startswith("rule tiny would fail: series-slice-missing")
    assert planned[other[0].SeriesInstanceUID] == "nothing: tiny: modality CT is none of MR"
    assert len(planned) == 3
    assert "no series" in site.run("plan")
    assert not (site.state / "instances").exists()


def test_a_bridge_without_its_service_takes_what_comes_and_says_how_it_is(new_site: Callable[..., Site]) -> None:
    site = new_site(NOWHERE, quiet_seconds=600)
    site.start()
    assert site.get("/healthz").json() == {"status": "ok"}
    assert site.get("/elsewhere").status_code == httpx.codes.NOT_FOUND
    series = classic_series(stack("axial"), seed="alone")
    send(series, site.port)
    assert site.status()["arriving"] == [
        {"series": site.status()["arriving"][0]["series"], "images": len(series), "expected": None}
    ]
    assert "no instance of series" in site.run("complete", generate_uid(), code=2)
    site.run("complete", series[0].SeriesInstanceUID)
    wait_until(lambda: site.counts()["selected"] == 1, "the series has its rule, and waits for the service")
    (job,) = site.jobs()
    assert job["rule"] == "tiny"
    planned = site.run("plan")
    assert planned.startswith(f"{series[0].SeriesInstanceUID}: rule tiny")
    numbers = site.get("/metrics").text
    assert 'eigenwarp_bridge_instances_total{outcome="kept",source="peer"} 14.0' in numbers
    assert 'eigenwarp_bridge_jobs{state="selected"} 1.0' in numbers
    # Another one over the same folder is refused, and the first goes on.
    second = new_site(NOWHERE)
    second.config.write_text(second.config.read_text().replace('state = "state"', f'state = "{site.state}"'))
    assert "belongs to a bridge that runs" in second.run(code=2)
    assert site.ready()
    assert site.process is not None
    site.process.process.terminate()
    assert site.process.wait(20) == 0
