"""Write figures as tables for a terminal, as a heat map, and as a JSON file named after the commit."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from rich.table import Table

from evaluation import mixed_pool
from evaluation.mixed_pool import PoolFigures
from evaluation.run import Figures, Rows, Suite
from rag import Config
from rag.config import ROOT
from rag.page.figures import DATA, MEASURED
from rag.protocols import Encoder

RESULTS = Path(__file__).parent / "results"
HEAT_MAP = "heatmap.png"
SETTINGS = ("passage_tokens",)
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the project."""

    hash: str
    dirty: bool
    """True if the working tree differs from the commit."""
    time: str = ""
    """The time of the commit, ISO 8601 in UTC; empty if unknown."""

    @property
    def label(self) -> str:
        """The short hash for file names, followed by `-dirty` if the working tree differs from the commit."""
        return f"{self.hash[:12]}{'-dirty' * self.dirty}"


def read_commit(root: Path = ROOT) -> Commit:
    """Return the commit checked out in `root`, or an unknown one without git."""
    git = shutil.which("git")
    if not git or not (root / ".git").exists():
        return Commit(UNKNOWN, dirty=True)

    def run(*arguments: str) -> str:
        done = subprocess.run([git, *arguments], cwd=root, capture_output=True, text=True, check=True)  # noqa: S603
        return done.stdout.strip()

    made = datetime.fromtimestamp(int(run("show", "-s", "--format=%ct", "HEAD")), UTC).isoformat()
    is_dirty = bool(run("status", "--porcelain", "--", ".", ":!evaluation/results"))
    return Commit(run("rev-parse", "HEAD"), is_dirty, made)


def save(
    figures: Mapping[str, Figures],
    suite: Suite,
    encoders: Mapping[str, Encoder],
    config: Config,
    folder: Path = RESULTS,
) -> Path:
    """Write everything about a run as JSON, and return the file."""
    commit = read_commit()
    facts: dict[str, Any] = {
        "commit": asdict(commit),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "half": suite.half,
        "models": {name: encoder.describe() for name, encoder in encoders.items()},
        "settings": {name: getattr(config, name) for name in SETTINGS},
        "checksums": suite.checksums(),
        "figures": {name: _round(asdict(of_one)) for name, of_one in figures.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{commit.label}-{suite.half}.json"
    file.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return file


def publish(facts: Mapping[str, Any], folder: Path = DATA) -> Path:
    """Write the part of an answers result that the chat page shows, and return the file."""
    shown = {"commit": facts["commit"]["hash"][:12], "generator": facts["generator"], "figures": facts["figures"]}
    file = folder / MEASURED
    file.write_text(json.dumps(shown, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return file


def tables(figures: Mapping[str, Figures], half: str) -> Iterator[Table]:
    """Yield the tables of a run."""
    yield _table_by_language(f"Facts in the five articles, {half} half", {n: f.articles for n, f in figures.items()})
    yield _table_by_language(f"News that look alike, {half} half", {n: f.news for n, f in figures.items()})
    pools = {name: of_one.mixed_pool for name, of_one in figures.items() if of_one.mixed_pool}
    if pools:
        yield _table_of_pools(pools)
        for name, pool in pools.items():
            yield _table_of_pairs(name, pool)


def draw_heat_map(figures: Mapping[str, Figures], folder: Path = RESULTS) -> Path | None:
    """Draw R@1 by languages of question and passage as PNG, and return the file, or None without a mixed pool."""
    pools = {name: of_one.mixed_pool for name, of_one in figures.items() if of_one.mixed_pool}
    if not pools:
        return None
    picture = Figure(figsize=(4.2 * len(pools) + 0.8, 4), layout="constrained")
    panels = picture.subplots(1, len(pools), squeeze=False)[0]
    for panel, (name, pool) in zip(panels, pools.items(), strict=True):
        languages = sorted(pool.pairs)
        cells = [[pool.pairs[asked][lies]["R@1"] for lies in languages] for asked in languages]
        image = panel.imshow(cells, vmin=0, vmax=1, cmap="viridis")
        for row, of_row in enumerate(cells):
            for column, value in enumerate(of_row):
                colour = "black" if value > 0.6 else "white"
                panel.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=8)
        panel.set_xticks(range(len(languages)), languages)
        panel.set_yticks(range(len(languages)), languages)
        panel.set(title=name, xlabel="language of the passage", ylabel="language of the question")
    picture.colorbar(image, ax=list(panels), label="recall@1")
    folder.mkdir(parents=True, exist_ok=True)
    picture.savefig(folder / HEAT_MAP, dpi=150)
    if folder == RESULTS:
        shutil.copyfile(folder / HEAT_MAP, DATA / HEAT_MAP)
    return folder / HEAT_MAP


def _table_by_language(title: str, rows_of: Mapping[str, Rows]) -> Table:
    table = Table(title=title)
    table.add_column("language")
    table.add_column("ranking")
    first = next(iter(rows_of.values()))
    for measure in next(iter(first.values()), {}):
        table.add_column(measure, justify="right")
    for language in first:
        for name, rows in rows_of.items():
            table.add_row(language, name, *map(_show, rows[language].values()), end_section=name == list(rows_of)[-1])
    return table


def _table_of_pools(pools: Mapping[str, PoolFigures]) -> Table:
    one = next(iter(pools.values()))
    table = Table(title=f"Mixed pool, {one.questions // one.draws} questions in each of {one.draws} draws")
    for heading in ("ranking", "same R@1", "same R@5", "cross R@1", "cross R@5", "share", "worst pair, cross R@5"):
        table.add_column(heading, justify="left" if heading == "ranking" else "right")
    for name, pool in pools.items():
        asked, lies = pool.worst
        worst = f"{asked} → {lies} {_show(pool.pairs[asked][lies]['R@5'])}"
        rates = (*pool.same.values(), *pool.cross.values(), pool.share)
        table.add_row(name, *map(_show, rates), worst)
    return table


def _table_of_pairs(name: str, pool: PoolFigures) -> Table:
    languages = sorted(pool.pairs)
    table = Table(title=f"Mixed pool, {name}: R@1 / R@{mixed_pool.TOP} by language")
    table.add_column("question \\ passage")
    for language in languages:
        table.add_column(language, justify="right")
    for asked in languages:
        table.add_row(asked, *(" / ".join(map(_show, pool.pairs[asked][lies].values())) for lies in languages))
    return table


def _show(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _round(value: Any) -> Any:
    """Return the value with every float rounded to four digits, so that files can be compared."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _round(inner) for key, inner in value.items()}
    return [_round(inner) for inner in value] if isinstance(value, list | tuple) else value
