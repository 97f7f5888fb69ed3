"""A language is added by tables alone, as Ukrainian was: no code names a language or has words of one."""

import ast
from pathlib import Path

import pytest

from rag.text import lexicon
from rag.text.dates import PartialDate
from rag.text.lexicon import WORDS, find_base, load_lexicon
from rag.text.names import find_entities
from rag.types import Document, Passage
from rag.verification import verify as verification
from rag.verification.directions import find_ways
from rag.verification.facts import find_facts
from rag.verification.numerals import find_numbers
from rag.verification.polarity import find_polarity
from rag.verification.roles import find_actors, is_mutual
from rag.verification.sought import find_sought
from rag.verification.verify import find_quote, find_unmet, state_bounds, verify

LANGUAGES = sorted(file.stem for file in WORDS.glob("??.toml"))
UKRAINIAN = (
    "Лідер Північної Кореї Кім Чен Ин у вересні відвідав Росію. Північна Корея передала Росії понад 1000 контейнерів. "
    "Перевезення тривало від 7 вересня до 1 жовтня. Кремль не підписав жодної угоди. "
    "Переговори тривали від чотирьох до п’яти годин."
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_can_be_read(language: str) -> None:
    found = load_lexicon(language)
    assert found is not None
    assert found.numerals.find("") is None
    assert set(found.months.forms().values()) == {str(month) for month in range(1, 13)}
    assert set(found.weekdays.forms().values()) == {str(day) for day in range(7)}


def test_a_key_that_is_not_known_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "xx.toml").write_text('negations = "ne"\n', encoding="utf-8")
    monkeypatch.setattr(lexicon, "WORDS", tmp_path)
    lexicon._read_tables.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"xx\.toml: unknown key 'negations'"):
            load_lexicon("xx")
    finally:
        lexicon._read_tables.cache_clear()


def test_one_table_may_serve_several_languages() -> None:
    assert load_lexicon("hr") is load_lexicon("sr")
    assert (find_base("hr"), find_base("uk"), find_base("xx")) == ("sr", "uk", "xx")


@pytest.mark.parametrize(
    "file",
    [*sorted(Path(verification.__file__).parent.glob("*.py")), Path(lexicon.__file__)],
    ids=lambda file: file.name,
)
def test_the_code_names_no_language_and_has_no_words_of_one(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    ]
    # English names entities in a log. Years, months and days are one letter each in the scripts of East Asia.
    allowed = {"en"} if file.name == "claims.py" else set()
    assert [text for text in strings if text in LANGUAGES and text not in allowed] == []
    assert [
        text
        for text in strings
        if any(char.isalpha() and char not in "年년月월日일º" and ord(char) > 127 for char in text)
    ] == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("двадцять п'ять", 25),
        ("двадцять п’ять", 25),
        ("двадцять пʼять", 25),
        ("шість тисяч інженерів", 6000),
        ("понад десять тисяч солдатів", 10_000),
        ("п’ятсот сорок два", 542),
        ("4,5 відсотка", 4.5),
        ("1,5 мільйона гривень", 1_500_000),
        ("10 000 солдатів", 10_000),
        ("два мільярди", 2_000_000_000),
    ],
)
def test_numbers_in_words_and_digits(text: str, value: float) -> None:
    (number,) = find_numbers(text, "uk")
    assert number.values == {value}


@pytest.mark.parametrize("text", ["тисячоліття", "мільйонер", "старий годинник", "сьомий поверх"])
def test_words_that_only_begin_like_a_number_are_not_numbers(text: str) -> None:
    assert find_numbers(text, "uk") == []


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("30 червня 2019 року", [(30, 6, 2019)]),
        ("18 і 19 жовтня", [(18, 10, None), (19, 10, None)]),
        ("від 7 вересня до 1 жовтня", [(7, 9, None), (1, 10, None)]),
        ("1-го жовтня", [(1, 10, None)]),
        ("у жовтні 2023 року", [(None, 10, 2023)]),
        ("у лютому", [(None, 2, None)]),
        ("перед листопадом", [(None, 11, None)]),
        ("12.07.2025", [(12, 7, 2025)]),
        ("лютий мороз", []),
    ],
)
def test_dates(text: str, dates: list[tuple[int | None, int | None, int | None]]) -> None:
    assert list(find_facts(text, "uk").dates) == [PartialDate(*reversed(date)) for date in dates]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("у четвер або в суботу", {3, 5}),
        ("до п’ятниці", {4}),
        ("минулого понеділка", {0}),
        ("серед них", set()),
        ("минулого тижня", set()),
    ],
)
def test_weekdays(text: str, days: set[int]) -> None:
    assert find_facts(text, "uk").weekdays == days


