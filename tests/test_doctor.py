"""The doctor finds what is wrong, and each problem comes with a remedy."""

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
from rag.reading.judge import Judge
from rag.reading.known_judges import Calibration, locate_calibration, write_calibration
from rag.testing import DIMENSION, WordEncoder
from rag.text.prompts import Prompts
from rag.types import Document, Passage

WORKING = (sys.executable, "-c", """print('{"version": "1.2.3", "features": ["AVX2"]}')""")
CRASHING = (sys.executable, "-c", f"import os; os.kill(os.getpid(), {signal.SIGILL})")
HUB_MODEL = "owner/repository:light.gguf"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(cache=tmp_path / "cache", indexes=tmp_path / "indexes", encoder="words", generator=HUB_MODEL)


@pytest.fixture
def generator(config: Config) -> Path:
    """Put a generator into the cache as if it had been fetched, and return its file."""
    folder = find(HUB_MODEL).folder(config.cache)
    folder.mkdir(parents=True)
    file = folder / "light.gguf"
    file.write_bytes(b"weights")
    record = {file.name: {"size": 7, "sha256": hashlib.sha256(b"weights").hexdigest()}}
    (folder / RECORD).write_text(json.dumps(record))
    return file


def check_all(config: Config, probe: tuple[str, ...] = WORKING) -> dict[str, Check]:
    checks = examine(config, probe)
    assert all(check.remedy for check in checks if check.ok is False), "every problem has a remedy"
    return {check.name: check for check in checks}


def write_index(config: Config) -> None:
    encoder, text = WordEncoder(), "The harbour opened in May."
    document = Document("harbour.txt", text, "en", "Latn", None, None, "sum")
    passage = Passage("harbour.txt", text, 0, len(text), "en", "Latn", None, None)
    with IndexWriter(config.indexes / config.index, DIMENSION) as draft:
        draft.add(document, len(text), [passage], encoder.encode([text], "passage"))
        draft.commit(encoder, config.passage_tokens, [config.corpus])


def test_on_a_new_machine_everything_missing_is_reported_with_the_command_that_provides_it(tmp_path: Path) -> None:
    config = Config(cache=tmp_path / "cache", indexes=tmp_path / "indexes")
    checks = check_all(config)
    for purpose, name in (("encoder", config.encoder), ("generator", config.generator)):
        assert checks[purpose].ok is False
        assert f"rag models fetch {name}" in str(checks[purpose].remedy)
    assert checks["index"].ok is False
    assert "rag index" in str(checks["index"].remedy)
    assert checks["llama.cpp"].ok is None, "it cannot be tested without a model"


def test_a_reader_whose_encoder_is_missing_is_reported_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    config = Config(cache=tmp_path, indexes=tmp_path, encoder="words", reader="shipped")
    check = check_all(config)["reader"]
    assert check.ok is False
    assert "rag models fetch multilingual-e5-small" in str(check.remedy)
    assert check_all(config.replace(reader="none"))["reader"].ok is None


