"""After any sequence of updates, the segments hold the current articles and no text of removed ones."""

import shutil
import tempfile
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rag.index.index import Index
from rag.index.index_writer import IndexWriter
from rag.index.manifest import find_unused_files
from rag.index.merging import MergePolicy
from rag.index.vectors import RECALL, VectorFile, write_vectors
from rag.testing import DIMENSION, WordEncoder
from rag.types import Document, Embeddings, Filter, Passage

ENCODER = WordEncoder()
SOURCES = [f"{folder}/{number}.txt" for folder in "ab" for number in range(5)]
LANGUAGES = ("cs", "el", "en")
DATES = (None, "2023", "2023-10", "2023-10-18", "2024-06")
HALF = 2e-3
"""The error of a cosine due to half precision."""
ARTICLE = st.tuples(st.integers(0, 7), st.sampled_from(LANGUAGES), st.sampled_from(DATES), st.integers(0, 2**32 - 1))
FILTERS = st.builds(
    Filter,
    languages=st.lists(st.sampled_from(LANGUAGES), max_size=2).map(tuple),
    sources=st.lists(st.sampled_from([*SOURCES, "a/*", "?/1.txt"]), max_size=2).map(tuple),
    since=st.sampled_from([None, "2023-10", "2024"]),
    until=st.sampled_from([None, "2023", "2023-10-18"]),
)


@dataclass
class Written:
    """An article as it was added to the index."""

    document: Document
    passages: list[Passage]
    embeddings: Embeddings

    @property
    def word(self) -> str:
        """A word that no other article contains."""
        return self.document.checksum


def write_article(source: str, count: int, language: str, date: str | None, seed: int) -> Written:
    # Articles with the same checksum must be the same in everything, their date included.
    chance = np.random.default_rng([seed, count, LANGUAGES.index(language), DATES.index(date)])
    word = f"w{chance.integers(2**60):x}q"
    texts = [f"{word} {number}" for number in range(count)]
    document = Document(source, "\n".join(texts) or word, language, "Latn", date, word, word)
    # Every third passage is in another language than its article.
    tongues = [language if number % 3 else LANGUAGES[number % 2] for number in range(count)]
    passages = [
        Passage(source, t, 0, len(t), tongue, "Latn", date, word) for t, tongue in zip(texts, tongues, strict=True)
    ]
    vectors = chance.normal(size=(count, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    tokens = tuple(chance.integers(-127, 128, (n % 4, 1, DIMENSION)).astype(np.int8) for n in range(count))
    return Written(document, passages, Embeddings(vectors, tokens))


def update(
    folder: Path, old: Index | None, written: dict[str, Written], changed: set[str], policy: MergePolicy
) -> None:
    """Write a generation that holds `written`; the articles in `changed` are not in the old one."""
    with IndexWriter(folder, DIMENSION, old, policy) as writer:
        writer.resume(ENCODER, 160)
        for source in sorted(changed):
            one = written[source]
            writer.add(one.document, len(one.document.text), one.passages, one.embeddings)
            writer.seal(ENCODER, 160)
        writer.keep({source: one.word for source, one in written.items() if source not in changed})
        writer.commit(ENCODER, 160, [folder])


def passes(passage: Passage, among: Filter) -> bool:
    def matches(pattern: str) -> bool:
        return (
            passage.source == pattern
            or (pattern == "a/*" and passage.source.startswith("a/"))
            or (pattern == "?/1.txt" and passage.source.endswith("/1.txt"))
        )

    date = passage.date
    return (
        (not among.languages or passage.language in among.languages)
        and (not among.sources or any(map(matches, among.sources)))
        and (not among.until or (date is not None and date[: len(among.until)] <= among.until))
        and (not among.since or (date is not None and among.since[: len(date)] <= date))
    )


class Life(RuleBasedStateMachine):
    """Updates an index many times, and compares it with what it should hold."""

    policy = MergePolicy(batch=4, exact=10**6, small=6, most=40, removed_share=0.5)

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp()) / "life"
        self.written: dict[str, Written] = {}
        self.words: set[str] = set()
        self.update({"always.txt": (3, "en", "2023", 1)})

    @rule(changes=st.dictionaries(st.sampled_from(SOURCES), st.none() | ARTICLE, min_size=1, max_size=6))
    def update(self, changes: dict[str, tuple[int, str, str | None, int] | None]) -> None:
        before = dict(self.written)
        for source, given in changes.items():
            self.written.pop(source, None)
            if given:
                self.written[source] = write_article(source, *given)
        changed = {s for s, one in self.written.items() if s not in before or before[s].word != one.word}
        self.words |= {one.word for one in self.written.values()}
        if before:
            with closing(Index.open(self.folder)) as old:
                update(self.folder, old, self.written, changed, self.policy)
        else:
            update(self.folder, None, self.written, changed, self.policy)

    @rule(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 12), among=FILTERS)
    def search(self, seed: int, count: int, among: Filter) -> None:
        question = write_article("question", 1, "en", None, seed).embeddings.vectors[0]
        expected = sorted(
            (
                float(vector @ question)
                for one in self.written.values()
                for passage, vector in zip(one.passages, one.embeddings.vectors, strict=True)
                if passes(passage, among)
            ),
            reverse=True,
        )
        with closing(Index.open(self.folder)) as index:
            hits = index.search(question, count, among)
            passages = [index.read_passage(row) for row, _ in hits]
        assert len({row for row, _ in hits}) == len(hits) == min(count, len(expected))
        assert all(passes(passage, among) for passage in passages)
        assert hits == sorted(hits, key=lambda hit: (-hit[1], hit[0]))
        if among != Filter() or self.policy.exact > 1000:
            np.testing.assert_allclose([cosine for _, cosine in hits], expected[:count], atol=HALF)

    @invariant()
    def holds_what_it_should(self) -> None:
        with closing(Index.open(self.folder)) as index:
            assert {article.source for article in index.list_articles()} == self.written.keys()
            assert index.manifest.passages == sum(len(one.passages) for one in self.written.values())
            assert index.read_checksums() == {source: one.word for source, one in self.written.items()}
            for source, one in self.written.items():
                assert index.read_document(source) == one.document
                passages, embeddings = index.read_passages(source), index.read_embeddings(source)
                assert passages == one.passages
                np.testing.assert_allclose(embeddings.vectors, one.embeddings.vectors, atol=HALF)
                for tokens, expected in zip(embeddings.tokens, one.embeddings.tokens, strict=True):
                    np.testing.assert_array_equal(tokens, expected)

    @invariant()
    def holds_no_text_of_removed_articles(self) -> None:
        here = {one.word for one in self.written.values()}
        content = b"".join(file.read_bytes() for file in self.folder.rglob("*") if file.is_file())
        assert not [word for word in self.words - here if word.encode() in content]
        assert find_unused_files(self.folder) == []

    def teardown(self) -> None:
        shutil.rmtree(self.folder.parent)


