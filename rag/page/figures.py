"""The Figures tab: the corpus, the index, the last answers, and the measured quality of answers."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.assistant import Assistant
from rag.page.conversation import Exchange
from rag.page.labels import Wording
from rag.page.rendering import render
from rag.text.records import read_record

DATA = Path(__file__).with_name("data")
"""The newest results of the evaluation; `make eval` writes them here."""
MEASURED = "measured.json"
HEAT_MAP = "heatmap.png"
LAST = 10
"""The number of recent answers whose times are shown."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """The measured quality of the answers to the held-back cases, by system and measure."""

    commit: str
    generator: str
    figures: Mapping[str, Mapping[str, float]]


def draw_figures(assistant: Assistant, exchanges: Sequence[Exchange], wording: Wording) -> str:
    """Return the HTML of the Figures tab."""
    articles = assistant.list_articles()
    languages = Counter(wording.name(article.language) for article in articles)
    dates = Counter(article.date or wording.label("undated") for article in articles)
    manifest = assistant.index.manifest
    answers = [one.answer for one in exchanges if one.answer]
    return render(
        "figures.html",
        languages=sorted(languages.items(), key=lambda one: (-one[1], one[0])),
        dates=sorted(dates.items()),
        index={
            "index_name": assistant.index.name,
            "built": manifest.created.replace("T", " "),
            "articles": manifest.articles,
            "passages": manifest.passages,
            "encoder": assistant.encoder.name,
            "generator": assistant.generator.name,
        },
        answers=answers[: -LAST - 1 : -1],
        measurement=read_record(Measurement, DATA / MEASURED),
        heat_map=base64.b64encode((DATA / HEAT_MAP).read_bytes()).decode(),
        wording=wording,
    )
