"""Find who acts in a sentence and who is acted on, by case endings, articles or the order of words.

Nothing is parsed. A name has a role only if one of the signs in the table of its language is there.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from rag.text.lexicon import load_lexicon, load_lexicons, normalise, split_words
from rag.text.names import find_entities, find_names, implied
from rag.text.vocabulary import Lexicon

Role = Literal["agent", "other"]

BEFORE = 3
"""Words before a name that may show its role."""
CLOSE_BEFORE = 2
"""Words before a name that may leave its role open."""

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Actor:
    """A country or a person in a sentence, with its role."""

    name: str
    """The code of a country, or the last word of a person's name."""
    is_country: bool
    role: Role | None


@dataclass(frozen=True, slots=True)
class Mention:
    """The words of a sentence that name a country, a place or a person."""

    name: str
    is_country: bool
    start: int
    end: int
    before: tuple[str, ...]
    """Up to three words before it, normalised, the nearest first."""
    forms: tuple[str, ...]
    """Its own words, normalised."""


def find_actors(sentence: str, language: str) -> list[Actor]:
    """Return the countries and people of one sentence, in order; none if the sentence may be passive."""
    lexicon = load_lexicon(language)
    if lexicon is None or lexicon.roles.kind == "none":
        return []
    signs = lexicon.roles
    if any(normalise(word, lexicon.language) in signs.passive for word in _WORD.findall(sentence)):
        return []
    judge = _JUDGES[signs.kind]
    mentions = find_mentions(sentence, lexicon.language)
    actors = [Actor(mention.name, mention.is_country, judge(mention, lexicon)) for mention in mentions]
    return _keep_first_agent(actors) if signs.kind == "order" else actors


def is_mutual(sentence: str, language: str) -> bool:
    """Return whether both sides may do the same, so that either can be said to act: they met."""
    lexicon = load_lexicon(language)
    return lexicon is not None and any(word.form in lexicon.roles.mutual for word in split_words(sentence, language))


def find_mentions(sentence: str, language: str) -> list[Mention]:
    """Return the countries, people and places that a sentence names, in order. Several words may be one name."""
    spans: list[tuple[str, bool, int, int]] = [
        (code, True, start, end)
        for code, places in find_entities(sentence, language).items()
        for start, end in places
        if sentence[start].isupper()
    ]
    people: list[tuple[str, bool, int, int]] = []
    for name in find_names(sentence, language):
        if any(start <= name.start < end for _, _, start, end in spans):
            continue
        start, end = name.start, name.start + len(name.text)
        # Words with a space or a hyphen between them are one name. Its last word is the one that is inflected.
        if people and sentence[people[-1][3] : start] in (" ", "-"):
            start = people.pop()[2]
        people.append((name.text, False, start, end))
    return [_mention(sentence, language, *span) for span in sorted(spans + people, key=lambda span: span[2])]


def find_adjectives(sentence: str, language: str) -> set[str]:
    """Return the countries that a sentence only has as adjectives or peoples, not as places."""
    demonyms = [lexicon.roles.demonyms for lexicon in load_lexicons(language)]
    found = find_entities(sentence, language)
    places = {
        code
        for code, spans in found.items()
        if any(
            sentence[start].isupper() and not any(demonym.search(sentence[start:end]) for demonym in demonyms)
            for start, end in spans
        )
    }
    return set(found) - implied(places)


def _mention(sentence: str, language: str, name: str, is_country: bool, start: int, end: int) -> Mention:
    before = [normalise(word, language) for word in _WORD.findall(sentence[:start])[-BEFORE:]]
    forms = [normalise(word, language) for word in _WORD.findall(sentence[start:end])]
    return Mention(name, is_country, start, end, tuple(reversed(before)), tuple(forms))


def _keep_first_agent(actors: list[Actor]) -> list[Actor]:
    """Give every agent but the first the other role."""
    first = next((place for place, actor in enumerate(actors) if actor.role == "agent"), None)
    return [
        replace(actor, role="other") if actor.role == "agent" and place != first else actor
        for place, actor in enumerate(actors)
    ]


def _judge_by_article(mention: Mention, lexicon: Lexicon) -> Role | None:
    signs = lexicon.roles
    if any(form in signs.unclear for form in mention.before[:CLOSE_BEFORE]):
        return None
    for form in mention.before:
        if form in signs.agent:
            return "agent"
        if form in signs.other:
            return "other"
    return None


def _judge_by_ending(mention: Mention, lexicon: Lexicon) -> Role | None:
    if any(lexicon.is_preposition(form) for form in mention.before[:1]):
        return "other"
    name = " ".join(mention.forms)
    if not mention.is_country:
        endings = lexicon.roles.person
        return "other" if endings.other.search(name) else "agent" if endings.agent.search(name) else None
    endings = lexicon.roles.country
    if endings.agent.search(name):
        return "agent"
    if endings.other.search(name):
        return "other"
    # A nominative that may also be another case acts where it begins the sentence or one of its clauses.
    begins = not mention.before or mention.before[0] in lexicon.roles.openers
    return "agent" if begins else None


def _judge_by_order(mention: Mention, lexicon: Lexicon) -> Role:
    return "other" if any(lexicon.is_preposition(form) for form in mention.before[:1]) else "agent"


_JUDGES: dict[str, Callable[[Mention, Lexicon], Role | None]] = {
    "articles": _judge_by_article,
    "endings": _judge_by_ending,
    "order": _judge_by_order,
}
