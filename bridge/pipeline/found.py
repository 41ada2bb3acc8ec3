"""What the service gave, as seen from the series: on its own grid, whichever side of the registration it was."""

from dataclasses import dataclass

from bridge.config.rules import Rule
from bridge.pipeline.context import PipelineContext
from bridge.pipeline.reference import reference_labels
from bridge.state.jobs import JobRecord
from eigenwarp.errors import ServiceError
from eigenwarp.field import (
    DisplacementField,
    folding_share,
    jacobian_determinant,
    warp_segmentation,
)
from eigenwarp.files import FieldFormat, field_from_bytes
from eigenwarp.schemas.jobs import JobRow
from eigenwarp.schemas.report import Jacobian, Report
from eigenwarp.volume import Segmentation, Volume
from eigenwarp.volume.nifti import segmentation_from_bytes, volume_from_bytes


@dataclass(frozen=True, eq=False)
class Found:
    """Args:
    report: its determinants are those of ``jacobian``.
    field: fixed → moving, as the service gave it.
    jacobian: of the transform from the series to its counterpart, on the series' grid or its crop's.
    segmentation: the counterpart's labels there; None where it has none.
    """

    report: Report
    field: DisplacementField
    jacobian: Volume
    segmentation: Segmentation | None


def seen_from_series(context: PipelineContext, job: JobRecord, rule: Rule, row: JobRow) -> Found:
    """The results that ``collect`` kept.

    Raises:
        ServiceError: the job has no report.
        StoreUnavailableError: a result is not there.
        EigenwarpError: from the service or the rule's file, of which the labels are asked for.
    """
    if row.report is None:
        raise ServiceError(f"job {row.id} has ended without its report")
    made = {result.name: context.read(job, f"result-{result.name}") for result in row.results}
    field = field_from_bytes(made["field"], FieldFormat.RAS)
    if rule.role == "fixed":
        labels = made.get("warped_segmentation")
        return Found(
            report=row.report,
            field=field,
            jacobian=volume_from_bytes(made["jacobian"]),
            segmentation=None if labels is None else segmentation_from_bytes(labels),
        )
    inverse = field_from_bytes(made["inverse_field"], FieldFormat.RAS)
    determinant = jacobian_determinant(inverse)
    labels = reference_labels(context, job, rule)
    return Found(
        report=row.report.model_copy(
            update={
                "jacobian": Jacobian(
                    minimum=float(determinant.min()),
                    maximum=float(determinant.max()),
                    folding_share=folding_share(determinant),
                    # No object tells it, and a thin crop has none.
                    sd_log=None,
                )
            }
        ),
        field=field,
        jacobian=Volume(determinant, inverse.geometry),
        segmentation=None if labels is None else warp_segmentation(segmentation_from_bytes(labels), inverse),
    )
