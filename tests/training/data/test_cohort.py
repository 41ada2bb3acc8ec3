"""Three layouts of a data set are read alike, and each defect is refused with its name."""

import json
from pathlib import Path

import pytest

from eigenwarp.errors import DataSetError
from eigenwarp.volume import Geometry
from tests.training.data.conftest import FolderMaker, label_bytes
from training.data.cohort import open_cohort

SPLIT = {"train": ["b", "a"], "validation": ["c"]}


def test_plain_folder_gives_every_subject_in_sorted_order(folder: FolderMaker) -> None:
    cohort = open_cohort(folder("b", "a", "c"))
    assert cohort.names == ("a", "b", "c")
    volume, segmentation = cohort.load(1)
    assert volume.shape == segmentation.shape == (4, 5, 6)
    assert segmentation.labels == (1, 2)


def test_split_selects_its_group(folder: FolderMaker) -> None:
    root = folder("a", "b", "c", "d", split=SPLIT)
    assert open_cohort(root, "train").names == ("a", "b")
    assert open_cohort(root, "validation").names == ("c",)
    assert len(open_cohort(root)) == 4


def test_decathlon_task_gives_its_training_subjects(decathlon: FolderMaker) -> None:
    root = decathlon("hip_2", "hip_1", test=("hip_9",))
    assert open_cohort(root).names == open_cohort(root, "training").names == ("hip_1", "hip_2")
    assert open_cohort(root).load(0)[1].labels == (1, 2)
    assert open_cohort(root, "test").names == ("hip_9",)


def test_decathlon_test_subject_has_an_image_and_no_segmentation(decathlon: FolderMaker) -> None:
    cohort = open_cohort(decathlon("hip_1", test=("hip_9",)), "test")
    assert cohort.load_volume(0).shape == (4, 5, 6)
    with pytest.raises(DataSetError, match="'hip_9' has no segmentation"):
        cohort.load(0)


def test_split_beside_a_decathlon_index_wins(decathlon: FolderMaker) -> None:
    root = decathlon("a", "b", "c")
    (root / "split.json").write_text(json.dumps(SPLIT))
    assert open_cohort(root, "validation").names == ("c",)
    with pytest.raises(DataSetError, match="no group 'training'"):
        open_cohort(root, "training")


def test_images_alone_are_a_cohort_without_segmentations(folder: FolderMaker) -> None:
    root = folder("a")
    (root / "labels" / "a.nii.gz").unlink()
    (root / "labels").rmdir()
    assert open_cohort(root).subjects[0].segmentation is None


def test_hidden_and_foreign_files_are_passed_over(folder: FolderMaker) -> None:
    root = folder("a")
    (root / "images" / "._a.nii.gz").write_bytes(b"\x00\x05\x16\x07")
    (root / "images" / "notes.txt").write_text("of the scan")
    assert open_cohort(root).names == ("a",)


def test_real_hippocampus_subjects_load(hippocampus: Path) -> None:
    cohort = open_cohort(hippocampus, "validation")
    assert len(cohort) == 40
    volume, segmentation = cohort.load(0)
    assert volume.geometry.spacing == pytest.approx((1, 1, 1))
    assert segmentation.labels == (1, 2)
    assert not set(cohort.names) & set(open_cohort(hippocampus, "train").names)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="nowhere is not a folder"):
        open_cohort(tmp_path / "nowhere")


def test_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="neither an images folder nor"):
        open_cohort(tmp_path)


def test_empty_images_folder_is_refused(folder: FolderMaker) -> None:
    with pytest.raises(DataSetError, match=r"no \.nii or \.nii\.gz file"):
        open_cohort(folder())


def test_missing_label_is_named(folder: FolderMaker) -> None:
    root = folder("a", "b")
    (root / "labels" / "b.nii.gz").unlink()
    with pytest.raises(DataSetError, match=r"1 subjects have no segmentation .*: b"):
        open_cohort(root)


