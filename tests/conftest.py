"""Fixtures of all tests."""

import gc
import signal
from collections.abc import Iterator

import pytest

from tests.command_line import home, run  # noqa: F401 - fixtures

# A shell that starts pytest in the background makes it ignore Ctrl-C, and processes that tests interrupt inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module", autouse=True)
def _cleared() -> Iterator[None]:
    """Collect garbage at the end of each module, so that its ResourceWarnings are reported there.

    A collection in the middle of a later test could interrupt a parser, which makes CPython 3.11 fail with
    "AST constructor recursion depth mismatch".
    """
    yield
    gc.collect()
