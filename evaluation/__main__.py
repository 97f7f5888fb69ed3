"""Measure retrieval on the project's own cases: `python -m evaluation [--xquad FOLDER] [--development]`."""

from pathlib import Path

import click
from rich.console import Console

from evaluation import report, run
from rag.config import Config
from rag.errors import RagError
from rag.shell.output import show_progress


@click.command()
@click.option("--xquad", type=click.Path(path_type=Path), metavar="FOLDER", help="Also ask the mixed pool in FOLDER.")
@click.option("--development", is_flag=True, help="Ask the half that settings are chosen on, not the one held back.")
def main(xquad: Path | None, development: bool) -> None:
    """Measure retrieval on the project's own cases.

    The figures are printed and written to evaluation/results/.
    """
    try:
        measure(xquad, development)
    except RagError as error:
        raise click.ClickException(str(error)) from error


def measure(xquad: Path | None, development: bool) -> None:
    """Print the figures for one half of the cases and write them to evaluation/results/. Raises RagError."""
    config = Config.from_env()
    suite = run.Suite.load("development" if development else "held-back", xquad)
    encoders = run.load_encoders(config)
    with show_progress("Asking") as progress:
        figures = run.evaluate(suite, encoders, config, progress)
    console = Console()
    for table in report.tables(figures, suite.half):
        console.print(table)
    for file in (report.save(figures, suite, encoders, config), report.draw_heat_map(figures)):
        if file:
            click.echo(f"Written: {file}")


if __name__ == "__main__":
    main(prog_name="python -m evaluation")
