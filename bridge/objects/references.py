"""How a result object refers to the instances that it comes from."""

from collections.abc import Sequence

from pydicom import Dataset

from bridge.objects.errors import FindingInvalidError


def instance_reference(dataset: Dataset) -> Dataset:
    """An item that names one instance (PS3.3, table 10-11)."""
    item = Dataset()
    item.ReferencedSOPClassUID = dataset.SOPClassUID
    item.ReferencedSOPInstanceUID = dataset.SOPInstanceUID
    return item


def add_references(result: Dataset, datasets: Sequence[Dataset]) -> None:
    """Name instances in a result object (Common Instance Reference Module, PS3.3, C.12.2), by series and, for other
    studies than the result's own, by study.

    Raises:
        FindingInvalidError: no instances.
    """
    if not datasets:
        raise FindingInvalidError("a result object refers to the instances that it comes from, got none")
    studies: dict[str, dict[str, list[Dataset]]] = {}
    for dataset in datasets:
        studies.setdefault(dataset.StudyInstanceUID, {}).setdefault(dataset.SeriesInstanceUID, []).append(dataset)
    own = studies.pop(result.StudyInstanceUID, None)
    if own is not None:
        result.ReferencedSeriesSequence = _series_items(own)
    if studies:
        result.StudiesContainingOtherReferencedInstancesSequence = [
            _study_item(study, series) for study, series in studies.items()
        ]


def _series_items(series: dict[str, list[Dataset]]) -> list[Dataset]:
    items = []
    for uid, datasets in series.items():
        item = Dataset()
        item.SeriesInstanceUID = uid
        item.ReferencedInstanceSequence = [instance_reference(dataset) for dataset in datasets]
        items.append(item)
    return items


def _study_item(study: str, series: dict[str, list[Dataset]]) -> Dataset:
    item = Dataset()
    item.StudyInstanceUID = study
    item.ReferencedSeriesSequence = _series_items(series)
    return item
