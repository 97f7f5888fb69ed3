"""Who acts and who is acted on, where case endings, articles or the order of words say it plainly.

No parser: a name gets a role only by the signs below, and none where they leave it open.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from rag.text.folding import fold
from rag.text.lexicon import SERBIAN, form_of, is_preposition
from rag.text.names import find_entities, find_names, implied

Role = Literal["agent", "other"]

_WORD = re.compile(r"[^\W\d_]+")
_PASSIVE = {
    "cs": "byl byla bylo byli byly bude budou", "pl": "został została zostało zostali zostały",
    "sr": "bio bila bilo bili bile strane", "ru": "был была было были", "en": "was were been being is are be",
    "de": "wurde wurden wird werden worden", "et": "poolt",
}  # fmt: skip
# To meet and to talk, folded.
_MUTUAL = re.compile(
    r"\b(?:setk|spotk|rozm[ao]w|jednal|hovoril|kohtu|sre[ol]|susre|sasta[ol]|razgov|met\b|meet|talk|traf|treff|sprach|synant|synomil|"
    r"vstret|vstrech|besed)"
)
_THAT = {"cs": ("že",), "pl": ("że", "iż"), "sr": ("da",), "ru": ("что",), "et": ("et",)}
# Russian, North Korean, Chinese; Ρώσος and Κινέζος: these have a capital, and are no places.
_DEMONYM = re.compile(r"(?:[ei]an|ican|nese|ish)s?$|(?:Ρώσ|ορεάτ|Κινέζ|Αμερικαν|Ουκραν[όοώω])\w*$")
_ARTICLES: dict[str, Role] = dict.fromkeys(["ο", "η", "οι"], "agent")
_ARTICLES |= dict.fromkeys(["τον", "την", "τη", "του", "τησ", "των", "τουσ", "τισ", "στον", "στην", "στη"], "other")
_ARTICLES |= dict.fromkeys(["στο", "στουσ", "στισ", "με", "για", "σε", "προσ", "κατα"], "other")
_ORDERED = {"en", "de"}


@dataclass(frozen=True, slots=True)
class Actor:
    """A country or a person in a sentence, and the role there."""

    name: str
    """A country's code, or the last word of a person's name."""
    is_country: bool
    role: Role | None


@dataclass(frozen=True, slots=True)
class Mention:
    """The words of a sentence that name a country or a person."""

    name: str
    is_country: bool
    start: int
    end: int
    before: tuple[str, ...]
    """The three words before, the nearest first."""
    forms: tuple[str, ...]
    """Its own words."""


def find_actors(sentence: str, language: str) -> list[Actor]:
    """Countries and people of one sentence, in order; none where it may be passive."""
    language = "sr" if language in SERBIAN else language
    judge = _JUDGES.get(language)
    words = {form_of(word.group(), language) for word in _WORD.finditer(sentence)}
    if judge is None or words & set(_PASSIVE.get(language, "").split()):
        return []
    mentions = find_mentions(sentence, language)
    actors = [Actor(mention.name, mention.is_country, judge(mention, language)) for mention in mentions]
    if language not in _ORDERED:
        return actors
    # The first one acts and the others do not.
    first = next((place for place, actor in enumerate(actors) if actor.role == "agent"), None)
    return [
        replace(actor, role="other") if actor.role == "agent" and place != first else actor
        for place, actor in enumerate(actors)
    ]


def is_mutual(sentence: str) -> bool:
    """Whether the deed may be both sides', so that it is no matter who is said to do it: they met."""
    return _MUTUAL.search(fold(sentence)) is not None


def find_mentions(sentence: str, language: str) -> list[Mention]:
    """The countries, people and places that a sentence names, in order; words of one name are one mention."""
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
        # Words that only a space or a hyphen parts are one name; it is the last that is inflected.
        if people and sentence[people[-1][3] : start] in (" ", "-"):
            start = people.pop()[2]
        people.append((name.text, False, start, end))
    return [_mention(sentence, language, *span) for span in sorted(spans + people, key=lambda span: span[2])]


def find_adjectives(sentence: str, language: str) -> set[str]:
    """The countries that a sentence has as adjectives alone, which most languages write with a small letter."""
    found = find_entities(sentence, language)
    places = {
        code
        for code, spans in found.items()
        if any(sentence[start].isupper() and not _DEMONYM.search(sentence[start:end]) for start, end in spans)
    }
    return set(found) - implied(places)


def _mention(sentence: str, language: str, name: str, is_country: bool, start: int, end: int) -> Mention:
    before = [form_of(word, language) for word in _WORD.findall(sentence[:start])[-3:]]
    forms = [form_of(word, language) for word in _WORD.findall(sentence[start:end])]
    return Mention(name, is_country, start, end, tuple(reversed(before)), tuple(forms))


def _judge_greek(mention: Mention, _: str) -> Role | None:
    # `By`, in the passive, and `from` are one word.
    if "απο" in mention.before[:2]:
        return None
    return next((_ARTICLES[form] for form in mention.before if form in _ARTICLES), None)


def _judge_slavic(mention: Mention, language: str) -> Role | None:
    if mention.before[:1] and is_preposition(mention.before[0], language):
        return "other"
    last = mention.forms[-1]
    if mention.is_country:
        if all(form.endswith(("a", "а", "í", "я")) for form in mention.forms):
            return "agent"
        oblique = any(re.search("(?:[uyieěęąуюиеы]|ou|ej|oj|ой)$", form) for form in mention.forms)
        return "other" if oblique else _judge_ambiguous(mention, language)
    if re.search("[aeuа]$|ovi$|owi$|..(?:em|om|ом|ем|ym|ým)$", last):
        return "other"
    return "agent" if re.search("[^aeiouyáéíóúýěůаеиоуыэюя]$", last) else None


def _judge_estonian(mention: Mention, language: str) -> Role | None:
    last = mention.forms[-1]
    if re.search("(?:le|lt|ga|st|sse|ni|ks|[aeiou][dt])$", last):
        return "other"
    if mention.is_country:
        return _judge_ambiguous(mention, language)
    if last.endswith("i"):
        return "other"
    return None if last[-1] in "aeou" else "agent"


def _judge_ordered(mention: Mention, language: str) -> Role:
    return "other" if mention.before[:1] and is_preposition(mention.before[0], language) else "agent"


def _judge_ambiguous(mention: Mention, language: str) -> Role | None:
    """A nominative that may be an accusative or a genitive acts where it begins the sentence, or a clause of it."""
    begins = mention.start == 0 or mention.before[0] in _THAT.get(language, ())
    return "agent" if begins else None


_JUDGES: dict[str, Callable[[Mention, str], Role | None]] = {
    "el": _judge_greek,
    "et": _judge_estonian,
    **dict.fromkeys(("cs", "pl", "sr", "ru"), _judge_slavic),
    **dict.fromkeys(_ORDERED, _judge_ordered),
}
