"""An article of another date that says the contrary of the quoted one is shown beside it."""

import pytest

from rag.answering.accounts import add_contrary
from rag.answering.citations import cite
from rag.config import ROOT
from rag.encoding.query import Query
from rag.testing import WordEncoder
from rag.text.language import Language
from rag.text.prompts import Prompts
from rag.types import Document, Hit, Passage

PROMPTS = Prompts.load(ROOT / "prompts")
MAY = "The Lindale ferry may stop running in June, the council said on Saturday."
NOT = "The Lindale ferry will not stop running, the new mayor told the council."


def make(source: str, text: str, date: str | None, language: str = "en") -> Hit:
    passage = Passage(source, text, 0, len(text), language, "Latn", date, None)
    return Hit(1, 0.9, passage)


def make_article(passage: Passage) -> Document:
    return Document(passage.source, passage.text, passage.language, passage.script, passage.date, None, "")


def answer(*hits: Hit, asked: str = "en") -> tuple[str, list[str]]:
    query = Query("Will the ferry stop?", Language(asked, "Latn"), WordEncoder())
    first = hits[0].passage
    end = first.text.index(".") + 1
    documents = {hit.passage.source: make_article(hit.passage) for hit in hits}
    phrased = f"“{first.text[:end]}” [1]", (cite(documents[first.source], (0, end), 1),)
    text, citations = add_contrary(phrased, hits, query, PROMPTS, documents.__getitem__)
    return text, [citation.source for citation in citations]


def test_both_are_quoted_with_their_dates_the_newest_first_and_the_contradiction_is_said() -> None:
    text, sources = answer(make("old.txt", MAY, "2023-11-04"), make("new.txt", f"It is old. {NOT}", "2025-02"))
    assert text.splitlines() == [
        f"The article says (English, 2025-02): “{NOT}” [1]",
        f"The article says (English, 2023-11-04): “{MAY}” [2]",
        "The newer article contradicts the older one.",
    ]
    assert sources == ["new.txt", "old.txt"]


def test_a_negation_joined_to_the_verb_and_the_language_of_the_question_are_heard() -> None:
    old = make("old.txt", "Škola v Brodku se v červnu zavře, řekl starosta.", "2023", "cs")
    new = make("new.txt", "Škola v Brodku se nezavře, oznámila nová starostka.", "2024", "cs")
    text, sources = answer(new, old, asked="et")
    assert sources == ["new.txt", "old.txt"]
    assert text.splitlines()[-1] == "Uuem artikkel räägib vanemale vastu."


@pytest.mark.parametrize(
    "other",
    [
        make("a.txt", NOT, None),
        make("a.txt", NOT, "2023"),
        make("a.txt", "The Lindale ferry will stop running, the council said.", "2025"),
        make("a.txt", "The school in Lindale will not close, the council said.", "2025"),
        make("a.txt", "Trajekt v Lindale jezdit nepřestane, řekl starosta.", "2025", "cs"),
    ],
    ids=["no date", "same date", "no denial", "another subject", "another language"],
)
def test_nothing_is_added_without_a_contradiction(other: Hit) -> None:
    text, sources = answer(make("old.txt", MAY, "2023"), other)
    assert sources == ["old.txt"]
    assert text == f"“{MAY}” [1]"
