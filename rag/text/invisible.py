"""Remove or show characters that a reader cannot see, but that a model reads, or that a terminal or a page obeys."""

import re

# Controls except tab and line feed; zero-width space; forced text directions; invisible operators; byte-order and
# annotation marks; tag characters; variation selectors, which can smuggle bytes. Joiners and marks that Arabic, Hebrew,
# Indic scripts and emoji need are not included.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef]"
)


def drop_hidden(text: str) -> str:
    """Return `text` without invisible characters. The length may change."""
    return _HIDDEN.sub("", text)


def mark_hidden(text: str) -> str:
    """Return `text` with each invisible character replaced by U+FFFD. The length stays the same."""
    return _HIDDEN.sub("\ufffd", text)
