"""Text to unit vectors, through sentence-transformers. No other room imports it."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from rag import models
from rag.config import Config
from rag.errors import ModelError
from rag.hardware import count_physical_cores
from rag.projection import checksum_calibration, find_directions, load_calibration, remove_directions
from rag.types import Progress, Role, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

logger = logging.getLogger(__name__)

BATCH = 32
CHUNK = 8 * BATCH
PROMPT_NAMES: dict[Role, tuple[str, ...]] = {"query": ("query",), "passage": ("document", "passage", "corpus")}


class SentenceEncoder:
    """An Encoder over a sentence-transformers model. Safe to call from several threads."""

    def __init__(
        self, model: "SentenceTransformer", name: str, fingerprint: str, directions: Vectors | None = None
    ) -> None:
        self._model = model
        self._name = name
        self._fingerprint = fingerprint
        self._prompts = {role: _find_prompt(model, names) for role, names in PROMPT_NAMES.items()}
        # A fast tokenizer changes its own state while it pads, so two calls must not meet in it.
        self._lock = threading.Lock()
        self._directions = find_directions(self._encode, load_calibration()) if directions is None else directions

    @classmethod
    def load(cls, config: Config, directions: Vectors | None = None) -> Self:
        """Load the configured encoder from disk, never from the network.

        `directions` are those of language as an index has kept them; without, they are found anew, which takes
        as long as encoding three thousand sentences. Raises ModelMissing when the encoder's files are not there,
        ModelError when they cannot be used.
        """
        folder = models.resolve(config.encoder, "encoder", config.cache)
        model = _load_model(folder, config.threads or count_physical_cores())
        return cls(model, config.encoder, models.fingerprint(folder), directions)

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def max_tokens(self) -> int:
        limit = self._model.max_seq_length or 512
        return limit - max(len(tokens) for tokens in self._tokenize(list(self._prompts.values()), special=True))

    def describe(self) -> dict[str, object]:
        return {
            "name": self._name,
            "fingerprint": self._fingerprint,
            "dimension": self.dimension,
            "prompts": dict(self._prompts),
            "calibration": checksum_calibration(),
            "directions": len(self._directions),
        }

    @property
    def directions(self) -> Vectors:
        return self._directions

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Vectors:
        return remove_directions(self._encode(texts, role, progress), self._directions)

    def _encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Vectors:
        """What the model itself gives, the language in it."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        # Texts of like length share a batch, so little of it is padding; the longest first, so an
        # estimate made from what is done errs on the safe side.
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]), reverse=True)
        for start in range(0, len(order), CHUNK):
            rows = order[start : start + CHUNK]
            with self._lock:
                vectors[rows] = self._model.encode(
                    [texts[row] for row in rows],
                    prompt=self._prompts[role],
                    batch_size=BATCH,
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
            if progress:
                progress(start + len(rows), len(order))
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(tokens) for tokens in self._tokenize(texts, special=False)]

    def _tokenize(self, texts: Sequence[str], special: bool) -> list[list[int]]:
        if not texts:
            return []
        with self._lock:
            tokens = self._model.tokenizer(
                list(texts), add_special_tokens=special, truncation=False, padding=False, verbose=False
            )
        return list(tokens["input_ids"])


def _find_prompt(model: "SentenceTransformer", names: Sequence[str]) -> str:
    # The library's own choice takes an empty prompt that it put there itself for one that the model came with.
    return next(filter(None, map(model.prompts.get, names)), "")


def _load_model(folder: Path, threads: int) -> "SentenceTransformer":
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    # It would draw over the bars of the shell.
    disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(threads)
    try:
        return SentenceTransformer(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"The encoder in {folder} cannot be loaded: {error}. "
            "Check it with `rag models verify`, or name another with RAG_ENCODER."
        ) from error
