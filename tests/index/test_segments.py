"""Segments: whatever is added, changed and removed, in whatever order, the index holds that and not a word more."""

import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rag.index.index import Index
from rag.index.index_writer import IndexWriter
from rag.index.manifest import find_leftovers
from rag.index.merging import Policy
from rag.index.vectors import RECALL, VectorFile, write_vectors
from rag.testing import DIMENSION, WordEncoder
from rag.types import Document, Embeddings, Filter, Passage

ENCODER = WordEncoder()
SOURCES = [f"{folder}/{number}.txt" for folder in "ab" for number in range(5)]
LANGUAGES = ("cs", "el", "en")
DATES = (None, "2023", "2023-10", "2023-10-18", "2024-06")
HALF = 2e-3
"""How far half precision may put a cosine off."""
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
    """An article as it was added."""

    document: Document
    passages: list[Passage]
    encodings: Embeddings

    @property
    def word(self) -> str:
        """What no other article says."""
        return self.document.checksum


def write_article(source: str, count: int, language: str, date: str | None, seed: int) -> Written:
    # The same checksum is the same article, date and all.
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


def update(folder: Path, old: Index | None, written: dict[str, Written], changed: set[str], policy: Policy) -> None:
    """Write the generation that holds `written`, of which `changed` is not in the old one."""
    with IndexWriter(folder, DIMENSION, old, policy) as draft:
        draft.take_up(ENCODER, 160)
        for source in sorted(changed):
            one = written[source]
            draft.add(one.document, len(one.document.text), one.passages, one.encodings)
            draft.seal(ENCODER, 160)
        draft.keep({source: one.word for source, one in written.items() if source not in changed})
        draft.commit(ENCODER, 160, [folder])


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
    """An index through many updates, beside what it should hold."""

    policy = Policy(batch=4, exact=10**6, small=6, most=40, decayed=0.5)

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
        question = write_article("question", 1, "en", None, seed).encodings.vectors[0]
        expected = sorted(
            (
                float(vector @ question)
                for one in self.written.values()
                for passage, vector in zip(one.passages, one.encodings.vectors, strict=True)
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
                passages, encodings = index.read_passages(source), index.read_embeddings(source)
                assert passages == one.passages
                np.testing.assert_allclose(encodings.vectors, one.encodings.vectors, atol=HALF)
                for tokens, expected in zip(encodings.tokens, one.encodings.tokens, strict=True):
                    np.testing.assert_array_equal(tokens, expected)

    @invariant()
    def says_no_word_of_what_is_gone(self) -> None:
        here = {one.word for one in self.written.values()}
        content = b"".join(file.read_bytes() for file in self.folder.rglob("*") if file.is_file())
        assert not [word for word in self.words - here if word.encode() in content]
        assert find_leftovers(self.folder) == []

    def teardown(self) -> None:
        shutil.rmtree(self.folder.parent)


class LifeInLists(Life):
    """The same where any but the smallest segments are searched by lists."""

    policy = Policy(batch=4, exact=3, small=6, most=40, decayed=0.5)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
TestLifeInLists = LifeInLists.TestCase
TestLifeInLists.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)


def test_lists_find_what_they_promise_and_everything_where_it_is_asked_for(tmp_path: Path) -> None:
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
        shared += len({*nearest} & {*file.search(question, 10, everything, thorough=False)[0]})
        for among in (everything, chance.random(5000) < 0.3, chance.random(5000) < 0.002):
            cosines = np.sort(file.search(question, 10, among, thorough=True)[1])[::-1]
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
def test_segments_are_merged_with_others_of_their_size(
    segments: list[tuple[int, int]], merged: list[list[int]]
) -> None:
    assert Policy(small=100, most=5000, decayed=0.2).plan(segments) == merged


def test_an_update_leaves_large_segments_and_shares_their_numbers_when_words_go(tmp_path: Path) -> None:
    policy = Policy(small=4, most=1000, decayed=0.5)
    folder = tmp_path / "news"
    written = {f"{n}.txt": write_article(f"{n}.txt", 10, "en", None, n) for n in range(10)}
    update(folder, None, written, set(written), policy)
    ((first,),) = [Index.open(folder).segments]
    written["new.txt"] = write_article("new.txt", 3, "en", None, 99)
    update(folder, Index.open(folder), written, {"new.txt"}, policy)
    assert Index.open(folder).segments[0].folder == first.folder
    words = written.pop("4.txt").word
    update(folder, Index.open(folder), written, set(), policy)
    index = Index.open(folder)
    assert [(one.facts.passages, one.facts.rows) for one in index.segments] == [(90, 100), (3, 3)]
    assert first.read_document("4.txt") is not None, "a reader keeps what it opened"
    assert not any(words.encode() in file.read_bytes() for file in folder.rglob("*.*"))
