"""The page of figures: the corpus, the index, the last answers, and how good answers were measured to be."""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rag.answering.html import escape
from rag.assistant import Assistant
from rag.config import ROOT
from rag.page.conversation import Exchange
from rag.page.labels import Wording

RESULTS = ROOT / "evaluation" / "results"
LAST = 10
"""Answers whose seconds are shown."""


def draw_figures(assistant: Assistant, exchanges: Sequence[Exchange], wording: Wording) -> str:
    """All of it, as HTML."""
    articles = assistant.list_articles()
    languages = Counter(wording.name(article.language) for article in articles)
    dates = Counter(article.date or wording.label("undated") for article in articles)
    sections = (
        _draw_plot(wording.label("by_language"), sorted(languages.items(), key=lambda one: (-one[1], one[0]))),
        _draw_plot(wording.label("by_date"), sorted(dates.items())),
        _draw_index(assistant, wording),
        _draw_answers(exchanges, wording),
        _draw_evaluation(wording),
    )
    return f'<div class="grid">{"".join(sections)}</div>'


def _draw_plot(heading: str, counts: Iterable[tuple[str, int]]) -> str:
    """Bars in a table, which a screen reader reads as the numbers that they are."""
    counts = list(counts)
    most = max((count for _, count in counts), default=1)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        f'<td><span class="bar" style="inline-size: {80 * count / most:.0f}%"></span> {count}</td></tr>'
        for name, count in counts
    )
    return _draw_section(heading, f'<table class="plot">{rows}</table>')


def _draw_index(assistant: Assistant, wording: Wording) -> str:
    manifest = assistant.index.manifest
    facts = {
        "index_name": assistant.index.name,
        "built": manifest.created.replace("T", " "),
        "articles": manifest.articles,
        "passages": manifest.passages,
        "encoder": assistant.encoder.name,
        "generator": assistant.generator.name,
    }
    rows = ((wording.label(key), str(value)) for key, value in facts.items())
    return _draw_section(wording.label("index_state"), _draw_table(rows))


def _draw_answers(exchanges: Sequence[Exchange], wording: Wording) -> str:
    answers = [one.answer for one in exchanges if one.answer][-LAST:]
    heading = wording.label("last_answers")
    if not answers:
        return _draw_section(heading, f"<p>{escape(wording.label('nothing_asked'))}</p>")
    columns = ("question", "to_evidence", "to_answer")
    head = "".join(f'<th scope="col">{escape(wording.label(key))}</th>' for key in columns)
    rows = "".join(
        f'<tr><td dir="auto">{escape(answer.question)}</td>'
        + "".join(f"<td>{_say_seconds(answer.timings.get(key), wording)}</td>" for key in ("evidence", "total"))
        + "</tr>"
        for answer in reversed(answers)
    )
    return _draw_section(heading, f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")


def _say_seconds(seconds: float | None, wording: Wording) -> str:
    """Nothing where there was nothing to wait for: what the index itself answers is not searched for."""
    return "" if seconds is None else escape(wording.label("seconds", seconds=f"{seconds:.2f}"))


def _draw_evaluation(wording: Wording) -> str:
    """The newest results, where the project's folder is at hand."""
    files = RESULTS.glob("*-held-back-answers.json")
    results = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    picture = RESULTS / "heatmap.png"
    if not results:
        return ""
    drawn = _draw_measured(max(results, key=lambda measured: str(measured["commit"].get("time", ""))))
    if picture.exists():
        data = base64.b64encode(picture.read_bytes()).decode()
        drawn += f'<img src="data:image/png;base64,{data}" alt="{escape(wording.label("heat_map"))}">'
    return _draw_section(wording.label("evaluation"), drawn)


def _draw_measured(measured: dict[str, Any]) -> str:
    """A column for each system that was asked, under its name."""
    systems: dict[str, dict[str, float]] = measured["figures"]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in systems)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{figures[name]:.2f}</td>" for figures in systems.values())
        + "</tr>"
        for name in next(iter(systems.values()))
    )
    commit = escape(f"{measured['generator']}, {measured['commit']['hash'][:12]}")
    table = f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div lang="en">{table}<p class="commit">{commit}</p></div>'


def _draw_table(rows: Iterable[tuple[str, str]]) -> str:
    drawn = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in rows)
    return f"<table>{drawn}</table>"


def _draw_section(heading: str, content: str) -> str:
    return f"<section><h2>{escape(heading)}</h2>{content}</section>"
