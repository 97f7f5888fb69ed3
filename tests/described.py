"""Check the server against its own OpenAPI description, with requests generated from it.

Run by tests/server/test_description.py in a process of its own.
"""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

from rag.server.service import Service
from rag.testing import ScriptedGenerator
from tests.served import make_assistant, serving

REQUESTS = 20
"""For each operation."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    assistant = make_assistant(tmp_path_factory.mktemp("served"), ScriptedGenerator("It cost nine million."))
    with serving(Service(assistant)) as url:
        yield url


def test_every_response_matches_the_description(url: str) -> None:
    tested = set()
    for result in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
        operation = result.ok()

        @settings(max_examples=REQUESTS, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def send(case: Case) -> None:
            # An invalid question, date or source fits the schema, so it may be refused.
            case.call_and_validate(excluded_checks=[positive_data_acceptance])

        send()
        tested.add(operation.path)
    assert {"/v1/chat/completions", "/v1/models", "/search", "/articles", "/articles/{source}", "/health"} <= tested
