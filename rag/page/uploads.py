"""Add articles to a folder within the corpus, and remove them again.

Uploads are not trusted: a file is added only if it can be read as an article, and only under a name that cannot leave
the folder. Files are copied and removed under the lock of the build that follows, so that the corpus and the index
change together.
"""

import os
import shutil
import unicodedata
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

from rag.assistant import Assistant
from rag.errors import ArticleMissing, DocumentError, RagError
from rag.ingest.build import Summary, build_locked, lock_index
from rag.ingest.documents import File, Skipped, corpus_root, read, walk
from rag.models.sources import checksum

FOLDER = "added"
MAX_FILES = 20
"""Maximum number of files added at once."""
MAX_NAME = 120
"""Maximum length of a file name, in characters."""


@dataclass(frozen=True, slots=True)
class Change:
    """The progress or the result of a change to the corpus."""

    adding: str | None = None
    """The file that is being added."""
    removing: str | None = None
    """The source that is being removed."""
    done: int = 0
    """Number of passages encoded so far."""
    total: int = 0
    """Number of passages to encode."""
    warnings: tuple[Skipped, ...] = ()
    """Files that were left out, with the reason."""
    error: str | None = None
    """The reason why the change failed."""
    articles: int | None = None
    """Number of articles in the new index, once it is in use."""


def add(files: Sequence[Path], assistant: Assistant) -> Generator[Change, None, None]:
    """Copy files into the corpus and update the index, yielding each step. If the update fails, no file is kept."""
    change = Change()
    try:
        if len(files) > MAX_FILES:
            raise DocumentError(f"{len(files)} files are too many. Add at most {MAX_FILES} at once.")
        assistant.refresh()
        folder = _find_folder(assistant)
        known = {digest: source for source, digest in assistant.index.read_checksums().items()}
        chosen: dict[Path, Path] = {}
        for file in files:
            yield replace(change, adding=file.name)
            refused = _choose(file, folder, known, chosen)
            change = replace(change, warnings=change.warnings + ((refused,) if refused else ()))
        if len(change.warnings) < len(files):
            yield from _rebuild(assistant, change, _copied(chosen, folder))
        else:
            yield change
    except RagError as error:
        yield replace(change, error=str(error))


def remove(source: str, assistant: Assistant) -> Generator[Change, None, None]:
    """Delete an added article's file and update the index, yielding each step. If that fails, the file is kept."""
    change = Change(removing=source)
    yield change
    try:
        if source not in list_added(assistant):
            raise ArticleMissing(f"“{source}” was not added here. Delete its file from the corpus yourself.")
        file = _find_folder(assistant) / source.removeprefix(_find_prefix(assistant))
        yield from _rebuild(assistant, Change(), _removed(file))
    except RagError as error:
        yield Change(error=str(error))


def list_added(assistant: Assistant) -> frozenset[str]:
    """Return the sources of the articles that were added and can be removed."""
    try:
        prefix = _find_prefix(assistant)
    except DocumentError:
        return frozenset()
    return frozenset(one.source for one in assistant.list_articles() if one.source.startswith(prefix))


def _find_folder(assistant: Assistant) -> Path:
    """Return the folder for added articles, within the first folder of the corpus. Raises DocumentError."""
    paths = [Path(path) for path in assistant.index.manifest.paths]
    for path in paths:
        if path.is_dir():
            folder = path / FOLDER
            if not Path(os.path.realpath(folder)).is_relative_to(corpus_root(paths)):
                raise DocumentError(
                    f"{folder} is a link to a place outside the corpus. Replace it by a folder to add articles."
                )
            return folder
    raise DocumentError("No folder that the index was built from exists any more. Build it from one: rag index FOLDER")


def _find_prefix(assistant: Assistant) -> str:
    """Return the prefix of the sources of added articles. Raises DocumentError."""
    root = corpus_root([Path(path) for path in assistant.index.manifest.paths])
    return f"{Path(os.path.realpath(_find_folder(assistant))).relative_to(root).as_posix()}/"


