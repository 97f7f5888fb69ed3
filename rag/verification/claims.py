"""What a text claims in dates, numbers, names and quotations, and whether a passage holds it."""

import re
from calendar import day_name
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from rag.text.dates import PartialDate
from rag.text.folding import fold
from rag.text.lexicon import load_lexicon
from rag.text.names import KOREAS, Name, find_entities, find_names, implied, is_among
from rag.verification.facts import Facts, Quantity, find_facts
from rag.verification.quotations import has_verbatim

Kind = Literal["number", "date", "name", "negation", "direction", "quotation", "meaning"]

NOUN = 4
"""Letters from which on the word after a number is taken for what it counts, not for a preposition."""
FEW = 2
"""Up to this number a word such as `both` or `two` says it without a fact behind it."""

_WORD = re.compile(r"[^\W\d_]+")
# Slavic adjectives of places have a small letter: kurskiego is of Kursk.
_ADJECTIVE = re.compile(r"[^\W\d_]*(?:sk|ск)[^\W\d_]*")


@dataclass(frozen=True, slots=True)
class Weekday:
    """A day of the week, from 0, Monday."""

    number: int


@dataclass(frozen=True, slots=True)
class Entity:
    """A country or another name that each language has a word of its own for."""

    name: str


@dataclass(frozen=True, slots=True)
class Quotation:
    """Words given as somebody's own."""

    text: str


Claim = PartialDate | Weekday | Quantity | Entity | Name | Quotation


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text and what can be read off it without understanding it."""

    text: str
    language: str
    known: bool
    """Whether there is a lexicon of its language, without which words for numbers and months are not seen."""
    facts: Facts
    names: tuple[Name, ...]
    entities: dict[str, list[tuple[int, int]]]
    year: int | None = None
    """That of the article, for a date in the text that has none."""
    quotations: tuple[str, ...] = ()
    """What it gives as somebody's own words, where that is asked of it."""


def parse(text: str, language: str, year: int | None = None) -> Parsed:
    """Read the facts and names off a text."""
    return Parsed(
        text=text,
        language=language,
        known=load_lexicon(language) is not None,
        facts=find_facts(text, language),
        names=tuple(find_names(text, language)),
        entities=find_entities(text, language),
        year=year,
    )


def claims_of(said: Parsed) -> Iterator[Claim]:
    """What a passage must hold for the text to be true, dates and numbers first."""
    yield from said.facts.dates
    yield from map(Weekday, sorted(said.facts.weekdays))
    yield from (q for q in said.facts.quantities if q.unit or not q.in_words or max(q.values) > FEW)
    yield from map(Entity, said.entities)
    covered = [span for spans in said.entities.values() for span in spans]
    yield from (name for name in said.names if not any(start <= name.start < end for start, end in covered))
    yield from map(Quotation, said.quotations)


def kind_of(claim: Claim) -> Kind:
    """What it would be called if it were wrong."""
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
    """The claim in English, for a log."""
    match claim:
        case PartialDate():
            known = (("day", claim.day), ("month", claim.month), ("year", claim.year))
            return "the date " + ", ".join(f"{part} {value}" for part, value in known if value)
        case Weekday():
            return day_name[claim.number]
        case Quantity():
            return f"the number {max(claim.values):,.15g}" + (f" ({claim.unit})" if claim.unit else "")
        case Entity():
            return f"the name {claim.name}"
        case Name():
            return f"the name “{claim.text}”"
        case Quotation():
            return f"the quotation “{claim.text}”"


def holds(passage: Parsed, claim: Claim) -> bool:
    """Whether the passage has the date, number, name or quotation, whatever it says of it."""
    match claim:
        case PartialDate():
            dates = (date if date.year else replace(date, year=passage.year) for date in passage.facts.dates)
            return any(map(claim.covers, dates))
        case Weekday():
            return claim.number in passage.facts.weekdays
        case Quantity():
            return any(_count_alike(claim, other) for other in _quantities(passage, claim))
        case Entity():
            named = implied(passage.entities)
            return claim.name in named or (claim.name == "Korea" and not named.isdisjoint(KOREAS))
        case Name():
            return is_among(claim.text, _spellings(passage)) or fold(claim.text) in _words(passage.text)
        case Quotation():
            return has_verbatim(passage.text, claim.text)


def _quantities(passage: Parsed, claim: Quantity) -> Iterable[Quantity]:
    """Those of the passage that have the claim's value; days and years of its dates count where it has no unit."""
    yield from (other for other in passage.facts.quantities if other.values & claim.values)
    parts = {float(part) for date in passage.facts.dates for part in (date.day, date.year) if part}
    if claim.values & parts and not claim.in_words:
        yield Quantity(claim.values, None, None, claim.counted, 0, 0, in_words=False)


def _count_alike(claim: Quantity, other: Quantity) -> bool:
    """Whether two equal numbers can be of the same thing."""
    if claim.unit and claim.unit != other.unit:
        return False
    if not claim.unit and other.unit and claim.counted and len(claim.counted) >= NOUN:
        return False
    return claim.bound in (None, other.bound) or (claim.bound == "more" and other.bound is None)


@lru_cache(maxsize=64)
def _words(text: str) -> frozenset[str]:
    """All words: one text may write with a small letter what the other begins with a capital."""
    return frozenset(fold(word) for word in _WORD.findall(text))


def _spellings(passage: Parsed) -> tuple[str, ...]:
    adjectives = _ADJECTIVE.findall(passage.text)
    return tuple(dict.fromkeys([*(name.text for name in passage.names), *adjectives]))
