"""Once set up, nothing uses the network: the whole path runs in a process without network access."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rag.config import ROOT, Config
from tests.real.conftest import LIGHT

pytestmark = pytest.mark.slow(reason="Another process builds an index and answers with the real models.")
GUARD = """
import sys

ASKS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.connect", "socket.sendto",
        "socket.sendmsg"}
attempts = []

def forbid(event, arguments):
    if event not in ASKS:
        return
    address = next((part for part in arguments if isinstance(part, (str, bytes, tuple))), None)
    host = address[0] if isinstance(address, tuple) else address
    if host not in ("localhost", "127.0.0.1", "::1"):
        attempts.append(f"{event} {address}")
        raise OSError(f"no network: {event} {address}")

sys.addaudithook(forbid)
"""
MAIN_PATH = """
import json
from pathlib import Path
from rag import Assistant, Config, build_index

config = Config.from_env()
summary = build_index([Path(sys.argv[1])], config)
assistant = Assistant.load(config)
found = assistant.search("Kdy otevřeli knihovnu ve Zlíně?")
answer = assistant.answer("Kdo pozval Lavrova do KLDR?")
print(json.dumps({"new": summary.new, "first": found[0].as_dict(), "answer": answer.as_dict(), "attempts": attempts}))
"""
ATTEMPTS = """
import contextlib, json, socket, urllib.request

with contextlib.suppress(OSError):
    urllib.request.urlopen("https://example.org", timeout=1)
with contextlib.suppress(OSError):
    socket.socket().connect(("192.0.2.1", 80))
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
print(json.dumps(attempts))
"""


def run(code: str, *arguments: str, environment: dict[str, str]) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", GUARD + code, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_building_searching_and_answering_need_no_network(
    config: Config, environment: dict[str, str], tmp_path: Path
) -> None:
    corpus, indexes = tmp_path / "corpus", tmp_path / "indexes"
    shutil.copytree(ROOT / "seeds", corpus)
    shutil.copytree(config.indexes, indexes)
    (corpus / "new.txt").write_text("Ve Zlíně otevřeli v pondělí novou knihovnu.\n", encoding="utf-8")
    # This environment sets no offline switch of any library, and its home has no caches.
    assert not [name for name in environment if name.startswith(("HF_", "TRANSFORMERS_", "GRADIO_"))]
    told = run(MAIN_PATH, str(corpus), environment={**environment, "RAG_INDEXES": str(indexes), "RAG_GENERATOR": LIGHT})
    assert told["attempts"] == []
    assert told["new"] == 1
    assert told["first"]["source"] == "new.txt"
    assert told["answer"]["citations"]


def test_the_guard_notices_what_it_forbids(environment: dict[str, str]) -> None:
    name, address = run(ATTEMPTS, environment=environment)
    assert "example.org" in name
    assert "192.0.2.1" in address
