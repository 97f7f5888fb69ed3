"""The language in a vector: found from parallel sentences, taken out of queries and passages alike.

A multilingual encoder ranks by language first and meaning second. The mean vectors of the same sentences in many
languages differ by nothing but language, so the span of those differences is the language, and what is orthogonal
to it is the meaning (Yang et al. 2021, "A Simple and Effective Method to Eliminate the Self Language Bias in
Multilingual Representations", EMNLP). No language has to be detected for it, and languages without calibration
text profit from their relatives.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rag.types import Role, Vectors

CALIBRATION = Path(__file__).parent / "calibration"
DIRECTIONS = 24
"""How many to remove; evaluation/README.md has the figures."""

Encode = Callable[[Sequence[str], Role], Vectors]


def load_calibration(folder: Path = CALIBRATION) -> dict[str, list[str]]:
    """Sentences by language; line n means the same in each."""
    return {file.stem: file.read_text(encoding="utf-8").splitlines() for file in sorted(folder.glob("*.txt"))}


def checksum_calibration(folder: Path = CALIBRATION) -> str:
    """SHA-256 over the calibration text, in hexadecimal."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.txt")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def find_directions(encode: Encode, texts: dict[str, list[str]], count: int = DIRECTIONS) -> Vectors:
    """The `count` orthonormal directions in which languages differ most, of shape `(count, dimension)`.

    Queries and passages are encoded differently, so both have a mean for each language.
    """
    differences = []
    for role in ("query", "passage"):
        # All at once, so that sentences of like length share a batch.
        vectors = encode([line for lines in texts.values() for line in lines], role)
        means = vectors.reshape(len(texts), -1, vectors.shape[1]).mean(axis=1)
        differences.append(means - means.mean(axis=0))
    _, _, directions = np.linalg.svd(np.concatenate(differences), full_matrices=False)
    return np.ascontiguousarray(directions[:count], dtype=np.float32)


def remove_directions(vectors: Vectors, directions: Vectors) -> Vectors:
    """Unit vectors of shape `(n, dimension)` without what lies along `directions`."""
    rest = vectors - (vectors @ directions.T) @ directions
    return np.asarray(rest / np.linalg.norm(rest, axis=1, keepdims=True), dtype=np.float32)
