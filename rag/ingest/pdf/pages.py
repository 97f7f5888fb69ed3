"""Read a PDF in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

from rag.errors import DocumentError

MAX_SECONDS = 720.0
"""The time limit in seconds for the process, which has limits of its own."""


@dataclass(frozen=True, slots=True)
class Pages:
    """The text of a PDF."""

    text: str = ""
    """The text of all pages, with a form feed at the end of each."""
    title: str | None = None
    pictures: tuple[int, ...] = ()
    """The numbers of the pages that hold something, such as a scan, but no text. 1 is the first page."""
    error: str | None = None
    """The reason why the file cannot be read, and the remedy."""


def read_pages(data: bytes) -> Pages:
    """Return the text of a PDF. Raises DocumentError with the reason and the remedy, without the file's name."""
    command = [sys.executable, "-m", "rag.ingest.pdf.worker"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONIOENCODING": "utf-8"}
    try:
        done = subprocess.run(  # noqa: S603
            command, input=data, capture_output=True, timeout=MAX_SECONDS, check=True, env=environment
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise DocumentError("It is damaged: PDFium failed on it. Open it in a PDF viewer and save it again.") from error
    found = json.loads(done.stdout)
    pages = Pages(found["text"], found["title"], tuple(found["pictures"]), found["error"])
    if pages.error:
        raise DocumentError(pages.error)
    return pages
