"""Ask `rag serve` many questions, a few at a time, and measure the resources of its process: `python -m stress.soak`.

`--questions N` asks a server over stand-ins, which takes little time; `--real N` uses the configured models and index.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from rich.console import Console
from rich.progress import Progress

from rag.config import ROOT
from stress.clients import Asked, Server, ask, compare, serving, serving_stand_ins
from stress.load import FLAT, POOLS, QUESTIONS, Figures, percentile, render

CASES = ROOT / "evaluation" / "cases" / "articles.jsonl"
REAL = ("-c", "from rag.cli import main; main(['serve', '--port', '0'])")
ASKERS = 4
"""Number of questions asked at the same time."""
WARM_SHARE = 0.1
Advance = Callable[[float], object]


def main() -> None:
    """Print the figures. Exit with 1 if a limit is exceeded."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--questions", type=int, default=0, help="questions to ask over the stand-ins")
    options.add_argument("--real", type=int, default=0, help="questions to ask of the real models")
    options.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = options.parse_args()
    if not chosen.questions and not chosen.real:
        options.error("give a number of questions with --questions or --real")
    figures: dict[str, Figures] = {}
    with Progress(console=Console(stderr=True), transient=True) as bars:
        if chosen.questions:
            bar = bars.add_task("stand-ins", total=chosen.questions)
            with serving_stand_ins(0) as server:
                figures["stand-ins"] = asyncio.run(
                    soak(server, QUESTIONS, chosen.questions, partial(bars.advance, bar))
                )
        if chosen.real:
            bar = bars.add_task("real models", total=chosen.real)
            cases = [json.loads(line)["question"] for line in CASES.read_text(encoding="utf-8").splitlines()]
            with serving(REAL) as server:
                figures["real models"] = asyncio.run(soak(server, cases, chosen.real, partial(bars.advance, bar)))
    print(json.dumps(figures, indent=2) if chosen.json else "\n\n".join(map(render, figures.values())))
    faults = [f"{name}: {fault}" for name, of_one in figures.items() for fault in find_faults(of_one)]
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


async def soak(server: Server, questions: Sequence[str], count: int, advance: Advance) -> Figures:
    """Ask questions, a few at a time, and compare the process with its state after the first tenth."""
    warm = max(1, int(count * WARM_SHARE))
    await _ask_all(server, questions, warm, advance)
    before = await server.rest()
    began = time.monotonic()
    asked = await _ask_all(server, questions, count - warm, advance)
    seconds = time.monotonic() - began
    after = await server.rest()
    waits = [one.done - one.sent for one in asked if one.done is not None]
    for said in sorted({one.said for one in asked if one.outcome != "answered"}):
        print(said, file=sys.stderr)
    return {
        "questions answered": len(waits),
        "errors": len(asked) - len(waits),
        "questions a second": len(asked) / seconds,
        "question p50, s": percentile(waits, 50),
        "question p95, s": percentile(waits, 95),
        **compare(before, after),
    }


async def _ask_all(server: Server, questions: Sequence[str], count: int, advance: Advance) -> list[Asked]:
    asked: list[Asked] = []
    numbers = iter(range(count))

    async def go_on(numbers: Iterator[int]) -> None:
        for number in numbers:
            asked.append(await ask(server.port, questions[number % len(questions)]))
            advance(1)

    await asyncio.gather(*(go_on(numbers) for _ in range(ASKERS)))
    return asked


def find_faults(figures: Figures) -> list[str]:
    """Return a phrase for each limit that is exceeded."""
    faults = ["errors"] if figures["errors"] else []
    if figures["memory after, MB"] > FLAT * figures["memory before, MB"]:
        faults.append("memory grew")
    if figures["files after"] > figures["files before"]:
        faults.append("files leaked")
    if figures["threads after"] > figures["threads before"] + POOLS:
        faults.append("threads leaked")
    return faults


if __name__ == "__main__":
    main()
