"""Questions that the page offers: made from names in the articles, in the reader's language first."""

import re
from pathlib import Path

import pytest

from rag.assistant import Assistant
from rag.config import ROOT, Config
from rag.index.index import Index
from rag.ingest.build import build_index
from rag.page.examples import Examples
from rag.page.labels import Wording
from rag.page.topics import find_topics
from rag.testing import SPEAKING, ScriptedGenerator, WordEncoder
from rag.text.language import detect
from rag.text.prompts import Prompts
from rag.types import Document

PROMPTS = Prompts.load(ROOT / "prompts")
ARTICLES = {
    "harbour.txt": "The harbour of Tallinn was opened by Kersti Kask. It is deep. Kersti Kask cut the ribbon in May.",
    "most.txt": "Nový most přes řeku Vltavu otevřel starosta Karel Novotný. Karla Novotného přišlo vidět sto lidí.",
    "λιμάνι.txt": "Ο δήμαρχος Νίκος Παππάς εγκαινίασε το λιμάνι. Ο Νίκος Παππάς μίλησε για τη θάλασσα.",
}


def make_assistant(folder: Path, articles: dict[str, str]) -> Assistant:
    corpus = folder / "corpus"
    corpus.mkdir()
    for name, text in articles.items():
        (corpus / name).write_text(text, encoding="utf-8")
    config = Config(indexes=folder / "indexes", corpus=corpus)
    build_index(config=config, encoder=WordEncoder())
    index = Index.open(config.indexes / config.index)
    return Assistant(config, index, WordEncoder(), ScriptedGenerator(""), PROMPTS, SPEAKING)


def list_offered(examples: Examples, tag: str = "en") -> list[tuple[str, str]]:
    """Return the language and the question of each button."""
    drawn = examples.draw(Wording(PROMPTS, tag))
    return re.findall(r'lang="([\w-]+)">(.*?)</button>', drawn)


def make_document(text: str, language: str = "en", script: str = "Latn") -> Document:
    return Document("a.txt", text, language, script, None, None, "")


def test_there_is_one_question_in_each_language_and_the_readers_language_comes_first(tmp_path: Path) -> None:
    examples = Examples(make_assistant(tmp_path, ARTICLES))
    for tag in PROMPTS.page:
        tags = [offered for offered, _ in list_offered(examples, tag)]
        assert tags[0] == tag
        languages = [offered.partition("-")[0] for offered in tags]
        assert sorted(languages) == ["cs", "el", "en", "et", "pl", "sr"]


def test_each_question_is_in_its_language_and_finds_its_topic_in_an_article_in_another(tmp_path: Path) -> None:
    assistant = make_assistant(tmp_path, ARTICLES)
    for tag, question in list_offered(Examples(assistant)):
        language = tag.partition("-")[0]
        assert detect(question).code == language
        first = assistant.search(question, 1)[0].passage
        assert re.findall("[“„«](.*)[”“»]", question)[0] in first.text
        assert first.language != language


def test_the_questions_stay_the_same_until_the_index_changes(tmp_path: Path) -> None:
    assistant = make_assistant(tmp_path, ARTICLES)
    examples = Examples(assistant)
    before = list_offered(examples)
    assert list_offered(Examples(assistant)) == list_offered(examples) == before
    for file in (tmp_path / "corpus").iterdir():
        file.unlink()
    (tmp_path / "corpus" / "jarvi.txt").write_text("Kapteeni Aino Virtanen purjehti järvellä. Aino Virtanen voitti.")
    build_index(config=assistant.config, encoder=assistant.encoder)
    assert list_offered(examples) == before
    assistant.refresh()
    after = list_offered(examples)
    assert after
    assert all("Aino Virtanen" in question for _, question in after)


def test_a_corpus_in_the_readers_language_alone_is_asked_about_in_that_language(tmp_path: Path) -> None:
    examples = Examples(make_assistant(tmp_path, {"harbour.txt": ARTICLES["harbour.txt"]}))
    assert list_offered(examples)[0] == ("en", "What is written on the topic of “Kersti Kask”?")


def test_articles_without_topics_give_neither_questions_nor_a_heading(tmp_path: Path) -> None:
    assistant = make_assistant(tmp_path, {"a.txt": "word " * 100})
    assert Examples(assistant).draw(Wording(PROMPTS, "en")) == ""


def test_markup_in_a_name_is_text(tmp_path: Path) -> None:
    text = '<img src="x"> {name}, μιλούσε για ώρα με τους εργάτες του λιμανιού'
    drawn = Examples(make_assistant(tmp_path, {"a.txt": text})).draw(Wording(PROMPTS, "en"))
    assert "img src" in drawn
    assert "<img" not in drawn
    assert not set("$`{}") & set(drawn)


@pytest.mark.parametrize(
    ("text", "language", "script", "topic"),
    [
        # The basic form of a name is the one that the others begin with. Names of several words come first.
        ("O Kim Dzong Una pytano w Moskwie. Wtedy Kim Dzong Un wyszedł, a Kim Dzong Unowi klaskano.", "pl", "Latn",
         "Kim Dzong Un"),
        ("In May, the Orchard of Brno had John Kirby as a guest; with John Kirby came rain.", "en", "Latn",
         "John Kirby"),
        # A capital at the beginning of a sentence does not make a name, nor does the capital of a month.
        ("Apples ripen. Pears wait until September for Brno. Apples ripen.", "en", "Latn", "Brno"),
        # Without capitals the topic is the first words.
        ("東京の新しい図書館が開館した。多くの人が訪れた。", "ja", "Jpan", "東京の新しい図書館が開館した"),
        ("apples and pears, all of them ripe", "en", "Latn", "apples and pears"),
    ],
)  # fmt: skip
def test_the_first_topic_of_an_article(text: str, language: str, script: str, topic: str) -> None:
    assert find_topics(make_document(text, language, script))[0] == topic


@pytest.mark.parametrize("text", ["", "   ", "x", "…", "word " * 100])
def test_an_article_without_names_and_first_words_has_no_topics(text: str) -> None:
    assert find_topics(make_document(text)) == []
