"""Write the answering words of an article in the language of the question, without a model.

Only what can be recognised for certain is written: dates, times of day, numbers with their units, and countries. Other
words have no short form, as they would have to be translated.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.text.folding import fold
from rag.text.language import Language
from rag.text.lexicon import Word, load_lexicon, split_words
from rag.text.localised import (
    find_locale,
    is_ascending,
    write_country,
    write_dates,
    write_number,
    write_time,
    write_weekday,
)
from rag.text.names import find_entities, share_stem
from rag.text.scripts import script_of
from rag.text.sentences import Span
from rag.verification.facts import YEARS, Quantity, find_dates, find_facts
from rag.verification.sought import Sought, find_sought

SIGNS = {("more", False): ">", ("more", True): "≥", ("less", False): "<", ("less", True): "≤"}
ABOUT = "≈"
"""The signs that replace words where these would have to be inflected."""
NEAR_WORDS = 2
"""Number of words before a number that may say that it is not exact."""
CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP"}

_CLOCK = re.compile(r"(?<![\d:.])([01]?\d|2[0-3]):([0-5]\d)(?![\d:])")
_DASH = re.compile(r"\d\.?\s*[–-]\s*\d")
_SYMBOL = re.compile("[$€£]")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Marked:
    """The answering words of a sentence, at `sentence[start:end]`."""

    sentence: str
    language: str
    start: int
    end: int

    @property
    def text(self) -> str:
        """The words themselves."""
        return self.sentence[self.start : self.end]

    def holds(self, span: Span) -> bool:
        """Return whether the words overlap a span of the sentence."""
        return span[0] < self.end and self.start < span[1]


def write_short_form(marked: Marked, question: str, asked: Language) -> str | None:
    """Return the marked words in the language and script of the question, or None if they have no short form."""
    sought = find_sought(question, asked.code)
    if sought != "number" and (when := _write_when(marked, asked, sought)):
        return when
    if sought != "time" and (number := _write_quantity(marked, asked, sought)):
        return number
    return _write_country(marked, asked) if sought is None else None


def _write_when(marked: Marked, asked: Language, sought: Sought | None) -> str | None:
    """Return the only date, range of dates, weekday, year or time of day in the marked words."""
    locale = find_locale(asked)
    dated = [(day, span) for day, span in find_dates(marked.sentence, marked.language) if marked.holds(span)]
    clocks = [match for match in _CLOCK.finditer(marked.sentence) if marked.holds(match.span())]
    spans = [*dict.fromkeys(span for _, span in dated), *(match.span() for match in clocks)]
    years = [*_find_years(marked)] if not spans else []
    spans += [(year.start, year.end) for year in years]
    weekdays = sorted(find_facts(marked.text, marked.language).weekdays) if not spans else []
    if locale is None or (sought is None and not weekdays and not _is_bare(marked, spans)):
        return None
    days = [day for day, _ in dated]
    parts: list[str | None] = []
    if days:
        is_range = is_ascending(days) and _DASH.search(marked.sentence, *spans[0]) is not None
        parts.append(write_dates(days, locale, is_range))
    parts += [write_time(int(match[1]), int(match[2]), locale) for match in clocks]
    parts += [f"{max(year.values):.0f}" for year in years]
    parts += [write_weekday(day, locale) for day in weekdays if len(marked.text.split()) <= NEAR_WORDS]
    several = len(set(spans) - {match.span() for match in clocks}) > 1 or len(clocks) > 1 or len(weekdays) > 1
    return None if several or not parts or None in parts else ", ".join(filter(None, parts))


def _find_years(marked: Marked) -> Iterator[Quantity]:
    for quantity in find_facts(marked.sentence, marked.language).quantities:
        span = (quantity.start, quantity.end)
        plain = re.fullmatch(r"\d{4}", marked.sentence[slice(*span)]) and not quantity.unit
        if plain and marked.holds(span) and max(quantity.values) in YEARS:
            yield quantity


def _write_quantity(marked: Marked, asked: Language, sought: Sought | None) -> str | None:
    """Return the only number, or the only range of numbers, in the marked words."""
    found = find_facts(marked.sentence, marked.language).quantities
    held = [quantity for quantity in found if marked.holds((quantity.start, quantity.end))]
    if not held or any(len(quantity.values) > 1 or _is_article(quantity) for quantity in held):
        return None
    spans = [(held[0].start, held[-1].end)]
    is_range = len(held) == 2 and _is_range(marked, held[0].start, held[1].end)
    if len(held) > 1 + is_range or (sought is None and not _is_bare(marked, spans, held[-1])):
        return None
    last = _write_exact(marked, held[-1], asked)
    if last is None or not is_range:
        return last and _write_bound(marked, held[0], last, asked)
    plain = [_write_plain(quantity, asked) for quantity in held]
    return last.replace(plain[1], f"{plain[0]}–{plain[1]}", 1) if plain[0] and plain[1] in last else None


def _is_article(quantity: Quantity) -> bool:
    """Return whether a number word may be an article, as `ein` is."""
    return quantity.in_words and max(quantity.values) <= 1


def _write_plain(quantity: Quantity, asked: Language) -> str:
    locale = find_locale(asked)
    return (locale and write_number(max(quantity.values), locale)) or ""


def _write_exact(marked: Marked, quantity: Quantity, asked: Language) -> str | None:
    """Return a number with its unit, but without what it counts."""
    locale = find_locale(asked)
    if locale is None:
        return None
    value = max(quantity.values)
    if quantity.unit != "money":
        return write_number(value, locale, quantity.unit)
    beside = marked.sentence[max(0, quantity.start - 2) : quantity.start] + marked.sentence[quantity.end :][:2]
    symbol = _SYMBOL.search(beside)
    return write_number(value, locale, currency=CURRENCIES[symbol.group()]) if symbol else None


def _write_bound(marked: Marked, quantity: Quantity, written: str, asked: Language) -> str:
    """Return a number with the bound that the article gives, or with a sign that it is not exact."""
    lexicon = load_lexicon(asked.code)
    if quantity.bound:
        phrases = (lexicon.more if quantity.bound == "more" else lexicon.less) if lexicon else ()
        same = (phrase for phrase in phrases if lexicon and (phrase in lexicon.inclusive) == quantity.inclusive)
        phrase = next(same, None)
        if phrase and lexicon and lexicon.adds_bounds and script_of(phrase) == asked.script:
            return f"{phrase} {written}"
        return f"{SIGNS[quantity.bound, quantity.inclusive]} {written}"
    origin = load_lexicon(marked.language)
    before = split_words(marked.sentence[: quantity.start], marked.language)[-NEAR_WORDS:]
    return f"{ABOUT} {written}" if origin and any(word.form in origin.near for word in before) else written


def _write_country(marked: Marked, asked: Language) -> str | None:
    """Return the name of the country that the marked words consist of."""
    locale, home = find_locale(asked), find_locale(Language(marked.language, script_of(marked.text)))
    entities = find_entities(marked.text, marked.language)
    if locale is None or home is None or len(entities) != 1:
        return None
    ((code, spans),) = entities.items()
    whole = Marked(marked.text, marked.language, 0, len(marked.text))
    named = marked.text[spans[0][0] : spans[0][1]]
    own = write_country(code, home)
    if own is None or len(spans) > 1 or not _is_bare(whole, spans):
        return None
    return write_country(code, locale) if named.isupper() or _is_form(named, own, marked.language) else None


def _is_form(named: str, own: str, language: str) -> bool:
    """Return whether words are a case of a country's name, and not its people or its adjective."""
    lexicon = load_lexicon(language)
    pairs = [*zip(_WORD.findall(fold(named)), _WORD.findall(fold(own)), strict=False)]
    if len(_WORD.findall(named)) != len(_WORD.findall(own)) or not named[:1].isupper():
        return False
    if all(left == right for left, right in pairs):
        return True
    if lexicon is None or lexicon.roles.kind != "endings":
        return False
    country = lexicon.roles.country
    name = " ".join(word.form for word in split_words(named, language))
    is_noun = country.agent.search(name) or country.other.search(name)
    return is_noun is not None and all(share_stem(left, right) for left, right in pairs)


def _is_range(marked: Marked, start: int, end: int) -> bool:
    """Return whether the numbers in a part of the sentence are the two ends of a range."""
    part = marked.sentence[start:end]
    lexicon = load_lexicon(marked.language)
    words = {word.form for word in split_words(part, marked.language)}
    return _DASH.search(part) is not None or (lexicon is not None and not words.isdisjoint(lexicon.numbers.ranges))


def _is_bare(marked: Marked, spans: Sequence[Span], quantity: Quantity | None = None) -> bool:
    """Return whether the marked words are nothing but these spans, prepositions, and words about the number."""
    lexicon = load_lexicon(marked.language)
    rest = [
        word
        for word in split_words(marked.sentence, marked.language)
        if marked.holds((word.start, word.end)) and not any(start <= word.start < end for start, end in spans)
    ]
    if lexicon is None:
        return bool(spans) and not rest
    bounds = {part for phrase in (*lexicon.more, *lexicon.less) for part in phrase.split()}

    def is_beside(word: Word) -> bool:
        counts = quantity is not None and quantity.unit is not None and word.form in lexicon.units
        return counts or word.form in lexicon.near or word.form in bounds or lexicon.is_preposition(word.form)

    return bool(spans) and all(map(is_beside, rest))
