"""A citation quotes the sentence of the passage that bears the statement, and says where it stands."""

from hypothesis import given
from hypothesis import strategies as st

from rag.passages import split_sentences
from rag.types import Hit, Passage, Statement
from rag.verification import cite
from tests.fakes import WordEncoder

SENTENCES = ("The harbour opened in May.", "It cost nine million.", "Boats may enter at night.", "Ještě 18. října ne!")


def make_statement(text: str, before: str, body: str) -> tuple[str, Statement]:
    """A document and a statement about the passage that begins after `before` in it."""
    start = len(before)
    passage = Passage("a.txt", body, start, start + len(body), "en", "Latn", "2025-07", None)
    return before + body, Statement(text, Hit(1, 0.9, passage))


def test_the_sentence_nearest_to_question_and_statement_is_quoted() -> None:
    document, statement = make_statement("Nine million.", "A heading\n\n", " ".join(SENTENCES))
    citation = cite(statement, "What did it cost?", 3, WordEncoder())
    assert citation.quote == "It cost nine million."
    assert document[citation.start : citation.end] == citation.quote
    assert (citation.number, citation.source, citation.language, citation.script, citation.date) == (
        3, "a.txt", "en", "Latn", "2025-07",
    )  # fmt: skip


@given(
    st.text(max_size=30),
    st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=6),
    st.sampled_from([" ", "\n", "\n\n", "  "]),
    st.text(max_size=40),
)
def test_whatever_is_said_the_quote_is_one_whole_sentence_of_the_document(
    before: str, sentences: list[str], space: str, said: str
) -> None:
    document, statement = make_statement(said, before, space.join(sentences))
    citation = cite(statement, "Why?", 1, WordEncoder())
    assert document[citation.start : citation.end] == citation.quote
    passage = statement.hit.passage
    assert (citation.start - passage.start, citation.end - passage.start) in split_sentences(passage.text, "en")
