"""Read the text of Word files: paragraphs, lists, tables, text boxes and notes, in reading order.

All tracked changes are accepted. Comments, headers and footers are not part of the article.
"""

import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rag.ingest.content import Content, import_library, open_archive

MAX_CELL_CHARS = 200
"""A table with a longer cell of several paragraphs only arranges text on the page."""

_NOT_TEXT = {"pPr", "rPr", "del", "moveFrom", "drawing", "pict", "object", "Fallback", "rt"}
"""Elements of a paragraph that are not part of its text: properties, deletions, floating objects, duplicates."""
_CHARACTERS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_TEMPLATES = {"word document", "document", "untitled", "blank document"}
"""Titles that programs write by themselves."""
_ROMAN = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


def read_word(data: bytes) -> Content:
    """Return the text and the title of a Word file: its declared title, or else its first heading."""
    docx = import_library("docx")
    open_archive(data).close()
    reader = _Reader(docx.Document(io.BytesIO(data)))
    blocks = [*reader.list_blocks(reader.body), *reader.list_endnotes()]
    return Content("\n\n".join(block for block in blocks if block.strip()), reader.title)


class _Reader:
    """Reads one Word file from the beginning to the end, counting the items of its lists."""

    def __init__(self, document: Any) -> None:
        declared = (document.core_properties.title or "").strip()
        self.body = document.element.body
        self.title = None if declared.casefold() in _TEMPLATES else declared or None
        self._styles = {style.style_id: style for style in document.styles}
        self._numbering = _Numbering(_find_part(document, "numbering"))
        self._footnotes = _list_notes(_find_part(document, "footnotes"))
        self._endnotes = _list_notes(_find_part(document, "endnotes"))
        self._used_endnotes: list[str] = []

    def list_blocks(self, parent: Any) -> Iterator[str]:
        """Yield the paragraphs and tables of a part of the file, including those of filled-in form fields."""
        for element in parent.iterchildren("{*}*"):
            name = _name(element)
            if name == "p":
                yield from self._read_paragraph(element)
            elif name == "tbl":
                yield from self._read_table(element)
            elif name not in _NOT_TEXT and element.find("{*}sdtPr/{*}showingPlcHdr") is None:
                yield from self.list_blocks(element)

    def list_endnotes(self) -> Iterator[str]:
        """Yield the endnotes that were referred to, in that order."""
        for number in self._used_endnotes:
            yield from self.list_blocks(self._endnotes[number])

    def _read_paragraph(self, paragraph: Any) -> Iterator[str]:
        """Yield a paragraph, and after it the text boxes that are anchored in it and its footnotes."""
        text = "".join(_list_pieces(paragraph))
        style = self._styles.get(_value(paragraph.find("{*}pPr/{*}pStyle")))
        if self.title is None and text.strip() and style is not None and style.name.lower() in ("title", "heading 1"):
            self.title = " ".join(text.split())
        yield (self._numbering.count(paragraph, style) if text.strip() else "") + text
        for box in paragraph.iter("{*}txbxContent"):
            if not any(_name(above) == "Fallback" for above in box.iterancestors()):
                yield from self.list_blocks(box)
        for mark in paragraph.iter("{*}footnoteReference"):
            if (note := self._footnotes.get(_value(mark, "id"))) is not None:
                yield " ".join(block.strip() for block in self.list_blocks(note))
        self._used_endnotes += [
            number for mark in paragraph.iter("{*}endnoteReference") if (number := _value(mark, "id")) in self._endnotes
        ]

    def _read_table(self, table: Any) -> Iterator[str]:
        """Yield a table as one block of rows with tabs between cells, or the cells if it only arranges text."""
        rows = [
            [[block for block in self.list_blocks(cell) if block.strip()] for cell in _list_within(row, "tc", "tr")]
            for row in _list_within(table, "tr", "tbl")
        ]
        arranges = any(len(cell) > 1 and sum(map(len, cell)) > MAX_CELL_CHARS for row in rows for cell in row)
        if arranges or all(len(row) < 2 for row in rows):
            yield from (block for row in rows for cell in row for block in cell)
            return
        lines = ["\t".join(" ".join(" ".join(cell).split()) for cell in row) for row in rows]
        while lines and "\t" not in lines[0]:
            yield lines.pop(0)  # A cell that spans the columns is the heading of the table.
        yield "\n".join(line for line in lines if line.strip())


