"""What a row of the route table is, and what every route may answer, whatever it is.

What belongs here: the form of a row, and which problems follow from it.
What must not enter: rows (routes.py and its neighbours).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from admin_api.languages import Words
from admin_api.problems import Problem
from admin_api.roles import OPEN
from admin_api.service import Answer, Call, Service

BY_FIELD: Final = "by field"  # in place of a scope, at /graphql: whoever is proven may ask, each field has its own rule
Answers = Callable[[Service, Call], Awaitable[Answer | Problem]]

# What every route may answer, whatever it is; what a customer's and an operator's adds, what a body, and what sending.
ALWAYS: Final = ("invalid_request", "overloaded", "draining", "database_away", "internal_fault")
OF_CUSTOMERS: Final = (
    "unauthenticated",
    "scope_missing",
    "address_not_allowed",
    "account_suspended",
    "throttled",
    "too_many_tries",
)
SIGNED_IN: Final = (
    "not_signed_in",
    "permission_missing",
    "csrf_token_missing",
    "password_change_needed",
    "second_factor_needed",
)
CHANGING: Final = ("outcome_unknown",)
WITH_BODY: Final = ("not_json", "not_a_json_request", "body_too_large", "body_packed", "too_slow")
WITH_FILE: Final = ("body_packed", "too_slow")
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
    """One row: a customer's (scope) or an operator's (permission). answers: the model of the answer, or those it may
    be. idempotent: it takes Idempotency-Key. before_ready: also for who must first choose a password or enrol.
    """

    method: str
    path: str
    scope: str = ""
    permission: str = ""
    group: str
    summary: Words
    answer: Answers
    answers: tuple[type, ...]
    status: int = 200
    body: type | None = None
    query: type | None = None
    idempotent: bool = False
    takes_file: bool = False  # as the body, or as a part of multipart/form-data
    gives_file: bool = False
    gives_stream: bool = False  # text/event-stream, which ends when somebody ends it
    file_types: tuple[str, ...] = ("text/csv",)  # that it takes or gives
    before_ready: bool = False
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """A row has the one or the other."""
        assert bool(self.scope) != bool(self.permission), f"{self.method} {self.path}: scope or permission"


def problems_of(route: Route) -> tuple[str, ...]:
    """Every code that a route may answer with, each once."""
    told = [*ALWAYS, *(WITH_BODY if route.body is not None else WITH_FILE if route.takes_file else ())]
    if route.scope:
        told += OF_CUSTOMERS
    if route.scope == BY_FIELD or route.permission not in ("", OPEN):
        told += SIGNED_IN
    if route.permission and route.method != "GET":
        told += CHANGING
    return tuple(dict.fromkeys((*told, *route.problems)))
