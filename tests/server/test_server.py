"""The server as programs meet it: OpenAI's client and plain HTTP against a real one over stand-ins."""

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
from rag.server.middleware import BODY_BYTES
from rag.server.service import Service
from rag.testing import UNLIKELY, ScriptedGenerator
from rag.types import Reply
from tests.served import ARTICLES, build_corpus, make_assistant, serving, wait_until

QUESTION = "How many million has the harbour cost?"
REPLY = "It cost nine million."
LONG = "word " * 500
SESAME = "sésame"
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

        def serve(generator: ScriptedGenerator | None = None, host: str = "127.0.0.1", **desk: Any) -> str:
            token = desk.pop("token", None)
            assistant = make_assistant(tmp_path, generator or ScriptedGenerator(REPLY), token)
            return stack.enter_context(serving(Service(assistant, **desk), host))

        yield serve


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all that only ask it."""
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
    """The contents are those of the user and the assistant in turn."""
    messages = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(contents)]
    return client.chat.completions.create(model="rag", messages=messages, **more)  # type: ignore[call-overload]


def counts(url: str, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(httpx.get(f"{url}/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


class TestChat:
    def test_an_answer_names_its_sources_in_its_text_and_beside_it(self, served: str, connect: Connect) -> None:
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

    def test_streamed_what_was_found_comes_first_and_the_text_is_the_same(self, served: str, connect: Connect) -> None:
        client = connect(served)
        chunks = list(ask(client, QUESTION, stream=True))
        assert chunks[0].model_extra["evidence"][0]["source"] == "harbour.txt"
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        assert text == ask(client, QUESTION).choices[0].message.content
        assert chunks[-1].choices[0].finish_reason == "stop"
        assert chunks[-1].model_extra["answer"]["citations"][0]["number"] == 1
        assert len({chunk.id for chunk in chunks}) == 1

    def test_a_stream_says_once_and_first_who_speaks_whatever_is_asked(self, served: str, connect: Connect) -> None:
        for question in (QUESTION, "Which articles do you have?"):
            chunks = list(ask(connect(served), question, stream=True))
            assert [chunk.choices[0].delta.role for chunk in chunks] == ["assistant", *[None] * (len(chunks) - 1)]
            assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)

    def test_words_that_are_rejected_are_never_sent(self, serve: Serve, connect: Connect) -> None:
        chunks = list(ask(connect(serve(ScriptedGenerator("It cost seven million."))), QUESTION, stream=True))
        assert "seven" not in "".join(chunk.to_json() for chunk in chunks)

    def test_what_the_articles_do_not_answer_is_said_to_be_so(self, serve: Serve, connect: Connect) -> None:
        completion = ask(connect(serve(ScriptedGenerator("", odds=UNLIKELY))), QUESTION)
        assert completion.choices[0].message.content == "The articles do not answer this question."
        assert completion.model_extra["answer"]["abstained"]

    def test_earlier_messages_complete_the_question(self, serve: Serve, connect: Connect) -> None:
        generator = ScriptedGenerator(REPLY)
        ask(connect(serve(generator)), "What about the harbour?", "It opened.", "How much was it?")
        assert "What about the harbour? How much was it?" in generator.prompts[0][1]

    def test_only_what_passes_the_filter_is_read(self, served: str, connect: Connect) -> None:
        among = {"among": {"sources": ["old/*"]}}
        chunks = list(ask(connect(served), QUESTION, stream=True, extra_body=among))
        assert {hit["source"] for hit in chunks[0].model_extra["evidence"]} == {"old/orchard.txt"}

    def test_is_offered_as_a_model(self, served: str, connect: Connect) -> None:
        assert [model.id for model in connect(served).models.list()] == ["rag"]

    def test_a_stream_may_be_null(self, served: str, connect: Connect) -> None:
        assert "nine million" in ask(connect(served), QUESTION, stream=None).choices[0].message.content

    def test_halves_of_characters_are_left_out(self, served: str, http: httpx.Client) -> None:
        talk = [{"role": role, "content": f"{QUESTION}\ud83d"} for role in ("user", "assistant", "user")]
        asked = json.dumps({"model": "rag\ud83d", "messages": talk})
        reply = http.post(f"{served}/v1/chat/completions", content=asked, headers=JSON)
        assert "nine million" in reply.json()["choices"][0]["message"]["content"]

    def test_text_may_come_in_parts(self, served: str, connect: Connect) -> None:
        parts = [{"type": "text", "text": "How many million has"}, {"type": "text", "text": "the harbour cost?"}]
        asked: Any = [{"role": "system", "content": "Say no."}, {"role": "user", "content": parts}]
        completion = connect(served).chat.completions.create(model="rag", messages=asked)
        assert "nine million" in str(completion.choices[0].message.content)


class TestErrors:
    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize(
        ("contents", "said"),
        [
            (["  "], "The question is empty. Ask something about the articles."),
            (["x" * 10_000], "The question has 10000 characters; at most 2000 are read. Ask it more briefly."),
            (["x" * 10_000, REPLY, QUESTION], "An earlier question has more than 2000 characters. Leave it out."),
            ([QUESTION, REPLY], "The last message is not the user's. Send the question last."),
        ],
    )
    def test_a_question_that_cannot_be_asked(
        self, served: str, connect: Connect, contents: list[str], said: str, stream: bool
    ) -> None:
        with pytest.raises(openai.BadRequestError) as refused:
            ask(connect(served), *contents, stream=stream)
        assert refused.value.body == {
            "message": said, "type": "invalid_request_error", "param": None, "code": "QuestionError",
        }  # fmt: skip

    def test_a_model_that_is_not_offered(self, served: str, connect: Connect) -> None:
        with pytest.raises(openai.NotFoundError, match="no model “gpt”"):
            connect(served).chat.completions.create(model="gpt", messages=[{"role": "user", "content": QUESTION}])

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (GenerationError("The generator broke. Ask again."), "The generator broke. Ask again."),
            (ValueError("secret"), "Unexpected ValueError. Please report it, with the server's log."),
        ],
    )
    def test_a_generator_that_breaks(
        self, serve: Serve, connect: Connect, error: Exception, said: str, stream: bool
    ) -> None:
        url = serve(BrokenGenerator(error))
        with pytest.raises(openai.APIError) as broken:
            list(ask(connect(url), QUESTION, stream=stream))
        assert broken.value.message.removeprefix("Error code: 500 - ").count(said) == 1
        assert "secret" not in str(broken.value.body)
        assert counts(url, "rag_questions_total", outcome="failed") == 1

    @pytest.mark.parametrize("misspelt", ["language", "source", "\ud800"])
    def test_a_filter_with_a_field_that_there_is_not(self, served: str, misspelt: str, http: httpx.Client) -> None:
        among = {"among": {misspelt: ["cs"]}}
        talk = {"model": "rag", "messages": [{"role": "user", "content": QUESTION}]}
        for path, asked in (("/search", {"question": QUESTION}), ("/v1/chat/completions", talk)):
            reply = http.post(served + path, content=json.dumps({**asked, **among}), headers=JSON)
            assert reply.status_code == 400
            place = "body.among" if misspelt == "\ud800" else f"body.among.{misspelt}: Extra inputs are not permitted"
            assert reply.json()["error"]["message"].startswith(place)

    @pytest.mark.parametrize("path", ["/nothing", "/v1/nothing", "/docs"])
    def test_what_is_not_there_has_the_same_form(self, served: str, path: str, http: httpx.Client) -> None:
        reply = http.get(served + path)
        assert reply.status_code == 404
        assert reply.json()["error"]["type"] == "invalid_request_error"


class TestBounds:
    def test_more_than_are_held_are_told_when_to_come_back(self, serve: Serve, connect: Connect) -> None:
        url = serve(ScriptedGenerator(LONG, pause=0.05), places=1)
        with ask(connect(url), QUESTION, stream=True) as stream:
            next(stream)
            with pytest.raises(openai.InternalServerError, match="Busy: 1 others are ahead") as refused:
                ask(connect(url), QUESTION)
        assert refused.value.status_code == 503
        assert int(refused.value.response.headers["retry-after"]) > 0
        assert counts(url, "rag_questions_total", outcome="refused") == 1

    def test_whoever_waits_is_told_how_many_are_ahead(self, serve: Serve, connect: Connect) -> None:
        generator = ScriptedGenerator("word " * 20, REPLY, pause=0.05)
        url = serve(generator)
        with ask(connect(url), QUESTION, stream=True):
            wait_until(lambda: generator.running == 1)
            chunks = list(ask(connect(url), QUESTION, stream=True))
        assert "ahead" in chunks[1].model_extra
        assert chunks[1].model_extra["ahead"] == 1

    @pytest.mark.parametrize("stream", [False, True])
    def test_an_answer_that_takes_too_long_is_given_up(self, serve: Serve, connect: Connect, stream: bool) -> None:
        generator = ScriptedGenerator(LONG, pause=0.05)
        url = serve(generator, seconds=0.5)
        with pytest.raises(openai.APIError, match=r"No answer came within 0\.5 seconds"):
            list(ask(connect(url), QUESTION, stream=stream))
        wait_until(lambda: generator.running == 0, seconds=1)

    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_body_that_is_too_long_is_refused(self, served: str, chunked: bool, http: httpx.Client) -> None:
        body = b" " * (BODY_BYTES + 1)
        reply = http.post(
            f"{served}/search",
            content=iter([body]) if chunked else body,
            headers={"Content-Type": "application/json"},
        )
        assert reply.status_code == 413
        assert "error" in reply.json()

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_client_that_leaves_frees_the_model(self, serve: Serve, stream: bool) -> None:
        generator = ScriptedGenerator(LONG, REPLY, pause=0.05)
        url = serve(generator)
        asked = {"model": "rag", "messages": [{"role": "user", "content": QUESTION}], "stream": stream}
        with pytest.raises(httpx.ReadTimeout):
            leave_after(1, f"{url}/v1/chat/completions", asked)
        wait_until(lambda: generator.running == 0, seconds=1)
        wait_until(lambda: counts(url, "rag_open_questions") == 0, seconds=1)
        assert counts(url, "rag_questions_total", outcome="left") == 1

    def test_a_client_that_leaves_the_line_lets_the_next_move_up(self, serve: Serve, connect: Connect) -> None:
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


def leave_after(seconds: float, url: str, asked: dict[str, Any]) -> None:
    with httpx.stream("POST", url, json=asked, timeout=seconds) as reply:
        for _ in reply.iter_lines():
            pass


class TestGuard:
    def test_elsewhere_it_is_not_served_without_a_token(self) -> None:
        with pytest.raises(ConfigError, match="RAG_SERVER_TOKEN"):
            bind("0.0.0.0", 0, None)  # noqa: S104

    def test_a_port_in_use_is_named(self) -> None:
        with bind("127.0.0.1", 0, None) as bound:
            port = bound.getsockname()[1]
            with pytest.raises(ConfigError, match=f"port {port}"):
                bind("127.0.0.1", port, None)

    @pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104
    def test_the_token_is_wanted_for_all_but_the_health(self, serve: Serve, host: str, http: httpx.Client) -> None:
        url = serve(token=SESAME, host=host)
        assert http.get(f"{url}/health").json() == {"status": "ok"}
        for shown in ({}, {"Authorization": "Bearer sesame"}, {"Authorization": f"Basic {SESAME}".encode()}):
            refused = http.get(f"{url}/articles", headers=shown)  # type: ignore[arg-type]
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert refused.json()["error"]["type"] == "authentication_error"
        opened = http.get(f"{url}/articles", headers={"Authorization": f"Bearer {SESAME}".encode()})
        assert opened.status_code == 200

    def test_the_token_does_not_show_in_the_settings(self) -> None:
        assert SESAME not in repr(Config(server_token=SESAME, generator_key=SESAME))

    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost:1:2"])
    def test_a_page_whose_name_was_pointed_here_gets_nothing(self, served: str, host: str, http: httpx.Client) -> None:
        assert http.get(f"{served}/articles", headers={"Host": host}).status_code in (400, 403)

    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://[::1"])
    def test_a_page_from_elsewhere_gets_nothing(self, served: str, origin: str, http: httpx.Client) -> None:
        reply = http.get(f"{served}/articles", headers={"Origin": origin})
        assert reply.status_code == 403
        assert "access-control-allow-origin" not in reply.headers

    def test_a_request_keeps_the_id_that_it_came_with_if_it_is_one(self, served: str, http: httpx.Client) -> None:
        assert http.get(f"{served}/health", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
        made = http.get(f"{served}/health", headers={"X-Request-ID": "a b"}).headers["x-request-id"]
        assert re.fullmatch("[0-9a-f]{32}", made)


class TestArticles:
    def test_searching_finds_what_python_finds(self, served: str, tmp_path: Path, http: httpx.Client) -> None:
        reply = http.post(f"{served}/search", json={"question": "When may boats enter?", "count": 2}).json()
        assistant = make_assistant(tmp_path, ScriptedGenerator(""))
        expected = [hit.as_dict() for hit in assistant.search("When may boats enter?", 2)]
        assert reply["hits"] == json.loads(json.dumps(expected))

    @pytest.mark.parametrize(
        ("among", "status"), [({}, 200), ({"sources": ["\ud800"]}, 400), ({"since": "\ud800"}, 400)]
    )
    def test_halves_of_characters_are_left_out(
        self, served: str, among: dict[str, Any], status: int, http: httpx.Client
    ) -> None:
        asked = json.dumps({"question": "harbour\ud800", "among": among})
        reply = http.post(f"{served}/search", content=asked, headers=JSON)
        assert reply.status_code == status
        assert reply.json().get("question", "harbour") == "harbour"

    def test_they_are_listed_and_opened(self, served: str, http: httpx.Client) -> None:
        listed = http.get(f"{served}/articles").json()
        assert [article["source"] for article in listed] == ["harbour.txt", "old/orchard.txt"]
        opened = http.get(f"{served}/articles/old/orchard.txt").json()
        assert opened["text"] == ARTICLES[1][0].text

    @pytest.mark.parametrize("source", ["nothing.txt", "..%2F..%2Fetc%2Fpasswd", "%00", "//etc/passwd"])
    def test_one_that_is_not_there(self, served: str, source: str, http: httpx.Client) -> None:
        reply = http.get(f"{served}/articles/{source}")
        assert reply.status_code == 404
        assert reply.json()["error"]["code"] == "ArticleMissing"

    def test_a_new_generation_of_the_index_is_taken_up(self, serve: Serve, tmp_path: Path, http: httpx.Client) -> None:
        url = serve()
        assert len(http.get(f"{url}/articles").json()) == 2
        build_corpus(tmp_path, ARTICLES[1])
        assert [article["source"] for article in http.get(f"{url}/articles").json()] == ["old/orchard.txt"]


def test_metrics_tell_what_was_asked_and_how_long_it_took(serve: Serve, connect: Connect, http: httpx.Client) -> None:
    url = serve()
    ask(connect(url), QUESTION)
    http.post(f"{url}/search", json={"question": QUESTION})
    assert counts(url, "rag_questions_total", outcome="answered") == 1
    assert counts(url, "rag_seconds_count", phase="total") == 1
    assert counts(url, "rag_seconds_count", phase="search") == 1
    assert counts(url, "rag_open_questions") == 0
    assert counts(url, "process_resident_memory_bytes") > 1e6


def test_of_an_exception_the_log_tells_the_kind_and_the_place_alone() -> None:
    try:
        raise ValueError(QUESTION)
    except ValueError:
        record = logging.LogRecord("rag", logging.ERROR, __file__, 1, "unexpected", None, sys.exc_info())
    logged = json.loads(JsonFormatter().format(record))
    assert (logged["error"], logged["level"]) == ("ValueError", "error")
    assert "test_server.py" in logged["at"][-1]
    assert "harbour" not in str(logged)


def test_the_description_tells_every_path_and_what_comes_back(serve: Serve, http: httpx.Client) -> None:
    url = serve(token=SESAME)
    described = http.get(f"{url}/openapi.json", headers={"Authorization": f"Bearer {SESAME}".encode()}).json()
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
def test_whatever_is_sent_is_refused_in_good_order(served: str, body: bytes, http: httpx.Client) -> None:
    for path in ("/v1/chat/completions", "/search"):
        reply = http.post(served + path, content=body, headers={"Content-Type": "application/json"})
        assert reply.status_code in (200, 400, 404)
        assert reply.status_code == 200 or set(reply.json()["error"]) == {"message", "type", "param", "code"}


def test_a_body_of_nothing_but_brackets_is_refused(served: str, http: httpx.Client) -> None:
    reply = http.post(f"{served}/search", content=b"[" * 100_000, headers={"Content-Type": "application/json"})
    assert reply.status_code == 400
