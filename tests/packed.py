"""Writes an encoder in its packed form, small enough for a test."""

import struct
from collections.abc import Mapping

import numpy as np

SIZES = {"hidden": 32, "layers": 2, "heads": 2, "ffn": 64, "vocabulary": 40, "positions": 514, "types": 2}
Tensor = tuple[int, int, bytes]
"""Type, number of elements, and bytes."""


def make_tensors(seed: int = 0) -> dict[str, Tensor]:
    """Return all tensors of a model of SIZES: matrices in 4 bits, except positions and types, and vectors in f32."""
    hidden, ffn = SIZES["hidden"], SIZES["ffn"]
    matrices = {"emb.word": SIZES["vocabulary"] * hidden}
    vectors = {"emb.pos": SIZES["positions"] * hidden, "emb.type": 2 * hidden, "emb.ln.w": hidden, "emb.ln.b": hidden}
    for layer in range(SIZES["layers"]):
        for name, rows, columns in [
            *((name, hidden, hidden) for name in ("q", "k", "v", "ao")),
            ("fi", ffn, hidden),
            ("fo", hidden, ffn),
        ]:
            matrices[f"l{layer}.{name}.w"] = rows * columns
            vectors[f"l{layer}.{name}.b"] = rows
        for name in ("aln", "oln"):
            vectors |= {f"l{layer}.{name}.w": hidden, f"l{layer}.{name}.b": hidden}
    random = np.random.default_rng(seed)
    tensors: dict[str, Tensor] = {}
    for name, count in matrices.items():
        blocks = np.zeros(count // 32, dtype=[("scale", "<f2"), ("nibbles", "u1", 16)])
        blocks["scale"] = random.normal(scale=0.1, size=len(blocks))
        blocks["nibbles"] = random.integers(0, 256, size=(len(blocks), 16))
        tensors[name] = (1, count, blocks.tobytes())
    for name, count in vectors.items():
        tensors[name] = (0, count, random.normal(size=count).astype("<f4").tobytes())
    return tensors


def pack(tensors: Mapping[str, Tensor], magic: bytes = b"E5S1", version: int = 1) -> bytes:
    """Return the packed file."""
    pieces, text, normal = 3, b"<s><pad></s>", b"\x01\x02\x03"
    head = struct.pack("<4sI7ifi", magic, version, *SIZES.values(), 1e-12, 32)
    head += struct.pack("<5iQ", pieces, 0, 2, 1, 3, len(text)) + bytes((pieces + 1) * 4 + pieces * 4) + text
    head += struct.pack("<iI", 1, len(normal)) + normal
    directory = struct.pack("<i", len(tensors))
    offset = len(head) + 4 + sum(2 + len(name) + struct.calcsize("<BIQQ") for name in tensors)
    body = b""
    for name, (kind, count, content) in tensors.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, count, offset + len(body), len(content))
        body += content
    return head + directory + body
