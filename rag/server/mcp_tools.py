"""The assistant as tools that a language model can call, over MCP; the only importer of mcp."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from rag.errors import ConfigError, RagError
from rag.server.schemas import Found, FoundPassage, Opened, Said, Selection, choose
from rag.server.service import Service

if TYPE_CHECKING:
    from mcp.server import MCPServer

Count = Annotated[int, Field(ge=1, le=100)]


def has_tools() -> bool:
    """Whether the protocol's library is installed."""
    return find_spec("mcp") is not None


def build_tools(desk: Service) -> "MCPServer":
    """The tools ask, search and open_article. Raises ConfigError when mcp is not installed."""
    if not has_tools():
        raise ConfigError("The tools need the mcp package. In the project's folder run: pip install -e '.[mcp]'")
    from mcp.server import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import ToolAnnotations

    @contextmanager
    def telling() -> Iterator[None]:
        try:
            yield
        except RagError as error:
            raise ToolError(str(error)) from error

    told = desk.assistant.prompts.programs
    server = MCPServer("rag", title=told["title"], instructions=told["instructions"], log_level="WARNING")
    reads_only = ToolAnnotations(read_only_hint=True, open_world_hint=False)
    Among = Annotated[Selection | None, Field(description=told["among"])]  # noqa: N806

    @server.tool(description=told["ask"], annotations=reads_only)
    async def ask(question: str, among: Among = None) -> Said:
        with telling():
            return Said.of(await desk.ask(question, among=choose(among)))

    @server.tool(description=told["search"], annotations=reads_only)
    async def search(question: str, count: Count = 8, among: Among = None) -> Found:
        with telling():
            hits = await desk.search(question, count, choose(among))
        return Found(question=question, hits=[FoundPassage.of(hit) for hit in hits])

    @server.tool(description=told["open_article"], annotations=reads_only)
    async def open_article(source: str) -> Opened:
        with telling():
            return Opened(article=await desk.open_article(source))

    return server
