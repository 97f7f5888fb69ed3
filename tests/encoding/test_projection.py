"""The projection removes what all sentences of a language share, and keeps what a sentence means."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.encoding.alignment import find_projection, load_calibration
from rag.encoding.projection import expect, load_projection, project, project_tokens, save_projection
from rag.models.settings import find_encoder_settings
from rag.types import Projection, Role, Vectors

DIMENSION, LANGUAGES, LINES = 40, 6, 30
rng = np.random.default_rng(0)
ACCENTS = rng.normal(size=(LANGUAGES, DIMENSION)) * 3
MEANINGS = rng.normal(size=(LINES, 5, DIMENSION))


def encode(texts: Sequence[str], role: Role) -> tuple[Vectors, list[Vectors]]:
    """Encode texts such as `2:7`, language 2 and meaning 7. The language outweighs the meaning."""
    shift = 0.1 if role == "query" else -0.1
    tokens = []
    for text in texts:
        language, meaning = map(int, text.split(":"))
        tokens.append((MEANINGS[meaning] + ACCENTS[language] + shift).astype(np.float32)[:, np.newaxis])
    return np.stack([of_text.mean(axis=(0, 1)) for of_text in tokens]), tokens


@pytest.fixture(scope="module")
def projection() -> Projection:
    half = LINES // 2
    texts = {str(n): [f"{n}:{line}" for line in range(half)] for n in range(LANGUAGES)}
    return find_projection(encode, texts, find_encoder_settings("test"))


def test_without_the_projection_the_nearest_text_is_in_the_same_language() -> None:
    vectors, _ = encode(["0:20", "0:21", "1:20"], "passage")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_with_the_projection_the_nearest_text_has_the_same_meaning_in_another_language(projection: Projection) -> None:
    texts = [f"{language}:{line}" for language in range(1, LANGUAGES) for line in range(15, LINES)]
    passages = project(encode(texts, "passage")[0], projection)
    for line in range(15, LINES):
        (question,) = project(encode([f"0:{line}"], "query")[0], projection)
        assert texts[int((passages @ question).argmax())].endswith(f":{line}")


def test_the_language_is_removed_from_tokens_too(projection: Projection) -> None:
    token, same, other = (
        project_tokens(encode([text], "passage")[1][0], "passage", projection)[:, 0].astype(float) / 127
        for text in ("0:20", "3:20", "0:21")
    )
    assert np.diag(token @ same.T).mean() > 0.8
    assert np.diag(token @ other.T).mean() < 0.3


def test_neutral_text_matches_as_well_as_expected(projection: Projection) -> None:
    (question,) = encode(["0:3"], "query")[1]
    asked = project_tokens(question, "query", projection)
    known, unknown = (expect(asked, language, "Latn", projection) for language in ("2", "tlh"))
    assert known.shape == unknown.shape == (len(question),)
    # Sentence 3 is in the first block of the calibration text, so it matches perfectly there.
    assert 0 < known.mean() < 1
    everywhere = [expect(asked, str(language), "Latn", projection) for language in range(LANGUAGES)]
    np.testing.assert_allclose(unknown, np.mean(everywhere, axis=0), atol=1e-5)


def test_nothing_is_expected_without_neutral_text(projection: Projection) -> None:
    bare = replace(projection, languages=(), neutral=projection.neutral[:0], ends=projection.ends[:0])
    (question,) = encode(["0:3"], "query")[1]
    assert not expect(project_tokens(question, "query", projection), "0", "Latn", bare).any()


def test_projected_vectors_have_unit_length(projection: Projection) -> None:
    vectors, tokens = encode(["0:1", "2:3"], "query")
    np.testing.assert_allclose(np.linalg.norm(project(vectors, projection), axis=1), 1, atol=1e-5)
    lengths = np.linalg.norm(project_tokens(tokens[0], "query", projection).astype(float) / 127, axis=2)
    np.testing.assert_allclose(lengths, 1, atol=0.02)


def test_a_projection_is_read_from_disk_and_a_damaged_file_is_refused(projection: Projection, tmp_path: Path) -> None:
    save_projection(projection, tmp_path / "saved.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["saved.npz"]
    np.testing.assert_array_equal(load_projection(tmp_path / "saved.npz").neutral, projection.neutral)
    for content in (b"", b"PK", (tmp_path / "saved.npz").read_bytes()[:500]):
        (tmp_path / "damaged.npz").write_bytes(content)
        with pytest.raises(ValueError, match=r"\w"):
            load_projection(tmp_path / "damaged.npz")


def test_the_calibration_text_is_parallel() -> None:
    assert len({len(lines) for lines in load_calibration().values()}) == 1


def test_a_compact_file_holds_nearly_the_same_projection(projection: Projection, tmp_path: Path) -> None:
    save_projection(projection, tmp_path / "whole.npz")
    save_projection(projection, tmp_path / "compact.npz", compact=True)
    compact = load_projection(tmp_path / "compact.npz")
    assert 2 * (tmp_path / "compact.npz").stat().st_size < (tmp_path / "whole.npz").stat().st_size
    assert compact.bases.dtype == projection.bases.dtype
    np.testing.assert_allclose(compact.bases, projection.bases, rtol=1e-2, atol=1e-3)
    (tokens,) = (project_tokens(of_one, "query", projection) for of_one in encode(["0:20"], "query")[1])
    for language in projection.languages:
        expected = expect(tokens, language, "Latn", projection)
        np.testing.assert_allclose(expect(tokens, language, "Latn", compact), expected, atol=0.05)
