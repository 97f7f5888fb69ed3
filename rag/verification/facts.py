"""Find dates, weekdays and numbers with units, which can be compared without understanding the text."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from rag.text.dates import PartialDate
from rag.text.lexicon import Word, load_common_lexicons, load_lexicon, load_lexicons, normalise, split_words
from rag.text.sentences import Span
from rag.text.vocabulary import Lexicon
from rag.verification.numerals import HUNDRED, Number, find_numbers

Bound = Literal["more", "less"]

YEARS = range(1900, 2100)
MAX_DAY, MONTHS = 31, 12
BEFORE = 60
"""Number of characters before a month, a year or a number that are searched for what belongs to it."""
BOUND_WORDS = 3
"""Number of words before a number that may make it a bound."""

_ISO = re.compile(r"(?<!\d)((?:19|20)\d\d)-(\d{2})(?:-(\d{2}))?(?!\d)")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})([./])[ \u00a0]?(\d{1,2})\2[ \u00a0]?(\d{4})(?!\d)")
_CJK = re.compile(r"((?:19|20)\d\d)\s?[年년](?:\s?(\d{1,2})\s?[月월](?:\s?(\d{1,2})\s?[日일])?)?")
_CURRENCY = re.compile(r"[$€£¥]\s?$")
_SYMBOL = re.compile(r"\s?([%‰$€£]|km\b)")
_SYMBOLS = {"%": "percent", "‰": "permille", "km": "kilometre"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit or what it counts."""

    values: frozenset[float]
    """Every value that the number may have."""
    unit: str | None
    bound: Bound | None
    """`more` if the number is exceeded, `less` if it is not reached, None if it is exact."""
    counted: str | None
    """The word after the number, if that is not a unit."""
    start: int
    end: int
    in_words: bool
    inclusive: bool = False
    """True if the bound includes the number itself."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The dates and numbers of a text."""

    dates: tuple[PartialDate, ...]
    weekdays: frozenset[int]
    """0 to 6, from Monday."""
    quantities: tuple[Quantity, ...]


@dataclass(frozen=True, slots=True)
class _DatePatterns:
    """Patterns for days, years and prepositions beside a month, as a language writes them."""

    days_before: re.Pattern[str]
    days_after: re.Pattern[str]
    year_after: re.Pattern[str]
    year_before: re.Pattern[str]
    preposition: re.Pattern[str]


def find_facts(text: str, language: str) -> Facts:
    """Return the facts in a text. If its language has no table, number words and most named months are not found."""
    lexicon = load_lexicon(language)
    words = split_words(text, language) if lexicon else []
    dated = find_dates(text, language)
    taken = [span for _, span in dated]
    numbers = [
        number
        for number in find_numbers(text, language)
        if not any(start <= number.start and number.end <= end for start, end in taken)
        and not (lexicon and _makes_percent(text, number, lexicon))
    ]
    return Facts(
        dates=tuple(dict.fromkeys(date for date, _ in dated)),
        weekdays=frozenset(_find_weekdays(words, lexicon)) if lexicon else frozenset(),
        quantities=tuple(_measure(text, numbers, words, lexicon, language)),
    )


def find_dates(text: str, language: str) -> list[tuple[PartialDate, Span]]:
    """Return the dates in a text with their offsets. The days of one month may share them: 18 and 19 October."""
    lexicon = load_lexicon(language)
    calendars = {known.language: known for known in (lexicon, *load_common_lexicons()) if known}
    dated = [*_find_numeric_dates(text, lexicon)]
    for known in calendars.values():
        dated += _find_named_dates(text, split_words(text, known.language), known)
    return dated


def _find_numeric_dates(text: str, lexicon: Lexicon | None) -> Iterator[tuple[PartialDate, Span]]:
    for match in _ISO.finditer(text):
        year, month, day = int(match[1]), int(match[2]), int(match[3]) if match[3] else None
        if month <= MONTHS and (day or 0) <= MAX_DAY:
            yield PartialDate(year, month, day), match.span()
    for match in _CJK.finditer(text):
        yield PartialDate(*(int(part) if part else None for part in match.groups())), match.span()
    month_first = lexicon is not None and lexicon.dates.month_first
    for match in _NUMERIC.finditer(text):
        day, month, year = int(match[1]), int(match[3]), int(match[4])
        if (month_first and match[2] == "/" and day <= MONTHS) or month > MONTHS:
            day, month = month, day
        if month <= MONTHS and day <= MAX_DAY:
            yield PartialDate(year, month, day), match.span()


def _find_named_dates(text: str, words: list[Word], lexicon: Lexicon) -> Iterator[tuple[PartialDate, Span]]:
    patterns = _compile_dates(lexicon)
    for word in words:
        month = lexicon.months.find(word.form)
        if month is None:
            continue
        near = max(0, word.start - BEFORE)
        before, after = patterns.days_before.search(text, near, word.start), None
        start, end = before.start() if before else word.start, word.end
        if not before and lexicon.dates.month_first:
            after = patterns.days_after.match(text, word.end)
            end = after.end() if after else end
        year = patterns.year_after.match(text, end)
        earlier = patterns.year_before.search(text, near, word.start)
        alone = not (before or after or year)
        if alone and word.form in lexicon.dates.ambiguous and not _follows_preposition(text, word, patterns):
            continue
        end = year.end() if year else end
        start = min(start, earlier.start()) if earlier else start
        said = year or earlier
        for day in _read_days(before or after):
            yield PartialDate(int(said[1]) if said else None, int(month), day), (start, end)


