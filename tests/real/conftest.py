"""What the tests on real models share."""

from pathlib import Path

import pytest

from rag import models
from rag.config import Config


@pytest.fixture(scope="session")
def light_model_path() -> Path:
    """The GGUF file of the light generator."""
    return models.resolve("qwen2.5-coder-0.5b", "generator", Config.from_env().cache)
