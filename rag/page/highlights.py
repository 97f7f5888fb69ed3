"""Find the words of a passage that the question has too, in any script."""

import re

from rag.text.folding import fold
from rag.text.names import share_stem
from rag.text.sentences import Span

WORD = re.compile(r"\w+(?:[.,]\d+)*")
NAME = 4
"""Letters from which a word with a capital is worth highlighting."""
LONG = 6
"""Letters from which any word is worth highlighting."""


def find_shared(question: str, text: str) -> list[Span]:
    """Return the offsets of the words in `text` that the question has too: names, numbers and long words."""
    asked = {fold(word) for word in WORD.findall(question) if _is_telling(word)}
    return [
        found.span()
        for found in WORD.finditer(text)
        if _is_telling(found[0]) and any(share_stem(fold(found[0]), word) for word in asked)
    ]


def _is_telling(word: str) -> bool:
    """Return whether a word says something about the topic: a number, a name or a long word."""
    return word[0].isdigit() or (len(word) >= NAME and word[0].isupper()) or len(word) >= LONG
