"""Ten questions find the same passages in the same order in milvus-lite as in FAISS."""

import json
import time
from contextlib import closing
from pathlib import Path

import pytest

from rag import Assistant, Config, build_index
from rag.config import ROOT
from rag.index.milvus import MilvusStore

pytestmark = pytest.mark.slow(reason="It builds indexes with the real encoder and waits until milvus-lite hangs up.")
CASES = ROOT / "evaluation" / "cases" / "articles.jsonl"
UNTIL_IT_HANGS_UP = 41
"""Seconds. milvus-lite closes the connection at the fourth needless ping, and pymilvus sends one every ten seconds."""


def test_ten_questions_find_the_same_in_milvus_as_in_this_process(config: Config, tmp_path: Path) -> None:
    stored = config.replace(milvus=str(tmp_path / "milvus.db"))
    build_index(config=stored)
    lines = CASES.read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines[:: len(lines) // 10]][:10]
    ours, theirs = Assistant.load(config), Assistant.load(stored)
    assert theirs.index.store
    assert theirs.index.store.holds(theirs.index.generation)
    for question in questions:
        expected, found = ours.search(question), theirs.search(question)
        assert [hit.passage for hit in found] == [hit.passage for hit in expected]
        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-5)


def test_a_file_is_still_there_after_nobody_asked_for_a_while(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with closing(MilvusStore.connect(str(tmp_path / "milvus.db"), None, "default")) as store:
        assert not store.holds("20260101T000000-00000000")
        time.sleep(UNTIL_IT_HANGS_UP)
        assert not store.holds("20260101T000000-00000000")
    assert "too_many_pings" not in capfd.readouterr().err
