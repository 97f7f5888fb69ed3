"""Paragraphs cut as the index cuts them: runs of whole sentences of about one length, in tokens."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

Span = tuple[int, int]

_SENTENCE_BREAK = re.compile(r"(?<=[.!?…؟।॥])[\"'”»)\]]*\s+|(?<=[。！？])(?![」』）])|\n+")


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a paragraph and its tokens; offsets are in characters of the paragraph."""

    start: int
    end: int
    tokens: NDArray[np.int32]
    offsets: NDArray[np.int32]
    """Start and end of each token, without white space."""
    sentences: tuple[int, ...]
    """The first token of each sentence."""

    def locate(self, start: int, end: int) -> Span | None:
        """Return the first and the last token of `text[start:end]`, or None where the window lacks part of it."""
        if start < self.start or end > self.end:
            return None
        inside = np.flatnonzero((self.offsets[:, 1] > start) & (self.offsets[:, 0] < end))
        return (int(inside[0]), int(inside[-1])) if len(inside) else None


def cut(text: str, tokenizer: Tokenizer, limit: int) -> list[Window]:
    """Return the windows of `text`, each of about `limit` tokens at most."""
    pieces = [piece for span in split_sentences(text) for piece in _shorten(text, span, tokenizer, limit)]
    counts = [len(encoded.ids) for encoded in _encode(tokenizer, [text[start:end] for start, end in pieces])]
    runs = list(_pack(counts, limit))
    spans = [(pieces[first][0], pieces[last - 1][1]) for first, last in runs]
    encodings = _encode(tokenizer, [text[start:end] for start, end in spans])
    return [
        _window(text, span, encoded, [start for start, _ in pieces[first:last]])
        for span, encoded, (first, last) in zip(spans, encodings, runs, strict=True)
    ]


def split_sentences(text: str) -> list[Span]:
    """Return the offsets of the sentences, told by punctuation alone, without white space around them."""
    borders = [0, *(found.end() for found in _SENTENCE_BREAK.finditer(text)), len(text)]
    spans = (_strip(text, start, end) for start, end in pairwise(borders))
    return [(start, end) for start, end in spans if start < end]


def _strip(text: str, start: int, end: int) -> Span:
    inner = text[start:end]
    return end - len(inner.lstrip()), start + len(inner.rstrip())


def _shorten(text: str, span: Span, tokenizer: Tokenizer, limit: int) -> list[Span]:
    """Cut a sentence of more than `limit` tokens in parts of about equal length."""
    start, end = span
    (encoded,) = _encode(tokenizer, [text[start:end]])
    parts = math.ceil(len(encoded.ids) / limit)
    if parts < 2:
        return [span]
    step = math.ceil(len(encoded.ids) / parts)
    borders = [start, *(start + encoded.offsets[at][0] for at in range(step, len(encoded.ids), step)), end]
    spans = (_strip(text, first, last) for first, last in pairwise(borders))
    return [(first, last) for first, last in spans if first < last]


def _pack(counts: Sequence[int], limit: int) -> Iterator[Span]:
    """Yield the ranges of sentences that are put together."""
    total = sum(counts)
    target = total / max(1, math.ceil(total / limit))
    first, tokens = 0, 0
    for at, count in enumerate(counts):
        if at > first and (tokens >= target or tokens + count > limit):
            yield first, at
            first, tokens = at, 0
        tokens += count
    if counts:
        yield first, len(counts)


def _encode(tokenizer: Tokenizer, texts: list[str]) -> list[Encoding]:
    encodings: list[Encoding] = tokenizer.encode_batch(texts, add_special_tokens=False)
    return encodings


def _window(text: str, span: Span, encoded: Encoding, sentences: Sequence[int]) -> Window:
    offsets = np.array(
        [_strip(text, span[0] + start, span[0] + end) for start, end in encoded.offsets], dtype=np.int32
    ).reshape(-1, 2)
    firsts = sorted({int(np.searchsorted(offsets[:, 0], start)) for start in sentences} | {0})
    tokens = np.array(encoded.ids, dtype=np.int32)
    return Window(*span, tokens, offsets, tuple(at for at in firsts if at < len(tokens)))
