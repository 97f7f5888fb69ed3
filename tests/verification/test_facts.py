"""Numbers, dates and units are found in every language, in digits and in words."""

import pytest

from rag.text.dates import PartialDate
from rag.verification.facts import find_facts
from rag.verification.numerals import find_numbers


@pytest.mark.parametrize(
    ("language", "text", "value"),
    [
        ("cs", "přes deset tisíc vojáků", 10_000),
        ("cs", "6 tisíc ženistů", 6000),
        ("cs", "dvě stě třicet pět", 235),
        ("cs", "4,5 procenta", 4.5),
        ("el", "έξι χιλιάδες στρατιώτες", 6000),
        ("el", "πεντακόσιοι άνδρες", 500),
        ("et", "kuus tuhat inseneri", 6000),
        ("et", "kuusteist", 16),
        ("et", "kakskümmend viis", 25),
        ("sr", "шест хиљада инжењера", 6000),
        ("sr", "šesnaest hiljada", 16_000),
        ("hr", "dvadeset tisuća", 20_000),
        ("pl", "sześć tysięcy czterdzieści dwa", 6042),
        ("de", "zwölftausend Mann", 12_000),
        ("de", "vierundzwanzig", 24),
        ("en", "two hundred and thirty-five", 235),
        ("en", "1.5 million", 1_500_000),
        ("fr", "quatre-vingt-dix", 90),
        ("fr", "soixante-douze", 72),
        ("es", "dieciséis mil", 16_000),
        ("ru", "шести тысяч", 6000),
        ("zh", "6000名", 6000),
        ("et", "10 000 sõdurit", 10_000),
        ("de", "1.234.567,5", 1_234_567.5),
    ],
)
def test_a_number_has_one_value_however_it_is_written(language: str, text: str, value: float) -> None:
    (number,) = find_numbers(text, language)
    assert number.values == {value}


def test_a_single_separator_may_part_thousands_or_decimals() -> None:
    (number,) = find_numbers("1.500", "de")
    assert number.values == {1500, 1.5}


@pytest.mark.parametrize(
    ("language", "text", "values"),
    [
        ("cs", "čtyři až pět", [4, 5]),
        ("pl", "od czterech do pięciu", [4, 5]),
        ("en", "18 19", [18, 19]),
        ("cs", "tento sešit", []),
        ("et", "kuurort", []),
        ("fi", "kuusi tuhatta", []),
    ],
)
def test_neighbouring_numbers_stay_apart_and_other_words_are_not_numbers(
    language: str, text: str, values: list[float]
) -> None:
    assert [max(number.values) for number in find_numbers(text, language)] == values


@pytest.mark.parametrize(
    ("language", "text", "dates"),
    [
        ("cs", "ve dnech 18. a 19. října", [(18, 10, None), (19, 10, None)]),
        ("cs", "v říjnu 2023", [(None, 10, 2023)]),
        ("cs", "od 7. září do 1. října", [(7, 9, None), (1, 10, None)]),
        ("cs", "v červenci, ne v červnu", [(None, 7, None), (None, 6, None)]),
        ("cs", "12. 7. 2025", [(12, 7, 2025)]),
        ("el", "από τις 7 Σεπτεμβρίου έως την 1η Οκτωβρίου", [(7, 9, None), (1, 10, None)]),
        ("el", "τον Απρίλιο του 2019", [(None, 4, 2019)]),
        ("et", "2019. aasta aprillis", [(None, 4, 2019)]),
        ("et", "18. ja 19. oktoobril", [(18, 10, None), (19, 10, None)]),
        ("sr", "у априлу 2019. године", [(None, 4, 2019)]),
        ("sr", "30. juna 2019. godine", [(30, 6, 2019)]),
        ("pl", "30 czerwca 2019 r.", [(30, 6, 2019)]),
        ("pl", "we wrześniu", [(None, 9, None)]),
        ("pl", "w listopadzie", [(None, 11, None)]),
        ("ru", "в октябре 2023 года", [(None, 10, 2023)]),
        ("de", "am 18. und 19. Oktober", [(18, 10, None), (19, 10, None)]),
        ("fr", "le 7 septembre 2023", [(7, 9, 2023)]),
        ("es", "el 7 de septiembre de 2023", [(7, 9, 2023)]),
        ("en", "July 12, 2025", [(12, 7, 2025)]),
        ("en", "in May 2019", [(None, 5, 2019)]),
        ("en", "7/12/2025", [(12, 7, 2025)]),
        ("zh", "2025-07-12", [(12, 7, 2025)]),
        ("el", "Defence Index, July 12, 2025", [(12, 7, 2025)]),
        ("en", "He may march on.", []),
        ("pl", "Oni mają czas.", []),
        ("ru", "среди них", []),
        ("cs", "únos a květina", []),
    ],
)
def test_dates_are_found_with_the_precision_of_the_text(
    language: str, text: str, dates: list[tuple[int | None, int | None, int | None]]
) -> None:
    facts = find_facts(text, language)
    assert list(facts.dates) == [PartialDate(*reversed(date)) for date in dates]
    assert not dates or facts.quantities == ()


@pytest.mark.parametrize(
    ("language", "text", "days"),
    [
        ("cs", "v pátek a ve středu", {4, 2}),
        ("pl", "w poniedziałkowym komunikacie", {0}),
        ("et", "laupäeval või pühapäevaks", {5, 6}),
        ("sr", "у петак и суботу", {4, 5}),
        ("el", "το Σάββατο και την τρίτη φορά", {5}),
        ("ru", "в среду", {2}),
        ("sr", "прошле недеље", set()),
    ],
)
def test_weekdays_are_found_in_every_case(language: str, text: str, days: set[int]) -> None:
    assert find_facts(text, language).weekdays == days


@pytest.mark.parametrize(
    ("language", "text", "unit"),
    [
        ("et", "40 protsenti", "percent"),
        ("sr", "четрдесет одсто", "percent"),
        ("el", "σαράντα τοις εκατό", "percent"),
        ("cs", "40 %", "percent"),
        ("pl", "dwoma miesiącami", "month"),
        ("en", "$5 million", "money"),
        ("de", "12 km", "kilometre"),
        ("es", "119 millones de euros", "money"),
        ("fr", "870 millions d'euros", "money"),
        ("pl", "2019 rok", None),
        ("cs", "1000 kontejnerů", None),
    ],
)
def test_a_number_has_its_unit(language: str, text: str, unit: str | None) -> None:
    (quantity,) = find_facts(text, language).quantities
    assert quantity.unit == unit


def test_a_unit_said_once_belongs_to_the_whole_range() -> None:
    quantities = find_facts("trvaly čtyři až pět hodin", "cs").quantities
    assert [quantity.unit for quantity in quantities] == ["hour", "hour"]


@pytest.mark.parametrize(
    ("language", "text", "bound"),
    [
        ("cs", "přes 1000 kontejnerů", "more"),
        ("pl", "mniej niż 1000", "less"),
        ("el", "πάνω από 1.000", "more"),
        ("et", "üle tuhande", "more"),
        ("en", "exactly 1000", None),
        ("cs", "snad 1000 vojáků", None),
    ],
)
def test_words_before_a_number_make_it_a_bound(language: str, text: str, bound: str | None) -> None:
    (quantity,) = find_facts(text, language).quantities
    assert quantity.bound == bound
