"""What an account may send in a second, a minute and a day, asked by every HTTP door at acceptance.

The counts are shared with nodes and other processes by slices (decision 0018); what was asked for and not accepted in
the end is given back.
What must not enter: a door's words for a refusal, limits of a key (keys.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic

from admin_api.service import Service
from gateway.accept.refusals import Refusal
from gateway.message import Message, Submission


def admit(service: Service, submission: Submission) -> Message | Refusal:
    """By every rule but credit, and by the account's limits, from which its parts are taken."""
    admitted = service.lifecycle.admit(submission)
    if isinstance(admitted, Refusal):
        return admitted
    now = monotonic()
    rate = service.rates.of_account(submission.account_id, now)
    refusal = None if rate is None else rate.refusal(admitted.part_count, now)
    return admitted if refusal is None else refusal


def give_back(service: Service, messages: Iterable[Message]) -> None:
    """These were admitted, and are not accepted."""
    for message in messages:
        rate = service.rates.of_account(message.account_id, monotonic())
        if rate is not None:
            rate.not_accepted(message.part_count)
