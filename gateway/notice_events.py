"""What people are told of by e-mail and SMS beside messages: one literal table of events.

A row: whom it is for, by which channels unless they chose others, and the facts its templates and webhooks are given.
Who raises one: `tell` of gateway/storage/notices.py. Notices are about an account's own affairs, never marketing.
What must not enter: words (gateway/notices/templates), who has which address (rows), sending.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

Audience = Literal["account", "administrators"]
Channel = Literal["email", "sms"]  # webhooks are no preference: an endpoint names the events it wants
# number: as it is. credits: micro-units. time: Unix milliseconds. decision, cause: one of CHOICES
FactKind = Literal["text", "number", "credits", "time", "decision", "cause"]

CHANNELS: Final[tuple[Channel, ...]] = ("email", "sms")
BOTH: Final[tuple[Channel, ...]] = CHANNELS
BY_MAIL: Final[tuple[Channel, ...]] = ("email",)
MONEY: Final = ("superadmin", "finance")
NETWORK: Final = ("superadmin", "operator")
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "decision": ("approved", "refused", "suspended"),
    "cause": ("gone", "silent"),
}
FACT_CHARACTERS: Final = 500  # chosen: of a text; what is longer is cut


class NoticeEvent(msgspec.Struct, frozen=True):
    """One row. audience account: the account of the notice; administrators: users of these roles, and the house."""

    audience: Audience
    channels: tuple[Channel, ...]
    facts: Mapping[str, FactKind]
    roles: tuple[str, ...] = ()


NOTICE_EVENTS: Final[Mapping[str, NoticeEvent]] = {
    "balance.low": NoticeEvent("account", BOTH, {"account": "text", "balance": "credits", "threshold": "credits"}),
    "order.placed": NoticeEvent(
        "administrators", BOTH, {"order": "number", "account": "text", "credits": "credits", "contact": "text"}, MONEY
    ),
    "order.paid": NoticeEvent("account", BY_MAIL, {"order": "number", "credits": "credits"}),
    "order.credited": NoticeEvent("account", BOTH, {"order": "number", "credits": "credits", "balance": "credits"}),
    "order.refused": NoticeEvent("account", BOTH, {"order": "number", "credits": "credits", "reason": "text"}),
    "credit.waiting": NoticeEvent(
        "administrators",
        BY_MAIL,
        {"account": "text", "credits": "credits", "asked_by": "text", "reason": "text"},
        MONEY,
    ),
    "sender.requested": NoticeEvent("administrators", BY_MAIL, {"sender": "text", "account": "text"}, NETWORK),
    "sender.decided": NoticeEvent("account", BOTH, {"sender": "text", "decision": "decision", "reason": "text"}),
    "webhook.disabled": NoticeEvent("account", BY_MAIL, {"webhook": "number", "origin": "text", "cause": "cause"}),
    "bind.down": NoticeEvent(
        "administrators", BOTH, {"connector": "text", "binds": "number", "since": "time"}, NETWORK
    ),
    "bind.up": NoticeEvent("administrators", BY_MAIL, {"connector": "text", "since": "time"}, NETWORK),
    "node.dead": NoticeEvent("administrators", BOTH, {"node": "text", "since": "time"}, NETWORK),
    "node.back": NoticeEvent("administrators", BY_MAIL, {"node": "text", "since": "time"}, NETWORK),
    "alarm.raised": NoticeEvent(
        "administrators", BY_MAIL, {"alarm": "text", "subject": "text", "detail": "text"}, NETWORK
    ),
    "alarm.cleared": NoticeEvent(
        "administrators", BY_MAIL, {"alarm": "text", "subject": "text", "detail": "text"}, NETWORK
    ),
}
ACCOUNT_EVENTS: Final = tuple(name for name, each in NOTICE_EVENTS.items() if each.audience == "account")


class NoticeFault(Exception):
    """Our own fault: an event that is in no row, or facts that are not its row's."""


def check_notice(event: str, account_id: int | None, facts: Mapping[str, str | int]) -> dict[str, str | int]:
    """The facts as they are stored: texts without control characters, and cut. Raises NoticeFault."""
    row = NOTICE_EVENTS.get(event)
    if row is None:
        raise NoticeFault(f"{event} is in no row of NOTICE_EVENTS")
    if row.audience == "account" and account_id is None:
        raise NoticeFault(f"{event} is for an account: name it")
    if facts.keys() != row.facts.keys():
        raise NoticeFault(f"{event} is told with {', '.join(row.facts)}; given: {', '.join(facts)}")
    return {name: _check_fact(event, name, row.facts[name], given) for name, given in facts.items()}


def _check_fact(event: str, name: str, kind: FactKind, given: str | int) -> str | int:
    if kind == "text":
        return clean_text(str(given))[:FACT_CHARACTERS]
    if kind in CHOICES:
        if given not in CHOICES[kind]:
            raise NoticeFault(f"{event}: {name} is one of {', '.join(CHOICES[kind])}, not {given!r}")
        return given
    try:
        return int(given)
    except ValueError as fault:
        raise NoticeFault(f"{event}: {name} is a whole number, not {given!r}") from fault


def clean_text(text: str) -> str:
    """One line of what can be printed: no value begins a line of its own in a mail's head."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
