"""Measure what an index costs as it grows: `python -m stress.growth` prints the figures, saves them, and draws them.

Vectors have the geometry of real ones: each is a random mixture of two embeddings of calibration sentences, plus noise
of half its length that is distributed like the real ones (a random sum of their differences from their mean). The
project's held-back questions search them, and recall@10 is relative to comparing each question with every vector.
Encoding is left out, as it takes the same time per passage at every size.

Up to FULL passages, each has as many tokens as a passage of 160 tokens in the default encoder. Beyond, where a million
passages would take fifty gigabytes, each has two tokens, and so has the reported size on disk. Only the matching of a
question's candidates reads tokens, which costs the same at every size.
"""

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from evaluation.cases import half_of, load_answerable
from evaluation.report import RESULTS, read_commit
from rag.config import ROOT, Config
from rag.encoding.alignment import load_calibration
from rag.encoding.encoder import SentenceEncoder
from rag.index.index import Index
from rag.index.index_writer import IndexWriter
from rag.ingest.build import build_index
from rag.testing import HashEncoder
from rag.types import Filter, Vectors
from stress.synthetic import (
    PER_DOCUMENT,
    Still,
    find_row,
    list_passing,
    make_document,
    make_documents,
    make_vectors,
)

SIZES = (10_000, 100_000, 1_000_000)
FULL = 10_000
TOKENS, FEW_TOKENS = 120, 2
CHANGED = 100
"""Documents in an update: half of them changed, a quarter removed, a quarter new."""
FILES = 10_000
NEAREST = 10
FILTERS = {
    "one language": Filter(languages=("el",)),
    "three languages": Filter(languages=("cs", "el", "en")),
    "sources": Filter(sources=("00001*",)),
    "dates": Filter(since="2020-06", until="2021-06"),
}
PICTURE = ROOT / "docs" / "growth.png"
PASSAGE_TOKENS = 160
Figures = dict[str, float]