class LifeInLists(Life):
    """Does the same with an index whose segments, except the smallest, are searched by lists."""

    policy = MergePolicy(batch=4, exact=3, small=6, most=40, removed_share=0.5)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
TestLifeInLists = LifeInLists.TestCase
TestLifeInLists.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)


def test_a_search_of_lists_reaches_the_recall_and_an_exhaustive_one_finds_everything(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    basis = chance.normal(size=(32, 32)).astype(np.float32) * np.arange(1, 33, dtype=np.float32) ** -0.7
    vectors = chance.normal(size=(5000, 32)).astype(np.float32) @ basis.T
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kind = write_vectors(vectors, tmp_path / "v.faiss", exact=1000)
    assert kind.recall >= RECALL
    assert 0 < kind.probes < kind.lists
    file = VectorFile.open(tmp_path / "v.faiss", kind)
    everything = np.ones(5000, dtype=bool)
    questions = vectors[::50] + chance.normal(size=(100, 32)).astype(np.float32) / 10
    shared = 0
    for question in questions:
        nearest = np.argsort(-(vectors @ question))[:10]
        shared += len({*nearest} & {*file.search(question, 10, everything, exhaustive=False)[0]})
        for among in (everything, chance.random(5000) < 0.3, chance.random(5000) < 0.002):
            cosines = np.sort(file.search(question, 10, among, exhaustive=True)[1])[::-1]
            np.testing.assert_allclose(cosines, np.sort(vectors[among] @ question)[::-1][:10], atol=HALF)
    assert shared >= 970


@pytest.mark.parametrize(
    ("segments", "merged"),
    [
        ([(10, 10)], []),
        ([(10, 10), (3, 3)], [[0, 1]]),
        ([(1000, 1000), (3, 3)], []),
        ([(1000, 1000), (400, 400), (90, 90), (50, 50)], [[2, 3]]),
        ([(1000, 1000), (600, 600), (90, 90), (300, 300)], [[0, 1, 3]]),
        ([(5000, 5000), (5000, 5000), (900, 900), (900, 900)], [[2, 3]]),
        ([(90, 100)], [[0]]),
        ([(950, 1000)], []),
        ([(700, 1000)], [[0]]),
    ],
)
def test_segments_are_merged_with_segments_of_similar_size(
    segments: list[tuple[int, int]], merged: list[list[int]]
) -> None:
    assert MergePolicy(small=100, most=5000, removed_share=0.2).plan(segments) == merged


def test_an_update_keeps_large_segments_and_shares_their_vectors_when_articles_are_removed(tmp_path: Path) -> None:
    policy = MergePolicy(small=4, most=1000, removed_share=0.5)
    folder = tmp_path / "news"
    written = {f"{n}.txt": write_article(f"{n}.txt", 10, "en", None, n) for n in range(10)}
    update(folder, None, written, set(written), policy)
    with ExitStack() as stack:

        def open_index() -> Index:
            return stack.enter_context(closing(Index.open(folder)))

        (first,) = open_index().segments
        written["new.txt"] = write_article("new.txt", 3, "en", None, 99)
        update(folder, open_index(), written, {"new.txt"}, policy)
        assert open_index().segments[0].folder == first.folder
        words = written.pop("4.txt").word
        update(folder, open_index(), written, set(), policy)
        assert [(one.info.passages, one.info.rows) for one in open_index().segments] == [(90, 100), (3, 3)]
        assert first.read_document("4.txt") is not None, "a reader keeps the generation that it opened"
        assert not any(words.encode() in file.read_bytes() for file in folder.rglob("*.*"))
