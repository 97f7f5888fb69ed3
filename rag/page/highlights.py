"""Find the words that a passage shares with the question, in any script."""

import re

from rag.text.folding import fold
from rag.text.names import share_stem
from rag.text.sentences import Span

WORD = re.compile(r"\w+(?:[.,]\d+)*")
NAME = 4
"""Minimum number of letters in a capitalised word for it to be highlighted."""
LONG = 6
"""Minimum number of letters in any other word for it to be highlighted."""


def find_shared(question: str, text: str) -> list[Span]:
    """Return the offsets of the names, numbers and long words in `text` that are also in the question."""
    asked = {fold(word) for word in WORD.findall(question) if _is_telling(word)}
    return [
        found.span()
        for found in WORD.finditer(text)
        if _is_telling(found[0]) and any(share_stem(fold(found[0]), word) for word in asked)
    ]


def _is_telling(word: str) -> bool:
    """Return whether a word says something about the topic: a number, a name or a long word."""
    return word[0].isdigit() or (len(word) >= NAME and word[0].isupper()) or len(word) >= LONG
