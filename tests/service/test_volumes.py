"""Volumes in and out: the same content once, nothing that carries a name, bytes whole and in parts."""

import gzip

import httpx
import nibabel as nib
import numpy as np
import pytest

from eigenwarp.settings import Settings
from eigenwarp.volume.nifti import volume_from_bytes
from tests.service.files import image, labels, left_behind, nifti
from tests.service.web_server import WebServer


def post(client: httpx.Client, content: bytes, **fields: str) -> httpx.Response:
    return client.post("/volumes", files={"file": ("scan.nii.gz", content, "application/gzip")}, data=fields)


def test_a_volume_is_described_and_comes_down_as_it_went_up(web: WebServer) -> None:
    with web.client() as client:
        made = post(client, image(), kind="image", subject="s-1", acquired_at="2026-01-02T03:04:05+01:00")
        assert made.status_code == 201
        row = made.json()
        assert made.headers["Location"] == f"/volumes/{row['id']}"
        assert (row["kind"], row["shape"], row["spacing_mm"], row["orientation"], row["dtype"]) == (
            "image", [16, 16, 16], [1.0, 1.0, 1.0], "RAS", "float32",
        )  # fmt: skip
        assert (row["subject"], row["acquired_at"]) == ("s-1", "2026-01-02T02:04:05Z")
        assert client.get(made.headers["Location"]).json() == row
        down = client.get(f"{made.headers['Location']}/content")
    assert down.headers["Content-Type"] == "application/gzip"
    assert int(down.headers["Content-Length"]) == row["bytes"] == len(down.content)
    assert down.headers["Content-Disposition"].startswith('attachment; filename="')
    np.testing.assert_array_equal(volume_from_bytes(down.content).data, volume_from_bytes(image()).data)


def test_the_same_content_again_is_the_same_volume(web: WebServer, settings: Settings) -> None:
    with web.client() as client:
        first, again = post(client, image()), post(client, gzip.decompress(image()))
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        assert post(client, labels(), kind="segmentation").json()["labels"] == [1, 2]
    assert len(left_behind(web.resources, settings)) == 2


def test_no_name_comes_down(web: WebServer) -> None:
    values = np.arange(512, dtype=np.int16).reshape(8, 8, 8)
    made = nib.Nifti1Image(values, np.eye(4))
    for field in ("descrip", "db_name", "aux_file", "intent_name"):
        made.header[field] = b"Doe^Jane"
    made.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Doe^Jane"))
    with web.client() as client:
        row = post(client, made.to_bytes()).json()
        down = client.get(f"/volumes/{row['id']}/content").content
    assert row["dtype"] == "int16"
    assert b"Doe" not in gzip.decompress(down)


def test_a_part_is_had_by_its_range(web: WebServer) -> None:
    with web.client() as client:
        path = f"/volumes/{post(client, image()).json()['id']}/content"
        whole = client.get(path)
        content, etag = whole.content, whole.headers["ETag"]
        for wanted, expected in [
            ("bytes=0-9", content[:10]),
            ("bytes=10-", content[10:]),
            ("bytes=-7", content[-7:]),
            (f"bytes=5-{10**12}", content[5:]),
            (f"bytes=-{10**9}", content),
        ]:
            part = client.get(path, headers={"Range": wanted, "If-Range": etag})
            assert (part.status_code, part.content) == (206, expected), wanted
            start = content.index(expected)
            assert part.headers["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/{len(content)}"
        for ignored in ("bytes=5-2", "bytes=a-b", "items=0-1", "bytes=0-1,3-4", "bytes=-", "bytes"):
            assert client.get(path, headers={"Range": ignored}).status_code == 200, ignored
        assert client.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'}).status_code == 200
        for outside in (f"bytes={len(content)}-", "bytes=-0"):
            refused = client.get(path, headers={"Range": outside})
            assert (refused.status_code, refused.json()["type"]) == (416, "/problems/range-invalid")
            assert refused.headers["Content-Range"] == f"bytes */{len(content)}"
        head = client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(content)


def test_what_the_caller_holds_is_not_sent(web: WebServer) -> None:
    with web.client() as client:
        path = f"/volumes/{post(client, image()).json()['id']}/content"
        etag = client.get(path).headers["ETag"]
        assert not etag.startswith("W/")
        for held in (etag, f'"x", {etag}', f"W/{etag}", "*"):
            answer = client.get(path, headers={"If-None-Match": held})
            assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
        assert client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200
        assert client.get(path, headers={"If-Match": f'"x", {etag}'}).status_code == 200
        other = client.get(path, headers={"If-Match": '"x"'})
    assert (other.status_code, other.json()["type"]) == (412, "/problems/precondition-failed")


def test_an_erased_volume_is_gone_and_may_come_again(web: WebServer, settings: Settings) -> None:
    with web.client() as client:
        path = f"/volumes/{post(client, image()).json()['id']}"
        assert client.delete(path).status_code == 204
        assert left_behind(web.resources, settings) == []
        for gone in (client.get(path), client.get(f"{path}/content"), client.delete(path)):
            assert (gone.status_code, gone.json()["type"]) == (404, "/problems/volume-unknown")
        assert post(client, image()).status_code == 201
        assert client.get(f"{path}/content").status_code == 200


@pytest.mark.parametrize(
    ("content", "dtype"), [(nifti(np.arange(64, dtype=d).reshape(4, 4, 4)), d) for d in ("uint8", "int16", "float64")]
)
def test_the_voxel_type_is_kept(web: WebServer, content: bytes, dtype: str) -> None:
    with web.client() as client:
        row = post(client, content).json()
        down = client.get(f"/volumes/{row['id']}/content").content
    assert nib.Nifti1Image.from_bytes(gzip.decompress(down)).get_data_dtype() == np.dtype(dtype)
    assert row["dtype"] == dtype
