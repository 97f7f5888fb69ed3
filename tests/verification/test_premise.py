"""An article must mention the numbers, dates and names that a question takes for granted."""

import pytest

from rag.retrieval.bounds import find_bounds
from rag.types import Document
from rag.verification import verify
from rag.verification.claims import Parsed, parse
from rag.verification.verify import find_unmet

CZECH = (
    "Lavrov navštíví KLDR 18. října. Severní Korea dodala Rusku přes 1000 kontejnerů, oznámil Bílý dům. "
    "Kim Čong-un se 30. června 2019 setkal s Trumpem, ruská armáda je na Dálném východě."
)


def make(text: str, language: str = "cs") -> Document:
    return Document("a.txt", text, language, "Latn", "2023-10", None, "")


@pytest.mark.parametrize(
    ("language", "question", "lacking"),
    [
        ("et", "Kes tarnis Venemaale 5000 konteinerit?", "5,000"),
        ("de", "Wann trafen die 5000 Container in Russland ein?", "5,000"),
        ("en", "What happened on 19 October?", "19 October"),
        ("en", "How did Zelensky react to the visit?", "Zelensky"),
        ("fi", "Milloin Joe Biden tapasi Kim Jong-unin?", "Joe"),
        ("uk", "Коли Кім запросив Сі Цзіньпіна?", "Сі"),
        ("en", "Why did Lavrov go to Japan?", "Japan"),
    ],
)
def test_a_number_date_or_name_that_the_article_lacks_is_reported(language: str, question: str, lacking: str) -> None:
    reason = find_unmet(question, language, make(CZECH))
    assert reason is not None
    assert lacking in reason


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("sr", "Какву ће традицију, по Кимовим речима, наследити војска?"),
        ("ko", "2019년 6월 30일에 김정은을 만난 미국 대통령은 누구입니까?"),
        ("ru", "Что говорится о переговорах с Ким Чен Ыном?"),
        ("es", "¿Qué se regalaron mutuamente Lavrov y Kim?"),
        ("tr", "Kim Jong-un, Rusya'nın Uzak Doğusu'nda ne yaptı?"),
        ("hu", "A Fehér Ház szerint mi történt?"),
        ("el", "Μπορείτε να μου πείτε τι έγινε όταν ήρθε ο Λαβρόφ;"),
        ("de", "Welche Agentur meldete die Lieferung der Container?"),
        ("uk", "Де, за повідомленнями ЗМІ, мала відбутися розмова Кіма?"),
        ("uk", "Куди прибув лідер Північної Кореї?"),
        ("en", "How many million containers were delivered?"),
    ],
)
def test_a_name_in_another_spelling_and_a_number_that_is_asked_for_are_not_missing(
    language: str, question: str
) -> None:
    assert find_unmet(question, language, make(CZECH)) is None


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("cs", "Kolik stála lautta v Turku?"),
        ("en", "What did Turku buy in March 2026?"),
        ("en", "What does the ferry between Turku and Ruissalo cost?"),
    ],
)
def test_nothing_is_missing_from_an_article_whose_language_has_no_table(language: str, question: str) -> None:
    text = "Turun kaupunki osti maaliskuussa 2026 sähkölautan. Lautta kulkee Turun ja Ruissalon väliä."
    assert find_unmet(question, language, make(text, "fi")) is None


def test_a_question_is_parsed_once_for_all_articles(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def note(text: str, language: str, year: int | None = None) -> Parsed:
        parsed.append(text)
        return parse(text, language, year)

    monkeypatch.setattr(verify, "parse", note)
    question = "Who visited the harbour of Rotterdam in 1987?"
    for text in ("Kim přijel v září.", "Lavrov přijel v říjnu.", "Putin přijel v červnu."):
        assert find_unmet(question, "en", make(text))
    assert parsed.count(question) == 1


@pytest.mark.parametrize(
    ("question", "is_met"),
    [
        ("When did Kim meet Trump before 2023?", True),
        ("Who has met Kim since 4 May 2017?", True),
        # Here the date is part of what happened.
        ("When did Kim meet Trump in 2023?", False),
        ("Who met Kim on 4 May 2017?", False),
        # The other numbers of the question are still taken for granted.
        ("When did Kim send 5000 containers before 2023?", False),
    ],
)
def test_a_date_that_only_ends_a_period_is_not_taken_for_granted(question: str, is_met: bool) -> None:
    reason = find_unmet(question, "en", make("Kim se 30. června 2019 setkal s Trumpem."), find_bounds(question, "en"))
    assert (reason is None) == is_met


@pytest.mark.parametrize(
    ("language", "text", "year", "is_met"),
    [
        ("en", "The port handled 1.9 million tonnes in 2024, against 1.6 million the year before.", 2023, True),
        ("en", "The port handled 1.9 million tonnes in 2024, against 1.6 million the year before.", 2022, False),
        ("cs", "V roce 2021 měla škola 80 žáků, o rok dříve jen 60.", 2020, True),
        ("de", "Die Stadt zählte 2019 mehr Gäste als im Vorjahr.", 2018, True),
        ("el", "Το μουσείο άνοιξε πέρυσι.", 2022, True),
        ("et", "Sild avati eelmisel aastal.", 2022, True),
        ("pl", "Most otwarto w zeszłym roku.", 2022, True),
        ("sr", "Мост је отворен прошле године.", 2022, True),
        ("da", "Havnen bliver udvidet næste år.", 2024, True),
        ("ru", "Мост откроют в этом году.", 2023, True),
        ("en", "The bridge opened last year.", 2021, False),
    ],
)
def test_a_year_that_the_article_names_by_words_is_not_missing(
    language: str, text: str, year: int, is_met: bool
) -> None:
    # The article is of 2023.
    reason = find_unmet(f"How much was it in {year}?", "en", make(text, language))
    assert (reason is None) == is_met


def test_without_a_date_of_the_article_last_year_is_no_known_year() -> None:
    article = Document("a.txt", "The bridge opened last year.", "en", "Latn", None, None, "")
    assert find_unmet("What opened in 2022?", "en", article)
