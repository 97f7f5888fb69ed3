"""Files are found in order and read as documents, or skipped with a reason."""

import hashlib
import io
import os
import sys
import unicodedata
import zipfile
from pathlib import Path

import pytest

from rag.errors import DocumentError
from rag.ingest.documents import MAX_BYTES, File, Skipped, corpus_root, read, walk
from rag.types import Document

SEEDS = Path(__file__).parents[2] / "seeds"
CZECH = "Ministr zahraničí přijel ve čtvrtek do hlavního města.\n\nPřivítal ho prezident se svými poradci.\n"
CHARSETS = {
    "000": ("cp1250", "iso8859_2"),
    "001": ("cp1253", "iso8859_7"),
    "002": ("cp1257", "iso8859_13", "iso8859_15", "cp1252"),
    "003": ("cp1251", "iso8859_5"),
    "004": ("cp1250", "iso8859_2"),
}


def entries(*paths: Path) -> list[Document | Skipped]:
    return [read(entry) if isinstance(entry, File) else entry for entry in walk(paths)]


def read_one(path: Path, data: bytes) -> Document:
    path.write_bytes(data)
    (document,) = entries(path)
    assert isinstance(document, Document), document
    return document


def skipped(path: Path) -> dict[str, str]:
    return {entry.source: entry.reason for entry in entries(path) if isinstance(entry, Skipped)}


def test_the_five_articles() -> None:
    documents = [document for document in entries(SEEDS) if isinstance(document, Document)]
    assert [(d.source[:3], d.language, d.script, d.date, d.title) for d in documents] == [
        ("000", "cs", "Latn", None, None),
        ("001", "el", "Grek", None, None),
        ("002", "et", "Latn", "2025-07", None),
        ("003", "sr", "Cyrl", None, "Ким Џонг Ун позвао Путина да посети Северну Кореју"),
        ("004", "pl", "Latn", "2023-09", None),
    ]


def test_metadata_is_blanked_so_that_offsets_match_the_file() -> None:
    for document in entries(SEEDS):
        assert isinstance(document, Document)
        file = (SEEDS / document.source).read_text(encoding="utf-8")
        assert len(document.text) == len(file)
        assert "date 20" not in document.text
        assert document.text.lstrip() == (file[14:] if document.date else file)


@pytest.mark.parametrize(
    ("line", "date"),
    [
        (" date 2025-07-12 Text", "2025-07-12"),
        ("date: 2025 Text", "2025"),
        ("date 2025-13 Text", None),
        ("date 2025-02-30 Text", None),
        ("dates 2025-07 Text", None),
        ("The date 2025-07 is in the text", None),
    ],
)
def test_dates_are_read_to_the_precision_known(tmp_path: Path, line: str, date: str | None) -> None:
    document = read_one(tmp_path / "a.txt", f"{line} that goes on.\n".encode())
    assert document.date == date
    assert document.text.startswith(" ") == (date is not None or line.startswith(" "))


@pytest.mark.parametrize(("seed", "charset"), [(seed, name) for seed, names in CHARSETS.items() for name in names])
def test_articles_in_eight_bit_charsets_read_the_same(tmp_path: Path, seed: str, charset: str) -> None:
    data = next(SEEDS.glob(f"{seed}*")).read_text(encoding="utf-8").encode(charset, "ignore")
    (tmp_path / "a.txt").write_bytes(data)
    (tmp_path / "utf8").mkdir()
    (tmp_path / "utf8" / "b.txt").write_bytes(data.decode(charset).encode())
    as_saved, as_utf8 = entries(tmp_path)
    assert isinstance(as_saved, Document)
    assert isinstance(as_utf8, Document)
    assert (as_saved.text, as_saved.language) == (as_utf8.text, as_utf8.language)


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("text", [CZECH, "Влада је усвојила нови закон о школама.\n", "部长说了什么？\n我们不知道。\n"])
def test_unicode_charsets_read_the_same(tmp_path: Path, charset: str, text: str) -> None:
    assert read_one(tmp_path / "a.txt", text.encode(charset)).text == text


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("Žluťoučký kůň úpěl ďábelské ódy.", "cp1250"),
        ("Žluťoučký kůň úpěl ďábelské ódy.", "iso8859_2"),
        ("Президент встретился с послом Японии.", "koi8_r"),
        ("Президент встретился с послом Японии.", "cp1251"),
        ("Ο πρόεδρος συναντήθηκε με τον υπουργό.", "iso8859_7"),
        ("Täna õhtul räägib peaminister režiimist.", "iso8859_15"),
        ("Das Gespräch über die Brücke dauerte länger.", "cp1252"),
    ],
)
def test_one_sentence_is_enough_to_detect_a_charset(tmp_path: Path, text: str, charset: str) -> None:
    assert read_one(tmp_path / "a.txt", text.encode(charset)).text == text


