"""What a server counts, in the form that Prometheus reads."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)
"""Seconds."""


class Metrics:
    """Counters of one server; memory, files and processor time of its process come along."""

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
            "Seconds from a question to its evidence, judged, first_word and total, and of a search",
            ["phase"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        open_questions = Gauge(
            "rag_open_questions", "Questions being answered or waiting in line", registry=self._registry
        )
        open_questions.set_function(count_open)

    def write(self) -> str:
        """All of them, as Prometheus' text format 0.0.4."""
        return generate_latest(self._registry).decode()
