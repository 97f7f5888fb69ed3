"""A build that is killed at any moment: the short form of `python -m evaluation.crash`."""

from pathlib import Path

from evaluation.killing import Trial


def test_a_killed_build_leaves_the_whole_old_or_the_whole_new_state(tmp_path: Path) -> None:
    assert Trial(tmp_path).run(20, lambda _: None).total() == 20
