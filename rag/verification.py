"""Statement and passage to the words that bear the statement."""

from rag.passages import split_sentences
from rag.types import Citation, Encoder, Passage, Statement


def cite(statement: Statement, question: str, number: int, encoder: Encoder) -> Citation:
    """Quote the sentence of the statement's passage that is nearest to question and statement in meaning."""
    passage = statement.hit.passage
    start, end = _find_sentence(f"{question} {statement.text}", passage, encoder)
    return Citation(
        number=number,
        source=passage.source,
        language=passage.language,
        script=passage.script,
        date=passage.date,
        quote=passage.text[start:end],
        start=passage.start + start,
        end=passage.start + end,
    )


def _find_sentence(text: str, passage: Passage, encoder: Encoder) -> tuple[int, int]:
    """Start and end, within the passage, of the sentence nearest to `text`."""
    spans = split_sentences(passage.text, passage.language)
    sentences = encoder.encode([passage.text[start:end] for start, end in spans], "passage").vectors
    (wanted,) = encoder.encode([text], "query").vectors
    return spans[int((sentences @ wanted).argmax())]
