"""Passages are exact, ordered and complete, fit the encoder, and follow sentences, paragraphs and languages."""

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rag.ingest.documents import File, read, walk
from rag.ingest.splitting import cut
from rag.text.invisible import drop_hidden
from rag.text.sentences import split_paragraphs, split_sentences
from rag.types import Document, Passage

SEEDS = Path(__file__).parents[2] / "seeds"
FRAGMENTS = [
    "Ministr přijel. ", "Пошао је кући.", "Μίλησε ο υπουργός; ", "今天见面。", "r. ", "19. ", "\n", "\n\n", " \n \n",
    "\u00a0", "\u2028", "e\u0301", "😀", "👩\u200d👩\u200d👧", "Dr. ", '"', "!", "…", "A\u00a0.", "slovo ", "x" * 50,
    "\t", "https://a.b/c ", "字" * 40, "\x85",
]  # fmt: skip


def count_tokens(texts: Sequence[str]) -> list[int]:
    """Count a token for every four bytes of a word. As with encoders, the counts of parts need not add up."""
    return [sum(-(-len(word.encode()) // 4) for word in text.split()) for text in texts]


def article(text: str, language: str = "cs", script: str = "Latn") -> Document:
    return Document("a.txt", text, language, script, "2025-07", "Titulek", "0" * 64)


def passages(text: str, max_tokens: int = 40, language: str = "cs", script: str = "Latn") -> list[Passage]:
    return cut(article(text, language, script), max_tokens, count_tokens)


def sentences(text: str, language: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, language)]


@settings(max_examples=150, deadline=None)
@given(
    text=st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=60).map("".join),
    max_tokens=st.integers(4, 60),
    language=st.sampled_from(["cs", "el", "sr", "zh", "ar"]),
)
@example(text="B\u00a0. A\u00a0.\u00a0Ž.", max_tokens=4, language="en")
def test_passages_are_exact_ordered_complete_and_within_the_limit(text: str, max_tokens: int, language: str) -> None:
    found = passages(text, max_tokens, language)
    assert all(text[p.start : p.end] == p.text == p.text.strip() != "" for p in found)
    assert all(before.end <= after.start for before, after in pairwise(found))
    edges = [0, *(edge for p in found for edge in (p.start, p.end)), len(text)]
    assert "".join(text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)).strip() == ""
    assert all(
        tokens <= max_tokens or len(p.text) == 1
        for p, tokens in zip(found, count_tokens([drop_hidden(p.text) for p in found]), strict=True)
    )


@given(text=st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join))
@settings(max_examples=50, deadline=None)
def test_sentences_are_exact_ordered_and_complete(text: str) -> None:
    spans = split_sentences(text, "cs")
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())


def test_the_five_articles() -> None:
    documents = [read(file) for file in walk([SEEDS]) if isinstance(file, File)]
    found = [
        cut(d, 160, lambda texts: [len(text) // 4 for text in texts]) for d in documents if isinstance(d, Document)
    ]
    assert [[*dict.fromkeys(p.language for p in ps)] for ps in found] == [["cs"], ["el", "en"], ["et"], ["sr"], ["pl"]]
    english = [p for p in found[1] if p.language == "en"]
    assert english[0].text.startswith("BREAKING:\nRussian Foreign Minister")
    assert english[-1].text.endswith("July 12, 2025")
    assert {p.script for p in english} == {"Latn"}
    assert found[3][0].text.startswith("Ким Џонг Ун позвао Путина да посети Северну Кореју\nСевернокорејски лидер")
    assert any(p.text.startswith("Rosja. Spotkanie Kim Dzong Una i Władimira Putina\n\nOstatnia") for p in found[4])
    assert {(p.source, p.date, p.title) for p in found[2]} == {("002_f479d6fd843f1435.txt", "2025-07", None)}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Lavrov navštíví KLDR ve dnech 18. a 19. října na pozvání ministerstva.", "cs"),
        ("Přeprava se uskutečnila od 7. září do 1. října.", "cs"),
        ("Последњи пут су се срели у априлу 2019. године у Владивостоку.", "sr"),
        ("Rozmowa miała miejsce w kwietniu 2019 r. w Rosji.", "pl"),
        ("30 czerwca 2019 r. doszło do kolejnego spotkania.", "pl"),
        ("Ο κ. Λαβρόφ είπε ακόμα πως ο κ. Πούτιν ελπίζει.", "el"),
    ],
)
def test_a_full_stop_within_a_sentence_does_not_end_it(text: str, language: str) -> None:
    assert sentences(text, language) == [text]