def test_checking_leaves_no_files(tmp_path: Path) -> None:
    check_all(Config(cache=tmp_path / "cache", indexes=tmp_path / "indexes"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("generator")
def test_a_working_model_index_and_build_are_described(config: Config) -> None:
    write_index(config)
    checks = check_all(config)
    assert {name: checks[name].ok for name in ("generator", "llama.cpp", "index")} == {
        "generator": True,
        "llama.cpp": True,
        "index": True,
    }
    assert "1.2.3" in checks["llama.cpp"].detail
    assert "1 file (1 en), 1 passage" in checks["index"].detail


def test_a_changed_model_should_be_fetched_again(config: Config, generator: Path) -> None:
    generator.write_bytes(b"Weights")
    check = check_all(config)["generator"]
    assert check.ok is False
    assert "light.gguf" in check.detail
    assert f"rag models fetch {HUB_MODEL}" in str(check.remedy)


def test_a_generator_that_is_configured_by_its_path_in_the_cache_has_no_known_checksum(
    config: Config, generator: Path
) -> None:
    generator.write_bytes(b"GGUF and more")
    check = check_all(config.replace(generator=str(generator)))["generator"]
    assert (check.ok, check.detail) == (None, f"{generator}: configured by its path, so its checksum is unknown")


@pytest.mark.usefixtures("generator")
def test_a_build_that_is_killed_by_a_signal_is_reported(config: Config) -> None:
    check = check_all(config, CRASHING)["llama.cpp"]
    assert check.ok is False
    assert "SIGILL" in check.detail
    assert "make setup" in str(check.remedy)


@pytest.mark.usefixtures("generator")
def test_a_build_that_fails_is_reported_with_its_reason(config: Config) -> None:
    check = check_all(config, (sys.executable, "-c", "import sys; sys.exit('libgomp is missing')"))["llama.cpp"]
    assert (check.ok, check.detail) == (False, "libgomp is missing")


def test_the_probe_refuses_a_file_that_is_not_a_model_in_one_sentence(generator: Path) -> None:
    command = [sys.executable, "-m", "rag.generation.probe", str(generator)]
    child = subprocess.run(command, capture_output=True, text=True)
    assert child.returncode == 1
    assert child.stderr.startswith(f"{generator} cannot be loaded")
    assert len(child.stderr.splitlines()) == 1


def test_a_damaged_index_should_be_rebuilt(config: Config) -> None:
    write_index(config)
    (file,) = config.indexes.rglob(VECTORS)
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    check = check_all(config)["index"]
    assert check.ok is False
    assert "rag index --rebuild" in str(check.remedy)


@pytest.mark.parametrize("change", [{"encoder": "multilingual-e5-small"}, {"passage_tokens": 99}])
def test_an_index_with_other_settings_should_be_rebuilt(config: Config, change: dict[str, object]) -> None:
    write_index(config)
    check = check_all(config.replace(**change))["index"]  # type: ignore[arg-type]
    assert check.ok is False
    assert "rag index --rebuild" in str(check.remedy)


def test_an_unreachable_server_is_a_problem_and_needs_no_build(config: Config) -> None:
    checks = check_all(config.replace(generator="http://127.0.0.1:9/v1"))
    assert checks["generator"].ok is False
    assert checks["llama.cpp"].ok is None


def test_a_judge_is_measured_for_the_release_or_here_or_not_at_all(config: Config, generator: Path) -> None:
    assert check_all(config.replace(generator="qwen2.5-coder-1.5b"))["judge"].detail.startswith(
        "measured for this release"
    )
    unknown = check_all(config)["judge"]
    assert (unknown.ok, unknown.remedy) == (None, "Measure it: rag models calibrate")
    assert "articles are quoted" in unknown.detail
    file = locate_calibration(load_generator(config), config, Prompts.load(config.prompts))
    write_calibration(Calibration(32, 19, 27, Judge(9.5, 3.25, ("cs", "en"))), file)
    measured = check_all(config)["judge"]
    assert (measured.ok, measured.remedy) == (True, None)
    assert "measured here" in measured.detail
    assert "27 of 32 questions, by retrieval alone 19" in measured.detail
    assert "Czech, English" in measured.detail
    write_calibration(Calibration(32, 19, 18, None), file)
    assert check_all(config)["judge"].ok is None
    assert "does not judge" in check_all(config)["judge"].detail
    os.utime(generator, (1, 1))
    assert check_all(config)["judge"] == unknown, "the generator was replaced"


def test_it_is_unknown_whether_an_unusable_generator_judges(config: Config) -> None:
    for name in (config.generator, "http://127.0.0.1:9/v1"):
        check = check_all(config.replace(generator=name))["judge"]
        assert check.ok is None
        assert "until the generator can be used" in check.detail


def test_more_threads_than_cores_are_a_problem(config: Config) -> None:
    check = check_all(config.replace(threads=count_physical_cores() + 1))["cores"]
    assert check.ok is False
    assert f"RAG_THREADS to {count_physical_cores()}" in str(check.remedy)