def test_a_file_truncated_within_a_letter_loses_only_that_letter(tmp_path: Path) -> None:
    assert read_one(tmp_path / "a.txt", "Přijel žlutý kůň".encode()[:-1]).text == "Přijel žlutý ků\ufffd"


def test_text_and_line_ends_are_normalized(tmp_path: Path) -> None:
    data = unicodedata.normalize("NFD", CZECH).replace("\n", "\r\n").encode()
    document = read_one(tmp_path / "a.txt", data)
    assert document.text == CZECH
    assert document.checksum == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Nový most je otevřen\n\nMinistr dnes otevřel most.", "Nový most je otevřen"),
        ("Proč přijel ministr?\n\nMinistr dnes přijel.", "Proč přijel ministr?"),
        ("Ministr dnes přijel.\n\nPřivítal ho prezident.", None),
        ("Nový most je otevřen", None),
        ("Ministr dnes slavnostně otevřel nový most a pak\npokračoval v cestě na sever země.", None),
        ("* * *\n\nMinistr dnes otevřel most.", None),
    ],
)
def test_a_first_line_that_is_set_apart_and_not_a_sentence_is_the_title(
    tmp_path: Path, text: str, title: str | None
) -> None:
    assert read_one(tmp_path / "a.txt", text.encode()).title == title


def test_a_markdown_heading_is_the_title(tmp_path: Path) -> None:
    assert read_one(tmp_path / "a.md", f"![logo](x.png)\n\n# Návštěva #\n\n{CZECH}".encode()).title == "Návštěva"


