"""Plain endpoints: searching, the articles, and what is counted."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from rag.server.schemas import Found, FoundPassage, SearchRequest, choose
from rag.server.service import Service
from rag.types import Article, Document


def build_articles(desk: Service) -> APIRouter:
    """The routes to what is in the index, and how it is asked."""
    router = APIRouter(tags=["articles"])

    @router.post("/search")
    async def search(asked: SearchRequest) -> Found:
        """The passages nearest to the question, in whatever language; nothing is generated."""
        hits = await desk.search(asked.question, asked.count, choose(asked.among))
        return Found(question=asked.question, hits=[FoundPassage.of(hit) for hit in hits])

    @router.get("/articles")
    async def list_articles() -> list[Article]:
        """What is in the index, in the order of the sources."""
        return list(await desk.list_articles())

    @router.get("/articles/{source:path}")
    async def open_article(source: str) -> Document:
        """An article as it was when it was indexed."""
        return await desk.open_article(source)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def write_metrics() -> PlainTextResponse:
        """What was asked and how long it took, as Prometheus reads it."""
        return PlainTextResponse(desk.metrics.write())

    return router
