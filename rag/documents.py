"""Files → Documents.

Walking and hashing (`walk`) is apart from parsing (`read`), so that an index parses only what changed. What cannot be
an article is not an error: both give a `Skipped` with the reason in its place.
"""

import hashlib
import importlib
import io
import os
import re
import stat
import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType

from rag.encodings import decode
from rag.errors import DocumentError
from rag.language import detect
from rag.types import Document

MAX_BYTES = 50_000_000
MAX_UNPACKED_BYTES = 200_000_000
MAX_HTML_BYTES = 10_000_000
MAX_PAGES = 2000
MAX_SECONDS = 60.0
"""For the pages of one PDF; some take minutes each."""
MAX_TITLE_CHARS = 120

_OUTSIDE = "It links out of the corpus. Name what it links to as well to include it."

_DATE = re.compile(r"\s*date:?[ \t]+(\d{4}(?:-\d{2}){0,2})(?=\s|$)")
_ISO_DATE = re.compile(r"\d{4}(?:-\d{2}){0,2}")
_HEADING = re.compile(r"^# +(.+?)[ #]*$", re.MULTILINE)
_CHARSET = re.compile(rb"charset=[\"']?([\w-]+)")


@dataclass(frozen=True, slots=True)
class File:
    """A file that may hold an article."""

    path: Path
    source: str
    """Its path relative to the corpus root, with forward slashes."""
    size: int
    """In bytes."""
    checksum: str
    """SHA-256, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that was left out."""

    source: str
    reason: str
    """What is wrong with it and what to do about it."""
    unreadable: bool = False
    """It may well be an article, but the system does not let it be read."""


@dataclass(frozen=True, slots=True)
class _Content:
    text: str
    title: str | None = None
    date: str | None = None


def corpus_root(paths: Sequence[Path]) -> Path:
    """The folder that sources are relative to: the deepest one that holds all of `paths`.

    Raises DocumentError when one of them does not exist or there are none.
    """
    real = [Path(os.path.realpath(path)) for path in paths]
    for path, given in zip(real, paths, strict=True):
        try:
            path.stat()
        except OSError as error:
            raise DocumentError(f"{given} cannot be read: {error.strerror}. Check the path.") from error
    if not real:
        raise DocumentError("No file or folder was named. Name at least one.")
    return Path(os.path.commonpath([path if path.is_dir() else path.parent for path in real]))


def walk(paths: Sequence[Path]) -> Iterator[File | Skipped]:
    """Every file under `paths` (folders and files) in order of its source, hashed but not parsed.

    Files and folders whose names begin with a dot are passed over. Of files with the same bytes the first is kept.
    Raises DocumentError as `corpus_root` does.
    """
    root = corpus_root(paths)
    found: dict[Path, str] = {}
    for path in paths:
        _list(Path(os.path.realpath(path)), root, found)
    first_with: dict[str, str] = {}
    for path, trouble in sorted(found.items(), key=lambda item: item[0].relative_to(root).as_posix()):
        source = _printable(path.relative_to(root))
        entry = Skipped(source, trouble, unreadable=trouble != _OUTSIDE) if trouble else _inspect(path, root)
        if isinstance(entry, File):
            first = first_with.setdefault(entry.checksum, entry.source)
            if first != entry.source:
                entry = Skipped(entry.source, f"It holds the same as {first}.")
        yield entry


def read(file: File) -> Document | Skipped:
    """Parse a file that `walk` found."""
    try:
        data = file.path.read_bytes()
        content = _READERS[file.path.suffix.lower()](data)
    except OSError as error:
        return Skipped(file.source, _unreadable(error), unreadable=True)
    except DocumentError as error:
        return Skipped(file.source, str(error))
    text = unicodedata.normalize("NFC", content.text.replace("\r\n", "\n").replace("\r", "\n"))
    if not text.strip():
        return Skipped(file.source, "It holds no text.")
    language = detect(text)
    checksum = hashlib.sha256(data).hexdigest()
    title = content.title or _first_line_title(text)
    return Document(file.source, text, language.code, language.script, content.date, title, checksum)


def _list(path: Path, root: Path, found: dict[Path, str]) -> None:
    """Note the files under `path`, each with what is wrong with it, or nothing."""
    if not path.is_dir():
        found[path] = ""
        return

    def note(error: OSError) -> None:
        found[Path(error.filename)] = _unreadable(error)

    for folder, folders, names in os.walk(path, onerror=note):
        for name in folders:
            if not name.startswith(".") and not _is_within(Path(folder, name), root):
                found[Path(folder, name)] = _OUTSIDE
        folders[:] = [name for name in folders if not name.startswith(".")]
        found.update({Path(folder, name): "" for name in names if not name.startswith(".")})


