"""An index returns what was written to it, and is not opened if anything in it does not match."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexDamaged, IndexMismatch, IndexMissing
from rag.index.index import Index
from rag.index.index_writer import IndexWriter
from rag.index.manifest import CURRENT, MANIFEST, PROJECTION, SEGMENTS, read_manifest
from rag.index.segment import ARTICLES, SEGMENT_INFO, TOKENS, VECTORS
from rag.testing import DIMENSION, WordEncoder
from rag.types import Document, Embeddings, Filter, Passage, Vectors

ENCODER = WordEncoder()
OpenNews = Callable[[], Index]


@pytest.fixture
def open_news(tmp_path: Path) -> Iterator[OpenNews]:
    """Yield a function that opens the index “news”, and close all that it opened when the test ends."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Index.open(tmp_path / "news")))


def make_document(source: str, *paragraphs: str) -> tuple[Document, list[Passage]]:
    text = "\n".join(paragraphs)
    document = Document(source, text, "en", "Latn", "2025-07", None, f"sum of {text}")
    passages = []
    for paragraph in paragraphs:
        start = text.index(paragraph)
        passages.append(Passage(source, paragraph, start, start + len(paragraph), "en", "Latn", "2025-07", None))
    return document, passages


def write(folder: Path, *articles: tuple[Document, list[Passage]]) -> None:
    with IndexWriter(folder, DIMENSION) as writer:
        for document, passages in articles:
            writer.add(document, len(document.text), passages, encode_passages(passages))
        writer.commit(ENCODER, 160, [folder])


def encode_passages(passages: list[Passage]) -> Embeddings:
    return ENCODER.encode([passage.text for passage in passages], "passage")


def encode_question(question: str) -> Vectors:
    return ENCODER.encode([question], "query").vectors[0]


def fail_while_writing(folder: Path) -> None:
    with IndexWriter(folder, DIMENSION) as writer:
        writer.add(ORCHARD[0], 1, ORCHARD[1], ENCODER.encode(["apples"], "passage"))
        raise OSError("disk full")


def interrupt_after_writing(folder: Path) -> None:
    with IndexWriter(folder, DIMENSION) as writer:
        writer.add(ORCHARD[0], 1, ORCHARD[1], encode_passages(ORCHARD[1]))
        writer.commit(ENCODER, 160, [folder])
        raise KeyboardInterrupt


HARBOUR = make_document("harbour.txt", "The harbour opened in May.", "It cost nine million.")
ORCHARD = make_document("sub/orchard.txt", "Apples ripened early this year.")


def test_a_search_finds_the_nearest_passage(tmp_path: Path, open_news: OpenNews) -> None:
    write(tmp_path / "news", HARBOUR, ORCHARD)
    index = open_news()
    question = encode_question("When did the harbour open in May?")
    (row, cosine), *others = index.search(question, 3)
    assert index.read_passage(row) == HARBOUR[1][0]
    assert cosine == pytest.approx(float(encode_passages(HARBOUR[1]).vectors[0] @ question), abs=1e-6)
    assert {0, 1, 2} == {row, *(row for row, _ in others)}
    assert cosine > max(cosine for _, cosine in others)


def test_a_search_returns_at_most_the_passages_there_are(tmp_path: Path, open_news: OpenNews) -> None:
    write(tmp_path / "news", ORCHARD)
    assert open_news().search(encode_question("apples"), 10)[0][0] == 0


@pytest.mark.parametrize(
    ("among", "found"),
    [
        (Filter(), {"a/one.txt", "a/two.txt", "b/three.txt", "b/four [1].txt"}),
        (Filter(languages=("cs",)), {"a/two.txt"}),
        (Filter(languages=("cs", "el")), {"a/two.txt", "b/three.txt"}),
        (Filter(sources=("a/*",)), {"a/one.txt", "a/two.txt"}),
        (Filter(sources=("b/four [1].txt", "a/one.txt")), {"b/four [1].txt", "a/one.txt"}),
        (Filter(since="2024"), {"a/two.txt", "b/three.txt"}),
        (Filter(since="2024-06-15"), {"a/two.txt", "b/three.txt"}),
        (Filter(since="2024-07"), {"b/three.txt"}),
        (Filter(until="2023"), {"a/one.txt"}),
        (Filter(until="2023-09"), set()),
        (Filter(until="2024-06-01"), {"a/one.txt", "a/two.txt", "b/three.txt"}),
        (Filter(since="2023-10-18", until="2023-10-18"), {"a/one.txt"}),
        (Filter(languages=("en",), since="2024"), set()),
        (Filter(sources=("' OR 1=1 --",)), set()),
    ],
    ids=str,
)
def test_a_filtered_search_finds_every_passage_that_passes_however_few_are_wanted(
    tmp_path: Path, open_news: OpenNews, among: Filter, found: set[str]
) -> None:
    facts = {
        "a/one.txt": ("en", "2023-10-18"),
        "a/two.txt": ("cs", "2024-06"),
        "b/three.txt": ("el", "2024"),
        "b/four [1].txt": ("en", None),
    }
    articles = []
    for source, (language, date) in facts.items():
        document, passages = make_document(source, "The harbour opened in May.")
        passages = [replace(passage, language=language, date=date) for passage in passages]
        articles.append((replace(document, language=language, date=date), passages))
    write(tmp_path / "news", *articles)
    index = open_news()
    hits = index.search(encode_question("harbour"), 4, among)
    assert {index.read_passage(row).source for row, _ in hits} == found
    assert len(index.search(encode_question("harbour"), 1, among)) == min(1, len(found))


