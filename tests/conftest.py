"""What all tests share."""

import gc
import signal
from collections.abc import Iterator

import pytest

from tests.command_line import home, run  # noqa: F401 - fixtures

# Started in the background by a shell, pytest ignores Ctrl-C, and so would the processes that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module", autouse=True)
def _cleared() -> Iterator[None]:
    """What a module leaves is cleared away, and complained of, when it ends.

    In the middle of a later test it could interrupt a parser, and CPython 3.11 fails at that with "AST constructor
    recursion depth mismatch".
    """
    yield
    gc.collect()
