"""Dates known to the year, the month or the day."""

from datetime import date

import pytest

from rag.text.dates import PartialDate, is_date


@pytest.mark.parametrize(
    ("text", "parts", "first", "last"),
    [
        ("2024", (2024, None, None), date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-02", (2024, 2, None), date(2024, 2, 1), date(2024, 2, 29)),
        ("2023-12", (2023, 12, None), date(2023, 12, 1), date(2023, 12, 31)),
        ("2025-07-12", (2025, 7, 12), date(2025, 7, 12), date(2025, 7, 12)),
    ],
)
def test_a_date_is_read_and_written_as_iso_8601_and_has_a_first_and_a_last_day(
    text: str, parts: tuple[int | None, int | None, int | None], first: date, last: date
) -> None:
    known = PartialDate.parse(text)
    assert known == PartialDate(*parts)
    assert str(known) == text
    assert (known.first_day, known.last_day) == (first, last)


@pytest.mark.parametrize(
    "text",
    ["", "last week", "23", "2023-1", "2023-13", "2023-00", "2023-02-30", "2023-10-", "20231018", "２０２３", "0000"],
)
def test_anything_else_is_not_a_date(text: str) -> None:
    assert not is_date(text)
    with pytest.raises(ValueError, match=r"date|year|month|day"):
        PartialDate.parse(text)


@pytest.mark.parametrize(
    ("wide", "narrow"), [("2025", "2025-07"), ("2025", "2025-07-12"), ("2025-07", "2025-07-12"), ("2025", "2025")]
)
def test_a_date_covers_every_more_precise_form_of_itself(wide: str, narrow: str) -> None:
    assert PartialDate.parse(wide).covers(PartialDate.parse(narrow))
    assert wide == narrow or not PartialDate.parse(narrow).covers(PartialDate.parse(wide))
    assert not PartialDate.parse(wide).covers(PartialDate(2024, 7, 12))


def test_a_date_without_a_year_covers_that_day_of_every_year_but_is_not_in_the_calendar() -> None:
    yearly = PartialDate(month=10, day=12)
    assert yearly.covers(PartialDate(2023, 10, 12))
    assert not yearly.covers(PartialDate(2023, 10))
    with pytest.raises(ValueError, match="calendar"):
        _ = yearly.first_day


@pytest.mark.parametrize(
    ("previous", "following"),
    [("2023", "2024"), ("2023-12", "2024-01"), ("2024-02-29", "2024-03-01"), ("2023-12-31", "2024-01-01")],
)
def test_the_neighbour_of_a_date_has_its_precision(previous: str, following: str) -> None:
    assert str(PartialDate.parse(previous).find_next()) == following
    assert str(PartialDate.parse(following).find_previous()) == previous
