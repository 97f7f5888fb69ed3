"""Read the period that a question names, such as "in October 2023" or "before 2020".

The words come from `data/periods.toml` and the names of the months from CLDR. A wrong period does more harm than none.
So a number counts as a year only where the words around it say so, and two dates form a period only where a word or a
dash joins them. dateparser knows neither periods nor most case endings.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from rag.text.dates import PartialDate

WORDS = Path(__file__).parent / "data" / "periods.toml"
RELATIONS = ("before", "after", "since", "until", "between", "for")
SMALL = (*RELATIONS, "lead", "in", "to", "and", "next")
"""Kinds of words in the table that may follow a year."""
PARTS = (*RELATIONS, "lead", "in", "of", "to", "years", "edge")
"""Kinds of words in the table that relate a date or belong to one."""
OPEN = ("before", "after", "since", "since_after", "until", "until_after")
"""The groups of the expression that make a date the end of a period whose other end is open."""
BEHIND = ("to", "trail", "since_after", "until_after", "between_after")
"""Kinds of words in the table that may be joined to the word before them."""

_APART = r"(?<![\w.,:/#+\-])"
"""Matches before a number that is not part of a longer number, a word or a telephone number."""
YEAR = r"(?:19|20)\d\d"
"""The pattern of a year."""
_AFTER_YEAR = r"(?!\w|[.,:/\-]\w|[ ]\d|[ ]?%|[ ](?:[ck]?m[23]?|kg|[kMGT]Wh?|TEU|EUR|euros?|USD)(?!\w))"
_WHOLE_YEAR = rf"{_APART}(?<!\d[ ]){YEAR}{_AFTER_YEAR}"
_ISO = rf"{_APART}{YEAR}-\d\d(?:-\d\d)?(?![\w\-]|[.,:/]\w)"
_NUMBERS = rf"{_APART}\d{{1,2}}(?:\.[ ]?\d{{1,2}}\.[ ]?|/\d{{1,2}}/|-\d{{1,2}}-){YEAR}(?!\w|[.,:/\-]\w|[ ]?%)"
_LONG = 6
"""The number of letters from which a word is surely a month. Shorter names are often other words too: May, march, září
(shines)."""


@dataclass(frozen=True, slots=True)
class Period:
    """A period of time that includes both its ends. An end that is None is open."""

    since: PartialDate | None
    until: PartialDate | None

    def covers(self, date: PartialDate) -> bool:
        """Return whether the period and the date have a day in common."""
        begun = self.since is None or self.since.first_day <= date.last_day
        return begun and (self.until is None or date.first_day <= self.until.last_day)


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of one language, folded and compiled."""

    months: dict[str, int]
    """The numbers of the months by each of their forms."""
    month: re.Pattern[str]
    expression: re.Pattern[str]
    """One or two dates with the words that relate them."""
    part: re.Pattern[str]
    """A word that relates a date or belongs to one."""
    next: re.Pattern[str]
    """Text that may follow a number that is a year."""
    nouns_are_capitalised: bool
    month_may_be_first: bool
    """True where 10/11/2023 may be the eleventh of October."""


def find_period(question: str, language: str, of_articles: bool = False) -> Period | None:
    """Return the period that `question` names. `language` is an ISO 639-1 code.

    If the question asks for articles of a period, `of_articles`, a year that something is for or about counts too.

    Returns None if the question names no period or more than one, if the period is uncertain, or if the table lacks
    the language.
    """
    words = _load(language)
    if words is None:
        return None
    matches = words.expression.finditer(_prepare(question, words))
    found = {_read_expression(match, words, of_articles) for match in matches if re.search(YEAR, match[0])}
    if len(found) == 2 and None not in found:
        # The question may say "after" one date and "before" another in two places.
        opening, closing = sorted(filter(None, found), key=lambda period: period.since is None)
        return None if opening.until or closing.since else _join(opening.since, closing.until)
    return found.pop() if len(found) == 1 else None


def find_open_ends(question: str, language: str) -> tuple[PartialDate, ...] | None:
    """Return the dates that only end a period, as in “before 2023”, or None if the table lacks the language."""
    words = _load(language)
    if words is None:
        return None
    matches = words.expression.finditer(_prepare(question, words))
    ends = (match for match in matches if not match["last"] and any(match[group] for group in OPEN))
    return tuple(_read_date(match["first"], words) for match in ends)


def is_date_word(word: str, language: str) -> bool:
    """Return whether a word may be part of a period: a number, a month, or a word of the table for that language."""
    words, plain = _load(language), _to_ascii(word)
    return plain[:1].isdigit() or bool(words and (words.month.fullmatch(plain) or words.part.fullmatch(plain)))


