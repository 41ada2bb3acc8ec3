"""Who is let in, what is taken, and what is on the disk when a sender is answered."""

import ssl
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydicom import Dataset, dcmread
from pydicom.pixels import get_decoder
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless, generate_uid
from pynetdicom import AE
from pynetdicom.presentation import build_role
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance, Verification

from bridge.objects.identity import ResultIdentity
from bridge.receive.intake import read_header
from bridge.receive.transfer_syntaxes import TRANSFER_SYNTAXES
from bridge.refusals import InstanceInvalidError
from eigenwarp.errors import OptionInvalidError
from tests.bridge.phantom import classic_series, stack
from tests.bridge.receive.listening import Listening, listening
from tests.bridge.site import AE_TITLE, SCANNER, associate, encoded, send, statuses
from tests.servers.certificates import Authority
from tests.servers.processes import wait_until

SERIES = classic_series(stack("axial", shape=(4, 24, 18)))


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listening]:
    with listening(tmp_path) as made:
        yield made


def kept(listener: Listening, dataset: Dataset) -> bytes:
    """What lies on the disk of an instance."""
    state = listener.state
    series = state.pseudonyms.of("series", dataset.SeriesInstanceUID)
    instance = state.pseudonyms.of("instance", dataset.SOPInstanceUID)
    assert instance in state.series.instances(series)
    return state.spool.read(state.spool.instance(series, instance))


def copies(count: int, series: str) -> list[Dataset]:
    """So many small instances of one series."""
    made = []
    for number in range(count):
        one = deepcopy(SERIES[0])
        one.SOPInstanceUID = generate_uid(entropy_srcs=[series, str(number)])
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        one.SeriesInstanceUID = generate_uid(entropy_srcs=[series])
        made.append(one)
    return made


def test_an_instance_is_on_the_disk_and_in_the_state_when_its_sender_is_answered(listener: Listening) -> None:
    association = associate(SERIES, listener.port)
    for number, dataset in enumerate(SERIES, 1):
        assert association.send_c_store(dataset).Status == 0
        time.sleep(0.02)
        assert listener.count("kept") == number
        arrived = dcmread(BytesIO(kept(listener, dataset)))
        assert arrived.PixelData == dataset.PixelData
        assert arrived.file_meta.TransferSyntaxUID == dataset.file_meta.TransferSyntaxUID
    association.release()


def test_it_answers_an_echo(listener: Listening) -> None:
    entity = AE(ae_title=SCANNER)
    entity.add_requested_context(Verification)
    association = entity.associate("127.0.0.1", listener.port, ae_title=AE_TITLE)
    assert association.send_c_echo().Status == 0
    association.release()


@pytest.mark.parametrize(("called", "calling"), [("SOMEBODY", SCANNER), (AE_TITLE, "STRANGER")])
def test_other_titles_are_rejected(listener: Listening, called: str, calling: str) -> None:
    association = associate(SERIES, listener.port, called=called, calling=calling)
    assert association.is_rejected
    assert listener.state.series.arriving() == []


def test_a_peer_that_calls_from_elsewhere_is_rejected(tmp_path: Path) -> None:
    with listening(tmp_path, peers=[{"ae_title": SCANNER, "hosts": ["192.0.2.1"]}]) as listener:
        assert associate(SERIES, listener.port).is_rejected
        assert listener.refused("unknown-peer") == 1


def test_the_same_instance_again_is_answered_and_changes_nothing(listener: Listening) -> None:
    assert statuses([SERIES[0], SERIES[0]], listener.port) == [0, 0]
    assert (listener.count("kept"), listener.count("duplicate")) == (1, 1)


def test_what_the_bridge_made_is_answered_and_left(listener: Listening) -> None:
    own = deepcopy(SERIES[0])
    own.Manufacturer, own.ManufacturerModelName = ResultIdentity.manufacturer, ResultIdentity.model_name
    assert statuses([own], listener.port) == [0]
    assert (listener.count("own"), listener.count("kept")) == (1, 0)


def test_an_instance_without_its_series_is_refused(listener: Listening) -> None:
    nameless = deepcopy(SERIES[0])
    del nameless.SeriesInstanceUID
    assert statuses([nameless, SERIES[1]], listener.port) == [0xC000, 0]
    assert listener.refused("instance-invalid") == 1


def test_a_compressed_instance_is_kept_as_it_came(listener: Listening) -> None:
    compressed = deepcopy(SERIES[0])
    compressed.compress(RLELossless)
    compressed = dcmread(BytesIO(encoded(compressed)))
    assert statuses([compressed], listener.port) == [0]
    arrived = dcmread(BytesIO(kept(listener, compressed)))
    assert arrived.file_meta.TransferSyntaxUID == RLELossless
    assert (arrived.pixel_array == SERIES[0].pixel_array).all()


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES, ids=lambda syntax: syntax.name)
def test_what_is_taken_can_be_decoded(syntax: UID) -> None:
    assert get_decoder(syntax).is_available


