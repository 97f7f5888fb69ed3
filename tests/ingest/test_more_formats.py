"""Files of many formats give their text, title and date; what cannot be read is refused with what to do."""

import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from rag.ingest.documents import ParsedDocument
from rag.text.structure import find_page, show, tidy
from tests.ingest.test_documents import entries, read_one, skipped

WORKS = "The works at the harbour of Velden took nine years, said the engineer Runa Holt."


def pack(**files: str) -> bytes:
    """Return a ZIP archive; `__` in a name stands for a slash and `_x` for `.x`."""
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return file.getvalue()


TEXT = "urn:oasis:names:tc:opendocument:xmlns"
OPENDOCUMENT = f"""<?xml version="1.0"?>
<o:document-content xmlns:o="{TEXT}:office:1.0" xmlns:t="{TEXT}:text:1.0" xmlns:b="{TEXT}:table:1.0"
 xmlns:d="{TEXT}:drawing:1.0"><o:body><o:text>
<t:tracked-changes><t:changed-region><t:deletion><t:p>Struck out.</t:p></t:deletion></t:changed-region>
</t:tracked-changes>
<t:h>The harbour</t:h>
<t:p>{WORKS}<t:note><t:note-citation>1</t:note-citation><t:note-body><t:p>The county paid.</t:p></t:note-body>
</t:note></t:p>
<t:p>See<t:s t:c="2"/>below<t:tab/>now.<d:frame><d:text-box><t:p>Closed on Mondays.</t:p></d:text-box></d:frame></t:p>
<t:list><t:list-item><t:p>one rope</t:p>
<t:list><t:list-item><t:p>of hemp</t:p></t:list-item></t:list></t:list-item></t:list>
<b:table>
<b:table-row><b:table-cell><t:p>Berth</t:p></b:table-cell><b:table-cell><t:p>Depth</t:p></b:table-cell></b:table-row>
<b:table-row><b:table-cell><t:p>North</t:p></b:table-cell><b:table-cell><t:p>14</t:p></b:table-cell></b:table-row>
</b:table>
</o:text></o:body></o:document-content>"""
META = """<m xmlns:dc="dc" xmlns:meta="meta"><meta:creation-date>2024-05-01T10:00:00</meta:creation-date>
<dc:title>Velden</dc:title></m>"""


def test_an_opendocument_text_is_read_in_order(tmp_path: Path) -> None:
    document = read_one(tmp_path / "a.odt", pack(content_xml=OPENDOCUMENT, meta_xml=META))
    assert (document.title, document.date) == ("Velden", "2024-05-01")
    assert tidy(document.text).split("\n") == [
        "The harbour", WORKS, "The county paid.", "See below now.", "Closed on Mondays.", "one rope", "of hemp",
        "Berth Depth", "North 14",
    ]  # fmt: skip
    row = document.text.index("North")
    assert show(document.text, (row, row + 8)) == "Berth: North; Depth: 14"


def test_the_chapters_of_a_book_come_in_reading_order(tmp_path: Path) -> None:
    page = "<html><body><h1>{}</h1><p>{}</p></body></html>"
    package = """<package xmlns="opf" xmlns:dc="dc"><dc:title>The sea</dc:title><dc:date>2019-03</dc:date><manifest>
    <item id="b" href="text/b%20b.xhtml"/><item id="a" href="text/a.xhtml"/></manifest>
    <spine><itemref idref="b"/><itemref idref="a"/></spine></package>"""
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        archive.writestr("META-INF/container.xml", '<c><rootfiles><rootfile full-path="in/p.opf"/></rootfiles></c>')
        archive.writestr("in/p.opf", package)
        ice = "The pier was cut in two by the ice that winter. " * 3
        archive.writestr("in/text/a.xhtml", page.format("Second", ice))
        archive.writestr("in/text/b b.xhtml", page.format("First", f"{WORKS} " * 3))
    document = read_one(tmp_path / "a.epub", file.getvalue())
    assert (document.title, document.date) == ("The sea", "2019-03")
    assert document.text.index("Runa Holt") < document.text.index("cut in two")


def test_a_mail_has_its_sender_date_and_subject_and_names_its_attachments(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Runa Holt <runa@example.org>", "all@example.org", "Přístav ve Veldenu"
    mail["Date"] = "Mon, 3 Mar 2025 23:30:00 +0100"
    mail.set_content(f"{WORKS}\n")
    mail.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="plan.pdf")
    document = read_one(tmp_path / "a.eml", bytes(mail))
    assert (document.title, document.date) == ("Přístav ve Veldenu", "2025-03-03")
    assert "From: Runa Holt <runa@example.org>" in document.text
    assert WORKS in document.text
    assert isinstance(document, ParsedDocument)
    assert "plan.pdf" in document.warnings[0]


