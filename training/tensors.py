"""A prepared cohort in memory, as the loop and the evaluation use it."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from eigenwarp.errors import DataSetError
from eigenwarp.preprocess import Alignment, Preprocessing
from training.data.cohort import Cohort


@dataclass(frozen=True)
class PreparedCohort:
    """Images and labels on the model's grid.

    Args:
        names: of the subjects.
        images: (N, 1, X, Y, Z) float32 in [0, 1].
        labels: (N, X, Y, Z) uint8, the place of each voxel's label in the model's list; 0 is background.
    """

    names: tuple[str, ...]
    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.names)

    def one_hot(self, index: Tensor, classes: int) -> Tensor:
        """Labels of the chosen subjects, background left out: (B, classes, X, Y, Z) float32."""
        chosen = self.labels[index]
        return torch.stack([chosen == label for label in range(1, classes + 1)], dim=1).float()


def prepare_cohort(
    cohort: Cohort, preprocessing: Preprocessing, labels: tuple[int, ...], alignment: Alignment = Alignment.CENTER
) -> PreparedCohort:
    """Read and prepare every subject of a cohort.

    Args:
        labels: of the segmentations, in the model's order.

    Raises:
        DataSetError: fewer than two subjects, or none of the labels in a segmentation.
    """
    if len(cohort.subjects) < 2:
        raise DataSetError(f"a cohort needs at least two subjects, got {len(cohort.subjects)}")
    images, segmentations = [], []
    for index, subject in enumerate(cohort.subjects):
        volume, segmentation = cohort.load(index)
        grid = preprocessing.grid_for(volume, alignment)
        images.append(preprocessing.prepare(volume, grid))
        found = preprocessing.prepare_segmentation(segmentation, grid)
        places = np.zeros(found.shape, dtype=np.uint8)
        for place, label in enumerate(labels, start=1):
            places[found == label] = place
        if not places.any():
            raise DataSetError(f"{subject.name}: none of the labels {labels} lies in its segmentation")
        segmentations.append(places)
    return PreparedCohort(
        names=tuple(subject.name for subject in cohort.subjects),
        images=torch.from_numpy(np.stack(images))[:, None].float(),
        labels=torch.from_numpy(np.stack(segmentations)),
    )
