"""The MCP tools as clients see them: called with the protocol's own client, over HTTP and over pipes."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.client import Client as AnyClient

from rag.config import ROOT
from rag.server.service import Service
from rag.shell.options import INTERRUPTED
from rag.testing import ScriptedGenerator
from rag.text.prompts import Prompts
from tests.served import ARTICLES, make_assistant, serving

PROMPTS = Prompts.load(ROOT / "prompts")
QUESTION = "How many million has the harbour cost?"
REPLY = "It cost nine million."
CODE = "import sys; from tests.server.test_mcp_tools import run; run(sys.argv[1])"
GREETING = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


@pytest.fixture(params=["http", "pipes"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "pipes":
        yield StdioServerParameters(command=sys.executable, args=["-c", CODE, str(tmp_path)], cwd=ROOT)
        return
    with serving(Service(make_assistant(tmp_path, ScriptedGenerator(REPLY)))) as url:
        yield f"{url}/mcp"


def run(folder: str) -> None:
    """Run `rag mcp` on stand-ins for the models."""
    from rag.cli import main

    main(["mcp"], lambda _: make_assistant(Path(folder), ScriptedGenerator(REPLY)))


async def call(client: AnyClient, name: str, **arguments: Any) -> Any:
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result.content
    return result.structured_content


def test_tools_answer_search_and_open_an_article(connection: Any) -> None:
    async def use() -> None:
        async with Client(connection) as client:
            listed = (await client.list_tools()).tools
            assert {tool.name for tool in listed} == {"ask", "search", "open_article"}
            assert all(tool.description == PROMPTS.programs[tool.name] for tool in listed)
            assert all(tool.annotations.read_only_hint for tool in listed)
            assert PROMPTS.programs["among"] in json.dumps([tool.input_schema for tool in listed])
            answer = await call(client, "ask", question=QUESTION)
            assert answer["text"] == "It cost nine million. [1]"
            assert answer["citations"][0]["quote"] == "It cost nine million."
            found = await call(client, "search", question=QUESTION, count=2, among={"sources": ["old/*"]})
            assert {hit["source"] for hit in found["hits"]} == {"old/orchard.txt"}
            opened = await call(client, "open_article", source=answer["citations"][0]["source"])
            assert opened["article"]["text"] == ARTICLES[0][0].text

    asyncio.run(use())


def test_errors_are_explained_in_one_sentence(connection: Any) -> None:
    async def use() -> None:
        async with Client(connection) as client:
            for name, arguments, message in (
                ("ask", {"question": " "}, "The question is empty. Ask something about the articles."),
                ("open_article", {"source": "../secret"}, "has no article “../secret”. Name one that it lists."),
                ("search", {"question": QUESTION, "count": 10**9}, "less than or equal to 100"),
                ("search", {"question": QUESTION, "among": {"language": ["cs"]}}, "among.language\n  Extra inputs"),
                ("ask", {"question": QUESTION, "among": {"language": ["cs"]}}, "among.language\n  Extra inputs"),
            ):
                result = await client.call_tool(name, arguments)
                assert result.is_error
                assert message in json.loads(result.content[0].model_dump_json())["text"]

    asyncio.run(use())


@contextmanager
def open_input(kind: str) -> Iterator[tuple[int, int]]:
    """Yield the descriptors of both ends, for writing and for reading. They stay open inside the context."""
    written, read = pty.openpty() if kind == "terminal" else reversed(os.pipe())
    try:
        yield written, read
    finally:
        os.close(written)
        os.close(read)


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_one_interrupt_ends_the_server_while_it_waits_for_input(tmp_path: Path, kind: str) -> None:
    command = [sys.executable, "-c", CODE, str(tmp_path)]
    greeting = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": GREETING})
    with (
        open_input(kind) as (written, read),
        subprocess.Popen(
            command, cwd=ROOT, stdin=read, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        assert process.stdout
        assert process.stderr
        try:
            os.write(written, f"{greeting}\n".encode())
            assert json.loads(process.stdout.readline())["id"] == 1
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=10) == INTERRUPTED
        finally:
            process.kill()
        assert process.stderr.read() == "\nrag: interrupted\n"
