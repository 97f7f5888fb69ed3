"""Questions about the articles as a collection: answered from the index, each line quoted, nothing guessed."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from evaluation.cases import half_of, load_answerable, load_catalogue, load_unanswerable
from rag.answering.answer import Answer
from rag.answering.events import Answered
from rag.answering.named_languages import find_language
from rag.assistant import Assistant
from rag.config import ROOT, Config
from rag.index.index import Index
from rag.index.index_writer import IndexWriter
from rag.testing import DIMENSION, ScriptedGenerator, WordEncoder
from rag.text.language import Language
from rag.text.prompts import Prompts
from tests.index.test_index import make_document

PROMPTS = Prompts.load(ROOT / "prompts")
ARTICLES = (
    ("new.txt", "el", "2025-07", "The harbour opened. The harbour cost nine million. Boats enter the harbour. Birds."),
    ("old.txt", "el", "2023-09-01", "Apples ripened early. Pears did not."),
    ("undated.txt", "et", None, "Sild avati. Sild maksis palju."),
)
ASKED = Language("en", "Latn")
Make = Callable[..., Assistant]


@pytest.fixture
def assistant(make: Make) -> Assistant:
    return make(*ARTICLES)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return partial(build, tmp_path)


def build(tmp_path: Path, *articles: tuple[str, str, str | None, str]) -> Assistant:
    encoder = WordEncoder()
    with IndexWriter(tmp_path / "default", DIMENSION) as draft:
        for source, language, date, text in articles:
            document, passages = make_document(source, text)
            passages = [replace(passage, language=language, date=date) for passage in passages]
            encodings = encoder.encode([passage.text for passage in passages], "passage")
            draft.add(replace(document, language=language, date=date), len(text), passages, encodings)
        draft.commit(encoder, 160, [tmp_path])
    return Assistant(
        Config(indexes=tmp_path), Index.open(tmp_path / "default"), encoder, ScriptedGenerator("Apples."), PROMPTS
    )


def sources(answer: Answer) -> list[str]:
    return [citation.source for citation in answer.citations]


def test_articles_are_listed_newest_first_each_by_its_first_sentence(assistant: Assistant) -> None:
    (event,) = assistant.ask("Which articles do you have?")
    assert isinstance(event, Answered)
    answer = event.answer
    assert answer.text.splitlines() == [
        "Articles: 3",
        "“The harbour opened.” (Greek, 2025-07) [1]",
        "“Apples ripened early.” (Greek, 2023-09-01) [2]",
        "“Sild avati.” (Estonian) [3]",
    ]
    assert sources(answer) == ["new.txt", "old.txt", "undated.txt"]
    assert not answer.abstained
    assert answer.quoted


def test_every_line_is_verbatim_at_the_offsets_of_its_citation(assistant: Assistant) -> None:
    for question in ("List all articles.", "Summarise the Estonian article.", "What is the oldest article?"):
        for citation in assistant.answer(question).citations:
            text = assistant.open_article(citation.source).text
            assert text[citation.start : citation.end] == citation.quote


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is the newest article?", ["new.txt"]),
        ("Which article is the latest?", ["new.txt"]),
        ("What is the oldest article?", ["old.txt"]),
        ("How many articles are in Greek?", ["new.txt", "old.txt"]),
        ("Wie viele Artikel gibt es auf Tschechisch?", []),
        ("Summarise the Estonian article.", ["undated.txt", "undated.txt"]),
        # Two articles are in Greek, so it is unclear which one to summarise.
        ("What is the Greek article about?", ["new.txt", "old.txt"]),
        ("What is the newest?", ["new.txt"]),
    ],
)
def test_the_articles_that_are_asked_for_are_cited(assistant: Assistant, question: str, expected: list[str]) -> None:
    assert sources(assistant.answer(question)) == expected


def test_the_answer_is_in_the_language_of_the_question(assistant: Assistant) -> None:
    answer = assistant.answer("Jaké články máš?")
    assert answer.language == "cs"
    assert answer.text.startswith("Články: 3\n“The harbour opened.” (řečtina, 2025-07) [1]")


def test_a_question_about_the_content_of_articles_is_searched_for(assistant: Assistant) -> None:
    assert assistant.answer("When did apples ripen?").hits
    assert assistant.answer("What does the article say of the price of harbours?").hits
    # Without the name these would be questions about the collection.
    assert assistant.answer("Which articles do you have of Lavrov?").hits
    assert assistant.answer("Which articles do you have of Greece?").hits


def test_articles_are_counted_in_all_by_language_and_by_time(assistant: Assistant) -> None:
    counts = {
        "How many articles are there?": 3,
        "How many articles are in Greek?": 2,
        "How many articles are from 2023?": 1,
        "How many articles are from before 2024?": 1,
        "How many Greek articles are from 2025?": 1,
        "How many Estonian articles are from 2025?": 0,
        "Kolik článků je z roku 2025?": 1,
    }
    for question, count in counts.items():
        answer = assistant.answer(question)
        assert answer.text.splitlines()[0] in (f"Articles: {count}", f"Články: {count}"), question
        assert len(answer.citations) == count
        assert not answer.abstained


def test_the_languages_of_the_articles_are_counted(assistant: Assistant) -> None:
    answer = assistant.answer("Which languages are the articles in?")
    assert answer.text == "Languages of the articles: Greek (2), Estonian (1)"
    assert not answer.abstained


def test_articles_that_mention_a_name_are_counted_and_the_sentence_that_does_is_cited(make: Make) -> None:
    assistant = make(
        ("a.txt", "en", "2024", "The harbour is old. Port Salen has a new harbour master, Lucien Abara."),
        ("b.txt", "cs", "2025", "Přístav v Port Salenu byl rozšířen."),
        ("c.txt", "ru", None, "Люсьен Абара приехал в Порт Сален в среду."),
        ("d.txt", "en", None, "The port of Vance is closed. Salen is a village."),
    )
    answer = assistant.answer("How many articles mention Port Salen?")
    assert answer.text.splitlines()[0] == "Articles that mention “Port Salen”: 3"
    assert sources(answer) == ["b.txt", "a.txt", "c.txt"]
    assert answer.citations[1].quote == "Port Salen has a new harbour master, Lucien Abara."
    assert sources(assistant.answer("Kolik článků zmiňuje Abaru?")) == ["a.txt", "c.txt"]
    nobody = assistant.answer("Which articles mention Fenwick?")
    assert nobody.text == "Articles that mention “Fenwick”: 0"
    assert not nobody.abstained


def test_a_country_is_found_by_the_name_that_each_language_has_for_it(make: Make) -> None:
    assistant = make(
        ("a.txt", "cs", None, "Ministr přijel do Severní Koreje."),
        ("b.txt", "pl", None, "Minister wrócił z Korei Północnej."),
        ("c.txt", "en", None, "The minister stayed in South Korea."),
    )
    assert sources(assistant.answer("Which articles mention North Korea?")) == ["a.txt", "b.txt"]


def test_articles_about_a_topic_are_searched_for_and_counted(make: Make) -> None:
    assistant = make(
        ("a.txt", "en", None, "bridges bridges bridges"),
        ("b.txt", "en", None, "schools apples pears harbour boats"),
        ("c.txt", "en", "2020", "bridges bridges"),
    )
    answer = assistant.answer("Which articles are about bridges?")
    assert answer.text.splitlines()[0] == "Articles that may be about this: 2"
    assert sorted(sources(answer)) == ["a.txt", "c.txt"]
    assert sources(assistant.answer("Which articles from 2020 are about bridges?")) == ["c.txt"]
    # Nothing is near enough, so the question is searched for as any other.
    assert assistant.answer("Which articles are about surgery?").hits


def test_what_cannot_be_counted_is_said_to_be_that(assistant: Assistant) -> None:
    for question in ("How many words are in the articles?", "How many articles are written by women?"):
        answer = assistant.answer(question)
        assert answer.text == "That cannot be counted. Only articles can be counted."
        assert not answer.abstained


def test_a_file_that_is_named_is_summarised(assistant: Assistant) -> None:
    for question in ("Summarise new.txt", "What is new.txt about?", "Shrň mi new.txt"):
        answer = assistant.answer(question)
        assert set(sources(answer)) == {"new.txt"}, question
        assert len(answer.citations) == 3
    assert assistant.answer("When did the harbour of new.txt open?").hits


@pytest.mark.parametrize(
    ("question", "language", "named"),
    [
        ("Summarise the Estonian article", "en", "et"),
        ("O čem je český článek?", "cs", "cs"),
        ("Kolik je článků v řečtině?", "cs", "el"),
        ("Ile jest artykułów po serbsku?", "pl", "sr"),
        ("Укратко препричај пољски чланак", "sr", "pl"),
        ("Πόσα άρθρα είναι στα εσθονικά;", "el", "et"),
        ("Mitu artiklit on kreeka keeles?", "et", "el"),
        ("Résume l'article polonais", "fr", "pl"),
        ("Shrň německý článek", "cs", "de"),
        ("Welche griechischen Artikel gibt es?", "de", "el"),
        ("Vat het Griekse artikel samen", "nl", "el"),
        ("Yunanca makale hangisi?", "tr", "el"),
        ("How many articles are in german?", "en", "de"),
        ("Which articles can you search?", "en", None),
        ("Hangi makaleler var?", "tr", None),
        # A word begins like the name of Latvian, Finnish, Polish or Czech.
        ("What is the latest article?", "en", None),
        ("Hur många artiklar finns det?", "sv", None),
        ("List all articles about politics.", "en", None),
        ("Které články jsou o cestách?", "cs", None),
        # A country is not a language.
        ("What is the newest article about Russia?", "en", None),
        ("Shrň článek o Maďarsku", "cs", None),
        ("O čemu je članak o Češkoj?", "hr", None),
        # Indonesian has one word for Greece and Greek.
        ("Berapa artikel dalam bahasa Yunani?", "id", "el"),
        ("Streść artykuł o Polsce", "pl", None),
        ("Welche Artikel kommen aus Deutschland?", "de", None),
        ("Ποια άρθρα είναι για τη Ρωσία;", "el", None),
    ],
)
def test_the_language_that_a_question_names_is_found(question: str, language: str, named: str | None) -> None:
    among = {tag.partition("-")[0] for tag in PROMPTS.sentences}
    script = {"el": "Grek", "sr": "Cyrl"}.get(language, "Latn")
    assert find_language(question, Language(language, script), among) == named


def test_the_cases_are_of_every_kind_in_many_languages_and_in_both_halves() -> None:
    cases = load_catalogue()
    assert len({case.id for case in cases}) == len(cases) >= 40
    assert {case.kind for case in cases} == {"list", "newest", "oldest", "summary", "none"}
    assert len({case.language for case in cases}) >= 12
    assert not {case.question for case in cases} & {
        case.question for case in (*load_answerable(), *load_unanswerable())
    }
    assert {half_of(case.id) for case in cases} == {"development", "held-back"}