@pytest.mark.parametrize(
    ("text", "unit", "bound"),
    [
        ("40 відсотків", "percent", None),
        ("п’ять мільйонів доларів", "money", None),
        ("сім годин", "hour", None),
        ("дев’ять кілометрів", "kilometre", None),
        ("2019 рік", None, None),
        ("понад 1000 контейнерів", None, "more"),
        ("менш ніж 300 людей", None, "less"),
        ("не більше 300 людей", None, "less"),
        ("не менше трьохсот людей", None, "more"),
    ],
)
def test_units_and_bounds(text: str, unit: str | None, bound: str | None) -> None:
    (quantity,) = find_facts(text, "uk").quantities
    assert (quantity.unit, quantity.bound) == (unit, bound)


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("Угоду не підписали.", True),
        ("Ніхто не приїхав.", True),
        ("Немає жодних доказів.", True),
        ("Угоду підписали.", False),
        ("Він не лише приїхав, а й залишився.", False),
        ("Ні, угоду підписали.", False),
    ],
)
def test_denials(text: str, denied: bool) -> None:
    polarity = find_polarity(text, "uk")
    assert polarity
    assert polarity.denied == denied


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("Північної Кореї", {"KP"}),
        ("північнокорейський лідер", {"KP"}),
        ("КНДР", {"KP"}),
        ("Південній Кореї", {"KR"}),
        ("між Росією та Україною", {"RU", "UA"}),
        ("російські війська", {"RU"}),
        ("Сполучених Штатів Америки", {"US"}),
        ("японський уряд і Німеччина", {"JP", "DE"}),
        ("Європейського Союзу", {"EU"}),
        ("Організації Об’єднаних Націй", {"UN"}),
        ("у Білому домі", {"White House"}),
        ("на Далекому Сході", {"Far East"}),
        ("Угорщини й Туреччини", {"HU", "TR"}),
        ("сирі яблука", set()),
    ],
)
def test_names_of_countries(text: str, entities: set[str]) -> None:
    assert set(find_entities(text, "uk")) == entities


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("Кім запросив Путіна.", ["agent", "other"]),
        ("Путіна запросив Кім Чен Ин.", ["other", "agent"]),
        ("Росія передала Північній Кореї нафту.", ["agent", "other"]),
        ("Сполучені Штати передали Україні ракети.", ["agent", "other"]),
        ("Трампові зателефонував Зеленський.", ["other", "agent"]),
        ("КНДР отримала від Росії нафту.", ["agent", "other"]),
        ("Путін був запрошений до Пхеньяна.", []),
    ],
)
def test_who_acts_on_whom(text: str, roles: list[str | None]) -> None:
    assert [actor.role for actor in find_actors(text, "uk")] == roles


def test_a_meeting_has_two_sides() -> None:
    assert is_mutual("Кім зустрівся з Путіним.", "uk")
    assert not is_mutual("Кім запросив Путіна.", "uk")


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("Лавров прилетів у Вонсан із Куала-Лумпура.", ["to", "from"]),
        ("Зерно везуть з України до Єгипту.", ["from", "to"]),
        ("Він розмовляв з Путіним.", []),
        ("Лавров виступив у Вонсані.", []),
    ],
)
def test_from_where_and_to_where(text: str, ways: list[str]) -> None:
    assert [place.way for place in find_ways(text, "uk")] == ways


@pytest.mark.parametrize(
    ("question", "sought"),
    [
        ("До якої дати можна подати заяву?", "time"),
        ("Доки триватиме ремонт?", "time"),
        ("Скільки людей приїхало?", "number"),
        ("Хто приїхав?", None),
    ],
)
def test_what_a_question_asks_for(question: str, sought: str | None) -> None:
    assert find_sought(question, "uk") == sought


@pytest.mark.parametrize(
    "statement",
    [
        "Північна Корея передала Росії понад тисячу контейнерів.",
        "North Korea sent Russia over 1000 containers.",
        "Η μεταφορά έγινε από τις 7 Σεπτεμβρίου έως την 1η Οκτωβρίου.",
        "Rozhovory trvaly čtyři až pět hodin.",
        "North Korea's leader visited Russia in September.",
    ],
)
def test_facts_that_agree_support_a_statement(statement: str) -> None:
    assert verify(statement, UKRAINIAN).outcome == "supported"


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("Північна Корея передала Росії понад десять тисяч контейнерів.", "number"),
        ("North Korea sent Russia 1000 containers.", "number"),
        ("Kim navštívil Rusko v listopadu.", "date"),
        ("Перевезення тривало від 7 вересня до 2 жовтня.", "date"),
        ("Kim visited Japan in September.", "name"),
        ("Росія передала Північній Кореї понад 1000 контейнерів.", "direction"),
    ],
)
def test_a_fact_that_the_passage_does_not_have_is_found(statement: str, kind: str) -> None:
    verdict = verify(statement, UKRAINIAN)
    assert (verdict.outcome, verdict.kind) == ("unsupported", kind)


def test_a_bound_is_added_in_either_direction() -> None:
    czech = "Severní Korea dodala Rusku přes 1000 kontejnerů."
    passage = Passage("a.txt", czech, 0, len(czech), "cs", "Latn", None, None)
    said = "Північна Корея передала Росії 1000 контейнерів."
    assert state_bounds(said, passage) == "Північна Корея передала Росії понад 1000 контейнерів."
    ukrainian = Passage("a.txt", UKRAINIAN, 0, len(UKRAINIAN), "uk", "Cyrl", None, None)
    assert state_bounds("North Korea sent 1000 containers.", ukrainian) == "North Korea sent over 1000 containers."


def test_the_sentence_that_holds_the_facts_is_quoted() -> None:
    start, end = find_quote("The talks lasted four to five hours.", UKRAINIAN)
    assert UKRAINIAN[start:end] == "Переговори тривали від чотирьох до п’яти годин."


@pytest.mark.parametrize(
    ("language", "question", "lacking"),
    [
        ("uk", "Хто прибув 19 жовтня?", "19 October"),
        ("uk", "Коли Лавров відвідав Росію?", "Лавров"),
        ("en", "Why did Kim go to Japan?", "Japan"),
        ("cs", "Co udělal Kim ve Vonsanu?", "Vonsanu"),
        ("uk", "Що робив Кім у Росії у вересні?", None),
        ("en", "What did Kim do in Russia?", None),
    ],
)
def test_what_a_question_takes_for_granted(language: str, question: str, lacking: str | None) -> None:
    told = find_unmet(question, language, Document("a.txt", UKRAINIAN, "uk", "Cyrl", "2023-10", None, ""))
    assert lacking in told if lacking and told else told is lacking
