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

from admin_api import (
    estimates,
    event_reading,
    lookup_jobs,
    lookups,
    message_reading,
    messages,
    money,
    webhooks,
)
from admin_api import models_lookups as ml
from admin_api import models_messages as m
from admin_api import models_money as mm
from admin_api import models_webhooks as mw
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
    takes_file: bool = False  # CSV as the body, or as a part of multipart/form-data
    gives_file: bool = False  # CSV
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
    Route(
        method="GET",
        path="/v1/delivery-reports",
        scope="messages:read",
        group="events",
        summary=Words(
            "What became of messages, in the order it became known",
            "Le sort des messages, dans l'ordre où il est connu",
        ),
        answer=event_reading.show_reports,
        query=mw.ReadReports,
        answers=(mw.EventPage,),
    ),
    Route(
        method="GET",
        path="/v1/inbound",
        scope="inbound:read",
        group="events",
        summary=Words("What handsets sent, in order", "Ce que les mobiles ont envoyé, dans l'ordre"),
        answer=event_reading.show_inbound,
        query=mw.ReadInbound,
        answers=(mw.EventPage,),
    ),
    Route(
        method="POST",
        path="/v1/webhooks",
        scope="webhooks",
        group="webhooks",
        summary=Words("Be told of events at a URL", "Être informé des événements à une URL"),
        answer=webhooks.add,
        body=mw.AddWebhook,
        answers=(mw.Webhook,),
        status=201,
        problems=("url_not_permitted", "too_many_webhooks"),
    ),
    Route(
        method="GET",
        path="/v1/webhooks",
        scope="webhooks",
        group="webhooks",
        summary=Words("List webhooks", "Lister les webhooks"),
        answer=webhooks.show_all,
        answers=(mw.Webhooks,),
    ),
    Route(
        method="GET",
        path="/v1/webhooks/{id}",
        scope="webhooks",
        group="webhooks",
        summary=Words("One webhook", "Un webhook"),
        answer=webhooks.show,
        answers=(mw.Webhook,),
        problems=("not_found",),
    ),
    Route(
        method="PATCH",
        path="/v1/webhooks/{id}",
        scope="webhooks",
        group="webhooks",
        summary=Words("Change, disable or enable a webhook", "Modifier, désactiver ou réactiver un webhook"),
        answer=webhooks.change,
        body=mw.ChangeWebhook,
        answers=(mw.Webhook,),
        problems=("not_found", "url_not_permitted"),
    ),
    Route(
        method="DELETE",
        path="/v1/webhooks/{id}",
        scope="webhooks",
        group="webhooks",
        summary=Words("Remove a webhook", "Supprimer un webhook"),
        answer=webhooks.remove,
        answers=(mw.Webhook,),
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/webhooks/{id}/secret",
        scope="webhooks",
        group="webhooks",
        summary=Words("Give a webhook a new secret", "Donner un nouveau secret à un webhook"),
        answer=webhooks.rotate,
        body=mw.RotateSecret,
        answers=(mw.Webhook,),
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/webhooks/{id}/test",
        scope="webhooks",
        group="webhooks",
        summary=Words("Send a test event", "Envoyer un événement d'essai"),
        answer=webhooks.send_test,
        answers=(mw.OwedTest,),
        status=202,
        problems=("not_found", "webhook_disabled"),
    ),
    Route(
        method="GET",
        path="/v1/webhooks/{id}/deliveries",
        scope="webhooks",
        group="webhooks",
        summary=Words("What was told there, newest first", "Ce qui y a été dit, du plus récent au plus ancien"),
        answer=webhooks.show_deliveries,
        query=mw.ListDeliveries,
        answers=(mw.Deliveries,),
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/webhooks/{id}/replay",
        scope="webhooks",
        group="webhooks",
        summary=Words("Tell again what happened in a span", "Redire ce qui est arrivé dans une période"),
        answer=webhooks.replay,
        body=mw.ReplayDeliveries,
        answers=(mw.Replayed,),
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/lookups",
        scope="lookups",
        group="lookups",
        summary=Words("What numbers tell, a thousand at most", "Ce que disent des numéros, mille au plus"),
        answer=lookups.look_up,
        body=ml.AskLookup,
        answers=(ml.Lookups,),
    ),
    Route(
        method="POST",
        path="/v1/lookup-jobs",
        scope="lookups",
        group="lookups",
        summary=Words("Send a CSV of numbers to be analysed", "Envoyer un CSV de numéros à analyser"),
        answer=lookup_jobs.send_file,
        query=ml.AskJob,
        answers=(ml.LookupJob,),
        status=202,
        takes_file=True,
        problems=("not_a_file", "body_too_large", "spool_full", "too_many_jobs"),
    ),
    Route(
        method="GET",
        path="/v1/lookup-jobs",
        scope="lookups",
        group="lookups",
        summary=Words(
            "List the files sent, newest first", "Lister les fichiers envoyés, du plus récent au plus ancien"
        ),
        answer=lookup_jobs.show_jobs,
        query=ml.ListJobs,
        answers=(ml.LookupJobs,),
    ),
    Route(
        method="GET",
        path="/v1/lookup-jobs/{id}",
        scope="lookups",
        group="lookups",
        summary=Words("How far a file is", "Où en est un fichier"),
        answer=lookup_jobs.show_job,
        answers=(ml.LookupJob,),
        problems=("not_found",),
    ),
    Route(
        method="GET",
        path="/v1/lookup-jobs/{id}/result",
        scope="lookups",
        group="lookups",
        summary=Words("The result of a file, as CSV", "Le résultat d'un fichier, en CSV"),
        answer=lookup_jobs.fetch_result,
        answers=(),
        gives_file=True,
        problems=("not_found", "not_done"),
    ),
    Route(
        method="DELETE",
        path="/v1/lookup-jobs/{id}",
        scope="lookups",
        group="lookups",
        summary=Words("Cancel a file, or forget a finished one", "Annuler un fichier, ou oublier un fichier fini"),
        answer=lookup_jobs.end_job,
        answers=(ml.LookupJob,),
        problems=("not_found",),
    ),
)


def problems_of(route: Route) -> tuple[str, ...]:
    """Every code that a route may answer with."""
    return (*ALWAYS, *(WITH_BODY if route.body is not None else ()), *route.problems)
