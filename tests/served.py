"""A real server on stand-ins for the models, for tests that use it as a client does."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from rag.assistant import Assistant
from rag.config import ROOT, Config
from rag.index.index import Index
from rag.index.index_writer import IndexWriter
from rag.protocols import Generator
from rag.server.application import bind, build_server
from rag.server.service import Service
from rag.testing import DIMENSION, SPEAKING, WordEncoder
from rag.text.prompts import Prompts
from rag.types import Document, Passage
from tests.index.test_index import make_document

ARTICLES = (
    make_document("harbour.txt", "The harbour opened in May. It cost nine million.", "Boats may enter at night."),
    make_document("old/orchard.txt", "Apples ripened early this year. Pears did not."),
)


def build_corpus(folder: Path, *articles: tuple[Document, list[Passage]]) -> None:
    """Build the index `default` in the folder, as a new generation each time."""
    encoder = WordEncoder()
    with IndexWriter(folder / "default", DIMENSION) as draft:
        for document, passages in articles:
            embeddings = encoder.encode([passage.text for passage in passages], "passage")
            draft.add(document, len(document.text), passages, embeddings)
        draft.commit(encoder, 160, [folder])


def make_assistant(folder: Path, generator: Generator, token: str | None = None) -> Assistant:
    build_corpus(folder, *ARTICLES)
    config = Config(indexes=folder, hits=3, server_token=token)
    index = Index.open(folder / "default")
    return Assistant(config, index, WordEncoder(), generator, Prompts.load(ROOT / "prompts"), SPEAKING)


@contextmanager
def serving(service: Service, host: str = "127.0.0.1") -> Iterator[str]:
    """Run a server inside the context, and yield its address."""
    with bind(host, 0, service.assistant.config.server_token) as bound:
        server = build_server(service, bound)
        thread = Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not true after {seconds} seconds"
        time.sleep(0.02)
