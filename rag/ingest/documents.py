"""Find the files of a corpus, and read them as documents.

Finding and hashing files (`walk`) is separate from parsing them (`read`), so that only changed files are parsed. A file
that cannot be an article is not an error: both functions give a `Skipped` with the reason instead.
"""

import hashlib
import os
import stat
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import DocumentError
from rag.index.manifest import is_index
from rag.ingest.formats import describe_unsupported, parse
from rag.text.invisible import drop_hidden
from rag.text.language import detect
from rag.text.structure import tidy
from rag.types import Document

MAX_BYTES = 50_000_000
MAX_TITLE_CHARS = 120

_OUTSIDE = "It is a link that leads out of the corpus. To include its target, add the target's path."


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
    """A file or folder that was skipped."""

    source: str
    reason: str
    """The problem, and what to do about it."""
    unreadable: bool = False
    """True if it may be or contain an article, but the operating system does not allow it to be read."""


@dataclass(frozen=True, slots=True)
class ParsedDocument(Document):
    """A document with what its file says beyond it, which the index does not keep."""

    warnings: tuple[str, ...] = ()
    """The parts of the file that could not be read, each in a sentence that says what to do."""


def corpus_root(paths: Sequence[Path]) -> Path:
    """Return the folder that sources are relative to: the deepest one that contains all of `paths`.

    Raises DocumentError if there are no paths, or one of them does not exist.
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
    """Yield every file under `paths` (folders and files), hashed but not parsed, in the order of their sources.

    Files and folders whose names begin with a dot are ignored, and so are indexes. Of several files with the same
    bytes, the oldest that is no link is yielded as a File, and the others as Skipped. Raises DocumentError like
    `corpus_root`.
    """
    root = corpus_root(paths)
    found: dict[Path, str] = {}
    for path in paths:
        _list_files(Path(os.path.realpath(path)), root, found)
    entries: list[File | Skipped] = []
    for path, problem in sorted(found.items(), key=lambda item: item[0].relative_to(root).as_posix()):
        source = _escape_path(path.relative_to(root))
        entries.append(Skipped(source, problem, unreadable=problem != _OUTSIDE) if problem else _inspect(path, root))
    first_with: dict[str, File] = {}
    for file in sorted((entry for entry in entries if isinstance(entry, File)), key=_rank_copy):
        first_with.setdefault(file.checksum, file)
    for entry in entries:
        if isinstance(entry, File) and (first := first_with[entry.checksum]) is not entry:
            yield Skipped(entry.source, f"Its content is the same as that of {first.source}.")
        else:
            yield entry


def _rank_copy(file: File) -> tuple[bool, int, str]:
    """Return a key that sorts the original before its copies: links last, then by age."""
    try:
        changed = file.path.stat().st_mtime_ns
    except OSError:
        changed = sys.maxsize  # It vanished meanwhile.
    return file.path.is_symlink(), changed, file.source


def read(file: File) -> ParsedDocument | Skipped:
    """Parse a file that `walk` found, and detect its language."""
    try:
        data = file.path.read_bytes()
        content = parse(data, file.path.suffix.lower())
    except OSError as error:
        return Skipped(file.source, _describe_error(error), unreadable=True)
    except DocumentError as error:
        return Skipped(file.source, str(error))
    text = unicodedata.normalize("NFC", content.text.replace("\r\n", "\n").replace("\r", "\n"))
    if not drop_hidden(text).strip():
        return Skipped(file.source, "It contains no text.")
    language = detect(drop_hidden(text))
    checksum = hashlib.sha256(data).hexdigest()
    title = tidy(content.title or _find_title(text) or "").replace("\n", " ") or None
    facts = (content.date, title, checksum, content.warnings)
    return ParsedDocument(file.source, text, language.code, language.script, *facts)


def _list_files(path: Path, root: Path, found: dict[Path, str]) -> None:
    """Add the files under `path` to `found`, each with the reason why it must be skipped, or an empty string."""
    if not path.is_dir():
        found[path] = ""
        return

    def add_unreadable(error: OSError) -> None:
        found[Path(error.filename)] = _describe_error(error)

    for folder, folders, names in os.walk(path, onerror=add_unreadable):
        for name in folders:
            if not name.startswith(".") and not _is_within(Path(folder, name), root):
                found[Path(folder, name)] = _OUTSIDE
        folders[:] = [name for name in folders if not name.startswith(".") and not is_index(Path(folder, name))]
        found.update({Path(folder, name): "" for name in names if not name.startswith(".")})


def _inspect(path: Path, root: Path) -> File | Skipped:
    """Return a file with its checksum, or the reason why it cannot be an article."""
    source = _escape_path(path.relative_to(root))
    if reason := describe_unsupported(path.suffix.lower()):
        return Skipped(source, reason)
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
            return Skipped(source, f"It is larger than {MAX_BYTES // 1_000_000} MB. Split it into smaller files.")
        with path.open("rb") as stream:
            return File(path, source, status.st_size, hashlib.file_digest(stream, "sha256").hexdigest())
    except OSError as error:
        return Skipped(source, _describe_error(error), unreadable=True)


def _is_within(path: Path, root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(root)


def _escape_path(path: Path) -> str:
    """Return the path with forward slashes, and with bytes that are not valid UTF-8 escaped."""
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _describe_error(error: OSError) -> str:
    return f"It cannot be read ({error.strerror}). Check its permissions."


def _find_title(text: str) -> str | None:
    """Return the first line if it is short, does not end like a sentence, and is set apart from the text below it."""
    first, _, rest = text.strip().partition("\n")
    following = rest.partition("\n")[0].strip()
    apart = not following or len(following) > MAX_TITLE_CHARS
    if not rest.strip() or not apart or len(first) > MAX_TITLE_CHARS or first.rstrip()[-1] in ".…:;,。":
        return None
    return first.strip() if any(map(str.isalpha, first)) else None
