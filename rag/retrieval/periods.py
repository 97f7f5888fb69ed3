"""The stretch of time that a question names, from the words of rag/retrieval/data/periods.toml and the months of CLDR.

A wrong period harms more than none, so a number is a year only where the words around it say so, and two dates
are a period only where a word or a dash joins them. dateparser knows neither periods nor most case endings.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

WORDS = Path(__file__).parent / "data" / "periods.toml"
RELATIONS = ("before", "after", "since", "until", "between", "for")
SMALL = (*RELATIONS, "lead", "in", "to", "and", "next")
"""The kinds of words that may follow a year, as the table calls them."""
BEHIND = ("to", "trail", "since_after", "until_after", "between_after")
"""The kinds of words that may be joined to the one before."""

_APART = r"(?<![\w.,:/#+\-])"
"""Before a number that is no part of a longer one, of a word or of a telephone's."""
_YEAR = r"(?:19|20)\d\d"
_AFTER_YEAR = r"(?!\w|[.,:/\-]\w|[ ]\d|[ ]?%|[ ](?:[ck]?m[23]?|kg|[kMGT]Wh?|TEU|EUR|euros?|USD)(?!\w))"
_WHOLE_YEAR = rf"{_APART}(?<!\d[ ]){_YEAR}{_AFTER_YEAR}"
_DAY = rf"{_APART}\d{{1,2}}(?:st|nd|rd|th|er|is|[io]|\.)?"
_ISO = rf"{_APART}{_YEAR}-\d\d(?:-\d\d)?(?![\w\-]|[.,:/]\w)"
_NUMBERS = rf"{_APART}\d{{1,2}}(?:\.[ ]?\d{{1,2}}\.[ ]?|/\d{{1,2}}/|-\d{{1,2}}-){_YEAR}(?!\w|[.,:/\-]\w|[ ]?%)"
_ADJECTIVE = r"[a-z]+e[nr]?[ ][A-Z]"
"""In German, with the noun's capital: whatever else ends so before a noun stands in the table."""
_LONG = 6
"""Shorter names of months are often other words as well: May, march, září (shines), Mars."""
_END = "~"
"""Sorts behind every digit and hyphen, so that a date with it is the end of what the date covers."""

