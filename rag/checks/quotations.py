"""Words that a text gives as somebody's own, and the nearest that a passage has."""

import re
from collections.abc import Sequence

from rag.language import fold
from rag.matching import measure_farthest
from rag.types import Encoder

LEAST_WORDS = 2
"""One word between quotation marks is a title or a doubt, not what somebody said."""

_MARKED = re.compile(r"[„“”\"«»「『]([^„“”\"«»「」『』\n]+)[”“\"»«」』]|‘([^‘\n]+?)’(?!\w)")
# In Polish, Greek and Spanish newspapers direct speech may begin a line with a dash, and end with another.
_DASHED = re.compile(r"^[ \t]*[-–—][ \t]+(.+?)(?:[ \t][-–—][ \t].*)?$", re.MULTILINE)
_OMITTED = re.compile(r"\[?(?:\.\.\.|…)\]?")
_WORD = re.compile(r"\w+")


def find_quotations(text: str) -> list[str]:
    """What stands between quotation marks."""
    return [quotation for found in _MARKED.finditer(text) if (quotation := (found[1] or found[2]).strip())]


def find_speech(article: str) -> list[str]:
    """What an article quotes: between quotation marks, or after the dash of direct speech."""
    return [*find_quotations(article), *(found[1].strip() for found in _DASHED.finditer(article))]


def is_speech(quotation: str) -> bool:
    """Whether it is more than a word, and no title, all of whose words have a capital."""
    words: Sequence[str] = _WORD.findall(quotation)
    return len(words) >= LEAST_WORDS and any(word[0].islower() for word in words)


def has_verbatim(text: str, quotation: str) -> bool:
    """Whether a text has the words of a quotation, in whatever script; those before and after an ellipsis apart."""
    read = _fold_words(text)
    return all(_fold_words(part) in read for part in _OMITTED.split(quotation))


def find_nearest(quotation: str, others: Sequence[str], encoder: Encoder) -> tuple[str, float]:
    """The nearest of some other quotations, at least one, and how near it is.

    It is measured as the nearness of a statement is: in cosine, by the tokens that match worst.
    """
    (said,) = encoder.encode([quotation], "query").tokens
    near = [measure_farthest(said, [tokens]) for tokens in encoder.encode(others, "passage").tokens]
    best = max(range(len(others)), key=near.__getitem__)
    return others[best], near[best]


def _fold_words(text: str) -> str:
    """Its words in lower-case ASCII, each between spaces."""
    return f" {' '.join(_WORD.findall(fold(text)))} "