def test_documents_passages_and_embeddings_are_returned_as_they_were_added(tmp_path: Path, open_news: OpenNews) -> None:
    write(tmp_path / "news", ORCHARD, HARBOUR)
    index = open_news()
    assert index.read_document("harbour.txt") == HARBOUR[0]
    assert index.read_document("absent.txt") is None
    passages, embeddings = index.read_passages("harbour.txt"), index.read_embeddings("harbour.txt")
    assert passages == HARBOUR[1]
    expected = ENCODER.encode([passage.text for passage in HARBOUR[1]], "passage")
    np.testing.assert_array_equal(embeddings.vectors, expected.vectors)
    for tokens, wanted in zip(embeddings.tokens, expected.tokens, strict=True):
        np.testing.assert_array_equal(tokens, wanted)
    np.testing.assert_array_equal(index.projection.bases, ENCODER.projection.bases)


def test_a_reader_keeps_the_generation_that_it_opened(tmp_path: Path, open_news: OpenNews) -> None:
    write(tmp_path / "news", HARBOUR)
    old = open_news()
    write(tmp_path / "news", ORCHARD)
    assert old.read_document("harbour.txt") == HARBOUR[0]
    assert open_news().read_document("harbour.txt") is None


def test_only_the_current_generation_remains(tmp_path: Path) -> None:
    keep = tmp_path / "news" / "notes"
    keep.mkdir(parents=True)
    write(tmp_path / "news", HARBOUR)
    write(tmp_path / "news", ORCHARD)
    current = (tmp_path / "news" / CURRENT).read_text()
    assert {path.name for path in (tmp_path / "news").iterdir()} == {CURRENT, SEGMENTS, current, "notes"}


def test_a_failed_build_leaves_only_the_old_generation(tmp_path: Path) -> None:
    write(tmp_path / "news", HARBOUR)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OSError, match="disk full"):
        fail_while_writing(tmp_path / "news")
    assert sorted(tmp_path.rglob("*")) == before


def test_an_interruption_after_the_switch_leaves_the_new_generation(tmp_path: Path, open_news: OpenNews) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupt_after_writing(tmp_path / "news")
    assert open_news().read_document("sub/orchard.txt") == ORCHARD[0]


@pytest.mark.parametrize("name", [ARTICLES, TOKENS, VECTORS, SEGMENT_INFO, PROJECTION, MANIFEST])
@pytest.mark.parametrize("harm", ["flip", "truncate", "remove"])
def test_a_damaged_file_is_an_error_that_names_the_rebuild_command(tmp_path: Path, name: str, harm: str) -> None:
    write(tmp_path / "news", HARBOUR)
    (file,) = tmp_path.rglob(name)
    content = file.read_bytes()
    if harm == "flip":
        middle = len(content) // 2 if name not in (MANIFEST, SEGMENT_INFO) else 0
        file.write_bytes(content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])
    elif harm == "truncate":
        file.write_bytes(content[: len(content) // 2])
    else:
        file.unlink()
    with pytest.raises(IndexDamaged, match=r"news.* is damaged.*rag index --rebuild --index news"):
        Index.open(tmp_path / "news")


def test_a_missing_index_is_an_error_that_names_the_build_command(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="rag index --index news"):
        Index.open(tmp_path / "news")


def test_another_format_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "news", HARBOUR)
    file = read_manifest(tmp_path / "news")[1] / MANIFEST
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 99}))
    with pytest.raises(IndexMismatch, match="format 99"):
        Index.open(tmp_path / "news")


def test_another_encoder_or_passage_size_is_refused(tmp_path: Path, open_news: OpenNews) -> None:
    write(tmp_path / "news", HARBOUR)
    index = open_news()
    index.check(ENCODER.describe(), 160)
    command = "`RAG_ENCODER=other rag index --rebuild --index news`, or set RAG_ENCODER=words."
    with pytest.raises(IndexMismatch, match=rf"another encoder, words. .*{command}"):
        index.check(WordEncoder("other").describe(), 160)
    with pytest.raises(IndexMismatch, match=r"another encoder of the same name.*`rag index --rebuild --index news`"):
        index.check({**ENCODER.describe(), "fingerprint": "0"}, 160)
    with pytest.raises(IndexMismatch, match="another passage size"):
        index.check(ENCODER.describe(), 80)
