"""A model server with OpenAI's API in a process of its own: `python -m tests.model_server BEHAVIOUR`.

It prints its port, and then `asked` for each request, so that a test knows when to kill it.
"""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from rag.config import ROOT

app = FastAPI()
behaviour = sys.argv[1] if __name__ == "__main__" else ""
running = most = 0


@app.get("/v1/models")
def list_models() -> object:
    return {"object": "list", "data": [{"id": "model"}]}


@app.post("/v1/chat/completions")
async def complete() -> StreamingResponse:
    print("asked", flush=True)  # noqa: T201
    if behaviour == "hangs":
        await asyncio.Event().wait()
    return StreamingResponse(write(), media_type="text/event-stream")


async def write() -> AsyncIterator[str]:
    global running, most
    running += 1
    most = max(most, running)
    try:
        yield chunk("Hello ")
        if behaviour == "stops":
            await asyncio.Event().wait()
        while behaviour == "counts" and most < 2:
            await asyncio.sleep(0.01)
        yield chunk(str(most) if behaviour == "counts" else "there")
        yield chunk("", "stop")
    finally:
        running -= 1
    yield "data: [DONE]\n\n"


def chunk(text: str, finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}
    return f"data: {json.dumps({'choices': [choice]})}\n\n"


class ModelServer(NamedTuple):
    url: str
    process: "subprocess.Popen[str]"

    def wait_until_asked(self) -> None:
        assert self.process.stdout
        assert self.process.stdout.readline() == "asked\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def serving(behaviour: str) -> Iterator[ModelServer]:
    command = [sys.executable, "-m", "tests.model_server", behaviour]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield ModelServer(f"http://127.0.0.1:{process.stdout.readline().strip()}/v1", process)
        finally:
            process.kill()


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as bound:
        print(bound.getsockname()[1], flush=True)  # noqa: T201
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[bound])
