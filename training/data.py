"""Questions and their passages, read from JSON lines and kept as arrays of tokens.

README.md says what the lines hold. Tokenizing everything takes a minute or two, so it is done once and written down.
"""

import json
import logging
import lzma
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.windows import Window, cut

LIMITS = {"train": (96, 128, 160), "dev": (160,)}
"""Tokens that a window has at most; passages take turns, as those of real articles are of every length."""
LONGEST_QUESTION = 48
UNMARKED = -1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ragged:
    """Rows of unequal length, end to end in one array."""

    values: NDArray[np.int32]
    starts: NDArray[np.int64]

    @classmethod
    def join(cls, rows: Sequence[Any], *shape: int) -> "Ragged":
        """Put `rows` end to end; each item of a row is of `shape`."""
        lengths = [len(row) for row in rows]
        arrays = [np.asarray(row, dtype=np.int32).reshape(-1, *shape) for row in rows]
        values = np.concatenate(arrays) if arrays else np.empty((0, *shape), np.int32)
        return cls(values, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: int) -> NDArray[np.int32]:
        return self.values[self.starts[row] : self.starts[row + 1]]


@dataclass(frozen=True, slots=True)
class Row:
    """A question and the window that is to be read for it."""

    set: str
    group: str
    """The same for one question in several languages."""
    question_language: str
    passage_language: str
    passage: int
    window: int
    """The one that holds the answer where it is marked, else the first of the passage."""
    first: int
    last: int
    """The tokens of the window that the answer begins and ends with, or UNMARKED."""
    answerable: bool
    answer: str


@dataclass(frozen=True, slots=True)
class Table:
    """One part of the data, training or development."""

    rows: list[Row]
    questions: Ragged
    """Tokens of the question of each row."""
    windows: Ragged
    """Tokens of each window."""
    offsets: Ragged
    """Where each of these tokens starts and ends in the text of its window."""
    sentences: Ragged
    """The first token of each sentence of each window."""
    texts: list[str]
    """The text of each window."""
    passages: NDArray[np.int64]
    """The first window of each passage, and one more number: how many windows there are."""
    siblings: list[list[int]]
    """For each passage, the others of its article."""

    def windows_of(self, passage: int) -> range:
        """Return the windows of a passage."""
        return range(int(self.passages[passage]), int(self.passages[passage + 1]))


def load(data: Path, part: str, tokenizer: Tokenizer, cache: Path) -> Table:
    """Return the `part` ("train" or "dev") of the folder `data`, from `cache` where it was prepared before."""
    arrays, lines = cache / f"{part}.npz", cache / f"{part}.json"
    if not lines.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _save(_prepare(data, part, tokenizer), arrays, lines)
    content = json.loads(lines.read_text(encoding="utf-8"))
    with np.load(arrays, allow_pickle=False) as stored:
        ragged = {
            name: Ragged(stored[name], stored[f"{name}_starts"])
            for name in ("questions", "windows", "offsets", "sentences")
        }
        passages = stored["passages"]
    return Table([Row(*row) for row in content["rows"]], **ragged, texts=content["texts"], passages=passages,
                 siblings=content["siblings"])  # fmt: skip


def _save(table: Table, arrays: Path, lines: Path) -> None:
    stored: dict[str, NDArray[Any]] = {"passages": table.passages}
    for name in ("questions", "windows", "offsets", "sentences"):
        ragged: Ragged = getattr(table, name)
        stored |= {name: ragged.values, f"{name}_starts": ragged.starts}
    with arrays.open("wb") as file:
        np.savez(file, **stored)  # type: ignore[arg-type]
    rows = [[getattr(row, name) for name in Row.__slots__] for row in table.rows]
    content = {"rows": rows, "texts": table.texts, "siblings": table.siblings}
    partial = lines.with_suffix(".partial")
    partial.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    partial.replace(lines)


def _prepare(data: Path, part: str, tokenizer: Tokenizer) -> Table:
    passages = list(_read(data / f"{part}.passages.jsonl.xz"))
    limits = LIMITS[part]
    cuts = [cut(passage["text"], tokenizer, limits[at % len(limits)]) for at, passage in enumerate(passages)]
    starts = np.concatenate([[0], np.cumsum([len(windows) for windows in cuts])]).astype(np.int64)
    numbers = {passage["id"]: at for at, passage in enumerate(passages)}
    rows, questions, lost = [], [], 0
    for line in _read(data / f"{part}.questions.jsonl.xz"):
        at = numbers[line["passage"]]
        row = _row(line, at, int(starts[at]), cuts[at], passages[at]["text"])
        if row is None:
            lost += 1
            continue
        rows.append(row)
        questions.append(line["question"])
    log.info("%s: %d questions, %d windows; %d answers lie across a cut and are left out",
             part, len(rows), starts[-1], lost)  # fmt: skip
    windows = [window for windows in cuts for window in windows]
    return Table(
        rows=rows,
        questions=Ragged.join(
            [encoded.ids[:LONGEST_QUESTION] for encoded in tokenizer.encode_batch(questions, add_special_tokens=False)]
        ),
        windows=Ragged.join([window.tokens for window in windows]),
        offsets=Ragged.join([window.offsets - window.start for window in windows], 2),
        sentences=Ragged.join([window.sentences for window in windows]),
        texts=[passage["text"][window.start : window.end]
               for passage, found in zip(passages, cuts, strict=True) for window in found],
        passages=starts,
        siblings=_siblings(passages),
    )  # fmt: skip


def _read(file: Path) -> Iterator[dict[str, Any]]:
    with lzma.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _row(line: dict[str, Any], passage: int, offset: int, windows: Sequence[Window], text: str) -> Row | None:
    """Return the row of a question, or None where no window holds the whole answer or there is nothing to read."""
    if not windows:
        return None
    facts = (line["set"], line["id"].partition("#")[0], line["question_language"], line["passage_language"], passage)
    if "start" not in line:
        return Row(*facts, offset, UNMARKED, UNMARKED, line["answerable"], "")
    for number, window in enumerate(windows, start=offset):
        found = window.locate(line["start"], line["end"])
        if found:
            return Row(*facts, number, *found, True, text[line["start"] : line["end"]])
    return None


def _siblings(passages: Sequence[dict[str, Any]]) -> list[list[int]]:
    articles: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, passage in enumerate(passages):
        if passage["title"]:
            articles[passage["language"], passage["title"]].append(at)
    return [
        [other for other in articles.get((passage["language"], passage["title"] or ""), []) if other != at]
        for at, passage in enumerate(passages)
    ]
