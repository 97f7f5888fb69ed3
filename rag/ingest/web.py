"""Read web pages: the article, with its headings, lists and tables, and without what is around it."""

import codecs
import re
from collections.abc import Iterator
from typing import Any

from rag.errors import DocumentError
from rag.ingest.content import Content, decode_text, import_library
from rag.text.sentences import HEADING
from rag.text.structure import BULLET

MAX_HTML_BYTES = 10_000_000
CHARSET_BYTES = 4096
"""The number of bytes at the beginning of a web page that are searched for its charset."""

_BLOCKS = {"p", "head", "list", "table", "quote"}
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


def read_html(data: bytes) -> Content:
    """Return the article of a web page, with the title and date that the page declares."""
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
    blocks = "" if parts.body is None else "\n\n".join(list_blocks(parts.body))
    return Content(blocks or parts.text, parts.title, parts.date)


def list_blocks(parent: Any) -> Iterator[str]:
    """Yield the paragraphs, headings, lists and tables of a page that trafilatura has reduced to its article."""
    for element in parent.iterchildren("*"):
        words = "\n".join(" ".join(line.split()) for line in _read_lines(element).split("\n")).strip()
        if element.tag == "head":
            yield f"{HEADING}{words}"
        elif element.tag == "list":
            items = map(_flatten, element.iterchildren("item"))
            yield "\n".join(f"{BULLET} {item}" for item in items if item)
        elif element.tag == "table":
            rows = (map(_flatten, row.iter("cell")) for row in element.iter("row"))
            lines = ("\t".join(row) for row in rows)
            yield "\n".join(line for line in lines if line.strip())
        elif any(child.tag in _BLOCKS for child in element):
            yield from list_blocks(element)
        elif words:
            yield words


def _flatten(element: Any) -> str:
    return " ".join(_read_lines(element).split())


def _read_lines(element: Any) -> str:
    """Return the text of an element, with the line ends that the page asks for."""
    pieces = [element.text or ""]
    for child in element:
        apart = " " if child.tag in _BLOCKS else ""
        pieces += ["\n" if child.tag == "lb" else f"{apart}{_read_lines(child)}{apart}", child.tail or ""]
    return "".join(pieces)


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
