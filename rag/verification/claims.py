"""List the dates, numbers, names and quotations that a text claims, and look them up in a passage."""

import re
from calendar import day_name, month_name
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal

from rag.text.dates import PartialDate
from rag.text.folding import fold
from rag.text.lexicon import load_lexicon, load_lexicons
from rag.text.names import KOREAS, Name, find_entities, find_names, implied, is_among
from rag.text.vocabulary import NOTHING
from rag.verification.facts import Facts, Quantity, find_facts
from rag.verification.quotations import has_verbatim

Kind = Literal["number", "date", "name", "negation", "direction", "quotation", "meaning"]

NOUN = 4
"""Least letters of a word after a number that is taken for what it counts, and not for a preposition."""
FEW = 2
"""Number words up to this one, such as `both` and `two`, need no fact behind them."""

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Weekday:
    """A day of the week."""

    number: int
    """0 to 6, from Monday."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A country or another name that every language has its own word for."""

    name: str


@dataclass(frozen=True, slots=True)
class Quotation:
    """Words given as somebody's own."""

    text: str


Claim = PartialDate | Weekday | Quantity | Entity | Name | Quotation


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text with its facts and names, which are found without understanding it."""

    text: str
    language: str
    known: bool
    """True if the language has a table, without which number words and months are not seen."""
    facts: Facts
    names: tuple[Name, ...]
    entities: dict[str, list[tuple[int, int]]]
    year: int | None = None
    """The year of the article, which completes dates without one."""
    quotations: tuple[str, ...] = ()
    """Words that the text gives as somebody's own. Only statements have them."""


def parse(text: str, language: str, year: int | None = None) -> Parsed:
    """Find the facts and names of a text."""
    return Parsed(
        text=text,
        language=language,
        known=load_lexicon(language) is not None,
        facts=find_facts(text, language),
        names=tuple(find_names(text, language)),
        entities=find_entities(text, language),
        year=year,
    )


def list_claims(said: Parsed) -> Iterator[Claim]:
    """Yield what a passage must hold for the text to be true, dates and numbers first."""
    yield from said.facts.dates
    yield from map(Weekday, sorted(said.facts.weekdays))
    yield from (q for q in said.facts.quantities if q.unit or not q.in_words or max(q.values) > FEW)
    yield from map(Entity, said.entities)
    covered = [span for spans in said.entities.values() for span in spans]
    yield from (name for name in said.names if not any(start <= name.start < end for start, end in covered))
    yield from map(Quotation, said.quotations)


def classify(claim: Claim) -> Kind:
    """Return the kind of a claim, under which a verdict reports it."""
    match claim:
        case PartialDate() | Weekday():
            return "date"
        case Quantity():
            return "number"
        case Quotation():
            return "quotation"
        case _:
            return "name"


def describe(claim: Claim) -> str:
    """Return the claim in English, for a log."""
    match claim:
        case PartialDate():
            month = month_name[claim.month] if claim.month else None
            return f"the date {' '.join(str(part) for part in (claim.day, month, claim.year) if part)}"
        case Weekday():
            return day_name[claim.number]
        case Quantity():
            return f"the number {max(claim.values):,.15g}" + (f" ({claim.unit})" if claim.unit else "")
        case Entity():
            return name_entity(claim.name)
        case Name():
            return f"the name “{claim.text}”"
        case Quotation():
            return f"the quotation “{claim.text}”"


def name_entity(name: str) -> str:
    """Return an entity's name in English: `Japan` for `JP`."""
    from babel import Locale

    return str(Locale("en").territories.get(name, name))


def holds(passage: Parsed, claim: Claim) -> bool:
    """Return whether the passage has the date, number, name or quotation, whatever it says about it."""
    match claim:
        case PartialDate():
            dates = (date if date.year else replace(date, year=passage.year) for date in passage.facts.dates)
            return any(map(claim.covers, dates))
        case Weekday():
            return claim.number in passage.facts.weekdays
        case Quantity():
            return any(_count_alike(claim, other) for other in _list_equal(passage, claim))
        case Entity():
            named = implied(passage.entities)
            return claim.name in named or (claim.name == "Korea" and not named.isdisjoint(KOREAS))
        case Name():
            return is_among(claim.text, _list_spellings(passage)) or fold(claim.text) in _list_words(passage.text)
        case Quotation():
            return has_verbatim(passage.text, claim.text, passage.language)


def _list_equal(passage: Parsed, claim: Quantity) -> Iterable[Quantity]:
    """Yield the passage's numbers with the claim's value. Days and years of its dates count as numbers too."""
    yield from (other for other in passage.facts.quantities if other.values & claim.values)
    parts = {float(part) for date in passage.facts.dates for part in (date.day, date.year) if part}
    if claim.values & parts and not claim.in_words:
        yield Quantity(claim.values, None, None, claim.counted, 0, 0, in_words=False)


def _count_alike(claim: Quantity, other: Quantity) -> bool:
    """Return whether two equal numbers may count the same thing."""
    if claim.unit and claim.unit != other.unit:
        return False
    if not claim.unit and other.unit and claim.counted and len(claim.counted) >= NOUN:
        return False
    return claim.bound in (None, other.bound) or (claim.bound == "more" and other.bound is None)


@lru_cache(maxsize=64)
def _list_words(text: str) -> frozenset[str]:
    """Return all words, folded: a name of one text may be an ordinary word of another."""
    return frozenset(fold(word) for word in _WORD.findall(text))


def _list_spellings(passage: Parsed) -> tuple[str, ...]:
    adjectives = _compile_adjectives(passage.language).findall(passage.text)
    return tuple(dict.fromkeys([*(name.text for name in passage.names), *adjectives]))


@cache
def _compile_adjectives(language: str) -> re.Pattern[str]:
    letters = [re.escape(letters) for lexicon in load_lexicons(language) for letters in lexicon.adjectives]
    return re.compile(rf"[^\W\d_]*(?:{'|'.join(letters)})[^\W\d_]*") if letters else NOTHING
