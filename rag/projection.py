"""The language in a vector: found from parallel sentences, taken out of queries and passages alike.

A multilingual encoder ranks by language first and meaning second. The mean vectors of the same sentences in many
languages differ by nothing but language, so the span of those differences is the language, and what is orthogonal
to it is the meaning (Yang et al. 2021, "A Simple and Effective Method to Eliminate the Self Language Bias in
Multilingual Representations", EMNLP). The same holds for the vectors of single tokens. No language has to be
detected for it, and languages without calibration text profit from their relatives.
"""

import hashlib
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from rag.types import Projection, Role, Tokens, Vectors

CALIBRATION = Path(__file__).parent / "calibration"
DIRECTIONS = 24
"""How many directions of language are removed; evaluation/README.md has the figures."""
TOKEN_DIMENSION = 192
"""How many dimensions of a token's vector are kept."""
SCALE = 127
"""A component of a unit vector, at most 1, as an int8."""
ROLES: tuple[Role, Role] = ("query", "passage")

Encode = Callable[[Sequence[str], Role], tuple[Vectors, list[Vectors]]]
"""Texts to one vector for each, and to the vectors of each one's tokens, the language still in both."""


def load_calibration(folder: Path = CALIBRATION) -> dict[str, list[str]]:
    """Sentences by language; line n means the same in each."""
    return {file.stem: file.read_text(encoding="utf-8").splitlines() for file in sorted(folder.glob("*.txt"))}


def checksum_calibration(folder: Path = CALIBRATION) -> str:
    """SHA-256 over the calibration text, in hexadecimal."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.txt")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def find_projection(encode: Encode, texts: Mapping[str, Sequence[str]]) -> Projection:
    """What tells languages apart in this encoder's vectors, found from parallel sentences by language.

    Queries and passages are encoded differently, so each has a mean for each language.
    """
    text_means: list[list[Vectors]] = []
    token_means: list[list[Vectors]] = []
    scatter = 0.0
    for role in ROLES:
        encoded = [encode(lines, role) for lines in texts.values()]
        text_means.append([vectors.mean(axis=0) for vectors, _ in encoded])
        units = [_unit(np.concatenate(tokens)) for _, tokens in encoded]
        token_means.append([tokens.mean(axis=0) for tokens in units])
        rest = np.concatenate(units) - np.mean(token_means[-1], axis=0)
        scatter = scatter + rest.T @ rest
    directions = _find_span(text_means)
    token_directions = _find_span(token_means)
    outside = np.eye(directions.shape[1], dtype=np.float32) - token_directions.T @ token_directions
    # The directions in which tokens differ most once the language is out of them.
    _, axes = np.linalg.eigh(outside @ scatter @ outside)
    kept = min(TOKEN_DIMENSION, len(axes) - len(token_directions))
    return Projection(
        directions=directions,
        means=np.stack([np.mean(means, axis=0) for means in token_means]).astype(np.float32),
        basis=np.ascontiguousarray(axes[:, ::-1][:, :kept], dtype=np.float32),
    )


def save_projection(projection: Projection, file: Path) -> None:
    """Write it to `file`, whole or not at all."""
    draft = file.with_name(f".{uuid.uuid4().hex}.npz")
    with draft.open("wb") as stream:
        np.savez(stream, **asdict(projection))
        os.fsync(stream.fileno())
    draft.replace(file)


def load_projection(file: Path) -> Projection:
    """Read what `save_projection` wrote. Raises OSError, and ValueError for anything else."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return Projection(arrays["directions"], arrays["means"], arrays["basis"])
    except (EOFError, KeyError, BadZipFile) as error:
        raise ValueError(f"it holds no projection: {error}") from error


def project(vectors: Vectors, projection: Projection) -> Vectors:
    """Unit vectors of shape `(texts, dimension)` without the language."""
    return _unit(vectors - (vectors @ projection.directions.T) @ projection.directions)


def project_tokens(tokens: Vectors, role: Role, projection: Projection) -> Tokens:
    """The vectors of one text's tokens, of shape `(tokens, dimension)`, without the language, in few bytes."""
    kept = _unit((_unit(tokens) - projection.means[ROLES.index(role)]) @ projection.basis)
    return np.rint(kept * SCALE).astype(np.int8)


def _find_span(means: Sequence[Sequence[Vectors]]) -> Vectors:
    """The orthonormal directions in which the means by language differ most within a role."""
    differences = [np.stack(of_role) - np.mean(of_role, axis=0) for of_role in means]
    _, _, directions = np.linalg.svd(np.concatenate(differences), full_matrices=False)
    # Of n languages no more than n - 1 directions can tell one from another.
    count = min(DIRECTIONS, len(means[0]) - 1)
    return np.ascontiguousarray(directions[:count], dtype=np.float32)


def _unit(vectors: NDArray[np.floating]) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
