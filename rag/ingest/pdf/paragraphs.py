"""Join the lines of a PDF into paragraphs, and the parts of words that are divided between lines."""

import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.ingest.pdf.bidi import is_right_to_left, repair_brackets
from rag.ingest.pdf.layout import Line
from rag.text.structure import PAGE_END

INTERRUPTIONS = 3
"""How many paragraphs in another size, such as footnotes, may come between the parts of a paragraph."""

_ENDS = tuple(".!?…:;。！？؟۔।»”\"'’)]")
_HYPHENS = ("-", "\u00ad", "\u2010", "\ufffe", "\x02")
"""PDFium replaces a hyphen at the end of a line by one of the last two."""
_BULLET = re.compile(r"(?:[•·▪‣◦●○■–—*-]|\(?(?:\d{1,3}|[a-h])\))\s")
_NUMBER = re.compile(r"\d{1,3}\.\s")
_WORD = re.compile(r"\w+(?:-\w+)*")
_LAST_WORD = re.compile(r"[^\W\d_]+$")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
"""A letter of a script that has no spaces between words."""
_AND = {"und", "oder", "bzw", "and", "or", "och", "eller", "og", "en", "of", "i", "y", "et", "ja"}
"""Words after which a hyphen stands for the rest of a word, as in “Haupt- und Nebeneingang”."""
_TENS = {"twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"}


@dataclass(slots=True)
class Paragraph:
    """Lines that belong together, joined; or the end of a page."""

    text: str
    height: float = 0.0
    """The height of its letters in points; 0 for the end of a page."""
    is_full: bool = False
    """True if its last line reaches the end of the column, so that it may continue elsewhere."""


def join_lines(pages: Sequence[Sequence[Sequence[Line]]]) -> str:
    """Return the text of pages, with a blank line between paragraphs and a form feed at the end of each page.

    A paragraph that continues in the next column or on the next page is given whole, with the form feed in it.
    """
    known = Counter(word for page in pages for column in page for word in _list_whole_words(column))
    paragraphs: list[Paragraph] = []
    for page in pages:
        for column in page:
            for paragraph in _split_column(column, known):
                _append(paragraphs, paragraph, known)
        paragraphs.append(Paragraph(PAGE_END))
    texts = (repair_brackets(one.text) if is_right_to_left(one.text) else one.text for one in paragraphs)
    return "\n\n".join(texts)


def _list_whole_words(lines: Sequence[Line]) -> Iterator[str]:
    """Yield the words of a column that are not divided between lines."""
    divided = False
    for line in lines:
        words = _WORD.findall(line.text)
        ends_divided = line.text.endswith(_HYPHENS)
        yield from words[int(divided) : len(words) - int(ends_divided)]
        divided = ends_divided


def _split_column(lines: Sequence[Line], known: Counter[str]) -> Iterator[Paragraph]:
    """Yield the paragraphs of a column."""
    if not lines:
        return
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    pitches = [
        above.bottom - below.bottom for above, below in pairwise(lines) if _same_size(above.height, below.height)
    ]
    pitch = statistics.median(pitches) if pitches else 0.0
    text = ""
    for number, line in enumerate(lines):
        before = lines[number - 1] if number else None
        if before and _begins_paragraph(before, line, left, right, pitch):
            yield Paragraph(text, before.height, _is_full(before, left, right))
            text = ""
        text = _join(text, line.text, known)
    yield Paragraph(text, lines[-1].height, _is_full(lines[-1], left, right))


