"""The server's metrics, in Prometheus' text format."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)
"""Upper bounds, in seconds."""


class Metrics:
    """The metrics of one server and of its process: memory, open files and processor time."""

    def __init__(self, count_open: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.questions = Counter(
            "rag_questions",
            "Questions by outcome: answered, quoted, abstained, refused, failed, left",
            ["outcome"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "rag_seconds",
            "Seconds from a question to its evidence, judged, first_word and total, and for a search",
            ["phase"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        open_questions = Gauge("rag_open_questions", "Questions in progress or queued", registry=self._registry)
        open_questions.set_function(count_open)

    def write(self) -> str:
        """Return all metrics in Prometheus' text format 0.0.4."""
        return generate_latest(self._registry).decode()
