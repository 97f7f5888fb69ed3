"""Tests whether llama.cpp runs on this processor.

    python -m rag.generation.probe [MODEL.gguf]    by default the configured generator's file

It runs in a process of its own because a build for another processor is killed by an illegal instruction at the first
prompt. It prints one JSON object about the test and the build. Exit codes: 0 if llama.cpp runs or the configured
generator is a server; 1 if the model cannot be used, with one sentence on stderr; 3 if llama.cpp cannot be loaded.
"""

import json
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from rag.config import Config
from rag.errors import ModelError, RagError
from rag.hardware import count_physical_cores
from rag.models import registry

PROMPT = b"One two three four five six seven eight nine ten. " * 6
BATCH = 64
"""Enough tokens at once for the kernels of matrix products, which differ from those of a single token."""
FAILED, CANNOT_BE_LOADED = 1, 3


def probe(gguf: Path) -> dict[str, object]:
    """Evaluate a prompt and one more token. Return the number of `tokens`, and `version` and `features` of the build.

    Raises ModelError if the model cannot be loaded, or computes values that are not finite.
    """
    import llama_cpp

    try:
        model = llama_cpp.Llama(
            str(gguf), n_ctx=2 * BATCH, n_batch=BATCH, n_threads=count_physical_cores(), logits_all=True, verbose=False
        )
    except (ValueError, OSError) as error:
        raise ModelError(f"{gguf} cannot be loaded: {error}. Check it with `rag models verify`.") from error
    model.eval(model.tokenize(PROMPT)[:BATCH])
    following = model.sample(temp=0.0)
    model.eval([following])
    if not all(math.isfinite(score) for score in model.scores[model.n_tokens - 1]):
        raise ModelError(f"{gguf} computes values that are not finite. Check it with `rag models verify`.")
    return {
        "tokens": model.n_tokens,
        "version": llama_cpp.__version__,
        "features": re.findall(r"(\w+) = 1", llama_cpp.llama_print_system_info().decode()),
    }


def main(arguments: Sequence[str]) -> int:
    """Run the test and return the exit code, as described at the top of this file."""
    try:
        config = Config.from_env()
        if not arguments and config.is_remote:
            print(json.dumps({"skipped": f"the generator is the server {config.generator}"}))  # noqa: T201
            return 0
        gguf = Path(arguments[0]) if arguments else registry.resolve(config.generator, "generator", config.cache)
        print(json.dumps(probe(gguf)))  # noqa: T201
    except RagError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return FAILED
    except (ImportError, RuntimeError, OSError) as error:
        print(f"llama.cpp cannot be loaded: {error}", file=sys.stderr)  # noqa: T201
        return CANNOT_BE_LOADED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
