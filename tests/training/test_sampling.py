from itertools import islice

import numpy as np
import pytest
import torch

from rag.reading.inputs import BEFORE, END, PAD
from training import sampling
from training.data import Table
from training.sampling import Example, Sampler, collate


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "CHUNK", 4)


@pytest.mark.parametrize("skip", [1, 4, 7])
def test_batches_after_a_pause_are_those_that_would_have_come(table: Table, skip: int) -> None:
    whole = list(islice(Sampler(table, 1).batches(4), skip + 6))[skip:]
    rest = list(islice(Sampler(table, 1).batches(4, skip), 6))
    for one, other in zip(whole, rest, strict=True):
        assert torch.equal(one.passage, other.passage)
        assert torch.equal(one.first, other.first)


def test_a_window_that_is_to_answer_nothing_does_not_hold_the_answer(table: Table) -> None:
    sampler, random = Sampler(table, 1), np.random.default_rng(1)
    for number, row in enumerate(table.rows):
        if row.answerable:
            answer = table.windows[row.window][row.first : row.last + 1].tolist()
            for _ in range(10):
                window = sampler.spoiled(number, number, random).window.tolist()
                assert not any(window[at : at + len(answer)] == answer for at in range(len(window)))


def test_what_is_cut_away_is_the_sentence_that_answers(table: Table) -> None:
    row = table.rows[0]
    rest = Sampler(table, 1)._cut(row, np.random.default_rng(1))
    text, offsets = table.texts[row.window], table.offsets[row.window]
    sentence = text.index("The mayor"), text.index("Its people")
    kept = [token for token, (start, _) in zip(table.windows[row.window], offsets, strict=True)
            if not sentence[0] <= start < sentence[1]]  # fmt: skip
    assert rest is not None
    assert rest.tolist() == kept


def test_a_question_is_asked_in_another_language_than_the_passage_is_in(table: Table) -> None:
    sampler = Sampler(table, 1)
    asked = [sampler.example(0, np.random.default_rng(seed)).question.tolist() for seed in range(100)]
    foreign = table.questions[1].tolist()
    assert 50 < sum(question == foreign for question in asked) < 90


def test_padding_and_prompts_are_no_place_for_an_answer() -> None:
    question = np.arange(10, 12, dtype=np.int32)
    short, long = (Example(question, np.arange(20, 20 + size, dtype=np.int32), True, 1, 2) for size in (3, 5))
    batch = collate([short, long])
    assert batch.passage[0].tolist()[-3:] == [END, PAD, PAD]
    assert batch.span.sum(dim=1).tolist() == [3, 5]
    assert batch.passage[0][batch.first[0]] == 21
    assert batch.first[0] == BEFORE + 1
