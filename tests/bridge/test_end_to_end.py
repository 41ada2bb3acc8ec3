"""A series sent to the bridge, and what the archive, the service and the disks have of it afterwards."""

import json
from collections.abc import Callable

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileDataset

from bridge.dicom.convert import convert_series
from bridge.objects.spatial_registration import read_registration
from eigenwarp.client import Client
from tests.bridge.nameless import require_nameless
from tests.bridge.phantom import PATIENT_ID, PATIENT_NAME, classic_series, stack
from tests.bridge.site import Site, encoded, send, stored
from tests.integration.deployment import Deployment
from tests.servers.orthanc import OrthancServer
from tests.servers.processes import wait_until

KINDS = ("SEG", "SR", "OT", "REG", "DOC")


def slices(seed: str, *, date: str = "20240102") -> list[FileDataset]:
    """A series of a study of its own, all of one patient."""
    series = classic_series(stack("axial", (8, -4, 3)), seed=seed)
    for dataset in series:
        dataset.StudyDate, dataset.StudyTime = date, "101112"
    return series


def objects(archive: OrthancServer, study: str) -> dict[str, list[Dataset]]:
    """What the archive has of a study, beside images."""
    found = {kind: [one for one in stored(archive, kind) if one.StudyInstanceUID == study] for kind in KINDS}
    return {kind: datasets for kind, datasets in found.items() if datasets}


def test_a_series_comes_back_once_as_objects_of_its_study_and_no_name_leaves_the_bridge(
    new_site: Callable[..., Site], archive: OrthancServer, service: Deployment
) -> None:
    site = new_site(service.url, archive)
    site.start()
    series = slices("once")
    send(series, site.port)
    (job,) = site.settled(1)
    assert job["state"] == "confirmed", (job["code"], job["reason"])
    made = objects(archive, series[0].StudyInstanceUID)
    assert {kind: len(datasets) for kind, datasets in made.items()} == dict.fromkeys(KINDS, 1)
    for dataset in (one for (one,) in made.values()):
        assert (dataset.PatientID, str(dataset.PatientName)) == (PATIENT_ID, PATIENT_NAME)

    _require_equal_to_the_services(site, service, job, series, made)

    # The same series again, and the objects themselves as a router would send them back.
    again = [*series, *(one for (one,) in made.values())]
    send(again, site.port)
    wait_until(lambda: 'outcome="own",source="peer"} 5' in site.get("/metrics").text, "all have come again", 20)
    assert [one["key"] for one in site.settled(1)] == [job["key"]]
    assert objects(archive, series[0].StudyInstanceUID).keys() == made.keys()
    assert sum(map(len, objects(archive, series[0].StudyInstanceUID).values())) == len(KINDS)

    site.stop()
    require_nameless(site, service, {PATIENT_NAME, PATIENT_ID})
    # Had they been there, they would have been found: an instance shows them.
    assert PATIENT_ID.encode() in encoded(series[0])
    shown = json.loads(site.run("show", job["key"][:12]))
    assert shown["series_instance_uid"] == series[0].SeriesInstanceUID
    assert {one["kind"] for one in shown["objects"]} == {
        "segmentation",
        "measurements",
        "jacobian",
        "registration",
        "report",
    }


def test_late_slices_make_a_revision_and_defects_are_seen_in_the_status(
    new_site: Callable[..., Site], archive: OrthancServer, service: Deployment
) -> None:
    site = new_site(service.url, archive, quiet_seconds=0.5)
    site.start()
    series = slices("late")
    gap = [dataset for number, dataset in enumerate(series) if number != 6]
    other = slices("other")
    for dataset in other:
        dataset.Modality = "PT"
    send([*gap, *other], site.port)
    jobs = {job["state"]: job for job in site.settled(2)}
    assert jobs["failed"]["code"] == "series-slice-missing"
    assert jobs["failed"]["failed_in"] == "selected"
    assert "gap" in jobs["failed"]["reason"]
    assert jobs["skipped"]["reason"] == "tiny: modality PT is none of MR"
    text = site.run("status")
    assert "failed in selected" in text
    assert "series-slice-missing" in text
    assert objects(archive, series[0].StudyInstanceUID) == {}
    # Nothing has changed, so that it fails again, in the same place.
    site.run("retry", jobs["failed"]["key"])
    assert {job["state"] for job in site.settled(2)} == {"failed", "skipped"}

    send([series[6]], site.port)
    after = {job["revision"]: job for job in site.settled(3) if job["rule"] == "tiny"}
    assert (after[1]["state"], after[2]["state"]) == ("superseded", "confirmed")
    assert sum(map(len, objects(archive, series[0].StudyInstanceUID).values())) == len(KINDS)
    assert "bridge-job-unknown" not in site.run("show", after[2]["key"])
    assert "no job, or several" in site.run("show", "nothing", code=2)
    assert "only failed and skipped jobs" in site.run("retry", after[2]["key"], code=2)


