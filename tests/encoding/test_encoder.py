"""Loading an encoder: its projection is computed once and kept in the cache."""

import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from rag.config import Config
from rag.encoding.alignment import load_calibration
from rag.encoding.encoder import SentenceEncoder
from rag.encoding.transformer import BATCH
from rag.models.e5_package import unpack
from tests.packed import make_tensors, pack


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Return settings with an encoder that has random weights and a tokenizer of a few characters."""
    folder = tmp_path_factory.mktemp("encoder")
    words = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"aeiounrstldαειοσνтоеан"]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(folder / "given.json"))
    (folder / "packed.bin").write_bytes(pack(make_tensors()))
    unpack(folder / "packed.bin", folder / "given.json", folder / "model")
    return Config(encoder=str(folder / "model"), cache=folder / "cache", threads=1)


def test_the_projection_is_found_once_and_kept(config: Config) -> None:
    encoder = SentenceEncoder.load(config)
    (file,) = config.cache.rglob("*.npz")
    written = file.stat().st_mtime_ns
    again = SentenceEncoder.load(config)
    assert file.stat().st_mtime_ns == written
    np.testing.assert_array_equal(again.projection.bases, encoder.projection.bases)
    assert again.describe() == encoder.describe()
    assert json.loads(json.dumps(encoder.describe())) == encoder.describe()
    assert set(encoder.projection.languages) == set(load_calibration())


def test_a_damaged_projection_is_replaced(config: Config) -> None:
    projection = SentenceEncoder.load(config).projection
    (file,) = config.cache.rglob("*.npz")
    file.write_bytes(file.read_bytes()[:500])
    np.testing.assert_array_equal(SentenceEncoder.load(config).projection.bases, projection.bases)
    assert file.stat().st_size > 500


def test_a_given_projection_is_used_and_the_cache_left_alone(config: Config, tmp_path: Path) -> None:
    projection = SentenceEncoder.load(config).projection
    other = config.replace(cache=tmp_path / "cache")
    assert SentenceEncoder.load(other, projection).projection is projection
    assert not other.cache.exists()


def test_progress_counts_texts_by_their_length_after_each_batch(config: Config) -> None:
    told: list[tuple[int, int]] = []
    texts = ["aeiou" * 20] * BATCH + ["aeio"] * (3 * BATCH)
    SentenceEncoder.load(config).encode(texts, "passage", lambda done, total: told.append((done, total)))
    assert [total for _, total in told] == [len(texts)] * 4
    assert told[0][0] > len(texts) // 2, "the long texts are most of the work"
    assert told[-1][0] == len(texts)
