"""The key-value cache on disk: what the generator computed from a passage, so that it evaluates each only once."""

import hashlib
import logging
import os
import uuid
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Self

from rag.config import Config
from rag.text.prompts import Prompts

logger = logging.getLogger(__name__)

MEGABYTE = 10**6
DIGEST_BYTES = 32
"""The length of the SHA-256 at the beginning of each file."""


def name_subject(text: str) -> str:
    """Return the name of a text. It begins the keys of all states that were computed from the text, before a dash."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class StateCache:
    """Bytes by key, one file each, in a folder of limited size. The least recently used ones are removed first.

    Several processes may use one folder. A damaged file counts as missing. Since everything here can be computed
    again, a full disk or missing permissions raise no error.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        """Use up to `limit` bytes in `folder`."""
        self.folder = folder
        self.limit = limit

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Return the cache in the configured folder, with the configured limit."""
        return cls(config.cache / "states", config.state_megabytes * MEGABYTE)

    def get(self, key: str) -> bytes | None:
        """Return the data of `key`, or None."""
        file = self._file(key)
        try:
            content = file.read_bytes()
            os.utime(file)
        except OSError:
            return None
        digest, data = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
        return data if hashlib.sha256(data).digest() == digest else None

    def put(self, key: str, data: bytes) -> None:
        """Store data under `key`, and remove the least recently used data beyond the limit."""
        if len(data) > self.limit:
            return
        draft = self.folder / f".{uuid.uuid4().hex}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(hashlib.sha256(data).digest() + data)
            draft.replace(self._file(key))
            self._shrink()
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            logger.info("%s cannot be stored (%s). It will be computed again.", key, error)

    def has(self, key: str) -> bool:
        """Return whether there is data under `key`."""
        return self._file(key).exists()

    def count_subjects(self) -> Counter[str]:
        """Return the number of keys by the name of the text that they were computed from."""
        return Counter(file.name.partition("-")[0] for _, _, file in self._list())

    def forget(self, subject: str) -> None:
        """Remove everything that was computed from the text of this name."""
        for _, _, file in self._list():
            if file.name.startswith(f"{subject}-"):
                with suppress(OSError):
                    file.unlink(missing_ok=True)

    def size(self) -> int:
        """Return the number of bytes in use."""
        return sum(size for _, size, _ in self._list())

    def _shrink(self) -> None:
        files = sorted(self._list())
        excess = sum(size for _, size, _ in files) - self.limit
        for _, size, file in files:
            if excess <= 0:
                return
            file.unlink(missing_ok=True)
            excess -= size

    def _list(self) -> list[tuple[float, int, Path]]:
        """Return the time of last use, the size and the path of each file."""
        found = []
        for file in self.folder.glob("*.state") if self.folder.is_dir() else ():
            try:
                facts = file.stat()
            except FileNotFoundError:  # Another process removed it.
                continue
            found.append((facts.st_mtime, facts.st_size, file))
        return found

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.state"


class PassageCache:
    """The states of passages in the configured cache, which are removed when no index has the passage any more."""

    def __init__(self, config: Config) -> None:
        self.states = StateCache.from_config(config)
        self._config = config

    @cached_property
    def _prompts(self) -> Prompts:
        return Prompts.load(self._config.prompts)

    def count(self) -> Counter[str]:
        """Return the number of files by the name of their passage."""
        return self.states.count_subjects()

    def name(self, passage: str) -> str:
        """Return the name of a passage, given by its text."""
        return name_subject(self._prompts.fill("excerpt", passage=passage))

    def forget(self, passages: Iterable[str]) -> None:
        """Remove the states of passages, given by their texts."""
        for name in self.count().keys() & {self.name(passage) for passage in passages}:
            self.states.forget(name)
