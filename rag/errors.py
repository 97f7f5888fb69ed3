"""The errors that this package raises on purpose.

    RagError
    ├── ConfigError          a setting cannot be used
    ├── PromptError          a file in prompts/ is missing or malformed
    ├── QuestionError        the question is empty or too long, or no passage is left to search
    ├── ArticleMissing       the index has no article of that name
    ├── ServiceBusy          the capacity limit of the server is reached
    ├── AnswerTimeout        an answer took longer than the server allows
    ├── DocumentError        a file cannot be read as an article
    ├── ModelError           a model cannot be used
    │   ├── ModelMissing     its files are not in the cache
    │   ├── FetchError       its files could not be fetched, or do not match their checksums
    │   └── GenerationError  it failed while it was answering
    └── StoreError           an index cannot be used
        ├── IndexMissing     there is no index of that name
        ├── IndexMismatch    it was built with another encoder, format or passage setting
        ├── IndexDamaged     its files do not match its manifest
        └── IndexBusy        another process is building it

Each message is one or two sentences for the user: what happened, to which file, and what to do about it. The shell and
the page show the message alone.
"""


class RagError(Exception):
    """Base class of all errors that this package raises on purpose."""


class ConfigError(RagError):
    """A setting cannot be used."""


class PromptError(RagError):
    """A file in `prompts/` is missing or malformed."""


class QuestionError(RagError):
    """The question is empty or too long, or no passage is left to search."""

    def __init__(self, message: str, label: str | None = None, **values: object) -> None:
        """Store the English message, and the key in `prompts/page/` of its translations with the values to fill in."""
        super().__init__(message)
        self.label = label
        self.values = values


class ArticleMissing(RagError):
    """The index has no article of that name."""


class ServiceBusy(RagError):
    """The capacity limit of the server is reached."""


class AnswerTimeout(RagError):
    """An answer took longer than the server allows."""


class DocumentError(RagError):
    """A file cannot be read as an article."""


class ModelError(RagError):
    """A model cannot be used."""


class ModelMissing(ModelError):
    """The files of a model are not in the cache."""


class FetchError(ModelError):
    """The files of a model could not be fetched, or do not match their checksums."""


class GenerationError(ModelError):
    """A model failed while it was answering."""


class StoreError(RagError):
    """An index cannot be used."""


class IndexMissing(StoreError):
    """There is no index of that name."""


class IndexMismatch(StoreError):
    """The index was built with another encoder, format or passage setting."""


class IndexDamaged(StoreError):
    """The files of an index do not match its manifest."""


class IndexBusy(StoreError):
    """Another process is building the index."""
