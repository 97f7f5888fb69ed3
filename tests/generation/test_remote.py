"""The generator on a server with OpenAI's API: requests, streams, failures and secrets."""

import json
import logging
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from rag.assistant import Assistant
from rag.config import ROOT, Config
from rag.encoding.query import Query
from rag.errors import GenerationError, ModelError
from rag.generation.remote import RemoteGenerator
from rag.index.index import Index
from rag.reading.judge import Judge, ask_generator
from rag.reading.known_judges import Calibration, find_judge, locate_calibration, write_calibration
from rag.reading.selector import Selector
from rag.testing import WordEncoder
from rag.text.language import Language
from rag.text.prompts import Prompts
from rag.types import Hit, Passage
from tests.served import ARTICLES, build_corpus

KEY = "sk-a-very-secret-key"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "StandIn"

    def do_GET(self) -> None:
        self.server.note(self, None)
        self.send_json(200, {"object": "list", "data": [{"id": model} for model in self.server.models]})

    def do_POST(self) -> None:
        self.server.note(self, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        next(self.server.replies)(self)

    def send_json(self, status: int, body: object, **headers: str) -> None:
        self.send_body(status, "application/json", json.dumps(body).encode(), **headers)

    def send_body(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        headers |= {"Content-Type": kind, "Content-Length": str(len(body))}
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def start_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send_event(self, event: object) -> None:
        data = f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def end_stream(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


class StandIn(ThreadingHTTPServer):
    """A server that answers each chat request with the next of its replies, and then always with the last."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        self.models = ["first", "second"]
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.released = threading.Event()
        self.abandoned = threading.Event()
        self.reply_with(says("Hello", " there"))

    def reply_with(self, *replies: Callable[[Handler], None]) -> None:
        self.replies = chain(replies, repeat(replies[-1]))

    def note(self, request: Handler, body: object) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.path, headers, body))

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.requests]

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


def chunk(text: str | None, finish_reason: str | None = None) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}]}


def says(*words: str) -> Callable[[Handler], None]:
    def reply(request: Handler) -> None:
        request.start_stream()
        for event in (*map(chunk, words), chunk(None, "stop"), {"choices": [], "usage": {}}, "[DONE]"):
            request.send_event(event)
        request.end_stream()

    return reply


def sends(*events: object) -> Callable[[Handler], None]:
    """Return a reply that streams these events and ends regularly."""

    def reply(request: Handler) -> None:
        request.start_stream()
        for event in events:
            request.send_event(event)
        request.end_stream()

    return reply


def refuses(status: int, message: str, **headers: str) -> Callable[[Handler], None]:
    headers |= {"retry_after_ms": "1"}
    return lambda request: request.send_json(status, {"error": {"message": message}}, **headers)


def breaks_after(word: str) -> Callable[[Handler], None]:
    def reply(request: Handler) -> None:
        request.start_stream()
        request.send_event(chunk(word))
        request.close_connection = True

    return reply


def hangs(request: Handler) -> None:
    request.server.released.wait(10)


def hangs_after(word: str) -> Callable[[Handler], None]:
    def reply(request: Handler) -> None:
        request.start_stream()
        request.send_event(chunk(word))
        hangs(request)

    return reply


def waits_for_the_client_to_disconnect(request: Handler) -> None:
    request.start_stream()
    request.send_event(chunk("word"))
    if request.rfile.read(1) == b"":
        request.server.abandoned.set()


@pytest.fixture(autouse=True)
def _no_foreign_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_proxy".upper(), raising=False)


@pytest.fixture
def server() -> Iterator[StandIn]:
    yield from run(StandIn())


@pytest.fixture
def proxy() -> Iterator[StandIn]:
    yield from run(StandIn())


def run(stand_in: StandIn) -> Iterator[StandIn]:
    thread = threading.Thread(target=stand_in.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield stand_in
    stand_in.released.set()
    stand_in.shutdown()
    stand_in.server_close()
    thread.join()


def ask(generator: RemoteGenerator) -> str:
    return "".join(generator.generate("passage ", "question", max_tokens=9))


def failure(generator: RemoteGenerator) -> str:
    with pytest.raises(GenerationError) as raised:
        ask(generator)
    return str(raised.value)


def test_words_arrive_one_by_one_and_the_request_is_one_greedy_user_message(server: StandIn) -> None:
    words = RemoteGenerator.connect(server.url, "mine").generate("passage ", "question", 9, stop=["\n"])
    assert list(words) == ["Hello", " there"]
    [(path, _, body)] = server.requests
    assert path == "/v1/chat/completions"
    assert body == {
        "model": "mine",
        "messages": [{"role": "user", "content": "passage question"}],
        "temperature": 0,
        "max_tokens": 9,
        "stop": ["\n"],
        "stream": True,
    }


def test_nothing_is_sent_before_the_first_question(server: StandIn, tmp_path: Path) -> None:
    build_corpus(tmp_path, *ARTICLES)
    config, prompts = Config(generator=server.url, indexes=tmp_path, cache=tmp_path), Prompts.load(ROOT / "prompts")
    generator = RemoteGenerator.connect(server.url)
    with closing(Index.open(tmp_path / "default")) as index:
        assistant = Assistant(config, index, WordEncoder(), generator, prompts)
        assistant.warm()
        assistant.prepare()
        assert server.requests == []
        assert assistant.answer("How many million has the harbour cost?").quoted


def test_nothing_is_sent_before_the_first_word_is_requested(server: StandIn) -> None:
    generator = RemoteGenerator.connect(server.url)
    generator.warm()
    generator.generate("passage ", "question", 9)
    assert server.requests == []


def test_the_first_model_offered_is_used_and_looked_up_once(server: StandIn) -> None:
    generator = RemoteGenerator.connect(server.url)
    assert generator.name == server.url
    ask(generator)
    ask(generator)
    assert server.paths() == ["/v1/models", "/v1/chat/completions", "/v1/chat/completions"]
    assert server.requests[-1][2]["model"] == "first"
    assert generator.name == f"first at {server.url}"


def test_a_server_without_models_is_reported(server: StandIn) -> None:
    server.models = []
    assert failure(RemoteGenerator.connect(server.url)) == (
        f"The server {server.url} offers no model. Load one into it."
    )


def test_the_configured_key_is_sent_and_never_that_of_another_program(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    monkeypatch.setenv("OPENAI_ORG_ID", "theirs")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "theirs")
    ask(RemoteGenerator.connect(server.url, "mine", KEY))
    ask(RemoteGenerator.connect(server.url, "mine"))
    (_, with_key, _), (_, without_key, _) = server.requests
    assert with_key["authorization"] == f"Bearer {KEY}"
    assert not [name for name, value in without_key.items() if "theirs" in value]


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (307, "Set RAG_GENERATOR to its new address."),
        (400, "See its log."),
        (401, "Set RAG_GENERATOR_KEY"),
        (403, "Set RAG_GENERATOR_KEY"),
        (404, "RAG_GENERATOR must be its address up to /v1"),
        (429, "Ask again when it is less busy."),
        (500, "See its log."),
        (503, "See its log."),
    ],
)
def test_a_refusal_is_reported_with_server_reason_and_remedy(server: StandIn, status: int, remedy: str) -> None:
    server.reply_with(refuses(status, "No, because."))
    message = failure(RemoteGenerator.connect(server.url, "mine"))
    assert message.startswith(
        f"The server {server.url} refused the request (Error code: {status} - No, because.). {remedy}"
    )


def test_the_key_appears_in_no_message_traceback_repr_or_log(server: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.reply_with(refuses(401, f"Incorrect key: {KEY}"))
    generator = RemoteGenerator.connect(server.url, key=KEY)
    with pytest.raises(GenerationError) as raised:
        ask(generator)
    shown = "".join(traceback.format_exception(raised.value)) + repr(generator) + generator.name
    assert "Incorrect key: …" in shown
    assert "chat/completions" in caplog.text
    assert KEY not in shown + caplog.text


def test_a_busy_server_is_tried_again(server: StandIn) -> None:
    server.reply_with(refuses(503, "Loading model"), says("Hello"))
    assert ask(RemoteGenerator.connect(server.url, "mine")) == "Hello"


def test_a_redirect_is_not_followed(server: StandIn, proxy: StandIn) -> None:
    server.reply_with(refuses(307, "Moved", Location=proxy.url + "/chat/completions"))
    assert "its new address" in failure(RemoteGenerator.connect(server.url, "mine"))
    assert proxy.requests == []


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (breaks_after("Hello"), "cannot be reached or broke off"),
        (sends(chunk("Hello")), "broke off its reply"),
        (sends(chunk("Hello"), "[DONE]"), "broke off its reply"),
        (sends(chunk("Hello"), {"error": {"message": "out of memory"}}), "broke off (out of memory)"),
        (sends(chunk("Hello"), "{not json"), "cannot be used"),
        (hangs_after("Hello"), "did not answer in time"),
    ],
    ids=["connection lost", "stream ended", "stream ended by the server", "error event", "garbage", "silence"],
)
def test_a_broken_stream_yields_its_words_then_an_error_and_is_not_retried(
    server: StandIn, reply: Callable[[Handler], None], reason: str
) -> None:
    server.reply_with(reply)
    words = RemoteGenerator.connect(server.url, "mine", read_seconds=0.3).generate("passage ", "question", 9)
    assert next(words) == "Hello"
    with pytest.raises(GenerationError) as raised:
        next(words)
    assert str(raised.value).startswith(f"The server {server.url} {reason}")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        lambda request: request.send_body(200, "text/html", b"<html>Welcome</html>"),
        lambda request: request.send_json(200, {"status": "ok"}),
        sends({"status": "ok"}),
        sends(["ok"]),
        sends({"choices": [{"text": "not chat"}]}),
    ],
    ids=["html", "json", "event without choices", "event of another type", "choice without delta"],
)
def test_a_malformed_reply_is_an_error(server: StandIn, reply: Callable[[Handler], None]) -> None:
    server.reply_with(reply)
    assert server.url in failure(RemoteGenerator.connect(server.url, "mine"))


def test_a_server_that_does_not_answer_times_out(server: StandIn) -> None:
    server.reply_with(hangs)
    began = time.monotonic()
    message = failure(RemoteGenerator.connect(server.url, "mine", read_seconds=0.1))
    assert message.startswith(f"The server {server.url} did not answer in time.")
    assert time.monotonic() - began < 5


def test_an_unreachable_address_is_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        message = failure(RemoteGenerator.connect(url, "mine"))
    assert message.startswith(f"The server {url} cannot be reached")
    assert "Check that it runs" in message


def test_closing_the_iterator_closes_the_connection(server: StandIn) -> None:
    server.reply_with(waits_for_the_client_to_disconnect)
    words = RemoteGenerator.connect(server.url, "mine").generate("passage ", "question", 9)
    assert next(words) == "word"
    assert not server.abandoned.is_set()
    words.close()  # type: ignore[attr-defined]
    assert server.abandoned.wait(5)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_proxy_is_not_used_within_one_machine(
    server: StandIn, proxy: StandIn, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
    monkeypatch.setenv("ALL_PROXY", proxy.url.removesuffix("/v1"))
    ask(RemoteGenerator.connect(server.url.replace("127.0.0.1", host), "mine"))
    assert proxy.requests == []


def test_a_proxy_is_used_for_another_machine(proxy: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
    assert ask(RemoteGenerator.connect("http://models.invalid/v1", "mine")) == "Hello there"
    assert proxy.paths() == ["http://models.invalid/v1/chat/completions"]


def test_an_unusable_proxy_setting_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://localhost:70")
    assert "gopher" in failure(RemoteGenerator.connect("http://models.invalid/v1", "mine"))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/v1",
        "file:///etc/passwd",
        "host:8080/v1",
        "http:///v1",
        "http://user:password@host/v1",
        "http://host/v1?key=password",
        "http://host/v1#password",
        "http://host:port/v1",
        "http://ho st/v1",
        "http://host/v1\n",
        "",
    ],
)
def test_an_address_that_is_not_plain_http_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ModelError) as raised:
        RemoteGenerator.connect(url)
    assert "RAG_GENERATOR" in str(raised.value)
    assert "password@" not in str(raised.value)
    assert "=password" not in str(raised.value)


@pytest.mark.parametrize("url", ["https://host/v1", "http://[::1]:8080/v1", "HTTP://Host.example:80/api/v1/"])
def test_plain_addresses_are_accepted(url: str) -> None:
    assert RemoteGenerator.connect(url).name == url.rstrip("/")


@pytest.mark.parametrize("key", ["line\n", "two words", "klíč"])
def test_a_key_that_does_not_fit_in_a_header_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ModelError, match="RAG_GENERATOR_KEY") as raised:
        RemoteGenerator.connect("http://localhost/v1", key=key)
    assert key not in str(raised.value)


def test_without_the_openai_package_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ModelError, match=r"pip install -e '\.\[server\]'"):
        RemoteGenerator.connect("http://localhost/v1")


def test_the_openai_package_is_not_imported_before_it_is_needed() -> None:
    code = """
import sys
from rag.generation.remote import RemoteGenerator
generator = RemoteGenerator.connect("http://localhost/v1")
assert "openai" not in sys.modules
generator.warm()
assert "openai" in sys.modules
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def weighs(**logprobs: float) -> Callable[[Handler], None]:
    """Return a reply with the likeliest first tokens, or, if none are given, without log-probabilities."""
    top = [{"token": token, "logprob": value, "bytes": None} for token, value in logprobs.items()]
    told = {"content": [{**top[0], "top_logprobs": top}]} if top else None
    choice = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "length", "logprobs": told}
    return lambda request: request.send_json(200, {"id": "1", "choices": [choice]})


def test_the_odds_of_a_reply_come_from_the_likeliest_first_tokens(server: StandIn) -> None:
    server.reply_with(weighs(Yes=-0.5, No=-2.0, Maybe=-3.0), weighs(Perhaps=-0.1, No=-1.0, Maybe=-4.0))
    odds = RemoteGenerator.connect(server.url).weigh(["One. ", "Two. "], "Is it there?", ("Yes", "No"))
    # A reply that is not among the likeliest is taken to be as likely as the last of them.
    assert odds == pytest.approx([1.5, -3.0])
    bodies = [body for path, _, body in server.requests if path.endswith("completions")]
    assert [body["messages"][0]["content"] for body in bodies] == ["One. Is it there?", "Two. Is it there?"]
    assert all(body["max_tokens"] == 1 and body["logprobs"] for body in bodies)


def test_a_server_without_log_probabilities_is_named(server: StandIn) -> None:
    server.reply_with(weighs())
    with pytest.raises(GenerationError, match="does not return log-probabilities"):
        RemoteGenerator.connect(server.url).weigh(["One. "], "Is it there?", ("Yes", "No"))


def test_identify_asks_the_server_for_its_model(server: StandIn) -> None:
    assert RemoteGenerator.connect(server.url).identify() == f"first at {server.url}"
    server.models = ["second"]
    assert RemoteGenerator.connect(server.url).identify() == f"second at {server.url}"
    asked = len(server.requests)
    assert RemoteGenerator.connect(server.url, "third").identify() == f"third at {server.url}"
    assert len(server.requests) == asked, "the model was given"


def test_a_server_whose_model_was_measured_as_a_judge_judges(server: StandIn, tmp_path: Path) -> None:
    config, prompts = Config(generator=server.url, cache=tmp_path), Prompts.load(ROOT / "prompts")
    rule = Judge(weight=10.0, least=0.0, speaks=())
    file = locate_calibration(RemoteGenerator.connect(server.url), config, prompts)
    write_calibration(Calibration(32, 16, 30, rule), file)
    texts = ("Boats came.", "The harbour cost nine million.")
    passages = [Passage(f"{text[0]}.txt", text, 0, len(text), "en", "Latn", None, None) for text in texts]
    hits = [Hit(rank, 0.5, passage) for rank, passage in enumerate(passages, start=1)]

    server.reply_with(weighs(No=-0.1, Yes=-3.0), weighs(Yes=-0.1, No=-3.0))
    generator = RemoteGenerator.connect(server.url)
    judge = find_judge(generator, config, prompts)
    query = Query("What did the harbour cost?", Language("en", "Latn"), WordEncoder())
    ask = partial(ask_generator, generator, prompts)
    selector = Selector(config, judge, WordEncoder().settings, ask, lambda *_: None)
    (ranking,) = selector.select(query, hits)
    assert [hit.passage.text for hit in ranking.hits] == [texts[1], texts[0]]
    assert [hit.odds for hit in ranking.hits] == pytest.approx([2.9, -2.9])
    server.models = ["another"]
    assert find_judge(RemoteGenerator.connect(server.url), config, prompts) is None
