"""Split documents into passages with exact offsets.

A passage consists of consecutive whole sentences of one paragraph, and fits the encoder. Only a paragraph that is too
short to stand alone is joined with the next one, and never across a change of language. A heading, and a question that
stands by itself, always begins a passage together with what follows it.
"""

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.text.invisible import drop_hidden
from rag.text.language import Language, detect
from rag.text.scripts import NO_SCRIPT, script_of
from rag.text.sentences import HEADING, Span, split_paragraph, split_paragraphs, strip_span
from rag.text.structure import find_columns, is_question, is_row
from rag.types import Document, Passage

TokenCounter = Callable[[Sequence[str]], list[int]]
"""Returns the number of tokens of each text, like `Encoder.count_tokens`."""

TINY_SHARE = 5
"""A paragraph of less than one fifth of the token limit is too short to stand alone."""
MIN_LANGUAGE_CHARS = 40
"""A shorter piece is assumed to be in the language of its neighbour in the same script."""
MAX_CHARS_PER_TOKEN = 8
"""Sentences with more characters than this, times the token limit, are split before their tokens are counted."""

_UNCOUNTED = -1
_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class _Piece:
    """A span of a document that becomes a passage or a part of one."""

    start: int
    end: int
    tokens: int
    language: Language | None = None
    heads: bool = False
    """True if it is a heading of what follows, or a question that is answered there."""


def cut(document: Document, max_tokens: int, count_tokens: TokenCounter) -> list[Passage]:
    """Split a document into passages, in order, each of at most `max_tokens` tokens.

    Passages do not overlap, do not begin or end with white space, and together omit nothing but white space. Only a
    single character that takes more than `max_tokens` tokens exceeds the limit.
    """
    paragraphs = [_fit(paragraph, document.text, max_tokens, count_tokens)
                  for paragraph in _split_sentences(document, max_tokens, count_tokens)]  # fmt: skip
    pieces = _merge_tiny(_detect_languages(_pack(paragraphs, max_tokens), document), document.text, max_tokens)
    # The tokens of joined texts do not always add up, so they are counted again.
    pieces = _fit(_count(pieces, document.text, count_tokens), document.text, max_tokens, count_tokens)
    return [_make_passage(document, piece) for piece in pieces]


def prepare(document: Document, passage: Passage) -> str:
    """Return the text of a passage as it is given to the encoder: without invisible characters.

    If it begins within a table, the names of the columns come first.
    """
    first = passage.text.partition("\n")[0]
    names = find_columns(document.text, passage.start) if is_row(first) else []
    return drop_hidden("\n".join([*(["\t".join(names)] if names else []), passage.text]))


def _split_sentences(document: Document, max_tokens: int, count_tokens: TokenCounter) -> list[list[_Piece]]:
    """Return the sentences of each paragraph with their tokens; very long sentences are split."""
    text, size = document.text, max_tokens * MAX_CHARS_PER_TOKEN
    parts = [
        [
            part
            for sentence in split_paragraph(text, span, document.language)
            for part in _split_span(text, sentence, size)
        ]
        for span in split_paragraphs(text)
    ]
    counts = iter(_count_cleaned([text[start:end] for paragraph in parts for start, end in paragraph], count_tokens))
    heads = _find_headings(text, parts)
    return [
        [_Piece(start, end, next(counts), heads=number in heads) for start, end in paragraph]
        for number, paragraph in enumerate(parts)
    ]


def _find_headings(text: str, paragraphs: Sequence[Sequence[Span]]) -> set[int]:
    """Return the numbers of the paragraphs that head the next one."""
    heads = set()
    for number in range(len(paragraphs) - 2, -1, -1):
        words = [text[start:end] for start, end in paragraphs[number]]
        asks = len(words) == 1 and is_question(words[0]) and not is_question(_get_text(text, paragraphs[number + 1]))
        if words[0].startswith(HEADING) or asks:
            heads.add(number)
    return heads


def _get_text(text: str, paragraph: Sequence[Span]) -> str:
    return text[paragraph[0][0] : paragraph[-1][1]]


