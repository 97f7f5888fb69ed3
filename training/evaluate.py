"""How well a reader reads: figures on a fixed sample of the development questions.

Each question is read with the window that holds its answer and with another window of the same article.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from training.data import Row, Table
from training.model import Reader, Scores
from training.sampling import BEFORE, Batch, Example, Sampler, collate

BATCH = 32
LONGEST_ANSWER = 30
"""Tokens."""
SEED = 20
SCRIPTS_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Case:
    """A development question, with its window and one that does not answer it."""

    row: Row
    right: Example
    wrong: Example
    offsets: NDArray[np.int32]
    text: str


def choose(table: Table, size: int) -> list[Case]:
    """Return a sample, the same at every call: two thirds from sets that cross languages, where there are any."""
    random = np.random.default_rng(SEED)
    order = [int(number) for number in random.permutation(len(table.rows))]
    crossing = {row.set for row in table.rows if row.question_language != row.passage_language}
    crossed = [number for number in order if table.rows[number].set in crossing][: size * 2 // 3]
    others = [number for number in order if table.rows[number].set not in crossing][: size - len(crossed)]
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


@torch.no_grad()
def evaluate(reader: Reader, cases: Sequence[Case]) -> Figures:
    """Return the figures by name; README.md says what they mean."""
    right = list(_read(reader, [case.right for case in cases]))
    wrong = list(_read(reader, [case.wrong for case in cases]))
    found: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for case, (odds, first, last, alone), (odds_of_wrong, *_) in zip(cases, right, wrong, strict=True):
        answer = case.text[case.offsets[first][0] : case.offsets[last][1]]
        begins = float(alone == case.right.first)
        measured = (overlap(answer, case.row.answer), float(_plain(answer) == _plain(case.row.answer)), begins,
                    float(odds > odds_of_wrong))  # fmt: skip
        same = case.row.question_language == case.row.passage_language
        found["same" if same else "cross"].append(measured)
        found["all"].append(measured)
    names = ("f1", "exact", "first", "ahead")
    figures = {
        f"{group}_{name}": float(np.mean([row[at] for row in rows]))
        for group, rows in found.items()
        for at, name in enumerate(names)
    }
    apart = auroc([read[0] for read in right], [read[0] for read in wrong])
    return figures | {"auroc": apart, "score": figures["all_f1"] + apart}


def auroc(higher: ArrayLike, lower: ArrayLike) -> float:
    """Return how often one of `higher` is above one of `lower`; a tie counts half."""
    a, b = np.asarray(higher)[:, None], np.asarray(lower)[None, :]
    return float(np.mean((a > b) + 0.5 * (a == b)))


def overlap(answer: str, truth: str) -> float:
    """Return the F1 of the words that two answers share."""
    words, wanted = _plain(answer), _plain(truth)
    shared = sum((Counter(words) & Counter(wanted)).values())
    return 2 * shared / (len(words) + len(wanted)) if shared else 0.0


def _plain(text: str) -> list[str]:
    """Return the words in small letters, without punctuation; of scripts without spaces, the letters."""
    kept = "".join(" " if unicodedata.category(char)[0] in "PZ" else char for char in text.casefold())
    return SCRIPTS_WITHOUT_SPACES.sub(lambda found: f" {found[0]} ", kept).split()


def _read(reader: Reader, examples: Sequence[Example]) -> Iterator[tuple[float, int, int, int]]:
    """Yield, in order, the logit that there is an answer, the best span, and the best first token by itself."""
    order = sorted(range(len(examples)), key=lambda at: (len(examples[at].window), len(examples[at].question)))
    found: dict[int, tuple[float, int, int, int]] = {}
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        batch = collate([examples[at] for at in part])
        found.update(zip(part, _decode(reader(batch), batch), strict=True))
    yield from (found[at] for at in range(len(examples)))


def _decode(scores: Scores, batch: Batch) -> list[tuple[float, int, int, int]]:
    """Return what `_read` yields, for each example of a batch."""
    length = batch.passage.shape[1]
    pairs = scores.first[:, :, None] + scores.last[:, None, :]
    allowed = torch.ones(length, length, dtype=torch.bool).triu().tril(LONGEST_ANSWER - 1)
    best = pairs.masked_fill(~allowed, float("-inf")).flatten(1).argmax(dim=1)
    firsts, lasts = best // length - BEFORE, best % length - BEFORE
    alone = scores.first.argmax(dim=1) - BEFORE
    return list(zip(scores.answerable.tolist(), firsts.tolist(), lasts.tolist(), alone.tolist(), strict=True))
