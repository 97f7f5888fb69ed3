"""The bytes of a file in one of the formats that are read → its text, and the title and date that it declares."""

import codecs
import importlib
import io
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from rag.errors import DocumentError
from rag.ingest.charsets import decode
from rag.text.dates import is_date

MAX_UNPACKED_BYTES = 200_000_000
MAX_HTML_BYTES = 10_000_000
MAX_PAGES = 2000
MAX_SECONDS = 60.0
"""For the pages of one PDF; some take minutes each."""
DECLARED = 4096
"""Bytes of a page in which its encoding is declared."""

_DATE = re.compile(r"\s*date:?[ \t]+(\d{4}(?:-\d{2}){0,2})(?:T[\d:.+Z-]*)?(?=\s|$)", re.IGNORECASE)
_FRONT_MATTER = re.compile(r"\s*---[ \t]*\n((?:.*\n){1,200}?)---[ \t]*(?:\n|$)")
_HEADING = re.compile(r"^# +(.+?)[ #]*$", re.MULTILINE)
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_WIDER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949",
}  # fmt: skip
"""What browsers read for what pages declare, by Python's names; after WHATWG's Encoding Standard."""
_BESIDE = (
    "ancestor::aside or ancestor::nav or "
    "ancestor::footer[not(ancestor::article or ancestor::main or contains(@class, 'entry'))] "
    "or ancestor::*[not(.//h1)][" + " or ".join(
        f"contains(concat(' ', normalize-space(@class), ' ', @id, ' '), ' {word} ')"
        for word in ("comment", "comments", "related", "sidebar")
    ) + "]"
)  # fmt: skip
"""Where a page speaks of other articles, as a condition in XPath."""
_UNSAID = {"pPr", "rPr", "del", "moveFrom", "drawing", "pict", "object", "Fallback", "rt"}
"""Parts of a paragraph in a Word file that are no text of it: settings, what was struck out, what floats beside or is
said twice."""
_SIGNS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds."""

    text: str
    title: str | None = None
    date: str | None = None


def _decode(data: bytes) -> str:
    text = decode(data)
    if text is None:
        raise DocumentError("It is binary or in an unknown encoding. If it is a text, save it as UTF-8.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_text(data: bytes) -> Content:
    text = _decode(data)
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
    """The fields between two lines of hyphens, in lower case; none where there is neither title nor date among them."""
    yaml = _import("yaml")
    try:
        fields = yaml.safe_load(front)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    named = {str(name).lower(): value for name, value in fields.items()} if isinstance(fields, dict) else {}
    return named if named.keys() & {"title", "date"} else {}


def _blank(text: str, end: int) -> str:
    """The text with spaces up to `end`, so that offsets hold."""
    return re.sub(r"\S", " ", text[:end]) + text[end:]


def _read_markdown(data: bytes) -> Content:
    content = _read_text(data)
    heading = _HEADING.search(content.text)
    return Content(content.text, content.title or (heading[1] if heading else None), content.date)


def _read_html(data: bytes) -> Content:
    if len(data) > MAX_HTML_BYTES:
        raise DocumentError(f"It is larger than {MAX_HTML_BYTES // 1_000_000} MB, too large for a page. Split it.")
    trafilatura = _import("trafilatura")
    page = _decode_html(data)
    tree = trafilatura.load_html(page)
    if tree is not None:
        _silence_others(tree)
    parts = trafilatura.bare_extraction(
        page if tree is None else tree,
        with_metadata=True,
        include_comments=False,
        favor_recall=True,
        # A date that the page does not declare would be a guess.
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    if parts is None or not parts.text:
        return Content(trafilatura.html2txt(page))
    return Content(parts.text, parts.title, parts.date)


def _silence_others(page: Any) -> None:
    """Leave the times by which a page dates other articles as mere words."""
    for time_of_others in page.xpath(f"//time[{_BESIDE}]"):
        time_of_others.drop_tag()
    # An article within another is mostly a comment on it, or else all that there is.
    inner = page.xpath("//article//article//time")
    for time_of_others in inner if len(inner) < len(page.xpath("//time")) else ():
        time_of_others.drop_tag()


def _decode_html(data: bytes) -> str:
    declared = _CHARSET.search(data[:DECLARED])
    try:
        name = codecs.lookup(declared[1].decode()).name if declared else "utf-8"
        # Whatever a page declares: bytes with a mark, or that make UTF-8, are what they are.
        if name.startswith("iso2022") or not (name.startswith("utf") or _is_utf8(data)):
            return data.decode(_WIDER.get(name, name))
    except (LookupError, UnicodeDecodeError):
        pass
    return _decode(data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _read_pdf(data: bytes) -> Content:
    pypdf = _import("pypdf")
    reader = pypdf.PdfReader(io.BytesIO(data))
    if len(reader.pages) > MAX_PAGES:
        raise DocumentError(f"It has more than {MAX_PAGES} pages. Split it.")
    end = time.monotonic() + MAX_SECONDS
    pages = []
    for page in reader.pages:
        if time.monotonic() > end:
            raise DocumentError(f"Reading it takes more than {MAX_SECONDS:.0f} seconds. Save it as text.")
        pages.append(page.extract_text())
    text = "\n\n".join(pages)
    if not text.strip():
        raise DocumentError("It holds pictures of text only. Run text recognition (OCR) over it.")
    return Content(text.replace("\x00", " ").encode("utf-8", "replace").decode())


def _read_docx(data: bytes) -> Content:
    docx = _import("docx")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise DocumentError(f"It unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000} MB. Split it.")
    document = docx.Document(io.BytesIO(data))
    blocks = _list_blocks(document.element.body)
    return Content("\n\n".join(block for block in blocks if block.strip()), document.core_properties.title or None)


def _list_blocks(parent: Any) -> Iterator[str]:
    """The paragraphs and the rows of tables in a part of a Word file, also in fields that are filled in."""
    for element in parent.iterchildren("{*}*"):
        name = element.tag.rpartition("}")[2]
        if name == "p":
            yield "".join(_list_pieces(element))
        elif name == "tr":
            cells = (cell for cell in element.iter("{*}tc") if next(cell.iterancestors("{*}tr")) is element)
            yield "\t".join("\n".join(_list_blocks(cell)) for cell in cells)
        elif name not in _UNSAID and element.find("{*}sdtPr/{*}showingPlcHdr") is None:
            yield from _list_blocks(element)


def _list_pieces(parent: Any) -> Iterator[str]:
    """The text of a paragraph as it reads with all tracked changes accepted."""
    for element in parent.iterchildren("{*}*"):
        name = element.tag.rpartition("}")[2]
        if name == "t":
            yield element.text or ""
        elif name in _SIGNS:
            yield " " if any(kind.endswith("}type") for kind in element.attrib) else _SIGNS[name]
        elif name not in _UNSAID and element.find("{*}sdtPr/{*}showingPlcHdr") is None:
            yield from _list_pieces(element)


def _import(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise DocumentError(
            "Its format needs a further library: in the project's folder run pip install -e '.[documents]'"
        ) from None


def _guarded(reader: Callable[[bytes], Content]) -> Callable[[bytes], Content]:
    """Malformed files make the libraries raise nearly anything, so nearly anything becomes a DocumentError."""

    def read_guarded(data: bytes) -> Content:
        try:
            return reader(data)
        except (DocumentError, MemoryError):
            raise
        except Exception as error:
            raise DocumentError(f"It is damaged or protected ({error}). Open it and save it anew.") from error

    return read_guarded


READERS: dict[str, Callable[[bytes], Content]] = {
    ".txt": _read_text,
    ".md": _read_markdown,
    ".html": _guarded(_read_html),
    ".htm": _guarded(_read_html),
    ".pdf": _guarded(_read_pdf),
    ".docx": _guarded(_read_docx),
}
FORMATS = tuple(READERS)
"""Endings of the files that are read."""
