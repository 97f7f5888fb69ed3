"""A name is recognised in every script, case and transliteration, and no other name is taken for it."""

import pytest

from rag.text.names import find_entities, find_names, implied, is_among, same_name, share_stem

SPELLINGS = (
    "Lavrov Lavrova Lavrovovi Лавров Лаврова Λαβρόφ Lavrovi Lawrow Ławrowa",
    "Wonsan Wonsanu Γουονσάν Вонсан Вонсану Wonsanis Wonsanie",
    "Putin Putina Putinem Πούτιν Путина Putiniga",
    "Kim Kima Kimem Ким Кимова Κιμ Kimiga",
    "Čong Джонг Џонг Γιονγκ Dzong Jong",
    "Un Una unem Ουν Ун",
    "Choe Čchö Τσόε Чое",
    "Kirby Kirbyho Κίρμπι Кирби",
    "Šojgu Shoigu Szojgu Σοϊγκού Шојгу",
    "Donald Donalda Ντόναλντ Доналд",
    "Trump Trumpem Τραμπ Трамп Tramp",
    "Vladivostok Vladivostoku Βλαδιβοστόκ Владивостоку Władywostoku",
    "Nadžin Наџин Nadżin",
    "Budanov Μπουντάνοφ Будановым Budanow",
    "Wagner Wagnerova Βάγκνερ Вагнер",
    "Vostočnyj Восточни Wostocznyj Vostochny",
    "Sergej Sergey Σεργκέι Siergiej Сергеј",
    "Peskov Πεσκόφ Песков Pieskow",
    "John Τζον Džon Џон",
    "Rudenko Ρουντένκο Руденко",
    "Vladimir Wladimir Βλαντίμιρ Władimir Владимира",
)


@pytest.mark.parametrize("spellings", SPELLINGS)
def test_all_spellings_are_one_name(spellings: str) -> None:
    first, *others = spellings.split()
    assert [other for other in others if not same_name(first, other)] == []


@pytest.mark.parametrize("one", range(len(SPELLINGS)))
def test_no_two_names_share_a_spelling(one: int) -> None:
    alike = {("Čong", "John")}
    for other in range(one + 1, len(SPELLINGS)):
        names = SPELLINGS[one].split()[0], SPELLINGS[other].split()[0]
        assert names in alike or not same_name(*names)


@pytest.mark.parametrize(
    ("name", "other"),
    [("Ilom", "Un"), ("Medveděv", "Песков"), ("Si", "Čchö"), ("Hamhung", "Γουονσάν"), ("Rogozin", "Rudenko")],
)
def test_a_name_that_is_not_there_is_not_found(name: str, other: str) -> None:
    assert not is_among(name, [other])


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [
        ("cs", "V říjnu přijel Kim Čong-un.", ["Kim", "Čong", "un"]),
        ("et", "Võib-olla kohtus ta laupäeval Lavroviga.", ["Võib", "olla", "Lavroviga"]),
        ("el", "Το Σάββατο ήρθε ο Λαβρόφ.", ["Το", "Λαβρόφ"]),
        ("fr", "C'est l'histoire de Kim.", ["Kim"]),
        ("pl", "Rada Bezpieczeństwa Narodowego", []),
    ],
)
def test_words_with_a_capital_may_be_names(language: str, text: str, names: list[str]) -> None:
    assert [name.text for name in find_names(text, language)] == names


def test_a_capital_at_the_beginning_of_a_sentence_is_noted() -> None:
    assert [name.initial for name in find_names("Lavrov přijel. Putin a Kim čekali.", "cs")] == [True, True, False]


@pytest.mark.parametrize(
    ("language", "text", "entities"),
    [
        ("cs", "Severní Korea", {"KP"}),
        ("cs", "severokorejský vůdce", {"KP"}),
        ("cs", "KLDR", {"KP"}),
        ("el", "στη Βόρεια Κορέα", {"KP"}),
        ("el", "ο βορειοκορεάτης δικτάτορας", {"KP"}),
        ("et", "Põhja-Koread", {"KP"}),
        ("sr", "Северну Кореју", {"KP"}),
        ("sr", "севернокорејски лидер", {"KP"}),
        ("pl", "Koreą Północną", {"KP"}),
        ("en", "the DPRK", {"KP"}),
        ("de", "Nordkorea", {"KP"}),
        ("fi", "Pohjois-Korea", {"KP"}),
        ("cs", "Jižní Koreji", {"KR"}),
        ("sr", "јужнокорејски званичници", {"KR"}),
        ("et", "Lõuna-Korea", {"KR"}),
        ("el", "Νοτιοκορεάτες", {"KR"}),
        ("pl", "Korei Południowej", {"KR"}),
        ("cs", "Rusku", {"RU"}),
        ("et", "Venemaale", {"RU"}),
        ("el", "της Ρωσίας", {"RU"}),
        ("hu", "Oroszország", {"RU"}),
        ("cs", "Řecka a Maďarska", {"GR", "HU"}),
        ("el", "ο Λευκός Οίκος", {"White House"}),
        ("en", "he told us and them", set()),
        ("cs", "o malém městě", set()),
    ],
)
def test_a_country_is_found_by_its_name_in_each_language(language: str, text: str, entities: set[str]) -> None:
    assert set(find_entities(text, language)) == entities


def test_a_capital_stands_for_its_country_but_not_the_other_way_round() -> None:
    assert implied({"Moscow"}) == {"Moscow", "RU"}
    assert implied({"RU"}) == {"RU"}


@pytest.mark.parametrize(
    ("left", "right"),
    [("Putin", "Putinovi"), ("Un", "Unem"), ("Maria", "Marii"), ("Lavrova", "Lavrovem"), ("2019", "2019")],
)
def test_words_with_other_endings_share_a_stem(left: str, right: str) -> None:
    assert share_stem(left, right)
    assert share_stem(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [("Putin", "Putinovimi"), ("Kim", "Kirby"), ("Marcel", "Marina"), ("2019", "20190"), ("ministr", "minuta")],
)
def test_other_words_do_not(left: str, right: str) -> None:
    assert not share_stem(left, right)


def test_a_changed_ending_may_be_limited_to_longer_words() -> None:
    assert not share_stem("Rusko", "Rusku", changed_from=6)
    assert share_stem("Moskva", "Moskvy", changed_from=6)
    assert share_stem("Brno", "Brnou", changed_from=6)
