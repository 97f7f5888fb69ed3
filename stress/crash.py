"""Kill builds, and check that the index then opens with the whole old or the whole new state.

    python -m stress.crash --kills 300

Files of a corpus are added, changed and removed while a child process updates the index and is killed (SIGKILL): every
other time after a random delay, otherwise at a random moment at which it opens, renames or removes a file. Sizes are so
small that each build seals several segments, merges some, removes articles from others and trains inverted lists.
"""

import argparse
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from stress.killed_builds import Trial


def main() -> None:
    """Kill builds, and print how many left the old state and how many the new one."""
    # Not at module level, as every child process imports this module.
    from rich.console import Console
    from rich.progress import Progress

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=300, help="builds to kill (300)")
    options.add_argument("--seed", type=int, default=0, help="seed of the random changes (0)")
    chosen = options.parse_args()
    with TemporaryDirectory() as folder, Progress(console=Console(stderr=True), transient=True) as bars:
        trial = Trial(Path(folder), chosen.seed)
        bar = bars.add_task("Killing builds", total=chosen.kills)
        with suppress(KeyboardInterrupt):  # Report the builds killed so far.
            trial.run(chosen.kills, lambda more: bars.advance(bar, more))
    left = trial.outcomes
    print(f"{left.total()} builds killed: {left['old']} left the whole old state, {left['new']} the whole new one")


if __name__ == "__main__":
    main()
