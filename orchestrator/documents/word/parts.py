"""Parts of the shipped Word templates: page, styles, letterhead, tables, signature blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

FONT = "Arial"
WIDTH = 165  # mm between the margins; fits A4 and F4
_TRIAL = (
    "{% if occasion.trial %}{{ t.text.trial_note }}"
    "{% if draft %} · {{ t.text.draft }}{% endif %}{% endif %}"
)
CENTER, JUSTIFY = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.JUSTIFY
_STYLES = (  # name, size in pt, bold, alignment, space after in pt
    ("Kop Pemerintah", 14, False, CENTER, 0),
    ("Kop Dinas", 13, True, CENTER, 0),
    ("Kop Alamat", 9, False, CENTER, 0),
    ("Judul", 12, True, CENTER, 0),
    ("Isi", 12, False, JUSTIFY, 6),
    ("Butir", 12, False, JUSTIFY, 4),
    ("Keterangan Tabel", 9.5, False, CENTER, 3),
    ("Sel", 8.5, False, None, 0),
    ("Sel Kepala", 8.5, True, CENTER, 0),
    ("Tanda Tangan", 12, False, None, 0),
    ("Kaki", 7.5, False, None, 0),
)


def new_template(title: str) -> Any:
    """An empty document on F4 with the styles of all templates."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(215), Mm(330)
    section.top_margin, section.bottom_margin = Mm(20), Mm(22)
    section.left_margin, section.right_margin = Mm(25), Mm(20)
    normal = document.styles["Normal"]
    _font(normal, 12)
    normal.paragraph_format.space_after = Pt(0)
    for name, size, bold, align, after in _STYLES:
        style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = normal
        _font(style, size)
        style.font.bold = bold
        style.paragraph_format.alignment = align
        style.paragraph_format.space_after = Pt(after)
    document.styles["Butir"].paragraph_format.left_indent = Mm(7)
    document.styles["Butir"].paragraph_format.first_line_indent = Mm(-7)
    for name in ("Sel", "Sel Kepala"):
        around = document.styles[name].paragraph_format
        around.space_before = around.space_after = Pt(1.5)
    document.styles["Keterangan Tabel"].paragraph_format.space_before = Pt(10)
    document.styles["Keterangan Tabel"].paragraph_format.keep_with_next = True
    for number, bold in ((1, True), (2, False)):
        heading = document.styles[f"Heading {number}"]
        _font(heading, 12)
        heading.font.bold, heading.font.color.rgb = bold, RGBColor(0, 0, 0)
        heading.paragraph_format.space_before = Pt(12 if number == 1 else 8)
        heading.paragraph_format.space_after = Pt(6 if number == 1 else 4)
    document.core_properties.title = title
    document.core_properties.comments = ""
    _footer(section)
    marks(document)
    return document


def _font(style: Any, size: float) -> None:
    style.font.name, style.font.size = FONT, Pt(size)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for key in list(fonts.attrib):
        if key.endswith("Theme"):
            del fonts.attrib[key]
    for key in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(key), FONT)


def line(where: Any, words: str, style: str = "Isi") -> Any:
    """A paragraph."""
    return where.add_paragraph(words, style=style)


def picture(document: Any, name: str, caption: str) -> None:
    """A picture that the program draws, with its caption below."""
    line(document, "{{ " + name + " }}", "Sel").alignment = CENTER
    document.paragraphs[-1].paragraph_format.keep_with_next = True
    line(document, caption, "Keterangan Tabel").paragraph_format.keep_with_next = False


def control(document: Any, words: str) -> None:
    """A paragraph that holds a statement of the template and vanishes."""
    line(document, "{%p " + words + " %}")


def letterhead(document: Any) -> None:
    """Government, agency and address over a double rule; the logo above, where there is one."""
    control(document, "if logo")
    line(document, "{{ logo }}", "Kop Alamat")
    control(document, "endif")
    line(document, "{{ head.government|upper }}", "Kop Pemerintah")
    line(document, "{{ head.agency|upper }}", "Kop Dinas")
    for key in ("address", "contact"):
        control(document, f"if head.{key}")
        line(document, "{{ head." + key + " }}", "Kop Alamat")
        control(document, "endif")
    rule = line(document, "", "Kop Alamat")
    border = '<w:bottom w:val="thinThickSmallGap" w:sz="24" w:space="1" w:color="000000"/>'
    rule.paragraph_format.space_after = Pt(10)
    rule._p.get_or_add_pPr().append(parse_xml(f"<w:pBdr {nsdecls('w')}>{border}</w:pBdr>"))


