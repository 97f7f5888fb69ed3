"""Put `rag serve` under load, over stand-ins for the models: `python -m stress.load`.

Reports how many requests were answered and refused, how long they took, whether any was overtaken in the queue, and the
resources of the server's process before and after.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np
from rich.console import Console
from rich.progress import Progress

from stress.clients import BUSY, Asked, Connection, Server, ask, compare, measure_leaving, serving_stand_ins

QUESTIONS = (
    "How many million did it cost in the end?",
    "Kdo pozval ministra na návštěvu?",
    "Wer hat den Minister eingeladen?",
    "Кто пригласил министра на переговоры?",
)
PAUSE = 0.005
"""Seconds that the generator takes for a word."""
SLOW = 0.2
"""Seconds for a word while disconnecting clients are measured."""
BACK = 1.0
"""Mean seconds after which a refused client tries again."""
TICK = 0.01
CONNECTIONS = 300
"""Connections for searches; more than the server accepts."""
WARM_SHARE = 0.1
LEAST_WARM = 10.0
"""Minimum seconds of the warm-up."""
FLAT = 1.05
"""Factor by which memory may grow."""
POOLS = 50
"""Threads by which the server's pools may grow, as they fill on demand."""
Advance = Callable[[float], object]
Figures = dict[str, float]


@dataclass(slots=True)
class Load:
    """The outcome of everything that was asked."""

    asked: list[Asked] = field(default_factory=list)
    searches: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    """Seconds of each served search, from when it was due."""
    said: set[str] = field(default_factory=set)
    """Messages of errors."""


