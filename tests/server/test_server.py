"""The server as clients see it: OpenAI's client and plain HTTP, against a real server on stand-ins for the models."""

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from rag.config import Config
from rag.errors import ConfigError, GenerationError
from rag.server.application import bind
from rag.server.logs import JsonFormatter
from rag.server.middleware import MAX_BODY_BYTES
from rag.server.service import Service
from rag.testing import UNLIKELY, ScriptedGenerator
from rag.types import Reply
from tests.served import ARTICLES, build_corpus, make_assistant, serving, wait_until

QUESTION = "How many million has the harbour cost?"
REPLY = "It cost nine million."
LONG = "word " * 500
TOKEN = "sésame"  # noqa: S105 - exists in this test only
JSON = {"Content-Type": "application/json"}
Serve = Callable[..., str]
Connect = Callable[[str], openai.OpenAI]


class BrokenGenerator(ScriptedGenerator):
    """Fails in the middle of its reply."""

    def __init__(self, error: Exception) -> None:
        super().__init__("")
        self.error = error

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        yield "It "
        raise self.error


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as stack:

        def serve(generator: ScriptedGenerator | None = None, host: str = "127.0.0.1", **limits: Any) -> str:
            token = limits.pop("token", None)
            assistant = make_assistant(tmp_path, generator or ScriptedGenerator(REPLY), token)
            return stack.enter_context(serving(Service(assistant, **limits), host))

        yield serve


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all tests that need no particular one."""
    assistant = make_assistant(tmp_path_factory.mktemp("served"), ScriptedGenerator(REPLY))
    with serving(Service(assistant)) as url:
        yield url


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


@pytest.fixture
def connect(http: httpx.Client) -> Connect:
    return lambda url: openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, http_client=http)


def ask(client: openai.OpenAI, *contents: str, **more: Any) -> Any:
    """Send messages with these contents, from the user and the assistant in turn."""
    messages = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(contents)]
    return client.chat.completions.create(model="rag", messages=messages, **more)  # type: ignore[call-overload]


def read_metric(url: str, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(httpx.get(f"{url}/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


class TestChat:
    def test_an_answer_has_its_sources_in_the_text_and_as_a_field(self, served: str, connect: Connect) -> None:
        completion = ask(connect(served), QUESTION)
        (choice,) = completion.choices
        assert choice.message.content == (
            "It cost nine million. [1]\n\nSources\n\n[1] harbour.txt · English · 2025-07: “It cost nine million.”"
        )
        assert choice.finish_reason == "stop"
        answer = completion.model_extra["answer"]
        assert (answer["text"], answer["abstained"], answer["quoted"]) == ("It cost nine million. [1]", False, False)
        (citation,) = answer["citations"]
        assert ARTICLES[0][0].text[citation["start"] : citation["end"]] == citation["quote"] == "It cost nine million."

    def test_a_stream_sends_the_evidence_first_and_then_the_same_text(self, served: str, connect: Connect) -> None:
        client = connect(served)
        chunks = list(ask(client, QUESTION, stream=True))
        assert chunks[0].model_extra["evidence"][0]["source"] == "harbour.txt"
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        assert text == ask(client, QUESTION).choices[0].message.content
        assert chunks[-1].choices[0].finish_reason == "stop"
        assert chunks[-1].model_extra["answer"]["citations"][0]["number"] == 1
        assert len({chunk.id for chunk in chunks}) == 1

    def test_a_stream_gives_the_role_once_in_its_first_chunk(self, served: str, connect: Connect) -> None:
        for question in (QUESTION, "Which articles do you have?"):
            chunks = list(ask(connect(served), question, stream=True))
            assert [chunk.choices[0].delta.role for chunk in chunks] == ["assistant", *[None] * (len(chunks) - 1)]
            assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)

    def test_rejected_words_are_never_sent(self, serve: Serve, connect: Connect) -> None:
        chunks = list(ask(connect(serve(ScriptedGenerator("It cost seven million."))), QUESTION, stream=True))
        assert "seven" not in "".join(chunk.to_json() for chunk in chunks)

    def test_a_question_without_an_answer_gets_a_sentence_that_says_so(self, serve: Serve, connect: Connect) -> None:
        completion = ask(connect(serve(ScriptedGenerator("", odds=UNLIKELY))), QUESTION)
        assert completion.choices[0].message.content == "The articles do not answer this question."
        assert completion.model_extra["answer"]["abstained"]

    def test_earlier_messages_complete_the_question(self, serve: Serve, connect: Connect) -> None:
        generator = ScriptedGenerator(REPLY)
        ask(connect(serve(generator)), "What about the harbour?", "It opened.", "How much was it?")
        assert "What about the harbour? How much was it?" in generator.prompts[0][1]

    def test_only_passages_that_pass_the_filter_are_read(self, served: str, connect: Connect) -> None:
        among = {"among": {"sources": ["old/*"]}}
        chunks = list(ask(connect(served), QUESTION, stream=True, extra_body=among))
        assert {hit["source"] for hit in chunks[0].model_extra["evidence"]} == {"old/orchard.txt"}

    def test_the_assistant_is_listed_as_a_model(self, served: str, connect: Connect) -> None:
        assert [model.id for model in connect(served).models.list()] == ["rag"]

    def test_stream_may_be_null(self, served: str, connect: Connect) -> None:
        assert "nine million" in ask(connect(served), QUESTION, stream=None).choices[0].message.content

    def test_lone_surrogates_are_dropped(self, served: str, http: httpx.Client) -> None:
        messages = [{"role": role, "content": f"{QUESTION}\ud83d"} for role in ("user", "assistant", "user")]
        body = json.dumps({"model": "rag\ud83d", "messages": messages})
        reply = http.post(f"{served}/v1/chat/completions", content=body, headers=JSON)
        assert "nine million" in reply.json()["choices"][0]["message"]["content"]

    def test_a_message_may_have_several_parts(self, served: str, connect: Connect) -> None:
        parts = [{"type": "text", "text": "How many million has"}, {"type": "text", "text": "the harbour cost?"}]
        messages: Any = [{"role": "system", "content": "Say no."}, {"role": "user", "content": parts}]
        completion = connect(served).chat.completions.create(model="rag", messages=messages)
        assert "nine million" in str(completion.choices[0].message.content)


class TestErrors:
    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize(
        ("contents", "message"),
        [
            (["  "], "The question is empty. Ask something about the articles."),
            (["x" * 10_000], "The question has 10000 characters; at most 2000 are read. Ask it more briefly."),
            (["x" * 10_000, REPLY, QUESTION], "An earlier question has more than 2000 characters. Leave it out."),
            ([QUESTION, REPLY], "The last message is not from the user. Put the question last."),
        ],
    )
    def test_an_invalid_question_is_refused(
        self, served: str, connect: Connect, contents: list[str], message: str, stream: bool
    ) -> None:
        with pytest.raises(openai.BadRequestError) as refused:
            ask(connect(served), *contents, stream=stream)
        assert refused.value.body == {
            "message": message, "type": "invalid_request_error", "param": None, "code": "QuestionError",
        }  # fmt: skip

    def test_an_unknown_model_is_refused(self, served: str, connect: Connect) -> None:
        with pytest.raises(openai.NotFoundError, match="no model “gpt”"):
            connect(served).chat.completions.create(model="gpt", messages=[{"role": "user", "content": QUESTION}])

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize(
        ("error", "message"),
        [
            (GenerationError("The generator broke. Ask again."), "The generator broke. Ask again."),
            (ValueError("secret"), "Unexpected ValueError. Please report it with the server's log."),
        ],
    )
    def test_a_failing_generator_is_reported(
        self, serve: Serve, connect: Connect, error: Exception, message: str, stream: bool
    ) -> None:
        url = serve(BrokenGenerator(error))
        with pytest.raises(openai.APIError) as broken:
            list(ask(connect(url), QUESTION, stream=stream))
        assert broken.value.message.removeprefix("Error code: 500 - ").count(message) == 1
        assert "secret" not in str(broken.value.body)
        assert read_metric(url, "rag_questions_total", outcome="failed") == 1

    @pytest.mark.parametrize("misspelt", ["language", "source", "\ud800"])
    def test_a_filter_with_an_unknown_field_is_refused(self, served: str, misspelt: str, http: httpx.Client) -> None:
        among = {"among": {misspelt: ["cs"]}}
        chat = {"model": "rag", "messages": [{"role": "user", "content": QUESTION}]}
        for path, body in (("/search", {"question": QUESTION}), ("/v1/chat/completions", chat)):
            reply = http.post(served + path, content=json.dumps({**body, **among}), headers=JSON)
            assert reply.status_code == 400
            place = "body.among" if misspelt == "\ud800" else f"body.among.{misspelt}: Extra inputs are not permitted"
            assert reply.json()["error"]["message"].startswith(place)

    @pytest.mark.parametrize("path", ["/nothing", "/v1/nothing", "/docs"])
    def test_an_unknown_path_gets_an_error_in_the_same_format(self, served: str, path: str, http: httpx.Client) -> None:
        reply = http.get(served + path)
        assert reply.status_code == 404
        assert reply.json()["error"]["type"] == "invalid_request_error"


class TestLimits:
    def test_a_question_over_the_limit_is_told_when_to_retry(self, serve: Serve, connect: Connect) -> None:
        url = serve(ScriptedGenerator(LONG, pause=0.05), max_questions=1)
        with ask(connect(url), QUESTION, stream=True) as stream:
            next(stream)
            with pytest.raises(openai.InternalServerError, match="its limit of 1 open requests is reached") as refused:
                ask(connect(url), QUESTION)
        assert refused.value.status_code == 503
        assert int(refused.value.response.headers["retry-after"]) > 0
        assert read_metric(url, "rag_questions_total", outcome="refused") == 1

    def test_capacity_is_free_again_after_each_stream(self, serve: Serve, connect: Connect) -> None:
        client = connect(serve(max_questions=1))
        for _ in range(3):
            assert list(ask(client, QUESTION, stream=True))[-1].model_extra["answer"]

    def test_a_waiting_question_is_told_how_many_are_ahead(self, serve: Serve, connect: Connect) -> None:
        generator = ScriptedGenerator("word " * 20, REPLY, pause=0.05)
        url = serve(generator)
        with ask(connect(url), QUESTION, stream=True):
            wait_until(lambda: generator.running == 1)
            chunks = list(ask(connect(url), QUESTION, stream=True))
        assert "ahead" in chunks[1].model_extra
        assert chunks[1].model_extra["ahead"] == 1

    @pytest.mark.parametrize("stream", [False, True])
    def test_an_answer_that_takes_too_long_times_out(self, serve: Serve, connect: Connect, stream: bool) -> None:
        generator = ScriptedGenerator(LONG, pause=0.05)
        url = serve(generator, seconds=0.5)
        with pytest.raises(openai.APIError, match=r"No answer was ready within 0\.5 seconds"):
            list(ask(connect(url), QUESTION, stream=stream))
        wait_until(lambda: generator.running == 0, seconds=1)

    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_body_that_is_too_long_is_refused(self, served: str, chunked: bool, http: httpx.Client) -> None:
        body = b" " * (MAX_BODY_BYTES + 1)
        reply = http.post(
            f"{served}/search",
            content=iter([body]) if chunked else body,
            headers={"Content-Type": "application/json"},
        )
        assert reply.status_code == 413
        assert "error" in reply.json()

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_client_that_disconnects_frees_the_model(self, serve: Serve, stream: bool) -> None:
        generator = ScriptedGenerator(LONG, REPLY, pause=0.05)
        url = serve(generator)
        body = {"model": "rag", "messages": [{"role": "user", "content": QUESTION}], "stream": stream}
        with pytest.raises(httpx.ReadTimeout):
            disconnect_after(1, f"{url}/v1/chat/completions", body)
        wait_until(lambda: generator.running == 0, seconds=1)
        wait_until(lambda: read_metric(url, "rag_open_questions") == 0, seconds=1)
        assert read_metric(url, "rag_questions_total", outcome="left") == 1

    def test_a_client_that_leaves_the_queue_lets_the_next_move_up(self, serve: Serve, connect: Connect) -> None:
        generator = ScriptedGenerator(LONG, pause=0.05)
        url = serve(generator)
        with ask(connect(url), QUESTION, stream=True):
            wait_until(lambda: generator.running == 1)
            with ask(connect(url), QUESTION, stream=True) as second:
                assert [next(second), next(second)][1].model_extra["ahead"] == 1
                with ask(connect(url), QUESTION, stream=True) as third:
                    assert [next(third), next(third)][1].model_extra["ahead"] == 2
                    second.close()
                    left = time.monotonic()
                    while next(third).model_extra["ahead"] == 2:
                        pass
                    assert time.monotonic() - left < 1.5


def disconnect_after(seconds: float, url: str, body: dict[str, Any]) -> None:
    with httpx.stream("POST", url, json=body, timeout=seconds) as reply:
        for _ in reply.iter_lines():
            pass


class TestAccess:
    def test_other_machines_are_not_served_without_a_token(self) -> None:
        with pytest.raises(ConfigError, match="RAG_SERVER_TOKEN"):
            bind("0.0.0.0", 0, None)  # noqa: S104

    def test_a_port_in_use_is_named(self) -> None:
        with bind("127.0.0.1", 0, None) as bound:
            port = bound.getsockname()[1]
            with pytest.raises(ConfigError, match=f"port {port}"):
                bind("127.0.0.1", port, None)

    @pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104
    def test_every_path_but_health_needs_the_token(self, serve: Serve, host: str, http: httpx.Client) -> None:
        url = serve(token=TOKEN, host=host)
        assert http.get(f"{url}/health").json() == {"status": "ok"}
        for shown in ({}, {"Authorization": "Bearer sesame"}, {"Authorization": f"Basic {TOKEN}".encode()}):
            refused = http.get(f"{url}/articles", headers=shown)  # type: ignore[arg-type]
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert refused.json()["error"]["type"] == "authentication_error"
        opened = http.get(f"{url}/articles", headers={"Authorization": f"Bearer {TOKEN}".encode()})
        assert opened.status_code == 200

    def test_the_settings_do_not_show_the_token(self) -> None:
        assert TOKEN not in repr(Config(server_token=TOKEN, generator_key=TOKEN))

    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost:1:2"])
    def test_a_page_whose_name_resolves_here_is_refused(self, served: str, host: str, http: httpx.Client) -> None:
        assert http.get(f"{served}/articles", headers={"Host": host}).status_code in (400, 403)

    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://[::1"])
    def test_a_page_of_another_site_is_refused(self, served: str, origin: str, http: httpx.Client) -> None:
        reply = http.get(f"{served}/articles", headers={"Origin": origin})
        assert reply.status_code == 403
        assert "access-control-allow-origin" not in reply.headers

    def test_a_request_keeps_its_own_id_if_it_is_valid(self, served: str, http: httpx.Client) -> None:
        assert http.get(f"{served}/health", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
        made = http.get(f"{served}/health", headers={"X-Request-ID": "a b"}).headers["x-request-id"]
        assert re.fullmatch("[0-9a-f]{32}", made)


class TestArticles:
    def test_search_finds_the_same_as_in_python(self, served: str, tmp_path: Path, http: httpx.Client) -> None:
        reply = http.post(f"{served}/search", json={"question": "When may boats enter?", "count": 2}).json()
        assistant = make_assistant(tmp_path, ScriptedGenerator(""))
        expected = [hit.as_dict() for hit in assistant.search("When may boats enter?", 2)]
        assert reply["hits"] == json.loads(json.dumps(expected))

    @pytest.mark.parametrize(
        ("among", "status"), [({}, 200), ({"sources": ["\ud800"]}, 400), ({"since": "\ud800"}, 400)]
    )
    def test_lone_surrogates_are_dropped(
        self, served: str, among: dict[str, Any], status: int, http: httpx.Client
    ) -> None:
        body = json.dumps({"question": "harbour\ud800", "among": among})
        reply = http.post(f"{served}/search", content=body, headers=JSON)
        assert reply.status_code == status
        assert reply.json().get("question", "harbour") == "harbour"

    def test_articles_are_listed_and_opened(self, served: str, http: httpx.Client) -> None:
        listed = http.get(f"{served}/articles").json()
        assert [article["source"] for article in listed] == ["harbour.txt", "old/orchard.txt"]
        opened = http.get(f"{served}/articles/old/orchard.txt").json()
        assert opened["text"] == ARTICLES[1][0].text

    @pytest.mark.parametrize("source", ["nothing.txt", "..%2F..%2Fetc%2Fpasswd", "%00", "//etc/passwd"])
    def test_a_missing_article_is_not_found(self, served: str, source: str, http: httpx.Client) -> None:
        reply = http.get(f"{served}/articles/{source}")
        assert reply.status_code == 404
        assert reply.json()["error"]["code"] == "ArticleMissing"

    def test_a_new_generation_of_the_index_is_used(self, serve: Serve, tmp_path: Path, http: httpx.Client) -> None:
        url = serve()
        assert len(http.get(f"{url}/articles").json()) == 2
        build_corpus(tmp_path, ARTICLES[1])
        assert [article["source"] for article in http.get(f"{url}/articles").json()] == ["old/orchard.txt"]


def test_metrics_count_and_time_requests(serve: Serve, connect: Connect, http: httpx.Client) -> None:
    url = serve()
    ask(connect(url), QUESTION)
    http.post(f"{url}/search", json={"question": QUESTION})
    assert read_metric(url, "rag_questions_total", outcome="answered") == 1
    assert read_metric(url, "rag_seconds_count", phase="total") == 1
    assert read_metric(url, "rag_seconds_count", phase="search") == 1
    assert read_metric(url, "rag_open_questions") == 0
    assert read_metric(url, "process_resident_memory_bytes") > 1e6


def test_the_log_of_an_exception_has_its_type_and_traceback_but_not_its_message() -> None:
    try:
        raise ValueError(QUESTION)
    except ValueError:
        record = logging.LogRecord("rag", logging.ERROR, __file__, 1, "unexpected error", None, sys.exc_info())
    logged = json.loads(JsonFormatter().format(record))
    assert (logged["error"], logged["level"]) == ("ValueError", "error")
    assert "test_server.py" in logged["at"][-1]
    assert "harbour" not in str(logged)


def test_the_description_has_every_path_and_its_responses(serve: Serve, http: httpx.Client) -> None:
    url = serve(token=TOKEN)
    described = http.get(f"{url}/openapi.json", headers={"Authorization": f"Bearer {TOKEN}".encode()}).json()
    paths = {"/v1/models", "/v1/chat/completions", "/search", "/articles", "/articles/{source}", "/health", "/metrics"}
    assert set(described["paths"]) == paths
    assert "security" not in described["paths"].pop("/health")["get"]
    for operations in described["paths"].values():
        for operation in operations.values():
            assert operation["description"]
            assert set(operation["responses"]) == {"200", "default"}
            assert operation["security"] == [{"HTTPBearer": []}]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
names = st.sampled_from(["model", "messages", "stream", "among", "question", "count", "role", "content", "languages"])
bodies = st.binary(max_size=200) | (values | st.dictionaries(names, values)).map(lambda body: json.dumps(body).encode())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies)
def test_any_body_is_answered_or_refused_in_the_error_format(served: str, body: bytes, http: httpx.Client) -> None:
    for path in ("/v1/chat/completions", "/search"):
        reply = http.post(served + path, content=body, headers={"Content-Type": "application/json"})
        assert reply.status_code in (200, 400, 404)
        assert reply.status_code == 200 or set(reply.json()["error"]) == {"message", "type", "param", "code"}


def test_a_body_of_brackets_only_is_refused(served: str, http: httpx.Client) -> None:
    reply = http.post(f"{served}/search", content=b"[" * 100_000, headers={"Content-Type": "application/json"})
    assert reply.status_code == 400
