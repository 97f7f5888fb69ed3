"""The page through Gradio's client: every test asks a real server over stand-ins."""

import gc
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from gradio_client import Client
from gradio_client.client import Job
from gradio_client.exceptions import AppError

import app
from rag.assistant import Assistant
from rag.config import ROOT, Config
from rag.errors import GenerationError
from rag.index.index import Index
from rag.index.index_writer import IndexWriter
from rag.page.layout import STYLE
from rag.testing import DIMENSION, SPEAKING, UNLIKELY, HeldGenerator, ScriptedGenerator, WordEncoder
from rag.text.prompts import Prompts
from tests.index.test_index import make_document

PROMPTS = Prompts.load(ROOT / "prompts")
HOSTILE = '<script>x</script> <img src="http://a.example/b.png"> ${x} `x` {{x}} ![x](http://a.example) &lt;'
# Without the address, as an answer that holds one is not shown.
TOLD = "<script>x</script> ${x} `x` {{x}} &lt;"
ARTICLES = (
    make_document("harbour.txt", "The harbour opened in May. It cost nine million.", "Boats may enter at night."),
    make_document("<b>${x}.txt", HOSTILE),
)
Open = Callable[[ScriptedGenerator], str]
Connect = Callable[[str], Client]
# Gradio creates event loops that it never closes.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed event loop:ResourceWarning")


