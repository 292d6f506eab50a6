"""Every address of the API: one literal table. START READING HERE.

A row: method, path, scope, what it does in both languages, the function that answers, its models. From it come the
application (application.py), OpenAPI (openapi.py), /docs (docs_page.py) and the tests of access. How a resource is
added: docs/api-inside.md.
What must not enter: code.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from admin_api import estimates, message_reading, messages, money
from admin_api import models_messages as m
from admin_api import models_money as mm
from admin_api.languages import Words
from admin_api.problems import Problem
from admin_api.service import Answer, Call, Service

Answers = Callable[[Service, Call], Awaitable[Answer | Problem]]

# What every route may answer, whatever it is; what a body, and what sending adds.
ALWAYS: Final = (
    "invalid_request",
    "unauthenticated",
    "scope_missing",
    "address_not_allowed",
    "account_suspended",
    "throttled",
    "overloaded",
    "draining",
    "database_away",
    "internal_fault",
)
WITH_BODY: Final = ("not_json", "not_a_json_request", "body_too_large")
SENDING: Final = (
    "insufficient_credit",
    "sender_not_approved",
    "sender_invalid",
    "sender_refused_by_carrier",
    "recipient_invalid",
    "recipient_blocked",
    "text_not_encodable",
    "text_too_long",
    "schedule_invalid",
    "validity_invalid",
    "no_route",
    "no_reply_impossible",
    "client_ref_taken",
    "day_limit",
    "disk_full",
    "node_away",
    "idempotency_in_flight",
    "idempotency_mismatch",
    "outcome_unknown",
)


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One row. answers: the model of the answer, or those it may be. idempotent: it takes Idempotency-Key."""

    method: str
    path: str
    scope: str
    group: str
    summary: Words
    answer: Answers
    answers: tuple[type, ...]
    status: int = 200
    body: type | None = None
    query: type | None = None
    idempotent: bool = False
    problems: tuple[str, ...] = ()


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        method="POST",
        path="/v1/messages",
        scope="messages:send",
        group="messages",
        summary=Words("Send a message to one recipient, or to several", "Envoyer un message à un ou plusieurs"),
        answer=messages.send,
        body=m.SendMessage,
        answers=(m.Accepted, m.Results),
        status=202,
        idempotent=True,
        problems=(*SENDING, "all_refused"),
    ),
    Route(
        method="POST",
        path="/v1/messages/batch",
        scope="messages:send",
        group="messages",
        summary=Words("Send many messages, all or each by itself", "Envoyer un lot, en bloc ou un par un"),
        answer=messages.send_batch,
        body=m.SendBatch,
        answers=(m.Results,),
        status=202,
        idempotent=True,
        problems=(*SENDING, "all_refused", "batch_undone"),
    ),
    Route(
        method="POST",
        path="/v1/messages/estimate",
        scope="messages:read",
        group="messages",
        summary=Words("Count the parts of a text, and its price", "Compter les segments d'un texte, et son prix"),
        answer=estimates.show_estimate,
        body=m.AskEstimate,
        answers=(m.Estimated,),
        problems=("recipient_invalid",),
    ),
    Route(
        method="GET",
        path="/v1/messages",
        scope="messages:read",
        group="messages",
        summary=Words("List messages, newest first", "Lister les messages, du plus récent au plus ancien"),
        answer=message_reading.show_page,
        query=m.ListMessages,
        answers=(m.Messages,),
    ),
    Route(
        method="GET",
        path="/v1/messages/{id}",
        scope="messages:read",
        group="messages",
        summary=Words("One message, with its timeline", "Un message, avec sa chronologie"),
        answer=message_reading.show,
        answers=(m.MessageNow,),
        problems=("not_found",),
    ),
    Route(
        method="DELETE",
        path="/v1/messages/{id}",
        scope="messages:send",
        group="messages",
        summary=Words("Take a message back that was not sent yet", "Reprendre un message pas encore parti"),
        answer=message_reading.cancel,
        answers=(m.MessageNow,),
        problems=("not_found", "too_late", "node_away"),
    ),
    Route(
        method="POST",
        path="/v1/explain",
        scope="messages:read",
        group="messages",
        summary=Words("What would become of a message, by each rule", "Le sort d'un message, par règle"),
        answer=estimates.show_explanation,
        body=m.AskExplain,
        answers=(m.Explained,),
    ),
    Route(
        method="GET",
        path="/v1/balance",
        scope="money:read",
        group="money",
        summary=Words("What the account has", "Ce que le compte possède"),
        answer=money.show_balance,
        answers=(mm.Balance,),
    ),
    Route(
        method="GET",
        path="/v1/ledger",
        scope="money:read",
        group="money",
        summary=Words(
            "Every move of credit, newest first", "Chaque mouvement de crédit, du plus récent au plus ancien"
        ),
        answer=money.show_ledger,
        query=mm.ListPostings,
        answers=(mm.Postings,),
    ),
)


def problems_of(route: Route) -> tuple[str, ...]:
    """Every code that a route may answer with."""
    return (*ALWAYS, *(WITH_BODY if route.body is not None else ()), *route.problems)
