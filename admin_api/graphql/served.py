"""/graphql as the route table knows it: what answers is loaded with the first question, in a thread beside the loop.

Source: GraphQL over HTTP (working draft). The frame did the rest before: key, rate, size, one object and no list, and
the media type, which keeps browsers' forms out. What must not enter: anything that needs strawberry to be loaded.
"""

from __future__ import annotations

import asyncio
import functools
from types import ModuleType

from admin_api.languages import Language
from admin_api.problems import Problem
from admin_api.service import Answer, Call, Service


@functools.cache
def _execution() -> ModuleType:
    from admin_api.graphql import execution

    execution.schema()
    return execution


def page(language: Language) -> tuple[bytes, str]:
    """/graphql/schema: the schema in its own language, and its media type."""
    return str(_execution().schema()).encode(), "text/plain"


async def ask(service: Service, call: Call) -> Answer | Problem:
    """POST /graphql."""
    execution = await asyncio.to_thread(_execution)
    answer: Answer | Problem = await execution.execute(service, call)
    return answer
