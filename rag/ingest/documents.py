"""Files → Documents.

Walking and hashing (`walk`) is apart from parsing (`read`), so that an index parses only what changed. What cannot be
an article is not an error: both give a `Skipped` with the reason in its place.
"""

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import DocumentError
from rag.ingest.formats import FORMATS, READERS
from rag.text.language import detect
from rag.types import Document

MAX_BYTES = 50_000_000
MAX_TITLE_CHARS = 120

_OUTSIDE = "It links out of the corpus. Name what it links to as well to include it."


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
        content = READERS[file.path.suffix.lower()](data)
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
    if path.suffix.lower() not in READERS:
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


def _first_line_title(text: str) -> str | None:
    """The first line, if it is short, does not end as a sentence does and stands apart from the text that follows."""
    first, _, rest = text.strip().partition("\n")
    following = rest.partition("\n")[0].strip()
    apart = not following or len(following) > MAX_TITLE_CHARS
    if not rest.strip() or not apart or len(first) > MAX_TITLE_CHARS or first.rstrip()[-1] in ".…:;,。":
        return None
    return first.strip() if any(map(str.isalpha, first)) else None
