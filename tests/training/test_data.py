import json
import lzma
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from training.data import UNMARKED, Table, load


def test_marked_tokens_are_those_of_the_answer(table: Table) -> None:
    for row in table.rows:
        if row.answerable:
            offsets, text = table.offsets[row.window], table.texts[row.window]
            assert text[offsets[row.first][0] : offsets[row.last][1]] == row.answer


def test_paragraphs_of_one_title_are_siblings(table: Table) -> None:
    assert table.siblings[0] == [1]
    assert table.siblings[1] == [0]


def test_what_was_prepared_once_is_read_again(data: Path, tokenizer: Tokenizer, tmp_path: Path) -> None:
    made = load(data, "dev", tokenizer, tmp_path)
    again = load(Path("nowhere"), "dev", tokenizer, tmp_path)
    assert again.rows == made.rows
    assert again.texts == made.texts
    assert np.array_equal(again.windows.values, made.windows.values)


def test_a_question_without_marks_keeps_its_passage(tmp_path: Path, tokenizer: Tokenizer) -> None:
    passage = {"id": "p", "language": "pl", "title": None, "text": "Brno is a town."}
    facts = {"set": "s", "id": "q", "question_language": "pl", "passage_language": "pl", "passage": "p"}
    for name, line in (("passages", passage), ("questions", {**facts, "question": "Co?", "answerable": True})):
        with lzma.open(tmp_path / f"dev.{name}.jsonl.xz", "wt", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    (row,) = load(tmp_path, "dev", tokenizer, tmp_path / "arrays").rows
    assert (row.answerable, row.first, row.last, row.window) == (True, UNMARKED, UNMARKED, 0)
