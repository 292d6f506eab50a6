"""A settle batch cut in two: the rest may forget only what the first half does not promise.

Source: gateway.storage.settle_batch.split. What must not enter: the commit of a batch (test_streams.py).
"""

from __future__ import annotations

from gateway.message import Envelope, Message
from gateway.storage.settle_batch import SettleBatch


def message(message_id: int) -> Message:
    return Message(message_id, 1, 1, 1, 1, "otp", 1, 0, 1, 9, 0, "ACME", "229", "why", b"", Envelope())


def test_what_is_put_off_again_is_not_forgotten_by_the_rest() -> None:
    batch = SettleBatch()
    batch.messages = [message(1), message(2), message(3)]
    batch.undelayed = [(1, 1), (1, 2)]  # both were claimed and written
    batch.delays = [(99, 1, 1, "ESME_RSYSERR")]  # and the first was put off again
    first, rest = batch.split(2)
    assert rest is not None
    assert first.delays == [(99, 1, 1, "ESME_RSYSERR")]
    assert (first.undelayed, rest.undelayed) == ([], [(1, 2)])
