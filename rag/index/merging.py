"""The merge policy: how large the segments of an index become, and which of them are merged.

A search visits every segment, and merging copies what it merges. A segment is therefore merged only with others that
together are about as large as it is. Sizes then at least double from one segment to the next, a passage is copied once
each time the corpus doubles, and the cost of an update depends on what it changes. Merging does not encode anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MergePolicy:
    """Sizes of segments, in passages."""

    batch: int = 4096
    """The least that is read, encoded and sealed together; its tokens take two hundred megabytes."""
    exact: int = 50_000
    """The most vectors of a segment that a search compares one by one, which takes less than 10 ms on one core."""
    small: int = 4096
    """The size up to which copying a segment takes no noticeable time. Such segments are merged with each other, and
    removed articles leave them at once."""
    most: int = 262_144
    """The most passages of a merged segment; copying a larger one would take minutes, and 400 MB of memory."""
    removed_share: float = 0.2
    """The share of rows without a passage from which a segment of any size is copied without them."""

    def plan(self, segments: Sequence[tuple[int, int]]) -> list[list[int]]:
        """Return groups of segments, each to be copied into one segment; the others stay as they are.

        `segments` gives the number of passages and of rows of each segment; the groups hold positions in it.
        """
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
        return [
            sorted(group) for group in groups if len(group) > 1 or any(self._must_copy(*segments[p]) for p in group)
        ]

    def _must_copy(self, passages: int, rows: int) -> bool:
        return passages < rows and (rows <= self.small or rows - passages >= self.removed_share * rows)
