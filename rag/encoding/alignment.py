"""Finds the projection that removes the language from the vectors of an encoder, from parallel sentences."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import numpy as np

from rag.encoding.projection import ROLES, project_tokens, unit
from rag.types import EncoderSettings, Projection, Role, Vectors

CALIBRATION = Path(__file__).parent / "calibration"
SHRINKAGE = 0.5
"""The share of isotropic noise in the covariance of aligned tokens, from 0 to 1."""
ALIGNED = 0.3
"""The least cosine of two tokens of parallel sentences that are taken to mean the same."""
STEPS = (1, 7)
"""Each language is aligned with those that come this many places after it."""
BLOCK = 8
"""The number of sentences that together are about as long as a passage."""

Encode = Callable[[Sequence[str], Role], tuple[Vectors, list[Vectors]]]
"""Returns a vector for each text, and the vectors of its tokens, of shape `(tokens, layers, dimension)`, with the
language in both."""


def load_calibration(folder: Path = CALIBRATION) -> dict[str, list[str]]:
    """Return the calibration sentences by language; sentence n means the same in all of them."""
    return {file.stem: file.read_text(encoding="utf-8").splitlines() for file in sorted(folder.glob("*.txt"))}


def checksum_calibration(settings: EncoderSettings, folder: Path = CALIBRATION) -> str:
    """Return the SHA-256 over the calibration text and the values that it is used with, in hexadecimal."""
    digest = hashlib.sha256(repr((settings.directions, settings.kept, SHRINKAGE, ALIGNED, STEPS, BLOCK)).encode())
    for file in sorted(folder.glob("*.txt")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def find_projection(encode: Encode, texts: Mapping[str, Sequence[str]], settings: EncoderSettings) -> Projection:
    """Find the projection of an encoder from parallel sentences by language.

    Queries and passages are encoded differently, so each role has a mean vector for each language.
    """
    queries, passages = ([encode(lines, role) for lines in texts.values()] for role in ROLES)
    roles = (queries, passages)
    means_of_texts = [np.stack([vectors.mean(axis=0) for vectors, _ in languages]) for languages in roles]
    directions = _find_span(means_of_texts, settings.directions)
    raw = [tokens for _, tokens in passages]
    # For each role, of shape (languages, layers, dimension).
    means = [np.stack([unit(np.concatenate(tokens)).mean(axis=0) for _, tokens in languages]) for languages in roles]
    common = np.stack([by_language.mean(axis=0) for by_language in means])
    bases = []
    for layer in range(common.shape[1]):
        centred = [[unit(sentence[:, layer]) - common[1, layer] for sentence in sentences] for sentences in raw]
        span = _find_span([by_language[:, layer] for by_language in means], settings.directions)
        bases.append(_find_basis(centred, span, settings.kept))
    projection = Projection(
        directions, common.astype(np.float32), np.stack(bases).astype(np.float32), tuple(texts),
        np.empty((0, 0, 0), np.int8), np.empty((0, 0), np.int64),
    )  # fmt: skip
    return _add_neutral_text(projection, raw)


def _find_span(means: Sequence[Vectors], most: int) -> Vectors:
    """Return up to `most` orthonormal directions in which the means by language differ most.

    `means` has, for each role, the shape `(languages, dimension)`.
    """
    _, _, directions = np.linalg.svd(
        np.concatenate([by_language - by_language.mean(axis=0) for by_language in means]), full_matrices=False
    )
    # The means of n languages differ in at most n - 1 directions.
    return np.ascontiguousarray(directions[: min(most, len(means[0]) - 1)], dtype=np.float32)


def _find_basis(tokens: Sequence[Sequence[Vectors]], directions: Vectors, kept: int) -> Vectors:
    """Return the matrix that maps the centred token vectors of a layer to fewer dimensions, `(dimension, kept)`.

    It removes the directions of language. It reduces other differences between tokens that mean the same, by
    normalising the covariance within a meaning (Hatch et al. 2006, "Within-Class Covariance Normalization for SVM-based
    Speaker Recognition", Interspeech). It keeps the directions in which tokens then differ most.
    """
    _, _, axes = np.linalg.svd(directions, full_matrices=True)
    outside = axes[len(directions) :].T
    spread = [[unit(sentence @ outside) for sentence in sentences] for sentences in tokens]
    differences = np.concatenate(list(_align(spread)))
    scatter = differences.T @ differences / len(differences)
    noise = np.trace(scatter) / len(scatter) * np.eye(len(scatter))
    strengths, principal = np.linalg.eigh((1 - SHRINKAGE) * scatter + SHRINKAGE * noise)
    normalise = (principal / np.sqrt(strengths)) @ principal.T
    everything = np.concatenate([sentence for sentences in spread for sentence in sentences]) @ normalise
    _, axes = np.linalg.eigh(everything.T @ everything)
    return np.asarray(outside @ normalise @ axes[:, ::-1][:, :kept], dtype=np.float32)


def _align(tokens: Sequence[Sequence[Vectors]]) -> Iterator[Vectors]:
    """Yield, for pairs of languages, the differences of tokens in parallel sentences that are each other's nearest."""
    for one in range(len(tokens)):
        for other in ((one + step) % len(tokens) for step in STEPS):
            for ours, theirs in zip(tokens[one], tokens[other], strict=True):
                cosines = ours @ theirs.T
                nearest = cosines.argmax(axis=1)
                rows = np.arange(len(ours))
                mutual = (cosines.argmax(axis=0)[nearest] == rows) & (cosines[rows, nearest] > ALIGNED)
                yield ours[mutual] - theirs[nearest[mutual]]


def _add_neutral_text(projection: Projection, tokens: Sequence[Sequence[Vectors]]) -> Projection:
    """Return the projection with the tokens of the calibration text, in blocks."""
    blocks = [
        np.concatenate(sentences[start : start + BLOCK])
        for sentences in tokens
        for start in range(0, len(sentences), BLOCK)
    ]
    ends = np.array(list(accumulate(map(len, blocks))), dtype=np.int64).reshape(len(tokens), -1)
    neutral = np.concatenate([project_tokens(block, "passage", projection) for block in blocks])
    return replace(projection, neutral=neutral, ends=ends)