def _choose(uploaded: Path, folder: Path, known: dict[str, str], chosen: dict[Path, Path]) -> Skipped | None:
    """Add a file to `known` and `chosen`, or return the reason why it is refused. Raises DocumentError.

    `known` maps checksums to sources, `chosen` maps targets in `folder` to uploaded files.
    """
    name = _clean(uploaded.name)
    if name.startswith(".") or not name or len(name) > MAX_NAME:
        return Skipped(name, "Its name is empty, too long or begins with a dot. Rename the file.")
    (found,) = walk([uploaded])
    if isinstance(found, File) and found.checksum in known:
        return Skipped(name, f"It has the same content as {known[found.checksum]}.")
    target = folder / name
    # An earlier change may have been killed after it copied this file.
    copied = isinstance(found, File) and _has_checksum(target, found.checksum)
    if target in chosen or (target.exists() and not copied):
        return Skipped(name, "An article of that name was added before. Remove that article first, or rename the file.")
    result = read(found) if isinstance(found, File) else found
    if isinstance(result, Skipped):
        return replace(result, source=name)
    if not copied:
        chosen[target] = uploaded
    known[result.checksum] = name
    return None


def _has_checksum(file: Path, digest: str) -> bool:
    try:
        return checksum(file) == digest
    except OSError:
        return False


@contextmanager
def _copied(chosen: Mapping[Path, Path], folder: Path) -> Iterator[None]:
    """Copy files to their targets in the folder. If the block fails, remove them again. Raises DocumentError."""
    for target in chosen:
        if os.path.lexists(target):
            raise DocumentError(f"Another user has just added “{target.name}”. Rename the file.")
    with ExitStack() as undone:
        try:
            folder.mkdir(exist_ok=True)
            for target, uploaded in chosen.items():
                draft = target.with_name(f".{uuid.uuid4().hex}")
                undone.callback(target.unlink, missing_ok=True)
                undone.callback(draft.unlink, missing_ok=True)
                shutil.copyfile(uploaded, draft)
                draft.replace(target)
        except OSError as error:
            raise DocumentError(f"Cannot write to {folder}: {error.strerror}. Check its permissions.") from error
        yield
        undone.pop_all()


@contextmanager
def _removed(file: Path) -> Iterator[None]:
    """Hide a file during the block and delete it at the end. If the block fails, restore it. Raises DocumentError."""
    hidden = file.with_name(f".{uuid.uuid4().hex}")
    try:
        file.replace(hidden)
    except FileNotFoundError:
        yield
        return
    except OSError as error:
        raise DocumentError(f"Cannot remove {file}: {error.strerror}. Check its permissions.") from error
    try:
        yield
    except BaseException:
        hidden.replace(file)
        raise
    hidden.unlink()


def _clear(folder: Path) -> None:
    """Delete the hidden files that a killed change left behind."""
    for draft in folder.glob(f".{'[0-9a-f]' * 32}"):
        with suppress(OSError):
            draft.unlink()


def _clean(name: str) -> str:
    """Return a file name without folders and without characters that cannot be seen."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable()).strip()


def _rebuild(
    assistant: Assistant, change: Change, changed: AbstractContextManager[None]
) -> Generator[Change, None, None]:
    """Build the index inside the context `changed`, then switch to it. Until then, the old index answers."""
    steps: SimpleQueue[tuple[int, int] | None] = SimpleQueue()
    config = assistant.config

    def build() -> Summary:
        with lock_index(config.indexes / config.index):
            _clear(_find_folder(assistant))
            with changed:
                return build_locked((), config, assistant.encoder, False, lambda *done: steps.put(done))

    with ThreadPoolExecutor(max_workers=1) as thread:
        building = thread.submit(build)
        building.add_done_callback(lambda _: steps.put(None))
        while step := steps.get():
            yield replace(change, done=step[0], total=step[1])
        summary = building.result()
    assistant.refresh()
    left_out = (*change.warnings, *summary.kept, *summary.skipped, *summary.incomplete)
    yield replace(change, warnings=left_out, articles=len(assistant.list_articles()))
