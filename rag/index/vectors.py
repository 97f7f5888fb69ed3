"""The vectors of a segment in a FAISS file, and nearest-neighbour search in it. Only this module imports faiss.

A file of up to `MergePolicy.exact` vectors stores them as they are, and a search compares the query with each of them.
A larger file stores them at half precision in lists around centroids (an inverted file), and a search visits only the
`probes` nearest lists: as many as it takes to reach `RECALL` of the exact result. A search with a filter visits all
lists, so a filter never costs hits.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from rag.types import Vectors

if TYPE_CHECKING:
    import faiss

RECALL = 0.985
"""The share of the ten nearest vectors that a search must find on average. The documentation promises 0.97; the margin
is for queries other than those measured."""
NEAREST = 10
QUERIES = 400
"""The number of queries by which `probes` is calibrated."""
NOISE = 3.0
"""The length of the noise that turns a vector into a query, relative to the vector's distance from the mean.

Questions of the development set have a cosine of 0.19 with their tenth nearest among 100,000 mixtures of other
sentences, after the mean of all is subtracted; queries made this way have 0.18."""
MEAN_SAMPLE = 1024
"""The number of vectors whose mean stands for that of all."""
TRAINED_PER_LIST = 64
"""The number of vectors on which each centroid is trained."""
TRAINING_ROUNDS = 10
BLOCK = 65_536
"""The number of vectors that are compared with all queries at once."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file of vectors is laid out and searched."""

    lists: int = 0
    """0 if every vector is compared."""
    probes: int = 0
    """The number of lists that a search visits."""
    recall: float = 1.0
    """The share of the ten nearest vectors that a search finds, measured on vectors of the file with added noise."""


class VectorFile:
    """Unit vectors in a file, addressed by row. Safe to use from several threads."""

    def __init__(self, index: "faiss.Index", layout: Layout) -> None:
        self._index = index
        self._layout = layout

    @classmethod
    def open(cls, file: Path, layout: Layout) -> Self:
        """Open a file written by `write_vectors`. Raises ValueError if FAISS cannot read it."""
        import faiss

        try:
            # Lists are mapped into memory: they stay on disk, and the system caches those that searches visit.
            return cls(faiss.read_index(str(file), faiss.IO_FLAG_MMAP if layout.lists else 0), layout)
        except RuntimeError as error:
            raise ValueError(str(error)) from error

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: Vectors, count: int, among: Mask, exhaustive: bool) -> tuple[NDArray[np.int64], Vectors]:
        """Return the rows in the mask that are nearest to a vector of shape `(dimension,)`, and their cosines.

        At most `count` rows are returned, in no particular order. An `exhaustive` search visits every list.
        """
        import faiss

        count = min(count, int(among.sum()))
        if not count:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        # A selector is passed even if it selects every row. Without one, FAISS splits a search among threads, and on a
        # busy machine waiting for them takes ten times as long as the search.
        selector = faiss.IDSelectorBitmap(np.packbits(among, bitorder="little"))  # type: ignore[call-arg, arg-type]
        probes = self._layout.lists if exhaustive else self._layout.probes
        parameters = (
            faiss.SearchParametersIVF(sel=selector, nprobe=probes)  # type: ignore[call-arg]
            if self._layout.lists
            else faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        )
        cosines, rows = self._index.search(vector[np.newaxis, :], count, params=parameters)
        found = rows[0] >= 0
        if not found.all() and not exhaustive:
            return self.search(vector, count, among, exhaustive=True)
        return rows[0][found], cosines[0][found]

    def read(self, rows: NDArray[np.int64]) -> Vectors:
        """Return the vectors of some rows, of shape `(rows, dimension)`."""
        if not len(rows):
            return np.empty((0, self._index.d), np.float32)
        return np.asarray(self._index.reconstruct_batch(rows), dtype=np.float32)


def write_vectors(vectors: Vectors, file: Path, exact: int) -> Layout:
    """Write unit vectors of shape `(rows, dimension)`, in lists if there are more than `exact`. Raises OSError."""
    import faiss

    index, layout = _build_flat(vectors) if len(vectors) <= exact else _build_lists(vectors)
    try:
        faiss.write_index(index, str(file))
    except RuntimeError as error:
        raise OSError(str(error)) from error
    return layout


def _build_flat(vectors: Vectors) -> "tuple[faiss.Index, Layout]":
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index, Layout()


def _build_lists(vectors: Vectors) -> "tuple[faiss.Index, Layout]":
    import faiss

    rows, dimension = vectors.shape
    lists = max(1, round(2 * math.sqrt(rows)))
    random = np.random.default_rng(0)
    order = random.permutation(rows)
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension), dimension, lists, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT, False
    )
    index.cp.min_points_per_centroid, index.cp.niter = 1, TRAINING_ROUNDS
    index.train(vectors[order[: lists * TRAINED_PER_LIST]])
    index.add(vectors)
    index.make_direct_map()
    # Queries are made of vectors that the centroids were not trained on, as far as there are any.
    queries = _make_queries(vectors[order[-QUERIES:]], vectors[order[:MEAN_SAMPLE]].mean(axis=0), random)
    return index, _calibrate(index, queries, _find_nearest(vectors, queries))


def _make_queries(vectors: Vectors, mean: Vectors, random: np.random.Generator) -> Vectors:
    """Return vectors that are as far from all others as questions are, of shape `(rows, dimension)`.

    The vectors of an encoder, questions included, lie to one side of the origin, so noise is added only to their
    differences from the mean.
    """
    differences = vectors - mean
    noise = random.normal(size=differences.shape).astype(np.float32)
    noise *= NOISE * np.linalg.norm(differences, axis=1, keepdims=True) / np.linalg.norm(noise, axis=1, keepdims=True)
    return np.asarray(mean + (differences + noise) / math.hypot(1, NOISE), dtype=np.float32)


def _calibrate(index: "faiss.IndexIVF", queries: Vectors, nearest: NDArray[np.int64]) -> Layout:
    """Return the layout with the fewest probes that reach `RECALL`, by bisection."""

    def measure_recall(probes: int) -> float:
        index.nprobe = probes
        found = index.search(queries, nearest.shape[1])[1]
        shared = (len(np.intersect1d(*pair)) for pair in zip(found, nearest, strict=True))
        return sum(shared) / nearest.size

    few, enough = 0, index.nlist
    while enough - few > 1:
        # The time of a search grows with its probes, so small numbers are tried first.
        probes = min(max(1, 2 * few), (few + enough) // 2)
        few, enough = (few, probes) if measure_recall(probes) >= RECALL else (probes, enough)
    return Layout(index.nlist, enough, measure_recall(enough))


def _find_nearest(vectors: Vectors, queries: Vectors) -> NDArray[np.int64]:
    """Return the rows of the vectors nearest to each query by comparing all, of shape `(queries, NEAREST)`."""
    best = np.empty((len(queries), 0), np.float32)
    rows = np.empty((len(queries), 0), np.int64)
    for start in range(0, len(vectors), BLOCK):
        cosines = queries @ vectors[start : start + BLOCK].T
        best = np.concatenate([best, cosines], axis=1)
        numbers = np.broadcast_to(np.arange(start, start + cosines.shape[1]), cosines.shape)
        rows = np.concatenate([rows, numbers], axis=1)
        kept = (
            np.argsort(-best, axis=1, kind="stable")[:, :NEAREST]
            if best.shape[1] < 2 * NEAREST
            else (np.argpartition(-best, NEAREST, axis=1)[:, :NEAREST])
        )
        best, rows = np.take_along_axis(best, kept, axis=1), np.take_along_axis(rows, kept, axis=1)
    return rows