def test_missing_image_is_named(folder: FolderMaker) -> None:
    root = folder("a", "b")
    (root / "images" / "a.nii.gz").unlink()
    with pytest.raises(DataSetError, match=r"have a segmentation but no image .*: a"):
        open_cohort(root)


def test_subject_stored_twice_is_named(folder: FolderMaker) -> None:
    root = folder("a")
    (root / "images" / "a.nii").write_bytes(b"")
    with pytest.raises(DataSetError, match=r"'a' is there twice: a\.nii and a\.nii\.gz"):
        open_cohort(root)


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"train": ["a", "z"]}, "names 1 unknown subjects, first 'z'"),
        ({"train": ["a"], "validation": ["a"]}, "lists subject 'a' twice, in 'train' and in 'validation'"),
        ({"train": ["a", "a"]}, "lists subject 'a' twice"),
        ({"train": []}, "the group 'train' of .* is empty"),
        ({"validation": ["a"]}, "no group 'train'; it has 'validation'"),
        ({"train": "a"}, "is not a split"),
        (["a"], "is not a split"),
    ],
)
def test_defective_split_is_refused(folder: FolderMaker, split: object, message: str) -> None:
    root = folder("a", "b", split=split)
    with pytest.raises(DataSetError, match=message):
        open_cohort(root, "train")


def test_group_without_a_split_file_is_refused(folder: FolderMaker) -> None:
    with pytest.raises(DataSetError, match="the group 'train' was asked for, but there is no"):
        open_cohort(folder("a"), "train")


def test_mismatched_geometry_names_the_subject(folder: FolderMaker) -> None:
    root = folder("a", "b")
    shifted = Geometry.from_spacing((4, 5, 6)).cropped((1, 0, 0), (4, 5, 6))
    (root / "labels" / "b.nii.gz").write_bytes(label_bytes(shifted))
    cohort = open_cohort(root)
    cohort.load(0)
    with pytest.raises(DataSetError, match=r"subject 'b'.*lie apart in the world"):
        cohort.load(1)


def test_unreadable_image_names_the_subject(folder: FolderMaker) -> None:
    root = folder("a")
    (root / "images" / "a.nii.gz").write_bytes(b"not an image")
    with pytest.raises(DataSetError, match="subject 'a'"):
        open_cohort(root).load(0)


def test_vanished_image_names_the_subject(folder: FolderMaker) -> None:
    cohort = open_cohort(folder("a"))
    cohort.subjects[0].image.unlink()
    with pytest.raises(DataSetError, match="subject 'a'"):
        cohort.load(0)


@pytest.mark.parametrize("part", ["imagesTr", "labelsTr"])
def test_decathlon_index_naming_a_missing_file_is_refused(decathlon: FolderMaker, part: str) -> None:
    root = decathlon("a", "b")
    (root / part / "b.nii.gz").unlink()
    with pytest.raises(DataSetError, match=f"names './{part}/b.nii.gz', which is missing"):
        open_cohort(root)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (b"{", "is not a Decathlon index"),
        (b'{"training": [{"image": "a.nii.gz"}]}', r"training\.0\.label: Field required"),
        (b'{"training": []}', "names no training subject"),
        (b'{"training": [{"image": "../../x.nii.gz", "label": "l.nii.gz"}]}', "lies outside the data set's folder"),
        (b'{"training": [{"image": "a.png", "label": "l.nii.gz"}]}', "'a.png', which is not a .nii or .nii.gz file"),
    ],
)
def test_defective_decathlon_index_is_refused(tmp_path: Path, index: bytes, message: str) -> None:
    (tmp_path / "dataset.json").write_bytes(index)
    with pytest.raises(DataSetError, match=message):
        open_cohort(tmp_path)


def test_decathlon_subject_named_twice_is_refused(decathlon: FolderMaker) -> None:
    with pytest.raises(DataSetError, match="names subject 'a' twice"):
        open_cohort(decathlon("a", "a"))
