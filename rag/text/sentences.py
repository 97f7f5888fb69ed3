"""Split a text into paragraphs and sentences, as spans of offsets."""

import re
from itertools import pairwise

from rag.text.invisible import mark_hidden

Span = tuple[int, int]

WRAPPED_WIDTH = 100
"""Maximum number of characters in a line of a hard-wrapped paragraph."""
WINDOW = 4000
"""Number of characters passed to sentencex at once, because its time grows with their square."""

HEADING = "\u2060"
"""Stands at the beginning of a heading in the text of an article. It is invisible."""
LIST_SPACE = "\u00a0"
"""Stands between the number of an item of a list and its text."""

_SENTENCE_ENDS = '.!?…:;。！？»”"।॥؟۔'
_VISIBLE = re.compile(r"\S")
_LINE = re.compile(r"\S(?:[^\n]*\S)?")
_BLOCK = re.compile(r"\S(?:[^\n]|\n(?!\s*\n))*")
_APART = re.compile(rf"{HEADING}|•|\(?\w{{1,3}}[.)]{LIST_SPACE}|[^\n]*\t")
"""The beginning of a line that is not part of the paragraph above: a heading, an item of a list, a row of a table."""
_ITEM = re.compile(rf"(?:•\s*|\(?\w{{1,3}}[.)]{LIST_SPACE}\s*)")
_WHOLE = re.compile(rf"{HEADING}|[^\n]*\t")
"""The beginning of a line that no other line continues."""
_SPACE_BUT_NEWLINE = re.compile(r"[^\S\n]")


def split_sentences(text: str, language: str) -> list[Span]:
    """Return the offsets of the sentences in `text`, without surrounding white space.

    No sentence crosses the end of a paragraph.
    """
    return [sentence for paragraph in split_paragraphs(text) for sentence in split_paragraph(text, paragraph, language)]


def split_paragraphs(text: str) -> list[Span]:
    """Return the offsets of the paragraphs in `text`, without surrounding white space.

    Each line is a paragraph, unless it is hard-wrapped: it ends within a sentence, and the next word would not have
    fitted on it.
    """
    paragraphs = []
    for block in _BLOCK.finditer(text):
        lines = [(m.start(), m.end()) for m in _LINE.finditer(text, *block.span())]
        width = max(end - start for start, end in lines)
        first = lines[0][0]
        for (_, end), (start, following_end) in pairwise(lines):
            next_word = text[start:following_end].split(maxsplit=1)[0]
            fits = end - text.rfind("\n", 0, end) + len(next_word) <= width
            apart = _APART.match(text, start) or _WHOLE.match(text, first)
            if apart or fits or width > WRAPPED_WIDTH or text[end - 1] in _SENTENCE_ENDS:
                paragraphs.append((first, end))
                first = start
        paragraphs.append((first, lines[-1][1]))
    return paragraphs


def split_paragraph(text: str, paragraph: Span, language: str) -> list[Span]:
    """Return the offsets of the sentences of one paragraph, without surrounding white space."""
    import sentencex  # type: ignore[import-untyped]

    start, end = paragraph
    if "\t" in text[start:end]:
        return [paragraph]  # A row of a table.
    # sentencex fails on some white space beyond ASCII, and at invisible characters after a full stop.
    plain = mark_hidden(_SPACE_BUT_NEWLINE.sub(" ", text[start:end]), " ")
    starts: list[int] = []
    at = 0
    while at < len(plain):
        found = sentencex.get_sentence_boundaries(language, plain[at : at + WINDOW])
        # The last sentence of a window may continue in the next one.
        whole = found if at + WINDOW >= len(plain) or len(found) == 1 else found[:-1]
        starts += [at + sentence["start_index"] for sentence in whole]
        at += whole[-1]["end_index"]
    # Ordinals and abbreviations end in a full stop too, but a sentence does not begin with a lower-case letter.
    item = _ITEM.match(text, start, end)
    least = item.end() - start + 1 if item else 0
    starts = [offset for offset in starts if offset == 0 or (offset >= least and not _begins_small(plain, offset))]
    # Invisible characters between two sentences belong to the second one.
    starts = [_skip_space_before(plain, offset) for offset in starts]
    spans = (strip_span(text, start + first, start + last) for first, last in pairwise([*starts, len(plain)]))
    return [span for span in spans if span[0] < span[1]]


def _begins_small(text: str, start: int) -> bool:
    """Return whether the text from `start` begins with a lower-case letter; Georgian letters do not count."""
    found = _VISIBLE.search(text, start)
    return found is not None and found[0].islower() and found[0].title() != found[0]


def _skip_space_before(text: str, offset: int) -> int:
    while offset > 0 and text[offset - 1].isspace():
        offset -= 1
    return offset


def ends_sentence(text: str) -> bool:
    """Return whether a text ends as a sentence does, rather than as a heading."""
    return text.rstrip(" )]'’").endswith(tuple(_SENTENCE_ENDS))


def strip_span(text: str, start: int, end: int) -> Span:
    """Return the offsets of `text[start:end]` without surrounding white space."""
    inner = text[start:end]
    return end - len(inner.lstrip()), start + len(inner.rstrip())
