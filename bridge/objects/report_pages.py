"""The report's pages: what was done, what is seen, what was measured, what moved, and what to be careful about."""

import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

from PIL import Image as PillowImage
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from bridge.dicom.series_volume import SeriesVolume
from bridge.objects import report_style as look
from bridge.objects.finding import Finding, Picture
from bridge.objects.identity import ResultIdentity
from bridge.objects.report_explanation import explanation_table
from bridge.objects.report_style import printable
from bridge.objects.report_tables import label_table, lined, quality_lines, summary_table
from bridge.objects.section_pictures import PLANE_NAMES, jacobian_pictures, label_pictures
from bridge.objects.segmentation import label_volumes, segment_colours
from bridge.objects.wording import INTENDED_USE, cautions, counterpart_name

_HEADER: Final = 22 * mm
_FOOTER: Final = 14 * mm
_PADDING: Final = 6
_PICTURES_ACROSS: Final = 3


def report_pages(finding: Finding, series: SeriesVolume, identity: ResultIdentity, patient: str | None = None) -> bytes:
    """One or two pages for a person to read; the same finding gives the same bytes.

    Args:
        patient: printed in the header where a site asks for it; the pages name nobody otherwise.

    Returns:
        A PDF file with embedded fonts.
    """
    look.register_fonts()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=look.PAGE,
        # The frame inside them has a padding of its own.
        leftMargin=look.MARGIN - _PADDING,
        rightMargin=look.MARGIN - _PADDING,
        topMargin=_HEADER + 6 * mm,
        bottomMargin=_FOOTER + 4 * mm,
        title="Eigenwarp registration report",
        author=identity.manufacturer,
        creator=f"{identity.model_name} {identity.software_version}",
        subject=INTENDED_USE,
        # Neither the time nor a random identifier in the file.
        invariant=1,
    )
    story = [part for section in _sections(finding, series) for part in section]

    def frame(canvas: Canvas, _: SimpleDocTemplate) -> None:
        _draw_frame(canvas, finding, identity, patient)

    document.build(story, onFirstPage=frame, onLaterPages=frame, canvasmaker=_NumberedCanvas)
    return buffer.getvalue()


def _sections(finding: Finding, series: SeriesVolume) -> Iterator[Sequence[Flowable]]:
    yield [summary_table(finding, series)]
    yield _warnings(finding, series)
    yield _own_pictures(finding, series)
    if finding.segmentation is not None:
        volumes = label_volumes(finding, series)
        yield [KeepTogether([Paragraph("Volumes", look.HEADING), label_table(finding, volumes)])]
    yield _quality(finding)
    table = explanation_table(finding)
    if table is not None:
        title = f"What sets this series apart from {counterpart_name(finding)}"
        yield [KeepTogether([Paragraph(printable(title), look.HEADING), *table])]
    yield _given_pictures(finding.pictures)


def _warnings(finding: Finding, series: SeriesVolume) -> list[Flowable]:
    details = cautions(finding, series)
    if not details:
        return []
    lines = [Paragraph("Read with care", look.CELL_BOLD)]
    lines.extend(Paragraph("• " + printable(detail), look.CELL) for detail in details)
    box = Table([[lines]], colWidths=[look.WIDTH])
    box.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, -1), look.CAUTION),
            ("LINEBEFORE", (0, 0), (0, -1), 3, look.CAUTION_EDGE),
            ("LEFTPADDING", (0, 0), (-1, -1), 9),
            ("TOPPADDING", (0, 0), (-1, -1), 5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
        ]
    )
    return [Spacer(1, 7), box]


def _own_pictures(finding: Finding, series: SeriesVolume) -> list[Flowable]:
    parts: list[Flowable] = []
    colours = segment_colours(finding)
    outlined = label_pictures(series.volume, finding.segmentation, colours)
    captions = [printable(name) for name in PLANE_NAMES]
    parts.append(Paragraph("The series", look.HEADING))
    parts.append(_picture_row(outlined, captions))
    if finding.jacobian is not None:
        changed = jacobian_pictures(series.volume, finding.segmentation, finding.jacobian, colours)
        other = counterpart_name(finding)
        parts.append(_picture_row(changed, [""] * len(changed)))
        legend = (
            f'<font color="#b2182b">red</font>: larger here than in {other},'
            ' <font color="#2166ac">blue</font>: smaller; full colour from twice or half the volume on'
        )
        parts.append(Paragraph(legend, look.CAPTION))
    return [KeepTogether(parts)]


