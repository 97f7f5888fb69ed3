"""Keeps an index up to date while files come, change and go. No other room imports watchfiles."""

import time
from collections.abc import Callable, Iterator, Sequence
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

QUIET = 500
"""Milliseconds without a change that end a burst of them."""
LONGEST = 10_000
"""Milliseconds after which a burst is taken up even though it goes on."""
TICK = 500
"""Milliseconds after which it is looked whether the folders are still the same ones."""
PATIENCE = 1.0
"""Seconds until a busy index or a missing folder is tried again."""


def keep_index(config: Config, encoder: Encoder | None = None) -> Iterator[Summary | RagError]:
    """Bring an index that was built up to date with its folders and files, now and whenever they have changed.

    Gives what each build did, or why it could not be done; the old index stays in use then, and the next change is
    waited for. While another process builds, this one waits. It never ends by itself. Raises StoreError when there
    is no such index, ModelError, and DocumentError when changes cannot be watched for.
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
            time.sleep(PATIENCE)
        except (DocumentError, StoreError) as error:
            return error


def watch(paths: Sequence[Path], ignored: Sequence[Path] = ()) -> Iterator[None]:
    """Gives a sign when watching has begun, and after each burst of changes under `paths`, which are absolute.

    What lies in `ignored`, or has a name that begins with a dot, does not count. A path that vanishes is a change,
    and so is its return. Raises DocumentError when the system does not let them be watched.
    """

    def counts(_: Change, changed: str) -> bool:
        path = Path(changed)
        root = next((root for root in paths if path.is_relative_to(root)), path)
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        return not hidden and not any(path.is_relative_to(one) for one in ignored)

    gone = False
    while True:
        try:
            # Begun anew for each burst: what the system watches is a file or folder, not what takes its place.
            for _ in _await_burst(paths, counts):
                yield
            gone = False
        except FileNotFoundError:
            if not gone:
                yield
            gone = True
            time.sleep(PATIENCE)
        except OSError as error:
            raise DocumentError(
                f"{', '.join(map(str, paths))} cannot be watched: {error}. "
                "Raise the system's limit of watches, or run `rag index` when something has changed."
            ) from error


def _await_burst(paths: Sequence[Path], counts: Callable[[Change, str], bool]) -> Iterator[None]:
    """Gives a sign when watching has begun, and ends after the first burst that comes then."""
    identities = _identify(paths)
    begun = False
    bursts = await_changes(
        *paths, watch_filter=counts, debounce=LONGEST, step=QUIET, rust_timeout=TICK, yield_on_timeout=True
    )
    with closing(bursts):
        for changes in bursts:
            if not begun:
                yield
            elif changes or _identify(paths) != identities:
                return
            begun = True


def _identify(paths: Sequence[Path]) -> list[int | None]:
    """What tells a file or folder from another that takes its place."""
    return [path.stat().st_ino if path.exists() else None for path in paths]