def _inspect(path: Path, root: Path) -> File | Skipped:
    source = _printable(path.relative_to(root))
    if path.suffix.lower() not in _READERS:
        return Skipped(source, f"It is none of the formats that are read: {', '.join(FORMATS)}.")
    if source != path.relative_to(root).as_posix():
        return Skipped(source, "Its name is not valid UTF-8. Rename the file.")
    if not _is_within(path, root):
        return Skipped(source, _OUTSIDE)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return Skipped(source, "It is not a regular file.")
        if status.st_size == 0:
            return Skipped(source, "It is empty.")
        if status.st_size > MAX_BYTES:
            return Skipped(source, f"It is larger than {MAX_BYTES // 1_000_000} MB. Split it.")
        with path.open("rb") as stream:
            return File(path, source, status.st_size, hashlib.file_digest(stream, "sha256").hexdigest())
    except OSError as error:
        return Skipped(source, _unreadable(error), unreadable=True)


def _is_within(path: Path, root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(root)


def _printable(path: Path) -> str:
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _unreadable(error: OSError) -> str:
    return f"It cannot be read ({error.strerror}). Check its permissions."


def _decode(data: bytes) -> str:
    text = decode(data)
    if text is None:
        raise DocumentError("It is binary or in an unknown encoding. If it is a text, save it as UTF-8.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_text(data: bytes) -> _Content:
    text = _decode(data)
    found = _DATE.match(text)
    if not found or not is_date(found[1]):
        return _Content(text)
    return _Content(re.sub(r"\S", " ", found[0]) + text[found.end() :], date=found[1])


def is_date(text: str) -> bool:
    """Whether it is a date in ISO 8601, to the precision of a year, a month or a day."""
    if not _ISO_DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text + "-01" * (2 - text.count("-")))
    except ValueError:
        return False
    return True


def _read_markdown(data: bytes) -> _Content:
    content = _read_text(data)
    heading = _HEADING.search(content.text)
    return _Content(content.text, heading[1] if heading else None, content.date)


def _read_html(data: bytes) -> _Content:
    if len(data) > MAX_HTML_BYTES:
        raise DocumentError(f"It is larger than {MAX_HTML_BYTES // 1_000_000} MB, too large for a page. Split it.")
    trafilatura = _import("trafilatura")
    page = _decode_html(data)
    parts = trafilatura.bare_extraction(
        page,
        with_metadata=True,
        include_comments=False,
        favor_recall=True,
        # A date that the page does not declare would be a guess.
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    if parts is None or not parts.text:
        return _Content(trafilatura.html2txt(page))
    return _Content(parts.text, parts.title, parts.date)


def _decode_html(data: bytes) -> str:
    declared = _CHARSET.search(data[:2048])
    try:
        return data.decode(declared[1].decode() if declared else "utf-8")
    except (LookupError, UnicodeDecodeError):
        return _decode(data)


def _read_pdf(data: bytes) -> _Content:
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
    return _Content(text.replace("\x00", " ").encode("utf-8", "replace").decode())


def _read_docx(data: bytes) -> _Content:
    docx = _import("docx")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise DocumentError(f"It unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000} MB. Split it.")
    document = docx.Document(io.BytesIO(data))
    blocks: list[str] = []
    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            blocks.extend("\t".join(cell.text for cell in row.cells) for row in block.rows)
        else:
            blocks.append(block.text)
    return _Content("\n\n".join(block for block in blocks if block.strip()), document.core_properties.title or None)


def _first_line_title(text: str) -> str | None:
    """The first line, if it is short, does not end as a sentence does and stands apart from the text that follows."""
    first, _, rest = text.strip().partition("\n")
    following = rest.partition("\n")[0].strip()
    apart = not following or len(following) > MAX_TITLE_CHARS
    if not rest.strip() or not apart or len(first) > MAX_TITLE_CHARS or first.rstrip()[-1] in ".…:;,。":
        return None
    return first.strip() if any(map(str.isalpha, first)) else None


def _import(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise DocumentError(
            "Its format needs a further library: in the project's folder run pip install -e '.[documents]'"
        ) from None


def _guarded(reader: Callable[[bytes], _Content]) -> Callable[[bytes], _Content]:
    """Malformed files make the libraries raise nearly anything, so nearly anything becomes a DocumentError."""

    def read_guarded(data: bytes) -> _Content:
        try:
            return reader(data)
        except (DocumentError, MemoryError):
            raise
        except Exception as error:
            raise DocumentError(f"It is damaged or protected ({error}). Open it and save it anew.") from error

    return read_guarded


_READERS: dict[str, Callable[[bytes], _Content]] = {
    ".txt": _read_text,
    ".md": _read_markdown,
    ".html": _guarded(_read_html),
    ".htm": _guarded(_read_html),
    ".pdf": _guarded(_read_pdf),
    ".docx": _guarded(_read_docx),
}
FORMATS = tuple(_READERS)
"""Endings of the files that are read."""
