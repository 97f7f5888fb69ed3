"""When segments become fewer, and which: the one place where the sizes of an index are decided.

A search goes through every segment, and merging copies what it merges. So a segment is merged only with others that are
together about as large: sizes then at least double from one segment to the next, a passage is copied as often as the
corpus doubles, and an update costs what it changes. Nothing is encoded again.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Sizes of an index, in passages."""

    batch: int = 4096
    """What is read, encoded and kept together, at least: two hundred megabytes of tokens."""
    exact: int = 50_000
    """Up to so many in a segment are compared one by one, in less than 10 ms on one core."""
    small: int = 4096
    """Segments that are copied in no time: they are merged with each other, and removed articles leave them at once."""
    most: int = 262_144
    """Of a merged segment; larger ones would take minutes to copy, and 400 MB of memory."""
    decayed: float = 0.2
    """Share of the rows without a passage from which on a segment of any size is copied without them."""

    def plan(self, segments: Sequence[tuple[int, int]]) -> list[list[int]]:
        """Which segments are to be copied into one each, by their places; of each, its passages and rows are given."""
        groups: list[list[int]] = []
        group: list[int] = []
        total = 0
        for place in sorted(range(len(segments)), key=lambda place: segments[place]):
            passages = segments[place][0]
            if group and (passages > max(self.small, 2 * total) or total + passages > self.most):
                groups.append(group)
                group, total = [], 0
            group.append(place)
            total += passages
        groups.append(group)
        return [sorted(group) for group in groups if len(group) > 1 or any(self._decays(*segments[p]) for p in group)]

    def _decays(self, passages: int, rows: int) -> bool:
        return passages < rows and (rows <= self.small or rows - passages >= self.decayed * rows)