def _split_span(text: str, span: Span, size: int) -> list[Span]:
    """Split a span into parts of at most `size` characters."""
    start, end = span
    parts = []
    while end - start > size:
        middle = _find_break(text, start + size // 2, start + size)
        parts.append(strip_span(text, start, middle))
        while text[middle].isspace():
            middle += 1
        start = middle
    return [*parts, (start, end)]


def _find_break(text: str, low: int, high: int) -> int:
    """Return the offset to break at, between `low` and `high`: after the last space, or else between characters.

    A character is not parted from its combining marks, nor from characters joined to it.
    """
    for place in range(high, low, -1):
        if text[place - 1].isspace():
            return place
    for place in range(high, low, -1):
        if not unicodedata.category(text[place]).startswith("M") and _JOINER not in text[place - 1 : place + 1]:
            return place
    return high


def _fit(pieces: list[_Piece], text: str, max_tokens: int, count_tokens: TokenCounter) -> list[_Piece]:
    """Halve pieces of more than `max_tokens` tokens until they fit."""
    while any(_is_too_long(piece, max_tokens) for piece in pieces):
        halves: list[_Piece] = []
        for piece in pieces:
            if not _is_too_long(piece, max_tokens):
                halves.append(piece)
                continue
            size = piece.end - piece.start
            middle = _find_break(text, piece.start + size // 4, piece.start + size // 2)
            for start, end in ((piece.start, middle), (middle, piece.end)):
                halves.append(_Piece(*strip_span(text, start, end), _UNCOUNTED, piece.language))
        counted = iter(_count([half for half in halves if half.tokens == _UNCOUNTED], text, count_tokens))
        pieces = [next(counted) if half.tokens == _UNCOUNTED else half for half in halves]
    return pieces


def _is_too_long(piece: _Piece, max_tokens: int) -> bool:
    return piece.tokens > max_tokens and piece.end - piece.start > 1


def _count(pieces: list[_Piece], text: str, count_tokens: TokenCounter) -> list[_Piece]:
    counts = _count_cleaned([text[piece.start : piece.end] for piece in pieces], count_tokens)
    return [replace(piece, tokens=tokens) for piece, tokens in zip(pieces, counts, strict=True)]


def _count_cleaned(texts: Sequence[str], count_tokens: TokenCounter) -> list[int]:
    """Return the number of tokens of each text, as it is given to the encoder."""
    return count_tokens([drop_hidden(text) for text in texts])


def _pack(paragraphs: list[list[_Piece]], max_tokens: int) -> list[_Piece]:
    """Join the sentences of each paragraph into pieces of similar length, not full pieces and a short remainder."""
    packed: list[_Piece] = []
    before = 0
    for paragraph in paragraphs:
        total = sum(piece.tokens for piece in paragraph)
        # Leave room for a heading, which is joined later.
        room = max_tokens - before
        target = total / max(1, math.ceil(total / room))
        current: _Piece | None = None
        for piece in paragraph:
            if current and current.tokens < target and current.tokens + piece.tokens <= room:
                current = _join(current, piece)
                continue
            if current:
                packed.append(current)
                room = max_tokens
            current = piece
        packed += [current] if current else []
        waits = _is_tiny(before + total, max_tokens) or (paragraph[0].heads and 2 * (before + total) < max_tokens)
        before = before + total if waits else 0
    return packed


def _detect_languages(pieces: list[_Piece], document: Document) -> list[_Piece]:
    """Return the pieces with their languages. A piece whose language is unclear has that of the document."""
    home = Language(document.language, document.script)
    detected: list[_Piece] = []
    # Backwards, because a heading is in the language of what follows it.
    following: Language | None = None
    for piece in reversed(pieces):
        text = document.text[piece.start : piece.end]
        if len(text) < MIN_LANGUAGE_CHARS and following and script_of(text) in (following.script, NO_SCRIPT):
            language = following
        else:
            language = detect(drop_hidden(text), home=home)
        detected.append(replace(piece, language=language))
        following = language
    return detected[::-1]


def _merge_tiny(pieces: list[_Piece], text: str, max_tokens: int) -> list[_Piece]:
    merged: list[_Piece] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if last and _belongs(last, piece, text, max_tokens) and last.tokens + piece.tokens <= max_tokens:
            merged[-1] = _join(last, piece)
        else:
            merged.append(piece)
    return merged


def _belongs(last: _Piece, piece: _Piece, text: str, max_tokens: int) -> bool:
    """Return whether a piece is joined with the one before it, if both fit."""
    if last.heads or piece.heads or last.language != piece.language:
        return last.heads
    # The lines of a list below a heading stay together; the rows of a table need not.
    is_listed = text.startswith(HEADING, last.start) and text[last.end : piece.start].count("\n") == 1
    return _is_tiny(last.tokens, max_tokens) or (is_listed and not is_row(text[piece.start : piece.end]))


def _is_tiny(tokens: int, max_tokens: int) -> bool:
    return tokens * TINY_SHARE < max_tokens


def _join(first: _Piece, second: _Piece) -> _Piece:
    return _Piece(first.start, second.end, first.tokens + second.tokens, second.language, second.heads)


def _make_passage(document: Document, piece: _Piece) -> Passage:
    language = piece.language or Language(document.language, document.script)
    text = document.text[piece.start : piece.end]
    return Passage(
        source=document.source, text=text, start=piece.start, end=piece.end, language=language.code,
        script=language.script, date=document.date, title=document.title,
    )  # fmt: skip
