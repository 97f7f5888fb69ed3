"""Read the text, title and date of a file in any supported format.

A format is one function from bytes to `Content`, and one entry in the table `READERS` near the end of this module.
"""

import codecs
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from rag.errors import DocumentError
from rag.ingest.content import Content, decode_text, import_library
from rag.ingest.markdown import blank_marks
from rag.ingest.pdf.pages import read_pages
from rag.ingest.word import read_word
from rag.text.dates import is_date
from rag.text.sentences import HEADING
from rag.text.structure import tidy

MAX_HTML_BYTES = 10_000_000
RECOGNISE = "Install Tesseract, or run text recognition (OCR) on it."
CHARSET_BYTES = 4096
"""The number of bytes at the beginning of a web page that are searched for its charset."""

_DATE = re.compile(r"\s*date:?[ \t]+(\d{4}(?:-\d{2}){0,2})(?:T[\d:.+Z-]*)?(?=\s|$)", re.IGNORECASE)
_FRONT_MATTER = re.compile(r"\s*---[ \t]*\n((?:.*\n){1,200}?)---[ \t]*(?:\n|$)")
_HEADING = re.compile(rf"^{HEADING} *(\S.*)$", re.MULTILINE)
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_SUPERSETS = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949",
}  # fmt: skip
"""The charset that browsers use in place of a declared one, by Python's names; from WHATWG's Encoding Standard."""
_OTHER_ARTICLES = (
    "ancestor::aside or ancestor::nav or "
    "ancestor::footer[not(ancestor::article or ancestor::main or contains(@class, 'entry'))] "
    "or ancestor::*[not(.//h1)][" + " or ".join(
        f"contains(concat(' ', normalize-space(@class), ' ', @id, ' '), ' {word} ')"
        for word in ("comment", "comments", "related", "sidebar")
    ) + "]"
)  # fmt: skip
"""An XPath condition for the parts of a web page that are about other articles."""


def _read_text(data: bytes) -> Content:
    text = decode_text(data)
    front = _FRONT_MATTER.match(text)
    if front and (fields := _read_fields(front[1])):
        title, day = fields.get("title"), str(fields.get("date"))[: len("2023-10-18")]
        named = title if isinstance(title, str) and title.strip() else None
        return Content(_blank(text, front.end()), named, day if is_date(day) else None)
    found = _DATE.match(text)
    if not found or not is_date(found[1]):
        return Content(text)
    return Content(_blank(text, found.end()), date=found[1])


def _read_fields(front: str) -> dict[str, Any]:
    """Return the fields of YAML front matter, named in lower case; none if it has neither a title nor a date."""
    yaml = import_library("yaml")
    try:
        fields = yaml.safe_load(front)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    named = {str(name).lower(): value for name, value in fields.items()} if isinstance(fields, dict) else {}
    return named if named.keys() & {"title", "date"} else {}


def _blank(text: str, end: int) -> str:
    """Return the text with everything before `end` blanked, so that offsets stay valid."""
    return re.sub(r"\S", " ", text[:end]) + text[end:]


def _read_markdown(data: bytes) -> Content:
    content = _read_text(data)
    # Composed before the marks are blanked, so that later nothing can change the length.
    text = blank_marks(unicodedata.normalize("NFC", content.text))
    heading = _HEADING.search(text)
    title = tidy(heading[0]) if heading else None
    return Content(text, content.title or title or None, content.date)


def _read_html(data: bytes) -> Content:
    if len(data) > MAX_HTML_BYTES:
        limit = MAX_HTML_BYTES // 1_000_000
        raise DocumentError(f"It is larger than {limit} MB, the limit for web pages. Split it into smaller files.")
    trafilatura = import_library("trafilatura")
    page = _decode_html(data)
    tree = trafilatura.load_html(page)
    if tree is not None:
        _unmark_other_dates(tree)
    parts = trafilatura.bare_extraction(
        page if tree is None else tree,
        with_metadata=True,
        include_comments=False,
        favor_recall=True,
        # Searching the text for a date that the page does not declare would be guessing.
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    if parts is None or not parts.text:
        return Content(trafilatura.html2txt(page))
    return Content(parts.text, parts.title, parts.date)


def _unmark_other_dates(page: Any) -> None:
    """Turn the <time> elements that date other articles into plain text."""
    for time_of_other in page.xpath(f"//time[{_OTHER_ARTICLES}]"):
        time_of_other.drop_tag()
    # An article within an article is usually a comment. If no time is outside, though, it is the article itself.
    inner = page.xpath("//article//article//time")
    for time_of_other in inner if len(inner) < len(page.xpath("//time")) else ():
        time_of_other.drop_tag()


def _decode_html(data: bytes) -> str:
    declared = _CHARSET.search(data[:CHARSET_BYTES])
    try:
        name = codecs.lookup(declared[1].decode()).name if declared else "utf-8"
        # A byte order mark, or bytes that are valid UTF-8, take precedence over what the page declares.
        if name.startswith("iso2022") or not (name.startswith("utf") or _is_utf8(data)):
            return data.decode(_SUPERSETS.get(name, name))
    except (LookupError, UnicodeDecodeError):
        pass
    return decode_text(data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _read_pdf(data: bytes) -> Content:
    import_library("pypdfium2")
    pages = read_pages(data)
    if not pages.text.strip():
        raise DocumentError(f"It contains no text, perhaps only scanned pages. {RECOGNISE}")
    return Content(pages.text, pages.title, warnings=_describe_pictures(pages.pictures))


def _describe_pictures(pages: Sequence[int]) -> tuple[str, ...]:
    if not pages:
        return ()
    named = f"Page {pages[0]} is a picture" if len(pages) == 1 else f"Pages {_list_numbers(pages)} are pictures"
    return (f"{named} without text and cannot be searched. {RECOGNISE}",)


def _list_numbers(numbers: Sequence[int]) -> str:
    """Return ascending numbers as text, such as `2, 5–9`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


READERS: dict[str, Callable[[bytes], Content]] = {
    ".txt": _read_text,
    ".md": _read_markdown,
    ".html": _read_html,
    ".htm": _read_html,
    ".pdf": _read_pdf,
    ".docx": read_word,
}
"""The function that reads each format, by the extension of the file's name."""
FORMATS = tuple(READERS)
"""The extensions of supported files."""


def parse(data: bytes, ending: str) -> Content:
    """Return the content of a file whose name has the extension `ending`, one of `FORMATS`.

    Raises DocumentError with the reason and the remedy, without the file's name.
    """
    try:
        return READERS[ending](data)
    except (DocumentError, MemoryError):
        raise
    except Exception as error:  # Malformed files make the libraries raise nearly any exception.
        raise DocumentError(f"It is damaged or protected ({error}). Open it in an editor and save it again.") from error
