"""Read OpenDocument texts and EPUB books, which are ZIP archives of XML."""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from rag.errors import DocumentError
from rag.ingest.content import Content, open_archive
from rag.ingest.web import read_html
from rag.text.dates import is_date
from rag.text.sentences import HEADING
from rag.text.structure import BULLET

_NO_TEXT = {"tracked-changes", "annotation", "annotation-end", "frame-caption", "bibliography-source", "note-citation"}
_BREAKS = {"line-break": "\n", "tab": "\t"}


def read_opendocument(data: bytes) -> Content:
    """Return the text of an OpenDocument text: paragraphs, lists, tables, text boxes and notes, in reading order."""
    with open_archive(data) as archive:
        content = _parse(archive, "content.xml")
        described = _parse(archive, "meta.xml")
    body = None if content is None else content.find(".//{*}body/{*}text")
    if body is None:
        raise DocumentError("It holds no text document. Save it as .odt, .docx or .pdf.")
    title, date = (_find_text(described, name) for name in ("title", "creation-date"))
    return Content("\n\n".join(_list_blocks(body)), title, _shorten_date(date))


def read_epub(data: bytes) -> Content:
    """Return the text of a book, its chapters in the order in which they are read."""
    with open_archive(data) as archive:
        package, folder = _find_package(archive)
        names = _list_chapters(package, folder) or sorted(
            name for name in archive.namelist() if name.lower().endswith((".xhtml", ".html", ".htm"))
        )
        present = set(archive.namelist())
        texts = [read_html(archive.read(name)).text for name in names if name in present]
    title, date = (_find_text(package, name) for name in ("title", "date"))
    return Content("\n\n".join(filter(None, texts)), title, _shorten_date(date))


def _parse(archive: zipfile.ZipFile, name: str) -> Any:
    """Return the root element of an XML file in an archive, or None if it is missing. Entities are not resolved."""
    from lxml import etree  # type: ignore[import-untyped]

    if name not in archive.namelist():
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(archive.read(name), parser)


def _list_blocks(parent: Any) -> Iterator[str]:
    """Yield the blocks of a part of an OpenDocument text."""
    for element in parent.iterchildren("{*}*"):
        name = _name(element)
        if name in ("p", "h"):
            words = "".join(_list_pieces(element)).strip()
            if words:
                yield f"{HEADING}{words}" if name == "h" else words
            for box in element.iter("{*}text-box", "{*}note-body"):
                yield from _list_blocks(box)
        elif name == "list":
            yield "\n".join(_list_items(element))
        elif name == "table":
            rows = element.iter("{*}table-row")
            cells = ([_flatten(cell) for cell in row.iterchildren("{*}table-cell")] for row in rows)
            yield "\n".join("\t".join(row) for row in cells if any(row))
        elif name not in _NO_TEXT:
            yield from _list_blocks(element)


def _list_items(element: Any) -> Iterator[str]:
    for item in element.iterchildren("{*}list-item"):
        for child in item.iterchildren("{*}*"):
            if _name(child) == "list":
                yield from _list_items(child)
            elif words := "".join(_list_pieces(child)).strip():
                yield f"{BULLET} {words}"


def _flatten(element: Any) -> str:
    return " ".join(" ".join(block.split()) for block in _list_blocks(element))


def _list_pieces(element: Any) -> Iterator[str]:
    """Yield the text of a paragraph in pieces, without its notes and text boxes, which follow it."""
    yield element.text or ""
    for child in element:
        name = _name(child)
        if name == "s":
            count = next((value for key, value in child.attrib.items() if key.endswith("}c")), "1")
            yield " " * min(int(count) if count.isdigit() else 1, 100)
        elif name in _BREAKS:
            yield _BREAKS[name]
        elif name not in _NO_TEXT and name not in ("note", "frame"):
            yield from _list_pieces(child)
        yield child.tail or ""


def _find_package(archive: zipfile.ZipFile) -> tuple[Any, str]:
    """Return the package document of a book and its folder; None and "" if there is none."""
    container = _parse(archive, "META-INF/container.xml")
    root = None if container is None else container.find(".//{*}rootfile")
    path = "" if root is None else root.get("full-path", "")
    return _parse(archive, path), posixpath.dirname(path)


def _list_chapters(package: Any, folder: str) -> list[str]:
    """Return the paths of the chapters, in reading order."""
    if package is None:
        return []
    paths = {item.get("id"): unquote(item.get("href", "")) for item in package.iter("{*}item")}
    chosen = (paths.get(place.get("idref"), "") for place in package.iter("{*}itemref"))
    return [posixpath.normpath(posixpath.join(folder, path)) for path in chosen if path]


def _find_text(root: Any, name: str) -> str | None:
    found = None if root is None else root.find(f".//{{*}}{name}")
    return (found.text or "").strip() or None if found is not None else None


def _shorten_date(date: str | None) -> str | None:
    """Return the day, month or year of a date with a time."""
    found = re.match(r"\d{4}(?:-\d{2}){0,2}", date or "")
    return found[0] if found and is_date(found[0]) else None


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]
