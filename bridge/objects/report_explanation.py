"""The explanation as a table: the largest components, their shares as bars, and what each does in plain words."""

from typing import Final

from reportlab.graphics.shapes import Drawing, Rect
from reportlab.platypus import Flowable, Paragraph, Spacer

from bridge.objects import report_style as look
from bridge.objects.finding import Finding
from bridge.objects.report_style import percent, printable
from bridge.objects.report_tables import lined
from bridge.objects.wording import component_sentence, counterpart_name
from eigenwarp.schemas.report import Explanation

_SHOWN: Final = 5
_BAR_SHARE: Final = 0.17
_BAR_HEIGHT: Final = 7.0


def explanation_table(finding: Finding) -> list[Flowable] | None:
    """The table and a line that says how to read it; None without a registration or a basis."""
    if finding.report is None or finding.report.explanation is None:
        return None
    explanation = finding.report.explanation
    rows_of_basis = {} if finding.components is None else {row.component: row for row in finding.components.rows}
    ranked = sorted(explanation.components, key=lambda row: row.share, reverse=True)
    rows = []
    for share in ranked[:_SHOWN]:
        row = rows_of_basis.get(share.component)
        words = f"coefficient {share.coefficient:+.1f}" if row is None else component_sentence(finding, share, row)
        rows.append(_row(f"component {share.component}", share.share, words, outside=False))
    others = ranked[_SHOWN:]
    if others:
        text = "the smallest component" if len(others) == 1 else f"{len(others)} smaller components together"
        rows.append(_row("others", sum(row.share for row in others), text, outside=False))
    outside = "what the model's components do not describe"
    rows.append(_row("outside the basis", explanation.outside_basis_share, outside, outside=True))
    return [
        lined(rows, (0.17, 0.08, _BAR_SHARE + 0.01, 0.74 - _BAR_SHARE)),
        Spacer(1, 3),
        Paragraph(_reading(finding, explanation), look.SMALL),
    ]


def _row(name: str, share: float, words: str, *, outside: bool) -> list[Flowable]:
    width = _BAR_SHARE * look.WIDTH - 8
    drawing = Drawing(width, _BAR_HEIGHT)
    drawing.add(Rect(0, 0, width, _BAR_HEIGHT, fillColor=look.LINE, strokeColor=None, fillOpacity=0.5))
    colour = look.BAR_OUTSIDE if outside else look.BAR
    drawing.add(Rect(0, 0, max(width * share, 0.5), _BAR_HEIGHT, fillColor=colour, strokeColor=None))
    return [
        Paragraph(name, look.CELL_BOLD),
        Paragraph(percent(share), look.CELL),
        drawing,
        Paragraph(printable(words), look.CELL),
    ]


def _reading(finding: Finding, explanation: Explanation) -> str:
    text = (
        "Shares of the difference between the two encodings that made the deformation, from"
        f" {counterpart_name(finding)} to this series. The motions are those of the model's template, to first order."
    )
    if explanation.field_beyond_decoding_mm:
        text += (
            f" Refinement point by point added {explanation.field_beyond_decoding_mm:.2f} mm on average,"
            " which no component explains."
        )
    return printable(text)
