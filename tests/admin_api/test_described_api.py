"""What /openapi.json says holds: schemathesis asks every route with fit and unfit values; none answers 5xx.

A few questions a route here; more by PASSERELLE_FUZZ_EXAMPLES=200 make soak ARGS=tests/admin_api/test_described_api.py
(some minutes). PASSERELLE_FUZZ_SEED repeats a run; it is printed when an answer is wrong.
What must not enter: what answers mean (the other files).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from tests.admin_api.conftest import Api

EXAMPLES = int(os.environ.get("PASSERELLE_FUZZ_EXAMPLES", "1"))  # of each kind, for each route
SEED = int(os.environ.get("PASSERELLE_FUZZ_SEED", "4"))
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
pytestmark = pytest.mark.filterwarnings(  # the process under test runs beside hypothesis, and may draw what it likes
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)
ENDLESS = ("text/event-stream",)


def operations(document: dict[str, Any]) -> Iterator[Any]:
    """Every route that ends its answers by itself."""
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = found.ok()
        answers = document["paths"][operation.path][operation.method]["responses"].values()
        if not any(kind in answer.get("content", {}) for answer in answers for kind in ENDLESS):
            yield operation


def ask(operation: Any, kind: GenerationMode, url: str, token: str) -> None:
    """A route's questions of one kind, one after the other; raises for the first that is answered wrongly."""
    takes_json = not operation.body or any(body.media_type == "application/json" for body in operation.body)
    wanted = [*CHECKS, checks.negative_data_rejection] if takes_json else CHECKS  # a file of anything is a file

    @hypothesis.seed(SEED)
    @hypothesis.settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=kind))
    def question(case: Any) -> None:
        with requests.Session() as session:
            case.call_and_validate(
                base_url=url, session=session, headers={"Authorization": f"Bearer {token}"}, checks=wanted
            )

    question()


async def test_every_route_answers_as_described_whatever_it_is_asked(api: Api) -> None:
    document = (await api.ask("GET", "/openapi.json")).json
    wrong = []
    for operation in operations(document):
        told = document["paths"][operation.path][operation.method]
        token = api.key if "x-scope" in told else (await api.sign_in("superadmin")).key
        for kind in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                await asyncio.to_thread(ask, operation, kind, api.url, token)
            except BaseExceptionGroup as group:
                wrong += [f"{operation.method} {operation.path}: {each}" for each in group.exceptions]
            except AssertionError as fault:
                wrong.append(f"{operation.method} {operation.path}: {fault}")
    assert not wrong, f"PASSERELLE_FUZZ_SEED={SEED}\n" + "\n\n".join(wrong)
