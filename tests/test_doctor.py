"""What the doctor finds, and that each thing that is wrong comes with what to do about it."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rag.config import Config
from rag.doctor import Check, examine
from rag.generation.llama import load_generator
from rag.hardware import count_physical_cores
from rag.index.index_writer import IndexWriter
from rag.index.segment import VECTORS
from rag.models.registry import RECORD, find
from rag.reading.trust import Calibration, Judge, keep, locate
from rag.testing import DIMENSION, WordEncoder
from rag.text.prompts import Prompts
from rag.types import Document, Passage

SOUND = (sys.executable, "-c", """print('{"version": "1.2.3", "features": ["AVX2"]}')""")
DYING = (sys.executable, "-c", f"import os; os.kill(os.getpid(), {signal.SIGILL})")
HUB_MODEL = "owner/repository:light.gguf"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(cache=tmp_path / "cache", indexes=tmp_path / "indexes", encoder="words", generator=HUB_MODEL)


@pytest.fixture
def generator(config: Config) -> Path:
    """The generator's file in the cache, as if it had been fetched."""
    folder = find(HUB_MODEL).folder(config.cache)
    folder.mkdir(parents=True)
    file = folder / "light.gguf"
    file.write_bytes(b"weights")
    record = {file.name: {"size": 7, "sha256": hashlib.sha256(b"weights").hexdigest()}}
    (folder / RECORD).write_text(json.dumps(record))
    return file


def look(config: Config, proof: tuple[str, ...] = SOUND) -> dict[str, Check]:
    checks = examine(config, proof)
    assert all(check.remedy for check in checks if check.ok is False), "what is wrong has a remedy"
    return {check.name: check for check in checks}


def write_index(config: Config) -> None:
    encoder, text = WordEncoder(), "The harbour opened in May."
    document = Document("harbour.txt", text, "en", "Latn", None, None, "sum")
    passage = Passage("harbour.txt", text, 0, len(text), "en", "Latn", None, None)
    with IndexWriter(config.indexes / config.index, DIMENSION) as draft:
        draft.add(document, len(text), [passage], encoder.encode([text], "passage"))
        draft.commit(encoder, config.passage_tokens, [config.corpus])


def test_on_a_new_machine_each_missing_thing_is_named_with_the_command_that_brings_it(tmp_path: Path) -> None:
    config = Config(cache=tmp_path / "cache", indexes=tmp_path / "indexes")
    checks = look(config)
    for purpose, name in (("encoder", config.encoder), ("generator", config.generator)):
        assert checks[purpose].ok is False
        assert f"rag models fetch {name}" in str(checks[purpose].remedy)
    assert checks["index"].ok is False
    assert "rag index" in str(checks["index"].remedy)
    assert checks["llama.cpp"].ok is None, "without a model nothing can be tried"


