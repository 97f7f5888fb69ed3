"""A corpus of any size with the geometry of a real one: its passages again and again, their vectors with noise."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from rag.draft import Draft
from rag.index import Index
from rag.types import Document, Encoder, Encodings, Passage

NOISE = 0.5
"""Length of what is added to a unit vector, in a direction of its own: a cosine of 0.89 with the original."""
PER_DOCUMENT = 20


def grow(index: Index, encoder: Encoder, passages: int, folder: Path, advance: Callable[[int], object]) -> Index:
    """An index in `folder` of so many passages made from those of `index`; `advance` is told how many more are there.

    The texts differ by a number, so that none is a copy of another; the tokens are those of the originals.
    """
    chance = np.random.default_rng(0)
    sources = [article.source for article in index.list_articles()]
    originals = [index.read_passages(source) for source in sources]
    texts = [passage for of_one, _ in originals for passage in of_one]
    vectors = np.concatenate([encodings.vectors for _, encodings in originals])
    tokens = [one for _, encodings in originals for one in encodings.tokens]
    with Draft(folder, encoder.dimension) as draft:
        for start in range(0, passages, PER_DOCUMENT):
            rows = [row % len(texts) for row in range(start, min(start + PER_DOCUMENT, passages))]
            noise = chance.normal(size=(len(rows), encoder.dimension)).astype(np.float32)
            noisy = vectors[rows] + NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
            noisy /= np.linalg.norm(noisy, axis=1, keepdims=True)
            document, copies = _copy(f"{start:07}.txt", [texts[row] for row in rows])
            draft.add(document, len(document.text), copies, Encodings(noisy, tuple(tokens[row] for row in rows)))
            advance(len(rows))
        draft.commit(encoder, index.manifest.passage_tokens, [folder])
    return Index.open(folder)


def _copy(source: str, passages: list[Passage]) -> tuple[Document, list[Passage]]:
    """A document of these passages, each told from all others by a number."""
    texts = [f"{passage.text} {source}-{number}" for number, passage in enumerate(passages)]
    starts = np.cumsum([0, *(len(text) + 2 for text in texts)])
    first = passages[0]
    document = Document(source, "\n\n".join(texts), first.language, first.script, first.date, None, checksum=source)
    return document, [
        replace(passage, source=source, text=text, start=int(start), end=int(start) + len(text), title=None)
        for passage, text, start in zip(passages, texts, starts, strict=False)
    ]
