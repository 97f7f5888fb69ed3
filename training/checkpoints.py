"""Write and read checkpoints: folders `step-N`, each written as a whole."""

import json
import shutil
from pathlib import Path
from typing import TypedDict

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from rag.reading.network import Upper

KEPT = 2
BEST = "best"
WEIGHTS, MOMENTS, STATE = "weights.safetensors", "moments.safetensors", "state.json"


class State(TypedDict):
    """The state of a run beside the weights and the optimiser's moments."""

    step: int
    seconds: float
    """Seconds spent computing."""
    rate: float
    """The share of the full learning rate at the last step."""
    best: float
    """The best score on the development sample."""


def newest(folder: Path) -> Path | None:
    """Return the newest checkpoint in `folder`, or None."""
    return max(folder.glob("step-*"), default=None)


def save(folder: Path, upper: Upper, optimizer: torch.optim.AdamW, state: State) -> Path:
    """Write a checkpoint and remove old ones."""
    partial, final = folder / "partial", folder / f"step-{state['step']:07d}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file(upper.state_dict(), partial / WEIGHTS)
    save_file(_moments(upper, optimizer), partial / MOMENTS)
    (partial / STATE).write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(final, ignore_errors=True)
    partial.replace(final)
    for old in sorted(folder.glob("step-*"))[:-KEPT]:
        shutil.rmtree(old)
    return final


def keep_best(checkpoint: Path) -> None:
    """Copy the weights of a checkpoint, without the optimiser, as the best ones so far."""
    best = checkpoint.parent / BEST
    best.mkdir(exist_ok=True)
    for name in (WEIGHTS, STATE):
        partial = best / f"{name}.partial"
        shutil.copyfile(checkpoint / name, partial)
        partial.replace(best / name)


def restore(checkpoint: Path, upper: Upper, optimizer: torch.optim.AdamW) -> State:
    """Restore a checkpoint, and return the state of the run."""
    upper.load_state_dict(load_file(checkpoint / WEIGHTS))
    moments = load_file(checkpoint / MOMENTS)
    for name, parameter in upper.named_parameters():
        optimizer.state[parameter] = {part: moments[f"{name}.{part}"] for part in ("step", "exp_avg", "exp_avg_sq")}
    state: State = json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
    return state


def _moments(upper: Upper, optimizer: torch.optim.AdamW) -> dict[str, Tensor]:
    return {
        f"{name}.{part}": moment
        for name, parameter in upper.named_parameters()
        for part, moment in optimizer.state[parameter].items()
    }
