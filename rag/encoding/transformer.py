"""Run a sentence-transformers model and return its own vectors. No other module imports sentence_transformers."""

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from rag.encoding.eight_bits import EightBits
from rag.errors import ModelError
from rag.hardware import offers_tiles
from rag.types import Progress, Role, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Precision = Literal["float32", "bfloat16", "int8"]
BATCH = 4
"""The number of texts that the model processes together."""
GROUP = 128
"""The number of texts that are encoded before NumPy works on their vectors. PyTorch and NumPy slow each other down if
they alternate more often."""
DEFAULT_TOKENS = 512
"""The longest input of a model that states no limit, in tokens."""
MARKS = {"text": {"return_offsets_mapping": True, "return_special_tokens_mask": True}}
PROMPT_NAMES: dict[Role, tuple[str, ...]] = {"query": ("query",), "passage": ("document", "passage", "corpus")}


class Group(NamedTuple):
    """Some of the texts that were to be encoded, and their vectors."""

    rows: list[int]
    """The indices of these texts among all texts."""
    vectors: Vectors
    """The vectors of the texts, of shape `(texts, dimension)`."""
    tokens: Vectors
    """The vectors of all their tokens, one text after the other, of shape `(tokens, layers, dimension)`."""
    ends: list[int]
    """The rows of `tokens` at which the tokens of each text but the last end."""


class Transformer:
    """A sentence-transformers model with its prompts and tokenizer. Safe to use from several threads."""

    def __init__(
        self, model: "SentenceTransformer", layers: Sequence[int] = (-1,), eight_bits: EightBits | None = None
    ) -> None:
        self._model = model
        self._eight_bits = eight_bits
        # Inner layers are less abstract than the last, so they distinguish names and numbers better.
        self._layers = layers
        self.prompts = {role: _find_prompt(model, names) for role, names in PROMPT_NAMES.items()}
        # A fast tokenizer changes its own state while it pads, so calls must not overlap. Two runs of the model would
        # compete for the processor. There are two locks so that counting tokens need not wait for a run.
        self._tokenizing = threading.Lock()
        self._running = threading.Lock()

    @classmethod
    def load(cls, folder: Path, threads: int, precision: Precision, layers: Sequence[int] = (-1,)) -> Self:
        """Load the model in a folder onto the processor, with the weights in `precision`. Raises ModelError.

        With `int8`, passages are encoded with rounded weights, and questions with float32.
        """
        if not offers_tiles():
            # Some virtual machines report AMX and end a process that uses it. oneDNN reads this when it first computes.
            os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16")
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        # The library's progress bar would overwrite that of the shell.
        disable_progress_bar()  # type: ignore[no-untyped-call]
        torch.set_num_threads(threads)
        try:
            model = SentenceTransformer(
                str(folder),
                local_files_only=True,
                device="cpu",
                model_kwargs={"dtype": torch.bfloat16 if precision == "bfloat16" else torch.float32},
                config_kwargs={"output_hidden_states": True},
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(
                f"The encoder in {folder} cannot be loaded: {error}. "
                "Check it with `rag models verify`, or set RAG_ENCODER to another."
            ) from error
        return cls(model, layers, EightBits(model[0]) if precision == "int8" else None)

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def max_tokens(self) -> int:
        """The length of the longest text that is encoded completely, in tokens, without prompt and special tokens."""
        limit = self._model.max_seq_length or DEFAULT_TOKENS
        return limit - max(len(tokens) for tokens in self._tokenize(list(self.prompts.values()), special=True))

    def warm(self) -> None:
        """Read all weights."""
        import torch

        # The weights are mapped and read when they are first used. The first text in a new language would be slow, and
        # the process would go on growing.
        with torch.inference_mode():
            for weights in self._model.parameters():
                weights.sum()

    def encode(self, texts: Sequence[str], role: Role) -> tuple[Vectors, list[Vectors]]:
        """Return a vector for each text, and the vectors of its tokens, of shape `(tokens, layers, dimension)`."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        tokens = [np.empty(0, np.float32)] * len(texts)
        for group in self.run(texts, role):
            vectors[group.rows] = group.vectors
            for row, of_text in zip(group.rows, np.split(group.tokens, group.ends), strict=True):
                tokens[row] = of_text
        return vectors, tokens

    def run(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Iterator[Group]:
        """Encode texts group by group, in the order of `arrange`.

        `progress` is called after each batch with the number of texts of average length that took as long.
        """
        lengths = [len(self.prompts[role]) + len(text) + 1 for text in texts]
        done = 0
        for rows in arrange(texts):
            found = []
            for batch in (rows[first : first + BATCH] for first in range(0, len(rows), BATCH)):
                found.append(self._run_batch([texts[row] for row in batch], role))
                done += sum(lengths[row] for row in batch)
                if progress:
                    progress(len(texts) * done // sum(lengths), len(texts))
            vectors, tokens, counts = zip(*found, strict=True)
            ends = np.cumsum(np.concatenate(counts))[:-1].tolist()
            yield Group(rows, np.concatenate(vectors), np.concatenate(tokens), ends)

    def _run_batch(self, texts: list[str], role: Role) -> tuple[Vectors, Vectors, NDArray[np.int64]]:
        """Return the vectors of texts, those of all their tokens by layer, and the number of tokens of each text."""
        import torch

        prompt = self.prompts[role]
        with self._tokenizing:
            features: Any = self._model.preprocess(texts, prompt=prompt, processing_kwargs=MARKS)
        with self._running, torch.inference_mode():
            spans, special = features.pop("offset_mapping"), features.pop("special_tokens_mask")
            # Leave out the special tokens and those of the prompt.
            own = features["attention_mask"].bool() & (special == 0) & (spans[..., 1] > len(prompt))
            if self._eight_bits:
                # A question is short and decides every ranking, so it is encoded exactly.
                self._eight_bits.on = role == "passage"
            encoded = self._model.forward(features)
            inner = encoded.get("all_layer_embeddings", ())
            found = {depth: inner[depth] for depth in self._layers if len(inner) >= -depth}
            found[-1] = encoded["token_embeddings"]
            tokens = (
                torch.stack([found[depth][own] for depth in self._layers if depth in found], dim=1)
                .float()
                .numpy(force=True)
            )
            return encoded["sentence_embedding"].float().numpy(force=True), tokens, own.sum(dim=1).numpy()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, without prompt and special tokens."""
        return [len(tokens) for tokens in self._tokenize(texts, special=False)]

    def _tokenize(self, texts: Sequence[str], special: bool) -> list[list[int]]:
        if not texts:
            return []
        with self._tokenizing:
            tokens = self._model.tokenizer(
                list(texts), add_special_tokens=special, truncation=False, padding=False, verbose=False
            )
        return list(tokens["input_ids"])


def arrange(texts: Sequence[str]) -> list[list[int]]:
    """Divide the texts into groups, given by their rows.

    Arranging the texts of a group again gives the same group, so a worker that encodes it gets the same vectors.
    """
    # Texts of similar length share a batch, so there is little padding. The longest come first, so that running out of
    # memory shows at once.
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]), reverse=True)
    return [order[start : start + GROUP] for start in range(0, len(order), GROUP)]


def _find_prompt(model: "SentenceTransformer", names: Sequence[str]) -> str:
    # The library's own choice cannot tell an empty prompt that it added itself from one that came with the model.
    return next(filter(None, map(model.prompts.get, names)), "")
