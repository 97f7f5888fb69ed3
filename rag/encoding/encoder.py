"""The encoder: a sentence-transformers model with the language removed from its vectors."""

import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from rag.config import Config
from rag.encoding.alignment import checksum_calibration, find_projection, load_calibration
from rag.encoding.projection import load_projection, project, project_tokens, save_projection
from rag.encoding.transformer import Precision, Transformer
from rag.hardware import count_physical_cores, multiplies_eight_bits
from rag.models import registry
from rag.models.settings import find_encoder_settings
from rag.types import Embeddings, EncoderSettings, Progress, Projection, Role, Tokens

logger = logging.getLogger(__name__)

SHIPPED = Path(__file__).parent / "projections"
"""The projections of known encoders that take minutes to compute, named like those in the cache."""


class SentenceEncoder:
    """An Encoder over a sentence-transformers model. Safe to use from several threads."""

    def __init__(
        self, transformer: Transformer, name: str, fingerprint: str, projection: Projection, settings: EncoderSettings
    ) -> None:
        self._transformer = transformer
        self._name = name
        self._fingerprint = fingerprint
        self._projection = projection
        self._settings = settings

    @classmethod
    def load(cls, config: Config, projection: Projection | None = None) -> Self:
        """Load the configured encoder from disk, never from the network.

        `projection` is the one that an index was built with. By default, the shipped one or the one in the cache is
        used. If there is none for these files and settings, it is computed and stored in the cache, which takes as long
        as encoding three thousand sentences.

        Raises ModelMissing if files are missing, and ModelError if they cannot be used.
        """
        folder = registry.resolve(config.encoder, "encoder", config.cache)
        fingerprint = registry.fingerprint(folder)
        settings = find_encoder_settings(config.encoder)
        threads = config.threads or count_physical_cores()
        precision = config.encoder_precision or choose_precision(settings)
        transformer = Transformer.load(folder, threads, precision, settings.layers)
        projection = projection or _recall_projection(transformer, fingerprint, settings, config.cache)
        return cls(transformer, config.encoder, fingerprint, projection, settings)

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimension(self) -> int:
        return self._transformer.dimension

    @property
    def max_tokens(self) -> int:
        return self._transformer.max_tokens

    @property
    def projection(self) -> Projection:
        return self._projection

    @property
    def settings(self) -> EncoderSettings:
        return self._settings

    def describe(self) -> dict[str, object]:
        return {
            "name": self._name,
            "fingerprint": self._fingerprint,
            "dimension": self.dimension,
            "prompts": dict(self._transformer.prompts),
            "calibration": checksum_calibration(self._settings),
            "directions": len(self._projection.directions),
            "token_shape": list(self._projection.token_shape),
        }

    def warm(self) -> None:
        self._transformer.warm()

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        tokens: list[Tokens] = [np.empty((0, 0, 0), np.int8)] * len(texts)
        for group in self._transformer.run(texts, role, progress):
            vectors[group.rows] = project(group.vectors, self._projection)
            projected = project_tokens(group.tokens, role, self._projection)
            for row, of_text in zip(group.rows, np.split(projected, group.ends), strict=True):
                tokens[row] = of_text
        return Embeddings(vectors, tuple(tokens))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._transformer.count_tokens(texts)


def choose_precision(settings: EncoderSettings) -> Precision:
    """Return the fastest precision on this processor with which the encoder finds as much as with float32."""
    return "int8" if settings.eight_bits and multiplies_eight_bits() else "float32"


def name_projection(fingerprint: str, settings: EncoderSettings) -> str:
    """Return the name of the file with the projection of an encoder's files, found with these settings."""
    return f"{fingerprint[:16]}-{checksum_calibration(settings)[:16]}.npz"


def _recall_projection(
    transformer: Transformer, fingerprint: str, settings: EncoderSettings, cache: Path
) -> Projection:
    """Return the shipped projection, or the one in the cache. If there is none, compute it and store it there."""
    name = name_projection(fingerprint, settings)
    file = cache / "projections" / name
    for known in (SHIPPED / name, file):
        with contextlib.suppress(OSError, ValueError):
            return load_projection(known)
    projection = find_projection(transformer.encode, load_calibration(), settings)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        save_projection(projection, file)
    except OSError as error:
        logger.info("%s cannot be written (%s). The projection will be computed again next time.", file, error)
    return projection
