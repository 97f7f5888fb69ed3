"""Run `rag serve` over stand-ins for the models, so that the server itself is measured: `python -m stress.stand_in`.

The arguments are a folder for the index, the seconds that the generator takes for a word, and those of `rag serve`.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rag import Assistant, Config, build_index
from rag.cli import main
from rag.index.index import Index
from rag.testing import SPEAKING, ScriptedGenerator, WordEncoder
from rag.text.prompts import Prompts

REPLY = "It cost nine million in the end."


class SpeakingGenerator(ScriptedGenerator):
    """A generator that gives one reply and does not record prompts."""

    def __init__(self, pause: float) -> None:
        super().__init__(REPLY, pause=pause)
        self.prompts = _Forgotten()


class ForgetfulEncoder(WordEncoder):
    """An encoder that does not record what it encoded."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded = _Forgotten()


class _Forgotten(list[Any]):
    """A list that keeps nothing, as a growing list would look like a leak."""

    def append(self, _: object) -> None:
        """Do nothing."""

    def extend(self, _: Iterable[object]) -> None:
        """Do nothing."""


def serve(folder: Path, pause: float, *arguments: str) -> None:
    """Build the index over the configured corpus, and serve it."""

    def load(config: Config) -> Assistant:
        encoder = ForgetfulEncoder()
        build_index(config=Config(corpus=config.corpus, indexes=folder), encoder=encoder)
        index = Index.open(folder / config.index)
        return Assistant(
            Config(indexes=folder), index, encoder, SpeakingGenerator(pause), Prompts.load(config.prompts), SPEAKING
        )

    main(["serve", *arguments], load)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:])