_Moment = tuple[int, int, int]
"""Year, month and day; 0 is not told."""


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, both ends in it; None is open."""

    since: str | None
    """ISO 8601, to the precision known: `2025`, `2025-07` or `2025-07-12`."""
    until: str | None

    def covers(self, date: str) -> bool:
        """Whether a date, to whatever precision it is known, may lie in the period: whether the two overlap."""
        begun = self.since is None or self.since <= date + _END
        return begun and (self.until is None or date <= self.until + _END)


@dataclass(frozen=True, slots=True)
class _Words:
    """What is known of a language, folded and compiled."""

    months: dict[str, int]
    """Number by form."""
    month: re.Pattern[str]
    expression: re.Pattern[str]
    """A date or two with the words that relate them."""
    next: re.Pattern[str]
    """What may follow a number that is a year."""
    nouns_are_capitalised: bool
    month_may_be_first: bool
    """Whether 10/11/2023 may be the eleventh of October."""


def find_period(question: str, language: str) -> Period | None:
    """The period that `question` names, in a language by ISO 639-1.

    None where it names none or more than one, where it is not certain, and in languages without a table.
    """
    words = _load(language)
    if words is None:
        return None
    matches = words.expression.finditer(_prepare(question, words))
    found = {_read_expression(match, words) for match in matches if re.search(_YEAR, match[0])}
    if len(found) == 2 and None not in found:
        # After one date and before another, said apart.
        opening, closing = sorted(filter(None, found), key=lambda period: period.since is None)
        return None if opening.until or closing.since else _join(opening.since, closing.until)
    return found.pop() if len(found) == 1 else None


def _prepare(question: str, words: _Words) -> str:
    """The question in ASCII with its case kept, single spaces, and a spaced hyphen where one joins two dates."""
    text = re.sub(r"\s*[–—−]\s*", " - ", question)
    text = " ".join(_fold(text).split())
    month = words.month.pattern
    before = rf"{_APART}({_YEAR}|\d{{1,2}}\.?|{month})"
    behind = rf"{_YEAR}(?![\w\-])|(?:\d{{1,2}}\.?[ ])?{month}(?!\w)"
    return re.sub(rf"{before}-(?={behind})", r"\1 - ", text, flags=re.IGNORECASE)


def _fold(text: str) -> str:
    """`text` in ASCII, the words of an elision parted; transliteration would make the soft sign another apostrophe."""
    from anyascii import anyascii

    return anyascii(re.sub("[ьЬъЪ]", "", text)).replace("'", " ").strip()


def _read_expression(match: re.Match[str], words: _Words) -> Period | None:
    """The period that was matched, None if it is not certain."""
    if match["doubled"] or match["for"] or not _is_time(match, words):
        return None
    first = _read_date(match["first"], words)
    if match["last"]:
        return _read_range(match, first, _read_date(match["last"], words))
    told = _iso(first)
    outside = match["before"] or match["after"]
    # Before the end of a year is not before the year.
    if not told or (outside and (match["edge"] or match["late"])):
        return None
    if outside:
        return Period(None, _shift(told, -1)) if match["before"] else Period(_shift(told, 1), None)
    if match["since"] or match["since_after"]:
        return Period(told, None)
    return Period(None if match["until"] or match["until_after"] else told, told)


def _read_range(match: re.Match[str], first: _Moment, last: _Moment) -> Period | None:
    """From the first date to the last; what one of them does not tell, it shares with the other."""
    between = match["between"] or match["between_after"]
    if match["before"] or match["after"] or (match["and"] and not between):
        return None
    if not first[0] and last[1]:
        # “From 10 to 12 October 2023”, “from October to December 2023”.
        first = (last[0], first[1] or last[1], first[2])
    elif not last[0] and first[1]:
        last = (first[0], *last[1:])
    return _join(_iso(first), _iso(last))


def _join(since: str | None, until: str | None) -> Period | None:
    return Period(since, until) if since and until and since <= until + _END else None


def _is_time(match: re.Match[str], words: _Words) -> bool:
    """Whether what was matched is a time rather than a count or the number of a flight."""
    dates = [date for date in (match["first"], match["last"]) if date]
    if not all(re.fullmatch(r"\d+", date) for date in dates):
        return True
    if match["years"]:
        return bool(match["last"])
    if any(match[group] for group in ("edge", "years_after", "since_after", "until_after")):
        return True
    after_verb = words.nouns_are_capitalised and re.search(r"(?<!\S)[a-z]+ $", match.string[: match.start()])
    told = match["last"] or match.start("first") > match.start() or after_verb
    return bool(told and words.next.match(match.string, match.end()))


def _read_date(text: str, words: _Words) -> _Moment:
    """The numbers of a date as it is written."""
    month = words.month.search(text)
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    year = next((number for number in numbers if number > 99), 0)
    one, two = (*(number for number in numbers if number != year), 0, 0)[:2]
    if month:
        return year, words.months[month[0].lower()], one
    if re.match(_ISO, text):
        return year, one, two
    if words.month_may_be_first and two and "." not in text:
        if two > 12:
            return year, one, two
        if one <= 12 and one != two:
            # Which is the month cannot be told, the year can.
            return year, 0, 0
    return year, two, one


def _iso(moment: _Moment) -> str | None:
    """ISO 8601 to the precision told; None if there is no such date."""
    year, month, day = moment
    try:
        date(year, month or bool(not day), day or 1)
    except ValueError:
        return None
    return f"{year}" + f"-{month:02}" * bool(month) + f"-{day:02}" * bool(day)


def _shift(iso: str, step: int) -> str:
    """The year, the month or the day `step` later."""
    year, month, day = (*map(int, iso.split("-")), 0, 0)[:3]
    if day:
        return (date(year, month, day) + timedelta(step)).isoformat()
    if month:
        year, month = divmod(year * 12 + month - 1 + step, 12)
        return f"{year}-{month + 1:02}"
    return f"{year + step}"


@cache
def _load(language: str) -> _Words | None:
    """What the table knows of a language, or None."""
    tables = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    table = next((table for name, table in tables.items() if language in (name, *table.get("also", ()))), None)
    if table is None:
        return None
    months = _list_months(table)
    small = _any(word for kind in SMALL for word in table.get(kind, ()))
    capitalised = table.get("nouns_are_capitalised", False)
    verb = rf"|(?-i:[ ](?!{_ADJECTIVE})[a-z])" if capitalised else ""
    return _Words(
        months,
        re.compile(rf"(?<!\w){_any(months)}", re.IGNORECASE),
        re.compile(_write_expression(table, months), re.IGNORECASE | re.VERBOSE),
        re.compile(rf"""$|[ ]?[?!.,;:)"\]]|[ ]-[ ]|[ ]{small}(?!\w){verb}""", re.IGNORECASE),
        capitalised,
        table.get("month_may_be_first", False),
    )


