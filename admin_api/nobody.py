"""The side of customers in a process that tells them nothing: nodes do, since they hold the messages.

Source: gateway.lifecycle.Notifier. Every verb is a fault of ours here: a process without connectors settles nothing.
What must not enter: webhooks; they are told from rows.
"""

from __future__ import annotations

from gateway.message import InboundMessage, Message


class TellsNobody:
    """A Notifier that is never asked."""

    def foresee(self, message: Message) -> None:
        """Never: nothing becomes final here."""
        raise AssertionError("this process settles no message")

    def offer(self, message: Message) -> None:
        """Never."""
        raise AssertionError("this process settles no message")

    def offer_inbound(self, inbound: InboundMessage) -> None:
        """Never: nothing comes in here."""
        raise AssertionError("this process takes no message from a handset")

    def mention(self, message: Message, message_state: int) -> None:
        """Never."""
        raise AssertionError("this process settles no message")

    def deliver_offered(self) -> None:
        """Never."""
        raise AssertionError("this process settles no message")
