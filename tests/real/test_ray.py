"""The real encoder gives the same bytes in two worker processes as in this one."""

import pytest

from rag.config import ROOT, Config
from rag.encoding.load import load_encoder
from rag.encoding.ray_workers import RayEncoder
from tests.encoding.test_ray_workers import assert_same

pytestmark = pytest.mark.slow(reason="It starts Ray and two workers, which load the real encoder.")


def test_two_workers_make_the_same_of_the_articles_as_this_process() -> None:
    words = " ".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "seeds").glob("*.txt"))).split()
    texts = [" ".join(words[start : start + 5 + start % 90]) for start in range(0, 2600, 20)]
    config = Config.from_env()
    spread = load_encoder(Config.from_env(workers=2), corpus=True)
    assert isinstance(spread, RayEncoder)
    assert_same(spread.encode(texts, "passage"), load_encoder(config).encode(texts, "passage"))
