"""Choose the examples of each step, the same ones for the same seed and step."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from rag.reading.inputs import BEFORE, arrange_passages, arrange_questions, mark_text
from training.data import UNMARKED, Row, Table

TAKE_UNANSWERABLE = 0.5
"""Share of the questions marked unanswerable that one pass over the data uses, as they are hard and many."""
SPOIL = 0.3
"""Probability that an answerable question is paired with a window that does not answer it."""
TRANSLATE = 0.7
"""Probability that a question that exists in several languages is asked in another language than the passage's."""
SPOILERS = ("sibling", "neighbour", "cut", "random")
SPOILER_ODDS = (0.35, 0.25, 0.25, 0.15)
TRIES = 4
CHUNK = 256
"""Batches that are sorted by length together."""


@dataclass(frozen=True, slots=True)
class Example:
    """A question and a window, in tokens."""

    question: NDArray[np.int32]
    window: NDArray[np.int32]
    answerable: bool
    first: int = UNMARKED
    last: int = UNMARKED


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded examples, as the reader takes them."""

    question: Tensor
    passage: Tensor
    span: Tensor
    """True for tokens of the passage where an answer may begin or end."""
    first: Tensor
    last: Tensor
    answerable: Tensor

    @property
    def inputs(self) -> tuple[Tensor, Tensor, Tensor]:
        """The part that the network reads."""
        return self.question, self.passage, self.span


class Sampler:
    """The training examples of one table."""

    def __init__(self, table: Table, seed: int) -> None:
        self.table = table
        self.seed = seed
        self._groups: dict[str, list[int]] = defaultdict(list)
        for number, row in enumerate(table.rows):
            self._groups[row.group].append(number)
        self._spoilers: dict[str, Callable[[Row, Generator], NDArray[np.int32] | None]] = {
            "sibling": self._sibling,
            "neighbour": self._neighbour,
            "cut": self._cut,
            "random": self._random,
        }

    def batches(self, size: int, skip: int = 0) -> Iterator[Batch]:
        """Yield batches endlessly, skipping the first `skip`."""
        first, within = divmod(skip, CHUNK)
        numbers = islice(self._numbers(), first * CHUNK * size, None)
        for chunk in count(first):
            examples = [
                self.example(number, np.random.default_rng((self.seed, 1, chunk, at)))
                for at, number in enumerate(islice(numbers, CHUNK * size))
            ]
            examples.sort(key=lambda example: (len(example.window) // 8, len(example.question)))
            mixed = np.random.default_rng((self.seed, 2, chunk)).permutation(CHUNK)
            for at in mixed[within:]:
                yield collate(examples[at * size : (at + 1) * size])
            within = 0

    def example(self, number: int, random: Generator) -> Example:
        """Return row `number` as it is, or at random in another language or with another window."""
        row = self.table.rows[number]
        asked = self._translate(number, random)
        if not row.answerable:
            window = int(random.choice(self.table.windows_of(row.passage)))
            return Example(self.table.questions[asked], self.table.windows[window], answerable=False)
        if random.random() < SPOIL:
            return self.spoiled(number, asked, random)
        return self.answered(number, asked)

    def answered(self, number: int, asked: int) -> Example:
        """Return the window that answers row `number`, with the question of row `asked`."""
        row = self.table.rows[number]
        return Example(self.table.questions[asked], self.table.windows[row.window], True, row.first, row.last)

    def spoiled(self, number: int, asked: int, random: Generator) -> Example:
        """Return a window that does not answer row `number`, with the question of row `asked`."""
        window = self._spoil(self.table.rows[number], random)
        return Example(self.table.questions[asked], window, answerable=False)

    def _numbers(self) -> Iterator[int]:
        """Yield numbers of rows endlessly, one pass over the data after another."""
        answerable = np.array([row.answerable for row in self.table.rows])
        for epoch in count():
            random = np.random.default_rng((self.seed, 0, epoch))
            taken = np.flatnonzero(answerable | (random.random(len(answerable)) < TAKE_UNANSWERABLE))
            yield from (int(number) for number in random.permutation(taken))

    def _translate(self, number: int, random: Generator) -> int:
        """Return a row with the same question, at random in another language if there is one."""
        language = self.table.rows[number].passage_language
        others = [
            other
            for other in self._groups[self.table.rows[number].group]
            if self.table.rows[other].question_language != language
        ]
        return int(random.choice(others)) if others and random.random() < TRANSLATE else number

    def _spoil(self, row: Row, random: Generator) -> NDArray[np.int32]:
        """Return a window that does not answer the question of `row`."""
        wanted = str(random.choice(SPOILERS, p=SPOILER_ODDS))
        for name in (wanted, *SPOILERS):
            window = self._spoilers[name](row, random)
            if window is not None:
                return window
        return self.table.windows[int(random.integers(len(self.table.windows)))]

    def _sibling(self, row: Row, random: Generator) -> NDArray[np.int32] | None:
        windows = [self.table.windows_of(passage) for passage in self.table.siblings[row.passage]]
        return self._pick([number for found in windows for number in found], row, random)

    def _neighbour(self, row: Row, random: Generator) -> NDArray[np.int32] | None:
        if row.first == UNMARKED:
            return None
        return self._pick([n for n in self.table.windows_of(row.passage) if n != row.window], row, random)

    def _random(self, row: Row, random: Generator) -> NDArray[np.int32] | None:
        return self._pick(range(len(self.table.windows)), row, random)

    def _pick(self, windows: Sequence[int], row: Row, random: Generator) -> NDArray[np.int32] | None:
        """Return one of `windows` without the answer, or None if none was found quickly."""
        for _ in range(TRIES if windows else 0):
            number = windows[int(random.integers(len(windows)))]
            if not row.answer or row.answer.casefold() not in self.table.texts[number].casefold():
                return self.table.windows[number]
        return None

    def _cut(self, row: Row, _: Generator) -> NDArray[np.int32] | None:
        """Return the window without the answering sentence, or None if too little or an answer would be left."""
        if row.first == UNMARKED:
            return None
        window, starts = self.table.windows[row.window], self.table.sentences[row.window]
        begin = int(starts[starts <= row.first][-1])
        end = int(next((start for start in starts if start > row.last), len(window)))
        rest = np.concatenate([window[:begin], window[end:]])
        text, offsets = self.table.texts[row.window], self.table.offsets[row.window]
        stop = offsets[end][0] if end < len(window) else len(text)
        left = (text[: offsets[begin][0]] + " " + text[stop:]).casefold()
        return rest if len(rest) >= len(window) // 4 and row.answer.casefold() not in left else None


def collate(examples: Sequence[Example]) -> Batch:
    """Return the examples with their prompts, padded to one length."""
    passage = arrange_passages([example.window for example in examples])
    marked = [example.answerable and example.first != UNMARKED for example in examples]
    return Batch(
        question=arrange_questions([example.question for example in examples]),
        passage=passage,
        span=mark_text([len(example.window) for example in examples], passage),
        first=torch.tensor([BEFORE + e.first if m else UNMARKED for e, m in zip(examples, marked, strict=True)]),
        last=torch.tensor([BEFORE + e.last if m else UNMARKED for e, m in zip(examples, marked, strict=True)]),
        answerable=torch.tensor([float(example.answerable) for example in examples]),
    )
