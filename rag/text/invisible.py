"""Remove or replace invisible characters, which models read, and which terminals and browsers obey."""

import re

# Controls except tab and line feed; soft hyphen; Mongolian vowel separator; zero-width space; forced text directions;
# invisible operators; byte-order and annotation marks; tag characters; variation selectors, which can hide bytes.
# Joiners and marks that Arabic, Hebrew, Indic scripts and emoji need are left alone.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u180e\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef]"
)


def drop_hidden(text: str) -> str:
    """Return `text` without invisible characters. The length may change."""
    return _HIDDEN.sub("", text)


def mark_hidden(text: str, mark: str = "\ufffd") -> str:
    """Return `text` with each invisible character replaced by another one. The length stays the same."""
    return _HIDDEN.sub(mark, text)
