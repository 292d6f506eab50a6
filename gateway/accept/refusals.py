"""Every reason for which a submission is refused: a value with a name, what it means, and whether trying again can
help.

What belongs here: the closed list, shared by all doors. Each door has one table that turns a refusal into its own
protocol's words (gateway.ingress.smpp_refusals for SMPP). What must not enter: protocol numbers.
"""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """Why a submission is not accepted. The value is stored, counted and shown, so it never changes its meaning."""

    SOURCE_INVALID = "source_invalid"  # the source address is empty or cannot be an address
    SENDER_NOT_OWNED = "sender_not_owned"  # an alphanumeric sender that the account has not registered and got approved
    DESTINATION_INVALID = "destination_invalid"
    DESTINATION_BLOCKED = "destination_blocked"  # a forbidden destination, or a person's opt-out
    DATA_CODING_UNSUPPORTED = "data_coding_unsupported"
    MESSAGE_LENGTH = "message_length"  # octets against sm_length, or a header longer than the message
    TOO_MANY_PARTS = "too_many_parts"
    SCHEDULE_INVALID = "schedule_invalid"
    VALIDITY_INVALID = "validity_invalid"
    TLV_LENGTH = "tlv_length"  # a TLV that the connector declares, of another length
    TLV_VALUE = "tlv_value"  # of another type
    NO_ROUTE = "no_route"
    SENDER_REFUSED = "sender_refused"  # routes fit, and each of their carriers refuses this sender
    NO_CREDIT = "no_credit"
    ACCOUNT_SUSPENDED = "account_suspended"
    RATE_EXCEEDED = "rate_exceeded"  # the login's parts a second, the account's a second or a minute
    DAY_LIMIT = "day_limit"  # the account's parts of the day are used up: as with credit, waiting a little is no help
    WINDOW_EXCEEDED = "window_exceeded"
    QUEUE_FULL = "queue_full"  # ours: overload is refused before acceptance (promise P6)
    DISK_FULL = "disk_full"  # under PostgreSQL: what is left is for receipts and inbound messages
    DATABASE_AWAY = "database_away"
    DRAINING = "draining"  # this node is stopping: another one, or the next start, takes it

    @property
    def temporary(self) -> bool:
        """Whether the same submission may be accepted later without anybody changing anything."""
        return self in _TEMPORARY


_TEMPORARY = frozenset(
    {
        Refusal.RATE_EXCEEDED,
        Refusal.WINDOW_EXCEEDED,
        Refusal.QUEUE_FULL,
        Refusal.DISK_FULL,
        Refusal.DATABASE_AWAY,
        Refusal.DRAINING,
    }
)
