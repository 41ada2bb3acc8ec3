"""The numbers as a Comprehensive 3D SR, TID 1500: a volumetric ROI group for each label, two groups for the rest.

What a report has and a template of the standard has no place for, warnings above all, is in the groups as text.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from highdicom.sr import (
    AlgorithmIdentification,
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    ReferencedSegment,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    SourceSeriesForSegmentation,
    TextContentItem,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from bridge.dicom.series_volume import SeriesVolume
from bridge.objects import measurement_codes as concepts
from bridge.objects.concepts import LATERALITY_CODES
from bridge.objects.errors import FindingInvalidError
from bridge.objects.finding import Finding
from bridge.objects.identity import UNSEALED, ResultIdentity
from bridge.objects.private_scheme import private_schemes
from bridge.objects.segmentation import label_volumes, segment_numbers, tracking_id, tracking_uid
from bridge.objects.source import source_images
from bridge.objects.wording import INTENDED_USE
from eigenwarp.schemas.projection import Domain
from eigenwarp.schemas.report import LabelReport, Report

_KIND: Final = "measurements"
_PROCEDURES: Final = {
    "MR": codes.cid100.MRIUnspecifiedBodyRegion,
    "CT": codes.cid100.CTUnspecifiedBodyRegion,
}
_Group = MeasurementsAndQualitativeEvaluations | VolumetricROIMeasurementsAndQualitativeEvaluations


def measurement_report(
    finding: Finding, series: SeriesVolume, identity: ResultIdentity, segmentation: Dataset | None
) -> Dataset:
    """What was measured, as a structured report of the series' study.

    Args:
        segmentation: the finding's ``segmentation_object``, which the volumes refer to; there are none without it.

    Raises:
        FindingInvalidError: nothing was measured.
    """
    images = source_images(series.datasets)
    groups: list[_Group] = []
    if segmentation is not None:
        groups.extend(_label_groups(finding, series, identity, segmentation))
    groups.extend(_shape_group(finding, identity, images))
    if finding.report is not None:
        groups.append(_registration_group(finding, finding.report, identity, images))
    if not groups:
        raise FindingInvalidError(f"job {finding.job}: neither labels nor a basis nor a registration to tell of")
    _add_texts(finding, series, groups[-1])
    content = MeasurementReport(
        observation_context=ObservationContext(
            observer_device_context=ObserverContext(
                observer_type=codes.DCM.Device,
                observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
                    uid=identity.device_uid,
                    name=identity.model_name,
                    manufacturer_name=identity.manufacturer,
                    model_name=identity.model_name,
                    serial_number=identity.device_serial_number,
                ),
            )
        ),
        procedure_reported=_PROCEDURES.get(images[0].get("Modality", ""), codes.cid100.ImagingProcedure),
        imaging_measurements=groups,
        title=concepts.IMAGING_MEASUREMENT_REPORT,
    )
    result = Comprehensive3DSR(
        evidence=[*images, *(() if segmentation is None else (segmentation,))],
        content=content[0],
        series_instance_uid=UNSEALED,
        series_number=identity.series_number_of(_KIND),
        sop_instance_uid=UNSEALED,
        instance_number=1,
        manufacturer=identity.manufacturer,
        manufacturer_model_name=identity.model_name,
        software_versions=identity.software_version,
        device_serial_number=identity.device_serial_number,
        is_complete=True,
        coding_schemes=private_schemes(),
    )
    identity.seal(result, _KIND)
    return result


def _label_groups(
    finding: Finding, series: SeriesVolume, identity: ResultIdentity, segmentation: Dataset
) -> Iterator[VolumetricROIMeasurementsAndQualitativeEvaluations]:
    volumes = label_volumes(finding, series)
    rows = {} if finding.report is None else {row.label: row for row in finding.report.labels.rows}
    for label, number in segment_numbers(finding, series).items():
        concept = finding.concepts[label]
        yield VolumetricROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=TrackingIdentifier(tracking_uid(identity, label), tracking_id(finding, concept)),
            referenced_segment=ReferencedSegment(
                sop_class_uid=segmentation.SOPClassUID,
                sop_instance_uid=segmentation.SOPInstanceUID,
                segment_number=number,
                source_series=SourceSeriesForSegmentation(series.datasets[0].SeriesInstanceUID),
            ),
            finding_type=concept.structure,
            algorithm_id=_algorithm(finding),
            finding_sites=[
                FindingSite(
                    concept.structure,
                    laterality=None if finding.laterality is None else LATERALITY_CODES[finding.laterality],
                    topographical_modifier=concept.part,
                )
            ],
            measurements=[
                Measurement(
                    concepts.VOLUME, volumes[label], concepts.CUBIC_MILLIMETRE, method=concepts.VOXEL_SUMMATION
                ),
                *_compared(finding, rows.get(label), volumes[label]),
            ],
        )


def _compared(finding: Finding, row: LabelReport | None, volume: float) -> Iterator[Measurement]:
    """A label beside that of the other side; only an earlier study of the patient is something to change from."""
    if row is None or finding.counterpart is None:
        return
    other = row.moving_mm3 if finding.side == "fixed" else row.fixed_mm3
    if other is None:
        return
    yield Measurement(concepts.COUNTERPART_VOLUME, other, concepts.CUBIC_MILLIMETRE)
    if finding.counterpart.kind == "prior":
        yield Measurement(concepts.VOLUME_CHANGE, volume - other, concepts.CUBIC_MILLIMETRE)


def _shape_group(finding: Finding, identity: ResultIdentity, images: list[Dataset]) -> Iterator[_Group]:
    place = _place(finding)
    if place is None:
        return
    coefficients, z_scores, domain = place
    measurements = [
        *_numbers(
            (concepts.MAHALANOBIS, domain.mahalanobis, concepts.NO_UNITS),
            (concepts.MAHALANOBIS_PERCENTILE, domain.mahalanobis_percentile, concepts.PERCENT),
            (concepts.RESIDUAL, domain.reconstruction_residual, concepts.NO_UNITS),
            (concepts.RESIDUAL_PERCENTILE, domain.reconstruction_residual_percentile, concepts.PERCENT),
        ),
        *_numbers(*((concepts.coefficient(k), a, concepts.NO_UNITS) for k, a in enumerate(coefficients, start=1))),
        *_numbers(*((concepts.z_score(k), z, concepts.NO_UNITS) for k, z in enumerate(z_scores, start=1))),
    ]
    yield _generic_group(finding, identity, images, concepts.SHAPE, measurements)


def _place(finding: Finding) -> tuple[list[float], list[float], Domain] | None:
    """Coefficients, z-scores and domain of the series; from the projection, which has all three, where there is one."""
    if finding.projection is not None:
        return finding.projection.coefficients, finding.projection.z_scores, finding.projection
    report = finding.report
    if report is None or report.coefficients is None:
        return None
    domain = report.fixed_domain if finding.side == "fixed" else report.moving_domain
    own = report.coefficients.fixed if finding.side == "fixed" else report.coefficients.moving
    return None if domain is None else (own, [], domain)


def _registration_group(
    finding: Finding, report: Report, identity: ResultIdentity, images: list[Dataset]
) -> MeasurementsAndQualitativeEvaluations:
    explanation = report.explanation
    shares = [] if explanation is None else explanation.components
    measurements = _numbers(
        (concepts.CORRELATION_BEFORE, report.similarity.before, concepts.NO_UNITS),
        (concepts.CORRELATION_AFTER, report.similarity.after, concepts.NO_UNITS),
        (concepts.JACOBIAN_MINIMUM, report.jacobian.minimum, concepts.NO_UNITS),
        (concepts.JACOBIAN_MAXIMUM, report.jacobian.maximum, concepts.NO_UNITS),
        (concepts.FOLDING, report.jacobian.folding_share, concepts.NO_UNITS),
        (concepts.INVERSE_ERROR, report.inverse_consistency.p95_mm, concepts.MILLIMETRE),
        (concepts.OUTSIDE_BASIS, None if explanation is None else explanation.outside_basis_share, concepts.NO_UNITS),
        *((concepts.share(row.component), row.share, concepts.NO_UNITS) for row in shares),
    )
    return _generic_group(finding, identity, images, concepts.REGISTRATION, measurements)


def _generic_group(
    finding: Finding,
    identity: ResultIdentity,
    images: list[Dataset],
    about: Code,
    measurements: list[Measurement],
) -> MeasurementsAndQualitativeEvaluations:
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            identity.uid("group", about.value), f"{about.value.lower()}, {finding.job}"[:64]
        ),
        finding_type=about,
        algorithm_id=_algorithm(finding),
        measurements=measurements,
        source_images=[SourceImageForMeasurementGroup.from_source_image(image) for image in images],
    )


def _numbers(*rows: tuple[Code, float | None, Code]) -> list[Measurement]:
    return [Measurement(name, value, unit) for name, value, unit in rows if value is not None]


def _algorithm(finding: Finding) -> AlgorithmIdentification:
    parameters = []
    if finding.report is not None:
        options = finding.report.options
        parameters = [f"refine={options.refine}", f"alignment={options.alignment}"]
        if options.components is not None:
            parameters.append(f"components={options.components}")
    return AlgorithmIdentification(
        name=f"Eigenwarp {finding.model.name}",
        version=finding.model.version,
        parameters=parameters or None,
    )


def _add_texts(finding: Finding, series: SeriesVolume, group: _Group) -> None:
    """Warnings, the other side and the intended use, as text items of a group (TID 1501, qualitative evaluations)."""
    notices = [
        *series.notices,
        *(() if finding.report is None else finding.report.warnings),
        *(() if finding.projection is None else finding.projection.warnings),
    ]
    texts: Iterable[tuple[Code, str]] = [
        *((concepts.WARNING, f"{notice.code}: {notice.detail}") for notice in notices),
        *(() if finding.counterpart is None else ((concepts.COUNTERPART, finding.counterpart.description),)),
        (concepts.DISCLAIMER, INTENDED_USE),
    ]
    for name, text in texts:
        group[0].ContentSequence.append(TextContentItem(name, text, RelationshipTypeValues.CONTAINS))
