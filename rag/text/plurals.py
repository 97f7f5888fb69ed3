"""English counts for messages."""


def count_noun(number: int, noun: str) -> str:
    """Return a count with its noun, such as `1 file` or `2 files`; the plural is formed with `s`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
