"""Measure a reader on a fixed sample of the development questions.

Each question is read with the window that holds its answer and with another window of the same article.
`python -m training.evaluate WEIGHTS` prints the figures by pair of languages.
"""

import argparse
import logging
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from tokenizers import Tokenizer

from rag.reading.inputs import BEFORE
from rag.reading.network import Network, Scores
from rag.reading.packing import read
from training.data import UNMARKED, Row, Table, load
from training.sampling import Batch, Example, Sampler, collate

BATCH = 32
LONGEST_ANSWER = 30
"""Most tokens of an answer."""
SEED = 20
SCRIPTS_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")

Figures = dict[str, float]

log = logging.getLogger("training.evaluate")


@dataclass(frozen=True, slots=True)
class Case:
    """A development question, its window, and a window that does not answer it."""

    row: Row
    right: Example
    wrong: Example
    offsets: NDArray[np.int32]
    text: str


def choose(table: Table, size: int) -> list[Case]:
    """Return a fixed sample: two thirds from sets that cross languages, if there are any."""
    random = np.random.default_rng(SEED)
    rows = table.rows
    order = [int(number) for number in random.permutation(len(rows)) if rows[number].first != UNMARKED]
    crossing = {row.set for row in rows if row.question_language != row.passage_language}
    others = [number for number in order if rows[number].set not in crossing]
    crossed = [number for number in order if rows[number].set in crossing][: size - min(size // 3, len(others))]
    others = others[: size - len(crossed)]
    sampler = Sampler(table, SEED)
    return [
        Case(
            row=table.rows[number],
            right=sampler.answered(number, number),
            wrong=sampler.spoiled(number, number, random),
            offsets=table.offsets[table.rows[number].window],
            text=table.texts[table.rows[number].window],
        )
        for number in sorted([*crossed, *others])
    ]


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of reading one case."""

    pair: tuple[str, str]
    """The languages of the question and the passage."""
    f1: float
    exact: float
    first: float
    """1 if the token with the best score for the first token is right, else 0."""
    odds: float
    """The logit that the right window answers."""
    odds_of_wrong: float

    @property
    def kind(self) -> str:
        """Return "same" or "cross"."""
        return "same" if self.pair[0] == self.pair[1] else "cross"


@torch.no_grad()
def examine(reader: Network, cases: Sequence[Case]) -> list[Reading]:
    """Return the result of each case."""
    right = _read(reader, [case.right for case in cases])
    wrong = _read(reader, [case.wrong for case in cases])
    readings = []
    for case, (odds, first, last, alone), (odds_of_wrong, *_) in zip(cases, right, wrong, strict=True):
        answer = case.text[case.offsets[first][0] : case.offsets[last][1]]
        readings.append(
            Reading(
                pair=(case.row.question_language, case.row.passage_language),
                f1=overlap(answer, case.row.answer),
                exact=float(_plain(answer) == _plain(case.row.answer)),
                first=float(alone == case.right.first),
                odds=odds,
                odds_of_wrong=odds_of_wrong,
            )
        )
    return readings


def summarize(readings: Sequence[Reading]) -> Figures:
    """Return figures by name. README.md explains them."""
    return {
        "f1": float(np.mean([reading.f1 for reading in readings])),
        "exact": float(np.mean([reading.exact for reading in readings])),
        "first": float(np.mean([reading.first for reading in readings])),
        "ahead": float(np.mean([reading.odds > reading.odds_of_wrong for reading in readings])),
        "auroc": auroc([reading.odds for reading in readings], [reading.odds_of_wrong for reading in readings]),
    }


def evaluate(reader: Network, cases: Sequence[Case]) -> Figures:
    """Return the figures of all cases, the F1 of each kind of pair, and the score that selects the best checkpoint."""
    readings = examine(reader, cases)
    figures = summarize(readings)
    for kind in ("same", "cross"):
        found = [reading.f1 for reading in readings if reading.kind == kind]
        figures |= {f"f1_{kind}": float(np.mean(found))} if found else {}
    return figures | {"score": figures["f1"] + figures["auroc"]}


def auroc(higher: ArrayLike, lower: ArrayLike) -> float:
    """Return the share of pairs in which `higher` is above `lower`. A tie counts half."""
    a, b = np.asarray(higher)[:, None], np.asarray(lower)[None, :]
    return float(np.mean((a > b) + 0.5 * (a == b)))


def overlap(answer: str, truth: str) -> float:
    """Return the F1 score of the words that two answers share."""
    words, wanted = _plain(answer), _plain(truth)
    shared = sum((Counter(words) & Counter(wanted)).values())
    return 2 * shared / (len(words) + len(wanted)) if shared else 0.0


def _plain(text: str) -> list[str]:
    """Return the words in lower case without punctuation, or the letters in scripts without spaces."""
    kept = "".join(" " if unicodedata.category(char)[0] in "PZ" else char for char in text.casefold())
    return SCRIPTS_WITHOUT_SPACES.sub(lambda found: f" {found[0]} ", kept).split()


def _read(reader: Network, examples: Sequence[Example]) -> list[tuple[float, int, int, int]]:
    """Return, for each pair, the logit that there is an answer, the best span, and the best first token alone."""
    order = sorted(range(len(examples)), key=lambda at: (len(examples[at].window), len(examples[at].question)))
    found: dict[int, tuple[float, int, int, int]] = {}
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        batch = collate([examples[at] for at in part])
        found.update(zip(part, _decode(reader(*batch.inputs), batch), strict=True))
    return [found[at] for at in range(len(examples))]


def _decode(scores: Scores, batch: Batch) -> list[tuple[float, int, int, int]]:
    """Return the results of `_read` for one batch."""
    length = batch.passage.shape[1]
    pairs = scores.first[:, :, None] + scores.last[:, None, :]
    allowed = torch.ones(length, length, dtype=torch.bool).triu().tril(LONGEST_ANSWER - 1)
    best = pairs.masked_fill(~allowed, float("-inf")).flatten(1).argmax(dim=1)
    firsts, lasts = best // length - BEFORE, best % length - BEFORE
    alone = scores.first.argmax(dim=1) - BEFORE
    return list(zip(scores.answerable.tolist(), firsts.tolist(), lasts.tolist(), alone.tolist(), strict=True))


def main() -> None:
    """Measure the given weights and log a table."""
    options = _parse()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    tokenizer = Tokenizer.from_file(str(options.encoder / "tokenizer.json"))
    cases = choose(load(options.data, "dev", tokenizer, options.arrays), options.size)
    reader = Network.start(options.encoder)
    reader.upper.load_state_dict(read(options.weights))
    for line in tabulate(examine(reader, cases)):
        log.info("%s", line)


def tabulate(readings: Sequence[Reading]) -> Iterable[str]:
    """Yield the lines of a Markdown table: all cases, each kind of pair, and each pair of languages."""
    groups: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        for name in ("all", reading.kind, " → ".join(reading.pair)):
            groups[name].append(reading)
    yield "| question → passage | questions | F1 | exact | first token | ahead | AUROC |"
    yield "|---|---|---|---|---|---|---|"
    for name in sorted(groups, key=lambda name: ("→" in name, name)):
        values = " | ".join(f"{value:.3f}" for value in summarize(groups[name]).values())
        yield f"| {name} | {len(groups[name])} | {values} |"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description="Measure a reader.")
    parser.add_argument("weights", type=Path, help="weights.safetensors of a checkpoint, or the shipped file")
    parser.add_argument("--data", type=Path, required=True, help="folder with questions and passages")
    parser.add_argument("--encoder", type=Path, required=True, help="folder of multilingual-e5-small")
    parser.add_argument("--arrays", type=Path, required=True, help="folder of the data prepared by training.reader")
    parser.add_argument("--size", type=int, default=1500, help="questions (default %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
