"""Watch the files of an index, and update it whenever they change. Only this module imports watchfiles."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from watchfiles import Change
from watchfiles import watch as await_changes

from rag.config import Config
from rag.encoding.load import load_encoder
from rag.errors import DocumentError, IndexBusy, RagError, StoreError
from rag.index.index import Index
from rag.index.manifest import read_paths
from rag.ingest.build import Summary, build_index
from rag.protocols import Encoder

QUIET_MS = 500
"""The time in milliseconds without a change that ends a burst of changes."""
MAX_BURST_MS = 10_000
"""The time in milliseconds after which a burst is processed although it continues."""
CHECK_MS = 500
"""The interval in milliseconds at which the watched paths are checked for replacement."""
RETRY_SECONDS = 1.0
"""The time in seconds after which a busy index or a missing folder is tried again."""


def keep_index(config: Config, encoder: Encoder | None = None) -> Generator[Summary | RagError, None, None]:
    """Bring an existing index up to date now and after each change of its folders and files, without end.

    Yields the summary of each build, or the error that made it fail; the old index then stays in use until the next
    change. While another process builds, this one waits. Raises StoreError if there is no such index, DocumentError if
    its files cannot be watched, ModelError.
    """
    folder = config.indexes / config.index
    paths = read_paths(folder)
    if encoder is None:
        with closing(Index.open(folder)) as index:
            encoder = load_encoder(config, index.projection, corpus=True)
    for _ in watch(paths, ignored=(config.indexes.resolve(), config.cache.resolve())):
        yield _update(config, encoder)


def _update(config: Config, encoder: Encoder) -> Summary | RagError:
    while True:
        try:
            return build_index((), config, encoder)
        except IndexBusy:
            time.sleep(RETRY_SECONDS)
        except (DocumentError, StoreError) as error:
            return error


def watch(paths: Sequence[Path], ignored: Sequence[Path] = ()) -> Iterator[None]:
    """Yield None once watching has begun, and after each burst of changes under `paths`, which are absolute.

    Changes in `ignored` and of paths with a name that begins with a dot are not reported. The disappearance of a path
    is a change, and so is its return. Raises DocumentError if the operating system does not let the paths be watched.
    """

    def counts(_: Change, changed: str) -> bool:
        path = Path(changed)
        root = next((root for root in paths if path.is_relative_to(root)), path)
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        return not hidden and not any(path.is_relative_to(one) for one in ignored)

    missing = False
    while True:
        try:
            # Watching begins anew for each burst: the system watches a file or folder, not what replaces it.
            for _ in _await_burst(paths, counts):
                yield
            missing = False
        except FileNotFoundError:
            if not missing:
                yield
            missing = True
            time.sleep(RETRY_SECONDS)
        except OSError as error:
            raise DocumentError(
                f"{', '.join(map(str, paths))} cannot be watched: {error}. "
                "Raise the operating system's limit on watches, or run `rag index` after each change."
            ) from error


def _await_burst(paths: Sequence[Path], counts: Callable[[Change, str], bool]) -> Iterator[None]:
    """Yield None once watching has begun, and end after the first burst of changes."""
    identities = _identify(paths)
    begun = False
    bursts = await_changes(
        *paths, watch_filter=counts, debounce=MAX_BURST_MS, step=QUIET_MS, rust_timeout=CHECK_MS, yield_on_timeout=True
    )
    with closing(bursts):
        for changes in bursts:
            if not begun:
                yield
            elif changes or _identify(paths) != identities:
                return
            begun = True


def _identify(paths: Sequence[Path]) -> list[int | None]:
    """Return the inode of each path, which changes when another file or folder takes its place."""
    return [path.stat().st_ino if path.exists() else None for path in paths]
