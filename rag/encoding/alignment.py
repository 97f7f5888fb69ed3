"""Parallel sentences → the projection that takes the language out of an encoder's vectors."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import numpy as np

from rag.encoding.projection import ROLES, project_tokens, unit
from rag.types import Projection, Role, Vectors

CALIBRATION = Path(__file__).parent / "calibration"
DIRECTIONS = 24
"""How many directions of language are removed; evaluation/README.md has the figures of this and what follows."""
KEPT = 128
"""How many dimensions of a token's vector are kept in each layer."""
SHRINKAGE = 0.5
"""How far the scatter of aligned tokens is drawn to that of noise, as a share."""
ALIGNED = 0.3
"""Tokens of parallel sentences are believed to mean the same from this cosine on."""
STEPS = (1, 7)
"""Each language is aligned with those that come so many places after it."""
BLOCK = 8
"""Sentences that are about as long as a passage together."""

Encode = Callable[[Sequence[str], Role], tuple[Vectors, list[Vectors]]]
"""Texts to one vector for each, and to the vectors of each one's tokens, of shape `(tokens, layers, dimension)`; the
language still in both."""


def load_calibration(folder: Path = CALIBRATION) -> dict[str, list[str]]:
    """Sentences by language; line n means the same in each."""
    return {file.stem: file.read_text(encoding="utf-8").splitlines() for file in sorted(folder.glob("*.txt"))}


def checksum_calibration(folder: Path = CALIBRATION) -> str:
    """SHA-256 over the calibration text and what is made of it, in hexadecimal."""
    digest = hashlib.sha256(repr((DIRECTIONS, KEPT, SHRINKAGE, ALIGNED, STEPS, BLOCK)).encode())
    for file in sorted(folder.glob("*.txt")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def find_projection(encode: Encode, texts: Mapping[str, Sequence[str]]) -> Projection:
    """What tells languages apart in this encoder's vectors, found from parallel sentences by language.

    Queries and passages are encoded differently, so each has a mean for each language.
    """
    queries, passages = ([encode(lines, role) for lines in texts.values()] for role in ROLES)
    directions = _find_span([np.stack([vectors.mean(axis=0) for vectors, _ in of_role])
                             for of_role in (queries, passages)])  # fmt: skip
    raw = [tokens for _, tokens in passages]
    # Of shape (languages, layers, dimension), for queries and for passages.
    means = [np.stack([unit(np.concatenate(tokens)).mean(axis=0) for _, tokens in of_role])
             for of_role in (queries, passages)]  # fmt: skip
    common = np.stack([of_role.mean(axis=0) for of_role in means])
    bases = [_find_basis([[unit(of_one[:, layer]) - common[1, layer] for of_one in tokens] for tokens in raw],
                         _find_span([of_role[:, layer] for of_role in means]))
             for layer in range(common.shape[1])]  # fmt: skip
    projection = Projection(
        directions, common.astype(np.float32), np.stack(bases).astype(np.float32), tuple(texts),
        np.empty((0, 0, 0), np.int8), np.empty((0, 0), np.int64),
    )  # fmt: skip
    return _add_neutral_text(projection, raw)


def _find_span(means: Sequence[Vectors]) -> Vectors:
    """The orthonormal directions in which the means by language, of shape `(languages, dimension)`, differ most."""
    _, _, directions = np.linalg.svd(
        np.concatenate([of_role - of_role.mean(axis=0) for of_role in means]), full_matrices=False
    )
    # Of n languages no more than n - 1 directions can tell one from another.
    return np.ascontiguousarray(directions[: min(DIRECTIONS, len(means[0]) - 1)], dtype=np.float32)


def _find_basis(tokens: Sequence[Sequence[Vectors]], directions: Vectors) -> Vectors:
    """The map of a layer's centred token vectors to fewer dimensions, of shape `(dimension, kept)`.

    The directions of language go. What else differs between tokens that mean the same is made to count less, by
    normalising the covariance within a meaning (Hatch et al. 2006, "Within-Class Covariance Normalization for SVM-based
    Speaker Recognition", Interspeech). Kept are the directions in which tokens then differ most.
    """
    _, _, axes = np.linalg.svd(directions, full_matrices=True)
    outside = axes[len(directions) :].T
    spread = [[unit(of_one @ outside) for of_one in of_language] for of_language in tokens]
    differences = np.concatenate(list(_align(spread)))
    scatter = differences.T @ differences / len(differences)
    noise = np.trace(scatter) / len(scatter) * np.eye(len(scatter))
    strengths, principal = np.linalg.eigh((1 - SHRINKAGE) * scatter + SHRINKAGE * noise)
    normalise = (principal / np.sqrt(strengths)) @ principal.T
    everything = np.concatenate([of_one for of_language in spread for of_one in of_language]) @ normalise
    _, axes = np.linalg.eigh(everything.T @ everything)
    return np.asarray(outside @ normalise @ axes[:, ::-1][:, :KEPT], dtype=np.float32)


def _align(tokens: Sequence[Sequence[Vectors]]) -> Iterator[Vectors]:
    """The differences between tokens of parallel sentences that are each other's nearest, pair by pair of languages."""
    for one in range(len(tokens)):
        for other in ((one + step) % len(tokens) for step in STEPS):
            for ours, theirs in zip(tokens[one], tokens[other], strict=True):
                cosines = ours @ theirs.T
                nearest = cosines.argmax(axis=1)
                rows = np.arange(len(ours))
                mutual = (cosines.argmax(axis=0)[nearest] == rows) & (cosines[rows, nearest] > ALIGNED)
                yield ours[mutual] - theirs[nearest[mutual]]


def _add_neutral_text(projection: Projection, tokens: Sequence[Sequence[Vectors]]) -> Projection:
    """The projection with the tokens of the parallel text itself, in blocks."""
    blocks = [np.concatenate(of_language[start : start + BLOCK])
              for of_language in tokens for start in range(0, len(of_language), BLOCK)]  # fmt: skip
    ends = np.array(list(accumulate(map(len, blocks))), dtype=np.int64).reshape(len(tokens), -1)
    neutral = np.concatenate([project_tokens(block, "passage", projection) for block in blocks])
    return replace(projection, neutral=neutral, ends=ends)
