"""Fuzz the reading of files, guided by coverage.

    python -m stress.fuzz --seconds 600

Atheris observes the branches taken in this package and in the libraries that read files, and keeps changing inputs that
reach new ones. Every file must become an article or be skipped with a reason, within two seconds. Any other outcome is
printed, and its input is kept in a file.
"""

import argparse
import io
import multiprocessing
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["rag", "docx", "trafilatura"]):
    import docx
    import pypdfium2  # type: ignore[import-untyped]
    import trafilatura  # noqa: F401 - is instrumented only when it is imported here

    from rag.ingest.documents import File, Skipped, read, walk
    from rag.ingest.formats import FORMATS

from rag.config import ROOT
from stress.killed_builds import check

LONGEST = 8000
"""Maximum size of a file, in bytes."""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta property="article:published_time"
content="2024-05-01"><title>The harbour</title></head><body><article><h1>The harbour</h1><p>It cost nine million, says
the mayor.</p><table><tr><td>Quay</td></tr></table></article></body></html>"""


def main() -> None:
    """Run the fuzzer. Exit with a code other than 0 if something broke."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=600, help="duration (600)")
    chosen = options.parse_args()
    with TemporaryDirectory() as folder:
        for number, (ending, data) in enumerate(list_beginnings()):
            file = Path(folder, str(number))
            file.write_bytes(bytes([FORMATS.index(ending)]) + data)
        # In a child process, as Atheris ends its own.
        child = multiprocessing.get_context("fork").Process(target=fuzz, args=(Path(folder), chosen.seconds))
        child.start()
        child.join()
    sys.exit(child.exitcode)


def fuzz(inputs: Path, seconds: int) -> None:
    """Read the inputs in a folder and variations of them, and end the process."""
    limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=2", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *limits, str(inputs)], read_anything)
    atheris.Fuzz()


def list_beginnings() -> Iterator[tuple[str, bytes]]:
    """Return valid files to start from, with their endings."""
    for article in sorted(ROOT.glob("seeds/*.txt")):
        yield ".txt", article.read_bytes()[:LONGEST]
    yield ".md", b"---\ntitle: The harbour\ndate: 2024-05-01\n---\n# The harbour\n\nIt cost *nine* million.\n"
    yield ".html", PAGE.encode()
    document, pages, file = docx.Document(), pypdfium2.PdfDocument.new(), io.BytesIO()
    document.add_heading("The harbour", 0)
    document.add_paragraph("It cost nine million.")
    document.save(file)
    yield ".docx", file.getvalue()
    pages.new_page(100, 100)
    file = io.BytesIO()
    pages.save(file)
    yield ".pdf", file.getvalue()


def read_anything(data: bytes) -> None:
    """Read bytes as a file of the format that the first byte selects.

    Raises AssertionError, or any error that reading the file raises.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder, f"article{FORMATS[data[0] % len(FORMATS)] if data else '.txt'}")
        file.write_bytes(data[1:])
        for found in walk([file]):
            document = read(found) if isinstance(found, File) else found
            if isinstance(document, Skipped):
                check(document.reason.endswith("."), "it is skipped without a reason")
            else:
                check(bool(document.text.strip() and document.text.encode()), "it has no text")


if __name__ == "__main__":
    main()
