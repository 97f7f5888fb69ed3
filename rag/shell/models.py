"""`rag models`: list, fetch, verify and calibrate models."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.config import Config
from rag.shell.options import ANSWERED, FAILED, as_json, complete_models
from rag.shell.output import describe_size, print_json, show, show_progress, show_stages

if TYPE_CHECKING:
    from rag.models.registry import Model


@click.group()
def models() -> None:
    """List, fetch and check models."""


named = click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=complete_models)


@models.command("list")
@as_json
def list_models(as_json: bool) -> None:
    """List the known models and whether they are on this machine."""
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
        state = ("fetched", "green") if path else ("not fetched", "")
        tested = "" if model.tested else ", not tested here"
        facts = f" {model.purpose:10} {size:>9}  {model.licence:18} "
        show((f"{model.name:24}", "bold"), (facts, ""), state, (tested, "dim"))


@models.command("fetch")
@named
def fetch_models(names: tuple[str, ...]) -> None:
    """Download models.

    By default, these are the configured encoder and generator, and what the reader needs. An interrupted download is
    resumed.
    """
    from rag.models.download import fetch, plan

    config = Config.from_env()
    for model in _choose_models(names, config):
        planned = plan(model, config.cache)
        if not planned.download:
            click.echo(f"{model.name} is already fetched: {planned.source}")
            continue
        click.echo(f"{model.name}: {describe_size(planned.download)} from {planned.source}, {model.licence}")
        with show_stages(model.name, f"{model.name}: unpacking", in_bytes=True) as (downloading, unpacking):
            path = fetch(model, config.cache, downloading, unpacking)
        click.echo(f"{model.name} was fetched to {path}")


@models.command("verify")
@named
def verify_models(names: tuple[str, ...]) -> int:
    """Compare the files of models with their checksums.

    By default, the configured encoder and generator are checked, and what the reader needs. Every file is read in full.
    """
    from rag.models.registry import verify

    config = Config.from_env()
    checks = [check for model in _choose_models(names, config) for check in verify(model, config.cache)]
    for check in checks:
        show(("ok  ", "green") if check.ok else ("FAIL", "red"), (f" {check.file}", ""))
    if all(check.ok for check in checks):
        return ANSWERED
    click.echo("rag: The files marked FAIL are damaged. Fetch them again with `rag models fetch`.", err=True)
    return FAILED


@models.command("calibrate")
def calibrate_generator() -> None:
    """Measure how well the configured generator judges passages.

    This asks it questions with known answers, which takes a few minutes. The result is stored for this generator,
    encoder and set of prompts, and used from then on. An interrupted calibration stores nothing.
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
    """Print where models are stored.

    By default, these are the configured encoder and generator, and what the reader needs.
    """
    from rag.models.registry import locate

    config = Config.from_env()
    for model in _choose_models(names, config):
        click.echo(str(locate(model, config.cache)))


def _choose_models(names: tuple[str, ...], config: Config) -> "list[Model]":
    """Return the models of these names. By default, the configured ones that are neither paths nor servers."""
    from rag.models.registry import find, known_models
    from rag.reading.load import list_models

    if names:
        return [find(name) for name in names]
    generators = [] if config.is_remote else [config.generator]
    configured = dict.fromkeys((config.encoder, *list_models(config), *generators))
    # A known name is never a path, even if the current folder has a file of that name.
    known = {model.name for model in known_models()}
    return [find(name) for name in configured if name in known or not Path(name).expanduser().exists()]


def _locate(model: "Model", config: Config) -> Path | None:
    from rag.errors import ModelMissing
    from rag.models.registry import locate

    try:
        return locate(model, config.cache)
    except ModelMissing:
        return None
