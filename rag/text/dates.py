"""Dates known to the year, the month or the day."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

_ISO = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date known to the year, the month or the day.

    Text also gives dates without a year, such as 12 October, and dates that do not exist, such as 31 February. The
    constructor accepts both, so that they can be compared; only a date of the calendar has a first and a last day.
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a date in ISO 8601: `2025`, `2025-07` or `2025-07-12`.

        Raises ValueError if `text` is anything else, or if the calendar has no such date.
        """
        match = _ISO.fullmatch(text)
        if match is None:
            raise ValueError(f"“{text}” is not a date")
        parsed = cls(*(int(part) if part else None for part in match.groups()))
        _ = parsed.first_day
        return parsed

    def __str__(self) -> str:
        """Return the known parts, separated by hyphens: ISO 8601 if the year is one of them."""
        parts = ((self.year, 4), (self.month, 2), (self.day, 2))
        return "-".join(f"{part:0{width}}" for part, width in parts if part is not None)

    @property
    def first_day(self) -> date:
        """The first day of the year, the month or the day. Raises ValueError if the calendar has no such date."""
        if self.year is None or (self.month is None and self.day is not None):
            raise ValueError(f"{self!r} is not a date of the calendar")
        return date(self.year, 1 if self.month is None else self.month, 1 if self.day is None else self.day)

    @property
    def last_day(self) -> date:
        """The last day of the year, the month or the day. Raises ValueError if the calendar has no such date."""
        first = self.first_day
        if self.day is not None:
            return first
        month = 12 if self.month is None else first.month
        return first.replace(month=month, day=monthrange(first.year, month)[1])

    def covers(self, other: Self) -> bool:
        """Return whether `other` is the same date, known as precisely as this one or more precisely.

        `2025-07` covers `2025-07-12`, but not the other way round.
        """
        parts = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(own in (None, theirs) for own, theirs in parts)

    def find_previous(self) -> Self:
        """Return the year, the month or the day before this one. Raises ValueError if this is not in the calendar."""
        return self._truncate(self.first_day - timedelta(days=1))

    def find_next(self) -> Self:
        """Return the year, the month or the day after this one. Raises ValueError if this is not in the calendar."""
        return self._truncate(self.last_day + timedelta(days=1))

    def _truncate(self, day: date) -> Self:
        """Return `day` to the precision of this date."""
        return type(self)(day.year, None if self.month is None else day.month, None if self.day is None else day.day)


def is_date(text: str) -> bool:
    """Return whether `text` is a date in ISO 8601, to the precision of a year, a month or a day."""
    try:
        PartialDate.parse(text)
    except ValueError:
        return False
    return True
