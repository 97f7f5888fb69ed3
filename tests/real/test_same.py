"""FAISS, Milvus, Ray and killed builds give the same citations: a short form of `python -m stress.same`."""

from pathlib import Path

import pytest

from rag import Config
from stress.same import compare

pytestmark = pytest.mark.slow(reason="It builds four indexes with the real encoder and asks each ten questions.")


def test_ten_questions_have_the_same_citations_however_the_index_was_built(tmp_path: Path) -> None:
    found = compare(Config.from_env(), tmp_path, 3, lambda _: None)
    assert set(found) == {"FAISS", "Milvus", "Ray", "3 killed builds"}
    assert all(cited == found["FAISS"] for cited in found.values())
    assert sum(map(len, found["FAISS"])) >= 5
