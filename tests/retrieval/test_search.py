"""Passages are ordered by their tokens: rare tokens of the question decide, whatever the language."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.encoding.matching import match
from rag.encoding.query import Query
from rag.index.index import Index
from rag.retrieval.periods import Period
from rag.retrieval.search import retrieve
from rag.testing import WordEncoder
from rag.text.dates import PartialDate
from rag.text.language import Language
from rag.types import Document, Filter, Hit, Passage, Tokens, Vectors
from tests.index.test_index import make_document, write

RARITY = 4.0


def tokens(*axes: int) -> Tokens:
    """Return tokens along axes of a space of eight dimensions."""
    return (np.eye(8)[list(axes)] * 127).astype(np.int8)[:, np.newaxis]


def match_plainly(question: Tokens, passages: list[Tokens]) -> Vectors:
    return match(question, passages, RARITY)


def test_a_passage_with_all_tokens_of_the_question_scores_one() -> None:
    assert match_plainly(tokens(0, 1), [tokens(1, 0, 5)])[0] == pytest.approx(1)


def test_neither_the_order_of_tokens_nor_further_ones_matter() -> None:
    plain, long = match_plainly(tokens(0, 1), [tokens(0, 1), tokens(7, 1, 6, 0, 5)])
    assert plain == long


def test_a_rare_token_of_the_question_counts_more_than_common_ones() -> None:
    question = tokens(0, 1, 2)
    common = [tokens(0, 1, axis) for axis in (4, 5, 6)]
    scores = match_plainly(question, [*common, tokens(2, 7)])
    assert scores[3] > scores[:3].max()


def test_the_match_expected_of_any_text_in_the_language_is_subtracted() -> None:
    passages = [tokens(0, 1), tokens(0, 1)]
    easy, hard = match(tokens(0, 1), passages, RARITY, [np.full(2, 0.4, np.float32), np.full(2, 0.1, np.float32)])
    assert hard - easy == pytest.approx(0.3, abs=1e-6)


def test_each_layer_finds_its_own_best_token() -> None:
    def layers(*pairs: tuple[int, int]) -> Tokens:
        return np.concatenate([tokens(*axes) for axes in zip(*pairs, strict=True)], axis=1)

    together, apart, half = match(
        layers((0, 1)), [layers((0, 1), (6, 7)), layers((0, 7), (6, 1)), layers((0, 7), (6, 7))], RARITY
    )
    assert together == pytest.approx(apart)
    assert half == pytest.approx(together / 2)


def find(folder: Path, *articles: tuple[Document, list[Passage]], question: str, **wanted: object) -> tuple[Hit, ...]:
    write(folder / "news", *articles)
    query = Query(question, Language("en", "Latn"), WordEncoder())
    return retrieve(query, Index.open(folder / "news"), 3, **wanted)  # type: ignore[arg-type]


def test_passages_with_the_same_words_make_one_hit_that_names_both_sources(tmp_path: Path) -> None:
    texts = {"one.txt": "The harbour opened.", "two.txt": "The  harbour opened!", "three.txt": "The harbour closed."}
    articles = [make_document(source, text) for source, text in texts.items()]
    hits = find(tmp_path, *articles, question="harbour opened")
    assert [(hit.rank, hit.passage.source, hit.also) for hit in hits] == [
        (1, "one.txt", ("two.txt",)),
        (2, "three.txt", ()),
    ]


def test_copies_do_not_crowd_out_other_passages(tmp_path: Path) -> None:
    count = 2 * WordEncoder().settings.candidates
    copies = [make_document(f"copy{n}.txt", "The harbour opened.") for n in range(count)]
    hits = find(tmp_path, *copies, make_document("other.txt", "Pears did not ripen."), question="harbour opened")
    assert [hit.passage.source for hit in hits] == ["copy0.txt", "other.txt"]
    assert len(hits[0].also) == count - 1


def test_documents_of_the_period_are_preferred_and_others_stay(tmp_path: Path) -> None:
    def dated(source: str, date: str | None) -> tuple[Document, list[Passage]]:
        document, passages = make_document(source, f"The harbour opened, says {source}.")
        return replace(document, date=date), [replace(passage, date=date) for passage in passages]

    articles = [dated("none.txt", None), dated("old.txt", "2019-03"), dated("new.txt", "2024-05-02")]
    hits = find(tmp_path, *articles, question="harbour opened", period=Period(PartialDate(2024), PartialDate(2024)))
    assert hits[0].passage.source == "new.txt"
    assert len(hits) == 3


def test_a_filter_that_lets_nothing_through_leaves_no_hits(tmp_path: Path) -> None:
    article = make_document("one.txt", "The harbour opened.")
    assert find(tmp_path, article, question="harbour", among=Filter(languages=("ja",))) == ()
