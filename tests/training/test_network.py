from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rag.reading.network import FROZEN, Network, hide
from training.data import UNMARKED
from training.losses import measure
from training.sampling import Example, collate


def _tokens(first: int, end: int) -> NDArray[np.int32]:
    return np.arange(first, end, dtype=np.int32)


def _examples() -> list[Example]:
    return [
        Example(_tokens(10, 13), _tokens(20, 30), True, 2, 3),
        Example(_tokens(10, 16), _tokens(20, 24), False),
        Example(_tokens(9, 12), _tokens(30, 44), True, UNMARKED, UNMARKED),
    ]


def test_layers_compute_what_those_of_the_encoder_do(encoder: Path) -> None:
    from transformers import BertModel

    tokens = collate(_examples()).passage
    reader, bert = Network.start(encoder), BertModel.from_pretrained(encoder)
    with torch.no_grad():
        states = bert(tokens, attention_mask=tokens != 1, output_hidden_states=True).hidden_states
        lower = reader.lower(tokens)
        upper = reader.upper.layers[0](lower, hide(tokens == 1))
    real = tokens != 1
    torch.testing.assert_close(lower[real], states[FROZEN][real], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(upper[real], states[FROZEN + 1][real], atol=1e-5, rtol=1e-4)


def test_a_pair_is_scored_alike_alone_and_beside_longer_ones(encoder: Path) -> None:
    reader = Network.start(encoder)
    with torch.no_grad():
        together = reader(*collate(_examples()).inputs)
        for at, example in enumerate(_examples()):
            alone = reader(*collate([example]).inputs)
            length = alone.first.shape[1]
            torch.testing.assert_close(together.first[at, :length], alone.first[0], atol=1e-5, rtol=1e-4)
            torch.testing.assert_close(together.answerable[at], alone.answerable[0], atol=1e-5, rtol=1e-4)


def test_only_marked_answers_count_for_the_span(encoder: Path) -> None:
    reader = Network.start(encoder)
    one, rest = collate(_examples()[:1]), collate(_examples()[1:])
    assert measure(reader(*rest.inputs), rest)[0] == 0
    span, answerable = measure(reader(*one.inputs), one)
    (span + answerable).backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is None for parameter in reader.lower.parameters())
    assert reader.upper.span.weight.grad is not None


def test_losses_of_a_mixed_batch_are_those_of_its_parts(encoder: Path) -> None:
    reader = Network.start(encoder)
    examples = _examples()
    both, single = collate(examples), [collate([example]) for example in examples]
    expected = sum(measure(reader(*batch.inputs), batch)[1].item() for batch in single) / 3
    assert measure(reader(*both.inputs), both)[1].item() == pytest.approx(expected, abs=1e-5)
    of_first = measure(reader(*single[0].inputs), single[0])[0].item()
    assert measure(reader(*both.inputs), both)[0].item() == pytest.approx(of_first, abs=1e-4)