def _prepare(question: str, words: _Words) -> str:
    """Return the question in ASCII with its case kept, single spaces, and spaces around a hyphen between two dates."""
    text = re.sub(r"\s*[–—−]\s*", " - ", question)
    text = " ".join(_to_ascii(text).split())
    month = words.month.pattern
    before = rf"{_APART}({YEAR}|\d{{1,2}}\.?|{month})"
    behind = rf"{YEAR}(?![\w\-])|(?:\d{{1,2}}\.?[ ])?{month}(?!\w)"
    return re.sub(rf"{before}-(?={behind})", r"\1 - ", text, flags=re.IGNORECASE)


def _to_ascii(text: str) -> str:
    """Return `text` in ASCII with its case kept and elided words separated.

    The soft sign is dropped first, since transliteration would turn it into an apostrophe as well.
    """
    from anyascii import anyascii

    return anyascii(re.sub("[ьЬъЪ]", "", text)).replace("'", " ").strip()


def _read_expression(match: re.Match[str], words: _Words, of_articles: bool) -> Period | None:
    """Return the period that was matched, or None if it is uncertain."""
    if match["doubled"] or (match["for"] and not of_articles) or not _is_time(match, words):
        return None
    first = _read_date(match["first"], words)
    if match["last"]:
        return _read_range(match, first, _read_date(match["last"], words))
    outside = match["before"] or match["after"]
    # "Before the end of 2023" does not mean before 2023.
    if not _exists(first) or (outside and (match["edge"] or match["late"])):
        return None
    if outside:
        return Period(None, first.find_previous()) if match["before"] else Period(first.find_next(), None)
    if match["since"] or match["since_after"]:
        return Period(first, None)
    return Period(None if match["until"] or match["until_after"] else first, first)


def _read_range(match: re.Match[str], first: PartialDate, last: PartialDate) -> Period | None:
    """Return the period between two dates. Each date takes the parts that it lacks from the other."""
    between = match["between"] or match["between_after"]
    if match["before"] or match["after"] or (match["and"] and not between):
        return None
    if not first.year and last.month:
        # "From 10 to 12 October 2023", "from October to December 2023".
        first = replace(first, year=last.year, month=first.month or last.month)
    elif not last.year and first.month:
        last = replace(last, year=first.year)
    return _join(first, last) if _exists(first) and _exists(last) else None


def _join(since: PartialDate | None, until: PartialDate | None) -> Period | None:
    return Period(since, until) if since and until and since.first_day <= until.last_day else None


def _is_time(match: re.Match[str], words: _Words) -> bool:
    """Return whether the match is a time, rather than a count or, for example, a flight number."""
    dates = [date for date in (match["first"], match["last"]) if date]
    if not all(re.fullmatch(r"\d+", date) for date in dates):
        return True
    if match["years"]:
        return bool(match["last"])
    if any(match[group] for group in ("edge", "years_after", "since_after", "until_after")):
        return True
    after_verb = words.nouns_are_capitalised and re.search(r"(?<!\S)[a-z]+ $", match.string[: match.start()])
    introduced = match["last"] or match.start("first") > match.start() or after_verb
    return bool(introduced and words.next.match(match.string, match.end()))


def _read_date(text: str, words: _Words) -> PartialDate:
    """Return the date that `text` spells out, which may lack its year and may not exist."""
    month = words.month.search(text)
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    year = next((number for number in numbers if number > 99), None)
    one, two = (*(number for number in numbers if number != year), 0, 0)[:2]
    if month:
        return PartialDate(year, words.months[month[0].lower()], one or None)
    if re.match(_ISO, text):
        return PartialDate(year, one or None, two or None)
    if words.month_may_be_first and two and "." not in text:
        if two > 12:
            return PartialDate(year, one or None, two)
        if one <= 12 and one != two:
            # The year is certain, but either number may be the month.
            return PartialDate(year)
    return PartialDate(year, two or None, one or None)


def _exists(date: PartialDate) -> bool:
    """Return whether the calendar has the date."""
    try:
        _ = date.first_day
    except ValueError:
        return False
    return True


@cache
def _load(language: str) -> _Words | None:
    """Return the words of a language, or None if the table lacks it."""
    tables = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    table = next((table for name, table in tables.items() if language in (name, *table.get("also", ()))), None)
    if table is None:
        return None
    months = _list_months(table)
    small = _any(word for kind in SMALL for word in table.get(kind, ()))
    capitalised = table.get("nouns_are_capitalised", False)
    # A word with an adjective's ending is an adjective only before a capitalised noun; the table has the other words.
    verb = rf"|(?-i:[ ](?!{table.get('adjective', '(?!)')}[ ][A-Z])[a-z])" if capitalised else ""
    return _Words(
        months,
        re.compile(rf"(?<!\w){_any(months)}", re.IGNORECASE),
        re.compile(_write_expression(table, months), re.IGNORECASE | re.VERBOSE),
        re.compile(_any(word for kind in PARTS for word in " ".join(table.get(kind, ())).split()), re.IGNORECASE),
        re.compile(rf"""$|[ ]?[?!.,;:)"\]]|[ ]-[ ]|[ ]{small}(?!\w){verb}""", re.IGNORECASE),
        capitalised,
        table.get("month_may_be_first", False),
    )


