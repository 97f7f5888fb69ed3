"""Many who ask and search at once, through `rag serve` over stand-ins: `python -m stress.load`.

Reported: what was answered, how long it took, who was turned away, whether anybody was overtaken in line, and what the
server's process holds before and after.
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
"""The same for those who leave in the middle."""
BACK = 1.0
"""Seconds, on average, after which one comes back who was turned away."""
TICK = 0.01
CONNECTIONS = 300
"""For searches; more than the server holds."""
WARM_SHARE = 0.1
LEAST_WARM = 10.0
"""Seconds."""
FLAT = 1.05
"""What memory may grow to."""
POOLS = 50
"""What the pools of threads of the server may grow by, as they are filled when there is work for them."""
Advance = Callable[[float], object]
Figures = dict[str, float]


@dataclass(slots=True)
class Load:
    """What came of everything that was asked."""

    asked: list[Asked] = field(default_factory=list)
    searches: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    """Of each search that was served, from when it was due."""
    said: set[str] = field(default_factory=set)
    """Errors."""


def main() -> None:
    """Print the figures; the exit code is 1 when something is not as it must be."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=600, help="how long (600)")
    options.add_argument("--askers", type=int, default=50, help="how many ask, each again and again (50)")
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
    """Put a server under load, having warmed it up for so many seconds, and see what came of it."""
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
        "seconds until a client that left is gone": max(leaving),
    }


async def put_load(server: Server, seconds: float, askers: int, rate: float, advance: Advance) -> Load:
    """Ask and search for so long, and wait for what is under way."""
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
    """Send searches when they are due, however long the earlier ones take."""
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
    """Counts, rates and times."""
    outcomes = Counter(asked.outcome for asked in load.asked)
    waits = [asked.done - asked.sent for asked in load.asked if asked.done is not None]
    return {
        "questions answered": outcomes["answered"],
        "questions turned away as busy": outcomes["busy"],
        "question errors": outcomes["error"],
        "question p50, s": percentile(waits, 50),
        "question p95, s": percentile(waits, 95),
        "overtaken in line": count_overtaken(load.asked),
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
    """Of no values it is 0."""
    return float(np.percentile(values, share)) if values else 0.0


def count_overtaken(asked: Sequence[Asked]) -> int:
    """Questions that were in line before another was sent, and answered after it."""
    answered = [(one.in_line, one.sent, one.done) for one in asked if one.in_line is not None and one.done is not None]
    by_done = sorted(answered, key=lambda one: one[2])
    latest_sent, overtaken = 0.0, 0
    for in_line, sent, _ in by_done:
        overtaken += in_line < latest_sent
        latest_sent = max(latest_sent, sent)
    return overtaken


def find_faults(figures: Figures) -> list[str]:
    """What is not as it must be."""
    faults = [name for name in ("question errors", "search errors", "overtaken in line", "places that grew")
              if figures[name]]  # fmt: skip
    if figures["memory after, MB"] > FLAT * figures["memory before, MB"]:
        faults.append("memory grew")
    faults += [
        f"{what} leaked" for what in ("files", "threads") if figures[f"{what} after"] > figures[f"{what} before"]
    ]
    if figures["seconds until a client that left is gone"] > 1:
        faults.append("a place was held for one that had left")
    return faults


def render(figures: Figures) -> str:
    """A table in Markdown."""
    rows = (f"| {name} | {value:,.3f} |".replace(".000", "") for name, value in figures.items())
    return "\n".join(("| | |", "|---|---|", *rows))


if __name__ == "__main__":
    main()
