"""A package index on the loopback address for the tests of fetching."""

import os
from collections.abc import Iterator

import pytest

from tests.sources import Index


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """The only package index that pip knows, which it tries once."""
    with Index() as index:
        for variable in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(variable)
        for name, value in [
            ("CONFIG_FILE", os.devnull),
            ("INDEX_URL", f"{index.url}/simple"),
            ("RETRIES", "0"),
            ("RESUME_RETRIES", "0"),
        ]:
            monkeypatch.setenv(f"PIP_{name}", value)
        yield index
        index.released.set()