def _list_months(table: dict[str, Any]) -> dict[str, int]:
    """The number of a month by each of its forms, folded."""
    from babel import Locale

    cases = {_fold(ending): [_fold(other) for other in others] for ending, others in table.get("cases", {}).items()}
    widths = ("wide", "abbreviated") if table.get("short") else ("wide",)
    forms: dict[str, int] = {}
    for locale in map(Locale.parse, table["locales"]):
        for names in (locale.months[context][width] for context in ("format", "stand-alone") for width in widths):
            for number, name in names.items():
                form = _fold(name).lower().rstrip(".")
                ending = max((ending for ending in cases if form.endswith(ending)), key=len, default=None)
                others = [] if ending is None else cases[ending]
                forms |= {form: number} | {form.removesuffix(ending or "") + other: number for other in others}
    return forms


def _any(words: Iterable[str]) -> str:
    """A pattern of one of the words, longer ones first; one that never matches if there are none."""
    folded = sorted({_fold(word) for word in words}, key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, folded)) or '(?!)'})"


def _any_behind(words: Iterable[str]) -> str:
    """The same with the space before the word, unless it is joined to what it follows."""
    words = list(words)
    apart, joined = _any(w for w in words if w[0] != "~"), _any(w[1:] for w in words if w[0] == "~")
    return rf"(?:[ ]{apart}|{joined})"


def _write_expression(table: dict[str, Any], months: Iterable[str]) -> str:
    """The pattern, verbose, of a date or two with the words that relate them."""
    words = {kind: _any(table.get(kind, ())) for kind in (*SMALL, "of", "edge", "years")}
    words |= {kind: _any_behind(table.get(kind, ())) for kind in BEHIND}
    endings = _any(word[1:].split()[0] for kind in ("to", "until_after") for word in table.get(kind, ()) if "~" in word)
    # An ending that relates the date is left to the relation if it can be.
    end = rf"(?:(?!\w)|(?={endings}(?!\w))|{endings}(?!\w))"
    fill = rf"(?:{words['in']}|{words['of']}|{words['lead']})[ ]"
    day_month, date = _write_dates(words, _any(months) + end, end, fill)
    relations = "|".join(f"(?P<{kind}>{words[kind]})" for kind in RELATIONS)
    any_relation = "|".join(words[kind] for kind in RELATIONS)
    return rf"""(?<!\w)(?<![\d.][ ]-[ ])
        (?:(?P<doubled>(?:{any_relation})[ ]{words["and"]}[ ])?(?:{relations})[ ])?
        (?:{fill}|(?P<edge>{words["edge"]})[ ]|(?P<years>{words["years"]})[ ]){{0,5}}?
        (?P<first>{date}|{day_month}|{_DAY})
        (?:[.,]?(?:[ ]-[ ]|{words["to"]}[ ]|(?P<and>[ ]{words["and"]}[ ]|/))
            (?:{fill}|{words["edge"]}[ ]){{0,5}}?(?P<last>{date}|{day_month})
            (?P<years_after>\.?[ ]{words["years"]}(?!\w))?)?
        (?:(?P<since_after>{words["since_after"]})|(?P<until_after>{words["until_after"]})
            |(?P<between_after>{words["between_after"]})|[ ](?P<late>{words["edge"]}))?(?!\w)"""


def _write_dates(words: dict[str, str], month: str, end: str, fill: str) -> tuple[str, str]:
    """The patterns of a month with or without its day, and of a date that has its year."""
    of, lead = rf"(?:{words['of']}[ ]){{0,2}}", rf"(?:{words['lead']}[ ]){{0,2}}"
    month = rf"(?<!\w){month}"
    day_month = rf"(?:{_DAY}[ ]{of})?{month}"
    year = rf"{lead}{_WHOLE_YEAR}(?:\.?{words['trail']}{end})?"
    # Behind the year a short name with no word between them is likely another word.
    between = rf"\.?(?:{words['trail']}{end},?[ ](?:{fill}){{0,3}}?|,?[ ](?:{fill}){{1,3}}?|,?[ ](?=[^ ]{{{_LONG},}}))"
    dates = (
        _ISO,
        _NUMBERS,
        rf"{day_month}[.,]?[ ]{of}{year}",
        rf"{month}[ ]{_DAY},?[ ]{_YEAR}{_AFTER_YEAR}",
        rf"{lead}{_WHOLE_YEAR}{between}{day_month}(?![.,]?[ ]{of}\d{{4}})",
        year,
    )
    return day_month, f"(?:{'|'.join(dates)})"
