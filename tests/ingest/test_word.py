"""Word files give all their text in reading order: boxes, notes, tables and numbered lists."""

import io
import zipfile
from pathlib import Path

import pytest

from tests.ingest.test_documents import read_one

docx = pytest.importorskip("docx")

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def make_file(body: str, **parts: str) -> bytes:
    """Return a Word file with this XML as its body, and parts such as `footnotes` beside it."""
    declared = "".join(
        f'<Override PartName="/word/{name}.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        f'wordprocessingml.{name}+xml"/>'
        for name in ("document.main", *parts)
    ).replace("/word/document.main.xml", "/word/document.xml")
    related = "".join(
        f'<Relationship Id="r{number}" Type="{KINDS}/{name}" Target="{name}.xml"/>' for number, name in enumerate(parts)
    )
    space = "http://schemas.openxmlformats.org/package/2006"
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{space}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f"{declared}</Types>",
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{space}/relationships"><Relationship Id="r" Type="{KINDS}/officeDocument" '
            'Target="word/document.xml"/></Relationships>',
        )
        archive.writestr(
            "word/_rels/document.xml.rels",
            f'<Relationships xmlns="{space}/relationships">{related}</Relationships>',
        )
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>')
        for name, content in parts.items():
            archive.writestr(f"word/{name}.xml", f'<w:{name} xmlns:w="{W}">{content}</w:{name}>')
    return file.getvalue()


def par(text: str, more: str = "", properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r>{more}</w:p>"


def box(text: str, element: str = "wps") -> str:
    return f"<{element}:txbx xmlns:{element}='x:{element}'><w:txbxContent>{par(text)}</w:txbxContent></{element}:txbx>"


def test_a_text_box_is_read_once_where_it_is_anchored(tmp_path: Path) -> None:
    choice = f"<mc:Choice xmlns:mc='m'><w:drawing>{box('The car park closes at ten.')}</w:drawing></mc:Choice>"
    fallback = f"<mc:Fallback xmlns:mc='m'><w:pict>{box('The car park closes at ten.', 'v')}</w:pict></mc:Fallback>"
    anchored = f"<w:r><mc:AlternateContent xmlns:mc='m'>{choice}{fallback}</mc:AlternateContent></w:r>"
    text = read_one(
        tmp_path / "a.docx", make_file(par("The mill is open daily.", anchored) + par("Dogs stay out."))
    ).text
    assert text == "The mill is open daily.\n\nThe car park closes at ten.\n\nDogs stay out."


def test_notes_are_read_and_comments_are_not(tmp_path: Path) -> None:
    note = "<w:r><w:footnoteReference w:id='2'/></w:r><w:r><w:endnoteReference w:id='1'/></w:r>"
    remark = "<w:r><w:commentReference w:id='0'/></w:r>"
    data = make_file(
        par("The roof was mended.", note + remark) + par("It is green."),
        footnotes=f"<w:footnote w:type='separator' w:id='0'>{par('')}</w:footnote>"
        f"<w:footnote w:id='2'>{par('By hand.')}</w:footnote>",
        endnotes=f"<w:endnote w:id='1'>{par('The Holm trust paid for it.')}</w:endnote>",
        comments=f"<w:comment w:id='0'>{par('Is that so?')}</w:comment>",
    )
    text = read_one(tmp_path / "a.docx", data).text
    assert text == "The roof was mended.\n\nBy hand.\n\nIt is green.\n\nThe Holm trust paid for it."


def test_lists_keep_the_numbers_that_word_shows(tmp_path: Path) -> None:
    def item(text: str, level: int, number: int = 1) -> str:
        return par(text, properties=f"<w:numPr><w:ilvl w:val='{level}'/><w:numId w:val='{number}'/></w:numPr>")

    def level(depth: int, kind: str, shape: str) -> str:
        return f"<w:lvl w:ilvl='{depth}'><w:numFmt w:val='{kind}'/><w:lvlText w:val='{shape}'/></w:lvl>"

    levels = level(0, "decimal", "%1.") + level(1, "lowerLetter", "%1.%2)")
    numbering = f"<w:abstractNum w:abstractNumId='7'>{levels}</w:abstractNum>"
    numbering += f"<w:abstractNum w:abstractNumId='8'>{level(0, 'bullet', 'x')}</w:abstractNum>"
    numbering += (
        "<w:num w:numId='1'><w:abstractNumId w:val='7'/></w:num><w:num w:numId='2'><w:abstractNumId w:val='8'/></w:num>"
    )
    body = item("Stop the wheel.", 0) + item("Slowly.", 1) + item("Wait.", 1) + item("Lift the sluice.", 0)
    body += item("Again.", 1) + item("A rope", 0, 2)
    text = read_one(tmp_path / "a.docx", make_file(body, numbering=numbering)).text
    assert text.split("\n\n") == [
        "1. Stop the wheel.", "1.a) Slowly.", "1.b) Wait.", "2. Lift the sluice.", "2.a) Again.", "• A rope",
    ]  # fmt: skip


def table(*rows: tuple[str, ...]) -> str:
    cells = ("".join(f"<w:tc>{par(cell)}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def test_the_rows_of_a_table_follow_one_another_and_a_table_within_a_cell_is_read(tmp_path: Path) -> None:
    nested = table(("Adults", "12"), ("Children", "5"))
    inner = f"<w:tbl><w:tr><w:tc>{par('Guests')}</w:tc><w:tc>{nested}</w:tc></w:tr></w:tbl>"
    data = make_file(par("Prices") + table(("Who", "Crowns"), ("Groups", "34")) + inner)
    text = read_one(tmp_path / "a.docx", data).text
    assert text == "Prices\n\nWho\tCrowns\nGroups\t34\n\nGuests\tAdults 12 Children 5"


def test_a_table_that_only_arranges_text_is_read_cell_by_cell(tmp_path: Path) -> None:
    long = "The miller wrote a letter every week, and nobody answered him for nine years. " * 3
    column = "<w:tc>{}</w:tc>"
    row = column.format(par(long) + par("He stopped.")) + column.format(par("The river froze."))
    text = read_one(tmp_path / "a.docx", make_file(f"<w:tbl><w:tr>{row}</w:tr></w:tbl>")).text
    assert text.split("\n\n") == [long, "He stopped.", "The river froze."]


def test_the_title_is_the_first_heading_or_line_if_none_is_declared(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("Open daily.")
    document.add_heading("The mill at Holm", 1)
    document.add_paragraph("It was built in 1802.")
    document.save(tmp_path / "b.docx")
    assert read_one(tmp_path / "b.docx", (tmp_path / "b.docx").read_bytes()).title == "The mill at Holm"
    data = make_file(par("The mill at Holm") + par("It was built in 1802 and ground rye for the whole valley."))
    assert read_one(tmp_path / "a.docx", data).title == "The mill at Holm"
