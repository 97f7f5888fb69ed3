"""The cache of states: complete or absent, within its limit, and the least recently used is removed first."""

import os
from pathlib import Path

from rag.generation.cache import DIGEST_BYTES, StateCache


def test_stored_data_is_available_to_another_process(tmp_path: Path) -> None:
    StateCache(tmp_path / "new", 100).put("a", b"alpha")
    assert StateCache(tmp_path / "new", 100).get("a") == b"alpha"
    assert StateCache(tmp_path / "new", 100).has("a")
    assert StateCache(tmp_path / "new", 100).get("b") is None


def test_the_least_recently_used_data_is_removed_first(tmp_path: Path) -> None:
    states = StateCache(tmp_path, 3 * (DIGEST_BYTES + 10))
    for age, key in ((10, "a"), (20, "b"), (30, "c")):
        states.put(key, b"0123456789")
        os.utime(tmp_path / f"{key}.state", (age, age))
    states.get("a")
    states.put("d", b"0123456789")
    assert [key for key in "abcd" if states.has(key)] == ["a", "c", "d"]
    assert states.size() == 3 * (DIGEST_BYTES + 10)


def test_data_larger_than_the_limit_is_not_stored(tmp_path: Path) -> None:
    states = StateCache(tmp_path, 100)
    states.put("a", b"alpha")
    states.put("b", bytes(101))
    assert states.has("a")
    assert not states.has("b")


def test_a_damaged_file_counts_as_missing(tmp_path: Path) -> None:
    states = StateCache(tmp_path, 1000)
    for damage in (b"", b"short", bytes(50)):
        states.put("a", b"alpha")
        (tmp_path / "a.state").write_bytes(damage)
        assert states.get("a") is None


def test_a_folder_that_cannot_be_written_is_not_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    states = StateCache(tmp_path / "file", 1000)
    states.put("a", b"alpha")
    assert states.get("a") is None
    assert states.size() == 0
