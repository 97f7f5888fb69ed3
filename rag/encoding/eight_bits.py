"""Run the linear layers of an encoder with eight-bit integers.

Each output of a layer has its own scale for the weights, and each token its own scale for the inputs (Dettmers et al.
2022, "LLM.int8(): 8-bit Matrix Multiplication for Transformers at Scale", NeurIPS), so the vectors of a text do not
depend on the texts encoded with it. Processors that multiply and add such integers in one instruction (VNNI) take less
time than with float32; others take longer.
"""

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from torch.nn import Module

LARGEST = 127
SMALLEST_SCALE = 1e-9


class EightBits:
    """Rounds the weights of all linear layers within a model, and multiplies with them while `on` is true."""

    def __init__(self, model: "Module") -> None:
        from torch.nn import Linear

        self.on = False
        for layer in model.modules():
            if isinstance(layer, Linear):
                rounded = partial(_multiply, *_round(layer.weight.detach()), layer.bias)
                layer.forward = partial(self._choose, layer.forward, rounded)  # type: ignore[method-assign]

    def _choose(
        self, exact: "Callable[[Tensor], Tensor]", rounded: "Callable[[Tensor], Tensor]", inputs: "Tensor"
    ) -> "Tensor":
        return rounded(inputs) if self.on else exact(inputs)


def _round(weights: "Tensor") -> "tuple[Tensor, Tensor]":
    """Return the weights as integers, of shape `(inputs, outputs)`, and their scales, of shape `(outputs,)`."""
    import torch

    scales = weights.abs().amax(dim=1).clamp_min(SMALLEST_SCALE) / LARGEST
    return (weights / scales[:, None]).round().to(torch.int8).t().contiguous(), scales


def _multiply(weights: "Tensor", scales: "Tensor", bias: "Tensor | None", inputs: "Tensor") -> "Tensor":
    """Return the outputs, of shape `(…, outputs)`, for inputs of shape `(…, inputs)`."""
    import torch

    rows = inputs.reshape(-1, inputs.shape[-1])
    largest = rows.abs().amax(dim=1, keepdim=True).clamp_min_(SMALLEST_SCALE)
    # torch has no public function for this product. The arithmetic beside it takes as long, so it is done in place.
    products = torch._int_mm(torch.mul(rows, LARGEST / largest).round_().to(torch.int8), weights)
    outputs = products.to(torch.float32).mul_(scales).mul_(largest / LARGEST)
    if bias is not None:
        outputs.add_(bias)
    return outputs.reshape(*inputs.shape[:-1], -1)
