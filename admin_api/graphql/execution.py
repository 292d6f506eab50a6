"""One GraphQL document: measured, executed within its time, its faults told as problems.

Source: GraphQL over HTTP (working draft): 200 with `errors`, whatever a document asks. An error's message is its
problem's title in the caller's language, its extensions are the problem; no text of an exception leaves.
What must not enter: the schema (schema.py), what is counted (limits.py).
"""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import Any, Final

import strawberry
from graphql import DocumentNode, GraphQLError, OperationType, get_operation_ast, parse

from admin_api.graphql import limits
from admin_api.graphql.schema import Asking, Told, build
from admin_api.languages import Words
from admin_api.models_graphql import AskGraphql, GraphqlAnswer
from admin_api.problems import Problem, members
from admin_api.service import Answer, Call, Service
from gateway.storage.group_commit import NotCommitted, OutcomeUnknown

log = logging.getLogger("passerelle.api")

LONGEST_S: Final = 10.0  # chosen: a full answer takes less than one; what sends is never cut off
MOST_ERRORS: Final = 20  # chosen: that one answer tells
LONGEST_REASON: Final = 300  # chosen: characters; it may quote what was asked
PARSER_LIMITS: Final = {"tokens": ("tokens", limits.MOST_TOKENS), "deeply": ("depth", limits.MOST_DEPTH)}  # its words
HIDDEN: Final = Words(
    "The schema does not tell itself here: read it at /graphql/schema.",
    "Le schéma ne se raconte pas ici : lisez-le à /graphql/schema.",
)


@functools.cache
def schema() -> strawberry.Schema:
    """The one of this process."""
    return build()


async def execute(service: Service, call: Call) -> Answer | Problem:
    """The answer to a document."""
    asked: AskGraphql = call.body
    document = _read(asked.query, service.configuration.admin_api.graphql_introspection)
    if isinstance(document, GraphQLError):
        return _told(None, [document], call)
    operation = get_operation_ast(document, asked.operation_name)
    if operation is None:
        return _told(None, [Told(Problem("query_invalid"))], call)
    longest_s = None if operation.operation is OperationType.MUTATION else LONGEST_S
    try:
        async with asyncio.timeout(longest_s):
            done = await schema().execute(
                asked.query, asked.variables, Asking(service, call), operation_name=asked.operation_name
            )
    except TimeoutError:
        return Problem("overloaded")
    return _told(done.data, done.errors or [], call)


def _read(query: str, introspection: bool) -> DocumentNode | GraphQLError:
    """The document, or why it is not executed."""
    try:
        document = parse(query, max_tokens=limits.MOST_TOKENS)
    except GraphQLError as fault:
        passed = [limit for word, limit in PARSER_LIMITS.items() if word in fault.message]
        return Told(limits.too_large(*passed[0])) if passed else fault
    size = limits.measure(document)
    if size.introspects and not introspection:
        return Told(Problem("query_invalid", HIDDEN))
    excess = size.excess()
    return document if excess is None else Told(excess)


def _told(data: dict[str, Any] | None, faults: list[GraphQLError], call: Call) -> Answer:
    return Answer(GraphqlAnswer(data, [_error(each, call) for each in faults[:MOST_ERRORS]]))


def _error(fault: GraphQLError, call: Call) -> dict[str, Any]:
    """A fault as the specification has it, its problem as extensions."""
    told = members(_problem_of(fault, call), call.language)
    if not isinstance(fault, Told) and fault.original_error is None:
        told["reason"] = fault.message[:LONGEST_REASON]  # what the document lacks, in the words of the specification
    error: dict[str, Any] = {"message": told["title"], "extensions": told}
    if fault.path:
        error["path"] = fault.path
    if fault.locations:
        error["locations"] = [{"line": each.line, "column": each.column} for each in fault.locations]
    return error


def _problem_of(fault: GraphQLError, call: Call) -> Problem:
    """Of a field, of the document, of PostgreSQL, or of ours."""
    cause = fault if isinstance(fault, Told) else fault.original_error
    if isinstance(cause, Told):
        return cause.problem
    if cause is None or fault.path is None:  # no field was asked yet: the document's fault, though Python raised it
        return Problem("query_invalid")
    if isinstance(cause, NotCommitted):
        return Problem("database_away")
    if isinstance(cause, OutcomeUnknown):
        return Problem("outcome_unknown")
    log.error("request_failed", exc_info=cause, extra={"route": call.route})
    return Problem("internal_fault")
