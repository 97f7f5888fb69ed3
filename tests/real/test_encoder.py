"""The default encoder puts meaning before language, and reports its own limits correctly."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag.config import Config
from rag.encoding.alignment import load_calibration
from rag.encoding.encoder import SentenceEncoder
from rag.encoding.matching import match
from rag.encoding.projection import expect
from rag.types import Vectors

pytestmark = pytest.mark.slow(reason="It builds an index with the real encoder.")
PARALLEL = {
    "cs": (
        "Děti si hrají v parku se psem.",
        "Vláda zvýšila daně z příjmu.",
        "Zítra bude celý den pršet.",
        "Polévka potřebuje více soli.",
    ),
    "el": (
        "Τα παιδιά παίζουν στο πάρκο με τον σκύλο.",
        "Η κυβέρνηση αύξησε τον φόρο εισοδήματος.",
        "Αύριο θα βρέχει όλη μέρα.",
        "Η σούπα χρειάζεται περισσότερο αλάτι.",
    ),
    "en": (
        "The children are playing in the park with the dog.",
        "The government has raised income tax.",
        "It will rain all day tomorrow.",
        "The soup needs more salt.",
    ),
}
SENTENCES = [sentence for language in PARALLEL.values() for sentence in language]
MEANINGS = np.arange(len(SENTENCES)) % len(PARALLEL["en"])


def nearest_first(vectors: Vectors) -> Sequence[Sequence[int]]:
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -1.0)
    order: list[list[int]] = np.argsort(-similarities, axis=1).tolist()
    return order


@pytest.mark.parametrize("role", ["query", "passage"])
def test_vectors_are_of_unit_length_whatever_the_text(encoder: SentenceEncoder, role: str) -> None:
    texts = ["", " ", "?", "Ano.", "word " * 2000, "漢字\u200d🦉", *SENTENCES]
    vectors = encoder.encode(texts, role).vectors  # type: ignore[arg-type]
    assert vectors.shape == (len(texts), encoder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_no_texts_give_no_vectors(encoder: SentenceEncoder) -> None:
    assert encoder.encode([], "query").vectors.shape == (0, encoder.dimension)
    assert encoder.count_tokens([]) == []


def test_each_sentence_is_nearest_to_its_translations(encoder: SentenceEncoder) -> None:
    for row, order in enumerate(nearest_first(encoder.encode(SENTENCES, "passage").vectors)):
        assert {MEANINGS[near] for near in order[:2]} == {MEANINGS[row]}


def test_a_question_finds_its_sentence_in_every_language_first(encoder: SentenceEncoder) -> None:
    (question,) = encoder.encode(["Millist maksu valitsus tõstis?"], "query").vectors
    order = np.argsort(-(encoder.encode(SENTENCES, "passage").vectors @ question))
    assert {int(MEANINGS[near]) for near in order[:3]} == {1}


def test_the_language_is_removed_from_the_vectors(encoder: SentenceEncoder) -> None:
    directions = encoder.projection.directions
    np.testing.assert_allclose(directions @ directions.T, np.eye(len(directions)), atol=1e-4)
    for role in ("query", "passage"):
        np.testing.assert_allclose(encoder.encode(SENTENCES, role).vectors @ directions.T, 0.0, atol=1e-4)


def test_the_tokens_are_those_of_the_text_without_prompt_and_special_ones(encoder: SentenceEncoder) -> None:
    for role in ("query", "passage"):
        tokens = encoder.encode(SENTENCES, role).tokens
        assert [len(of_one) for of_one in tokens] == encoder.count_tokens(SENTENCES)
        lengths = np.linalg.norm(np.concatenate(tokens).astype(float) / 127, axis=2)
        np.testing.assert_allclose(lengths, 1.0, atol=0.03)


def test_tokens_of_a_question_match_those_of_its_answer_in_another_language(encoder: SentenceEncoder) -> None:
    (question,) = encoder.encode(["Millist maksu valitsus tõstis?"], "query").tokens
    expected = {tag: expect(question, tag, "Latn", encoder.projection) for tag in PARALLEL}
    languages = [tag for tag, sentences in PARALLEL.items() for _ in sentences]
    passages = encoder.encode(SENTENCES, "passage").tokens
    scores = match(question, passages, encoder.settings.rarity, [expected[tag] for tag in languages])
    assert {int(MEANINGS[near]) for near in np.argsort(-scores)[:3]} == {1}


def test_a_text_has_the_same_vector_alone_and_among_others(encoder: SentenceEncoder) -> None:
    together = encoder.encode([*SENTENCES, "word " * 300], "passage").vectors[: len(SENTENCES)]
    alone = np.concatenate([encoder.encode([sentence], "passage").vectors for sentence in SENTENCES])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_several_threads_encode_and_count_at_once(encoder: SentenceEncoder) -> None:
    batches = [[text * (number + 1) for text in SENTENCES[: number + 1]] for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        counted = pool.map(encoder.count_tokens, batches * 4)
        encoded = list(pool.map(lambda batch: encoder.encode(batch, "query").vectors, batches))
        assert list(counted) == [encoder.count_tokens(batch) for batch in batches] * 4
    for batch, vectors in zip(batches, encoded, strict=True):
        np.testing.assert_allclose(vectors, encoder.encode(batch, "query").vectors, atol=1e-4)


def test_the_last_token_within_the_limit_is_read_and_none_far_beyond_it(encoder: SentenceEncoder) -> None:
    fitting = " ".join(["a"] * encoder.max_tokens)
    changed = fitting.removesuffix("a") + "z"
    assert encoder.count_tokens([fitting, changed]) == [encoder.max_tokens] * 2
    vectors = encoder.encode([fitting, changed, f"{fitting} a a a a z", f"{fitting} a a a a a"], "passage").vectors
    assert not np.allclose(vectors[0], vectors[1], atol=1e-5)
    np.testing.assert_allclose(vectors[2], vectors[3], atol=1e-5)


def test_half_precision_gives_nearly_the_same_vectors(config: Config, encoder: SentenceEncoder) -> None:
    quick = SentenceEncoder.load(config.replace(encoder_precision="bfloat16"), encoder.projection)
    same = np.sum(quick.encode(SENTENCES, "passage").vectors * encoder.encode(SENTENCES, "passage").vectors, axis=1)
    assert same.min() > 0.999
    assert quick.describe() == encoder.describe()


def test_progress_is_reported_up_to_the_end(encoder: SentenceEncoder) -> None:
    told: list[tuple[int, int]] = []
    encoder.encode(["Yes."] * 300, "query", lambda done, total: told.append((done, total)))
    assert told[-1] == (300, 300)
    assert told == sorted(told)
    assert len(told) > 1


def test_the_description_that_an_index_stores_is_the_same_after_loading_again(
    config: Config, encoder: SentenceEncoder
) -> None:
    described = encoder.describe()
    assert json.loads(json.dumps(described)) == described
    assert SentenceEncoder.load(config, encoder.projection).describe() == described


def test_a_warm_encoder_reads_no_more_of_its_file_for_other_languages(config: Config) -> None:
    encoder = SentenceEncoder.load(config)
    encoder.warm()
    sentences = load_calibration()
    # The first use maps the code of Torch too.
    encoder.encode(sentences["en"][:8], "query")
    before = read_mapped_megabytes()
    # Without `warm`, these take over 60 MB.
    encoder.encode([sentence for of_one in sentences.values() for sentence in of_one[:4]], "query")
    assert read_mapped_megabytes() < before + 5


def read_mapped_megabytes() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("RssFile:")[2].split()[0]) / 1024
