"""How the report looks: paper, fonts, colours."""

from typing import Any, Final

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

PAGE: Final = A4
MARGIN: Final = 16 * mm
WIDTH: Final = PAGE[0] - 2 * MARGIN

INK: Final = HexColor("#1c2733")
MUTED: Final = HexColor("#5b6875")
LINE: Final = HexColor("#d5dbe1")
BAND: Final = HexColor("#17324d")
BAR: Final = HexColor("#3f7cac")
BAR_OUTSIDE: Final = HexColor("#b8c2cc")
CAUTION: Final = HexColor("#fff4d6")
CAUTION_EDGE: Final = HexColor("#d99a00")
WHITE: Final = HexColor("#ffffff")

# Embedded, so that the page looks the same in every archive's viewer; they come with reportlab.
REGULAR: Final = "Vera"
BOLD: Final = "VeraBd"


def register_fonts() -> None:
    """Make the two fonts known to reportlab; again does no harm."""
    for name in (REGULAR, BOLD):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))


def printable(text: str) -> str:
    """The text with what the fonts have no glyph for as a question mark, and safe inside a paragraph's markup."""
    glyphs = pdfmetrics.getFont(REGULAR).face.charToGlyph
    shown = "".join(character if ord(character) in glyphs else "?" for character in text)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def percent(share: float, digits: int = 0) -> str:
    """A share of 1 as a page has it."""
    return f"{100 * share:.{digits}f} %"


def signed(value: float, digits: int) -> str:
    """A number with its sign, the minus as long as the plus."""
    return f"{value:+.{digits}f}".replace("-", "−")


def style(size: float = 8.5, *, bold: bool = False, colour: Color = INK, **more: Any) -> ParagraphStyle:
    """A paragraph's style; the leading follows the size."""
    return ParagraphStyle(
        "report", fontName=BOLD if bold else REGULAR, fontSize=size, leading=1.38 * size, textColor=colour, **more
    )


BODY: Final = style()
SMALL: Final = style(7.2, colour=MUTED)
CAPTION: Final = style(7.2, colour=MUTED, alignment=TA_CENTER)
HEADING: Final = style(10.5, bold=True, colour=BAND, spaceBefore=9, spaceAfter=3)
CELL: Final = style(8)
CELL_BOLD: Final = style(8, bold=True)
CELL_HEAD: Final = style(7.2, bold=True, colour=MUTED)
