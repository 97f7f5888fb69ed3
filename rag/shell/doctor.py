"""`rag doctor`: check the installation."""

import click

from rag.config import Config
from rag.shell.options import ANSWERED, FAILED, as_json, of_index
from rag.shell.output import print_json, show

MARKS = {True: ("ok  ", "green"), False: ("FAIL", "red"), None: ("  – ", "dim")}


@click.command()
@as_json
@of_index
def doctor(as_json: bool, index: str | None) -> int:
    """Check that everything is installed and works.

    Examines the machine, the models and the index, and says how to fix each problem.
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