def _picture_row(pictures: Sequence[bytes], captions: Sequence[str]) -> Table:
    width = look.WIDTH / _PICTURES_ACROSS - 3 * mm
    images = [_image(png, width) for png in pictures]
    rows: list[list[Any]] = [images]
    if any(captions):
        rows.append([Paragraph(caption, look.CAPTION) for caption in captions])
    table = Table(rows, colWidths=[look.WIDTH / len(images)] * len(images))
    table.setStyle([("ALIGN", (0, 0), (-1, -1), "CENTER"), ("TOPPADDING", (0, 0), (-1, -1), 1.5)])
    return table


def _given_pictures(pictures: Sequence[Picture]) -> list[Flowable]:
    parts = []
    for picture in pictures:
        shown = [_image(picture.png, look.WIDTH), Paragraph(printable(picture.caption), look.CAPTION)]
        parts.append(KeepTogether([Spacer(1, 8), shown[0], Spacer(1, 3), shown[1]]))
    return parts


def _quality(finding: Finding) -> list[Flowable]:
    lines = quality_lines(finding)
    if not lines:
        return []
    rows = [[Paragraph(name, look.CELL_BOLD), Paragraph(printable(text), look.CELL)] for name, text in lines]
    table = lined(rows, (0.25, 0.75))
    return [KeepTogether([Paragraph("How far to trust it", look.HEADING), table])]


def _image(png: bytes, width: float) -> Image:
    with PillowImage.open(io.BytesIO(png)) as picture:
        columns, rows = picture.size
    return Image(io.BytesIO(png), width=width, height=width * rows / columns)


def _draw_frame(canvas: Canvas, finding: Finding, identity: ResultIdentity, patient: str | None) -> None:
    """Header and footer of every page."""
    width, height = look.PAGE
    canvas.saveState()
    canvas.setFillColor(look.BAND)
    canvas.rect(0, height - _HEADER, width, _HEADER, stroke=0, fill=1)
    canvas.setFillColor(look.WHITE)
    canvas.setFont(look.BOLD, 15)
    canvas.drawString(look.MARGIN, height - 10.5 * mm, "Registration report")
    canvas.setFont(look.REGULAR, 8.5)
    canvas.drawString(look.MARGIN, height - 16.5 * mm, INTENDED_USE)
    canvas.drawRightString(width - look.MARGIN, height - 10.5 * mm, identity.made_at.strftime("%-d %B %Y, %H:%M"))
    if patient is not None:
        canvas.drawRightString(width - look.MARGIN, height - 16.5 * mm, patient)
    canvas.setFillColor(look.MUTED)
    canvas.setFont(look.REGULAR, 6.8)
    made_by = (
        f"Eigenwarp {identity.software_version} · model {finding.model.name} {finding.model.version} · {finding.job}"
    )
    canvas.drawString(look.MARGIN, _FOOTER - 5 * mm, made_by)
    canvas.setStrokeColor(look.LINE)
    canvas.line(look.MARGIN, _FOOTER - 1.5 * mm, width - look.MARGIN, _FOOTER - 1.5 * mm)
    canvas.restoreState()


class _NumberedCanvas(Canvas):  # type: ignore[misc]  # reportlab carries no types
    """Keeps the pages until the last is known, to write "page 1 of 2"."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        # Else a font that is not embedded is named on every page.
        super().__init__(*arguments, **{**more, "initialFontName": look.REGULAR})
        self._kept: list[dict[str, Any]] = []

    def showPage(self) -> None:
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._kept, start=1):
            self.__dict__.update(page)
            self.setFont(look.REGULAR, 6.8)
            self.setFillColor(look.MUTED)
            text = f"page {number} of {len(self._kept)}"
            self.drawRightString(look.PAGE[0] - look.MARGIN, _FOOTER - 5 * mm, text)
            super().showPage()
        super().save()
