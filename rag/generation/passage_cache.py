"""What the generator computed of passages and keeps on disk, found by their words, and let go with their articles."""

from collections import Counter
from collections.abc import Iterable
from functools import cached_property

from rag.config import Config
from rag.generation.state_cache import StateCache, name_subject
from rag.text.prompts import Prompts


class PassageCache:
    """Those in the configured cache."""

    def __init__(self, config: Config) -> None:
        self.states = StateCache(config.cache / "states", config.state_megabytes * 1_000_000)
        self._config = config

    @cached_property
    def _prompts(self) -> Prompts:
        return Prompts.load(self._config.prompts)

    def count(self) -> Counter[str]:
        """Of each passage that something was computed of, by the name of its words, in how many files it is."""
        return self.states.count_subjects()

    def name(self, passage: str) -> str:
        """The name of a passage's words."""
        return name_subject(self._prompts.fill("excerpt", passage=passage))

    def forget(self, passages: Iterable[str]) -> None:
        """Remove what was computed of these."""
        for name in self.count().keys() & {self.name(passage) for passage in passages}:
            self.states.forget(name)
