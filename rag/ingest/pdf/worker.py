"""The process that reads one PDF from its standard input, and writes its text as JSON to its standard output.

PDFium is written in C++, and the files are not trusted. In a process of its own with limited memory, a file can neither
crash nor exhaust the process that builds the index.
"""

import json
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rag.ingest.pdf.layout import read_lines
from rag.ingest.pdf.pages import Pages
from rag.ingest.pdf.paragraphs import join_lines
from rag.ingest.pdf.words import read_words
from rag.text.structure import PAGE_END

MAX_MEMORY = 4_000_000_000
MAX_PAGES = 2000
MAX_SECONDS = 60.0
"""The limit of processor time in seconds for the text of one PDF; some pages take minutes each."""
MAX_RECOGNITION_SECONDS = 600.0
"""The time limit in seconds for the recognition of its scanned pages."""
MAX_SIDE = 3508
"""The longer side of a page that is given to Tesseract, in pixels: A4 at 300 dots per inch."""

_JUNK_TITLE = re.compile(r"untitled|microsoft word\b.*|.*\.(?:docx?|pdf|odt|rtf|indd|qxd|tex|dvi)", re.IGNORECASE)


def read(data: bytes) -> Pages:
    """Return the text of a PDF, and the numbers of the pages that hold a picture but no text."""
    import pypdfium2  # type: ignore[import-untyped]

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            return Pages(error="It is protected by a password. Save a copy without one.")
        return Pages(error=f"It is damaged ({error}). Open it in a PDF viewer and save it again.")
    if len(document) > MAX_PAGES:
        return Pages(error=f"It has more than {MAX_PAGES} pages. Split it into smaller files.")
    words = []
    began = time.process_time()
    for page in document:
        if time.process_time() - began > MAX_SECONDS:
            return Pages(error=f"Reading it took more than {MAX_SECONDS:.0f} seconds. Save it as plain text.")
        words.append(read_words(page))
    pictures = [number for number, found in enumerate(words) if not found and _has_content(document[number])]
    texts = join_lines(read_lines(words)).split(PAGE_END)
    recognised = dict(_recognise(document, pictures))
    for number, text in recognised.items():
        texts[number] += f"{text}\n\n"
    title = document.get_metadata_value("Title").strip()
    text = PAGE_END.join(texts)
    return Pages(
        text,
        title=title if _is_title(title, text) else None,
        pictures=tuple(number + 1 for number in pictures if number not in recognised),
    )


def _is_title(title: str, text: str) -> bool:
    """Return whether the title that the file declares is one: many programs put the name of a file there."""
    words = re.findall(r"\w+", title.casefold())
    start = text[:3000].casefold()
    return bool(words) and not _JUNK_TITLE.fullmatch(title) and all(word in start for word in words)


def _has_content(page: Any) -> bool:
    import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

    return int(pdfium.FPDFPage_CountObjects(page)) > 0


def _recognise(document: Any, numbers: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Yield the text of scanned pages, if Tesseract is installed, in all languages that it has."""
    program = shutil.which("tesseract")
    if not program or not numbers:
        return
    listed = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=False)  # noqa: S603
    languages = [name for name in listed.stdout.split("\n")[1:] if name and name not in ("osd", "equ")]
    end = time.monotonic() + MAX_RECOGNITION_SECONDS
    for number in numbers:
        page = document[number]
        image = page.render(scale=MAX_SIDE / max(page.get_size())).to_pil()
        command = [program, "stdin", "stdout", "-l", "+".join(languages) or "eng"]
        left = end - time.monotonic()
        if left <= 0:
            return
        try:
            done = subprocess.run(command, input=_to_png(image), capture_output=True, timeout=left, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            return
        text = done.stdout.decode("utf-8", "replace").replace(PAGE_END, "").strip()
        if text:
            yield number, text


def _to_png(image: Any) -> bytes:
    import io

    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


def main() -> None:
    """Read a PDF from the standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    try:
        pages = read(sys.stdin.buffer.read())
    except MemoryError:
        pages = Pages(error="Reading it takes too much memory. Split it into smaller files.")
    json.dump(asdict(pages), sys.stdout)


if __name__ == "__main__":
    main()
