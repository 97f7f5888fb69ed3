"""Read slides and spreadsheets."""

import io
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from rag.errors import DocumentError
from rag.ingest.content import Content, import_library, open_archive
from rag.text.sentences import HEADING
from rag.text.structure import PAGE_END

MAX_ROWS = 100_000
MAX_COLUMNS = 500
_TEMPLATES = {"powerpoint presentation", "presentation", "untitled"}
"""Titles that programs write by themselves."""


def read_slides(data: bytes) -> Content:
    """Return the text of slides, each a page, with tables and the speaker's notes."""
    pptx = import_library("pptx")
    open_archive(data).close()
    presentation = pptx.Presentation(io.BytesIO(data))
    pages = ["\n\n".join(_list_blocks(slide)) for slide in presentation.slides]
    title = (presentation.core_properties.title or "").strip()
    text = "".join(f"{page}\n\n{PAGE_END}" for page in pages)
    return Content(text, None if title.lower() in _TEMPLATES else title or None)


def _list_blocks(slide: Any) -> Iterator[str]:
    title = slide.shapes.title
    for shape in _list_shapes(slide.shapes):
        if shape.has_text_frame:
            for paragraph in shape.text_frame.paragraphs:
                if words := paragraph.text.replace("\v", " ").strip():
                    is_title = title is not None and shape.shape_id == title.shape_id
                    yield f"{HEADING}{words}" if is_title else words
        elif getattr(shape, "has_table", False):
            rows = ([" ".join(cell.text.split()) for cell in row.cells] for row in shape.table.rows)
            yield "\n".join("\t".join(row) for row in rows if any(row))
    if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) and notes.text.strip():
        yield notes.text.strip()


def _list_shapes(shapes: Any) -> Iterator[Any]:
    """Yield the shapes of a slide, those in groups too, its title first and the others as they stand on it."""
    for shape in sorted(shapes, key=lambda one: (one.top or 0, one.left or 0)):
        if hasattr(shape, "shapes"):
            yield from _list_shapes(shape.shapes)
        else:
            yield shape


def read_workbook(data: bytes) -> Content:
    """Return the sheets of a workbook, each with its name as a heading. Formulas are not computed."""
    openpyxl = import_library("openpyxl")
    open_archive(data).close()
    workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    blocks: list[str] = []
    warnings: list[str] = []
    for sheet in workbook.worksheets:
        rows = []
        # The declared size of a sheet may be wrong, and rows would be padded to it.
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(values_only=True)):
            if number == MAX_ROWS:
                warnings.append(f"Only {MAX_ROWS} rows of its sheet “{sheet.title}” were read. Split the sheet.")
                break
            row = "\t".join(map(_write_cell, cells[:MAX_COLUMNS])).rstrip("\t")
            if row.strip():
                rows.append(row)
        if rows:
            blocks += [f"{HEADING}{sheet.title}", "\n".join(rows)]
    if not blocks:
        raise DocumentError("It contains no text.")
    return Content("\n\n".join(blocks), (workbook.properties.title or "").strip() or None, warnings=tuple(warnings))


def _write_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if isinstance(value, datetime | date | time):
        return value.isoformat(" ", "minutes") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())
