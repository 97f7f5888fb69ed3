"""Clients that ask a server, and measurements of its process from outside."""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from rag.config import ROOT

SETTLED = 2.0
"""Seconds without change after which a process counts as settled."""
LONGEST = 30.0
BUSY = re.compile(r"limit of \d+ open requests")


@dataclass(frozen=True, slots=True)
class Size:
    """The resources that a process uses."""

    megabytes: float
    """Resident memory, in bytes."""
    own: float
    """Resident memory without pages of mapped files, such as models, in bytes."""
    files: int
    threads: int


def compare(before: Size, after: Size) -> dict[str, float]:
    """Return resources before and after, by their names in a table."""
    names = {"megabytes": "memory {}, MB", "own": "of its own {}, MB", "files": "files {}", "threads": "threads {}"}
    return {
        name.format(when): getattr(size, fact)
        for fact, name in names.items()
        for when, size in (("before", before), ("after", after))
    }


class Server:
    """A server process and its address."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self._folder = Path(f"/proc/{process.pid}")
        self.port = port

    def measure(self) -> Size:
        """Return the resources that the process uses now."""
        status = (self._folder / "status").read_text(encoding="utf-8")
        resident, own = (int(status.partition(f"{name}:")[2].split()[0]) / 1024 for name in ("VmRSS", "RssAnon"))
        files, threads = (len(list((self._folder / name).iterdir())) for name in ("fd", "task"))
        return Size(resident, own, files, threads)

    async def rest(self) -> Size:
        """Return the resources that the process uses once it has settled."""
        size, since = self.measure(), time.monotonic()
        deadline = since + LONGEST
        while time.monotonic() < min(since + SETTLED, deadline):
            await asyncio.sleep(0.1)
            now = self.measure()
            if (now.files, now.threads) != (size.files, size.threads):
                since = time.monotonic()
            size = now
        return size

    async def count_open(self) -> int:
        """Return the number of questions that the server holds."""
        async with await Connection.open(self.port) as connection:
            await connection.send("GET", "/metrics")
            found = re.search(r"^rag_open_questions (\d+)", (await connection.read()).decode(), re.MULTILINE)
        assert found
        return int(found[1])


@contextmanager
def serving(command: Sequence[str]) -> Iterator[Server]:
    """Start a server with a command, and read its address from its output."""
    with (
        TemporaryDirectory() as folder,
        (Path(folder) / "log").open("w") as log,
        subprocess.Popen(  # noqa: S603 - a command of our own
            [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout
        try:
            found = re.search(r":(\d+)/v1", process.stdout.readline())
            assert found, "the server did not start"
            yield Server(process, int(found[1]))
        finally:
            process.kill()


@contextmanager
def serving_stand_ins(pause: float) -> Iterator[Server]:
    """Start `rag serve` over stand-ins, whose generator takes `pause` seconds for a word."""
    with (
        TemporaryDirectory() as folder,
        serving(["-m", "stress.stand_in", folder, str(pause), "--port", "0"]) as server,
    ):
        yield server


class Connection:
    """A minimal HTTP/1.1 connection, as clients and server share the processor."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._headers = b""
        self.status = 0

    @classmethod
    async def open(cls, port: int) -> Self:
        """Open a connection to this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 24))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, even if a reply is pending."""
        self._writer.transport.abort()

    async def send(self, method: str, path: str, body: object = None) -> None:
        """Send a request and return the status of the reply."""
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(data)}\r\n"
        self._writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode() + data)
        self._headers = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        self.status = int(self._headers.split(b" ", 2)[1])

    async def read(self) -> bytes:
        """Return the whole body of the reply."""
        return b"".join([piece async for piece in self.follow()])

    async def follow(self) -> AsyncIterator[bytes]:
        """Yield the lines of the reply as they arrive."""
        if length := re.search(rb"content-length: (\d+)", self._headers):
            yield await self._reader.readexactly(int(length[1]))
            return
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            yield (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readexactly(2)


@dataclass(slots=True)
class Asked:
    """One question and its outcome, with times in seconds of a shared clock."""

    sent: float
    in_line: float | None = None
    """When its evidence arrived and it entered the queue."""
    done: float | None = None
    places: list[int] = field(default_factory=list)
    """The places in the queue that were reported to it."""
    outcome: str = "error"
    """`failed`, `answered` or `busy`."""
    said: str = ""


async def ask(port: int, question: str) -> Asked:
    """Ask a question and record its outcome."""
    asked = Asked(time.monotonic())
    body = {"model": "rag", "stream": True, "messages": [{"role": "user", "content": question}]}
    try:
        async with await Connection.open(port) as connection:
            await connection.send("POST", "/v1/chat/completions", body)
            if connection.status != 200:
                asked.said = (await connection.read()).decode()
                asked.outcome = "busy" if connection.status == 503 and BUSY.search(asked.said) else "error"
                return asked
            async with aclosing(connection.follow()) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    _note(asked, piece.decode())
    except (OSError, asyncio.IncompleteReadError) as error:
        asked.said = repr(error)
    return asked


def _note(asked: Asked, piece: str) -> None:
    if asked.in_line is None and '"evidence":' in piece:
        asked.in_line = time.monotonic()
    asked.places += map(int, re.findall(r'"ahead":(\d+)', piece))
    if '"finish_reason":"stop"' in piece:
        asked.outcome, asked.done = "answered", time.monotonic()
    elif '"error":' in piece:
        asked.said = piece


async def measure_leaving(server: Server, question: str, while_waiting: bool) -> float:
    """Return the seconds until the place of a client that disconnects is free, while it is answered or waits."""
    async with await Connection.open(server.port) as first, await Connection.open(server.port) as second:
        body = {"model": "rag", "stream": True, "messages": [{"role": "user", "content": question}]}
        for connection in (first, second) if while_waiting else (first,):
            await connection.send("POST", "/v1/chat/completions", body)
            await anext(aiter(connection.follow()))
        held = await server.count_open()
        left = time.monotonic()
        (second if while_waiting else first).close()
        while await server.count_open() >= held and time.monotonic() < left + LONGEST:
            await asyncio.sleep(0.01)
        return time.monotonic() - left
