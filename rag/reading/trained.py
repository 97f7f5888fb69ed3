"""The reader that this project trained: it reads a question and a passage together, in any pair of languages.

weights/reader.safetensors    the trained layers and heads; MODEL_CARD.md describes them
The embeddings and the lower layers are those of multilingual-e5-small, whichever encoder the index has.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from rag.config import Config
from rag.errors import ModelError, ModelMissing
from rag.models import registry
from rag.types import AnswerSpan, Passage, PassageReading, Vectors

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

    from rag.reading.network import Network

ENCODER = "multilingual-e5-small"
"""The encoder from which the reader was trained."""
WEIGHTS = Path(__file__).parent / "weights" / "reader.safetensors"
LONGEST_QUESTION = 96
"""Tokens of a question that are read. The rest is left out."""
LONGEST_PASSAGE = 384
"""Tokens of a passage that are read. The rest is left out; passages of an index are shorter."""
LONGEST_ANSWER = 30
"""Most tokens of an answer."""
SPANS = 3
"""Most answers of a passage."""


class TrainedReader:
    """A Reader over the shipped weights. Safe to use from several threads."""

    name = "shipped"

    def __init__(self, network: "Network", tokenizer: "Tokenizer") -> None:
        self._network = network
        self._tokenizer = tokenizer
        # Two runs of the network would compete for the processor.
        self._running = threading.Lock()

    @classmethod
    def load(cls, config: Config, weights: Path = WEIGHTS) -> Self:
        """Load the reader from disk, never from the network.

        Raises ModelMissing if multilingual-e5-small was not fetched, and ModelError if its files cannot be used.
        """
        try:
            folder = registry.resolve(ENCODER, "encoder", config.cache)
        except ModelMissing as error:
            raise ModelMissing(f"The reader needs {ENCODER}. {error} To do without it, set RAG_READER=none.") from error
        return cls.from_folder(folder, weights)

    @classmethod
    def from_folder(cls, encoder: Path, weights: Path = WEIGHTS) -> Self:
        """Load the reader with the encoder in a folder. Raises ModelError if a file cannot be used."""
        from safetensors import SafetensorError
        from tokenizers import Tokenizer

        from rag.reading.network import Network
        from rag.reading.packing import read

        try:
            network = Network.start(encoder)
            network.upper.load_state_dict(read(weights))
            tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"The reader cannot be loaded from {weights} and {encoder}: {error}. "
                "Check the encoder with `rag models verify`, or set RAG_READER=none."
            ) from error
        return cls(network.eval(), tokenizer)

    def warm(self) -> None:
        """Read all layers. The embeddings are read token by token."""
        import torch

        with torch.inference_mode():
            for layer in (*self._network.lower.layers, *self._network.upper.layers):
                for weights in layer.parameters():
                    weights.sum()

    def read(self, question: str, passages: Sequence[Passage]) -> list[PassageReading]:
        """Return the result of reading each passage for the question."""
        import torch

        from rag.reading.inputs import BEFORE, arrange_passages, arrange_questions, mark_text

        if not passages:
            return []
        (asked,) = self._encode([question])
        texts = self._encode([passage.text for passage in passages])
        tokens = [encoded.ids[:LONGEST_PASSAGE] for encoded in texts]
        lengths = [len(of_one) for of_one in tokens]
        arranged = arrange_passages(tokens)
        with self._running, torch.inference_mode():
            scores = self._network(
                arrange_questions([asked.ids[:LONGEST_QUESTION]]), arranged, mark_text(lengths, arranged)
            )
            first, last = (borders.log_softmax(dim=1).numpy() for borders in (scores.first, scores.last))
            odds = scores.answerable.tolist()
        return [
            PassageReading(of_one, find_spans(one_first[text], one_last[text], encoded.offsets, passage.text))
            for of_one, one_first, one_last, encoded, passage, length in zip(
                odds, first, last, texts, passages, lengths, strict=True
            )
            for text in [slice(BEFORE, BEFORE + length)]
        ]

    def _encode(self, texts: list[str]) -> "list[Encoding]":
        encoded: list[Encoding] = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        return encoded


def find_spans(first: Vectors, last: Vectors, offsets: Sequence[tuple[int, int]], text: str) -> tuple[AnswerSpan, ...]:
    """Return the likeliest answers, none of which overlap.

    `first` and `last`, of shape `(tokens,)`, are the log-probabilities that the answer begins and ends with a token.
    """
    pairs = np.tril(np.triu(np.exp(first[:, None] + last[None, :])), LONGEST_ANSWER - 1)
    found: list[AnswerSpan] = []
    while pairs.any() and len(found) < SPANS:
        begin, end = (int(at) for at in np.unravel_index(pairs.argmax(), pairs.shape))
        probability = float(pairs[begin, end])
        # The probabilities of all spans that share a token with this one are used up.
        pairs[: end + 1, begin:] = 0
        words = text[offsets[begin][0] : offsets[end][1]]
        if words.strip():
            start = offsets[begin][0] + len(words) - len(words.lstrip())
            odds = float(np.log(probability / max(1 - probability, 1e-9)))
            found.append(AnswerSpan(start, start + len(words.strip()), odds))
    return tuple(found)