def main() -> None:
    """Print the figures. Exit with 1 if a limit is exceeded."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=600, help="duration (600)")
    options.add_argument("--askers", type=int, default=50, help="clients that ask again and again (50)")
    options.add_argument("--rate", type=float, default=500, help="searches a second (500)")
    options.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = options.parse_args()
    with Progress(console=Console(stderr=True), transient=True) as bars:
        warm = max(LEAST_WARM, chosen.seconds * WARM_SHARE)
        bar = bars.add_task("load", total=chosen.seconds + warm)
        figures = asyncio.run(measure(chosen.seconds, warm, chosen.askers, chosen.rate, partial(bars.advance, bar)))
    faults = find_faults(figures)
    print(json.dumps(figures, indent=2) if chosen.json else render(figures))
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


async def measure(seconds: float, warm: float, askers: int, rate: float, advance: Advance) -> Figures:
    """Warm a server up for some seconds, put it under load, and return the outcome."""
    with serving_stand_ins(PAUSE) as server:
        await put_load(server, warm, askers, rate, advance)
        before = await server.rest()
        load = await put_load(server, seconds, askers, rate, advance)
        after = await server.rest()
    with serving_stand_ins(SLOW) as server:
        leaving = [await measure_leaving(server, QUESTIONS[0], waiting) for waiting in (False, True) * 2]
    for words in sorted(load.said):
        print(words, file=sys.stderr)
    return {
        **summarise(load, seconds),
        **compare(before, after),
        "seconds until the place of a disconnected client is free": max(leaving),
    }


async def put_load(server: Server, seconds: float, askers: int, rate: float, advance: Advance) -> Load:
    """Ask and search for some seconds, wait for requests in progress, and return the outcome."""
    load = Load()
    end = time.monotonic() + seconds
    async with asyncio.TaskGroup() as tasks:
        for number in range(askers):
            tasks.create_task(_go_on_asking(server.port, number, end, load))
        tasks.create_task(_go_on_searching(server.port, rate, end, load))
        while time.monotonic() < end:
            await asyncio.sleep(min(0.5, seconds))
            advance(min(0.5, seconds))
    return load


async def _go_on_asking(port: int, number: int, end: float, load: Load) -> None:
    chance = random.Random(number)  # noqa: S311
    while time.monotonic() < end:
        asked = await ask(port, QUESTIONS[number % len(QUESTIONS)])
        load.asked.append(asked)
        if asked.outcome == "error":
            load.said.add(asked.said)
        if asked.outcome != "answered":
            await asyncio.sleep(min(BACK * chance.uniform(0.5, 1.5), max(0.0, end - time.monotonic())))


async def _go_on_searching(port: int, rate: float, end: float, load: Load) -> None:
    """Send searches when they are due, however long earlier ones take."""
    free: list[Connection] = []
    running: set[asyncio.Task[None]] = set()
    began, sent = time.monotonic(), 0
    while (now := time.monotonic()) < end:
        while sent < (now - began) * rate:
            due = began + sent / rate
            sent += 1
            if len(running) >= CONNECTIONS:
                load.searches["held back"] += 1
                continue
            task = asyncio.create_task(_search(port, free, QUESTIONS[sent % len(QUESTIONS)], due, load))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.sleep(TICK)
    await asyncio.gather(*running)
    for connection in free:
        connection.close()


async def _search(port: int, free: list[Connection], question: str, due: float, load: Load) -> None:
    try:
        connection = free.pop() if free else await Connection.open(port)
        await connection.send("POST", "/search", {"question": question})
        reply = await connection.read()
    except (OSError, asyncio.IncompleteReadError) as error:
        load.searches["error"] += 1
        load.said.add(repr(error))
        return
    free.append(connection)
    if connection.status == 200:
        load.searches["served"] += 1
        load.seconds.append(time.monotonic() - due)
    elif connection.status == 503 and BUSY.search(reply.decode()):
        load.searches["busy"] += 1
    else:
        load.searches["error"] += 1
        load.said.add(reply.decode())


def summarise(load: Load, seconds: float) -> Figures:
    """Return counts, rates and times."""
    outcomes = Counter(asked.outcome for asked in load.asked)
    waits = [asked.done - asked.sent for asked in load.asked if asked.done is not None]
    return {
        "questions answered": outcomes["answered"],
        "questions turned away as busy": outcomes["busy"],
        "question errors": outcomes["error"],
        "question p50, s": percentile(waits, 50),
        "question p95, s": percentile(waits, 95),
        "overtaken in the queue": count_overtaken(load.asked),
        "places that grew": sum(later > earlier for one in load.asked for earlier, later in pairwise(one.places)),
        "searches served": load.searches["served"],
        "searches served a second": load.searches["served"] / seconds,
        "searches turned away as busy": load.searches["busy"],
        "searches held back by the clients": load.searches["held back"],
        "search errors": load.searches["error"],
        "search p50, s": percentile(load.seconds, 50),
        "search p95, s": percentile(load.seconds, 95),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile of the values, or 0 if there are none."""
    return float(np.percentile(values, share)) if values else 0.0


def count_overtaken(asked: Sequence[Asked]) -> int:
    """Count the questions that were queued before another was sent, but answered after it."""
    answered = [(one.queued, one.sent, one.done) for one in asked if one.queued is not None and one.done is not None]
    by_done = sorted(answered, key=lambda one: one[2])
    latest_sent, overtaken = 0.0, 0
    for queued, sent, _ in by_done:
        overtaken += queued < latest_sent
        latest_sent = max(latest_sent, sent)
    return overtaken


def find_faults(figures: Figures) -> list[str]:
    """Return a phrase for each limit that is exceeded."""
    faults = [name for name in ("question errors", "search errors", "overtaken in the queue", "places that grew")
              if figures[name]]  # fmt: skip
    if figures["memory after, MB"] > FLAT * figures["memory before, MB"]:
        faults.append("memory grew")
    faults += [
        f"{what} leaked" for what in ("files", "threads") if figures[f"{what} after"] > figures[f"{what} before"]
    ]
    if figures["seconds until the place of a disconnected client is free"] > 1:
        faults.append("a place was held for a disconnected client")
    return faults


def render(figures: Figures) -> str:
    """Return the figures as a table in Markdown."""
    rows = (f"| {name} | {value:,.3f} |".replace(".000", "") for name, value in figures.items())
    return "\n".join(("| | |", "|---|---|", *rows))


if __name__ == "__main__":
    main()
