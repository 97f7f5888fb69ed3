"""The page's own words, in the language that its reader has chosen or the browser asks for."""

from collections.abc import Collection
from dataclasses import dataclass

from rag.errors import QuestionError, RagError
from rag.text.language import name_of
from rag.text.prompts import FALLBACK, Prompts


@dataclass(frozen=True, slots=True)
class Wording:
    """What the page says, in one language."""

    prompts: Prompts
    tag: str
    """A file of `prompts/page/`, such as `cs` or `sr-Latn`."""

    @property
    def written(self) -> tuple[str, str | None]:
        """The language, ISO 639-1, and its script where that is not the usual one, ISO 15924."""
        language, _, script = self.tag.partition("-")
        return language, script or None

    def label(self, key: str, **values: object) -> str:
        """What the page says for `key`."""
        return self.prompts.label(key, *self.written, **{name: str(value) for name, value in values.items()})

    def explain(self, error: RagError) -> str:
        """The sentence of an error, in the page's language where it has one for it."""
        if isinstance(error, QuestionError) and error.label:
            return self.label(error.label, **error.values)
        return str(error)

    def name(self, language: str) -> str:
        """What a language is called."""
        return name_of(language, *self.written)


def choose_tongue(accepted: str, offered: Collection[str]) -> str:
    """The tag that suits a browser's `Accept-Language` best; English where none does."""
    for tag in _order(accepted):
        parts = tag.split("-")
        for length in range(len(parts), 0, -1):
            wanted = "-".join(parts[:length])
            for one in offered:
                if one.lower() == wanted:
                    return one
    return FALLBACK


def _order(accepted: str) -> list[str]:
    """The tags of the header in lower case, the most wanted first."""
    weighed = []
    for entry in accepted.lower().split(","):
        tag, _, quality = entry.partition(";q=")
        try:
            weighed.append((-float(quality or 1), tag.strip()))
        except ValueError:
            continue
    return [tag for _, tag in sorted(weighed, key=lambda one: one[0])]


def name_tongue(tag: str) -> str:
    """What a language calls itself, for the list to choose from."""
    from babel import Locale

    return str(Locale.parse(tag.replace("-", "_")).get_display_name()).capitalize()
