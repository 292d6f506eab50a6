"""Addresses of credit: customers' orders; operators' moves, transfers, and orders seen through.

What belongs here: rows of the route table.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

from admin_api import credit_orders, operator_credit_orders, operator_credits
from admin_api import models_credit_orders as mo
from admin_api import models_credits as mc
from admin_api import models_money as mm
from admin_api.languages import Words
from admin_api.route import Route

CREDIT_ORDERS: Final[tuple[Route, ...]] = (
    Route(
        method="POST",
        path="/v1/credit-orders",
        scope="credit-orders",
        group="credit-orders",
        summary=Words("Order credit", "Commander du crédit"),
        answer=credit_orders.place,
        body=mo.PlaceOrder,
        answers=(mo.CreditOrder,),
        status=201,
        idempotent=True,
        problems=("too_many_orders", "idempotency_mismatch", "outcome_unknown"),
    ),
    Route(
        method="GET",
        path="/v1/credit-orders",
        scope="credit-orders",
        group="credit-orders",
        summary=Words("List orders, newest first", "Lister les commandes, de la plus récente à la plus ancienne"),
        answer=credit_orders.show_page,
        query=mo.ListOrders,
        answers=(mo.CreditOrders,),
    ),
    Route(
        method="GET",
        path="/v1/credit-orders/{id}",
        scope="credit-orders",
        group="credit-orders",
        summary=Words("One order", "Une commande"),
        answer=credit_orders.show,
        answers=(mo.CreditOrder,),
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/credit-orders/{id}/cancel",
        scope="credit-orders",
        group="credit-orders",
        summary=Words("Cancel an order that is not paid", "Annuler une commande qui n'est pas payée"),
        answer=credit_orders.cancel,
        answers=(mo.CreditOrder,),
        problems=("not_found", "order_state", "outcome_unknown"),
    ),
)

_MOVING: Final = (
    "insufficient_credit",
    "account_closed",
    "balance_too_high",
    "idempotency_mismatch",
    "not_found",
)

_MOVES: Final[tuple[Route, ...]] = (
    Route(
        method="POST",
        path="/v1/admin/credits",
        permission="credits.write",
        group="credits",
        summary=Words(
            "Top up, adjust, refund or set a limit; a large move waits for a second person",
            "Recharger, ajuster, rembourser ou fixer un découvert ; un gros mouvement attend une seconde personne",
        ),
        answer=operator_credits.move,
        body=mc.MoveCredit,
        answers=(mc.CreditMove,),
        status=201,
        idempotent=True,
        problems=_MOVING,
    ),
    Route(
        method="GET",
        path="/v1/admin/credits",
        permission="credits.read",
        group="credits",
        summary=Words("List moves of credit, newest first", "Lister les mouvements, du plus récent au plus ancien"),
        answer=operator_credits.show_page,
        query=mc.ListMoves,
        answers=(mc.CreditMoves,),
    ),
    Route(
        method="GET",
        path="/v1/admin/credits/{id}",
        permission="credits.read",
        group="credits",
        summary=Words("One move of credit", "Un mouvement de crédit"),
        answer=operator_credits.show,
        answers=(mc.CreditMove,),
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/admin/credits/{id}/approve",
        permission="credits.approve",
        group="credits",
        summary=Words("Approve what somebody else proposed", "Approuver ce qu'un autre a proposé"),
        answer=operator_credits.approve,
        answers=(mc.CreditMove,),
        problems=(*_MOVING, "second_person_needed", "move_decided", "order_state"),
    ),
    Route(
        method="POST",
        path="/v1/admin/credits/{id}/decline",
        permission="credits.approve",
        group="credits",
        summary=Words("Decline what somebody else proposed", "Rejeter ce qu'un autre a proposé"),
        answer=operator_credits.decline,
        body=mc.Decide,
        answers=(mc.CreditMove,),
        problems=("not_found", "second_person_needed", "move_decided"),
    ),
    Route(
        method="POST",
        path="/v1/admin/credits/{id}/withdraw",
        permission="credits.write",
        group="credits",
        summary=Words("Withdraw what one proposed oneself", "Retirer ce qu'on a proposé soi-même"),
        answer=operator_credits.withdraw,
        answers=(mc.CreditMove,),
        problems=("not_found", "not_own_proposal", "move_decided"),
    ),
    Route(
        method="POST",
        path="/v1/admin/transfers",
        permission="credits.transfer",
        group="credits",
        summary=Words(
            "Give credit of one's own to an account below", "Donner de son propre crédit à un compte en dessous"
        ),
        answer=operator_credits.transfer,
        body=mc.Transfer,
        answers=(mc.CreditMove,),
        status=201,
        idempotent=True,
        problems=(*_MOVING, "account_suspended"),
    ),
    Route(
        method="GET",
        path="/v1/admin/accounts/{id}/balance",
        permission="credits.read",
        group="credits",
        summary=Words("What an account has", "Ce qu'un compte possède"),
        answer=operator_credits.show_balance,
        answers=(mm.Balance,),
        problems=("not_found",),
    ),
    Route(
        method="GET",
        path="/v1/admin/accounts/{id}/ledger",
        permission="credits.read",
        group="credits",
        summary=Words("Every posting of an account, newest first", "Chaque écriture d'un compte, de la plus récente"),
        answer=operator_credits.show_ledger,
        query=mm.ListPostings,
        answers=(mm.Postings,),
        problems=("not_found",),
    ),
)

_ORDERS: Final[tuple[Route, ...]] = (
    Route(
        method="GET",
        path="/v1/admin/credit-orders",
        permission="credit_orders.read",
        group="credits",
        summary=Words("List orders, newest first", "Lister les commandes, de la plus récente à la plus ancienne"),
        answer=operator_credit_orders.show_page,
        query=mo.ListOperatorsOrders,
        answers=(mo.OperatorsOrders,),
    ),
    Route(
        method="GET",
        path="/v1/admin/credit-orders/{id}",
        permission="credit_orders.read",
        group="credits",
        summary=Words("One order", "Une commande"),
        answer=operator_credit_orders.show,
        answers=(mo.OperatorsOrder,),
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/admin/credit-orders/{id}/payment",
        permission="credit_orders.write",
        group="credits",
        summary=Words("Record what was paid for an order", "Noter ce qui a été payé pour une commande"),
        answer=operator_credit_orders.record_payment,
        body=mo.RecordPayment,
        answers=(mo.OperatorsOrder,),
        problems=("not_found", "order_state"),
    ),
    Route(
        method="POST",
        path="/v1/admin/credit-orders/{id}/credit",
        permission="credits.write",
        group="credits",
        summary=Words("Credit a paid order, once", "Créditer une commande payée, une fois"),
        answer=operator_credit_orders.credit,
        answers=(mc.CreditMove,),
        problems=(*_MOVING, "order_state", "order_in_approval"),
    ),
    Route(
        method="POST",
        path="/v1/admin/credit-orders/{id}/refuse",
        permission="credit_orders.write",
        group="credits",
        summary=Words("Refuse an order, and say why", "Refuser une commande, et dire pourquoi"),
        answer=operator_credit_orders.refuse,
        body=mc.Decide,
        answers=(mo.OperatorsOrder,),
        problems=("not_found", "order_state"),
    ),
)

CREDITS: Final[tuple[Route, ...]] = (*_MOVES, *_ORDERS)
