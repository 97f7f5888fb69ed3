"""Find numbers that a statement gives as exact and its passage only as a bound, such as 1000 for over 1000."""

import re
from collections.abc import Iterator
from functools import cache

from rag.text.lexicon import load_lexicon, split_words
from rag.verification.claims import Parsed, list_claims
from rag.verification.facts import Bound, Quantity

_CURRENCY = ("$", "€", "£", "¥")


def find_exact(said: Parsed, read: Parsed) -> Iterator[tuple[Quantity, Bound]]:
    """Yield each number that `said` gives as exact and `read` only as a bound, with that bound.

    A number is left out if `read` has it as an exact number too, or as bounds of both kinds.
    """
    for number in list_claims(said):
        if not isinstance(number, Quantity) or number.bound or _is_ordinal(said, number):
            continue
        bounds = {_find_strict(read, other) for other in read.facts.quantities if other.values & number.values}
        if len(bounds) == 1 and (bound := bounds.pop()):
            yield number, bound


def add_bounds(said: Parsed, read: Parsed) -> str:
    """Return the text of `said` with the bounds that `read` has before its numbers.

    The text is returned unchanged if its language's table does not allow it, or if one of the numbers is approximate.
    """
    lexicon = load_lexicon(said.language)
    if lexicon is None or not lexicon.adds_bounds:
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
    """Return the bound of a passage's number, or None if the number itself is within it."""
    return None if number.inclusive or _is_ordinal(read, number) else number.bound


def _is_ordinal(text: Parsed, number: Quantity) -> bool:
    return _compile_ordinal(text.language).match(text.text, number.end) is not None


@cache
def _compile_ordinal(language: str) -> re.Pattern[str]:
    lexicon = load_lexicon(language)
    endings = "".join(rf"|{re.escape(ending)}\b" for ending in (lexicon.dates.ordinals if lexicon else ()))
    # A full stop before a small letter does not end a sentence: 38. rovnoběžka.
    return re.compile(rf"\.\s*[^\W\d_A-Z]{endings}")
