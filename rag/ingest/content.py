"""What every format gives: the text of a file, with the title, date and warnings; and what the formats share."""

import importlib
import io
import zipfile
from dataclasses import dataclass
from types import ModuleType

from rag.config import say_install
from rag.errors import DocumentError
from rag.ingest.charsets import decode

MAX_UNPACKED_BYTES = 200_000_000
PACKAGES = "openpyxl pypdfium2 python-docx python-pptx pyyaml striprtf trafilatura"
"""The packages of the extra `documents`."""


@dataclass(frozen=True, slots=True)
class Content:
    """The text of a file, and the title and date that it declares."""

    text: str
    title: str | None = None
    date: str | None = None
    warnings: tuple[str, ...] = ()
    """The parts of the file that could not be read, each in a sentence that says what to do."""


def decode_text(data: bytes) -> str:
    """Return the text in `data` with line ends as LF, or raise DocumentError."""
    text = decode(data)
    if text is None:
        raise DocumentError("It is binary or in an unknown charset. If it is text, save it as UTF-8.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def open_archive(data: bytes) -> zipfile.ZipFile:
    """Open a ZIP archive, such as an office document, unless it would be too large when unpacked.

    Raises DocumentError.
    """
    archive = zipfile.ZipFile(io.BytesIO(data))
    if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED_BYTES:
        limit = MAX_UNPACKED_BYTES // 1_000_000
        raise DocumentError(f"It is larger than {limit} MB when unpacked. Split it into smaller files.")
    return archive


def import_library(module: str) -> ModuleType:
    """Return a module of the extra `documents`, or raise DocumentError with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        install = say_install("documents", PACKAGES)
        raise DocumentError(f"Reading this format needs another package. {install}") from None
