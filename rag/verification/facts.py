"""The facts of a text that can be compared without understanding it: dates, days of the week, numbers with units."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rag.text.dates import PartialDate
from rag.text.lexicon import Lexicon, Word, load_lexicon, split_words
from rag.verification.numerals import HUNDRED, Number, find_numbers

Bound = Literal["more", "less"]

YEARS = range(1900, 2100)
MAX_DAY, MONTHS = 31, 12
BEFORE = 60
"""Characters before a month, a year or a number in which what belongs to it is looked for."""

_ISO = re.compile(r"(?<!\d)((?:19|20)\d\d)-(\d{2})(?:-(\d{2}))?(?!\d)")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})([./])[ \u00a0]?(\d{1,2})\2[ \u00a0]?(\d{4})(?!\d)")
_CJK = re.compile(r"((?:19|20)\d\d)\s?[年년](?:\s?(\d{1,2})\s?[月월](?:\s?(\d{1,2})\s?[日일])?)?")
_DAY = r"(?<!\d)\d{1,2}(?:\.|st|nd|rd|th|η|ης|er|º|-го)?(?!\d)"
_BETWEEN = r"[\s,–-]*(?:a|and|to|και|έως|ως|με|ja|kuni|i|и|и|до|do|až|und|bis|et|au|y|al)?[\s–-]*"
_DAYS_BEFORE = re.compile(rf"(?:{_DAY}{_BETWEEN})*{_DAY}[\s\u00a0]*(?:de|of|of the)?[\s\u00a0]*$")
_DAYS_AFTER = re.compile(rf"\s+{_DAY}(?:{_BETWEEN}{_DAY})*")
_YEAR_AFTER = re.compile(r"[\s,.]*(?:του|de|del|of|roku|w)?[\s\u00a0]*((?:19|20)\d\d)(?!\d)")
_YEAR_BEFORE = re.compile(r"((?:19|20)\d\d)\.?\s+(?:a\.|aasta)\s+(?:[0-9. ]*)$")
_OF = ("de", "of")
_BESIDE = re.compile(r"[\s.-]*(?:(?:de|of)\s+)?")
_CURRENCY = re.compile(r"[$€£¥]\s?$")
_SYMBOL = re.compile(r"\s?([%‰$€£]|km\b)")
_SYMBOLS = {"%": "percent", "‰": "permille", "km": "kilometre"}
_RANGE = re.compile(r"[\s–-]*(?:to|or|až|nebo|do|lub|kuni|või|έως|ή|до|или|ili|bis|oder|à|ou|a|o)?[\s–-]*")
_PERCENT_WORDS = re.compile(r"(?:τοις|pour|por)\s+$", re.IGNORECASE)
_AMBIGUOUS_MONTHS = {"may", "march", "mars", "mai"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, what it counts, and whether it is exceeded."""

    values: frozenset[float]
    """All that the digits may mean."""
    unit: str | None
    bound: Bound | None
    counted: str | None
    """The word after the number, when that is no unit: what there are so many of."""
    start: int
    end: int
    in_words: bool
    inclusive: bool = False
    """Whether the number itself is within the bound."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text says in dates and numbers."""

    dates: tuple[PartialDate, ...]
    weekdays: frozenset[int]
    """From 0, Monday."""
    quantities: tuple[Quantity, ...]


def find_facts(text: str, language: str) -> Facts:
    """The facts of `text`. Where there is no lexicon of the language: digits and numeric dates alone."""
    lexicon = load_lexicon(language)
    words = split_words(text, language) if lexicon else []
    # English dates stand in posts and quotes within articles of any language.
    calendars = {known.language: known for known in (lexicon, load_lexicon("en")) if known}
    dated = [*_find_numeric_dates(text, language)]
    for known in calendars.values():
        dated += _find_named_dates(text, split_words(text, known.language), known)
    taken = [span for _, span in dated]
    numbers = [
        number
        for number in find_numbers(text, language)
        if not any(start <= number.start and number.end <= end for start, end in taken)
        and not (HUNDRED in number.values and _PERCENT_WORDS.search(text, 0, number.start))
    ]
    return Facts(
        dates=tuple(dict.fromkeys(date for date, _ in dated)),
        weekdays=frozenset(_find_weekdays(words, lexicon)) if lexicon else frozenset(),
        quantities=tuple(_measure(text, numbers, words, lexicon)),
    )


