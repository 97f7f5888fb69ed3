"""Text to unit vectors, through sentence-transformers. No other room imports it."""

import logging
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from rag.config import Config
from rag.encoding.alignment import checksum_calibration, find_projection, load_calibration
from rag.encoding.projection import load_projection, project, project_tokens, save_projection
from rag.errors import ModelError
from rag.hardware import count_physical_cores
from rag.models import registry
from rag.types import Embeddings, Progress, Projection, Role, Tokens, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

logger = logging.getLogger(__name__)

BATCH = 16
CHUNK = 128
"""Texts that are encoded before the language is taken out of them: the two libraries get in each other's way."""
INNER_LAYERS = (-3, -5)
"""Layers that are matched beside the last: less abstract, so they tell names and numbers better apart."""
MARKS = {"text": {"return_offsets_mapping": True, "return_special_tokens_mask": True}}
PROMPT_NAMES: dict[Role, tuple[str, ...]] = {"query": ("query",), "passage": ("document", "passage", "corpus")}


class SentenceEncoder:
    """An Encoder over a sentence-transformers model. Safe to call from several threads."""

    def __init__(
        self, model: "SentenceTransformer", name: str, fingerprint: str, projection: Projection | None = None
    ) -> None:
        self._model = model
        self._name = name
        self._fingerprint = fingerprint
        self._prompts = {role: _find_prompt(model, names) for role, names in PROMPT_NAMES.items()}
        # A fast tokenizer changes its own state while it pads, so two calls must not meet in it. Two runs of the
        # model would share the processor; whoever only counts tokens meanwhile does not wait for one.
        self._lock = threading.Lock()
        self._running = threading.Lock()
        self._projection = projection or find_projection(self._encode, load_calibration())

    @classmethod
    def load(cls, config: Config, projection: Projection | None = None) -> Self:
        """Load the configured encoder from disk, never from the network.

        `projection` is that which an index has kept; without, it is that of the cache, and is found and put there
        the first time, which takes as long as encoding three thousand sentences. Raises ModelMissing when the
        encoder's files are not there, ModelError when they cannot be used.
        """
        folder = registry.resolve(config.encoder, "encoder", config.cache)
        fingerprint = registry.fingerprint(folder)
        kept = config.cache / "projections" / f"{fingerprint[:16]}-{checksum_calibration()[:16]}.npz"
        model = _load_model(folder, config.threads or count_physical_cores(), config.encoder_precision)
        if projection:
            return cls(model, config.encoder, fingerprint, projection)
        encoder = cls(model, config.encoder, fingerprint, _recall_projection(kept))
        _keep_projection(encoder.projection, kept)
        return encoder

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
            "directions": len(self._projection.directions),
            "token_shape": list(self._projection.token_shape),
        }

    @property
    def projection(self) -> Projection:
        return self._projection

    def warm(self) -> None:
        import torch

        # The weights are mapped, and those of a word are read when it first comes: new languages would be slow, and
        # the process would go on growing.
        with torch.inference_mode():
            for weights in self._model.parameters():
                weights.sum()

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        tokens: list[Tokens] = [np.empty((0, 0, 0), np.int8)] * len(texts)
        done = 0
        for rows, of_batch, raw, ends in self._run(texts, role):
            vectors[rows] = project(of_batch, self._projection)
            projected = project_tokens(raw, role, self._projection)
            for row, of_one in zip(rows, np.split(projected, ends), strict=True):
                tokens[row] = of_one
            done += len(rows)
            if progress:
                progress(done, len(texts))
        return Embeddings(vectors, tuple(tokens))

    def _encode(self, texts: Sequence[str], role: Role) -> tuple[Vectors, list[Vectors]]:
        """What the model itself gives for each text and for its tokens, the language still in both."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        tokens = [np.empty(0, np.float32)] * len(texts)
        for rows, of_batch, raw, ends in self._run(texts, role):
            vectors[rows] = of_batch
            for row, of_one in zip(rows, np.split(raw, ends), strict=True):
                tokens[row] = of_one
        return vectors, tokens

    def _run(self, texts: Sequence[str], role: Role) -> Iterator[tuple[list[int], Vectors, Vectors, list[int]]]:
        """Chunk by chunk: which texts, their vectors, those of their tokens by layer, and where a text's tokens end."""
        for rows in arrange(texts):
            batches = [[texts[row] for row in rows[first : first + BATCH]] for first in range(0, len(rows), BATCH)]
            vectors, tokens, lengths = zip(*(self._run_batch(batch, role) for batch in batches), strict=True)
            ends = np.cumsum(np.concatenate(lengths))[:-1].tolist()
            yield rows, np.concatenate(vectors), np.concatenate(tokens), ends

    def _run_batch(self, texts: list[str], role: Role) -> tuple[Vectors, Vectors, NDArray[np.int64]]:
        """The vectors of texts, those of all their tokens by layer, and how many tokens each text has."""
        import torch

        prompt = self._prompts[role]
        with self._lock:
            features: Any = self._model.preprocess(texts, prompt=prompt, processing_kwargs=MARKS)
        with self._running, torch.inference_mode():
            spans, special = features.pop("offset_mapping"), features.pop("special_tokens_mask")
            # The prompt's tokens and the special ones are not the text's.
            own = features["attention_mask"].bool() & (special == 0) & (spans[..., 1] > len(prompt))
            encoded = self._model.forward(features)
            inner = encoded.get("all_layer_embeddings", ())
            layers = [encoded["token_embeddings"], *(inner[depth] for depth in INNER_LAYERS if len(inner) >= -depth)]
            tokens = torch.stack([layer[own] for layer in layers], dim=1).float().numpy(force=True)
            return encoded["sentence_embedding"].float().numpy(force=True), tokens, own.sum(dim=1).numpy()

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


def arrange(texts: Sequence[str]) -> list[list[int]]:
    """The rows of the texts in chunks. By itself a chunk is arranged as among others: its vectors are the same."""
    # Texts of like length share a batch, so little of it is padding; the longest first, so an
    # estimate made from what is done errs on the safe side.
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]), reverse=True)
    return [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]


def _find_prompt(model: "SentenceTransformer", names: Sequence[str]) -> str:
    # The library's own choice takes an empty prompt that it put there itself for one that the model came with.
    return next(filter(None, map(model.prompts.get, names)), "")


def _recall_projection(file: Path) -> Projection | None:
    try:
        return load_projection(file)
    except (OSError, ValueError):
        return None


def _keep_projection(projection: Projection, file: Path) -> None:
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            save_projection(projection, file)
    except OSError as error:
        logger.info("%s cannot be kept (%s); the next build finds it anew.", file, error)


def _load_model(folder: Path, threads: int, precision: str) -> "SentenceTransformer":
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    # It would draw over the bars of the shell.
    disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(threads)
    try:
        return SentenceTransformer(
            str(folder),
            local_files_only=True,
            device="cpu",
            model_kwargs={"dtype": getattr(torch, precision)},
            config_kwargs={"output_hidden_states": True},
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"The encoder in {folder} cannot be loaded: {error}. "
            "Check it with `rag models verify`, or name another with RAG_ENCODER."
        ) from error
