"""The generations of an index on disk: which is in use, what it says of itself, and how another takes its place.

    indexes/<name>/
        CURRENT                     the name of the generation in use
        STAGED                      the segments that a build which goes on, or was stopped, has finished
        segments/<segment>/         articles and vectors in files that only segments.py knows
        <generation>/
            manifest.json           what was indexed, how, and in which segments
            projection.npz          how the encoder took the language out of vectors

Segments and generations are written beside those in use, flushed to disk, and switched to by renaming CURRENT. They
are never written to again; generations share the segments that did not change.
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
STAGED = "STAGED"
MANIFEST = "manifest.json"
PROJECTION = "projection.npz"
SEGMENTS = "segments"
NAME = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
"""Of generations and of segments."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation holds and what it was made with."""

    format: int
    created: str
    """UTC, ISO 8601."""
    encoder: dict[str, Any]
    """What `Encoder.describe()` said."""
    passage_tokens: int
    paths: tuple[str, ...]
    """The folders and files that were indexed, absolute."""
    articles: int
    passages: int
    segments: dict[str, str]
    """The names of the segments, in the order of their rows, and the SHA-256 of what describes each, in hexadecimal."""
    projection: str
    """The SHA-256 of the projection."""


@dataclass(frozen=True, slots=True)
class _Common:
    """What the manifests of all formats have."""

    format: int
    paths: tuple[str, ...]


def name_generation(folder: Path) -> Path:
    """A folder in which to write the next generation."""
    return folder / _make_name()


def name_segment(folder: Path) -> Path:
    """A folder in which to write a segment of the index in `folder`."""
    return folder / SEGMENTS / _make_name()


def _make_name() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def write_manifest(manifest: Manifest, generation: Path) -> None:
    """Write it beside the files that it describes, and flush them all to disk."""
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1)
    (generation / MANIFEST).write_text(text, encoding="utf-8")
    flush(generation)


def flush(folder: Path) -> None:
    """Have the disk hold a folder and the files in it."""
    for path in (*folder.iterdir(), folder, folder.parent):
        _flush(path)


def list_staged(folder: Path) -> list[str]:
    """The segments that a build which did not end has finished, as far as they can be told."""
    try:
        names = (folder / STAGED).read_text(encoding="utf-8").split()
        return [name for name in names if NAME.fullmatch(name)]
    except (OSError, ValueError):
        return []


def note_staged(folder: Path, segments: Sequence[str]) -> None:
    """Have the next build find these segments if this one does not end. Raises OSError."""
    draft = folder / f".{STAGED}"
    draft.write_text("\n".join(segments), encoding="utf-8")
    _flush(draft)
    draft.replace(folder / STAGED)
    _flush(folder)


def switch_to(generation: Path) -> None:
    """Make it the one in use, in one rename, and remove what it does not need. The caller holds the build's lock."""
    pointer = generation / CURRENT
    pointer.write_text(generation.name, encoding="utf-8")
    _flush(pointer)
    pointer.replace(generation.parent / CURRENT)
    _flush(generation.parent)
    remove_leftovers(generation.parent)


def is_in_use(generation: Path) -> bool:
    """Whether readers are sent to it. Raises IndexDamaged."""
    try:
        return read_pointer(generation.parent) == generation.name
    except IndexMissing:
        return False


def read_manifest(folder: Path) -> tuple[Manifest, Path]:
    """The manifest of the generation in use, and that generation's folder.

    Raises IndexMissing, IndexMismatch for another format, IndexDamaged.
    """
    generation = folder / read_pointer(folder)
    try:
        found = read_record(_Common, generation / MANIFEST).format
        if found == FORMAT:
            return read_record(Manifest, generation / MANIFEST), generation
    except (OSError, ValueError) as error:
        raise IndexDamaged(say_damaged(folder, str(error))) from error
    raise IndexMismatch(
        f"The index “{folder.name}” has format {found}, not {FORMAT}. Rebuild it with `{say_rebuild(folder.name)}`."
    )


def read_paths(folder: Path) -> list[Path]:
    """The folders and files that the index was last built over, whatever its format.

    Raises IndexMissing, and IndexDamaged when they cannot be told any more.
    """
    manifest = folder / read_pointer(folder) / MANIFEST
    try:
        return [Path(path) for path in read_record(_Common, manifest).paths]
    except (OSError, ValueError) as error:
        raise IndexDamaged(
            f"The index “{folder.name}” is damaged and does not say any more what it was built over. "
            f"Name the folders: `{say_rebuild(folder.name)} FOLDER`."
        ) from error


def find_leftovers(folder: Path) -> list[Path]:
    """What a build that did not end has left beside the generation in use and its segments. Raises as read_manifest."""
    manifest, generation = read_manifest(folder)
    beside = [path for path in folder.iterdir() if NAME.fullmatch(path.name) and path != generation]
    segments = folder / SEGMENTS
    unused = [path for path in segments.iterdir() if path.name not in manifest.segments] if segments.exists() else []
    return [*beside, *unused, *(file for file in (folder / STAGED, folder / f".{STAGED}") if file.exists())]


def remove_leftovers(folder: Path) -> None:
    """Remove them. The caller holds the build's lock."""
    for path in find_leftovers(folder):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def say_rebuild(name: str) -> str:
    """The command that builds the index of that name anew."""
    return f"rag index --rebuild --index {name}"


def list_indexes(folder: Path) -> list[str]:
    """The names of the indexes that are kept in a folder, in order."""
    return sorted(pointer.parent.name for pointer in folder.glob(f"*/{CURRENT}"))


def read_pointer(folder: Path) -> str:
    """The name of the generation in use. Raises IndexMissing, IndexDamaged."""
    try:
        return (folder / CURRENT).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise IndexMissing(
            f"There is no index “{folder.name}” in {folder.parent}. Build it with `rag index --index {folder.name}`."
        ) from None
    except (OSError, ValueError) as error:
        raise IndexDamaged(say_damaged(folder, f"{CURRENT} cannot be read: {error}")) from error


def say_damaged(folder: Path, what: str) -> str:
    """What is damaged, and the remedy."""
    return f"The index “{folder.name}” is damaged: {what}. Rebuild it with `{say_rebuild(folder.name)}`."


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
