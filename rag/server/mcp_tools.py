"""The assistant as tools that a language model can call over MCP. Only this module imports mcp."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from rag.config import say_install
from rag.errors import ConfigError, RagError
from rag.server.schemas import CitedAnswer, FoundPassage, OpenedArticle, SearchResponse, Selection, make_filter
from rag.server.service import Service

if TYPE_CHECKING:
    from mcp.server import MCPServer

Count = Annotated[int, Field(ge=1, le=100)]


def has_mcp() -> bool:
    """Return whether the mcp package is installed."""
    return find_spec("mcp") is not None


def build_tools(service: Service) -> "MCPServer":
    """Return a server with the tools ask, search and open_article. Raises ConfigError if mcp is not installed."""
    if not has_mcp():
        raise ConfigError(f"The MCP tools need the mcp package. {say_install('mcp', 'mcp')}")
    from mcp.server import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import ToolAnnotations

    @contextmanager
    def tool_errors() -> Iterator[None]:
        try:
            yield
        except RagError as error:
            raise ToolError(str(error)) from error

    texts = service.assistant.prompts.programs
    server = MCPServer("rag", title=texts["title"], instructions=texts["instructions"], log_level="WARNING")
    read_only = ToolAnnotations(read_only_hint=True, open_world_hint=False)
    Among = Annotated[Selection | None, Field(description=texts["among"])]  # noqa: N806

    @server.tool(description=texts["ask"], annotations=read_only)
    async def ask(question: str, among: Among = None) -> CitedAnswer:
        with tool_errors():
            return CitedAnswer.of(await service.ask(question, among=make_filter(among)))

    @server.tool(description=texts["search"], annotations=read_only)
    async def search(question: str, count: Count = 8, among: Among = None) -> SearchResponse:
        with tool_errors():
            hits = await service.search(question, count, make_filter(among))
        return SearchResponse(question=question, hits=[FoundPassage.of(hit) for hit in hits])

    @server.tool(description=texts["open_article"], annotations=read_only)
    async def open_article(source: str) -> OpenedArticle:
        with tool_errors():
            return OpenedArticle(article=await service.open_article(source))

    return server
