"""A Python package index and a model hub on the loopback address, for tests of fetching."""

import hashlib
import json
import threading
import zipfile
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, cast

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Server(ThreadingHTTPServer):
    """A server that runs while its context lasts."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests: list[str] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering, as if the network were down."""
        self.shutdown()
        self.server_close()


class Index(Server):
    """A package index. Downloads of `stalling` packages stop half-way until `released`, those of `broken` ones end."""

    def __init__(self) -> None:
        super().__init__(_IndexHandler)
        self.wheels: dict[str, bytes] = {}
        self.stalling: set[str] = set()
        self.broken: set[str] = set()
        self.stalled = threading.Event()
        self.released = threading.Event()

    def add(self, package: str, member: str, content: bytes, folder: Path, platform: str = "any") -> list[object]:
        """Publish version 1.0 of a package with `content`, for no Python in use. Return its entry for models.toml."""
        name = f"{package.replace('-', '_')}-1.0-py3-none-{platform}.whl"
        info = f"{package.replace('-', '_')}-1.0.dist-info"
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, content)
            metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\nRequires-Python: <3\n"
            archive.writestr(f"{info}/METADATA", metadata)
            archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-{platform}\n")
            archive.writestr(f"{info}/RECORD", "")
        self.wheels[name] = (folder / name).read_bytes()
        return [len(self.wheels[name]), hashlib.sha256(self.wheels[name]).hexdigest()]

    def downloads(self) -> Counter[str]:
        """Return how often the wheel of each package was requested."""
        return Counter(path.split("/")[-1].split("-")[0] for path in self.requests if path.endswith(".whl"))


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def send(self, code: int, content: bytes, kind: str, **headers: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


class _IndexHandler(_Handler):
    def do_GET(self) -> None:
        server = cast("Index", self.server)
        server.requests.append(self.path)
        name = self.path.strip("/").split("/")[-1]
        if content := server.wheels.get(name):
            package = name.split("-")[0]
            if package in server.stalling | server.broken:
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2])
                if package in server.stalling:
                    self.wfile.flush()
                    server.stalled.set()
                    server.released.wait(30)
            else:
                self.send(200, content, "application/octet-stream")
            return
        links = [
            f'<a href="/files/{file}">{file}</a>'
            for file in server.wheels
            if file.split("-")[0] == name.replace("-", "_")
        ]
        self.send(200 if links else 404, "".join(links).encode(), "text/html")


class Hub(Server):
    """A model hub with repositories of files. Weights are in Git LFS, told by the ends of their names."""

    def __init__(self) -> None:
        super().__init__(_HubHandler)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.gated: set[str] = set()
        self.altered: set[str] = set()
        """Files whose bytes differ from their listing."""


class _HubHandler(_Handler):
    def do_GET(self) -> None:
        server = cast("Hub", self.server)
        server.requests.append(f"{self.command} {self.path}")
        path = self.path.split("?")[0].strip("/")
        if path.startswith("api/models/"):
            self.send_listing("/".join(path.split("/")[2:4]))
            return
        repository, _, name = path.partition(f"/resolve/{COMMIT}/")
        content = server.repositories[repository][name]
        etag = hashlib.sha256(content).hexdigest() if _is_large(name) else hashlib.sha1(content).hexdigest()  # noqa: S324
        if name in server.altered:
            content = bytes(reversed(content))
        self.send(200, content, "application/octet-stream", ETag=f'"{etag}"', X_Repo_Commit=COMMIT)

    do_HEAD = do_GET  # noqa: N815

    def send_listing(self, repository: str) -> None:
        server = cast("Hub", self.server)
        if repository in server.gated:
            self.send(403, b"{}", "application/json", X_Error_Code="GatedRepo")
        elif repository not in server.repositories:
            self.send(404, b"{}", "application/json", X_Error_Code="RepoNotFound")
        else:
            siblings = [_sibling(*item) for item in server.repositories[repository].items()]
            listing = {"id": repository, "sha": COMMIT, "siblings": siblings}
            self.send(200, json.dumps(listing).encode(), "application/json")


def _is_large(name: str) -> bool:
    return name.endswith((".safetensors", ".bin", ".gguf", ".onnx"))


def _sibling(name: str, content: bytes) -> dict[str, Any]:
    listed: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": "0" * 40}
    if _is_large(name):
        listed["lfs"] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "pointerSize": 134}
    return listed
