"""Write dates, numbers and countries in a language, with the forms of CLDR."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import date, time
from functools import cache
from itertools import pairwise

from babel import Locale, UnknownLocaleError, localedata
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, format_percent
from babel.units import format_unit

from rag.text.dates import PartialDate
from rag.text.language import Language
from rag.text.scripts import usual_script

LEAP_YEAR = 2000
"""Stands for the year of a date without one, as it has every day."""
DECIMALS = "#,##0.###"
UNITS = {
    **{unit: f"duration-{unit}" for unit in ("minute", "hour", "day", "week", "month", "year")},
    "kilometre": "length-kilometer",
    "metre": "length-meter",
    "tonne": "mass-tonne",
}
"""CLDR's names of the units that the tables of words know."""


@cache
def find_locale(language: Language) -> Locale | None:
    """Return the CLDR locale of a language in a script, or None if there is none."""
    script = "" if language.script in (usual_script(language.code), "Hani") else f"_{language.script}"
    try:
        locale = Locale.parse(f"{language.code}{script}")
    except (UnknownLocaleError, ValueError):
        return None
    # babel 2.18 lets languages without names of their own share one table, and the first to use it fills it for all.
    data = localedata.load(str(locale))
    data.update(deepcopy(data))
    return locale


def write_date(day: PartialDate, locale: Locale) -> str | None:
    """Return a date known to the year, the month or the day, or None if the calendar has no such date."""
    try:
        first = date(day.year or LEAP_YEAR, day.month or 1, day.day or 1)
    except ValueError:
        return None
    if day.month is None:
        return str(day.year) if day.year else None
    if day.day is None:
        alone: str = locale.months["stand-alone"]["wide"][day.month]
        return format_skeleton("yMMMM", first, locale=locale) if day.year else alone
    return format_date(first, "long", locale) if day.year else format_skeleton("MMMMd", first, locale=locale)


def write_dates(days: Sequence[PartialDate], locale: Locale, is_range: bool) -> str | None:
    """Return a date, the first and the last day of a range, or a list of days in the order of the text."""
    written = [write_date(day, locale) for day in days]
    found = [text for text in written if text]
    if not found or len(found) < len(written):
        return None
    if is_range and len(found) == 2:
        return _join_range(found, days)
    return format_list(found, locale=locale) if len(found) > 1 else found[0]


def _join_range(written: Sequence[str], days: Sequence[PartialDate]) -> str:
    """Return `October 18–19` where only the days differ, and otherwise both dates in full."""
    (first, last), (start, end) = written, days
    before, _, after = first.partition(str(start.day))
    if last == f"{before}{end.day}{after}":
        return f"{before}{start.day}{'.' if after.startswith('.') else ''}–{end.day}{after}"
    return f"{first} – {last}"


def write_time(hour: int, minute: int, locale: Locale) -> str:
    """Return a time of day."""
    return format_time(time(hour, minute), "short", locale=locale)


def write_weekday(day: int, locale: Locale) -> str:
    """Return the name of a weekday; 0 is Monday."""
    return str(locale.days["stand-alone"]["wide"][day])


def write_number(value: float, locale: Locale, unit: str | None = None, currency: str | None = None) -> str | None:
    """Return a number with its unit, or None if the language has no form for that unit."""
    if currency:
        pattern = None if value % 1 else locale.currency_formats["standard"].pattern.replace("0.00", "0")
        return format_currency(value, currency, pattern, locale, currency_digits=bool(value % 1))
    if unit is None:
        return format_decimal(value, DECIMALS, locale)
    if unit == "percent":
        pattern = locale.percent_formats[None].pattern.replace("#,##0", DECIMALS)
        return format_percent(value / 100, pattern, locale)
    if unit not in UNITS:
        return None
    written = format_unit(value, UNITS[unit], locale=locale)
    # babel returns the name of a unit that it has no form for.
    return None if UNITS[unit] in written else written


def write_country(code: str, locale: Locale) -> str | None:
    """Return the name of a country by its ISO 3166 code, or None if the language has none for it."""
    return locale.territories.get(code)


def is_ascending(days: Sequence[PartialDate]) -> bool:
    """Return whether each date comes after the one before, as far as both are known."""
    keys = [(day.year or 0, day.month or 0, day.day or 0) for day in days]
    return all(earlier < later for earlier, later in pairwise(keys))
