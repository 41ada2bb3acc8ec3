"""The report's tables: what was registered with what, the labels' volumes, the measures of trust."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reportlab.platypus import Paragraph, Table

from bridge.dicom.series_volume import SeriesVolume
from bridge.objects import report_style as look
from bridge.objects.finding import Finding
from bridge.objects.report_style import percent, printable, signed
from bridge.objects.segmentation import segment_colours
from bridge.objects.wording import counterpart_name, domain_words
from eigenwarp.schemas.report import LabelReport

_REFINEMENTS: Final = {
    "none": "by the network in one step",
    "latent": "by the network, then refined within its encoding",
    "field": "by the network, then refined point by point",
}
_SOURCES: Final = {"predicted": "drawn by the model", "warped": "carried over by the registration"}
_MM3_PER_ML: Final = 1000.0


def lined(rows: Sequence[Sequence[Any]], shares: Sequence[float]) -> Table:
    """A table as wide as the page, a thin line under each row."""
    table = Table(rows, colWidths=[share * look.WIDTH for share in shares])
    table.setStyle(
        [
            ("FONT", (0, 0), (-1, -1), look.REGULAR),
            ("LINEBELOW", (0, 0), (-1, -1), 0.5, look.LINE),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LEFTPADDING", (0, 0), (0, -1), 2),
            ("TOPPADDING", (0, 0), (-1, -1), 2.4),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    return table


def summary_table(finding: Finding, series: SeriesVolume) -> Table:
    """What was registered onto what, and with which model."""
    source = series.datasets[0]
    columns, rows, slices = series.source_grid.shape
    across, down, between = series.source_grid.spacing
    named = str(source.get("SeriesDescription") or "without a description")
    number = source.get("SeriesNumber")
    series_text = (
        f"{named}{'' if number in (None, '') else f' (series {number})'}, {source.get('Modality', '')},"
        f" {columns} × {rows} × {slices} voxels of {across:.3g} × {down:.3g} × {between:.3g} mm"
    )
    lines = [("Series", series_text)]
    if finding.counterpart is not None:
        other = finding.counterpart.description
        lines.append(
            ("Registered", f"{other} onto the series" if finding.side == "fixed" else f"the series onto {other}")
        )
    model = f"{finding.model.name}, version {finding.model.version}"
    if finding.report is not None:
        model += f"; {_REFINEMENTS[finding.report.options.refine]}"
    lines.append(("Model", model))
    if finding.laterality is not None:
        lines.append(("Side", finding.laterality))
    return lined(
        [[Paragraph(name, look.CELL_BOLD), Paragraph(printable(text), look.CELL)] for name, text in lines],
        (0.16, 0.84),
    )


def label_table(finding: Finding, volumes: Mapping[int, float]) -> Table:
    """Each label's volume, beside that of the other side where it is known.

    Args:
        volumes: label → mm³ on the series.
    """
    reported = {} if finding.report is None else {row.label: row for row in finding.report.labels.rows}
    others = {label: _other_mm3(finding, reported.get(label)) for label in volumes}
    compared = any(value is not None for value in others.values())
    colours = segment_colours(finding)
    head = [f"Label, {_SOURCES[finding.label_source]}", "Volume"]
    head += [f"In {counterpart_name(finding)}", "Difference"] if compared else []
    rows: list[list[Paragraph]] = [[Paragraph(printable(text), look.CELL_HEAD) for text in head]]
    for label, volume in volumes.items():
        red, green, blue = colours[label]
        swatch = f'<font backColor="#{red:02x}{green:02x}{blue:02x}">&nbsp;&nbsp;</font>&nbsp; '
        row = [Paragraph(swatch + printable(finding.concepts[label].name), look.CELL), _millilitres(volume)]
        if compared:
            row.extend(_beside(volume, others[label]))
        rows.append(row)
    rows.append(_total(volumes, others, compared))
    return lined(rows, (0.4, 0.2, 0.2, 0.2) if compared else (0.6, 0.4))


def quality_lines(finding: Finding) -> list[tuple[str, str]]:
    """What tells how far the result can be believed, in words."""
    lines = []
    report = finding.report
    if report is not None:
        before, after = report.similarity.before, report.similarity.after
        if before is not None and after is not None:
            lines.append(
                (
                    "Likeness",
                    f"correlation of the images {before:.2f} when only aligned, {after:.2f} when registered",
                )
            )
        low, high = (f"{value:.2f}".replace("-", "−") for value in (report.jacobian.minimum, report.jacobian.maximum))
        folded = report.jacobian.folding_share
        regular = "it folds nowhere" if folded == 0 else f"it folds in {percent(folded, 2)} of the voxels"
        lines.append(
            (
                "Deformation",
                f"{regular}; local volume ratio {low} to {high}; there and back, 95 % of the points come within"
                f" {report.inverse_consistency.p95_mm:.2f} mm of where they started",
            )
        )
    domain = finding.projection
    if domain is None and report is not None:
        domain = report.fixed_domain if finding.side == "fixed" else report.moving_domain  # type: ignore[assignment]
    if domain is not None:
        lines.append(
            (
                "Like the training data",
                f"{domain.mahalanobis:.1f} standard deviations from their average,"
                f" {domain_words(domain.mahalanobis_percentile)}; the basis leaves"
                f" {percent(domain.reconstruction_residual)} of the encoding unexplained",
            )
        )
    return lines


def _other_mm3(finding: Finding, row: LabelReport | None) -> float | None:
    if row is None or finding.counterpart is None:
        return None
    return row.moving_mm3 if finding.side == "fixed" else row.fixed_mm3


def _total(volumes: Mapping[int, float], others: Mapping[int, float | None], compared: bool) -> list[Paragraph]:
    whole = sum(volumes.values())
    row = [Paragraph("all labels", look.CELL_BOLD), _millilitres(whole)]
    if compared:
        known = [value for value in others.values() if value is not None]
        row.extend(_beside(whole, sum(known) if len(known) == len(others) else None))
    return row


def _beside(own: float, other: float | None) -> list[Paragraph]:
    if not other:
        return [Paragraph("–", look.CELL)] * 2
    return [_millilitres(other), Paragraph(f"{signed(100 * (own / other - 1), 1)} %", look.CELL)]


def _millilitres(mm3: float) -> Paragraph:
    return Paragraph(f"{mm3 / _MM3_PER_ML:.2f} ml", look.CELL)
