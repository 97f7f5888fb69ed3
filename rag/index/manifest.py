"""The manifest of an index, and how one generation replaces another on disk.

    indexes/<name>/
        BUILDING                    an empty file that a build locks
        CURRENT                     the name of the current generation
        STAGED                      the segments sealed by a build that is running or was interrupted
        segments/<segment>/         articles and vectors, in the files that segment.py describes
        <generation>/
            manifest.json           what was indexed, how, and in which segments: see Manifest
            projection.npz          the projection with which the encoder removed the language from vectors

A build can be killed at any moment. It writes segments and a generation beside those in use, flushes them to disk, and
only then replaces CURRENT by a rename. Readers open the old generation until that rename and the new one after it. The
segments that a build has sealed are listed in STAGED, and the next build resumes with them. It also removes the files
that no manifest refers to. Segments and generations are never modified once they are written, so generations share the
segments that did not change.
"""

import json
import os
import re
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag.errors import IndexDamaged, IndexMismatch, IndexMissing
from rag.text.records import read_record

FORMAT = 2
CURRENT = "CURRENT"
LOCK = "BUILDING"
STAGED = "STAGED"
MANIFEST = "manifest.json"
PROJECTION = "projection.npz"
SEGMENTS = "segments"
NAME = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
"""The name of a generation or a segment."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of a generation, and how it was made: the fields of manifest.json."""

    format: int
    created: str
    """UTC, ISO 8601."""
    encoder: dict[str, Any]
    """The result of `Encoder.describe()`."""
    passage_tokens: int
    paths: tuple[str, ...]
    """The absolute paths of the folders and files that were indexed."""
    articles: int
    passages: int
    segments: dict[str, str]
    """The names of the segments in the order of their rows, with the SHA-256 of each segment.json in hexadecimal."""
    projection: str
    """The SHA-256 of projection.npz, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class _AnyManifest:
    """The fields that manifests of all formats share."""

    format: int
    paths: tuple[str, ...]


def read_manifest(folder: Path) -> tuple[Manifest, Path]:
    """Return the manifest of the current generation and that generation's folder.

    Raises IndexMissing, IndexDamaged, and IndexMismatch if the index has another format.
    """
    generation = folder / read_pointer(folder)
    try:
        found = read_record(_AnyManifest, generation / MANIFEST).format
        if found == FORMAT:
            return read_record(Manifest, generation / MANIFEST), generation
    except (OSError, ValueError) as error:
        raise IndexDamaged(describe_damage(folder, str(error))) from error
    raise IndexMismatch(
        f"The index “{folder.name}” has format {found}, but this version reads format {FORMAT}. "
        f"Rebuild it with `{rebuild_command(folder.name)}`."
    )


def write_manifest(manifest: Manifest, generation: Path) -> None:
    """Write the manifest into its generation's folder, and flush that folder to disk. Raises OSError."""
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1)
    (generation / MANIFEST).write_text(text, encoding="utf-8")
    flush(generation)


def read_paths(folder: Path) -> list[Path]:
    """Return the folders and files that the index was last built from, whatever its format.

    Raises IndexMissing, and IndexDamaged if the manifest cannot be read.
    """
    manifest = folder / read_pointer(folder) / MANIFEST
    try:
        return [Path(path) for path in read_record(_AnyManifest, manifest).paths]
    except (OSError, ValueError) as error:
        raise IndexDamaged(
            f"The index “{folder.name}” is damaged and no longer says which folders it was built from: {error}. "
            f"Name the folders: `{rebuild_command(folder.name)} FOLDER`."
        ) from error


def is_index(folder: Path) -> bool:
    """Return whether a folder holds an index, or one that is being built for the first time."""
    try:
        return (folder / LOCK).stat().st_size == 0
    except OSError:
        return False


def list_indexes(folder: Path) -> list[str]:
    """Return the sorted names of the indexes in a folder."""
    return sorted(pointer.parent.name for pointer in folder.glob(f"*/{CURRENT}"))


def choose_generation_folder(index: Path) -> Path:
    """Return an unused path for the next generation of the index in the folder `index`."""
    return index / _make_name()


def choose_segment_folder(index: Path) -> Path:
    """Return an unused path for a segment of the index in the folder `index`."""
    return index / SEGMENTS / _make_name()


def read_pointer(folder: Path) -> str:
    """Return the name of the current generation. Raises IndexMissing, IndexDamaged."""
    try:
        return (folder / CURRENT).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise IndexMissing(
            f"There is no index “{folder.name}” in {folder.parent}. Build it with `rag index --index {folder.name}`."
        ) from None
    except (OSError, ValueError) as error:
        raise IndexDamaged(describe_damage(folder, f"{CURRENT} cannot be read: {error}")) from error


def is_current(generation: Path) -> bool:
    """Return whether readers open this generation. Raises IndexDamaged."""
    try:
        return read_pointer(generation.parent) == generation.name
    except IndexMissing:
        return False


def switch_to(generation: Path) -> None:
    """Make a generation the current one by a single rename, then remove the files that it does not use.

    The caller must hold the build lock. Raises OSError.
    """
    pointer = generation / CURRENT
    pointer.write_text(generation.name, encoding="utf-8")
    _flush_path(pointer)
    pointer.replace(generation.parent / CURRENT)
    _flush_path(generation.parent)
    remove_unused_files(generation.parent)


def list_staged_segments(folder: Path) -> list[str]:
    """Return the names of the segments that an interrupted build has sealed; none if STAGED cannot be read."""
    try:
        names = (folder / STAGED).read_text(encoding="utf-8").split()
        return [name for name in names if NAME.fullmatch(name)]
    except (OSError, ValueError):
        return []


def record_staged_segments(folder: Path, segments: Sequence[str]) -> None:
    """Record sealed segments, so that the next build finds them if this one is interrupted. Raises OSError."""
    temporary = folder / f".{STAGED}"
    temporary.write_text("\n".join(segments), encoding="utf-8")
    _flush_path(temporary)
    temporary.replace(folder / STAGED)
    _flush_path(folder)


def find_unused_files(folder: Path) -> list[Path]:
    """Return what interrupted builds left: STAGED, and the folders that the current generation does not use.

    Raises IndexMissing, IndexMismatch, IndexDamaged.
    """
    manifest, generation = read_manifest(folder)
    generations = [path for path in folder.iterdir() if NAME.fullmatch(path.name) and path != generation]
    segments = folder / SEGMENTS
    unused = [path for path in segments.iterdir() if path.name not in manifest.segments] if segments.exists() else []
    return [*generations, *unused, *(file for file in (folder / STAGED, folder / f".{STAGED}") if file.exists())]


def remove_unused_files(folder: Path) -> None:
    """Remove what `find_unused_files` returns. The caller must hold the build lock."""
    for path in find_unused_files(folder):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def describe_damage(folder: Path, damage: str) -> str:
    """Return an error message that names the index, its damage and the remedy."""
    return f"The index “{folder.name}” is damaged: {damage}. Rebuild it with `{rebuild_command(folder.name)}`."


def rebuild_command(name: str) -> str:
    """Return the command that rebuilds the index of that name."""
    return f"rag index --rebuild --index {name}"


def flush(folder: Path) -> None:
    """Flush a folder, the files in it and its entry in the parent folder to disk. Raises OSError."""
    for path in (*folder.iterdir(), folder, folder.parent):
        _flush_path(path)


def _flush_path(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_name() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
