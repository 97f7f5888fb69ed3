"""Compare a corpus with its index, to find the files to read and the articles to keep or remove."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.ingest.documents import File, ParsedDocument, Skipped, walk


@dataclass(slots=True)
class Changes:
    """The differences between a corpus and its index, found by `scan` and completed by reading the waiting files."""

    known: Mapping[str, str]
    """The articles in the index: source to SHA-256 of the file."""
    staged: Mapping[str, str]
    """The articles that an interrupted build has encoded: source to SHA-256 of the file."""
    wanted: dict[str, str] = field(default_factory=dict)
    """The known and staged articles that the new generation keeps: source to SHA-256 of the file."""
    waiting: list[File] = field(default_factory=list)
    """The files that must be read."""
    read: set[str] = field(default_factory=set)
    """The sources of the files that were read."""
    kept: list[Skipped] = field(default_factory=list)
    """The known articles that can no longer be read and are kept as they were."""
    skipped: list[Skipped] = field(default_factory=list)
    incomplete: list[Skipped] = field(default_factory=list)
    """The articles of which a part could not be read, once for each part."""

    def scan(self, paths: Sequence[Path]) -> None:
        """Find the files under `paths`, and note which of them must be read. Raises DocumentError."""
        for entry in walk(paths):
            if isinstance(entry, Skipped):
                self.skip(entry)
            elif entry.checksum in (self.known.get(entry.source), self.staged.get(entry.source)):
                self.wanted[entry.source] = entry.checksum
            else:
                self.waiting.append(entry)

    def skip(self, skipped: Skipped) -> None:
        """Note a file or folder that was skipped. If it cannot be read, the known articles in it are kept."""
        below = f"{skipped.source}/"
        known = [source for source in self.known if f"{source}/".startswith(below)] if skipped.unreadable else []
        self.kept += [replace(skipped, source=source) for source in known]
        self.wanted.update({source: self.known[source] for source in known})
        self.skipped += [] if known else [skipped]

    def add(self, document: ParsedDocument) -> None:
        """Note a file that was read, and the parts of it that could not be read."""
        self.read.add(document.source)
        self.incomplete += [Skipped(document.source, warning) for warning in document.warnings]

    @property
    def present(self) -> set[str]:
        """The sources of all articles of the new generation."""
        return self.wanted.keys() | self.read

    @property
    def encoded(self) -> set[str]:
        """The sources of the articles that were encoded by this build or by the interrupted one that it resumed."""
        return self.read | {source for source, digest in self.wanted.items() if self.known.get(source) != digest}

    @property
    def removed(self) -> set[str]:
        """The sources of the known articles whose files are gone, as opposed to files that are now skipped."""
        return self.known.keys() - self.present - {entry.source for entry in self.skipped}

    @property
    def dropped(self) -> set[str]:
        """The sources of the known articles that the new generation does not keep as they were."""
        return {source for source, digest in self.known.items() if self.wanted.get(source) != digest}