def test_the_text_of_a_mail_in_html_and_of_a_saved_page_is_read(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Harbour"
    mail.set_content(f"<html><body><p>{WORKS}</p><script>x()</script></body></html>", subtype="html")
    for name in ("a.eml", "a.mht"):
        text = read_one(tmp_path / name, bytes(mail)).text
        assert WORKS in text
        assert "x()" not in text


def test_slides_are_pages_with_titles_tables_and_notes(tmp_path: Path) -> None:
    pptx = pytest.importorskip("pptx")
    from pptx.util import Inches

    deck = pptx.Presentation()
    first, second = (deck.slides.add_slide(deck.slide_layouts[5]) for _ in range(2))
    first.shapes.title.text = "The harbour"
    first.shapes.add_textbox(Inches(1), Inches(3), Inches(5), Inches(1)).text_frame.text = WORKS
    first.notes_slide.notes_text_frame.text = "Thank the county."
    second.shapes.title.text = "Berths"
    table = second.shapes.add_table(2, 2, Inches(1), Inches(3), Inches(5), Inches(1)).table
    for place, cell in enumerate(("Berth", "Depth", "North", "14")):
        table.cell(place // 2, place % 2).text = cell
    deck.save(tmp_path / "b.pptx")
    document = read_one(tmp_path / "a.pptx", (tmp_path / "b.pptx").read_bytes())
    assert tidy(document.text).split("\n") == [
        "The harbour", WORKS, "Thank the county.", "Berths", "Berth Depth", "North 14",
    ]  # fmt: skip
    assert find_page(document.text, document.text.index("North")) == 2
    assert document.title == "The harbour"


def test_a_workbook_has_its_sheets_rows_and_dates_and_formulas_are_not_computed(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    import datetime

    book = openpyxl.Workbook()
    book.active.title = "Berths"
    for row in (["Berth", "Depth", "Since"], ["North", 14.0, datetime.datetime(2021, 5, 3)], ["South", 9.5, None]):
        book.active.append(row)
    book.create_sheet("Sums").append(["Total", "=SUM(1,2)"])
    book.save(tmp_path / "b.xlsx")
    document = read_one(tmp_path / "a.xlsx", (tmp_path / "b.xlsx").read_bytes())
    assert tidy(document.text).split("\n") == [
        "Berths", "Berth Depth Since", "North 14 2021-05-03", "South 9.5", "Sums", "Total",
    ]  # fmt: skip
    row = document.text.index("North")
    assert show(document.text, (row, document.text.index("\n", row))) == "Berth: North; Depth: 14; Since: 2021-05-03"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_of_values_keeps_its_offsets_and_names_its_columns(tmp_path: Path, delimiter: str) -> None:
    rows = (("Name", "Town", "Joined"), ("Runa Holt", '"Velden, north"', "2011"), ("Petr Orel", "Opava", "2018"))
    file = "\n".join(delimiter.join(row) for row in rows)
    text = read_one(tmp_path / "a.csv", file.encode()).text
    assert len(text) == len(file)
    place = text.index("Runa")
    assert show(text, (place, text.index("\n", place))) == "Name: Runa Holt; Town: Velden, north; Joined: 2011"
    assert file[place : place + 9] == "Runa Holt"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        (
            "a.srt",
            "1\n00:00:01,000 --> 00:00:04,000\nThe keeper was <i>called</i>\nAmos\n\n"
            "2\n00:00:05,000 --> 00:00:06,000\nReed.\n",
        ),
        (
            "a.vtt",
            "WEBVTT - x\nKind: captions\n\n00:01.000 --> 00:04.000 align:start\nThe keeper was called Amos\n\n"
            "00:05.000 --> 00:06.000\nReed.\n",
        ),
    ],
)
def test_subtitles_are_prose_without_times(tmp_path: Path, name: str, file: str) -> None:
    text = read_one(tmp_path / name, file.encode()).text
    assert " ".join(text.split()).replace("  ", " ") == "The keeper was called Amos Reed."
    assert text.index("Reed") == file.index("Reed")


def test_rich_text_is_read(tmp_path: Path) -> None:
    pytest.importorskip("striprtf")
    data = rb"{\rtf1\ansi\ansicpg1250 {\fonttbl{\f0 Arial;}}The rent of the {\b hall} in P\'f8erov rises.\par "
    data += b"It is due in July.}"
    text = read_one(tmp_path / "a.rtf", data).text
    assert text.split("\n") == ["The rent of the hall in Přerov rises.", "It is due in July."]


@pytest.mark.parametrize("name", ["README", "a.log", "A.TXT", "a.text"])
def test_files_without_a_format_are_text(tmp_path: Path, name: str) -> None:
    assert read_one(tmp_path / name, f"{WORKS}\n".encode()).text == f"{WORKS}\n"


@pytest.mark.parametrize("name", ["a.xhtml", "a.txt", "a"])
def test_a_web_page_is_read_as_one_whatever_its_name(tmp_path: Path, name: str) -> None:
    head = '<?xml version="1.0"?>\n<!DOCTYPE html><html><head><style>p{}</style></head>'
    page = f"{head}<body><p>{WORKS}</p></body></html>"
    text = read_one(tmp_path / name, page.encode()).text
    assert text.strip() == WORKS


def test_headings_lists_and_tables_of_a_web_page_are_kept(tmp_path: Path) -> None:
    rows = "<tr><th>Berth</th><th>Depth</th></tr><tr><td>North</td><td>14</td></tr>"
    page = (
        f"<html><body><article><h1>Velden</h1><p>{WORKS * 3}</p><h2>Berths</h2><p>They are <b>deep</b>.<br>Very.</p>"
        f"<table>{rows}</table><ul><li>one <i>hook</i></li><li>two lamps</li></ul></article></body></html>"
    )
    text = read_one(tmp_path / "a.html", page.encode()).text
    lines = tidy(text).split("\n")
    assert lines[-7:] == ["Berths", "They are deep.", "Very.", "Berth Depth", "North 14", "one hook", "two lamps"]
    row = text.index("North")
    assert show(text, (row, row + 8)) == "Berth: North; Depth: 14"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("a.doc", "save it as .docx"),
        ("a.json", ".csv"),
        ("a.msg", ".eml"),
        ("a.png", "OCR"),
        ("a.zip", "Unpack"),
        ("a.final", "supported"),
    ],
)
def test_an_unsupported_format_is_refused_with_what_to_convert_it_to(tmp_path: Path, name: str, remedy: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    assert remedy in skipped(tmp_path)[name]


BOMB = '<!DOCTYPE x [<!ENTITY a "' + "a" * 1000 + '">' + "".join(
    f'<!ENTITY {after} "{f"&{name};" * 20}">' for name, after in zip("abcdef", "bcdefg", strict=True)
) + "]>"  # fmt: skip
LEAK = '<!DOCTYPE x [<!ENTITY g SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("head", [BOMB, LEAK])
def test_entities_are_not_expanded_and_no_file_is_read(tmp_path: Path, head: str) -> None:
    hostile = OPENDOCUMENT.replace('<?xml version="1.0"?>', head).replace("Closed on Mondays.", "[&g;]")
    (tmp_path / "a.odt").write_bytes(pack(content_xml=hostile))
    (tmp_path / "b.txt").write_text(WORKS)
    texts = [tidy(entry.text) for entry in entries(tmp_path) if isinstance(entry, ParsedDocument)]
    assert texts[-1] == WORKS
    assert all("aaaa" not in text and Path("/etc/hostname").read_text().strip() not in text for text in texts)


@pytest.mark.parametrize("name", ["a.odt", "a.epub", "a.pptx", "a.xlsx", "a.docx"])
def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(21):
            archive.writestr(f"{number}.xml", bytes(10_000_000))
    assert "larger than 200 MB when unpacked" in skipped(tmp_path)[name]


@pytest.mark.parametrize("ending", ["odt", "epub", "pptx", "xlsx", "rtf", "eml", "mht", "csv", "srt"])
@pytest.mark.parametrize("data", [b"PK\x03\x04 nothing", b"\x00\xff" * 40])
def test_damaged_files_are_skipped_with_a_reason(tmp_path: Path, ending: str, data: bytes) -> None:
    (tmp_path / f"a.{ending}").write_bytes(data)
    (found,) = entries(tmp_path)
    assert not isinstance(found, ParsedDocument) or found.text.strip()
    assert isinstance(found, ParsedDocument) or found.reason.endswith(".")
