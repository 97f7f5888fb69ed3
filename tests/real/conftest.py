"""Fixtures of the tests on real models."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import Config, build_index
from rag.encoding.encoder import SentenceEncoder
from rag.index.index import Index
from rag.models.registry import resolve

LIGHT = "qwen2.5-coder-0.5b"


@pytest.fixture(scope="session")
def light_model_path() -> Path:
    """Return the GGUF file of the smaller generator."""
    return resolve(LIGHT, "generator", Config.from_env().cache)


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Return the default settings with a new index over the five articles."""
    config = Config(cache=Config.from_env().cache, indexes=tmp_path_factory.mktemp("indexes"))
    build_index(config=config)
    return config


@pytest.fixture(scope="session")
def environment(config: Config) -> dict[str, str]:
    """Return an environment with the settings of `config` and little else, for other processes."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
    home = config.indexes.parent
    return {**kept, "HOME": str(home), "RAG_CACHE": str(config.cache), "RAG_INDEXES": str(config.indexes)}


@pytest.fixture(scope="session")
def index(config: Config) -> Iterator[Index]:
    index = Index.open(config.indexes / config.index)
    yield index
    index.close()


@pytest.fixture(scope="session")
def encoder(config: Config, index: Index) -> SentenceEncoder:
    """Return the default encoder with the projection stored in the index."""
    return SentenceEncoder.load(config, index.projection)
