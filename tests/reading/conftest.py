"""A tiny encoder that knows the words of a few passages."""

from pathlib import Path

import pytest

from tests.tiny_encoder import make_tokenizer, write_encoder

TEXT = "The harbour cost nine million . It opened in May . Pears ripened late ."


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    write_encoder(folder, make_tokenizer(TEXT.split()))
    return folder
