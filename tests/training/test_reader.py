import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from rag.reading.network import Network
from training import checkpoints, reader, sampling
from training.data import Table
from training.evaluate import choose
from training.reader import Trainer, fall, warm_up
from training.sampling import Sampler

Start = Callable[[str], Trainer]


@pytest.fixture
def start(encoder: Path, table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    monkeypatch.setattr(sampling, "CHUNK", 2)
    monkeypatch.setattr(reader, "EVALUATE_EVERY", 4)
    monkeypatch.setattr(reader, "SAVE_EVERY", 1)
    cases = choose(table, 6)

    def begin(name: str) -> Trainer:
        torch.manual_seed(1)
        return Trainer(Network.start(encoder), Sampler(table, 1), cases, tmp_path / name)

    return begin


def _until(last: int) -> Callable[[int], float]:
    return lambda step: float(step <= last)


def test_an_interrupted_run_gives_the_same_weights(start: Start, tmp_path: Path) -> None:
    start("whole").run(_until(6))
    interrupted = start("parts")

    def interrupt(step: int) -> float:
        if step == 3:
            interrupted.stop()
        return 1.0

    interrupted.run(interrupt)
    checkpoint = checkpoints.newest(tmp_path / "parts")
    assert checkpoint is not None
    again = start("parts")
    again.resume(checkpoint)
    again.run(_until(6))
    one, other = (load_file(tmp_path / name / "step-0000006" / checkpoints.WEIGHTS) for name in ("whole", "parts"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_two_checkpoints_and_the_best_are_kept(start: Start, tmp_path: Path) -> None:
    start("run").run(_until(9))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["best", "step-0000008", "step-0000009"]
    best = json.loads((tmp_path / "run" / "best" / checkpoints.STATE).read_text())
    assert best["step"] in (4, 8, 9)


def test_what_is_learned_is_seen_in_the_loss(start: Start) -> None:
    trainer = start("run")
    means = reader.Means()
    for batch in trainer.sampler.batches(16):
        trainer._step(batch, 1.0, means)
        if len(means.span) == 60:
            break
    assert sum(means.span[-10:]) < 0.95 * sum(means.span[:10])


def test_the_rate_rises_stays_and_falls_when_asked() -> None:
    assert [warm_up(step) for step in (1, 50, 100, 5000)] == [0.01, 0.5, 1.0, 1.0]
    falling = fall(1.0, 0.5)
    assert 0.49 < falling(1) <= 0.5
    assert fall(1e-9, 0.5)(1) < 0