def main() -> None:
    """Measure, print, save and draw."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("sizes", nargs="*", type=int, default=SIZES, help="passages (10000 100000 1000000)")
    chosen = options.parse_args()
    real, questions = encode_real(Config.from_env())
    figures: dict[int, Figures] = {}
    commit = read_commit()
    with Progress(console=Console(stderr=True), transient=True) as bars, TemporaryDirectory() as walked:
        bar = bars.add_task("Growing", total=sum(chosen.sizes))
        files = measure_walk(Path(walked))
        for size in chosen.sizes:
            with TemporaryDirectory() as folder:
                figures[size] = measure(real, questions, size, Path(folder))
            bars.advance(bar, size)
            # The next size may take an hour, so save the figures so far.
            facts = {"commit": asdict(commit), "sizes": figures, "files": files}
            kept = RESULTS / f"{commit.hash[:12]}-growth.json"
            kept.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
            draw(figures, PICTURE)
    print(render(figures))
    print("\n".join(f"{name}: {value:.2f}" for name, value in files.items()))


def encode_real(config: Config) -> tuple[Vectors, Vectors]:
    """Return the vectors of the calibration sentences and of the held-back questions."""
    encoder = SentenceEncoder.load(config)
    sentences = [sentence for of_one in load_calibration().values() for sentence in of_one]
    questions = [case.question for case in load_answerable() if half_of(case.fact) == "held-back"]
    return encoder.encode(sentences, "passage").vectors, encoder.encode(questions, "query").vectors


def measure(real: Vectors, questions: Vectors, passages: int, folder: Path) -> Figures:
    """Return all figures of one size, each measured in its own process to separate memory."""
    processes = multiprocessing.get_context("spawn")
    figures: Figures = {}
    parts: list[Callable[[], Figures]] = [
        partial(measure_build, real, passages, folder),
        partial(measure_search, questions, passages, folder),
        partial(measure_update, real, passages, folder),
    ]
    for part in parts:
        with processes.Pool(1) as pool:
            figures |= pool.apply(part)
    return figures


def measure_build(real: Vectors, passages: int, folder: Path) -> Figures:
    """Return the seconds to write an index of this size, in batches like a build, and its bytes."""
    encoder = Still(real.shape[1])
    exact = np.lib.format.open_memmap(folder / "exact.npy", "w+", np.float32, (passages, real.shape[1]))
    taken, row = 0.0, 0
    with IndexWriter(folder / "grown", encoder.dimension) as writer:
        for documents in make_documents(real, passages, _count_tokens(passages)):
            for made in documents:
                exact[row : row + len(made.passages)] = made.embeddings.vectors
                row += len(made.passages)
            began = time.perf_counter()
            for made in documents:
                writer.add(made.document, made.size, made.passages, made.embeddings)
            writer.seal(encoder, PASSAGE_TOKENS)
            taken += time.perf_counter() - began
        began = time.perf_counter()
        writer.commit(encoder, PASSAGE_TOKENS, [folder])
        taken += time.perf_counter() - began
    size = sum(file.stat().st_size for file in (folder / "grown").rglob("*") if file.is_file())
    return {"build, s": taken, "disk, MB": size / 1e6, "bytes a passage": size / passages}


def measure_search(questions: Vectors, passages: int, folder: Path) -> Figures:
    """Measure opening, memory, and searches beside comparing with every vector."""
    before = _read_memory()
    began = time.perf_counter()
    with closing(Index.open(folder / "grown")) as index:
        index.search(questions[0], NEAREST)
        figures = {"start-up, s": time.perf_counter() - began}
        plain, found = _ask(index, questions, None)
        figures |= {"memory, MB": _read_memory() - before, "search, ms": median(plain)}
        figures["search p95, ms"] = float(np.percentile(plain, 95))
        figures["recall@10"] = _compare(found, _find_nearest(questions, folder, np.ones(passages, bool)))
        for name, among in FILTERS.items():
            taken, found = _ask(index, questions[:50], among)
            figures[f"{name}, ms"] = median(taken)
            nearest = _find_nearest(questions[:50], folder, list_passing(passages, among))
            figures[f"{name}, recall@10"] = _compare(found, nearest)
        kinds = [segment.info.kind for segment in index.segments]
    return {**figures, "segments": len(kinds), "probes": max(kind.probes for kind in kinds)}


def measure_update(real: Vectors, passages: int, folder: Path) -> Figures:
    """Return the seconds to change, remove and add documents in as many segments as possible."""
    encoder = Still(real.shape[1])
    number = passages // PER_DOCUMENT
    places = np.linspace(0, number - 1, CHANGED * 3 // 4).astype(int).tolist()
    came = [*places[: CHANGED // 2], *range(number, number + CHANGED // 4)]
    vectors = make_vectors(real, len(came) * PER_DOCUMENT, seed=7).reshape(len(came), PER_DOCUMENT, -1)
    tokens = np.zeros((PER_DOCUMENT, _count_tokens(passages), 3, 128), np.int8)
    documents = [make_document(one, of_one, list(tokens), " again") for one, of_one in zip(came, vectors, strict=True)]
    began = time.perf_counter()
    with closing(Index.open(folder / "grown")) as old, IndexWriter(folder / "grown", encoder.dimension, old) as writer:
        gone = {f"{place:06}.txt" for place in places}
        for made in documents:
            writer.add(made.document, made.size, made.passages, made.embeddings)
        writer.keep({source: digest for source, digest in old.read_checksums().items() if source not in gone})
        writer.commit(encoder, PASSAGE_TOKENS, [folder])
    return {f"update of {CHANGED} documents, s": time.perf_counter() - began}


def measure_walk(folder: Path) -> Figures:
    """Return the seconds to find that short files are unchanged."""
    config = Config(corpus=folder / "files", indexes=folder / "indexes", cache=folder / "cache")
    config.corpus.mkdir()
    for number in range(FILES):
        (config.corpus / f"{number:06}.txt").write_text(f"Short article number {number} says what it says.\n")
    taken = []
    for _ in range(2):
        began = time.perf_counter()
        build_index(config=config, encoder=HashEncoder())
        taken.append(time.perf_counter() - began)
    return {f"{FILES:,} short files indexed, s": taken[0], f"{FILES:,} short files found unchanged, s": taken[1]}


def _count_tokens(passages: int) -> int:
    return TOKENS if passages <= FULL else FEW_TOKENS


def _ask(index: Index, questions: Vectors, among: Filter | None) -> tuple[list[float], list[list[int]]]:
    """Return the milliseconds of each search, and the passages it found."""
    taken, found = [], []
    for question in questions:
        began = time.perf_counter()
        hits = index.search(question, NEAREST, among)
        taken.append(1000 * (time.perf_counter() - began))
        found.append([find_row(index.read_passage(row)) for row, _ in hits])
    return taken, found


def _find_nearest(questions: Vectors, folder: Path, passing: NDArray[np.bool_]) -> list[list[int]]:
    """Return the passages nearest to each question among those that pass the filter, by exhaustive comparison."""
    exact = np.load(folder / "exact.npy", mmap_mode="r")
    best: list[list[tuple[float, int]]] = [[] for _ in questions]
    for start in range(0, len(exact), 50_000):
        rows = start + np.flatnonzero(passing[start : start + 50_000])
        cosines = questions @ exact[rows].T
        for place, of_one in enumerate(cosines):
            nearest = np.argsort(-of_one)[:NEAREST]
            candidates = [*best[place], *zip(of_one[nearest].tolist(), rows[nearest].tolist(), strict=True)]
            best[place] = sorted(candidates, reverse=True)[:NEAREST]
    return [[row for _, row in of_one] for of_one in best]


def _compare(found: list[list[int]], nearest: list[list[int]]) -> float:
    """Return the share of the nearest passages that was found."""
    shared = sum(len({*ours} & {*theirs}) for ours, theirs in zip(found, nearest, strict=True))
    return shared / sum(map(len, nearest))


def _read_memory() -> float:
    """Return the resident memory in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def render(figures: dict[int, Figures]) -> str:
    """Return the figures as a table in Markdown."""
    lines = ["| passages | " + " | ".join(f"{size:,}" for size in figures) + " |", "|---" * (len(figures) + 1) + "|"]
    for name in next(iter(figures.values())):
        cells = (f"{of_one[name]:,.3f}" if of_one[name] < 10 else f"{of_one[name]:,.0f}" for of_one in figures.values())
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(figures: dict[int, Figures], file: Path) -> None:
    """Draw how search, filters, opening, updates and building grow."""
    picture = Figure(figsize=(9, 4), layout="constrained")
    milliseconds, seconds = picture.subplots(1, 2)
    drawn: dict[Any, tuple[str, ...]] = {
        milliseconds: ("search, ms", "search p95, ms", *(f"{name}, ms" for name in FILTERS)),
        seconds: ("start-up, s", f"update of {CHANGED} documents, s", "build, s"),
    }
    for panel, names in drawn.items():
        for name in names:
            panel.plot(list(figures), [of_one[name] for of_one in figures.values()], marker="o", label=name)
        panel.set(xscale="log", yscale="log", xlabel="passages")
        panel.grid(visible=True, which="major", alpha=0.3)
        panel.legend(fontsize=8)
    picture.savefig(file, dpi=150)


if __name__ == "__main__":
    main()
