"""The measures of growth, on an index so small that every figure is known."""

from pathlib import Path

import numpy as np

from rag.index.index import Index
from stress.growth import FILTERS, draw, measure_build, measure_search, measure_update, render
from stress.synthetic import make_vectors

PASSAGES = 3_000


def test_everything_is_measured_and_exact_while_every_vector_is_compared(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    real = chance.normal(size=(40, 32)).astype(np.float32)
    real /= np.linalg.norm(real, axis=1, keepdims=True)
    questions = make_vectors(real, 60, seed=1)
    figures = measure_build(real, PASSAGES, tmp_path)
    assert figures["bytes a passage"] > 3 * 128 * 120
    figures |= measure_search(questions, PASSAGES, tmp_path)
    assert figures["recall@10"] == 1
    assert all(figures[f"{name}, recall@10"] == 1 for name in FILTERS)
    figures |= measure_update(real, PASSAGES, tmp_path)
    # A quarter of a hundred documents was removed, and as many were added.
    assert Index.open(tmp_path / "grown").manifest.passages == PASSAGES
    assert "| search, ms |" in render({PASSAGES: figures})
    draw({PASSAGES: figures}, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").stat().st_size > 10_000
