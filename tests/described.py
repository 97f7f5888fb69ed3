"""What the server's own description of itself promises, asked of it again and again with requests made from it."""

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
"""To each path."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    assistant = make_assistant(tmp_path_factory.mktemp("served"), ScriptedGenerator("It cost nine million."))
    with serving(Service(assistant)) as url:
        yield url


def test_every_reply_is_as_the_description_says(url: str) -> None:
    asked = set()
    for result in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
        operation = result.ok()

        @settings(max_examples=REQUESTS, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def ask(case: Case) -> None:
            # What is no question, no date or no article shows when it is looked at, not from its form.
            case.call_and_validate(excluded_checks=[positive_data_acceptance])

        ask()
        asked.add(operation.path)
    assert {"/v1/chat/completions", "/v1/models", "/search", "/articles", "/articles/{source}", "/health"} <= asked