def _begins_paragraph(before: Line, line: Line, left: float, right: float, pitch: float) -> bool:
    """Return whether a line begins a paragraph, judged by the space above it, its indent, and the room before it."""
    if not _same_size(before.height, line.height) or before.bottom - line.bottom > 1.3 * pitch:
        return True
    if "\t" in before.text or "\t" in line.text or _BULLET.match(line.text):
        return True
    if _NUMBER.match(line.text) and before.text.endswith(_ENDS):
        return True
    indent, indent_before = (_indent(one, left, right) for one in (line, before))
    if indent > indent_before + 0.6 * line.height and indent < 0.5 * (right - left):
        return True
    room = (before.left - left) if before.mirrored else (right - before.right)
    if room < line.first + 0.3 * line.height:
        return False
    begins_small = line.text[:1].islower()
    return before.text.endswith(_ENDS) or (room > 0.4 * (right - left) and not begins_small)


def _indent(line: Line, left: float, right: float) -> float:
    return right - line.right if line.mirrored else line.left - left


def _is_full(line: Line, left: float, right: float) -> bool:
    room = (line.left - left) if line.mirrored else (right - line.right)
    return room < 3 * line.height


def _same_size(one: float, other: float) -> bool:
    return abs(one - other) < 0.08 * max(one, other)


def _join(text: str, following: str, known: Counter[str]) -> str:
    """Return two lines of a paragraph joined. A word divided between them is put together."""
    if not text:
        return following
    if text.endswith(_HYPHENS):
        return _rejoin(text, following, known)
    unspaced = _UNSPACED.match(text[-1]) and _UNSPACED.match(following)
    return text + following if unspaced else f"{text} {following}"


def _rejoin(text: str, following: str, known: Counter[str]) -> str:
    """Return two lines joined, of which the first ends in a hyphen. The hyphen goes if it only divides a word."""
    stem, sign = text[:-1], text[-1]
    first, second = _LAST_WORD.search(stem), _FIRST_WORD.match(following)
    if sign == "\u00ad" and second:
        return stem + following
    if not first:
        return f"{stem}- {following}" if stem.endswith(" ") else f"{stem}-{following}"
    if not second or (second[0] in _AND):
        return f"{stem}-{'' if following[:1].isdigit() else ' '}{following}"
    whole = f"{first[0]}{second[0]}"
    if known[f"{first[0]}-{second[0]}"] > known[whole] or first[0].lower() in _TENS or not second[0][0].islower():
        return f"{stem}-{following}"
    if not known[whole] and known[first[0]] > 1 and known[second[0]] > 1:
        return f"{stem}-{following}"
    return stem + following


def _append(paragraphs: list[Paragraph], paragraph: Paragraph, known: Counter[str]) -> None:
    """Add a paragraph, or continue the last one of its size if that ended within a sentence."""
    place = _find_unfinished(paragraphs, paragraph)
    if place is None:
        paragraphs.append(paragraph)
        return
    between = paragraphs[place + 1 :]
    text, ends = paragraphs[place].text, PAGE_END * sum(one.text == PAGE_END for one in between)
    joined = _join(text, paragraph.text, known)
    if ends:
        # The form feed stands before a space, so that the words stay apart when it is removed.
        middle = joined.find(" ", len(text) - 1)
        middle = len(joined) if middle < 0 else middle
        joined = f"{joined[:middle]}{ends}{joined[middle:]}"
    others = [one for one in between if one.text != PAGE_END]
    paragraphs[place:] = [*others, Paragraph(joined, paragraph.height, paragraph.is_full)]


def _find_unfinished(paragraphs: Sequence[Paragraph], following: Paragraph) -> int | None:
    """Return the place of the paragraph that `following` continues, or None if it begins a new one."""
    if _BULLET.match(following.text) or "\t" in following.text:
        return None
    interruptions = 0
    for place in range(len(paragraphs) - 1, -1, -1):
        one = paragraphs[place]
        if one.text == PAGE_END:
            continue
        if not _same_size(one.height, following.height):
            interruptions += 1
            if interruptions > INTERRUPTIONS:
                return None
            continue
        if one.text.endswith(_ENDS) or "\t" in one.text:
            return None
        surely = following.text[:1].islower() or one.text.endswith(_HYPHENS)
        return place if surely or (one.is_full and not interruptions) else None
    return None
