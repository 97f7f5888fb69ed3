"""Check the machine, the build of llama.cpp, the models and the index, and say how to fix each problem."""

import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.config import IS_INSTALLED, Config
from rag.encoding.alignment import checksum_calibration
from rag.errors import ModelError, ModelMissing, RagError
from rag.generation.cache import MEGABYTE, StateCache
from rag.generation.llama import load_generator
from rag.generation.probe import CANNOT_BE_LOADED
from rag.hardware import count_physical_cores, offers_tiles, read_features
from rag.index.index import Index
from rag.index.milvus import open_store
from rag.models import registry
from rag.models.registry import Purpose
from rag.models.settings import find_encoder_settings
from rag.reading.known_judges import find_shipped, locate_calibration, read_calibration
from rag.reading.load import list_models
from rag.text.plurals import count_noun
from rag.text.prompts import Prompts

FEATURES = {
    "avx2": {"avx2"},
    "avx512": {"avx512f"},
    "vnni": {"avx512_vnni", "avx_vnni"},
    "bf16": {"avx512_bf16"},
    "amx": {"amx_tile"},
}
"""Processor features that matter to the speed of the models on x86-64. Linux reports each under one of these names."""
GIGABYTE = 10**9
MIN_DISK = GIGABYTE
MIN_MEMORY = 4 * GIGABYTE
PROBE = (sys.executable, "-m", "rag.generation.probe")
PROBE_SECONDS = 300
REBUILD = (
    "Build it from source: pip install --force-reinstall --no-deps --no-binary llama-cpp-python llama-cpp-python"
    if IS_INSTALLED
    else "Build it again: rm .venv/setup.json && make setup"
)


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    name: str
    ok: bool | None
    """None if the result is neither good nor bad."""
    detail: str
    remedy: str | None = None
    """The way to fix the problem. It is set whenever `ok` is False."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


def examine(config: Config, probe: Sequence[str] = PROBE) -> list[Check]:
    """Check everything, in the order in which problems should be fixed. Raises no error.

    `probe` is the command that tests llama.cpp. The path of a GGUF file is appended to it: see rag.generation.probe.
    """
    checks: dict[str, Callable[[], Check]] = {
        "processor": _check_processor,
        "cores": lambda: _check_cores(config),
        "memory": _check_memory,
        "models folder": lambda: _check_disk("models folder", config.cache),
        "indexes folder": lambda: _check_disk("indexes folder", config.indexes),
        "encoder": lambda: _check_model(config.encoder, "encoder", config.cache),
        "reader": lambda: _check_reader(config),
        "generator": lambda: _check_generator(config),
        "judge": lambda: _check_judge(config),
        "passage cache": lambda: _check_cache(config),
        "llama.cpp": lambda: _check_build(config, probe),
        "index": lambda: _check_index(config),
    }
    if config.milvus:
        checks["Milvus"] = lambda: _check_milvus(config)
    return [_guard(name, check) for name, check in checks.items()]


def _guard(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except (RagError, OSError) as error:
        return Check(name, False, "cannot be used", str(error))


def _check_processor() -> Check:
    if platform.machine() != "x86_64":
        return Check("processor", None, f"{platform.machine()}; this project was tested on x86-64 only")
    reported = read_features()
    found = [name for name, flags in FEATURES.items() if flags & reported and name != "amx"]
    tiles = "usable" if offers_tiles() else "not usable"
    amx = f"amx reported and {tiles}" if FEATURES["amx"] & reported else "no amx"
    detail = f"x86-64 with {', '.join(found) or 'no vector features'}; {amx}"
    if "avx2" not in found:
        return Check("processor", False, detail, "Without AVX2, answers take minutes. Set RAG_GENERATOR to a server.")
    return Check("processor", True, detail)


def _read_system(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError:
        return ""


def _check_cores(config: Config) -> Check:
    cores = count_physical_cores()
    threads = config.threads or cores
    detail = f"{cores} physical cores; the models use {threads} threads"
    if threads > cores:
        return Check("cores", False, detail, f"More threads than cores are slower. Set RAG_THREADS to {cores}.")
    return Check("cores", True, detail)


def _check_memory() -> Check:
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", _read_system("/proc/meminfo"), re.MULTILINE)
    if not found:
        return Check("memory", None, "the system does not report it")
    available = int(found[1]) * 1024
    detail = f"{available / GIGABYTE:.1f} GB available"
    if available < MIN_MEMORY:
        remedy = "Close other programs, or use a smaller model: RAG_GENERATOR=qwen2.5-coder-0.5b"
        return Check("memory", False, f"{detail}, less than {MIN_MEMORY / GIGABYTE:.0f} GB", remedy)
    return Check("memory", True, detail)


def _check_disk(name: str, folder: Path) -> Check:
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if not os.access(existing, os.W_OK):
        return Check(name, False, f"{folder} cannot be written to", f"Change the permissions of {existing}.")
    detail = f"{folder}: {free / GIGABYTE:.1f} GB free"
    if free < MIN_DISK:
        return Check(name, False, detail, f"Free some space on the disk of {existing}.")
    return Check(name, True, detail)


def _check_model(name: str, purpose: Purpose, cache: Path) -> Check:
    path = registry.resolve(name, purpose, cache)
    if path == Path(name).expanduser():
        return Check(purpose, None, f"{path}: configured by its path, so its checksum is unknown")
    damaged = [checked.file.name for checked in registry.verify(registry.find(name), cache) if not checked.ok]
    if damaged:
        detail = f"{name}: changed since it was fetched: {', '.join(damaged)}"
        return Check(purpose, False, detail, f"Fetch it again: rag models fetch {name}")
    return Check(purpose, True, f"{name}: all files match their checksums")


def _check_reader(config: Config) -> Check:
    needed = list_models(config)
    if not needed:
        return Check("reader", None, "none, so no answering words are marked")
    for name in needed:
        registry.resolve(name, "encoder", config.cache)
    return Check("reader", True, f"{config.reader}, with the embeddings of {', '.join(needed)}")


def _check_generator(config: Config) -> Check:
    if not config.is_remote:
        return _check_model(config.generator, "generator", config.cache)
    generator = load_generator(config)
    for _ in generator.generate("Say yes.", "", max_tokens=1):
        break
    return Check("generator", True, f"{generator.name} answers")


def _check_judge(config: Config) -> Check:
    if shipped := find_shipped(config.generator):
        return Check("judge", True, f"measured for this release: {config.generator} {shipped}")
    try:
        calibration = read_calibration(locate_calibration(load_generator(config), config, Prompts.load(config.prompts)))
    except ModelError:
        return Check("judge", None, "unknown until the generator can be used")
    if calibration is None:
        detail = f"{config.generator} has not been measured as a judge, so it is not used as one: articles are quoted"
        return Check("judge", None, detail, "Measure it: rag models calibrate")
    return Check("judge", calibration.judge is not None or None, f"measured here: {config.generator} {calibration}")


def _check_cache(config: Config) -> Check:
    states = StateCache.from_config(config)
    used, limit = states.size() / MEGABYTE, states.limit / MEGABYTE
    return Check("passage cache", True, f"{used:.0f} of {limit:.0f} MB in use")


def _check_build(config: Config, probe: Sequence[str]) -> Check:
    if config.is_remote:
        return Check("llama.cpp", None, "not needed, since the generator is a server")
    try:
        gguf = registry.resolve(config.generator, "generator", config.cache)
    except ModelMissing:
        return Check("llama.cpp", None, "cannot be tested until the generator is fetched")
    try:
        child = subprocess.run(  # noqa: S603 - The command is our own.
            [*probe, str(gguf)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PROBE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return Check("llama.cpp", False, f"did not finish a prompt in {PROBE_SECONDS} seconds", REBUILD)
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        return Check("llama.cpp", False, f"was killed by {name} while it evaluated a prompt", REBUILD)
    if child.returncode > 0:
        reason = (child.stderr.strip().splitlines() or [f"exit code {child.returncode}"])[-1]
        remedy = REBUILD if child.returncode == CANNOT_BE_LOADED else "Check the generator: rag models verify"
        return Check("llama.cpp", False, reason, remedy)
    build = json.loads(child.stdout)
    return Check("llama.cpp", True, f"{build['version']} runs here ({' '.join(build['features'])})")


def _check_index(config: Config) -> Check:
    with closing(Index.open(config.indexes / config.index)) as index:
        manifest, articles = index.manifest, index.list_articles()
    wanted = {"name": config.encoder, "calibration": checksum_calibration(find_encoder_settings(config.encoder))}
    same_encoder = all(manifest.encoder.get(key, value) == value for key, value in wanted.items())
    if not same_encoder or manifest.passage_tokens != config.passage_tokens:
        remedy = f"Rebuild it: rag index --rebuild --index {config.index}"
        return Check("index", False, f"“{config.index}” was built with another encoder or passage size", remedy)
    languages = Counter(article.language for article in articles)
    counted = ", ".join(f"{number} {language}" for language, number in sorted(languages.items()))
    content = f"{count_noun(manifest.articles, 'file')} ({counted}), {count_noun(manifest.passages, 'passage')}"
    return Check("index", True, f"“{config.index}”: {content}, built {manifest.created}")


def _check_milvus(config: Config) -> Check:
    held = False
    if store := open_store(config):
        with closing(store), closing(Index.open(config.indexes / config.index)) as index:
            held = store.holds(index.generation)
    if held:
        return Check("Milvus", True, f"“{config.index}” is searched at {config.milvus}")
    detail = f"“{config.index}” is not at {config.milvus}, so it is searched in this process"
    return Check("Milvus", False, detail, f"Store it there: rag index --index {config.index}")
