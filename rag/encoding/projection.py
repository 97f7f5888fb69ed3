"""The language in a vector, taken out of queries and passages alike.

A multilingual encoder ranks by language first and meaning second. The mean vectors of the same sentences in many
languages differ by nothing but language, so the span of those differences is the language, and what is orthogonal
to it is the meaning (Yang et al. 2021, "A Simple and Effective Method to Eliminate the Self Language Bias in
Multilingual Representations", EMNLP). The same holds for the vectors of single tokens. No language of a question has
to be detected for it, and languages without calibration text profit from their relatives. `alignment.py` finds it.
"""

import os
import uuid
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from rag.types import Projection, Role, Tokens, Vectors

SCALE = 127
"""A component of a unit vector, at most 1, as an int8."""
ROLES: tuple[Role, Role] = ("query", "passage")
RELATIVES = {"bs": "hr", "sr": "sr-Cyrl", "nb": "no"}
"""Languages that are taken for another one where they have no calibration text themselves."""


def save_projection(projection: Projection, file: Path) -> None:
    """Write it to `file`, whole or not at all."""
    draft = file.with_name(f".{uuid.uuid4().hex}.npz")
    with draft.open("wb") as stream:
        np.savez(
            stream,
            directions=projection.directions,
            means=projection.means,
            bases=projection.bases,
            languages=np.array(projection.languages, dtype=np.str_),
            neutral=projection.neutral,
            ends=projection.ends,
        )
        os.fsync(stream.fileno())
    draft.replace(file)


def load_projection(file: Path) -> Projection:
    """Read what `save_projection` wrote. Raises OSError, and ValueError for anything else."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            languages = tuple(str(language) for language in arrays["languages"])
            return Projection(
                arrays["directions"], arrays["means"], arrays["bases"], languages, arrays["neutral"], arrays["ends"]
            )
    except (EOFError, KeyError, BadZipFile) as error:
        raise ValueError(f"it holds no projection: {error}") from error


def project(vectors: Vectors, projection: Projection) -> Vectors:
    """Unit vectors of shape `(texts, dimension)` without the language."""
    return unit(vectors - (vectors @ projection.directions.T) @ projection.directions)


def project_tokens(tokens: Vectors, role: Role, projection: Projection) -> Tokens:
    """The vectors of one text's tokens, of shape `(tokens, layers, dimension)`, without the language, in few bytes."""
    centred = unit(tokens) - projection.means[ROLES.index(role)]
    mapped = unit(centred.swapaxes(0, 1) @ projection.bases).swapaxes(0, 1)
    return np.rint(mapped * SCALE).astype(np.int8)


def expect(question: Tokens, language: str, script: str, projection: Projection) -> Vectors:
    """How near each token of a question comes to neutral text in a language, of shape `(tokens,)`.

    It is the mean, over layers and stretches as long as a passage, of the best cosine. A language without calibration
    text gets the mean over all languages.
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
    """The cosines of tokens with others, layer by layer, of shape `(layers, tokens, others)`."""
    ours, theirs = tokens.astype(np.float32), others.astype(np.float32)
    return np.asarray(ours.swapaxes(0, 1) @ theirs.transpose(1, 2, 0) / SCALE**2, dtype=np.float32)


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """The vectors along the last axis, each brought to length one."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), dtype=np.float32)
