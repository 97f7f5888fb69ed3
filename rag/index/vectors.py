"""Which vectors are nearest. No other room imports faiss.

Up to `Policy.exact` vectors a file holds them as they are, and a search compares the question with each. Beyond, they
lie at half precision in lists around centroids, and a search looks into the `probes` nearest lists alone: as many as
it took to find `RECALL` of what comparing with each finds. A search among some of the rows looks into every list, so a
filter costs no hits.
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
"""Of the ten nearest, what is found of them on average; more than the 0.97 that are promised, for other questions."""
NEAREST = 10
ASKED = 400
"""Vectors that are asked for to find how many lists it takes."""
DISTANCE = 3.0
"""How much longer the noise is that makes a question of a vector than what sets this one apart from the others.

Questions of the development half have a cosine of 0.19 with their tenth nearest among 100,000 mixtures of other
sentences, where the mean of all is taken out; what is made so has 0.18."""
SPREAD = 1024
"""Vectors that tell what all have in common."""
PER_LIST = 64
"""Vectors to train each centroid on."""
ROUNDS = 10
CHUNK = 65_536
"""Vectors that are compared with all questions at once."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a file of vectors is searched."""

    lists: int = 0
    """0 where every vector is compared."""
    probes: int = 0
    recall: float = 1.0
    """Of the ten nearest, measured on vectors of the file with noise added."""


class VectorFile:
    """Unit vectors in a file, by their rows. Safe to use from several threads."""

    def __init__(self, index: "faiss.Index", kind: Kind) -> None:
        self._index = index
        self._kind = kind

    @classmethod
    def open(cls, file: Path, kind: Kind) -> Self:
        """Open what `write_vectors` wrote. Raises ValueError."""
        import faiss

        try:
            # What lies in lists stays on disk, and the system keeps in memory what is asked for.
            return cls(faiss.read_index(str(file), faiss.IO_FLAG_MMAP if kind.lists else 0), kind)
        except RuntimeError as error:
            raise ValueError(str(error)) from error

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: Vectors, count: int, among: Mask, thorough: bool) -> tuple[NDArray[np.int64], Vectors]:
        """The rows nearest to a vector of shape `(dimension,)` of those that the mask lets through, and their cosines.

        At most `count`, in no order. Nothing is passed over where it is `thorough`.
        """
        import faiss

        count = min(count, int(among.sum()))
        if not count:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        # Even where it lets everything through: without one, the library shares a search among threads, and waiting
        # for them on a busy machine takes ten times as long as the search.
        chosen = faiss.IDSelectorBitmap(np.packbits(among, bitorder="little"))  # type: ignore[call-arg, arg-type]
        probes = self._kind.lists if thorough else self._kind.probes
        given = (
            faiss.SearchParametersIVF(sel=chosen, nprobe=probes)  # type: ignore[call-arg]
            if self._kind.lists
            else faiss.SearchParameters(sel=chosen)  # type: ignore[call-arg]
        )
        cosines, rows = self._index.search(vector[np.newaxis, :], count, params=given)
        found = rows[0] >= 0
        if not found.all() and not thorough:
            return self.search(vector, count, among, thorough=True)
        return rows[0][found], cosines[0][found]

    def read(self, rows: NDArray[np.int64]) -> Vectors:
        """The vectors of some rows, of shape `(rows, dimension)`."""
        if not len(rows):
            return np.empty((0, self._index.d), np.float32)
        return np.asarray(self._index.reconstruct_batch(rows), dtype=np.float32)


def write_vectors(vectors: Vectors, file: Path, exact: int) -> Kind:
    """Write unit vectors of shape `(rows, dimension)`; up to `exact` are compared one by one. Raises OSError."""
    import faiss

    index, kind = _make_flat(vectors) if len(vectors) <= exact else _make_lists(vectors)
    try:
        faiss.write_index(index, str(file))
    except RuntimeError as error:
        raise OSError(str(error)) from error
    return kind


def _make_flat(vectors: Vectors) -> "tuple[faiss.Index, Kind]":
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index, Kind()


def _make_lists(vectors: Vectors) -> "tuple[faiss.Index, Kind]":
    import faiss

    rows, dimension = vectors.shape
    lists = max(1, round(2 * math.sqrt(rows)))
    chance = np.random.default_rng(0)
    order = chance.permutation(rows)
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension), dimension, lists, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT, False
    )
    index.cp.min_points_per_centroid, index.cp.niter = 1, ROUNDS
    index.train(vectors[order[: lists * PER_LIST]])
    index.add(vectors)
    index.make_direct_map()
    # Asked for is what the centroids were not trained on, as far as there is such.
    asked = _make_questions(vectors[order[-ASKED:]], vectors[order[:SPREAD]].mean(axis=0), chance)
    return index, _calibrate(index, asked, _find_nearest(vectors, asked))


def _make_questions(vectors: Vectors, middle: Vectors, chance: np.random.Generator) -> Vectors:
    """Vectors as far from all others as questions are, of shape `(rows, dimension)`.

    All vectors of an encoder lie on one side, and questions do too: noise is added to what sets them apart alone.
    """
    apart = vectors - middle
    noise = chance.normal(size=apart.shape).astype(np.float32)
    noise *= DISTANCE * np.linalg.norm(apart, axis=1, keepdims=True) / np.linalg.norm(noise, axis=1, keepdims=True)
    return np.asarray(middle + (apart + noise) / math.hypot(1, DISTANCE), dtype=np.float32)


def _calibrate(index: "faiss.IndexIVF", asked: Vectors, nearest: NDArray[np.int64]) -> Kind:
    """The fewest lists that have enough of the nearest rows."""

    def measure(probes: int) -> float:
        index.nprobe = probes
        found = index.search(asked, nearest.shape[1])[1]
        shared = (len(np.intersect1d(*pair)) for pair in zip(found, nearest, strict=True))
        return sum(shared) / nearest.size

    few, enough = 0, index.nlist
    while enough - few > 1:
        # A search costs what it probes, so it is tried from below.
        probes = min(max(1, 2 * few), (few + enough) // 2)
        few, enough = (few, probes) if measure(probes) >= RECALL else (probes, enough)
    return Kind(index.nlist, enough, measure(enough))


def _find_nearest(vectors: Vectors, asked: Vectors) -> NDArray[np.int64]:
    """The rows of the nearest vectors by comparing each, of shape `(asked, NEAREST)`."""
    best = np.empty((len(asked), 0), np.float32)
    rows = np.empty((len(asked), 0), np.int64)
    for start in range(0, len(vectors), CHUNK):
        cosines = asked @ vectors[start : start + CHUNK].T
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
