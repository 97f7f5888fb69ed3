"""What was found, in the reader's language: a statement with its marks, an article's own words, or a list of quotes."""

from collections.abc import Sequence
from dataclasses import replace

from rag.answering import Finding
from rag.language import Language, name_of
from rag.prompts import Prompts
from rag.types import Citation, Encoder
from rag.verification import cite, find_answer, quote


def phrase(
    finding: Finding, question: str, language: Language, prompts: Prompts, encoder: Encoder
) -> tuple[str, tuple[Citation, ...]]:
    """What the reader is told, and where it stands; no citation where the articles do not say."""
    written = (language.code, language.script)
    if finding.statement:
        hits = (finding.statement.hit, *finding.agreeing)
        borne = [replace(finding.statement, hit=hit) for hit in hits]
        citations = tuple(cite(one, question, number, encoder) for number, one in enumerate(borne, start=1))
        return f"{finding.statement.text} {''.join(f'[{cited.number}]' for cited in citations)}", citations
    passages = [hit.passage for hit in finding.quoted]
    citations = tuple(
        quote(passage, find_answer(question, passage, encoder), number) for number, passage in enumerate(passages, 1)
    )
    match citations:
        case ():
            return prompts.say("abstain", *written), ()
        case (cited,):
            origin = name_of(cited.language, *written)
            return f"{prompts.say('quoted', *written, origin=origin, quote=cited.quote)} [1]", citations
        case _:
            return list_quotes(prompts.say("several", *written), citations, language), citations


def list_quotes(heading: str, citations: Sequence[Citation], language: Language) -> str:
    """A heading, and below it each quote with its language, its date if it has one, and its mark."""
    lines = [
        f"“{' '.join(cited.quote.split())}” "
        f"({', '.join(filter(None, (name_of(cited.language, language.code, language.script), cited.date)))}) "
        f"[{cited.number}]"
        for cited in citations
    ]
    return "\n".join([heading, *lines])