def test_looking_leaves_nothing_behind(tmp_path: Path) -> None:
    look(Config(cache=tmp_path / "cache", indexes=tmp_path / "indexes"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("generator")
def test_a_sound_model_index_and_build_are_reported_with_what_they_are(config: Config) -> None:
    write_index(config)
    checks = look(config)
    assert {name: checks[name].ok for name in ("generator", "llama.cpp", "index")} == {
        "generator": True,
        "llama.cpp": True,
        "index": True,
    }
    assert "1.2.3" in checks["llama.cpp"].detail
    assert "1 files (1 en), 1 passages" in checks["index"].detail


def test_a_model_whose_bytes_changed_is_to_be_fetched_again(config: Config, generator: Path) -> None:
    generator.write_bytes(b"Weights")
    check = look(config)["generator"]
    assert check.ok is False
    assert "light.gguf" in check.detail
    assert f"rag models fetch {HUB_MODEL}" in str(check.remedy)


def test_a_generator_named_by_its_path_in_the_cache_is_not_looked_up_by_that_name(
    config: Config, generator: Path
) -> None:
    generator.write_bytes(b"GGUF and more")
    check = look(config.replace(generator=str(generator)))["generator"]
    assert (check.ok, check.detail) == (None, f"{generator}: given as a path, so its checksum is not known")


@pytest.mark.usefixtures("generator")
def test_a_build_that_dies_of_a_signal_is_named_and_does_not_take_the_doctor_along(config: Config) -> None:
    check = look(config, DYING)["llama.cpp"]
    assert check.ok is False
    assert "SIGILL" in check.detail
    assert "make setup" in str(check.remedy)


@pytest.mark.usefixtures("generator")
def test_a_build_that_refuses_says_why(config: Config) -> None:
    check = look(config, (sys.executable, "-c", "import sys; sys.exit('libgomp is missing')"))["llama.cpp"]
    assert (check.ok, check.detail) == (False, "libgomp is missing")


def test_the_probe_refuses_a_file_that_is_no_model_in_one_sentence(generator: Path) -> None:
    command = [sys.executable, "-m", "rag.generation.probe", str(generator)]
    child = subprocess.run(command, capture_output=True, text=True)
    assert child.returncode == 1
    assert child.stderr.startswith(f"{generator} cannot be loaded")
    assert len(child.stderr.splitlines()) == 1


def test_a_damaged_index_is_to_be_rebuilt(config: Config) -> None:
    write_index(config)
    (file,) = config.indexes.rglob(VECTORS)
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    check = look(config)["index"]
    assert check.ok is False
    assert "rag index --rebuild" in str(check.remedy)


@pytest.mark.parametrize("change", [{"encoder": "multilingual-e5-small"}, {"passage_tokens": 99}])
def test_an_index_of_other_settings_is_to_be_rebuilt(config: Config, change: dict[str, object]) -> None:
    write_index(config)
    check = look(config.replace(**change))["index"]  # type: ignore[arg-type]
    assert check.ok is False
    assert "rag index --rebuild" in str(check.remedy)


def test_a_server_that_does_not_answer_is_wrong_and_needs_no_build(config: Config) -> None:
    checks = look(config.replace(generator="http://127.0.0.1:9/v1"))
    assert checks["generator"].ok is False
    assert checks["llama.cpp"].ok is None


def test_a_judge_is_told_apart_as_shipped_measured_here_or_not_known(config: Config, generator: Path) -> None:
    assert look(config.replace(generator="qwen2.5-coder-1.5b"))["judge"].detail.startswith("as measured before")
    unknown = look(config)["judge"]
    assert (unknown.ok, unknown.remedy) == (None, "Find out whether it can: rag models calibrate")
    assert "articles are quoted" in unknown.detail
    file = locate(load_generator(config), config, Prompts.load(config.prompts))
    keep(Calibration(32, 19, 27, Judge(9.5, 3.25, ("cs", "en"))), file)
    measured = look(config)["judge"]
    assert (measured.ok, measured.remedy) == (True, None)
    assert "measured here" in measured.detail
    assert "27 of 32 questions, by retrieval alone 19" in measured.detail
    assert "Czech, English" in measured.detail
    keep(Calibration(32, 19, 18, None), file)
    assert look(config)["judge"].ok is None
    assert "does not judge" in look(config)["judge"].detail
    os.utime(generator, (1, 1))
    assert look(config)["judge"] == unknown, "it was replaced"


def test_what_cannot_be_used_cannot_be_told_to_judge(config: Config) -> None:
    for name in (config.generator, "http://127.0.0.1:9/v1"):
        check = look(config.replace(generator=name))["judge"]
        assert check.ok is None
        assert "before the generator can be used" in check.detail


def test_more_threads_than_cores_are_wrong(config: Config) -> None:
    check = look(config.replace(threads=count_physical_cores() + 1))["cores"]
    assert check.ok is False
    assert f"RAG_THREADS to {count_physical_cores()}" in str(check.remedy)