def test_files_that_cannot_be_articles_are_skipped_with_a_reason(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (tmp_path / "secret.txt").write_text("Outside.")
    (tmp_path / "elsewhere").mkdir()
    (corpus / "a.txt").write_text(CZECH)
    (corpus / "copy.txt").write_text(CZECH)
    (corpus / "empty.txt").touch()
    (corpus / "blank.txt").write_text(" \n\n")
    (corpus / "noise.txt").write_bytes(hashlib.shake_128(b"noise").digest(4000))
    (corpus / "picture.png").write_bytes(b"\x89PNG")
    (corpus / "link.txt").symlink_to(tmp_path / "secret.txt")
    (corpus / "folder").symlink_to(tmp_path / "elsewhere")
    (corpus / "dangling.txt").symlink_to(corpus / "nothing.txt")
    os.mkfifo(corpus / "pipe.txt")
    with (corpus / "huge.txt").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    (corpus / ".hidden.txt").write_text("Hidden.")

    reasons = skipped(corpus)
    expected = {
        "copy.txt": "same as that of a.txt", "empty.txt": "empty", "blank.txt": "no text", "noise.txt": "binary",
        "picture.png": "formats", "link.txt": "out of the corpus", "folder": "out of the corpus",
        "dangling.txt": "cannot be read", "pipe.txt": "not a regular file", "huge.txt": "larger than 50 MB",
    }  # fmt: skip
    assert reasons.keys() == expected.keys()
    assert {name for name, words in expected.items() if words not in reasons[name]} == set()
    assert [entry.source for entry in entries(corpus) if isinstance(entry, Document)] == ["a.txt"]


def test_of_copies_the_oldest_that_is_no_link_is_the_article(tmp_path: Path) -> None:
    for age, name in enumerate(("c.txt", "b.txt", "d.txt")):
        (tmp_path / name).write_text(CZECH)
        os.utime(tmp_path / name, (1_700_000_000 + age, 1_700_000_000 + age))
    (tmp_path / "a.txt").symlink_to(tmp_path / "c.txt")
    assert [entry.source for entry in entries(tmp_path) if isinstance(entry, Document)] == ["c.txt"]
    assert skipped(tmp_path) == dict.fromkeys(("a.txt", "b.txt", "d.txt"), "Its content is the same as that of c.txt.")


def test_a_file_that_vanishes_after_the_walk_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(CZECH)
    (file,) = walk([tmp_path])
    assert isinstance(file, File)
    file.path.unlink()
    result = read(file)
    assert isinstance(result, Skipped)
    assert "cannot be read" in result.reason


@pytest.mark.skipif(sys.platform == "darwin", reason="file names there are always valid")
def test_a_file_whose_name_is_not_valid_is_skipped_and_can_be_printed(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).write_text(CZECH)
    assert {name.encode(): "Rename" in reason for name, reason in skipped(tmp_path).items()} == {b"\\xff.txt": True}


def test_sources_are_relative_to_the_deepest_folder_that_holds_all_paths(tmp_path: Path) -> None:
    for place in ("x/one.txt", "x/deep/two.txt", "y/three.txt"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(f"{place}: {CZECH}")
    assert [entry.source for entry in walk([tmp_path / "x"])] == ["deep/two.txt", "one.txt"]
    assert [entry.source for entry in walk([tmp_path / "x/one.txt"])] == ["one.txt"]
    assert [entry.source for entry in walk([tmp_path / "y", tmp_path / "x/deep"])] == ["x/deep/two.txt", "y/three.txt"]
    assert [entry.source for entry in walk([tmp_path / "x", tmp_path / "x/one.txt"])] == ["deep/two.txt", "one.txt"]
    assert corpus_root([tmp_path / "x/one.txt", tmp_path / "y"]) == tmp_path.resolve()


def test_a_path_that_does_not_exist_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="articels"):
        list(walk([tmp_path / "articels"]))


def test_a_web_page_is_read_in_the_charset_that_it_declares(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    paragraph = "Ο υπουργός Εξωτερικών έφθασε σήμερα στην πρωτεύουσα και συναντήθηκε με τον πρόεδρο της χώρας. " * 4
    page = (
        '<html><head><meta charset="iso-8859-7"><title>Η επίσκεψη</title>'
        '<meta property="article:published_time" content="2025-07-12T10:00:00Z"></head>'
        f"<body><nav>Menu</nav><article><h1>Η επίσκεψη</h1><p>{paragraph}</p><p>{paragraph}Τέλος.</p></article>"
        "</body></html>"
    )
    document = read_one(tmp_path / "a.html", page.encode("iso8859_7"))
    assert (document.language, document.date, document.title) == ("el", "2025-07-12", "Η επίσκεψη")
    assert "έφθασε σήμερα στην πρωτεύουσα" in document.text
    assert "Menu" not in document.text


def test_a_word_file_is_read_with_its_tables(tmp_path: Path) -> None:
    docx = pytest.importorskip("docx")
    document = docx.Document()
    document.core_properties.title = "Zpráva"
    document.add_paragraph("Ministr zahraničí přijel ve čtvrtek do hlavního města.")
    document.add_table(1, 2).rows[0].cells[1].text = "Dvanáct delegátů"
    document.add_paragraph("Přivítal ho prezident.")
    file = io.BytesIO()
    document.save(file)
    found = read_one(tmp_path / "a.docx", file.getvalue())
    assert (found.title, found.language) == ("Zpráva", "cs")
    assert found.text.index("přijel") < found.text.index("Dvanáct") < found.text.index("Přivítal")


def test_a_pdf_is_read(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    document = read_one(tmp_path / "a.pdf", _pdf("The minister arrived in the capital on Thursday."))
    assert document.text.strip() == "The minister arrived in the capital on Thursday."
    assert document.language == "en"


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.pdf", b"%PDF-1.7 nothing"), ("a.docx", b"PK nothing"), ("a.html", b""), ("b.pdf", None), ("b.docx", None)],
)
def test_damaged_files_are_skipped(tmp_path: Path, name: str, data: bytes | None) -> None:
    for module in ("pypdfium2", "docx", "trafilatura"):
        pytest.importorskip(module)
    with zipfile.ZipFile(archive := io.BytesIO(), "w") as empty:
        empty.writestr("x", "y")
    (tmp_path / name).write_bytes(data if data is not None else _pdf("") if name == "b.pdf" else archive.getvalue())
    assert skipped(tmp_path).keys() == {name}


def _pdf(text: str) -> bytes:
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    file, places = b"%PDF-1.4\n", []
    for number, item in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj%s endobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    tail = b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(file),
    )
    return file + tail


def test_invisible_characters_stay_in_the_text_and_not_in_the_title(tmp_path: Path) -> None:
    text = "Die Bau\u00adarbeiten\u200b am Bahnhof\n\nSie kosten 4,6\u00a0Millionen Euro, sagt er Ihnen\u00ad.\n"
    document = read_one(tmp_path / "a.txt", b"\xef\xbb\xbf" + text.encode())
    assert document.text == text
    assert document.title == "Die Bauarbeiten am Bahnhof"
    assert document.language == "de"


def test_a_file_of_invisible_characters_is_empty(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\u200b\u00ad\n\ufeff\u200b\n", encoding="utf-8")
    assert "no text" in skipped(tmp_path)["a.txt"]


def test_a_stray_zero_byte_does_not_change_the_charset(tmp_path: Path) -> None:
    (tmp_path / "stray.txt").write_bytes(
        b"The harbour was opened in May.\x00 It had cost nine million. " + b"Boats may enter at night. " * 8
    )
    (entry,) = walk([tmp_path])
    assert isinstance(entry, File)
    document = read(entry)
    assert isinstance(document, Document)
    assert document.text.startswith("The harbour was opened in May.")
    assert document.language == "en"


def test_a_title_contains_no_line_ends_of_windows(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes("# Přístav otevřen\r\n\r\nPřístav byl otevřen v květnu.\r\n".encode())
    (entry,) = walk([tmp_path])
    assert isinstance(entry, File)
    document = read(entry)
    assert isinstance(document, Document)
    assert document.title == "Přístav otevřen"
