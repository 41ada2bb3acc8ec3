"""A finding about a phantom's series: a field, a determinant and labels that belong together, and a report of them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from nibabel.orientations import apply_orientation
from pydicom import Dataset
from scipy.ndimage import gaussian_filter

from bridge.dicom.series_volume import SeriesVolume
from bridge.objects.concepts import label_concepts
from bridge.objects.finding import Counterpart, Finding
from bridge.objects.identity import atlas_frame_of_reference
from eigenwarp.field import DisplacementField, folding_share, jacobian_determinant, sd_log_jacobian
from eigenwarp.schemas.components import ComponentRow, ComponentTable, LabelChange, MotionRow, MotionShares
from eigenwarp.schemas.document import ModelReference, Notice
from eigenwarp.schemas.projection import Domain
from eigenwarp.schemas.report import (
    Coefficients,
    ComponentShare,
    Explanation,
    Grid,
    InverseConsistencyReport,
    Jacobian,
    LabelReport,
    Labels,
    Options,
    Report,
    Similarity,
)
from eigenwarp.volume import Geometry, Segmentation, Volume
from tests.bridge import phantom

MODEL = ModelReference(name="hippocampus", version="a5763ff5c1b8")
JOB = "job_0123456789abcdef0123456789abcdef"
LABELS = {"head": 1, "body": 2, "uncus": 3}
COEFFICIENTS = 6


def labels_of(series: SeriesVolume, stack: phantom.Stack) -> Segmentation:
    """The phantom's blobs on the series' RAS grid."""
    found = phantom.labels(stack).transpose(2, 1, 0)
    return Segmentation(apply_orientation(found, series.source_grid.reoriented("RAS")[1]), series.volume.geometry)


def smooth_field(geometry: Geometry, seed: int = 5) -> DisplacementField:
    """Displacements of some millimetres that change from voxel to voxel, no two of them alike."""
    noise = np.random.default_rng(seed).standard_normal((*geometry.shape, 3))
    smooth = np.stack([gaussian_filter(noise[..., axis], 2, mode="nearest") for axis in range(3)], axis=-1)
    return DisplacementField(smooth * (3 / np.abs(smooth).max()) + np.array((4.0, -2.0, 1.0)), geometry)


def finding_of(series: SeriesVolume, segmentation: Segmentation) -> Finding:
    """The series registered with the atlas, the series being fixed."""
    field = smooth_field(series.volume.geometry)
    jacobian = jacobian_determinant(field)
    return Finding(
        job=JOB,
        model=MODEL,
        side="fixed",
        counterpart=Counterpart("atlas", f"{MODEL.name} template {MODEL.version}", atlas_frame_of_reference(MODEL)),
        report=report_of(series, field, segmentation),
        segmentation=segmentation,
        concepts=label_concepts(MODEL.name, LABELS),
        jacobian=Volume(jacobian, series.volume.geometry),
        field=field,
        components=component_table(),
    )


def report_of(series: SeriesVolume, field: DisplacementField, segmentation: Segmentation) -> Report:
    """The report of such a registration, its measurements taken from field and labels."""
    grid = Grid(shape=series.volume.shape, spacing_mm=series.volume.geometry.spacing, orientation="RAS")
    jacobian = jacobian_determinant(field)
    volumes = {
        label: int((segmentation.data == label).sum()) * segmentation.geometry.voxel_volume for label in LABELS.values()
    }
    difference = [3.0 / k * (-1) ** k for k in range(1, COEFFICIENTS + 1)]
    squares = [value**2 for value in difference]
    return Report(
        model=MODEL,
        options=Options(refine="latent", alignment="center", components=None),
        moving=grid,
        fixed=grid,
        similarity=Similarity(before=0.61, after=0.93, voxel_share=0.98),
        labels=Labels(
            moving_source="given",
            fixed_source="predicted",
            rows=[
                LabelReport(
                    label=label,
                    name=name,
                    dice_before=None,
                    dice_after=None,
                    moving_mm3=volumes[label] * 1.1,
                    fixed_mm3=volumes[label],
                    change_mm3=-volumes[label] * 0.1,
                    change_percent=-100 * 0.1 / 1.1,
                )
                for name, label in LABELS.items()
            ],
            mean_dice_before=None,
            mean_dice_after=None,
        ),
        jacobian=Jacobian(
            minimum=float(jacobian.min()),
            maximum=float(jacobian.max()),
            folding_share=folding_share(jacobian),
            sd_log=sd_log_jacobian(jacobian),
        ),
        inverse_consistency=InverseConsistencyReport(mean_mm=0.05, p95_mm=0.12, max_mm=0.4, inside_share=0.97),
        coefficients=Coefficients(
            moving=[0.0] * COEFFICIENTS, fixed=[-value for value in difference], difference=difference
        ),
        explanation=Explanation(
            components=[
                ComponentShare(component=k, coefficient=value, share=0.8 * value**2 / sum(squares))
                for k, value in enumerate(difference, start=1)
            ],
            outside_basis_share=0.2,
            field_beyond_decoding_mm=0.0,
        ),
        moving_domain=domain(1.2, 30.0),
        fixed_domain=domain(7.9, 100.0),
        warnings=[
            Notice(
                code="geometry-changed", detail="fixed: resampled from 1.25 × 1.75 × 2.5 mm to the model's 1 × 1 × 1 mm"
            ),
            Notice(code="out-of-domain", detail="fixed: 7.9 standard deviations from the training cohort's mean"),
        ],
        timings_s={"encode": 0.1, "decode": 0.2},
    )


def domain(mahalanobis: float, percentile: float) -> Domain:
    return Domain(
        mahalanobis=mahalanobis,
        mahalanobis_percentile=percentile,
        reconstruction_residual=0.42,
        reconstruction_residual_percentile=61.0,
    )


def component_table() -> ComponentTable:
    """What the components of a basis do, each something else."""
    shares = (
        MotionShares(translation=0.7, rotation=0.2, scaling=0.05, shear=0.03, rest=0.02),
        MotionShares(translation=0.1, rotation=0.7, scaling=0.1, shear=0.05, rest=0.05),
        MotionShares(translation=0.05, rotation=0.1, scaling=0.75, shear=0.05, rest=0.05),
        MotionShares(translation=0.1, rotation=0.1, scaling=0.1, shear=0.6, rest=0.1),
        MotionShares(translation=0.1, rotation=0.1, scaling=0.05, shear=0.05, rest=0.7),
        MotionShares(translation=0.3, rotation=0.3, scaling=0.1, shear=0.1, rest=0.2),
    )
    return ComponentTable(
        model=MODEL,
        rows=[
            ComponentRow(
                component=k,
                explained_variance_ratio=0.3 / k,
                cumulative=min(1.0, sum(0.3 / j for j in range(1, k + 1))),
                standard_deviation=10.0 / k,
                motion=MotionRow(
                    measured_over="labels",
                    shares=share,
                    rms_mm=1.8 / k,
                    translation_mm=(0.2, -1.4, 0.3),
                    rotation_degrees=4.0 / k,
                    rotation_axis=(0.1, -0.97, 0.2),
                    scaling_percent=-2.5 / k,
                ),
                volume_changes=[LabelChange(label=1, name="head", change_percent=-6.0 / k)],
            )
            for k, share in enumerate(shares, start=1)
        ],
    )


def of_prior(finding: Finding, frame_of_reference: str, datasets: Sequence[Dataset]) -> Finding:
    """The same finding, as if the other side were an earlier study of the patient."""
    return replace(
        finding, counterpart=Counterpart("prior", "study of 2 January 2024", frame_of_reference, tuple(datasets))
    )
