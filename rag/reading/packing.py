"""Pack the trained weights for shipping: matrices as int8 with one scale per row, everything else as float16."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

LARGEST = 127
SCALE = ".scale"
MANY_ROWS = 8
"""Matrices with fewer rows are too small to be worth rounding."""


def pack(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights in the shipped form, with `NAME.scale` beside each matrix rounded to int8."""
    packed = {}
    for name, weight in weights.items():
        if weight.dim() != 2 or len(weight) < MANY_ROWS:
            packed[name] = weight.half()
            continue
        scale = (weight.abs().amax(dim=1) / LARGEST).clamp_min(torch.finfo(torch.float16).tiny).half()
        rounded = (weight / scale.float()[:, None]).round().clamp(-LARGEST, LARGEST)
        packed[name] = rounded.to(torch.int8)
        packed[name + SCALE] = scale
    return packed


def expand(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights in float32, whether they are packed or not."""
    return {
        name: weight.float() * (packed[name + SCALE].float()[:, None] if weight.dtype == torch.int8 else 1.0)
        for name, weight in packed.items()
        if not name.endswith(SCALE)
    }


def read(file: Path) -> dict[str, Tensor]:
    """Return the weights of a file in float32, whether they are packed or not."""
    return expand(load_file(file))
