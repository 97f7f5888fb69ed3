"""`rag serve` as a process: it prints its address, logs nothing that users wrote, and stops when told to."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import openai

from rag.cli import FAILED, INTERRUPTED, main
from rag.config import ROOT
from rag.testing import ScriptedGenerator
from tests.served import make_assistant, wait_until

QUESTION = "How many million has the harbour cost?"
CODE = "import sys; from tests.server.test_serve import run; run(*sys.argv[1:])"


def run(folder: str, reply: str, *arguments: str) -> None:
    """Run `rag serve` on stand-ins for the models."""
    generator = ScriptedGenerator(reply, pause=0.01)
    main(["serve", *arguments], lambda _: make_assistant(Path(folder), generator))


@contextmanager
def serving(folder: Path, reply: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    command = [sys.executable, "-c", CODE, str(folder), reply, "--port", "0"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        assert process.stdout
        try:
            yield process, process.stdout.readline().split()[2].removesuffix("/v1")
        finally:
            process.kill()


def messages(question: str) -> Any:
    return [{"role": "user", "content": question}]


def test_it_serves_logs_and_stops(tmp_path: Path) -> None:
    with serving(tmp_path, "It cost nine million.") as (process, url):
        with openai.OpenAI(base_url=f"{url}/v1", api_key="none") as client:
            reply = client.chat.completions.with_raw_response.create(model="rag", messages=messages(QUESTION))
            assert "nine million" in reply.text
        assert httpx.get(f"{url}/articles/harbour.txt").status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == INTERRUPTED
    *entries, blank, last = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert (blank, last) == ("", "rag: interrupted")
    logged = [json.loads(entry) for entry in entries]
    question, completed, opened = logged
    assert question["request"] == completed["request"] == reply.headers["x-request-id"] != opened["request"]
    assert (question["outcome"], question["language"]) == ("answered", "en")
    assert {"evidence", "total"} <= question["phases"].keys()
    assert [entry["route"] for entry in (completed, opened)] == ["/v1/chat/completions", "/articles/{source:path}"]
    assert [entry["status"] for entry in (completed, opened)] == [200, 200]
    assert "harbour" not in str(logged)


def test_it_stops_soon_while_it_is_answering(tmp_path: Path) -> None:
    with serving(tmp_path, "word " * 5000) as (process, url):
        body = {"model": "rag", "messages": messages(QUESTION), "stream": True}
        with httpx.stream("POST", f"{url}/v1/chat/completions", json=body) as reply:
            next(reply.iter_lines())
            process.send_signal(signal.SIGINT)
            stopped = time.monotonic()
            wait_until(lambda: process.poll() is not None, seconds=15)
        assert time.monotonic() - stopped < 10


def test_the_examples_in_the_page_on_integrations_work(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8")
    (client,) = re.findall(r"```python\n(from openai.*?)```", page, re.DOTALL)
    commands = re.findall(r"^curl .*$", page, re.MULTILINE)
    with serving(tmp_path, "It cost nine million.") as (_, url):
        python, search, articles = (
            subprocess.run(
                [word.replace("http://127.0.0.1:8000", url) for word in command],
                capture_output=True, text=True, check=True,
            ).stdout
            for command in ([sys.executable, "-c", client], *map(shlex.split, commands))
        )  # fmt: skip
    # The page asks about the articles in seeds/; the ones here do not answer that.
    assert python == "Články na tuto otázku neodpovídají.\n[]\n"
    assert [hit["rank"] for hit in json.loads(search)["hits"]] == [1, 2, 3]
    assert [article["source"] for article in json.loads(articles)] == ["harbour.txt", "old/orchard.txt"]


def test_it_says_in_one_line_why_it_does_not_start(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CODE, str(tmp_path), "", "--host", "0.0.0.0"]  # noqa: S104
    started = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert started.returncode == FAILED
    assert started.stderr == (
        "rag: Other machines can reach 0.0.0.0. Set RAG_SERVER_TOKEN to a token that clients must send, "
        "or leave out --host.\n"
    )
