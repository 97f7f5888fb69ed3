"""Which way a sentence says that one goes: the places and sides that it comes from, and those that it goes to.

As for roles, a name gets a way only where a preposition or an ending says it plainly.
"""

import re
from dataclasses import dataclass
from typing import Literal

from rag.text.lexicon import Lexicon, load_lexicon, split_words
from rag.verification.roles import Mention, find_mentions

Way = Literal["from", "to"]

REACH = 6
"""Words before a name among which the preposition may stand: from the capital of Malaysia Kuala Lumpur."""

_STOP = re.compile(r"[,;:–—()\"“”„«»]")
_WITH = {"pl": re.compile("(?:ą|ym|im|em|ami)$")}
"""Endings after which the word for `from` means `with`."""
_ENDINGS: dict[str, tuple[tuple[re.Pattern[str], Way], ...]] = {
    "et": ((re.compile("(?:[aeiou]st|lt)$"), "from"), (re.compile("(?:sse|le)$"), "to")),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A country, a place or a person in a sentence, and which way it lies."""

    name: str
    """A country's code, or the last word of the name."""
    is_country: bool
    way: Way


def find_ways(sentence: str, language: str) -> list[Place]:
    """What one sentence says that somebody or something comes from or goes to, in order."""
    lexicon = load_lexicon(language)
    if lexicon is None:
        return []
    mentions = find_mentions(sentence, lexicon.language)
    ways = [_find_way(sentence, mention, lexicon) for mention in mentions]
    # `At` and `to` are one word in Greek, Serbian and Russian: it is `to` where the sentence says from where.
    resolved = [("to" if "from" in ways else None) if way == "at" else way for way in ways]
    return [Place(one.name, one.is_country, way) for one, way in zip(mentions, resolved, strict=True) if way]


def _find_way(sentence: str, mention: Mention, lexicon: Lexicon) -> Way | Literal["at"] | None:
    last = mention.forms[-1]
    for ending, way in _ENDINGS.get(lexicon.language, ()):
        if ending.search(last):
            return way
    clause = _STOP.split(sentence[: mention.start])[-1]
    for word in reversed(split_words(clause, lexicon.language)[-REACH:]):
        if word.form in lexicon.origin:
            means_with = lexicon.language in _WITH and _WITH[lexicon.language].search(last)
            return None if means_with else "from"
        if word.form in lexicon.goal:
            return "to"
        if word.form in lexicon.at:
            return "at"
        if word.form in lexicon.prepositions:
            return None
    return None
