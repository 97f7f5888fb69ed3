"""Write the file to ship: `python -m training.export WEIGHTS --data ... --encoder ... --arrays ...`.

A file that is too large, or reads worse than the weights it was made from, is refused.
"""

import argparse
import logging
from pathlib import Path

from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from rag.reading.inputs import PASSAGE_PROMPT, QUESTION_PROMPT
from rag.reading.network import FROZEN, Network
from rag.reading.packing import expand, pack
from rag.reading.trained import WEIGHTS
from training.data import load
from training.evaluate import choose, evaluate

LARGEST_FILE = 25_000_000
LARGEST_LOSS = 0.005
CHECKED = ("f1", "first", "auroc")
SAMPLE = 600

log = logging.getLogger("training.export")


def main() -> None:
    """Export the given weights."""
    options = _parse()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    weights = load_file(options.weights)
    packed = pack(weights)
    tokenizer = Tokenizer.from_file(str(options.encoder / "tokenizer.json"))
    cases = choose(load(options.data, "dev", tokenizer, options.arrays), SAMPLE)
    reader = Network.start(options.encoder)
    figures = []
    for name, state in (("as trained", weights), ("as shipped", expand(packed))):
        reader.upper.load_state_dict(state)
        figures.append(evaluate(reader, cases))
        log.info("%s: %s", name, ", ".join(f"{key} {value:.4f}" for key, value in figures[-1].items()))
    worse = [name for name in CHECKED if figures[0][name] - figures[1][name] > LARGEST_LOSS]
    if worse:
        raise SystemExit(f"Rounding costs more than {LARGEST_LOSS} in {', '.join(worse)}.")
    facts = {"frozen": FROZEN, "question_prompt": list(QUESTION_PROMPT), "passage_prompt": list(PASSAGE_PROMPT)}
    save_file(packed, options.out, metadata={"format": "pt"} | {name: str(value) for name, value in facts.items()})
    size = options.out.stat().st_size
    if size > LARGEST_FILE:
        options.out.unlink()
        raise SystemExit(f"{size:,} bytes are more than {LARGEST_FILE:,}.")
    log.info("%s: %s bytes", options.out.name, f"{size:,}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.export", description="Write the shipped reader.")
    parser.add_argument("weights", type=Path, help="weights.safetensors of a checkpoint")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="file to write (default %(default)s)")
    parser.add_argument("--data", type=Path, required=True, help="folder with questions and passages")
    parser.add_argument("--encoder", type=Path, required=True, help="folder of multilingual-e5-small")
    parser.add_argument("--arrays", type=Path, required=True, help="folder of the data prepared by training.reader")
    return parser.parse_args()


if __name__ == "__main__":
    main()
