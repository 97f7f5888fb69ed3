"""Loading an encoder: its projection is computed once and kept in the cache."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from rag.config import Config
from rag.encoding.alignment import load_calibration
from rag.encoding.encoder import SHIPPED, SentenceEncoder, choose_precision, name_projection
from rag.encoding.projection import load_projection
from rag.encoding.transformer import BATCH
from rag.hardware import multiplies_eight_bits
from rag.models.e5_package import unpack
from rag.models.registry import RECORD, find, fingerprint
from rag.models.settings import find_encoder_settings
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


def test_with_eight_bits_passages_have_nearly_the_same_vectors_and_questions_the_same(config: Config) -> None:
    exact = SentenceEncoder.load(config)
    rounded = SentenceEncoder.load(config.replace(encoder_precision="int8"), exact.projection)
    assert rounded.describe() == exact.describe()
    texts = ["aeiou nrst", "lδαε ιοσν", "a" * 90, ""]
    cosines = np.sum(rounded.encode(texts, "passage").vectors * exact.encode(texts, "passage").vectors, axis=1)
    assert 0.99 < cosines.min() < 0.999999
    np.testing.assert_allclose(rounded.encode(texts, "query").vectors, exact.encode(texts, "query").vectors, atol=1e-6)


def test_with_eight_bits_a_passage_has_the_same_vector_alone_and_among_others(config: Config) -> None:
    encoder = SentenceEncoder.load(config.replace(encoder_precision="int8"))
    texts = ["aeiou nrst", "lδαε ιοσν", "a" * 90]
    alone = np.concatenate([encoder.encode([text], "passage").vectors for text in texts])
    np.testing.assert_allclose(encoder.encode(texts, "passage").vectors, alone, atol=1e-2)


def test_eight_bits_are_chosen_only_for_an_encoder_that_loses_nothing() -> None:
    settings = find_encoder_settings("multilingual-e5-small")
    assert choose_precision(replace(settings, eight_bits=False)) == "float32"
    expected = "int8" if multiplies_eight_bits() else "float32"
    assert choose_precision(replace(settings, eight_bits=True)) == expected


def test_the_projection_of_an_encoder_that_would_take_minutes_is_shipped(tmp_path: Path) -> None:
    model = find("embeddinggemma-300m")
    sums = {name: {"size": 1, "sha256": sha256} for name, sha256 in model.files.items()}
    (tmp_path / RECORD).write_text(json.dumps(sums), encoding="utf-8")
    settings = find_encoder_settings(model.name)
    projection = load_projection(SHIPPED / name_projection(fingerprint(tmp_path), settings))
    assert projection.token_shape == (len(settings.layers), settings.kept)
    assert set(projection.languages) == set(load_calibration())
    np.testing.assert_allclose(projection.directions @ projection.directions.T, np.eye(settings.directions), atol=1e-2)
