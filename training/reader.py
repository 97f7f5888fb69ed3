"""Train the reader: `python -m training.reader --data FOLDER --encoder FOLDER --checkpoints FOLDER`.

Training runs until it is stopped (SIGTERM, SIGINT), then writes a checkpoint; the same command continues from it. With
`--finish-in MINUTES` the learning rate falls to zero, starting from the newest checkpoint, and the result is written to
`finished` beside the checkpoints, so that a later run can still continue from before.
"""

import argparse
import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import torch
from tokenizers import Tokenizer
from torch import nn

from rag.reading.network import Network
from training import checkpoints
from training.checkpoints import State
from training.data import load
from training.evaluate import Case, choose, evaluate
from training.losses import measure
from training.sampling import Batch, Sampler

RATE = 2e-4
HEAD_RATE = 5 * RATE
WARM_UP = 100
"""Steps between two lines of the log."""
BATCH = 16
SEED = 18
LONGEST_GRADIENT = 1.0
LOG_EVERY = 25
EVALUATE_EVERY = 300
SAVE_EVERY = 100
SAMPLE = 300
FINISHED = "finished"

log = logging.getLogger("training.reader")


@dataclass
class Means:
    """The figures averaged between two lines of the log."""

    span: list[float] = field(default_factory=list)
    answerable: list[float] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)

    def describe(self) -> str:
        """Return the averages as a line of the log."""
        speed = len(self.span) * BATCH / (time.monotonic() - self.since)
        span, answerable = (sum(losses) / len(losses) for losses in (self.span, self.answerable))
        return f"loss of span {span:.3f}, of answerable {answerable:.3f}, {speed:.1f} examples a second"


class Trainer:
    """One run, from the checkpoint it continues to the one it ends with."""

    def __init__(self, reader: Network, sampler: Sampler, cases: list[Case], folder: Path) -> None:
        self.reader = reader
        self.sampler = sampler
        self.cases = cases
        self.folder = folder
        self.stopped = False
        self.state = State(step=0, seconds=0.0, rate=0.0, best=0.0)
        layers = [*reader.upper.layers.parameters()]
        known = set(map(id, layers))
        heads = [parameter for parameter in reader.upper.parameters() if id(parameter) not in known]
        groups = [{"params": layers, "lr": RATE}, {"params": heads, "lr": HEAD_RATE}]
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01, fused=True)

    def resume(self, checkpoint: Path) -> None:
        """Continue from a checkpoint."""
        self.state = checkpoints.restore(checkpoint, self.reader.upper, self.optimizer)
        log.info("goes on from %s", checkpoint.name)

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Stop after the current step."""
        self.stopped = True

    def run(self, rate: Callable[[int], float]) -> None:
        """Train until stopped, or until `rate` is zero for the next step, and save."""
        means = Means()
        for batch in self.sampler.batches(BATCH, skip=self.state["step"]):
            share = rate(self.state["step"] + 1)
            if self.stopped or share <= 0:
                break
            self._step(batch, share, means)
            step = self.state["step"]
            if step % LOG_EVERY == 0:
                log.info("step %d, rate %.2f, %s", step, share, means.describe())
                means = Means()
            if step % EVALUATE_EVERY == 0:
                self._evaluate()
                means.since = time.monotonic()
            elif step % SAVE_EVERY == 0:
                self._save()
        self._save() if self.stopped else self._evaluate()

    def _step(self, batch: Batch, share: float, means: Means) -> None:
        began = time.monotonic()
        for group, full in zip(self.optimizer.param_groups, (RATE, HEAD_RATE), strict=True):
            group["lr"] = full * share
        span, answerable = measure(self.reader(*batch.inputs), batch)
        self.optimizer.zero_grad()
        (span + answerable).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.reader.upper.parameters(), LONGEST_GRADIENT)
        self.optimizer.step()
        means.span.append(span.item())
        means.answerable.append(answerable.item())
        self.state["step"] += 1
        self.state["rate"] = share
        self.state["seconds"] += time.monotonic() - began

    def _evaluate(self) -> None:
        figures = evaluate(self.reader, self.cases)
        log.info("step %d, %s", self.state["step"], ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))
        is_best = figures["score"] > self.state["best"]
        self.state["best"] = max(self.state["best"], figures["score"])
        checkpoint = self._save()
        if is_best:
            checkpoints.keep_best(checkpoint)

    def _save(self) -> Path:
        return checkpoints.save(self.folder, self.reader.upper, self.optimizer, self.state)


def warm_up(step: int) -> float:
    """Return the share of the full learning rate: rising, then constant, so that any checkpoint can be continued."""
    return min(1.0, step / WARM_UP)


def fall(minutes: float, begin: float) -> Callable[[int], float]:
    """Return a schedule that falls from `begin` to zero within some minutes from now."""
    started = time.monotonic()
    return lambda _step: begin * (1 - (time.monotonic() - started) / (60 * minutes))


def main() -> None:
    """Train with the given options."""
    options = _parse()
    options.checkpoints.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    (options.checkpoints / "pid").write_text(f"{os.getpid()}\n", encoding="ascii")
    tokenizer = Tokenizer.from_file(str(options.encoder / "tokenizer.json"))
    arrays = options.checkpoints / "arrays"
    train, dev = (load(options.data, part, tokenizer, arrays) for part in ("train", "dev"))
    finishing = options.finish_in is not None
    folder = options.checkpoints / FINISHED if finishing else options.checkpoints
    trainer = Trainer(Network.start(options.encoder), Sampler(train, SEED), choose(dev, SAMPLE), folder)
    checkpoint = checkpoints.newest(folder) or checkpoints.newest(options.checkpoints)
    if checkpoint:
        trainer.resume(checkpoint)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, trainer.stop)
    trainer.run(fall(options.finish_in, trainer.state["rate"]) if finishing else warm_up)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.reader", description="Train the reader.")
    parser.add_argument("--data", type=Path, required=True, help="folder with questions and passages; see README.md")
    parser.add_argument("--encoder", type=Path, required=True, help="folder of multilingual-e5-small")
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder to write to, and to go on from")
    parser.add_argument("--finish-in", type=float, metavar="MINUTES",
                        help="let the learning rate fall to zero, then end")  # fmt: skip
    return parser.parse_args()


if __name__ == "__main__":
    main()
