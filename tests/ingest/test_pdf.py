"""PDF files by many programs give the text that was put into them, in reading order."""

import io
import os
import stat
from pathlib import Path

import pytest

from rag.ingest.documents import ParsedDocument
from tests.ingest.test_documents import read_one, skipped

pypdfium2 = pytest.importorskip("pypdfium2")

from rag.ingest.pdf.worker import read  # noqa: E402 - it needs the package that may be missing

FOLDER = Path(__file__).parents[1] / "data" / "pdf"
FILES = sorted(file.stem for file in FOLDER.glob("*.pdf"))
HEADS = {"typst-columns", "weasyprint-columns", "reportlab-columns"}
"""Files of one page with a running head, which cannot be told from a line of the text."""


def read_text(name: str) -> str:
    return read((FOLDER / f"{name}.pdf").read_bytes()).text


def count_in_order(wanted: list[str], found: list[str]) -> int:
    """Return the length of the longest common subsequence."""
    row = [0] * (len(found) + 1)
    for word in wanted:
        following = [0]
        for place, other in enumerate(found):
            following.append(row[place] + 1 if word == other else max(row[place + 1], following[place]))
        row = following
    return row[-1]


@pytest.mark.parametrize("name", FILES)
def test_the_words_come_in_the_order_in_which_they_are_read(name: str) -> None:
    wanted = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split()
    found = read_text(name).split()
    in_order = count_in_order(wanted, found)
    assert in_order >= 0.99 * len(wanted)
    assert in_order >= (0.98 if name in HEADS else 0.99) * len(found)


@pytest.mark.parametrize("name", sorted({*FILES} - {"fpdf2-columns"}))
def test_paragraphs_are_whole(name: str) -> None:
    wanted = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split("\n\n")
    found = {" ".join(paragraph.split()) for paragraph in read_text(name).split("\n\n")}
    assert [paragraph for paragraph in wanted if " ".join(paragraph.split()) not in found] == []


def test_running_heads_and_page_numbers_are_left_out() -> None:
    text = read_text("typst-book")
    assert text.count("\f") == 3
    assert "Chronicle" not in text
    assert "—" not in text


def test_digits_and_ligatures_of_arabic_are_in_reading_order(tmp_path: Path) -> None:
    document = read_one(tmp_path / "a.pdf", (FOLDER / "fpdf2-arabic.pdf").read_bytes())
    assert document.language == "ar"
    for words in ("7800 دينار فقط.", "بلغ ٤٥٦ زائرا", "ليلى الأنصاري", "(مجانا للأطفال)."):
        assert words in document.text


def test_a_table_keeps_its_rows() -> None:
    assert "Ottilie Branstead\t204\t5822" in read_text("chromium-table")


def make_pages(*texts: str | None, title: str = "") -> bytes:
    """Return a PDF with a page for each text; None stands for a page with only a grey picture."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>", ""]
    kids = []
    for text in texts:
        drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text is not None else "0.5 g 72 72 400 600 re f"
        kids.append(f"{len(objects) + 1} 0 R")
        font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
        page = f"/MediaBox[0 0 612 792]/Contents {len(objects) + 2} 0 R/Resources<</Font<</F1 {font}>>>>"
        objects += [f"<</Type/Page/Parent 2 0 R{page}>>", f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream"]
    objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(kids)}>>"
    objects.append(f"<</Title({title})>>")
    file, places = io.BytesIO(b""), []
    file.write(b"%PDF-1.4\n")
    for number, item in enumerate(objects, 1):
        places.append(file.tell())
        file.write(f"{number} 0 obj{item} endobj\n".encode())
    table = file.tell()
    rows = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    trailer = f"trailer<</Size {size}/Root 1 0 R/Info {size - 1} 0 R>>\nstartxref\n{table}\n%%EOF"
    file.write(f"xref\n0 {size}\n0000000000 65535 f \n{rows}{trailer}".encode())
    return file.getvalue()


WORKS = "The works at the harbour took nine years."


def test_pages_without_text_are_named_and_the_others_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    document = read_one(tmp_path / "a.pdf", make_pages(WORKS, None, None, "They cost nine million.", None))
    assert isinstance(document, ParsedDocument)
    (warning,) = document.warnings
    assert warning.startswith("Pages 2–3, 5 are pictures without text")
    assert "OCR" in warning
    assert document.text.split("\f")[3].strip() == "They cost nine million."


def test_scanned_pages_are_read_with_tesseract_in_all_its_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "tesseract"
    program.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = --list-langs ]; then printf "List of available languages (3):\\nces\\neng\\nosd\\n"; exit; fi\n'
        'read -r begin; echo "Recognised in $4."\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    document = read_one(tmp_path / "a.pdf", make_pages(WORKS, None))
    assert isinstance(document, ParsedDocument)
    assert document.warnings == ()
    assert document.text.split("\f")[1].strip() == "Recognised in ces+eng."


def test_a_file_of_pictures_alone_is_skipped_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "a.pdf").write_bytes(make_pages(None))
    assert "Tesseract" in skipped(tmp_path)["a.pdf"]


@pytest.mark.parametrize(
    ("declared", "title"), [("The works at the harbour", "The works at the harbour"), ("a.doc", None)]
)
def test_a_declared_title_counts_only_if_the_text_has_its_words(
    tmp_path: Path, declared: str, title: str | None
) -> None:
    assert read_one(tmp_path / "a.pdf", make_pages(WORKS, title=declared)).title == title