def test_an_association_is_given_up_when_its_instance_outgrows_the_limit(tmp_path: Path) -> None:
    large = deepcopy(SERIES[0])
    large.Rows = large.Columns = 1200
    large.PixelData = bytes(2 * 1200 * 1200)
    with listening(tmp_path, instance_bytes=100_000) as listener:
        association = associate([large], listener.port)
        assert "Status" not in association.send_c_store(large)
        assert listener.refused("too-large") >= 1
        assert listener.count("kept") == 0
        assert statuses([SERIES[0]], listener.port) == [0]


def test_a_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    with listening(tmp_path, free_bytes=1 << 60) as listener:
        assert statuses([SERIES[0]], listener.port) == [0xA700]
        assert listener.state.series.arriving() == []


def test_a_peer_that_is_too_fast_is_kept_waiting(tmp_path: Path) -> None:
    with listening(tmp_path, instances_per_minute=120) as listener:
        began = time.monotonic()
        assert statuses(copies(13, "fast"), listener.port) == [0] * 13
        # Ten at once, then two a second.
        assert time.monotonic() - began > 0.9


def test_one_association_too_many_is_rejected_until_another_has_ended(tmp_path: Path) -> None:
    with listening(tmp_path, associations=2) as listener:
        held = [associate(SERIES, listener.port) for _ in range(2)]
        assert all(one.is_established for one in held)
        assert associate(SERIES, listener.port).is_rejected
        for one in held:
            one.release()
        wait_until(lambda: associate(SERIES, listener.port).is_established, "there is room again", 5)


def test_twenty_associations_at_once_lose_nothing(listener: Listening) -> None:
    series = [copies(10, f"series-{number}") for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda datasets: send(datasets, listener.port), series))
    arrived = {one.identity.series_uid: one.images for one in listener.state.series.arriving()}
    assert arrived == {datasets[0].SeriesInstanceUID: 10 for datasets in series}


def test_a_series_of_a_thousand_slices_arrives_whole() -> None:
    # In memory where there is such a folder: three thousand waits for a disk that others use take a minute.
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder, listening(Path(folder)) as listener:
        datasets = copies(1000, "thousand")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda part: send(datasets[part::8], listener.port), range(8)))
        (series,) = listener.state.series.arriving()
        assert series.images == 1000
        assert sorted(listener.state.series.instances(series.id)) == sorted(
            listener.state.pseudonyms.of("instance", one.SOPInstanceUID) for one in datasets
        )


def test_the_answer_to_a_commitment_request_is_taken(listener: Listening) -> None:
    entity = AE(ae_title=SCANNER)
    entity.add_requested_context(StorageCommitmentPushModel)
    association = entity.associate(
        "127.0.0.1", listener.port, ae_title=AE_TITLE, ext_neg=[build_role(StorageCommitmentPushModel, scp_role=True)]
    )
    answer = Dataset()
    answer.TransactionUID = generate_uid()
    for name, uid in (("ReferencedSOPSequence", "1.2.3"), ("FailedSOPSequence", "1.2.4")):
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2", uid
        setattr(answer, name, [item])
    status, _ = association.send_n_event_report(
        answer, 2, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
    )
    association.release()
    assert status.Status == 0
    assert listener.committed == [(["1.2.3"], ["1.2.4"])]


def test_over_tls_only_a_peer_with_a_certificate_gets_in(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    tls = {"certificate": certificate, "key": key, "authority": certificate}
    with listening(tmp_path / "state", tls=tls) as listener:
        entity = AE(ae_title=SCANNER)
        entity.acse_timeout = 5
        entity.add_requested_context(SERIES[0].SOPClassUID, ExplicitVRLittleEndian)
        context = ssl.create_default_context(cafile=str(certificate))
        refused = entity.associate("127.0.0.1", listener.port, ae_title=AE_TITLE, tls_args=(context, "127.0.0.1"))
        assert not refused.is_established
        context.load_cert_chain(certificate, key)
        association = entity.associate("127.0.0.1", listener.port, ae_title=AE_TITLE, tls_args=(context, "127.0.0.1"))
        assert association.send_c_store(SERIES[0]).Status == 0
        association.release()


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"key": "other.key"}, r"listener\.tls\.key: .*other\.key is not the key of the certificate .*own\.pem"),
        ({"certificate": "late.pem", "key": "late.key"}, r"listener\.tls\.certificate: .*late\.pem ran out on"),
        ({"authority": "nowhere.pem"}, r"listener\.tls\.authority: .*nowhere\.pem: No such file"),
    ],
)
def test_tls_files_that_do_not_fit_are_named_and_nothing_listens(
    tmp_path: Path, files: dict[str, str], named: str
) -> None:
    authority = Authority(tmp_path, "authority")
    for name, days in (("own", 2), ("other", 2), ("late", -2)):
        authority.issue(name, days=days)
    tls = {name: tmp_path / file for name, file in {"certificate": "own.pem", "key": "own.key", **files}.items()}
    with pytest.raises(OptionInvalidError, match=named), listening(tmp_path / "state", tls=tls):
        pass


def test_bytes_that_are_no_dicom_are_refused(listener: Listening) -> None:
    whole = encoded(SERIES[0])
    assert read_header(whole).sop_instance_uid == SERIES[0].SOPInstanceUID
    for content in (b"", b"GIF89a", whole[:150], b"\0" * 128 + b"DICM"):
        with pytest.raises(InstanceInvalidError):
            read_header(content)
