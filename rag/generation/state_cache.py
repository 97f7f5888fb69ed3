"""What a model computed for texts that come again, kept on disk within bounds: the least recently used goes."""

import hashlib
import logging
import os
import uuid
from collections import Counter
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

DIGEST_BYTES = 32


def name_subject(text: str) -> str:
    """What the keys of all that was computed of a text begin with, followed by a dash."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class StateCache:
    """Bytes by key in a folder. Safe for several processes at once; a damaged or missing file is one that is not kept.

    What is kept only saves time, so nothing here raises for want of room or permission.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        """Keep up to `limit` bytes in `folder`."""
        self.folder = folder
        self.limit = limit

    def get(self, key: str) -> bytes | None:
        """What was put under `key`, or None."""
        file = self._file(key)
        try:
            data = file.read_bytes()
            os.utime(file)
        except OSError:
            return None
        digest, kept = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
        return kept if hashlib.sha256(kept).digest() == digest else None

    def put(self, key: str, data: bytes) -> None:
        """Keep `data` under `key`, and let go of what was not used for the longest time."""
        if len(data) > self.limit:
            return
        draft = self.folder / f".{uuid.uuid4().hex}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(hashlib.sha256(data).digest() + data)
            draft.replace(self._file(key))
            self._make_room()
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            logger.info("%s cannot be kept (%s); it will be computed again.", key, error)

    def has(self, key: str) -> bool:
        """Whether something is kept under `key`."""
        return self._file(key).exists()

    def count_subjects(self) -> Counter[str]:
        """Of how many keys each is the subject."""
        return Counter(file.name.partition("-")[0] for _, _, file in self._list())

    def forget(self, subject: str) -> None:
        """Let go of all that was computed of a text."""
        for _, _, file in self._list():
            if file.name.startswith(f"{subject}-"):
                with suppress(OSError):
                    file.unlink(missing_ok=True)

    def size(self) -> int:
        """Bytes that are kept."""
        return sum(size for _, size, _ in self._list())

    def _make_room(self) -> None:
        files = sorted(self._list())
        excess = sum(size for _, size, _ in files) - self.limit
        for _, size, file in files:
            if excess <= 0:
                return
            file.unlink(missing_ok=True)
            excess -= size

    def _list(self) -> list[tuple[float, int, Path]]:
        """When each file was last used, its bytes, and the file."""
        found = []
        for file in self.folder.glob("*.state") if self.folder.is_dir() else ():
            try:
                facts = file.stat()
            except FileNotFoundError:  # Another process made room.
                continue
            found.append((facts.st_mtime, facts.st_size, file))
        return found

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.state"