PRIOR_RULE = """
[[rules]]
name = "followup"
model = "tiny"
refine = "none"
reference = "prior"
outputs = ["segmentation", "registration"]
[rules.match]
modality = ["MR"]
"""


def test_the_earlier_study_is_found_moved_onto_the_later_one_and_referred_to(
    new_site: Callable[..., Site], archive: OrthancServer, service: Deployment, bridge_port: int
) -> None:
    commitment = f'[commitment]\nae_title = "ARCHIVE"\nhost = "127.0.0.1"\nport = {archive.dicom_port}'
    site = new_site(service.url, archive, rules=PRIOR_RULE, tail=commitment, http=False, port=bridge_port)
    site.start()
    first, second, latest = (slices(f"{year}", date=f"{year}0102") for year in (2020, 2021, 2024))
    stranger = slices("stranger", date="20230102")
    for dataset in stranger:
        dataset.PatientID = "SOMEBODY-ELSE"
    for dataset in (*first, *second, *stranger):
        archive.upload(encoded(dataset))
    send(latest, site.port)
    (job,) = site.settled(1)
    assert job["state"] == "confirmed", (job["code"], job["reason"])
    made = objects(archive, latest[0].StudyInstanceUID)
    (registration,) = made["REG"]
    others = {
        study.StudyInstanceUID for study in registration.get("StudiesContainingOtherReferencedInstancesSequence", ())
    }
    assert others == {second[0].StudyInstanceUID}
    wait_until(
        lambda: all(one["committed"] for one in json.loads(site.run("show", job["key"]))["objects"]),
        "the archive has committed itself",
        20,
    )
    # The first study of a patient has no other before it: nothing is done, and it is said why.
    send(stranger, site.port)
    (newest, _) = site.settled(2)
    assert (newest["state"], newest["code"]) == ("skipped", "prior-missing")


def _require_equal_to_the_services(
    site: Site, service: Deployment, job: dict[str, object], series: list[FileDataset], made: dict[str, list[Dataset]]
) -> None:
    """Labels and field, read back from the archive's objects, are the service's own."""
    shown = json.loads(site.run("show", str(job["key"])))
    volume = convert_series(series)
    with Client(service.url) as client:
        row = client.job(shown["notes"]["service_job"])
        labels = client.segmentation_result(row)
        field = client.field_result(row)
        subject = client.volume(row.request.fixed).subject  # type: ignore[union-attr]
    assert subject == shown["notes"]["subject"]
    assert subject is not None
    assert subject.startswith("sub-")
    (registration,) = made["REG"]
    grid = read_registration(registration).field
    expected = volume.labels_on_source(labels)
    (segmentation,) = made["SEG"]
    frames = segmentation.pixel_array
    for number, frame in enumerate(segmentation.PerFrameFunctionalGroupsSequence):
        label = segmentation.SegmentSequence[frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber - 1]
        source = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        slice_ = next(k for k, one in enumerate(volume.datasets) if source == one.SOPInstanceUID)
        value = {"head": 1, "body": 2}[label.SegmentLabel]
        assert (frames[number].astype(bool) == (expected[slice_] == value)).all()
    assert frames.sum() == (expected > 0).sum() > 0
    np.testing.assert_array_equal(grid.displacement, field.displacement)
    assert grid.geometry.matches(field.geometry)
    assert np.abs(field.displacement).max() > 0.1
