"""Everything that can go wrong, in one tree.

    RagError
    ├── ConfigError        a setting cannot be used
    ├── PromptError        a file in prompts/ is missing or malformed
    ├── QuestionError      the question is empty or too long, or nothing is left to look in
    ├── ArticleMissing     there is no article of that name in the index
    ├── Overload           more ask than a server holds at once
    ├── Overtime           an answer took longer than a server waits for it
    ├── DocumentError      a file cannot be read as an article
    ├── ModelError         a model cannot be used
    │   ├── ModelMissing   its files are not in the cache
    │   ├── FetchError     its files could not be fetched or did not match their checksums
    │   └── GenerationError  it failed while it was answering
    └── StoreError        an index cannot be used
        ├── IndexMissing   there is none of that name
        ├── IndexMismatch  it was built by another encoder, format or passage setting
        ├── IndexDamaged   its files do not match its manifest
        └── IndexBusy      another process is building it

Each message is one or two sentences for a reader: what happened, to which file, and what to do about it.
The shell and the page show the message and nothing else.
"""


class RagError(Exception):
    """Base of all errors that this package raises on purpose."""


class ConfigError(RagError):
    """A setting cannot be used."""


class PromptError(RagError):
    """A file in `prompts/` is missing or malformed."""


class QuestionError(RagError):
    """The question is empty or too long, or nothing is left to look in."""

    def __init__(self, message: str, label: str | None = None, **values: object) -> None:
        """`label` is what the page says for it in its reader's language, a key of `prompts/page/`, with its values."""
        super().__init__(message)
        self.label = label
        self.values = values


class ArticleMissing(RagError):
    """There is no article of that name in the index."""


class ServiceBusy(RagError):
    """More ask than a server holds at once."""


class AnswerTimeout(RagError):
    """An answer took longer than a server waits for it."""


class DocumentError(RagError):
    """A file cannot be read as an article."""


class ModelError(RagError):
    """A model cannot be used."""


class ModelMissing(ModelError):
    """A model's files are not in the cache."""


class FetchError(ModelError):
    """A model's files could not be fetched, or did not match their checksums."""


class GenerationError(ModelError):
    """A model failed while it was answering."""


class StoreError(RagError):
    """An index cannot be used."""


class IndexMissing(StoreError):
    """There is no index of that name."""


class IndexMismatch(StoreError):
    """The index was built by another encoder, format or passage setting."""


class IndexDamaged(StoreError):
    """The index's files do not match its manifest."""


class IndexBusy(StoreError):
    """Another process is building the index."""
