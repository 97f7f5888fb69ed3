"""Builds that are killed: after each, the index opens and holds the whole old or the whole new state.

    python -m stress.crash --kills 300

Files of a corpus come, change and go, and a child brings the index up to date and is killed (SIGKILL) on the way: every
other time after a random while, else at a random one of the moments at which it opens, renames or removes a file. Sizes
are so small that each build seals several segments, merges some, removes articles from others and trains lists.
"""

import argparse
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from stress.killing import Trial


def main() -> None:
    """Kill, and print what was left."""
    # Not above, as every child imports what stands there.
    from rich.console import Console
    from rich.progress import Progress

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=300, help="how many builds are killed (300)")
    options.add_argument("--seed", type=int, default=0, help="of what befalls the corpus (0)")
    chosen = options.parse_args()
    with TemporaryDirectory() as folder, Progress(console=Console(stderr=True), transient=True) as bars:
        trial = Trial(Path(folder), chosen.seed)
        bar = bars.add_task("Killing builds", total=chosen.kills)
        with suppress(KeyboardInterrupt):  # What came of those before is told.
            trial.run(chosen.kills, lambda more: bars.advance(bar, more))
    left = trial.outcomes
    print(f"{left.total()} builds killed: {left['old']} left the whole old state, {left['new']} the whole new one")


if __name__ == "__main__":
    main()
