"""Several model servers, each a process of its own: another takes over when one is killed, hangs or is missing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from rag.errors import GenerationError
from rag.generation.remote import RemoteGenerator
from tests.model_server import ModelServer, serving

Start = Callable[[str], ModelServer]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda behaviour: stack.enter_context(serving(behaviour))


def connect(*servers: ModelServer, read_seconds: float = 30, calls: int = 4) -> RemoteGenerator:
    return RemoteGenerator.connect(", ".join(server.url for server in servers), None, None, calls, read_seconds)


def ask(generator: RemoteGenerator) -> str:
    return "".join(generator.generate("passage ", "question", max_tokens=9))


def test_another_replaces_one_killed_before_its_first_word_which_is_then_tried_last(start: Start) -> None:
    first, second = start("hangs"), start("says")
    generator = connect(first, second)
    with ThreadPoolExecutor(1) as thread:
        reply = thread.submit(ask, generator)
        first.wait_until_asked()
        first.kill()
        assert reply.result(timeout=30) == "Hello there"
    second.wait_until_asked()
    assert ask(generator) == "Hello there"
    assert generator.name == f"model at {first.url}, {second.url}"


def test_none_replaces_one_killed_after_its_first_word(start: Start) -> None:
    first, second = start("stops"), start("says")
    generator = connect(first, second)
    words = generator.generate("passage ", "question", max_tokens=9)
    assert next(words) == "Hello "
    first.kill()
    with pytest.raises(GenerationError) as raised:
        next(words)
    assert type(raised.value) is GenerationError
    assert str(raised.value).startswith(f"The server {first.url} cannot be reached or broke off")
    assert str(raised.value).endswith("Check that it runs and that RAG_GENERATOR is right.")
    # The next question goes to the other server at once.
    assert ask(generator) == "Hello there"
    second.wait_until_asked()


def test_another_replaces_one_that_hangs_after_the_timeout(start: Start) -> None:
    first, second = start("hangs"), start("says")
    assert ask(connect(first, second, read_seconds=1)) == "Hello there"
    first.wait_until_asked()


def test_when_none_is_left_the_last_one_is_named(start: Start) -> None:
    first, second = start("says"), start("says")
    generator = connect(first, second)
    first.kill()
    second.kill()
    with pytest.raises(GenerationError) as raised:
        ask(generator)
    assert str(raised.value).startswith(f"The server {second.url} cannot be reached")
    assert str(raised.value).endswith("No other server could take over.")


def test_no_more_calls_are_in_progress_than_allowed(start: Start) -> None:
    generator = connect(start("counts"), calls=2)
    with ThreadPoolExecutor(8) as threads:
        replies = [threads.submit(ask, generator) for _ in range(8)]
    assert [reply.result() for reply in replies] == ["Hello 2"] * 8


def test_the_least_busy_is_used(start: Start) -> None:
    first, second = start("stops"), start("says")
    generator = connect(first, second)
    words = generator.generate("passage ", "question", max_tokens=9)
    assert next(words) == "Hello "
    assert ask(generator) == "Hello there"
    second.wait_until_asked()
    words.close()  # type: ignore[attr-defined]
