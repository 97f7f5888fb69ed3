"""Turn the characters of a line, given by their positions, into the order in which Arabic and Hebrew are read."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

Gap = tuple[float, float]
"""The x of the left and of the right end of a space in a line."""
MIN_SPACE = 0.1
"""Least width of a space between letters that the file separates, in line heights."""
MIN_SPACE_AT_SIGN = 0.22
"""Least width of any other space, in line heights."""


class Glyph(NamedTuple):
    """A character at its place on the page, or the characters of a ligature."""

    text: str
    left: float
    right: float
    bottom: float
    top: float


_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")
_PAIRS = {")": "(", "]": "[", "}": "{", "»": "«"}
_LEFT_TO_RIGHT = re.compile("[LN][LNSO ]*L|L|N(?:S?N)*")
"""A run that is read from left to right, in the classes of `_classify`, met from its end."""


def is_right_to_left(text: str) -> bool:
    """Return whether at least a third of the letters are read from right to left."""
    counts = {"R": 0, "L": 0}
    for letter in text:
        kind = _classify(letter)
        if kind in counts:
            counts[kind] += 1
    return counts["R"] * 2 > counts["L"] and counts["R"] > 0


def order_right_to_left(words: Sequence[Sequence[Glyph]], cell_gaps: Sequence[Gap]) -> str:
    """Return the text of a line from its words. Runs of Latin letters and digits are read from left to right.

    Tabs stand in `cell_gaps`, where the cells of a table part. Brackets and full stops may be at the wrong word in the
    file, so spaces are found again from the distances.
    """
    word_of = {id(glyph): number for number, word in enumerate(words) for glyph in word}
    marked = [(glyph, word_of[id(glyph)]) for glyph in (g for word in words for g in word)]
    ordered = sorted(_attach_marks(marked), key=lambda one: -(one[0].left + one[0].right))
    height = max(glyph.top - glyph.bottom for glyph, _ in ordered)
    pieces = [ordered[0][0].text]
    for (before, word), (glyph, following) in pairwise(ordered):
        width = (before.left - glyph.right) / height
        letters = before.text[0].isalnum() and glyph.text[0].isalnum()
        least = MIN_SPACE if word != following and letters else MIN_SPACE_AT_SIGN
        parts = any(left < (glyph.right + before.left) / 2 < right for left, right in cell_gaps)
        pieces += ["\t"] if parts else [" "] if width > least else []
        pieces.append(glyph.text)
    kinds = "".join(_classify(piece[0]) for piece in pieces)
    for run in _LEFT_TO_RIGHT.finditer(kinds):
        pieces[run.start() : run.end()] = pieces[run.start() : run.end()][::-1]
    return "".join(pieces)


def repair_brackets(text: str) -> str:
    """Return right-to-left text with its brackets mirrored if more of them open and close in order that way.

    Programs disagree on whether a bracket in a PDF is stored as it looks or as it is read.
    """
    mirrored = text.translate(_MIRRORED)
    return mirrored if _count_pairs(mirrored) > _count_pairs(text) else text


def _attach_marks(glyphs: Sequence[tuple[Glyph, int]]) -> list[tuple[Glyph, int]]:
    """Return the glyphs with each combining mark joined to the nearest letter."""
    letters = [one for one in glyphs if not unicodedata.combining(one[0].text[0])]
    if not letters:
        return list(glyphs)
    for mark, _ in glyphs:
        if unicodedata.combining(mark.text[0]):
            nearest = min(range(len(letters)), key=lambda place: _part(letters[place][0], mark))
            letter, word = letters[nearest]
            letters[nearest] = letter._replace(text=letter.text + mark.text), word
    return letters


def _part(one: Glyph, other: Glyph) -> float:
    """Return the distance between the middles of two glyphs."""
    return abs(one.left + one.right - other.left - other.right)


def _classify(letter: str) -> str:
    """Return R for letters of Arabic and Hebrew, L for other letters, N for digits, S within numbers, else O."""
    if letter in " \t":
        return " " if letter == " " else "T"
    if unicodedata.category(letter) == "Nd":
        return "N"
    if letter in ".,:/٫٬":
        return "S"
    direction = unicodedata.bidirectional(letter)
    return "R" if direction in ("R", "AL") else "L" if direction == "L" else "O"


def _count_pairs(text: str) -> int:
    """Return how many brackets are closed in order, less those that are not."""
    open_ones: list[str] = []
    pairs = 0
    for sign in text:
        if sign in _PAIRS.values():
            open_ones.append(sign)
        elif sign in _PAIRS:
            if open_ones and open_ones[-1] == _PAIRS[sign]:
                open_ones.pop()
                pairs += 1
            else:
                pairs -= 1
    return pairs - len(open_ones)
