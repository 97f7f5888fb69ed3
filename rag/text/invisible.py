"""Characters of a text that nobody sees, but that a model reads, or a terminal or a page obeys."""

import re

# Controls but tab and line feed; zero-width space; directions that are forced on what follows; invisible operators;
# marks of order and annotation; tag characters and the selectors in which bytes are smuggled. Joiners and marks that
# Arabic, Hebrew, Indic and emoji need are not among them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef]"
)


def drop_hidden(text: str) -> str:
    """The text without them. Its length may change."""
    return _HIDDEN.sub("", text)


def mark_hidden(text: str) -> str:
    """The text with a sign in place of each, as long as it was."""
    return _HIDDEN.sub("\ufffd", text)
