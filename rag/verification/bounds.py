"""Numbers that a text gives as exact where a passage has them exceeded, or not reached: over 1000 is not 1000."""

import re
from collections.abc import Iterator

from rag.text.lexicon import load_lexicon, split_words
from rag.verification.claims import Parsed, claims_of
from rag.verification.facts import Bound, Quantity

_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b|\.\s*[^\W\d_A-Z]")
_CURRENCY = ("$", "€", "£", "¥")
_SPELT = ("el", "sr")
"""Languages whose tables have words otherwise than they are written."""


def find_exact(said: Parsed, read: Parsed) -> Iterator[tuple[Quantity, Bound]]:
    """Each number that `said` gives as exact, where all that `read` has of that number are bounds of one kind."""
    for number in claims_of(said):
        if not isinstance(number, Quantity) or number.bound or _ORDINAL.match(said.text, number.end):
            continue
        bounds = {_find_strict(read, other) for other in read.facts.quantities if other.values & number.values}
        if len(bounds) == 1 and (bound := bounds.pop()):
            yield number, bound


def add_bounds(said: Parsed, read: Parsed) -> str:
    """The text of `said` with the bounds before its numbers that `read` has; as it is where one cannot be put there."""
    lexicon = load_lexicon(said.language)
    if lexicon is None or lexicon.language in _SPELT:
        return said.text
    text = said.text
    for number, bound in reversed([*find_exact(said, read)]):
        start = number.start - (text[number.start - 1 : number.start] in _CURRENCY)
        if any(word.form in lexicon.near for word in split_words(text[:start], said.language)[-1:]):
            return said.text
        phrase = (lexicon.more if bound == "more" else lexicon.less)[0]
        text = f"{text[:start]}{phrase if start else phrase.capitalize()} {text[start:]}"
    return text


def _find_strict(read: Parsed, number: Quantity) -> Bound | None:
    """The bound of a number of a passage, where the number itself is out of it."""
    return None if number.inclusive or _ORDINAL.match(read.text, number.end) else number.bound
