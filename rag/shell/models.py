"""`rag models …`: which models there are, and bringing them here."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.config import Config
from rag.shell.options import ANSWERED, FAILED, as_json, complete_models
from rag.shell.output import describe_size, print_json, show, show_progress

if TYPE_CHECKING:
    from rag.models.registry import Model


@click.group()
def models() -> None:
    """List, fetch and check the models."""


named = click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=complete_models)


@models.command("list")
@as_json
def list_models(as_json: bool) -> None:
    """Print the known models, and which are here."""
    from rag.models.registry import known_models

    config = Config.from_env()
    known = [(model, _locate(model, config)) for model in known_models()]
    if as_json:
        listed = [
            {"name": model.name, "title": model.title, "purpose": model.purpose, "licence": model.licence,
             "size": model.size, "tested": model.tested, "path": str(path) if path else None}
            for model, path in known
        ]  # fmt: skip
        print_json({"models": listed})
        return
    for model, path in known:
        size = describe_size(model.size or 0)
        state = ("here", "green") if path else ("not fetched", "")
        tested = "" if model.tested else ", not tested here"
        facts = f" {model.purpose:10} {size:>9}  {model.licence:18} "
        show((f"{model.name:24}", "bold"), (facts, ""), state, (tested, "dim"))


@models.command("fetch")
@named
def fetch_models(names: tuple[str, ...]) -> None:
    """Bring models to the cache.

    Without NAME, the configured encoder and generator. A fetch that was interrupted goes on where it was.
    """
    from rag.models.download import fetch, plan

    config = Config.from_env()
    for model in _choose_models(names, config):
        coming = plan(model, config.cache)
        if not coming.download:
            click.echo(f"{model.name} is here: {coming.source}")
            continue
        click.echo(f"{model.name}: {describe_size(coming.download)} from {coming.source}, {model.licence}")
        with show_progress(model.name, in_bytes=True) as progress:
            path = fetch(model, config.cache, progress)
        click.echo(f"{model.name} is here: {path}")


@models.command("verify")
@named
def verify_models(names: tuple[str, ...]) -> int:
    """Compare the checksums of models.

    Their files are read again, those of the configured encoder and generator without NAME.
    """
    from rag.models.registry import verify

    config = Config.from_env()
    checks = [check for model in _choose_models(names, config) for check in verify(model, config.cache)]
    for check in checks:
        show(("ok  ", "green") if check.ok else ("FAIL", "red"), (f" {check.file}", ""))
    if all(check.ok for check in checks):
        return ANSWERED
    click.echo("rag: Files marked FAIL are damaged. Fetch them anew with `rag models fetch`.", err=True)
    return FAILED


@models.command("calibrate")
def calibrate_generator() -> None:
    """Find out whether the configured generator can judge.

    It is asked questions of which the right passage is known, for some minutes. What is found is kept for this model,
    encoder and prompts, and used from then on. An interrupted calibration leaves nothing behind.
    """
    from rag.answering.spoken_languages import calibrate
    from rag.encoding.encoder import SentenceEncoder
    from rag.generation.llama import load_generator
    from rag.reading.known_judges import find_shipped
    from rag.text.prompts import Prompts

    config = Config.from_env()
    if shipped := find_shipped(config.generator):
        click.echo(f"{config.generator} needs no calibration: it {shipped}")
        return
    generator = load_generator(config)
    generator.warm()
    with show_progress("Asking") as progress:
        found = calibrate(config, generator, SentenceEncoder.load(config), Prompts.load(config.prompts), progress)
    click.echo(f"{config.generator} {found}")


@models.command("path")
@named
def print_paths(names: tuple[str, ...]) -> None:
    """Print where models lie.

    Without NAME, the configured encoder and generator.
    """
    from rag.models.registry import locate

    config = Config.from_env()
    for model in _choose_models(names, config):
        click.echo(str(locate(model, config.cache)))


def _choose_models(names: tuple[str, ...], config: Config) -> "list[Model]":
    """The models of these names; without names, those configured that are not paths or servers."""
    from rag.models.registry import find, known_models

    if names:
        return [find(name) for name in names]
    configured = [config.encoder] if config.is_remote else [config.encoder, config.generator]
    # As everywhere, a known name is no path, whatever lies in the current folder.
    known = {model.name for model in known_models()}
    return [find(name) for name in configured if name in known or not Path(name).expanduser().exists()]


def _locate(model: "Model", config: Config) -> Path | None:
    from rag.errors import ModelMissing
    from rag.models.registry import locate

    try:
        return locate(model, config.cache)
    except ModelMissing:
        return None