@cache
def _compile_dates(lexicon: Lexicon) -> _DatePatterns:
    dates = lexicon.dates
    day = rf"(?<!\d)\d{{1,2}}(?:\.|{_join(dates.ordinals)})?(?!\d)"
    between = rf"[\s,–-]*(?:{_join(dates.between_days)})?[\s–-]*"
    space, year = r"[\s\u00a0]*", r"((?:19|20)\d\d)"
    return _DatePatterns(
        days_before=re.compile(rf"(?:{day}{between})*{day}{space}(?:{_join(dates.day_to_month)})?{space}$"),
        days_after=re.compile(rf"\s+{day}(?:{between}{day})*"),
        year_after=re.compile(rf"[\s,.]*(?:{_join(dates.month_to_year)})?{space}{year}(?!\d)"),
        year_before=re.compile(rf"{year}\.?\s+(?:{_join(dates.year_to_month)})\s+(?:[0-9. ]*)$"),
        preposition=re.compile(rf"\b(?:{_join(dates.before_month)})\s$"),
    )


def _join(words: Iterable[str]) -> str:
    """Return the words as alternatives of a regular expression, which never matches if there are none."""
    return "|".join(map(re.escape, words)) or "(?!)"


def _follows_preposition(text: str, word: Word, patterns: _DatePatterns) -> bool:
    before = text[max(0, word.start - BEFORE) : word.start]
    return word.text[0].isupper() and patterns.preposition.search(before) is not None


def _read_days(match: re.Match[str] | None) -> list[int | None]:
    days = [int(digits) for digits in re.findall(r"\d+", match.group())] if match else []
    return [day for day in days if 0 < day <= MAX_DAY] or [None]


def _find_weekdays(words: list[Word], lexicon: Lexicon) -> Iterator[int]:
    for word in words:
        day = lexicon.weekdays.find(word.form)
        # A word may mean both Sunday and week.
        if day is None or word.form in lexicon.units:
            continue
        if word.text[0].isupper() or not lexicon.dates.capital_weekdays:
            yield int(day)


def _makes_percent(text: str, number: Number, lexicon: Lexicon) -> bool:
    """Return whether a hundred is part of a percentage, as in `pour cent`, and not a number of its own."""
    return HUNDRED in number.values and _compile_percent(lexicon).search(text, 0, number.start) is not None


@cache
def _compile_percent(lexicon: Lexicon) -> re.Pattern[str]:
    return re.compile(rf"(?:{_join(lexicon.numbers.per)})\s+$", re.IGNORECASE)


def _measure(
    text: str, numbers: list[Number], words: list[Word], lexicon: Lexicon | None, language: str
) -> Iterator[Quantity]:
    unit: str | None = None
    counted: str | None = None
    quantities = []
    between = _compile_range(language)
    for place, number in reversed(list(enumerate(numbers))):
        following = numbers[place + 1] if place + 1 < len(numbers) else None
        # In `four to five hours` only the last number has the unit beside it.
        if not (following and between.fullmatch(text, number.end, following.start)):
            unit, counted = _find_unit(text, number, words, lexicon)
        bound, inclusive = _find_bound(words, number, lexicon) if lexicon else (None, False)
        quantities.append(
            Quantity(number.values, unit, bound, counted, number.start, number.end, number.in_words, inclusive)
        )
    yield from reversed(quantities)


@cache
def _compile_range(language: str) -> re.Pattern[str]:
    words = dict.fromkeys(word for lexicon in load_lexicons(language) for word in lexicon.numbers.ranges)
    return re.compile(rf"[\s–-]*(?:{_join(words)})?[\s–-]*")


def _find_unit(text: str, number: Number, words: list[Word], lexicon: Lexicon | None) -> tuple[str | None, str | None]:
    """Return the unit of a number, and what it counts if it has no unit."""
    symbol = _SYMBOL.match(text, number.end)
    if symbol:
        return _SYMBOLS.get(symbol[1], "money"), None
    if _CURRENCY.search(text, max(0, number.start - BEFORE), number.start):
        return "money", None
    if lexicon is None:
        return None, None
    place = bisect_left(words, number.end, key=lambda word: word.start)
    following = words[place : place + 2]
    if len(following) > 1 and following[0].form in lexicon.numbers.of:
        following = following[1:]
    word = following[0] if following else None
    if word is None or not _compile_beside(lexicon).fullmatch(text, number.end, word.start):
        return None, None
    # A preposition may be elided before a unit: d'euros.
    unit = lexicon.units.find(word.form.rpartition("'")[2])
    if unit == "year" and any(value in YEARS for value in number.values):
        return None, None
    return (unit, None) if unit else (None, word.form)


@cache
def _compile_beside(lexicon: Lexicon) -> re.Pattern[str]:
    return re.compile(rf"[\s.-]*(?:(?:{_join(lexicon.numbers.of)})\s+)?")


def _find_bound(words: list[Word], number: Number, lexicon: Lexicon) -> tuple[Bound | None, bool]:
    """Return the bound that the words before a number express, and whether it includes the number itself."""
    place = bisect_right(words, number.start, key=lambda word: word.end)
    before = "".join(f" {word.form}" for word in words[max(0, place - BOUND_WORDS) : place])
    phrases = [phrase for phrase in _list_bounds(lexicon) if before.endswith(f" {phrase[0]}")]
    # The longest phrase wins: `not more than` over `more than`.
    _, bound, inclusive = max(phrases, key=lambda phrase: len(phrase[0]), default=("", None, False))
    return bound, inclusive


@cache
def _list_bounds(lexicon: Lexicon) -> list[tuple[str, Bound, bool]]:
    """Return each phrase that makes a number a bound, normalised, with the bound and whether it is inclusive."""
    sides: tuple[tuple[Bound, tuple[str, ...]], ...] = (("less", lexicon.less), ("more", lexicon.more))
    return [
        (normalise(phrase, lexicon.language), bound, phrase in lexicon.inclusive)
        for bound, phrases in sides
        for phrase in phrases
    ]
