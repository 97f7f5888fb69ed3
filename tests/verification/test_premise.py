"""An article must have the numbers, dates and names that a question takes for granted."""

import pytest

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
    told = find_unmet(question, language, make(CZECH))
    assert told is not None
    assert lacking in told


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
def test_nothing_lacks_that_has_another_spelling_or_is_only_asked_for(language: str, question: str) -> None:
    assert find_unmet(question, language, make(CZECH)) is None


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("cs", "Kolik stála lautta v Turku?"),
        ("en", "What did Turku buy in March 2026?"),
        ("en", "What does the ferry between Turku and Ruissalo cost?"),
    ],
)
def test_nothing_lacks_in_an_article_whose_language_has_no_table(language: str, question: str) -> None:
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
