"""Plain endpoints: search, the articles, and the metrics."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from rag.server.schemas import FoundPassage, SearchRequest, SearchResponse, make_filter
from rag.server.service import Service
from rag.types import Article, Document


def build_articles(service: Service) -> APIRouter:
    """Return the routes for search, articles and metrics."""
    router = APIRouter(tags=["articles"])

    @router.post("/search")
    async def search(request: SearchRequest) -> SearchResponse:
        """Find the passages closest in meaning to the question, in whatever language. No answer is generated."""
        hits = await service.search(request.question, request.count, make_filter(request.among))
        return SearchResponse(question=request.question, hits=[FoundPassage.of(hit) for hit in hits])

    @router.get("/articles")
    async def list_articles() -> list[Article]:
        """List the articles in the index, ordered by source."""
        return list(await service.list_articles())

    @router.get("/articles/{source:path}")
    async def open_article(source: str) -> Document:
        """Return an article as it was when it was indexed."""
        return await service.open_article(source)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def write_metrics() -> PlainTextResponse:
        """Return counts and durations of requests in Prometheus' text format."""
        return PlainTextResponse(service.metrics.write())

    return router
