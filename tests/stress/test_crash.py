"""A build survives being killed at any moment: a short form of `python -m stress.crash`."""

import ctypes
from pathlib import Path

from stress.killed_builds import Children, Trial, await_end


def count_forever(seen: ctypes.c_int) -> None:
    """Do nothing else, so that the process is killed while it counts."""
    while True:
        seen.value += 1


def test_a_killed_build_leaves_the_whole_old_or_the_whole_new_state(tmp_path: Path) -> None:
    assert Trial(tmp_path).run(20, lambda _: None).total() == 20


def test_a_child_that_is_killed_while_it_counts_blocks_no_other() -> None:
    children = Children()
    for _ in range(20):
        child = children.start(count_forever)
        while not children.moments:
            child.join(0.01)
            assert child.is_alive()
        child.kill()
        assert not await_end(child)
