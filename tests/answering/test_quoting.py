"""The quote is the sentence that answers, as the reader marked it or as its tokens match, and never a heading alone."""

from rag.answering.quoting import choose_quote
from rag.encoding.query import Query
from rag.testing import WordEncoder
from rag.text.language import Language
from rag.types import AnswerSpan, Hit, Passage, PassageReading
from tests.index.test_index import make_document

BREWERY = "The Lomnica brewery changed hands in March. Visitors are not let in. Katarina Holub makes the beer."


def quote(question: str, text: str, *marked: str, odds: float = 2.0, language: str = "en") -> tuple[str, str | None]:
    """Return the quote and the answering words, where a reader marked some words."""
    passage = Passage("a.txt", text, 100, 100 + len(text), language, "Latn", None, None)
    spans = tuple(AnswerSpan(text.index(words), text.index(words) + len(words), odds) for words in marked)
    hit = Hit(1, 0.5, passage, reading=PassageReading(2.0, spans) if marked else None)
    document = make_document("a.txt", " " * 100 + text)[0]
    found = choose_quote(Query(question, Language(language, "Latn"), WordEncoder()), hit, document)
    return text[slice(*found.span)], text[slice(*found.short)] if found.short else None


def test_without_a_reader_neighbouring_sentences_that_match_alike_are_quoted() -> None:
    text = "Pears ripened late. The harbour opened in May. The harbour closed in June. Boats left at night."
    question = "What about the harbour?"
    assert quote(question, text) == ("The harbour opened in May. The harbour closed in June.", None)
    assert quote("What did the harbour cost?", "Pears ripened late.") == ("Pears ripened late.", None)


def test_a_neighbour_that_answers_much_worse_is_not_quoted() -> None:
    text = "Pears ripened late. The new harbour in the north cost nine million. Boats left at night."
    found, _ = quote("The new harbour in the north cost?", text)
    assert found == "The new harbour in the north cost nine million."


def test_of_similar_sentences_the_one_with_the_time_asked_for_is_quoted() -> None:
    text = "The harbour was opened at last. Pears ripened. It rained. The harbour was opened in May 2019 by a minister."
    found, _ = quote("When was the harbour opened?", text)
    assert "May 2019" in found
    found, _ = quote("Why was the harbour opened?", text)
    assert "May 2019" not in found


def test_the_sentence_with_the_marked_words_is_quoted_although_another_repeats_the_subject() -> None:
    question = "Who is the brewmaster of the Lomnica brewery?"
    assert quote(question, BREWERY)[0].startswith("The Lomnica brewery")
    assert quote(question, BREWERY, "Katarina Holub") == ("Katarina Holub makes the beer.", "Katarina Holub")


def test_words_that_the_reader_hardly_believes_in_do_not_decide() -> None:
    found, short = quote("The Lomnica brewery changed hands?", BREWERY, "Katarina Holub", odds=-8.0)
    assert (found, short) == ("The Lomnica brewery changed hands in March.", None)


def test_an_answer_across_two_sentences_is_marked_only_if_both_are_quoted() -> None:
    text = "The harbour cost nine million. Euros were paid. Pears ripened."
    _, short = quote("What did the harbour cost?", text, "nine million. Euros")
    assert short is None


def test_a_title_is_not_quoted_although_it_repeats_the_question() -> None:
    text = "The brewmaster of the Lomnica brewery\n\nIt changed hands in March. Katarina Holub makes the beer."
    found, _ = quote("The brewmaster of the Lomnica brewery?", text)
    assert "brewery" not in found
