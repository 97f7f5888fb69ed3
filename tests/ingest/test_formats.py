"""Files of each format yield their whole text, and the title and date that they declare."""

import io
from pathlib import Path

import pytest

from rag.types import Document
from tests.ingest.test_documents import read_one

PARAGRAPH = "L’été fut chaud et l’œuvre coûta 300 € à la ville – ou presque, dit le maire de Châlons à la presse. " * 4
HEBREW = "ראש העיר פתח את הנמל החדש ביום ראשון ואמר כי העבודות נמשכו תשע שנים ועלו תשעה מיליון. " * 4
CHINESE = "总理朱镕基周日出席了新港口的开幕式，并表示工程历时九年，耗资九百万元。渔民们对此表示欢迎。" * 4

JAPANESE = "市長は日曜日に新しい港を開き、工事には九年かかり、九百万円の費用がかかったと述べた。" * 4


def make_page(words: str, declared: str, encoding: str, mark: bytes = b"") -> bytes:
    page = f"<html><head>{declared}<title>x</title></head><body><article><p>{words}</p></article></body></html>"
    return mark + page.encode(encoding)


@pytest.mark.parametrize(
    ("words", "declared", "encoding", "mark"),
    [
        (PARAGRAPH, '<meta charset="iso-8859-1">', "cp1252", b""),
        (PARAGRAPH, '<META http-equiv="Content-Type" content="text/html; charset=ISO-8859-1">', "cp1252", b""),
        (PARAGRAPH, '<meta charset="windows-1250">', "utf-8", b"\xef\xbb\xbf"),
        (PARAGRAPH, '<meta charset="iso-8859-1">', "utf-8", b""),
        (HEBREW, '<script charset="iso-8859-1" src="a.js"></script><meta charset="windows-1255">', "cp1255", b""),
        (CHINESE, '<meta charset="gb2312">', "gbk", b""),
        (CHINESE, '<meta charset="utf-16">', "utf-8", b""),
        (JAPANESE, '<meta charset="iso-2022-jp">', "iso2022_jp", b""),
        (PARAGRAPH, '<meta charset="nonsense">', "cp1252", b""),
    ],
)
def test_a_web_page_is_decoded_as_in_a_browser(
    tmp_path: Path, words: str, declared: str, encoding: str, mark: bytes
) -> None:
    pytest.importorskip("trafilatura")
    document = read_one(tmp_path / "a.html", make_page(words, declared, encoding, mark))
    assert words.strip() in document.text


def test_a_web_page_may_begin_with_an_xml_declaration(tmp_path: Path) -> None:
    pytest.importorskip("trafilatura")
    page = b'<?xml version="1.0" encoding="UTF-8"?>\n' + make_page(PARAGRAPH, "", "utf-8")
    assert PARAGRAPH.strip() in read_one(tmp_path / "a.html", page).text


ARTICLE = f'<article><h1>Zpráva</h1><time datetime="2024-02-03T10:00">3. února</time><p>{PARAGRAPH}</p></article>'
LINKED = '{"@context": "https://schema.org", "@type": "NewsArticle", "datePublished": "2024-02-03T10:00:00Z"}'
UNDATED = f"<article><h1>Zpráva</h1><p>{PARAGRAPH}</p></article>"
OTHER = '<time datetime="2015-01-02">2. ledna 2015</time>'


@pytest.mark.parametrize(
    ("body", "date"),
    [
        (f"{ARTICLE}<aside>{OTHER}</aside>", "2024-02-03"),
        (f'<aside>{OTHER}</aside><div class="has-sidebar">{ARTICLE}</div>', "2024-02-03"),
        (f'{ARTICLE}<div class="comments"><article>{OTHER}</article></div>', "2024-02-03"),
        (f'{ARTICLE}<ul id="related">{OTHER}</ul>', "2024-02-03"),
        (f"{UNDATED}<aside>{OTHER}</aside>", None),
        (f'<div class="post comment-status-closed no-comments">{ARTICLE}</div>', "2024-02-03"),
        (f"<article>{ARTICLE}</article>", "2024-02-03"),
        (
            f'<div>{UNDATED}<footer class="entry-footer"><time datetime="2024-02-03">x</time></footer></div>',
            "2024-02-03",
        ),
        (f'{UNDATED}<footer><script type="application/ld+json">{LINKED}</script></footer>', "2024-02-03"),
        (f"{UNDATED}<footer>{OTHER}</footer>", None),
    ],
)
def test_the_date_of_a_web_page_is_not_that_of_another_article(tmp_path: Path, body: str, date: str | None) -> None:
    pytest.importorskip("trafilatura")
    page = f'<html><head><meta charset="utf-8"><title>x</title></head><body>{body}</body></html>'
    assert read_one(tmp_path / "a.html", page.encode()).date == date


