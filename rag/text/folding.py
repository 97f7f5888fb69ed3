"""Two ways to make spellings comparable: across scripts, or within one script.

Names are compared across scripts, so that Путин is Putin. Accepted answers are compared within one script, because an
answer in another script is another answer.
"""

import unicodedata


def fold(text: str) -> str:
    """Return `text` in lower-case ASCII, transliterated from any script. The length may change."""
    from anyascii import anyascii

    return anyascii(text).lower()


def fold_in_script(text: str) -> str:
    """Return `text` without case and combining marks (NFKD), each letter in its own script. The length may change."""
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char)).casefold()
