"""Arbitrary input (bytes in a file, words of a model, requests of a program) never breaks the output."""

import hashlib
import io
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.answering.markdown import write_answer
from rag.assistant import Assistant
from rag.errors import RagError
from rag.index.index import Index
from rag.index.manifest import MANIFEST, SEGMENTS, read_manifest
from rag.index.segment import SEGMENT_INFO
from rag.ingest.documents import File, Skipped, read, walk
from rag.ingest.formats import FORMATS
from rag.page.conversation import Exchange
from rag.page.export import write_markdown
from rag.page.labels import Wording
from rag.page.transcript import draw_conversation
from rag.server.service import Service
from rag.testing import HeldGenerator, ScriptedGenerator
from tests.page.test_app import Drawn
from tests.served import ARTICLES, build_corpus, make_assistant, serving

bounded = settings(
    max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
QUESTION = "How many million has the harbour cost?"
ACTIVE_TOKENS = {"image", "link_open", "html_inline", "html_block"}


def make_docx() -> bytes:
    from docx import Document

    document = Document()
    document.add_heading("The harbour", 0)
    document.add_paragraph("It cost nine million.")
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def make_archive() -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<w:document>")
    return file.getvalue()


BEGINNINGS = [
    b"", b"date 2024-05\n", b"\xef\xbb\xbf", b"\xff\xfe", b"# ", b"<html><meta charset=", b"<!doctype html><body><p>",
    b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 1 0 R>>endobj\ntrailer<</Root 1 0 R>>", make_docx(), make_archive(),
]  # fmt: skip
deep = st.sampled_from([b"[" * 100_000, b'{"format":' * 100_000])
pieces = st.sampled_from(BEGINNINGS) | st.binary(max_size=60) | st.text(max_size=40).map(lambda text: text.encode())


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Draw beginnings of files and other bytes in a row, perhaps with some of them cut out."""
    data = b"".join(draw(st.lists(pieces, max_size=4)))
    start = draw(st.integers(0, len(data)))
    return data[:start] + data[start + draw(st.sampled_from([0, 0, 1, 7, 500])) :]


@bounded
@given(data=files(), ending=st.sampled_from(sorted(FORMATS)))
def test_any_file_is_either_an_article_or_skipped_with_a_reason(tmp_path: Path, data: bytes, ending: str) -> None:
    file = tmp_path / f"article{ending}"
    file.write_bytes(data)
    (found,) = walk([file])
    document = read(found) if isinstance(found, File) else found
    if isinstance(document, Skipped):
        assert document.reason.endswith(".")
        return
    assert document.text.strip()
    assert "\r" not in document.text
    assert document.text.encode("utf-8")
    assert document.title is None or document.title.strip()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Return a folder of indexes, and the two files in which its index describes itself."""
    folder = tmp_path_factory.mktemp("described")
    build_corpus(folder, *ARTICLES)
    manifest, generation = read_manifest(folder / "default")
    return folder, generation / MANIFEST, folder / "default" / SEGMENTS / next(iter(manifest.segments)) / SEGMENT_INFO


@bounded
@given(chosen=st.sampled_from([1, 2]), key=st.integers(0), value=values, raw=st.none() | st.binary(max_size=40) | deep)
def test_an_index_with_arbitrary_metadata_opens_or_is_refused_with_a_remedy(
    described: tuple[Path, Path, Path], chosen: int, key: int, value: object, raw: bytes | None
) -> None:
    folder, manifest, facts = described
    kept = {file: file.read_bytes() for file in (manifest, facts)}
    said = json.loads(kept[described[chosen]])
    said[sorted(said)[key % len(said)]] = value
    described[chosen].write_bytes(json.dumps(said).encode() if raw is None else raw)
    if chosen == 2:
        # The checksum is made to match: otherwise nothing else would be checked.
        digest = hashlib.sha256(facts.read_bytes()).hexdigest()
        told = json.loads(kept[manifest])
        manifest.write_text(json.dumps({**told, "segments": {facts.parent.name: digest}}))
    try:
        found = list_sources(folder / "default")
    finally:
        for file, data in kept.items():
            file.write_bytes(data)
    assert found == {one.source for one, _ in ARTICLES} or "rag index" in found


def list_sources(folder: Path) -> set[str] | str:
    """Return the sources in an index, or the message of the error that refuses it."""
    try:
        with closing(Index.open(folder)) as index:
            return {article.source for article in index.list_articles()}
    except RagError as error:
        return str(error)


words = st.sampled_from([
    *("It cost nine million.", "nine", "The harbour", "[1]", "[2]", "[0]", "[[1]]", "[1", "1]", "[ 1 ]", "[1][1]"),
    *("![x](http://a.example)", "[x](http://a.example)", "[1](http://a.example)", "<img src=x>", "</p>", "${x}", "`"),
    *("\n", "\u202e", "\x1b[31m", "[1]: http://a.example", "\\", "**", "&lt;", "{{x}}"),
])  # fmt: skip
replies = st.lists(words | st.text(max_size=12), max_size=10).map(" ".join)


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    return make_assistant(tmp_path_factory.mktemp("index"), HeldGenerator(""))


@bounded
@given(reply=replies)
def test_for_any_reply_every_marker_has_a_citation_and_nothing_is_active_markup(
    assistant: Assistant, reply: str
) -> None:
    assert isinstance(assistant.generator, HeldGenerator)
    assistant.generator.say(reply)
    answer = assistant.answer(QUESTION)
    markers = {int(number) for number in re.findall(r"\[(\d+)\]", answer.text)}
    assert markers == {citation.number for citation in answer.citations}
    for citation in answer.citations:
        text = assistant.open_article(citation.source).text
        assert text[citation.start : citation.end] == citation.quote
    exchange = Exchange(QUESTION, answer=answer)
    wording = Wording(assistant.prompts, "en")
    drawn = Drawn(draw_conversation([exchange], wording) + answer._repr_html_())
    assert not {"script", "img", "a"} & set(drawn.tags)
    for markdown in (write_markdown([exchange], wording), write_answer(answer, assistant.prompts)):
        tokens = [one for block in MarkdownIt("commonmark").parse(markdown) for one in (block, *(block.children or ()))]
        assert not {token.type for token in tokens} & ACTIVE_TOKENS


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    assistant = make_assistant(tmp_path_factory.mktemp("served"), ScriptedGenerator("It cost nine million."))
    with serving(Service(assistant)) as url:
        yield url


calls = st.fixed_dictionaries({
    "jsonrpc": st.just("2.0") | values,
    "id": st.just(1) | values,
    "method": st.sampled_from(["tools/call", "tools/list", "initialize", "ping"]) | st.text(max_size=12),
    "params": st.fixed_dictionaries({
        "name": st.sampled_from(["ask", "search", "open_article"]) | values,
        "arguments": st.dictionaries(st.sampled_from(["question", "count", "source", "among", "x"]), values) | values,
    }) | values,
})  # fmt: skip
bodies = st.binary(max_size=100) | (calls | values).map(lambda body: json.dumps(body).encode())


@bounded
@given(body=bodies)
def test_any_request_to_the_tools_is_answered_without_a_server_error(url: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    reply = httpx.post(f"{url}/mcp", content=body, headers=headers)
    assert reply.status_code < 500
    assert "Traceback" not in reply.text
    assert httpx.get(f"{url}/health").json() == {"status": "ok"}
