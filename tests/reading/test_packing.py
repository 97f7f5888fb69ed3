from pathlib import Path

import torch
from safetensors.torch import save_file

from rag.reading.network import Network
from rag.reading.packing import expand, pack, read


def test_weights_come_back_within_half_a_step_of_their_row(encoder: Path, tmp_path: Path) -> None:
    weights = Network.start(encoder).upper.state_dict()
    packed = pack(weights)
    save_file(packed, tmp_path / "shipped.safetensors")
    back = read(tmp_path / "shipped.safetensors")
    assert back.keys() == weights.keys()
    for name, weight in weights.items():
        largest = weight.abs().max().item()
        torch.testing.assert_close(back[name], weight, atol=largest / 127, rtol=1e-3)


def test_matrices_are_bytes_and_a_row_of_zeros_stays_one() -> None:
    packed = pack({"matrix": torch.zeros(16, 4), "bias": torch.ones(4), "few": torch.ones(2, 4)})
    assert {name: tensor.dtype for name, tensor in packed.items()} == {
        "matrix": torch.int8, "matrix.scale": torch.float16, "bias": torch.float16, "few": torch.float16,
    }  # fmt: skip
    assert torch.equal(expand(packed)["matrix"], torch.zeros(16, 4))
