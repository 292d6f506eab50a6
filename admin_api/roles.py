"""What operators may do: one literal table of roles, as sets of permissions.

A permission is `<matter>.<read|write|...>`; a row of the operators' route table names one. Two belong to no role: OPEN
is anybody's, SELF everybody's who is signed in. A reseller's permissions reach the accounts below his own only: a
matter stands in his set once its resource keeps to that (account_tree, docs/api-inside.md).
What must not enter: who somebody is (sessions.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

OPEN: Final = "open"
SELF: Final = "self"

_READ: Final = frozenset(
    (
        "accounts.read",
        "credits.read",
        "credit_orders.read",
        "senders.read",
        "messages.read",
        "esmes.read",
        "connectors.read",
        "routes.read",
        "rates.read",
        "blocks.read",
        "opt_outs.read",
        "quiet_hours.read",
        "alarms.read",
        "statistics.read",
        "notices.read",
    )
)
_WRITE: Final = frozenset(
    (
        "accounts.write",
        "senders.write",
        "messages.write",
        "esmes.write",
        "connectors.operate",
        "routes.write",
        "rates.write",
        "blocks.write",
        "opt_outs.write",
        "quiet_hours.write",
        "alarms.write",
        "messages.export",
        "numbers.read",
        "notices.write",
    )
)
_MONEY: Final = frozenset(("credits.write", "credits.approve", "credit_orders.write"))
_OVERSIGHT: Final = frozenset(("users.read", "users.write", "audit.read", "senders.override"))

ROLES: Final[Mapping[str, frozenset[str]]] = {
    "superadmin": _READ | _WRITE | _MONEY | _OVERSIGHT,
    "operator": _READ | _WRITE,
    "finance": _MONEY
    | {
        "accounts.read",
        "credits.read",
        "credit_orders.read",
        "rates.read",
        "statistics.read",
        "notices.read",
        "audit.read",
    },
    "reseller": frozenset(
        (
            "accounts.read",
            "accounts.write",
            "credits.read",
            "credits.transfer",
            "credit_orders.read",
            "esmes.read",
            "esmes.write",
        )
    ),
    "support": frozenset(
        (
            "accounts.read",
            "credits.read",
            "credit_orders.read",
            "senders.read",
            "messages.read",
            "messages.write",
            "numbers.read",
            "esmes.read",
            "connectors.read",
            "routes.read",
            "blocks.read",
            "opt_outs.read",
            "opt_outs.write",
            "quiet_hours.read",
            "alarms.read",
            "statistics.read",
        )
    ),
    "read_only": _READ,
}
PERMISSIONS: Final = frozenset().union(*ROLES.values())
