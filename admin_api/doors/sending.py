"""From what a drop-in door read to what became of it: the gateway's one way of accepting, once for both doors.

Source: architecture section 3: doors translate, `gateway.lifecycle` decides; an answer leaves after the commit (P1).
What must not enter: a product's parameters and answers; a rule about messages.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Final

import msgspec

from admin_api.account_limits import admit, give_back
from admin_api.doors.reading import CallbackWish, DoorMessage, submissions_of
from admin_api.service import Service
from gateway.accept.refusals import Refusal
from gateway.message import Message
from gateway.storage.door_logins import DoorLoginRow
from gateway.storage.group_commit import NotCommitted
from gateway.webhooks import jasmin as jasmin_callbacks
from gateway.webhooks import kannel as kannel_callbacks
from gateway.webhooks.addresses import Network, parse_networks
from gateway.webhooks.targets import Target, read_target

ADMITTED_AT_ONCE: Final = 100  # chosen, as POST /v1/messages: some 3 ms; then others of this process have their turn


class Sent(msgspec.Struct):
    """What became of each recipient."""

    accepted: list[Message]
    refused: dict[str, Refusal]


class CallbackUnfit(Exception):
    """The URL to be told at cannot be asked; the text names the fault."""


async def send(service: Service, login: DoorLoginRow, message: DoorMessage) -> Sent:
    """Accept for all recipients that the rules let pass. Raises CallbackUnfit, and OutcomeUnknown (do not answer)."""
    callback = callback_of(service, message.callback)
    admitted: list[Message] = []
    refused: dict[str, Refusal] = {}
    submissions = submissions_of(message, login.account_id, login.traffic_class, callback)
    for place, submission in enumerate(submissions):
        if place % ADMITTED_AT_ONCE == ADMITTED_AT_ONCE - 1:
            await asyncio.sleep(0)
        outcome = admit(service, submission)
        if isinstance(outcome, Message):
            admitted.append(outcome)
        else:
            refused[submission.destination_addr] = outcome
    if not admitted:
        return Sent([], refused)
    try:
        unpaid = await service.lifecycle.accept(admitted)
    except NotCommitted:
        give_back(service, admitted)
        return Sent([], refused | {each.envelope.submitted_destination: Refusal.DATABASE_AWAY for each in admitted})
    give_back(service, [each for each in admitted if each.message_id in unpaid])
    for each in admitted:
        if each.message_id in unpaid:
            refused[each.envelope.submitted_destination] = Refusal.NO_CREDIT
    return Sent([each for each in admitted if each.message_id not in unpaid], refused)


@functools.lru_cache(maxsize=1)  # the configuration of a process does not change
def allowed_networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Private networks that URLs may lead to. Raises ValueError."""
    return parse_networks(texts)


def callback_of(service: Service, wish: CallbackWish | None) -> tuple[str, ...]:
    """As Envelope has it: URL, format, method, events; () where nobody is told. Raises CallbackUnfit."""
    if wish is None:
        return ()
    target = read_target(wish.url, allowed_networks(service.configuration.webhooks.allow_networks))
    if not isinstance(target, Target):
        raise CallbackUnfit(target)
    of_mask, of_level = kannel_callbacks.events_of_mask, jasmin_callbacks.events_of_level
    events = of_mask(wish.asked) if wish.style == "kannel" else of_level(wish.asked)
    return (wish.url, wish.style, wish.method, " ".join(events)) if events else ()