class Drawn(HTMLParser):
    """The tags, attributes and pieces of text that a browser finds in HTML."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


class BrokenGenerator(ScriptedGenerator):
    def generate(self, *_: object, **__: object) -> Iterator[str]:
        raise GenerationError("The generator broke. Ask again.")


@pytest.fixture
def open_page(tmp_path: Path) -> Iterator[Open]:
    pages = []

    def open_page(generator: ScriptedGenerator) -> str:
        encoder = WordEncoder()
        with IndexWriter(tmp_path / "default", DIMENSION) as draft:
            for document, passages in ARTICLES:
                vectors = encoder.encode([passage.text for passage in passages], "passage")
                draft.add(document, len(document.text), passages, vectors)
            draft.commit(encoder, 160, [tmp_path])
        config = Config(indexes=tmp_path, hits=2)
        index = Index.open(tmp_path / "default")
        page = app.open_page(Assistant(config, index, encoder, generator, PROMPTS, SPEAKING), _find_port())
        pages.append(page)
        return page.local_url

    yield open_page
    for page in pages:
        page.close(verbose=False)
    # Collect the event loops that Gradio leaves open here, where the warnings are ignored, and not in another test.
    gc.collect()


@pytest.fixture
def connect() -> Iterator[Connect]:
    clients = []

    def connect(url: str) -> Client:
        client = Client(url, verbose=False, analytics_enabled=False, download_files=False)
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


def test_progress_and_words_are_streamed_before_the_answer_with_its_source(open_page: Open, connect: Connect) -> None:
    client = connect(open_page(ScriptedGenerator("It cost nine million.", pause=0.05)))
    job = client.submit("How many million has the harbour cost?", api_name="/ask")
    answered = Drawn(job.result(timeout=20))
    states = [Drawn(state) for state in job.outputs()]
    assert "Searching the articles…" in states[0].texts
    assert any("Reading harbour.txt…" in state.texts for state in states)
    assert any("It cost " in state.texts for state in states)
    assert ("aria-busy", "true") in states[0].attributes
    assert answered.texts[:12] == [
        "How many million has the harbour cost?",
        "Checked against its source",
        "It cost nine million. ", "[1]",
        "Sources",
        "1", "harbour.txt", "English", "2025-07", "It cost nine ", "million", ".",
    ]  # fmt: skip
    assert ("aria-busy", "false") in answered.attributes


def test_a_question_asked_before_the_page_reports_its_language_uses_that_of_the_browser(
    open_page: Open,
) -> None:
    url = open_page(ScriptedGenerator("It cost nine million."))
    client = Client(url, headers={"Accept-Language": "cs-CZ"}, verbose=False, analytics_enabled=False)
    with closing(client):
        drawn = Drawn(client.predict("How many million has the harbour cost?", api_name="/ask"))
    assert "Ověřeno podle zdroje" in drawn.texts


def test_a_question_that_is_not_answered_shows_the_nearest_passages(open_page: Open, connect: Connect) -> None:
    client = connect(open_page(ScriptedGenerator("", odds=UNLIKELY)))
    shown = Drawn(client.predict("When may boats enter?", api_name="/ask")).texts
    assert shown[1:4] == ["Not in the articles", "The articles do not answer this question.", "The nearest passages"]
    assert shown[4:7] == ["harbour.txt", "English", "2025-07"]


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("  ", "The question is empty. Ask something about the articles."),
        ("x" * 10_000, "The question has 10000 characters, more than the limit of 2000. Shorten it."),
        ("When may boats enter?", "The generator broke. Ask again."),
    ],
)
def test_an_error_is_a_sentence_in_the_conversation(
    open_page: Open, connect: Connect, question: str, sentence: str
) -> None:
    client = connect(open_page(BrokenGenerator("")))
    shown = Drawn(client.predict(question, api_name="/ask"))
    assert shown.texts[-1] == sentence
    assert ("aria-busy", "false") in shown.attributes


def test_each_client_has_its_own_conversation_which_also_keeps_errors(open_page: Open, connect: Connect) -> None:
    url = open_page(ScriptedGenerator("At night."))
    one, other = connect(url), connect(url)
    one.predict("", api_name="/ask")
    one.predict("When may boats enter?", api_name="/ask")
    kept = Drawn(one.predict("And when does the harbour open?", api_name="/ask"))
    assert kept.tags.count("article") == 3
    assert "When may boats enter?" in kept.texts
    assert Drawn(other.predict("When did the harbour open?", api_name="/ask")).tags.count("article") == 1


def test_a_second_client_is_queued_and_sees_how_many_questions_are_ahead(open_page: Open, connect: Connect) -> None:
    generator = HeldGenerator("Boats may enter at night.")
    generator.held = True
    url = open_page(generator)
    first = connect(url).submit("When may boats enter?", api_name="/ask")
    _wait_until(lambda: "Reading" in _latest(first))
    second = connect(url).submit("And when may boats enter at night?", api_name="/ask")
    _wait_until(lambda: "questions ahead of yours: 1" in _latest(second))
    generator.held = False
    # Either client may be told of its end first, but the first question is read first.
    for job in (second, first):
        job.result(timeout=20)
    read = ["And when" in question for _, question in generator.prompts]
    assert read == sorted(read)
    assert set(read) == {False, True}


def test_stopping_frees_the_model_for_the_next_question(open_page: Open, connect: Connect) -> None:
    generator = ScriptedGenerator("word " * 500, "At night.", pause=0.05)
    url = open_page(generator)
    long, waiting = connect(url), connect(url)
    reading = long.submit("When may boats enter?", api_name="/ask")
    _wait_until(lambda: generator.running == 1)
    queued = waiting.submit("When may boats enter?", api_name="/ask")
    _wait_until(lambda: "ahead of yours" in _latest(queued))
    reading.cancel()
    assert "At night. " in Drawn(queued.result(timeout=5)).texts
    assert generator.running == 0


def test_stopping_a_queued_question_removes_it_from_the_queue(open_page: Open, connect: Connect) -> None:
    generator = HeldGenerator("Boats may enter at night.")
    generator.held = True
    url = open_page(generator)
    first = connect(url).submit("When may boats enter?", api_name="/ask")
    _wait_until(lambda: generator.running == 1)
    second = connect(url).submit("When may boats enter?", api_name="/ask")
    _wait_until(lambda: "ahead of yours" in _latest(second))
    second.cancel()
    generator.held = False
    first.result(timeout=10)
    connect(url).submit("When may boats enter?", api_name="/ask").result(timeout=10)
    assert len(generator.prompts) == 2


def test_programs_get_answers_passages_and_articles_as_json(open_page: Open, connect: Connect) -> None:
    client = connect(open_page(ScriptedGenerator("It cost nine million.")))
    answer = client.predict("How many million has the harbour cost?", api_name="/answer")
    (citation,) = answer["citations"]
    article = client.predict(citation["source"], api_name="/open_article")
    assert article["text"][citation["start"] : citation["end"]] == citation["quote"] == "It cost nine million."
    assert client.predict("When may boats enter?", 1, api_name="/search")[0]["text"] == "Boats may enter at night."
    listed = client.predict(api_name="/list_articles")
    assert [one["source"] for one in listed] == ["<b>${x}.txt", "harbour.txt"]
    with pytest.raises(AppError, match=r"has no article “nowhere.txt”"):
        client.predict("nowhere.txt", api_name="/open_article")


def test_markup_in_questions_answers_articles_and_names_is_text(open_page: Open, connect: Connect) -> None:
    client = connect(open_page(ScriptedGenerator(TOLD)))
    markup = client.predict(f"{HOSTILE} x", api_name="/ask")
    drawn = Drawn(markup)
    assert drawn.texts[0] == f"{HOSTILE} x"
    assert drawn.texts[1:4] == ["Checked against its source", f"{TOLD} ", "[1]"]
    assert "<b>${x}.txt" in drawn.texts
    # In the question and in the quote.
    assert "".join(drawn.texts).count(HOSTILE) == 2
    assert not {"script", "img", "a"} & set(drawn.tags)
    # These have a meaning in Gradio's templates.
    assert not re.search(r"\$|`|\{|\}", markup)


def test_the_page_loads_nothing_from_other_servers(open_page: Open) -> None:
    url = open_page(ScriptedGenerator(""))
    with urllib.request.urlopen(url) as reply:  # noqa: S310
        page = reply.read().decode()
    loaded = [value or "" for name, value in Drawn(page).attributes if name in ("src", "href", "poster", "action")]
    assert loaded
    assert {urlsplit(address).netloc for address in loaded} == {""}
    with urllib.request.urlopen(f"{url}theme.css") as reply:  # noqa: S310
        style = reply.read().decode() + STYLE.read_text(encoding="utf-8")
    assert "IBM Plex Sans" in style
    assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", style)
    assert '"stylesheets":[]' in page.replace(" ", "")


def test_the_page_is_served_on_this_machine_only(open_page: Open) -> None:
    assert urlsplit(open_page(ScriptedGenerator(""))).hostname == "127.0.0.1"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"RAG_INDEX": "nowhere"}, "There is no index “nowhere”"),
        ({"GRADIO_SERVER_PORT": "here"}, "GRADIO_SERVER_PORT must be a port"),
    ],
)
def test_a_failed_start_is_explained_in_one_line(settings: dict[str, str], sentence: str) -> None:
    environment = {**os.environ, "PYTHONUTF8": "1", **settings}
    started = subprocess.run(
        [sys.executable, app.__file__], env=environment, capture_output=True, encoding="utf-8", timeout=120
    )
    assert started.returncode == 1
    assert sentence in started.stderr
    assert len(started.stderr.splitlines()) == 1


# Gradio leaves open the socket with which it tries the port.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_the_error_about_a_port_in_use_names_the_setting_that_changes_it(open_page: Open, tmp_path: Path) -> None:
    port = urlsplit(open_page(ScriptedGenerator(""))).port
    assert port
    index = Index.open(tmp_path / "default")
    assistant = Assistant(Config(indexes=tmp_path), index, WordEncoder(), ScriptedGenerator(""), PROMPTS, SPEAKING)
    with pytest.raises(app.ConfigError, match=rf"port {port}.*GRADIO_SERVER_PORT"):
        app.open_page(assistant, port)


def _latest(job: Job) -> str:
    return str(job.outputs()[-1]) if job.outputs() else ""


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within ten seconds"
        time.sleep(0.02)


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
