"""The template: a cohort brought to its mean by the model itself and averaged."""

import numpy as np
import torch

from eigenwarp.model import RegistrationNetwork
from eigenwarp.model.warp import warp
from eigenwarp.preprocess import Preprocessing
from eigenwarp.volume import Geometry, Segmentation, Volume
from training.tensors import PreparedCohort


@torch.inference_mode()
def make_template(
    network: RegistrationNetwork,
    cohort: PreparedCohort,
    preprocessing: Preprocessing,
    labels: tuple[int, ...],
    batch: int = 8,
) -> tuple[Volume, Segmentation]:
    """Average a cohort on its mean shape.

    The mean encoding stands for the mean anatomy: D(E(X) − mean) is the field on its grid that brings X there.

    Args:
        labels: the segmentations' values, in the order of the cohort's places.

    Returns:
        Mean intensities in [0, 1] and the likeliest labels, on a model grid centred at the world's origin.
    """
    network.eval()
    device = next(network.parameters()).device
    chunks = [network.encode(images.to(device)) for images in cohort.images.split(batch)]
    codes = torch.cat(chunks)
    mean = codes.mean(dim=0, keepdim=True)
    image_sum = torch.zeros(cohort.images.shape[1:], device=device)
    label_sum = torch.zeros(len(labels), *cohort.images.shape[2:], device=device)
    for index in torch.arange(len(cohort)).split(batch):
        displacement = network.decode(codes[index] - mean).float()
        moving = torch.cat([cohort.images[index], cohort.one_hot(index, len(labels))], dim=1).to(device)
        warped = warp(moving, displacement)
        image_sum += warped[:, :1].sum(dim=0)
        label_sum += warped[:, 1:].sum(dim=0)
    share = torch.cat([len(cohort) - label_sum.sum(dim=0, keepdim=True), label_sum])
    geometry = Geometry.from_spacing(preprocessing.shape, preprocessing.spacing)
    values = np.array((0, *labels), dtype=np.uint16)
    return (
        Volume((image_sum[0] / len(cohort)).cpu().numpy(), geometry),
        Segmentation(values[share.argmax(dim=0).cpu().numpy()], geometry),
    )