def _find_numeric_dates(text: str, language: str) -> Iterator[tuple[PartialDate, tuple[int, int]]]:
    for match in _ISO.finditer(text):
        year, month, day = int(match[1]), int(match[2]), int(match[3]) if match[3] else None
        if month <= MONTHS and (day or 0) <= MAX_DAY:
            yield PartialDate(year, month, day), match.span()
    for match in _CJK.finditer(text):
        yield PartialDate(*(int(part) if part else None for part in match.groups())), match.span()
    for match in _NUMERIC.finditer(text):
        day, month, year = int(match[1]), int(match[3]), int(match[4])
        # Slashes stand the American way round in English.
        if (language == "en" and match[2] == "/" and day <= MONTHS) or month > MONTHS:
            day, month = month, day
        if month <= MONTHS and day <= MAX_DAY:
            yield PartialDate(year, month, day), match.span()


def _find_named_dates(text: str, words: list[Word], lexicon: Lexicon) -> Iterator[tuple[PartialDate, tuple[int, int]]]:
    for word in words:
        month = lexicon.months.find(word.form)
        if month is None:
            continue
        near = max(0, word.start - BEFORE)
        before, after = _DAYS_BEFORE.search(text, near, word.start), None
        start, end = before.start() if before else word.start, word.end
        if not before and lexicon.language == "en":
            after = _DAYS_AFTER.match(text, word.end)
            end = after.end() if after else end
        year = _YEAR_AFTER.match(text, end)
        earlier = _YEAR_BEFORE.search(text, near, word.start)
        if word.form in _AMBIGUOUS_MONTHS and not (before or after or year or _follows_preposition(text, word)):
            continue
        end = year.end() if year else end
        start = min(start, earlier.start()) if earlier else start
        said = year or earlier
        for day in _read_days(before or after):
            yield PartialDate(int(said[1]) if said else None, int(month), day), (start, end)


def _follows_preposition(text: str, word: Word) -> bool:
    before = text[max(0, word.start - BEFORE) : word.start]
    return word.text[0].isupper() and re.search(r"\b(?:in|of|since|until|by|en|im|seit|bis)\s$", before) is not None


def _read_days(match: re.Match[str] | None) -> list[int | None]:
    days = [int(digits) for digits in re.findall(r"\d+", match.group())] if match else []
    return [day for day in days if 0 < day <= MAX_DAY] or [None]


def _find_weekdays(words: list[Word], lexicon: Lexicon) -> Iterator[int]:
    for word in words:
        day = lexicon.weekdays.find(word.form)
        # Serbian has one word for Sunday and week, Greek one for Tuesday and third.
        if day is not None and word.form not in lexicon.units and (lexicon.language != "el" or word.text[0].isupper()):
            yield int(day)


def _measure(text: str, numbers: list[Number], words: list[Word], lexicon: Lexicon | None) -> Iterator[Quantity]:
    unit: str | None = None
    counted: str | None = None
    quantities = []
    for place, number in reversed(list(enumerate(numbers))):
        following = numbers[place + 1] if place + 1 < len(numbers) else None
        # In `four to five hours` the unit is said once.
        if not (following and _RANGE.fullmatch(text, number.end, following.start)):
            unit, counted = _find_unit(text, number, words, lexicon)
        bound, inclusive = _find_bound(words, number, lexicon) if lexicon else (None, False)
        quantities.append(
            Quantity(number.values, unit, bound, counted, number.start, number.end, number.in_words, inclusive)
        )
    yield from reversed(quantities)


def _find_unit(text: str, number: Number, words: list[Word], lexicon: Lexicon | None) -> tuple[str | None, str | None]:
    """The unit of a number, and what it counts if that is no unit."""
    symbol = _SYMBOL.match(text, number.end)
    if symbol:
        return _SYMBOLS.get(symbol[1], "money"), None
    if _CURRENCY.search(text, max(0, number.start - BEFORE), number.start):
        return "money", None
    place = bisect_left(words, number.end, key=lambda word: word.start)
    following = words[place : place + 2]
    if len(following) > 1 and following[0].form in _OF:
        following = following[1:]
    word = following[0] if following else None
    if lexicon is None or word is None or not _BESIDE.fullmatch(text, number.end, word.start):
        return None, None
    # French elides: d'euros.
    unit = lexicon.units.find(word.form.rpartition("'")[2])
    if unit == "year" and any(value in YEARS for value in number.values):
        return None, None
    return (unit, None) if unit else (None, word.form)


def _find_bound(words: list[Word], number: Number, lexicon: Lexicon) -> tuple[Bound | None, bool]:
    """The bound that a number is, and whether the number itself is within it."""
    place = bisect_right(words, number.start, key=lambda word: word.end)
    before = " ".join(word.form for word in words[max(0, place - 3) : place])
    bound: Bound | None = "less" if before.endswith(lexicon.less) else "more" if before.endswith(lexicon.more) else None
    return bound, before.endswith(lexicon.inclusive)
