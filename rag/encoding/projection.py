"""Remove the language from the vectors of queries and passages.

A multilingual encoder ranks by language first and by meaning second. The mean vectors of the same sentences in many
languages differ in language alone. So the span of these differences is the language, and the part of a vector that is
orthogonal to it is the meaning (Yang et al. 2021, "A Simple and Effective Method to Eliminate the Self Language Bias in
Multilingual Representations", EMNLP). This holds for the vectors of single tokens too. The language of a question need
not be detected, and languages without calibration text profit from related ones. `alignment.py` finds the projection.
"""

import os
import uuid
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from rag.types import Projection, Role, Tokens, Vectors

SCALE = 127
"""The int8 that stands for 1, the largest component of a unit vector."""
COARSE = 8
"""The neutral tokens of a compact projection are multiples of this."""
ROLES: tuple[Role, Role] = ("query", "passage")
RELATIVES = {"bs": "hr", "sr": "sr-Cyrl", "nb": "no"}
"""Languages without calibration text, and the language whose text is used for them."""


def save_projection(projection: Projection, file: Path, *, compact: bool = False) -> None:
    """Write the projection to `file` atomically.

    With `compact`, the file takes a third of the space: numbers are rounded, as far as no ranking is changed by it, and
    compressed.
    """
    arrays: dict[str, Any] = {
        "directions": projection.directions,
        "means": projection.means,
        "bases": projection.bases,
        "languages": np.array(projection.languages, dtype=np.str_),
        "neutral": projection.neutral,
        "ends": projection.ends,
    }
    if compact:
        arrays |= {name: arrays[name].astype(np.float16) for name in ("directions", "bases")}
        steps = np.rint(projection.neutral / COARSE).clip(-(SCALE // COARSE), SCALE // COARSE)
        arrays["neutral"] = (steps * COARSE).astype(np.int8)
    draft = file.with_name(f".{uuid.uuid4().hex}.npz")
    with draft.open("wb") as stream:
        (np.savez_compressed if compact else np.savez)(stream, **arrays)
        os.fsync(stream.fileno())
    draft.replace(file)


def load_projection(file: Path) -> Projection:
    """Read a projection from `file`. Raises OSError, and ValueError if `save_projection` did not write the file."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            languages = tuple(str(language) for language in arrays["languages"])
            return Projection(
                arrays["directions"].astype(np.float32),
                arrays["means"],
                arrays["bases"].astype(np.float32),
                languages,
                arrays["neutral"],
                arrays["ends"],
            )
    except (EOFError, KeyError, BadZipFile) as error:
        raise ValueError(f"{file.name} is not a projection: {error}") from error


def project(vectors: Vectors, projection: Projection) -> Vectors:
    """Return the vectors of texts without the language, as unit vectors of shape `(texts, dimension)`."""
    return unit(vectors - (vectors @ projection.directions.T) @ projection.directions)


def project_tokens(tokens: Vectors, role: Role, projection: Projection) -> Tokens:
    """Return the vectors of tokens without the language, as int8 of shape `(tokens, layers, kept)`.

    `tokens` has the shape `(tokens, layers, dimension)`.
    """
    centred = unit(tokens) - projection.means[ROLES.index(role)]
    mapped = unit(centred.swapaxes(0, 1) @ projection.bases).swapaxes(0, 1)
    return np.rint(mapped * SCALE).astype(np.int8)


def expect(question: Tokens, language: str, script: str, projection: Projection) -> Vectors:
    """Return how well the tokens of a question match neutral text in a language, of shape `(tokens,)`.

    This is the best cosine, averaged over the layers and over blocks as long as a passage. For a language without
    calibration text, it is averaged over all languages.
    """
    ends = projection.ends
    starts = np.concatenate([np.zeros(1, dtype=ends.dtype), ends.ravel()[:-1]])[: ends.size].reshape(ends.shape)
    for tag in (f"{language}-{script}", language, RELATIVES.get(language, "")):
        if tag in projection.languages:
            row = projection.languages.index(tag)
            starts, ends = starts[row : row + 1], ends[row : row + 1]
            break
    if not ends.size or not len(question):
        return np.zeros(len(question), dtype=np.float32)
    first, last = starts[0, 0], ends[-1, -1]
    cosines = compare(question, projection.neutral[first:last])
    return np.asarray(np.maximum.reduceat(cosines, starts.ravel() - first, axis=2).mean(axis=(0, 2)), dtype=np.float32)


def compare(tokens: Tokens, others: Tokens) -> Vectors:
    """Return the cosines of all pairs of tokens by layer, of shape `(layers, tokens, others)`."""
    one, other = tokens.astype(np.float32), others.astype(np.float32)
    return np.asarray(one.swapaxes(0, 1) @ other.transpose(1, 2, 0) / SCALE**2, dtype=np.float32)


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """Return the vectors along the last axis, scaled to length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), dtype=np.float32)