def make_word_file(body: str) -> bytes:
    """Return a Word file with this XML as its body."""
    docx = pytest.importorskip("docx")
    from docx.oxml import parse_xml

    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    document = docx.Document()
    for element in reversed(parse_xml(f'<w:body xmlns:w="{space}">{body}</w:body>')):
        document.element.body.insert(0, element)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def test_a_word_file_is_read_with_all_tracked_changes_accepted(tmp_path: Path) -> None:
    said = (
        "<w:p><w:pPr><w:tabs><w:tab w:val='left' w:pos='1'/></w:tabs></w:pPr>"
        "<w:r><w:t xml:space='preserve'>Přehradu otevřel ministr </w:t></w:r>"
        "<w:ins><w:r><w:t xml:space='preserve'>zemědělství Marek Výborný </w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>kultury </w:delText></w:r></w:del>"
        "<w:moveFrom><w:r><w:t>včera </w:t></w:r></w:moveFrom><w:r><w:t>v sobotu.</w:t></w:r></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>Stála devět milionů.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    text = read_one(tmp_path / "a.docx", make_word_file(said)).text
    assert text == "Přehradu otevřel ministr zemědělství Marek Výborný v sobotu.\n\nStála devět milionů."


def test_ruby_and_placeholders_of_a_word_file_are_left_out(tmp_path: Path) -> None:
    said = (
        "<w:p><w:r><w:ruby><w:rt><w:r><w:t>とうきょう</w:t></w:r></w:rt>"
        "<w:rubyBase><w:r><w:t>東京</w:t></w:r></w:rubyBase></w:ruby></w:r><w:r><w:t>の市長</w:t></w:r></w:p>"
        "<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr>"
        "<w:sdtContent><w:p><w:r><w:t>Click or tap here.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        "<w:p><w:r><w:t>The mayor</w:t><w:br w:type='page'/><w:t>opened</w:t><w:ptab/><w:t>it.</w:t></w:r></w:p>"
    )
    text = read_one(tmp_path / "a.docx", make_word_file(said)).text
    assert text == "東京の市長\n\nThe mayor opened\tit."


def test_a_cell_that_spans_columns_is_read_once(tmp_path: Path) -> None:
    cell = "<w:tc><w:tcPr>{}</w:tcPr><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    merged = cell.format("<w:gridSpan w:val='2'/>", "Volby v Brně")
    rows = f"<w:tr>{merged}</w:tr><w:tr>{cell.format('', 'Strana')}{cell.format('', 'Hlasy')}</w:tr>"
    text = read_one(tmp_path / "a.docx", make_word_file(f"<w:tbl>{rows}</w:tbl>")).text
    assert text == "Volby v Brně\n\nStrana\tHlasy"


FRONT = '---\ntitle: "{}"\ntags:\n  - harbour\nDate: {}\n\n---\n\nThe harbour opened on Sunday.\n'


@pytest.mark.parametrize(
    ("name", "written", "date"),
    [
        ("a.md", "2021-06-14", "2021-06-14"),
        ("a.txt", "2021-06-14T10:00:00+02:00", "2021-06-14"),
        ("a.md", "2021-06-14 10:00", "2021-06-14"),
        ("a.md", "'2021-06-14' # a note", "2021-06-14"),
        ("a.md", "2021", "2021"),
        ("a.md", "2021-06", "2021-06"),
        ("a.md", "yesterday", None),
    ],
)
def test_front_matter_gives_title_and_date_and_is_blanked(
    tmp_path: Path, name: str, written: str, date: str | None
) -> None:
    file = FRONT.format("The new harbour", written)
    document = read_one(tmp_path / name, file.encode())
    assert (document.title, document.date) == ("The new harbour", date)
    assert document.text.split() == ["The", "harbour", "opened", "on", "Sunday."]
    assert document.text.index("The harbour") == file.index("The harbour")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (">-\n  The new\n  harbour", "The new harbour"),
        ("It''s here", "It''s here"),
        ('"The new" # a note', "The new"),
        ("null", None),
    ],
)
def test_a_title_in_front_matter_is_read_as_yaml(tmp_path: Path, title: str, expected: str | None) -> None:
    document = read_one(tmp_path / "a.txt", f"---\ntitle: {title}\n---\nThe harbour opened on Sunday.\n".encode())
    assert document.title == expected


@pytest.mark.parametrize(
    "text",
    [
        "---\nThe harbour opened.\n---\n",
        "---\ntitle: no end\n\nThe harbour opened.\n",
        "---\nReporter: How much?\nMinister: Nine million.\n---\n",
        "---\n- Apples\n- Pears\n---\nThe harbour opened.\n",
        "---\ntitle: [\n---\nThe harbour opened.\n",
    ],
)
def test_a_line_of_hyphens_alone_is_not_front_matter(tmp_path: Path, text: str) -> None:
    assert read_one(tmp_path / "a.txt", text.encode()).text.startswith("---")


@pytest.mark.parametrize("line", ["Date: 2023-09-04 Text", "date: 2023-09-04T10:00:00Z Text"])
def test_a_date_line_may_have_a_capital_and_a_time(tmp_path: Path, line: str) -> None:
    document = read_one(tmp_path / "a.txt", f"{line} that goes on.\n".encode())
    assert isinstance(document, Document)
    assert document.date == "2023-09-04"
    assert document.text.strip() == "Text that goes on."
