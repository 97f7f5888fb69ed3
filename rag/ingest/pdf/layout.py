"""Find the columns and lines of a PDF, in reading order.

A PDF holds characters at positions, in an order that depends on the program that wrote it. Lines and columns are found
from the positions. Coordinates are in points, and y grows upwards.
"""

import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from rag.ingest.pdf.bidi import Gap, Glyph, is_right_to_left, order_right_to_left

MIN_GUTTER = 0.65
"""Least width of the space between two columns, in line heights."""
MIN_COLUMN = 9.0
"""Least mean width of the lines of a column, in line heights. Narrower ones are the cells of a table."""
MIN_COLUMN_LINES = 3
MAX_STRIPS = 60
"""How many empty strips are examined, the tallest first."""
MIN_FILL = 0.55
"""Least mean share of a column's width that its lines fill."""
CELL_GAP = 1.3
"""Least width of the space between two cells of a row, in line heights."""
EDGE_LINES = 2
"""How many lines at the top and at the bottom of a page may be running heads or feet."""

_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:page|p|seite|s|strana|str|strona|σελίδα|σελ|lk|страна|страница|стр|página|pagina|sida|side|oldal|صفحة|עמוד)"
    r"\.?\s+)?\d{1,4}(?:\s*(?:/|of|von|z|ze|de|di|av|af|από|od|из|من|מתוך)\s*\d{1,4})?\W*",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Word:
    """Glyphs without a space between them."""

    glyphs: tuple[Glyph, ...]
    """In the order of the file."""
    place: int
    """The place of the word in the file."""
    left: float = field(init=False)
    right: float = field(init=False)
    bottom: float = field(init=False)
    top: float = field(init=False)

    def __post_init__(self) -> None:
        box = (min(g.left for g in self.glyphs), max(g.right for g in self.glyphs),
               min(g.bottom for g in self.glyphs), max(g.top for g in self.glyphs))  # fmt: skip
        for name, edge in zip(("left", "right", "bottom", "top"), box, strict=True):
            object.__setattr__(self, name, edge)

    @property
    def text(self) -> str:
        """The characters in the order of the file."""
        return "".join(glyph.text for glyph in self.glyphs)

    @property
    def middle(self) -> float:
        """The y of its middle."""
        return (self.bottom + self.top) / 2

    @property
    def height(self) -> float:
        """The height of the font, from its descender to its ascender."""
        return self.top - self.bottom


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a column."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    height: float
    """The height of most of its words."""
    first: float
    """The width of its first word in reading order."""
    mirrored: bool
    """True if it is read from right to left."""


def read_lines(pages: Sequence[Sequence[Sequence[Word]]]) -> list[list[list[Line]]]:
    """Return the lines of each column of each page, in reading order, without running heads and page numbers."""
    columns = [[_make_lines(column) for group in page for column in _order_columns(list(group))] for page in pages]
    return _drop_running_heads(columns)


def _order_columns(words: list[Word]) -> list[list[Word]]:
    """Return the words of each column, in reading order."""
    if not words:
        return []
    gutter = _find_gutter(words)
    if not gutter:
        return [words]
    x, low, high = gutter
    cut = _find_cut([word for word in words if low <= word.middle <= high], x)
    if cut is not None:
        parts = [[word for word in words if word.middle > cut], [word for word in words if word.middle <= cut]]
        return [column for part in parts for column in _order_columns(part)]
    above, within, below = (
        [word for word in words if word.middle > high],
        [word for word in words if low <= word.middle <= high],
        [word for word in words if word.middle < low],
    )
    sides = [[word for word in within if word.left < x], [word for word in within if word.left >= x]]
    if is_right_to_left("".join(word.text for word in within)):
        sides.reverse()
    return [column for part in (above, *sides, below) for column in _order_columns(part)]


def _find_cut(words: Sequence[Word], x: float) -> float | None:
    """Return the y at which columns end and others begin below them, if the file has them one after the other."""
    if _is_in_order(words, x):
        return None
    rows = _group_rows(words)
    for number in range(MIN_COLUMN_LINES, len(rows) - 1):
        above = [word for row in rows[:number] for word in row]
        below = [word for row in rows[number:] for word in row]
        if max(word.place for word in above) < min(word.place for word in below) and _is_in_order(above, x):
            return (min(word.middle for word in above) + max(word.middle for word in below)) / 2
    return None


def _is_in_order(words: Sequence[Word], x: float) -> bool:
    """Return whether the file has all words on one side of `x` before those on the other side."""
    left, right = ([word.place for word in words if (word.left < x) is side] for side in (True, False))
    return not left or not right or max(left) < min(right) or max(right) < min(left)


def _find_gutter(words: Sequence[Word]) -> tuple[float, float, float] | None:
    """Return the x of the tallest empty strip between two columns of text, and its lower and upper end; else None."""
    height = statistics.median(word.height for word in words)
    strips = sorted(_find_strips(words, MIN_GUTTER * height), key=lambda strip: strip[1] - strip[2])
    for x, low, high in strips[:MAX_STRIPS]:
        if high - low <= MIN_COLUMN_LINES * height:
            return None
        if _parts_columns([word for word in words if low <= word.middle <= high], x, height):
            return x, low, high
    return None