class _Numbering:
    """Counts the items of numbered lists as Word does."""

    def __init__(self, part: Any) -> None:
        self._lists: dict[str, str] = {}
        self._levels: dict[tuple[str, str], tuple[str, str]] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        for element in () if part is None else part:
            number = _value(element, "abstractNumId")
            if _name(element) == "num":
                self._lists[_value(element, "numId")] = _value(element.find("{*}abstractNumId"))
            for level in element.iterchildren("{*}lvl"):
                kind, shape = (_value(level.find(f"{{*}}{name}")) for name in ("numFmt", "lvlText"))
                self._levels[number, _value(level, "ilvl")] = kind, shape

    def count(self, paragraph: Any, style: Any) -> str:
        """Return the number or the bullet of a paragraph, with a space after it; "" if it is in no list."""
        places = (paragraph.find("{*}pPr/{*}numPr"), None if style is None else style.element.find("{*}pPr/{*}numPr"))
        place = next((one for one in places if one is not None), None)
        if place is None:
            return ""
        level = _value(place.find("{*}ilvl")) or "0"
        number = self._lists.get(_value(place.find("{*}numId")), "")
        kind, shape = self._levels.get((number, level), ("none", ""))
        if kind in ("none", ""):
            return ""
        if kind == "bullet":
            return "• "
        self._counts[number, level] += 1
        for one in self._counts:
            if one[0] == number and one[1] > level:
                self._counts[one] = 0
        for depth in range(9):
            own = self._levels.get((number, str(depth)), ("decimal", ""))[0]
            shape = shape.replace(f"%{depth + 1}", _write(max(self._counts[number, str(depth)], 1), own))
        return f"{shape} "


def _write(number: int, kind: str) -> str:
    """Return a number in one of Word's formats."""
    if kind.endswith("Letter"):
        text = chr(ord("a") + (number - 1) % 26)
    elif kind.endswith("Roman"):
        text, left = "", number
        for value, letters in _ROMAN:
            text += letters * (left // value)
            left %= value
    else:
        text = str(number)
    return text.upper() if kind.startswith("upper") else text


def _list_pieces(parent: Any) -> Iterator[str]:
    """Yield the text of a paragraph in pieces, with all tracked changes accepted."""
    for element in parent.iterchildren("{*}*"):
        name = _name(element)
        if name == "t":
            yield element.text or ""
        elif name in _CHARACTERS:
            yield " " if any(kind.endswith("}type") for kind in element.attrib) else _CHARACTERS[name]
        elif name not in _NOT_TEXT and element.find("{*}sdtPr/{*}showingPlcHdr") is None:
            yield from _list_pieces(element)


def _list_within(parent: Any, name: str, container: str) -> Iterator[Any]:
    """Yield the elements of that name whose nearest `container` is `parent`; others belong to a table within."""
    for element in parent.iter(f"{{*}}{name}"):
        if next(element.iterancestors(f"{{*}}{container}")) is parent:
            yield element


def _find_part(document: Any, kind: str) -> Any:
    """Return the root element of another part of the file, or None if it has none of that kind."""
    from docx.oxml import parse_xml

    for relation in document.part.rels.values():
        if relation.reltype.endswith(f"/{kind}") and not relation.is_external:
            return parse_xml(relation.target_part.blob)
    return None


def _list_notes(part: Any) -> dict[str, Any]:
    """Return the notes of a part by their ids, without the lines that separate them from the text."""
    notes = () if part is None else part
    return {_value(note, "id"): note for note in notes if not _value(note, "type")}


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _value(element: Any, name: str = "val") -> str:
    """Return an attribute of an element, in whatever namespace; "" if there is none."""
    attributes = {} if element is None else element.attrib
    return next((value for key, value in attributes.items() if key.rpartition("}")[2] == name), "")
