"""The remote generator against a real server process: llama-cpp-python's own, over the smaller model."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest

from rag.errors import GenerationError
from rag.generation.remote import RemoteGenerator

pytestmark = pytest.mark.slow(reason="It starts a server over a real generator.")
KEY = "a-key-of-the-test"
READY_SECONDS = 60
PREFIX, SUFFIX = "The cat is black. ", "What colour is the cat? Answer in one word."
COUNT = "Count from 1 to 5000, separated by commas."


@pytest.fixture(scope="module")
def url(light_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(light_model_path), "--model_alias", "light"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--api_key", KEY, "--n_ctx", "4096"]
    # By default this server drops a reply as soon as another is requested, which would hide whether ours was closed.
    command += ["--interrupt_requests", "false"]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            wait_until_it_listens(process, f"http://127.0.0.1:{port}/openapi.json", log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def wait_until_it_listens(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            opener.open(url, timeout=1).close()
        except (URLError, TimeoutError):
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


def test_a_question_is_answered_by_the_first_model_offered(url: str) -> None:
    generator = RemoteGenerator.connect(url, key=KEY)
    assert "black" in "".join(generator.generate(PREFIX, SUFFIX, 8)).lower()
    assert generator.name == f"light at {url}"


def test_replies_are_greedy_bounded_and_stopped(url: str) -> None:
    generator = RemoteGenerator.connect(url, key=KEY)
    first, second = (list(generator.generate("", COUNT, 12)) for _ in range(2))
    assert first == second
    assert 1 < len(first) <= 12
    assert "".join(generator.generate("", COUNT, 60, stop=["5"])).rstrip(", ").endswith("4")


def test_closing_the_iterator_frees_the_server_for_the_next_question(url: str) -> None:
    # The server serves one reply at a time. If the first were still running, the second would be given up after
    # three attempts of 5 seconds, long before 3900 tokens are evaluated.
    generator = RemoteGenerator.connect(url, key=KEY, read_seconds=5)
    words = generator.generate("", COUNT, 3900)
    next(words)
    words.close()  # type: ignore[attr-defined]
    assert "black" in "".join(generator.generate(PREFIX, SUFFIX, 8)).lower()


def test_a_wrong_key_is_refused_with_the_remedy(url: str) -> None:
    with pytest.raises(GenerationError, match="RAG_GENERATOR_KEY"):
        next(RemoteGenerator.connect(url, key="wrong").generate(PREFIX, SUFFIX, 8))


def test_a_prompt_that_the_server_cannot_take_is_an_error(url: str) -> None:
    with pytest.raises(GenerationError, match="broke off its reply"):
        list(RemoteGenerator.connect(url, key=KEY).generate("word " * 6000, SUFFIX, 8))
