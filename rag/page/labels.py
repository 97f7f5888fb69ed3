"""The texts of the page in the language that its reader has chosen or that the browser asks for."""

from collections.abc import Collection
from dataclasses import dataclass

from rag.errors import QuestionError, RagError
from rag.text.language import name_of
from rag.text.prompts import FALLBACK, Prompts


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts of the page in one language."""

    prompts: Prompts
    tag: str
    """Name of a file in `prompts/page/`, such as `cs` or `sr-Latn`."""

    @property
    def written(self) -> tuple[str, str | None]:
        """The language, ISO 639-1, and its script, ISO 15924, if it is not the usual one."""
        language, _, script = self.tag.partition("-")
        return language, script or None

    def label(self, key: str, **values: object) -> str:
        """Return the text of `key` with its variables filled in."""
        return self.prompts.label(key, *self.written, **{name: str(value) for name, value in values.items()})

    def explain(self, error: RagError) -> str:
        """Return the message of an error, in the page's language if there is a translation."""
        if isinstance(error, QuestionError) and error.label:
            return self.label(error.label, **error.values)
        return str(error)

    def name_page(self, page: int | None) -> str | None:
        """Return the name of a page, such as `p. 3`; None if there is no page."""
        return self.prompts.say("page", *self.written, page=str(page)) if page else None

    def name(self, language: str) -> str:
        """Return the name of a language, in the language of the page."""
        return name_of(language, *self.written)


def choose_language(accepted: str, offered: Collection[str]) -> str:
    """Return the offered tag that matches an `Accept-Language` header best, or English if none does."""
    for tag in _order(accepted):
        parts = tag.split("-")
        for length in range(len(parts), 0, -1):
            wanted = "-".join(parts[:length])
            for one in offered:
                if one.lower() == wanted:
                    return one
    return FALLBACK


def _order(accepted: str) -> list[str]:
    """Return the tags of the header in lower case, by descending quality."""
    weighed = []
    for entry in accepted.lower().split(","):
        tag, _, quality = entry.partition(";q=")
        try:
            weighed.append((-float(quality or 1), tag.strip()))
        except ValueError:
            continue
    return [tag for _, tag in sorted(weighed, key=lambda one: one[0])]


def name_natively(tag: str) -> str:
    """Return the name of a language in that language."""
    from babel import Locale

    return str(Locale.parse(tag.replace("-", "_")).get_display_name()).capitalize()
