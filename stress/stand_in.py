"""Run `rag serve` over stand-ins for the models, so that the server itself is measured: `python -m stress.stand_in`.

The arguments are a folder for the index, the seconds that the generator takes for a word, and those of `rag serve`.
"""

import sys
from pathlib import Path

from rag import Assistant, Config, build_index
from rag.cli import main
from rag.index.index import Index
from rag.testing import SPEAKING, ScriptedGenerator, WordEncoder
from rag.text.prompts import Prompts

REPLY = "It cost nine million in the end."


def serve(folder: Path, pause: float, *arguments: str) -> None:
    """Build the index over the configured corpus, and serve it."""

    def load(config: Config) -> Assistant:
        # Stand-ins that remembered what they were given would look like a leak.
        encoder = WordEncoder(remember=False)
        build_index(config=Config(corpus=config.corpus, indexes=folder), encoder=encoder)
        index = Index.open(folder / config.index)
        generator = ScriptedGenerator(REPLY, pause=pause, remember=False)
        return Assistant(Config(indexes=folder), index, encoder, generator, Prompts.load(config.prompts), SPEAKING)

    main(["serve", *arguments], load)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:])
