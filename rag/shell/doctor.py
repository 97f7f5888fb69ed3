"""`rag doctor` and `rag eval`: whether it works, and how well."""

from pathlib import Path

import click

from rag.config import Config
from rag.errors import ConfigError
from rag.shell.options import ANSWERED, FAILED, as_json, of_index
from rag.shell.output import print_json, show, show_progress

MARKS = {True: ("ok  ", "green"), False: ("FAIL", "red"), None: ("  – ", "dim")}


@click.command()
@as_json
@of_index
def doctor(as_json: bool, index: str | None) -> int:
    """Check that everything is there and works.

    Looks at the machine, the models and the index, and says what to do about what is wrong.
    """
    from rag.doctor import examine

    checks = examine(Config.from_env(index=index))
    if as_json:
        print_json({"checks": [check.as_dict() for check in checks]})
    for check in () if as_json else checks:
        show(MARKS[check.ok], (f" {check.name}", "bold"), (f": {check.detail}", ""))
        if check.remedy:
            show((f"→ {check.remedy}", "yellow"), indent=7)
    return FAILED if any(check.ok is False for check in checks) else ANSWERED


@click.command("eval")
@click.option("--xquad", type=click.Path(path_type=Path), metavar="FOLDER", help="Also ask the mixed pool in FOLDER.")
@click.option("--development", is_flag=True, help="Ask the half that settings are chosen on, not the one held back.")
def evaluate(xquad: Path | None, development: bool) -> None:
    """Measure retrieval on the project's own cases.

    The figures are printed and written to evaluation/results/.
    """
    from rich.console import Console

    try:
        from evaluation import report, run
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{error.name} is missing. `rag eval` is run in the project's folder, with its extra: "
            "`pip install -e '.[dev]'`."
        ) from error
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