def test_sentences_without_capitals_are_separated() -> None:
    assert sentences("მინისტრი ჩამოვიდა. პრეზიდენტი შეხვდა.", "ka") == ["მინისტრი ჩამოვიდა.", "პრეზიდენტი შეხვდა."]
    assert sentences("今天见面。明天再见。", "zh") == ["今天见面。", "明天再见。"]


def test_a_newline_ends_a_paragraph_unless_the_line_was_full() -> None:
    wrapped = "Ministr zahraničí přijel ve čtvrtek do\nhlavního města na pozvání prezidenta\nrepubliky."
    assert [wrapped[start:end] for start, end in split_paragraphs(wrapped)] == [wrapped]
    listed = "Nadpis\nMinistr zahraničí přijel ve čtvrtek do města.\nKonec."
    assert [listed[start:end] for start, end in split_paragraphs(listed)] == listed.split("\n")


def test_paragraphs_that_can_stand_alone_are_not_joined() -> None:
    one = "Ministr zahraničí přijel ve čtvrtek do hlavního města na pozvání prezidenta."
    two = "Jednání o nové dohodě potrvají podle mluvčího nejméně do konce příštího týdne."
    assert [p.text for p in passages(f"{one}\n\n{two}", max_tokens=60)] == [one, two]


def test_a_heading_is_joined_with_the_text_below_even_if_that_fills_the_passage() -> None:
    body = "Ministr zahraničí přijel ve čtvrtek do města. " * 6
    found = passages(f"Návštěva\n\n{body}", max_tokens=40)
    assert found[0].text.startswith("Návštěva\n\nMinistr")
    assert len(found) > 2


def test_passages_of_one_paragraph_have_similar_lengths() -> None:
    lengths = count_tokens([p.text for p in passages("Ministr přijel do města. " * 21, max_tokens=60)])
    assert min(lengths) > max(lengths) / 2


def test_a_passage_has_only_one_language() -> None:
    czech = "Ministr zahraničí přijel ve čtvrtek do hlavního města."
    english = "The foreign minister arrived in the capital on Thursday."
    assert [p.language for p in passages(f"{czech}\n{english}\n{czech}", max_tokens=200)] == ["cs", "en", "cs"]


def test_a_short_line_has_the_language_of_the_text_below() -> None:
    english = "The foreign minister arrived in the capital on Thursday."
    greek = "Ο υπουργός Εξωτερικών έφθασε την Πέμπτη στην πρωτεύουσα."
    found = passages(f"{greek}\nBREAKING:\n{english}", 200, "el", "Grek")
    assert [(p.text, p.language) for p in found] == [(greek, "el"), (f"BREAKING:\n{english}", "en")]


@pytest.mark.parametrize(
    "text",
    [
        "Ministr přijel do hlavního města. " * 30_000,
        "我们今天在北京会面讨论问题" * 80_000,
        "slovo " * 170_000,
        "a。" * 500_000,
    ],
    ids=["one line", "no spaces", "no stops", "no spaces but stops"],
)
def test_the_time_for_a_very_long_line_is_proportional_to_its_length(text: str) -> None:
    def seconds(part: str) -> float:
        start = time.process_time()
        assert passages(part, 160)
        return time.process_time() - start

    seconds(text[:1000])
    tenth = seconds(text[: len(text) // 10])
    assert seconds(text) < 30 * tenth + 1
