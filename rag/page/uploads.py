"""Articles that a reader adds: into one folder within the corpus, and out of it again.

What is uploaded is untrusted: it is taken over only if it reads as an article, and under a name that cannot leave the
folder. Files come and go under the lock of the build that follows, so that a reader is never told of one that is not
there, nor has one that is in no list.
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
MOST = 20
"""Files that are taken over at once."""
LONGEST = 120
"""Of a name, in characters."""


@dataclass(frozen=True, slots=True)
class Change:
    """What there is to be seen of a change to the corpus."""

    adding: str | None = None
    """The file that is being taken over."""
    removing: str | None = None
    """The source that is being removed."""
    done: int = 0
    """Passages that are encoded."""
    total: int = 0
    warnings: tuple[Skipped, ...] = ()
    """Files that are left out, and why."""
    error: str | None = None
    """Why nothing came of it."""
    articles: int | None = None
    """How many there are in the new index, when it is in use."""


def add(files: Sequence[Path], assistant: Assistant) -> Generator[Change, None, None]:
    """Take files over, and bring the index up to date; each step on the way. Where that fails, no file stays."""
    change = Change()
    try:
        if len(files) > MOST:
            raise DocumentError(f"{len(files)} files are too many: at most {MOST} are added at once. Add fewer.")
        assistant.refresh()
        folder = _find_folder(assistant)
        known = {digest: source for source, digest in assistant.index.read_checksums().items()}
        chosen: dict[Path, Path] = {}
        for file in files:
            yield replace(change, adding=file.name)
            refused = _choose(file, folder, known, chosen)
            change = replace(change, warnings=change.warnings + ((refused,) if refused else ()))
        if len(change.warnings) < len(files):
            yield from _rebuild(assistant, change, _placed(chosen, folder))
        else:
            yield change
    except RagError as error:
        yield replace(change, error=str(error))


def remove(source: str, assistant: Assistant) -> Generator[Change, None, None]:
    """Delete the file of an article that was added, and bring the index up to date; each step on the way.

    Where that fails, the file stays.
    """
    change = Change(removing=source)
    yield change
    try:
        if source not in list_own(assistant):
            raise ArticleMissing(f"“{source}” was not added here. Remove its file from the corpus yourself.")
        file = _find_folder(assistant) / source.removeprefix(_find_prefix(assistant))
        yield from _rebuild(assistant, Change(), _hidden(file))
    except RagError as error:
        yield Change(error=str(error))


def list_own(assistant: Assistant) -> frozenset[str]:
    """The sources of the articles that were added, and may be removed."""
    try:
        prefix = _find_prefix(assistant)
    except DocumentError:
        return frozenset()
    return frozenset(one.source for one in assistant.list_articles() if one.source.startswith(prefix))


def _find_folder(assistant: Assistant) -> Path:
    """Where articles are added: within the first folder that the index was built over. Raises DocumentError."""
    paths = [Path(path) for path in assistant.index.manifest.paths]
    for path in paths:
        if path.is_dir():
            folder = path / FOLDER
            if not Path(os.path.realpath(folder)).is_relative_to(corpus_root(paths)):
                raise DocumentError(f"{folder} links out of the corpus. Put a folder in its place to add articles.")
            return folder
    raise DocumentError("The index was built over no folder that is still there. Build it over one: rag index FOLDER")


def _find_prefix(assistant: Assistant) -> str:
    """What the sources of added articles begin with. Raises DocumentError."""
    root = corpus_root([Path(path) for path in assistant.index.manifest.paths])
    return f"{Path(os.path.realpath(_find_folder(assistant))).relative_to(root).as_posix()}/"


def _choose(uploaded: Path, folder: Path, known: dict[str, str], chosen: dict[Path, Path]) -> Skipped | None:
    """Note a file's checksum, and where it is to be copied; the reason when it is refused. Raises DocumentError."""
    name = _clean(uploaded.name)
    if name.startswith(".") or not name or len(name) > LONGEST:
        return Skipped(name, "Its name is too long or begins with a dot. Rename the file.")
    (found,) = walk([uploaded])
    if isinstance(found, File) and found.checksum in known:
        return Skipped(name, f"It holds the same as {known[found.checksum]}.")
    place = folder / name
    # The very same may have been copied without a build after it.
    there = isinstance(found, File) and _holds(place, found.checksum)
    if place in chosen or (place.exists() and not there):
        return Skipped(name, "An article of that name was added before. Remove that one first, or rename the file.")
    read_as = read(found) if isinstance(found, File) else found
    if isinstance(read_as, Skipped):
        return replace(read_as, source=name)
    if not there:
        chosen[place] = uploaded
    known[read_as.checksum] = name
    return None


def _holds(file: Path, digest: str) -> bool:
    try:
        return checksum(file) == digest
    except OSError:
        return False


@contextmanager
def _placed(chosen: Mapping[Path, Path], folder: Path) -> Iterator[None]:
    """Copy files to their places in the folder, all of them, and none if what follows fails. Raises DocumentError."""
    for place in chosen:
        if os.path.lexists(place):
            raise DocumentError(f"Somebody else has added a “{place.name}” just now. Rename the file.")
    with ExitStack() as undone:
        try:
            folder.mkdir(exist_ok=True)
            for place, uploaded in chosen.items():
                draft = place.with_name(f".{uuid.uuid4().hex}")
                undone.callback(place.unlink, missing_ok=True)
                undone.callback(draft.unlink, missing_ok=True)
                shutil.copyfile(uploaded, draft)
                draft.replace(place)
        except OSError as error:
            raise DocumentError(
                f"Nothing can be written to {folder}: {error.strerror}. Mend its permissions."
            ) from error
        yield
        undone.pop_all()


@contextmanager
def _hidden(file: Path) -> Iterator[None]:
    """Take a file out of the corpus, for good unless what follows fails. Raises DocumentError."""
    hidden = file.with_name(f".{uuid.uuid4().hex}")
    try:
        file.replace(hidden)
    except FileNotFoundError:
        yield
        return
    except OSError as error:
        raise DocumentError(f"{file} cannot be removed: {error.strerror}. Mend its permissions.") from error
    try:
        yield
    except BaseException:
        hidden.replace(file)
        raise
    hidden.unlink()


def _clear(folder: Path) -> None:
    """Remove what a change left that was killed."""
    for draft in folder.glob(f".{'[0-9a-f]' * 32}"):
        with suppress(OSError):
            draft.unlink()


def _clean(name: str) -> str:
    """The name without folders and without what cannot be seen."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable()).strip()


def _rebuild(
    assistant: Assistant, change: Change, changed: AbstractContextManager[None]
) -> Generator[Change, None, None]:
    """Bring the index up to date with a corpus that is `changed`, and go over to it. The old one answers until then."""
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
    left_out = (*change.warnings, *summary.kept, *summary.skipped)
    yield replace(change, warnings=left_out, articles=len(assistant.list_articles()))
