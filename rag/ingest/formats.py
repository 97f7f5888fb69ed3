"""Read the text, title and date of a file in any supported format.

A format is one function from bytes to `Content`, and one entry in the table `READERS` near the end of this module.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from rag.errors import DocumentError
from rag.ingest.archives import read_epub, read_opendocument
from rag.ingest.content import Content, decode_text, import_library
from rag.ingest.mail import read_mail, read_saved_page
from rag.ingest.markdown import blank_marks
from rag.ingest.office import read_slides, read_workbook
from rag.ingest.pdf.pages import read_pages
from rag.ingest.plain import read_subtitles, read_table
from rag.ingest.web import read_html
from rag.ingest.word import read_word
from rag.text.dates import is_date
from rag.text.sentences import HEADING
from rag.text.structure import tidy

RECOGNISE = "Install Tesseract, or run text recognition (OCR) on it."

_DATE = re.compile(r"\s*date:?[ \t]+(\d{4}(?:-\d{2}){0,2})(?:T[\d:.+Z-]*)?(?=\s|$)", re.IGNORECASE)
_PAGE = re.compile(r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!doctype\s+html|<html[\s>])", re.IGNORECASE)
"""The beginning of a web page, which may be saved under the name of a text file."""
_FRONT_MATTER = re.compile(r"\s*---[ \t]*\n((?:.*\n){1,200}?)---[ \t]*(?:\n|$)")
_HEADING = re.compile(rf"^{HEADING} *(\S.*)$", re.MULTILINE)


def _read_text(data: bytes) -> Content:
    text = decode_text(data)
    if _PAGE.match(text):
        return read_html(data)
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


def _read_rtf(data: bytes) -> Content:
    striprtf = import_library("striprtf.striprtf")
    if not data.lstrip().startswith(b"{\\rtf"):
        raise DocumentError("It is not in the Rich Text Format, though its name says so. Save it again, or as .docx.")
    return Content(striprtf.rtf_to_text(data.decode("latin-1"), errors="replace").replace("\r\n", "\n"))


READERS: dict[str, Callable[[bytes], Content]] = {
    **dict.fromkeys((".txt", ".text", ".log"), _read_text),
    **dict.fromkeys((".md", ".markdown"), _read_markdown),
    **dict.fromkeys((".html", ".htm", ".xhtml"), read_html),
    **dict.fromkeys((".mht", ".mhtml"), read_saved_page),
    **dict.fromkeys((".csv", ".tsv"), read_table),
    **dict.fromkeys((".srt", ".vtt"), read_subtitles),
    ".pdf": _read_pdf,
    ".docx": read_word,
    ".odt": read_opendocument,
    ".rtf": _read_rtf,
    ".epub": read_epub,
    ".eml": read_mail,
    ".pptx": read_slides,
    ".xlsx": read_workbook,
}
"""The function that reads each format, by the extension of the file's name."""
FORMATS = tuple(READERS)
"""The extensions of supported files. A file without an extension is read as text."""
_SAVE = "Open it in the program that wrote it and save it as"
_REMEDIES = {
    **dict.fromkeys((".doc", ".dot", ".wpd", ".wps", ".pages"), f"{_SAVE} .docx."),
    **dict.fromkeys((".xls", ".ods", ".numbers"), f"{_SAVE} .xlsx."),
    **dict.fromkeys((".ppt", ".odp", ".key"), f"{_SAVE} .pptx."),
    **dict.fromkeys((".msg", ".mbox", ".pst"), "Save the mails in it as .eml."),
    **dict.fromkeys((".mobi", ".azw", ".azw3", ".fb2"), "Convert it to .epub."),
    **dict.fromkeys((".ps", ".djvu", ".xps", ".tex"), "Convert it to .pdf."),
    **dict.fromkeys((".json", ".jsonl", ".xml", ".yaml", ".yml"), "Convert it to .csv or .txt."),
    **dict.fromkeys((".zip", ".rar", ".7z", ".gz", ".tar"), "Unpack it."),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".heic"), "Run text recognition (OCR) on it."),
}
"""The sentence that says what to do with a file of an unsupported format, by the extension of its name."""


def describe_unsupported(ending: str) -> str | None:
    """Return why files with this extension cannot be read and what to do, or None if they can."""
    if ending in READERS or not ending:
        return None
    remedy = _REMEDIES.get(ending, "Save it in one of the supported formats.")
    return f"This format is not supported. {remedy} Supported formats: {', '.join(FORMATS)}."


def parse(data: bytes, ending: str) -> Content:
    """Return the content of a file whose name has the extension `ending`, one of `FORMATS` or "".

    Raises DocumentError with the reason and the remedy, without the file's name.
    """
    try:
        return READERS.get(ending, _read_text)(data)
    except (DocumentError, MemoryError):
        raise
    except Exception as error:  # Malformed files make the libraries raise nearly any exception.
        raise DocumentError(f"It is damaged or protected ({error}). Open it in an editor and save it again.") from error
