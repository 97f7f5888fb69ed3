"""Split documents into passages with exact offsets.

A passage is a run of whole sentences of one paragraph that fits the encoder. Only a paragraph that is too short to
stand alone, such as a heading, is joined with the next one, and never across a change of language.
"""

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.text.language import Language, detect
from rag.text.scripts import NO_SCRIPT, script_of
from rag.text.sentences import Span, split_paragraph, split_paragraphs, strip_span
from rag.types import Document, Passage

TokenCounter = Callable[[Sequence[str]], list[int]]
"""Returns the number of tokens of each text, like `Encoder.count_tokens`."""

TINY_SHARE = 5
"""A paragraph of less than one fifth of the token limit is too short to stand alone."""
MIN_LANGUAGE_CHARS = 40
"""A shorter piece is assumed to be in the language of its neighbour in the same script."""
MAX_CHARS_PER_TOKEN = 8
"""Sentences of more characters per token of the limit are split before their tokens are counted."""

_UNCOUNTED = -1
_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class _Piece:
    """A span of a document that becomes a passage or a part of one."""

    start: int
    end: int
    tokens: int
    language: Language | None = None


def cut(document: Document, max_tokens: int, count_tokens: TokenCounter) -> list[Passage]:
    """Split a document into passages, in order, each of at most `max_tokens` tokens.

    Passages do not overlap, do not begin or end with white space, and together omit nothing but white space. Only a
    single character of more than `max_tokens` tokens exceeds the limit.
    """
    paragraphs = [_fit(paragraph, document.text, max_tokens, count_tokens)
                  for paragraph in _split_sentences(document, max_tokens, count_tokens)]  # fmt: skip
    pieces = _merge_tiny(_detect_languages(_pack(paragraphs, max_tokens), document), max_tokens)
    # The tokens of joined texts do not always add up, so they are counted again.
    pieces = _fit(_count(pieces, document.text, count_tokens), document.text, max_tokens, count_tokens)
    return [_make_passage(document, piece) for piece in pieces]


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
    counts = iter(count_tokens([text[start:end] for paragraph in parts for start, end in paragraph]))
    return [[_Piece(start, end, next(counts)) for start, end in paragraph] for paragraph in parts]


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
    """Return where to break between `low` and `high`: after the last space, or else between two whole characters."""
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
    counts = count_tokens([text[piece.start : piece.end] for piece in pieces])
    return [replace(piece, tokens=tokens) for piece, tokens in zip(pieces, counts, strict=True)]


def _pack(paragraphs: list[list[_Piece]], max_tokens: int) -> list[_Piece]:
    """Join the sentences of each paragraph into pieces of similar length, rather than full pieces and a short rest."""
    packed: list[_Piece] = []
    before = 0
    for paragraph in paragraphs:
        total = sum(piece.tokens for piece in paragraph)
        # Leave room for a heading, which is joined later.
        room = max_tokens - before
        target = total / math.ceil(total / room)
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
        before = before + total if _is_tiny(before + total, max_tokens) else 0
    return packed


def _detect_languages(pieces: list[_Piece], document: Document) -> list[_Piece]:
    """Return the pieces with their languages; where the text does not tell, it is that of the document."""
    home = Language(document.language, document.script)
    detected: list[_Piece] = []
    # Backwards, because a heading is in the language of what follows it.
    following: Language | None = None
    for piece in reversed(pieces):
        text = document.text[piece.start : piece.end]
        if len(text) < MIN_LANGUAGE_CHARS and following and script_of(text) in (following.script, NO_SCRIPT):
            language = following
        else:
            language = detect(text, home=home)
        detected.append(replace(piece, language=language))
        following = language
    return detected[::-1]


def _merge_tiny(pieces: list[_Piece], max_tokens: int) -> list[_Piece]:
    merged: list[_Piece] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if (
            last
            and _is_tiny(last.tokens, max_tokens)
            and last.language == piece.language
            and last.tokens + piece.tokens <= max_tokens
        ):
            merged[-1] = _join(last, piece)
        else:
            merged.append(piece)
    return merged


def _is_tiny(tokens: int, max_tokens: int) -> bool:
    return tokens * TINY_SHARE < max_tokens


def _join(first: _Piece, second: _Piece) -> _Piece:
    return _Piece(first.start, second.end, first.tokens + second.tokens, second.language)


def _make_passage(document: Document, piece: _Piece) -> Passage:
    language = piece.language or Language(document.language, document.script)
    text = document.text[piece.start : piece.end]
    return Passage(
        source=document.source, text=text, start=piece.start, end=piece.end, language=language.code,
        script=language.script, date=document.date, title=document.title,
    )  # fmt: skip
