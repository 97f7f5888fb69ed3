"""Which words of a passage a question has too, in whatever script: names and numbers above all."""

import re

from rag.text.folding import fold
from rag.text.sentences import Span

WORD = re.compile(r"\w+(?:[.,]\d+)*")
LONG = 6
"""Letters from which on a word tells something though it is no name."""
STEM = 4
"""Letters that two forms of a word share at least."""
ENDING = 3
"""Letters in which they may differ at the end: Путин, Putina."""


def find_shared(question: str, text: str) -> list[Span]:
    """Where in the text the words stand that the question has too."""
    asked = {fold(word) for word in WORD.findall(question) if _tells(word)}
    return [
        found.span()
        for found in WORD.finditer(text)
        if _tells(found[0]) and any(_is_same(fold(found[0]), word) for word in asked)
    ]


def _tells(word: str) -> bool:
    return word[0].isdigit() or (len(word) >= STEM and word[0].isupper()) or len(word) >= LONG


def _is_same(one: str, other: str) -> bool:
    if one[0].isdigit() or other[0].isdigit():
        return one == other
    stem = max(STEM, max(len(one), len(other)) - ENDING)
    return one[:stem] == other[:stem] and min(len(one), len(other)) >= stem
