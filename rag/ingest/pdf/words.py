"""Read the words of a page of a PDF, with their positions."""

import ctypes
import math
import unicodedata
from collections.abc import Iterator
from typing import Any

from rag.ingest.pdf.bidi import Glyph
from rag.ingest.pdf.layout import Word

_DESCENT, _ASCENT = 0.25, 0.85
"""The reach of letters below and above their line, in font sizes. The heights in the files are often wrong."""


def read_words(page: Any) -> list[list[Word]]:
    """Return the words of a page of pypdfium2, grouped by the direction in which they are written, the commonest first.

    The positions of words that run up, down or upside down are turned, as if the page were turned to read them.
    """
    groups: dict[int, list[Word]] = {}
    word: list[Glyph] = []
    last = 0
    for glyph, turns in _read_glyphs(page):
        if word and (glyph is None or turns != last or _is_apart(word[-1], glyph)):
            words = groups.setdefault(last, [])
            words.append(Word(_join_ligatures(word), len(words)))
            word = []
        if glyph:
            word.append(glyph)
            last = turns
    return sorted(groups.values(), key=len, reverse=True)


def _read_glyphs(page: Any) -> Iterator[tuple[Glyph | None, int]]:
    """Yield each character with the number of quarter turns of its line, and None for a space and at the end."""
    import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

    text = page.get_textpage()
    handle = text.raw
    box, matrix, x, y = pdfium.FS_RECTF(), pdfium.FS_MATRIX(), ctypes.c_double(), ctypes.c_double()
    begins, size, turns = True, 0.0, 0
    for place in range(text.count_chars()):
        code = pdfium.FPDFText_GetUnicode(handle, place)
        letter = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " "
        if letter.isspace():
            begins = True
            yield None, 0
            continue
        if begins:  # The other letters of a word have the same size and direction.
            pdfium.FPDFText_GetMatrix(handle, place, matrix)
            size = pdfium.FPDFText_GetFontSize(handle, place) * math.hypot(matrix.c, matrix.d)
            turns = round(pdfium.FPDFText_GetCharAngle(handle, place) / (math.pi / 2)) % 4
            begins = False
        pdfium.FPDFText_GetLooseCharBox(handle, place, box)
        pdfium.FPDFText_GetCharOrigin(handle, place, x, y)
        left, right, line = (
            (box.left, box.right, y.value),
            (box.bottom, box.top, -x.value),
            (-box.right, -box.left, -y.value),
            (-box.top, -box.bottom, x.value),
        )[turns]
        yield Glyph(_plain(letter), left, right, line - _DESCENT * size, line + _ASCENT * size), turns
    yield None, 0
    text.close()


def _plain(letter: str) -> str:
    """Return the letters of a ligature, or the letter of a shape that depends on its place in the word."""
    if "\ufb00" <= letter <= "\ufdff" or "\ufe70" <= letter <= "\ufefc":
        return unicodedata.normalize("NFKC", letter)
    return letter


def _is_apart(one: Glyph, other: Glyph) -> bool:
    """Return whether two characters that follow each other in the file are on different lines, or far apart."""
    height = max(one.top - one.bottom, 1.0)
    gap = max(other.left - one.right, one.left - other.right)
    shared = min(one.top, other.top) - max(one.bottom, other.bottom)
    return gap > height or shared < 0.3 * min(height, other.top - other.bottom)


def _join_ligatures(glyphs: list[Glyph]) -> tuple[Glyph, ...]:
    """Return the glyphs with the letters of each Arabic ligature joined. They share a box, and PDFium reverses them."""
    joined: list[Glyph] = []
    for glyph in glyphs:
        last = joined[-1] if joined else None
        shares_box = last is not None and (last.left, last.right) == (glyph.left, glyph.right)
        if last and shares_box and unicodedata.bidirectional(glyph.text[0]) == "AL":
            joined[-1] = last._replace(text=glyph.text + last.text)
        else:
            joined.append(glyph)
    return tuple(joined)