def titles(document: Any, *lines: str) -> None:
    """The title, one line each, in the middle."""
    for words in lines:
        line(document, words, "Judul")
    document.paragraphs[-1].paragraph_format.space_after = Pt(8)


def passage(document: Any, key: str, *, numbering: str = "") -> None:
    """The paragraphs of a prose file, numbered `1.` or `a.` where asked for."""
    control(document, f"for words in p('{key}')")
    if numbering:
        mark = (
            "{{ loop.index }}."
            if numbering == "1."
            else "{{ 'abcdefghijklmnopqrstuvwxyz'[(loop.index0) % 26] }}."
        )
        line(document, mark + "\t{{r words }}", "Butir")
    else:
        line(document, "{{r words }}", "Isi")
    control(document, "endfor")


def table(
    document: Any,
    caption: str,
    columns: Sequence[tuple[str, str, float]],
    loop: str,
    *,
    centered: Sequence[int] = (),
    note: tuple[str, str] | None = None,
) -> None:
    """A table with a row for each turn of `loop`; columns are heading, words, width in mm.

    `note` is a condition and words that stand in a line of their own below such a row.
    """
    line(document, caption, "Keterangan Tabel")
    grid = document.add_table(rows=4 if note is None else 7, cols=len(columns), style="Table Grid")
    fixed(grid, [width for _, _, width in columns])
    heads = grid.rows[0]
    for cell, (head, _, _) in zip(heads.cells, columns, strict=True):
        _say(cell, head, "Sel Kepala")
        shade = parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="E1E1E1"/>')
        cell._tc.get_or_add_tcPr().append(shade)
    heads._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    _say(grid.rows[1].cells[0], "{%tr " + loop + " %}", "Sel")
    for number, (cell, (_, words, _)) in enumerate(zip(grid.rows[2].cells, columns, strict=True)):
        _say(cell, words, "Sel")
        if number in centered:
            cell.paragraphs[0].alignment = CENTER
    if note is not None:
        _say(grid.rows[3].cells[0], "{%tr if " + note[0] + " %}", "Sel")
        words = grid.rows[4].cells[1].merge(grid.rows[4].cells[-1]).paragraphs[0]
        words.style = "Sel"
        words.add_run(note[1]).italic = True
        _say(grid.rows[5].cells[0], "{%tr endif %}", "Sel")
    _say(grid.rows[-1].cells[0], "{%tr endfor %}", "Sel")
    for row in grid.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def fixed(grid: Any, widths: Sequence[float]) -> None:
    """Give a table columns of fixed width (mm), so that long words cannot push the others away."""
    grid.autofit = False
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = Mm(width)
        for cell in column.cells:
            cell.width = Mm(width)


def fields(
    document: Any, rows: Sequence[tuple[str, str] | tuple[str, str, str]], width: float = 42
) -> None:
    """Names and values on the left of the page, without lines around them.

    A row's third part is the condition under which it stands there.
    """
    lines: list[tuple[str, ...]] = []
    for name, value, *condition in rows:
        told = [(name, ":", value)]
        lines += (
            [("{%tr if " + condition[0] + " %}",), *told, ("{%tr endif %}",)] if condition else told
        )
    grid = document.add_table(rows=len(lines), cols=3)
    fixed(grid, [width, 5, WIDTH - width - 5])
    for row, texts in zip(grid.rows, lines, strict=True):
        for cell, words in zip(row.cells, texts, strict=False):
            _say(cell, words, "Tanda Tangan")


def signatures(document: Any, *blocks: tuple[Sequence[str], str]) -> None:
    """Signature blocks, two in a row, an odd one at the right: the lines above, and whose.

    They stay on one page together.
    """
    places: list[tuple[Sequence[str], str] | None] = [*blocks]
    if len(places) % 2:
        places.insert(-1, None)
    grid = document.add_table(rows=len(places), cols=2)
    fixed(grid, [WIDTH / 2, WIDTH / 2])
    for number, place in enumerate(places):
        if place is not None:
            row = number // 2 * 2
            _lead(grid.cell(row, number % 2), *place)
            _name(grid.cell(row + 1, number % 2), place[1])
    for row in grid.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for paragraph in (p for cell in row.cells for p in cell.paragraphs):
            paragraph.paragraph_format.keep_with_next = row is not grid.rows[-1]


