"""Measure speed as ratios to plain use of the same libraries, in one run: `make bench`.

retrieval   Assistant.search, against one SentenceTransformer.encode_query of the question
growth      retrieval among 100,000 passages
building    our encoder over passages, against SentenceTransformer.encode_document with its best batch size
answering   Assistant.answer, against one llama_cpp chat completion over the five nearest passages
beside      searches and answers while another process keeps one core busy, against the same without it
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import Progress

from rag import Assistant, Config
from rag.config import ROOT
from rag.models.registry import resolve
from stress.synthetic import grow

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from evaluation.naive import Naive

CASES = ROOT / "evaluation" / "cases" / "articles.jsonl"
TEXTS = 240
BATCHES = (8, 16, 32, 64)
ROUNDS = 3
MANY = 100_000
Figures = dict[str, dict[str, float]]
Advance = Callable[[int], object]


def main() -> None:
    """Print the figures of this machine, as a table or as JSON."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parts", nargs="*", metavar="PART", help="parts to measure (all)")
    options.add_argument("--answers", type=int, default=20, help="questions to answer (20)")
    options.add_argument("--searches", type=int, default=100, help="questions to search for (100)")
    options.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = options.parse_args()
    parts = {
        "retrieval": (bench_retrieval, chosen.searches),
        "growth": (bench_growth, MANY + chosen.searches),
        "building": (bench_building, (1 + len(BATCHES)) * ROUNDS),
        "answering": (bench_answering, chosen.answers),
        "beside": (bench_beside, 2 * chosen.answers),
    }
    if unknown := set(chosen.parts) - parts.keys():
        options.error(f"unknown part {', '.join(sorted(unknown))}; choose from {', '.join(parts)}")
    bench = Bench(Config.from_env(), chosen.answers, chosen.searches)
    figures: Figures = {}
    with Progress(console=Console(stderr=True), transient=True) as bars:
        for name in chosen.parts or parts:
            run, steps = parts[name]
            bar = bars.add_task(name, total=steps)
            figures |= run(bench, partial(bars.advance, bar))
            bars.remove_task(bar)
    print(json.dumps(figures, indent=2) if chosen.json else render(figures))


class Bench:
    """The models that the parts share, loaded on first use."""

    def __init__(self, config: Config, answers: int, searches: int) -> None:
        self.config = config
        questions = [json.loads(line)["question"] for line in CASES.read_text(encoding="utf-8").splitlines()]
        # Spread evenly over the file, so that every article and language is included.
        self.answers = questions[:: len(questions) // answers][:answers]
        self.searches = questions[:: len(questions) // searches][:searches]

    @cached_property
    def assistant(self) -> Assistant:
        """The configured assistant."""
        return Assistant.load(self.config)

    @cached_property
    def bare_encoder(self) -> "SentenceTransformer":
        """The encoder, loaded as in its library's documentation."""
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(str(resolve(self.config.encoder, "encoder", self.config.cache)))

    @cached_property
    def naive(self) -> "Naive":
        """The usual stack."""
        from evaluation.naive import Naive

        return Naive(self.assistant)


def bench_retrieval(bench: Bench, advance: Advance) -> Figures:
    """Measure a whole retrieval beside the encoder's own call, alternating question by question."""
    ours, bare = search_both(bench, bench.assistant, advance)
    return {"retrieval, ms": compare(ours, bare)}


def bench_growth(bench: Bench, advance: Advance) -> Figures:
    """Measure retrieval among many passages."""
    ours = bench.assistant
    with TemporaryDirectory() as folder:
        index = grow(ours.index, ours.encoder, MANY, Path(folder) / "grown", advance)
        grown = Assistant(ours.config, index, ours.encoder, ours.generator, ours.prompts)
        figures = compare(*search_both(bench, grown, advance))
        index.close()
    return {f"retrieval among {MANY:,}, ms": figures}


def search_both(bench: Bench, assistant: Assistant, advance: Advance) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each search and of each bare encoding."""
    ours, bare = [], []
    assistant.search(bench.searches[0])
    bench.bare_encoder.encode_query(bench.searches[0])
    for question in bench.searches:
        bare.append(1000 * clock(partial(bench.bare_encoder.encode_query, question)))
        ours.append(1000 * clock(partial(assistant.search, question)))
        advance(1)
    return ours, bare


def bench_building(bench: Bench, advance: Advance) -> Figures:
    """Measure passages a second: the best of several rounds and, for the bare loop, of several batch sizes."""
    index = bench.assistant.index
    sources = [article.source for article in index.list_articles()]
    passages = [passage.text for source in sources for passage in index.read_passages(source)]
    texts = (passages * (TEXTS // len(passages) + 1))[:TEXTS]
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours.append(clock(lambda: bench.assistant.encoder.encode(texts, "passage")))
        advance(1)
        for size in BATCHES:
            bare.append(clock(partial(bench.bare_encoder.encode_document, texts, batch_size=size)))
            advance(1)
    rates = {"ours": TEXTS / min(ours), "bare": TEXTS / min(bare), "ratio": min(bare) / min(ours)}
    return {"building, passages a second": rates}


def bench_answering(bench: Bench, advance: Advance) -> Figures:
    """Measure the seconds to evidence, first word and end, beside those of the usual stack.

    For a quote, the first word arrives with the last.
    """
    ours = bench.assistant
    ours.warm()
    ours.prepare()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    taken, naive = [], []
    for question in bench.answers:
        taken.append(ours.answer(question).timings)
        naive.append(bench.naive.ask(question).times)
        advance(1)
    first = [timings.get("first_word", timings["total"]) for timings in taken]
    return {
        "evidence, s": {"ours": median(timings["evidence"] for timings in taken)},
        "first word, s": compare(first, [times[0] for times in naive]),
        "whole answer, s": compare([timings["total"] for timings in taken], [times[-1] for times in naive]),
        "memory, MB": {"ours": peak},
    }


def bench_beside(bench: Bench, advance: Advance) -> Figures:
    """Measure the seconds while another process keeps one core busy (`ours`) and without it (`bare`)."""
    figures: Figures = {}
    asks: dict[str, Callable[[str], object]] = {"search": bench.assistant.search, "answer": bench.assistant.answer}
    for name, ask in asks.items():
        works = [partial(ask, question) for question in bench.answers]
        for work in works:
            work()
        alone = [clock(work) for work in works]
        with keep_busy():
            beside = [clock(work) for work in works]
        figures[f"{name} beside a busy process, s"] = compare(beside, alone)
        advance(len(works))
    return figures


@contextmanager
def keep_busy() -> Iterator[None]:
    """Run a process that computes without a pause."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def clock(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(ours: Sequence[float], bare: Sequence[float]) -> dict[str, float]:
    """Return the medians and 95th percentiles of both, and the ratios of ours to bare."""
    return {
        "ours": median(ours),
        "bare": median(bare),
        "ratio": median(ours) / median(bare),
        "ours p95": np.percentile(ours, 95),
        "bare p95": np.percentile(bare, 95),
        "ratio p95": np.percentile(ours, 95) / np.percentile(bare, 95),
    }


def render(figures: Figures) -> str:
    """Return the figures as a table in Markdown."""
    columns = ("ours", "bare", "ratio", "ours p95", "bare p95", "ratio p95")
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, row in figures.items():
        cells = (f"{row[column]:.2f}" if column in row else "" for column in columns)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