def _list_months(table: dict[str, Any]) -> dict[str, int]:
    """Return the numbers of the months by each of their folded forms."""
    from babel import Locale

    endings = {_to_ascii(ending): others for ending, others in table.get("cases", {}).items()}
    widths = ("wide", "abbreviated") if table.get("short") else ("wide",)
    forms: dict[str, int] = {}
    for locale in map(Locale.parse, table["locales"]):
        for names in (locale.months[context][width] for context in ("format", "stand-alone") for width in widths):
            for number, name in names.items():
                form = _to_ascii(name).lower().rstrip(".")
                ending = max((ending for ending in endings if form.endswith(ending)), key=len, default=None)
                others = [] if ending is None else map(_to_ascii, endings[ending])
                forms |= {form: number} | {form.removesuffix(ending or "") + other: number for other in others}
    return forms


def _any(words: Iterable[str]) -> str:
    """Return a pattern that matches any of the words, longer ones first. Without words it never matches."""
    folded = sorted({_to_ascii(word) for word in words}, key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, folded)) or '(?!)'})"


def _any_behind(words: Iterable[str]) -> str:
    """Return a pattern of a space and any of the words, or of a word that is joined to the one before it."""
    words = list(words)
    apart, joined = _any(w for w in words if w[0] != "~"), _any(w[1:] for w in words if w[0] == "~")
    return rf"(?:[ ]{apart}|{joined})"


def _write_expression(table: dict[str, Any], months: Iterable[str]) -> str:
    """Return the verbose pattern of one or two dates with the words that relate them."""
    words = {kind: _any(table.get(kind, ())) for kind in (*SMALL, "of", "edge", "years")}
    words |= {kind: _any_behind(table.get(kind, ())) for kind in BEHIND}
    words["day"] = rf"{_APART}\d{{1,2}}(?:{_any(table.get('ordinals', ()))}|\.)?"
    endings = _any(word[1:].split()[0] for kind in ("to", "until_after") for word in table.get(kind, ()) if "~" in word)
    # An ending that relates the date is left to the relation if possible.
    end = rf"(?:(?!\w)|(?={endings}(?!\w))|{endings}(?!\w))"
    fill = rf"(?:{words['in']}|{words['of']}|{words['lead']})[ ]"
    day_month, date = _write_dates(words, _any(months) + end, end, fill)
    relations = "|".join(f"(?P<{kind}>{words[kind]})" for kind in RELATIONS)
    any_relation = "|".join(words[kind] for kind in RELATIONS)
    return rf"""(?<!\w)(?<![\d.][ ]-[ ])
        (?:(?P<doubled>(?:{any_relation})[ ]{words["and"]}[ ])?(?:{relations})[ ])?
        (?:{fill}|(?P<edge>{words["edge"]})[ ]|(?P<years>{words["years"]})[ ]){{0,5}}?
        (?P<first>{date}|{day_month}|{words["day"]})
        (?:[.,]?(?:[ ]-[ ]|{words["to"]}[ ]|(?P<and>[ ]{words["and"]}[ ]|/))
            (?:{fill}|{words["edge"]}[ ]){{0,5}}?(?P<last>{date}|{day_month})
            (?P<years_after>\.?[ ]{words["years"]}(?!\w))?)?
        (?:(?P<since_after>{words["since_after"]})|(?P<until_after>{words["until_after"]})
            |(?P<between_after>{words["between_after"]})|[ ](?P<late>{words["edge"]}))?(?!\w)"""


def _write_dates(words: dict[str, str], month: str, end: str, fill: str) -> tuple[str, str]:
    """Return the pattern of a month with or without its day, and the pattern of a date with its year."""
    of, lead = rf"(?:{words['of']}[ ]){{0,2}}", rf"(?:{words['lead']}[ ]){{0,2}}"
    month = rf"(?<!\w){month}"
    day_month = rf"(?:{words['day']}[ ]{of})?{month}"
    year = rf"{lead}{_WHOLE_YEAR}(?:\.?{words['trail']}{end})?"
    # After the year, a short name with no word before it is probably not a month.
    between = rf"\.?(?:{words['trail']}{end},?[ ](?:{fill}){{0,3}}?|,?[ ](?:{fill}){{1,3}}?|,?[ ](?=[^ ]{{{_LONG},}}))"
    dates = (
        _ISO,
        _NUMBERS,
        rf"{day_month}[.,]?[ ]{of}{year}",
        rf"{month}[ ]{words['day']},?[ ]{YEAR}{_AFTER_YEAR}",
        rf"{lead}{_WHOLE_YEAR}{between}{day_month}(?![.,]?[ ]{of}\d{{4}})",
        year,
    )
    return day_month, f"(?:{'|'.join(dates)})"
