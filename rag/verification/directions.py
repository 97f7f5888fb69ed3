"""Find where somebody or something in a sentence comes from, and where they go.

A name has a direction only if a preposition or an ending shows it.
"""

import re
from dataclasses import dataclass
from typing import Literal

from rag.text.lexicon import load_lexicon, split_words
from rag.text.vocabulary import Lexicon
from rag.verification.roles import Mention, find_mentions

Way = Literal["from", "to"]

REACH = 6
"""Words before a name in which its preposition may stand: from the capital of Malaysia Kuala Lumpur."""
PAUSE = re.compile(r"[,;:–—()\"“”„«»]")
"""Punctuation that mostly stands between clauses."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A country, a place or a person that somebody or something in a sentence comes from or goes to."""

    name: str
    """The code of a country, or the last word of another name."""
    is_country: bool
    way: Way


def find_ways(sentence: str, language: str) -> list[Endpoint]:
    """Return the names of one sentence that have a direction, in order."""
    lexicon = load_lexicon(language)
    if lexicon is None:
        return []
    mentions = find_mentions(sentence, lexicon.language)
    ways = [_find_way(sentence, mention, lexicon) for mention in mentions]
    # Some languages have one word for `at` and `to`. It is `to` if the sentence also tells where one comes from.
    resolved = [("to" if "from" in ways else None) if way == "at" else way for way in ways]
    return [Endpoint(one.name, one.is_country, way) for one, way in zip(mentions, resolved, strict=True) if way]


def _find_way(sentence: str, mention: Mention, lexicon: Lexicon) -> Way | Literal["at"] | None:
    last = mention.forms[-1]
    if lexicon.origin_endings.search(last):
        return "from"
    if lexicon.goal_endings.search(last):
        return "to"
    clause = PAUSE.split(sentence[: mention.start])[-1]
    for word in reversed(split_words(clause, lexicon.language)[-REACH:]):
        if word.form in lexicon.origin:
            return None if lexicon.with_endings.search(last) else "from"
        if word.form in lexicon.goal:
            return "to"
        if word.form in lexicon.at:
            return "at"
        if word.form in lexicon.prepositions:
            return None
    return None
