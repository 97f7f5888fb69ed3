"""The language of a question, as the conversation and the articles decide it."""

from dataclasses import replace
from pathlib import Path

import pytest

from rag.index.index import Index
from rag.index.index_writer import IndexWriter
from rag.retrieval.languages import detect_asked, weigh_languages
from rag.testing import DIMENSION, WordEncoder
from rag.types import Turn
from tests.index.test_index import make_document

ARTICLES = (
    ("bazar.txt", "cs", "Plavecký bazén v Lipině se otevírá v pondělí. Vstupné stojí dvě koruny."),
    ("most.txt", "sl", "Novi most so odprli v sredo."),
    ("ferge.txt", "no", "Ferja til Storøya kostet ti kroner."),
)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    encoder = WordEncoder()
    with IndexWriter(tmp_path / "default", DIMENSION) as draft:
        for source, language, text in ARTICLES:
            document, passages = make_document(source, text)
            passages = [replace(passage, language=language) for passage in passages]
            encodings = encoder.encode([passage.text for passage in passages], "passage")
            draft.add(replace(document, language=language), len(text), passages, encodings)
        draft.commit(encoder, 160, [tmp_path])
    return Index.open(tmp_path / "default")


@pytest.mark.parametrize(
    ("question", "before", "language"),
    [
        ("And in Poland?", "Kdy se konají volby v Česku?", "en"),
        ("And in 2025?", "Koho potkal Lavrov v září 2023?", "en"),
        ("A v roce 2025?", "Who did Lavrov meet in September 2023?", "cs"),
        ("A v Polsku?", "Kdy se konají volby v Česku?", "cs"),
        ("Lavrov?", "Kdy se konají volby v Česku?", "cs"),
        ("¿En qué año?", "¿Cuándo llegó Lavrov a Corea del Norte?", "es"),
    ],
)
def test_a_short_question_is_in_the_language_before_it_unless_it_opens_as_another_does(
    question: str, before: str, language: str
) -> None:
    assert detect_asked(question, [Turn(before, "…")], {}).code == language


@pytest.mark.parametrize(
    ("question", "language"),
    [
        # Accents and lower case tell nothing here; the Czech article has these words.
        ("LIPINA BAZEN VSTUPNE", "cs"),
        ("lipina bazen", "cs"),
        # Norwegian and Danish ask this in the same words, and only the Norwegian one is a language of the articles.
        ("Hvem er Solveig?", "no"),
        # A name that an article has does not make its language likelier.
        ("Who met Lipina?", "en"),
        ("Wer ist Lipina?", "de"),
    ],
)
def test_the_articles_decide_between_the_languages_that_a_short_question_may_be_in(
    index: Index, question: str, language: str
) -> None:
    assert detect_asked(question, (), weigh_languages(question, index, WordEncoder())).code == language