def _lead(cell: Any, lead: Sequence[str], who: str) -> None:
    """The lines above a signature: in a row of their own, so that the names below stand level."""
    first, *rest = (*lead, "{{ people." + who + ".position }},")
    _say(cell, first, "Tanda Tangan")
    cell.paragraphs[0].paragraph_format.space_before = Pt(12)
    for words in rest:
        line(cell, words, "Tanda Tangan")


def _name(cell: Any, who: str) -> None:
    """Room for a signature over name, rank and number."""
    _say(cell, "", "Tanda Tangan")
    for _ in range(2):
        line(cell, "", "Tanda Tangan")
    name = line(cell, "", "Tanda Tangan")
    name.add_run("{{ people." + who + ".name }}").bold = True
    line(cell, "{%p if people." + who + ".rank != '–' %}", "Tanda Tangan")
    line(cell, "{{ people." + who + ".rank }}", "Tanda Tangan")
    line(cell, "{%p endif %}", "Tanda Tangan")
    line(cell, "NIP {{ people." + who + ".nip }}", "Tanda Tangan")


def _say(cell: Any, words: str, style: str) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.style = style
    paragraph.add_run(words)


def _footer(section: Any) -> None:
    paragraph = section.footer.paragraphs[0]
    paragraph.style = "Kaki"
    paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(WIDTH), WD_TAB_ALIGNMENT.RIGHT)
    paragraph.add_run("Siklus {{ cycle }} · Nomor {{ letter.number }} · Sifat: {{ letter.nature }}")
    paragraph.add_run("\tHalaman ")
    paragraph._p.append(_field("PAGE"))
    paragraph.add_run(" dari ")
    paragraph._p.append(_field("NUMPAGES"))


def _field(code: str) -> Any:
    return parse_xml(
        f'<w:fldSimple {nsdecls("w")} w:instr="{code}"><w:r><w:t>1</w:t></w:r></w:fldSimple>'
    )


def marks(document: Any) -> None:
    """In the header: a dry run's remark, and a word across every page, both only where they are.

    The word is written as Word itself writes a watermark: a shape.
    """
    header = document.sections[0].header
    first = header.paragraphs[0]
    for number, words in enumerate(("{%p if mark %}", "", "{%p endif %}")):
        paragraph = first if number == 0 else header.add_paragraph()
        paragraph.style = "Kop Alamat"
        paragraph.add_run(words)
        if number == 1:
            paragraph.add_run(_TRIAL).bold = True
            paragraph._p.append(parse_xml(_shape()))
    header.add_paragraph().style = "Kop Alamat"  # a header holds at least one


def _shape() -> str:
    space = (
        'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
    )
    height = "{{ 105 if occasion.trial else 165 }}"
    style = (
        f"position:absolute;margin-left:0;margin-top:0;width:440pt;height:{height}pt;rotation:315;"
        "z-index:-251658752;mso-position-horizontal:center;"
        "mso-position-horizontal-relative:margin;mso-position-vertical:center;"
        "mso-position-vertical-relative:margin"
    )
    return (
        f"<w:r {nsdecls('w')} {space}><w:pict>"
        '<v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" adj="10800" '
        'path="m@7,l@8,m@5,21600l@6,21600e"><v:formulas><v:f eqn="sum #0 0 10800"/>'
        '<v:f eqn="prod #0 2 1"/><v:f eqn="sum 21600 0 @1"/><v:f eqn="sum 0 0 @2"/>'
        '<v:f eqn="sum 21600 0 @3"/><v:f eqn="if @0 @3 0"/><v:f eqn="if @0 21600 @1"/>'
        '<v:f eqn="if @0 0 @2"/><v:f eqn="if @0 @4 21600"/></v:formulas>'
        '<v:path textpathok="t" o:connecttype="rect"/><v:textpath on="t" fitshape="t"/>'
        "</v:shapetype>"
        f'<v:shape id="tanda" o:spid="_x0000_s2049" type="#_x0000_t136" style="{style}" '
        'o:allowincell="f" fillcolor="#ececec" stroked="f"><v:textpath '
        f'style="font-family:&quot;{FONT}&quot;;font-size:1pt;font-weight:bold" '
        'string="{{ mark }}"/></v:shape></w:pict></w:r>'
    )