def _find_strips(words: Sequence[Word], width: float) -> Iterator[tuple[float, float, float]]:
    """Yield the x, the lower and the upper end of the tallest empty strip to the right of each word."""
    lefts, rights, bottoms, tops = (
        np.array([getattr(word, edge) for word in words]) for edge in ("left", "right", "bottom", "top")
    )
    for x in np.unique(np.round(rights)) + 0.5:
        blocking = (lefts < x + width) & (rights > x)
        order = np.argsort(tops[blocking])
        ends = np.append(bottoms[blocking][order], tops.max() + 1)
        starts = np.maximum.accumulate(np.append(bottoms.min() - 1, tops[blocking][order]))
        tallest = int(np.argmax(ends - starts))
        yield float(x), float(starts[tallest]), float(ends[tallest])


def _parts_columns(words: Sequence[Word], x: float, height: float) -> bool:
    """Return whether running text stands on both sides of a strip, rather than the cells of a table."""
    left, right = [word for word in words if word.left < x], [word for word in words if word.left >= x]
    if not left or not right:
        return False
    # A short last column shows itself by its place in the file.
    in_order = len(_group_rows(left)) >= MIN_COLUMN_LINES and _is_in_order(words, x)
    for side in (left,) if in_order else (left, right):
        rows = _group_rows(side)
        if len(rows) < MIN_COLUMN_LINES:
            return False
        widths = [max(w.right for w in row) - min(w.left for w in row) for row in rows]
        whole = max(w.right for w in side) - min(w.left for w in side)
        mean = sum(widths) / len(widths)
        if mean < MIN_COLUMN * height or mean < MIN_FILL * whole:
            return False
    return True


def _group_rows(words: Sequence[Word]) -> list[list[Word]]:
    """Return the words of each line, from the top to the bottom."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda one: -(one.bottom + one.top)):
        for row in reversed(rows[-3:]):
            first = max(row, key=lambda one: one.height)
            shared = min(first.top, word.top) - max(first.bottom, word.bottom)
            if shared > 0.5 * min(first.height, word.height):
                row.append(word)
                break
        else:
            rows.append([word])
    return rows


def _make_lines(words: Sequence[Word]) -> list[Line]:
    rows = [sorted(row, key=lambda word: word.left) for row in _group_rows(words)]
    wide = [_find_wide_gaps(row) for row in rows]
    lines = []
    for number, row in enumerate(rows):
        beside = [gap for other in (number - 1, number + 1) if 0 <= other < len(rows) for gap in wide[other]]
        lines.append(_make_line(row, [gap for gap in wide[number] if any(_is_below(gap, other) for other in beside)]))
    return lines


def _find_wide_gaps(row: Sequence[Word]) -> list[Gap]:
    """Return the spaces in a line that may part the cells of a table: wide ones, unless the line is justified."""
    height = statistics.median(word.height for word in row)
    gaps = [(word.right, following.left) for word, following in pairwise(row)]
    widths = [right - left for left, right in gaps]
    has_words = sum(any(map(str.isalpha, word.text)) for word in row) * 2 > len(row)
    if len(gaps) > 1 and has_words and max(widths) - min(widths) < 0.15 * max(widths):
        return []
    return [gap for gap, width in zip(gaps, widths, strict=True) if width > CELL_GAP * height]


def _is_below(gap: Gap, other: Gap) -> bool:
    """Return whether two gaps share half of the narrower one. The wide spaces of justified text hardly ever do."""
    shared = min(gap[1], other[1]) - max(gap[0], other[0])
    return shared > 0.5 * min(gap[1] - gap[0], other[1] - other[0])


def _make_line(row: Sequence[Word], cell_gaps: Sequence[Gap]) -> Line:
    """Return the line of words that are ordered from left to right, with tabs where cells of a table part."""
    height = statistics.median(word.height for word in row)
    mirrored = is_right_to_left("".join(word.text for word in row))
    if mirrored:
        text = order_right_to_left([word.glyphs for word in row], cell_gaps)
    else:
        gaps = ["\t" if (word.right, following.left) in cell_gaps else " " for word, following in pairwise(row)]
        text = "".join(word.text + gap for word, gap in zip(row, [*gaps, ""], strict=True))
    first = row[-1] if mirrored else row[0]
    return Line(
        text, row[0].left, max(word.right for word in row), min(word.bottom for word in row),
        max(word.top for word in row), height, first.right - first.left, mirrored,
    )  # fmt: skip


def _drop_running_heads(pages: list[list[list[Line]]]) -> list[list[list[Line]]]:
    """Return the lines of each column of each page without the heads and feet that pages share, and page numbers."""
    seen: Counter[tuple[str, int]] = Counter()
    edges = [_list_edges(page) for page in pages]
    for page in edges:
        seen.update({(_DIGITS.sub("#", line.text), place) for line, place in page})
    least = max(2, min(4, len(pages) // 3))

    def is_running(line: Line, place: int) -> bool:
        name = _DIGITS.sub("#", line.text)
        shared = max(seen[name, place + shift] for shift in (-1, 0, 1))
        return shared >= least or _PAGE_NUMBER.fullmatch(line.text) is not None

    dropped = [{id(line) for line, place in page if is_running(line, place)} for page in edges]
    return [
        [[line for line in column if id(line) not in gone] for column in page]
        for page, gone in zip(pages, dropped, strict=True)
    ]


def _list_edges(page: list[list[Line]]) -> list[tuple[Line, int]]:
    """Return the first and last lines of a page, each with its height on the page in steps of four points."""
    lines = sorted((line for column in page for line in column), key=lambda line: -line.top)
    edges = {id(line): line for line in (*lines[:EDGE_LINES], *lines[-EDGE_LINES:])}
    return [(line, round(line.bottom / 4)) for line in edges.values()]
