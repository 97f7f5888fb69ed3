"""Headings, list items and rows of tables in the text of an article, and how they are shown.

Formats mark them in the text, without changing its length where offsets must match the file: a heading begins with a
word joiner, which is invisible, an item of a list begins with a bullet, and the cells of a row are separated by tabs.
"""

import re
from collections.abc import Sequence

from rag.text.invisible import drop_hidden
from rag.text.sentences import HEADING, Span

BULLET = "•"
PAGE_END = "\f"
"""Stands at the end of each page in the text of a PDF."""
MAX_QUESTION_CHARS = 250
MAX_COLUMN_CHARS = 60
"""A longer first cell is no name of a column."""

_SPACES = re.compile(r"[^\S\n]+")
_LINE_END = re.compile(r"\s*\n\s*")
_QUESTION = re.compile(r"[?？؟;]['\"”»)]*\s*\Z")
_GREEK = re.compile(r"[α-ωά-ώ]", re.IGNORECASE)
_ITEM = re.compile(rf"{BULLET}|\(?(?:\d{{1,3}}|[a-z])[.)]\s")
_NUMBER = re.compile(r"[\W\d]*\d[\W\d]*")


def tidy(text: str) -> str:
    """Return words of an article without invisible characters, with one space between words and single line ends."""
    lines = _LINE_END.sub("\n", _SPACES.sub(" ", drop_hidden(text.replace(PAGE_END, " ")))).strip()
    return "\n".join(line.removeprefix(BULLET).strip() for line in lines.split("\n"))


def show(text: str, span: Span) -> str:
    """Return the words of an article at the offsets `span` as people read them, and rows with their columns' names."""
    start, end = span
    shown = []
    for line in text[start:end].split("\n"):
        shown.append(name_columns(text, (start, start + len(line))) if is_row(line) else tidy(line))
        start += len(line) + 1
    return "\n".join(filter(None, shown))


def find_page(text: str, offset: int) -> int | None:
    """Return the number of the page of a text that an offset is on, or None if the text has no pages."""
    return text.count(PAGE_END, 0, offset) + 1 if PAGE_END in text else None


def is_row(line: str) -> bool:
    """Return whether a line is a row of a table."""
    return "\t" in line.strip()


def is_item(line: str) -> bool:
    """Return whether a line is an item of a list."""
    return _ITEM.match(line) is not None


def is_heading(text: str, spans: Sequence[Span], number: int) -> bool:
    """Return whether one of the sentences of a text heads those after it: a marked heading, or a question by itself."""
    if number == len(spans) - 1:
        return False
    start, end = spans[number]
    if text[start:end].startswith(HEADING):
        return True
    alone = "\n" in text[spans[number - 1][1] : start] if number else not text[:start].strip()
    apart = "\n" in text[end : spans[number + 1][0]]
    return alone and apart and is_question(text[start:end])


def is_question(sentence: str) -> bool:
    """Return whether a sentence is a question. The Greek question mark is a semicolon."""
    found = _QUESTION.search(sentence)
    if not found or len(sentence) > MAX_QUESTION_CHARS:
        return False
    return found[0][0] != ";" or _GREEK.search(sentence) is not None


def name_columns(text: str, span: Span) -> str:
    """Return a row of a table with the name of its column before each cell, such as `Room: 12; Telephone: 4711`."""
    start, end = span
    line_start, line_end = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    cells = _split_row(text[line_start : len(text) if line_end < 0 else line_end])
    names = find_columns(text, line_start)
    if len(names) < len(cells):
        names = [""] * len(cells)
    named = zip(names, cells, strict=False)
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)


def find_columns(text: str, row: int) -> list[str]:
    """Return the names of the columns of the table with a row at that offset; none if its first row does not name them.

    The table begins after a blank line, with its first line that has cells.
    """
    start = text.rfind("\n\n", 0, row) + 1
    first = text.find("\t", start, row)
    line_end = text.find("\n", first, row)
    if first < 0 or line_end < 0:
        return []
    names = _split_row(text[text.rfind("\n", 0, first) + 1 : line_end])
    named = all(len(name) <= MAX_COLUMN_CHARS and not _NUMBER.fullmatch(name) for name in names)
    return names if named and sum(map(bool, names)) >= len(names) - 1 else []


def _split_row(line: str) -> list[str]:
    return [tidy(cell) for cell in line.strip(" ").split("\t")]
