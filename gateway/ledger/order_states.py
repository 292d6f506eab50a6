"""An order of credit: which event leads from which state to which, as a table.

Source: docs/credit-orders.md. What is absent is refused. The database keeps the last states last (policy api_records).
What must not enter: who may cause an event, and what else happens with it (orders.py).
"""

from __future__ import annotations

from typing import Final, Literal

OrderState = Literal["placed", "paid", "credited", "refused", "cancelled", "expired"]
OrderEvent = Literal["pay", "credit", "refuse", "cancel", "expire"]

STATES: Final[tuple[OrderState, ...]] = ("placed", "paid", "credited", "refused", "cancelled", "expired")
EVENTS: Final[tuple[OrderEvent, ...]] = ("pay", "credit", "refuse", "cancel", "expire")

MOVES: Final[dict[tuple[OrderState, OrderEvent], OrderState]] = {
    ("placed", "pay"): "paid",
    ("placed", "refuse"): "refused",
    ("placed", "cancel"): "cancelled",  # by its customer: what he paid for is no longer his to cancel
    ("placed", "expire"): "expired",  # nobody paid in time
    ("paid", "pay"): "paid",  # a payment that was written down wrongly, written down again
    ("paid", "credit"): "credited",
    ("paid", "refuse"): "refused",  # the payment failed after all
}


def ends(event: OrderEvent) -> tuple[list[str], str]:
    """From which states an event leads on, and to which one."""
    (after,) = {after for (_, each), after in MOVES.items() if each == event}
    return [state for state, each in MOVES if each == event], after
