"""The door's table: which command_status each refusal becomes towards an ESME.

Source: smpp-answers, "As a server"; SMPP v3.4 5.1.3. A temporary condition is answered with 0x08, 0x14, 0x58 or
0x64 only,
a permanent one never with those. What must not enter: when a refusal applies (gateway.accept).
"""

from __future__ import annotations

from typing import Final

from gateway.accept.refusals import Refusal
from gateway.smpp.command_status import CommandStatus

# Vendor statuses 0x0400..0x04FF (v3.4 5.1.3), ours; an account may ask for 0x45 instead.
STATUS_NO_CREDIT: Final = 0x0400
STATUS_ACCOUNT_SUSPENDED: Final = 0x0401
STATUS_DESTINATION_BLOCKED: Final = 0x0402
STATUS_DAY_LIMIT: Final = 0x0403

V50: Final = 0x50  # v5.0 4.7.13

STATUS_OF: Final[dict[Refusal, int]] = {
    Refusal.SOURCE_INVALID: CommandStatus.ESME_RINVSRCADR,
    Refusal.SENDER_NOT_OWNED: CommandStatus.ESME_RINVSRCADR,
    Refusal.SENDER_REFUSED: CommandStatus.ESME_RINVSRCADR,
    Refusal.DESTINATION_INVALID: CommandStatus.ESME_RINVDSTADR,
    Refusal.DESTINATION_BLOCKED: STATUS_DESTINATION_BLOCKED,
    Refusal.DATA_CODING_UNSUPPORTED: CommandStatus.ESME_RSUBMITFAIL,
    Refusal.MESSAGE_LENGTH: CommandStatus.ESME_RINVMSGLEN,
    Refusal.TOO_MANY_PARTS: CommandStatus.ESME_RINVMSGLEN,
    Refusal.SCHEDULE_INVALID: CommandStatus.ESME_RINVSCHED,
    Refusal.VALIDITY_INVALID: CommandStatus.ESME_RINVEXPIRY,
    Refusal.TLV_LENGTH: CommandStatus.ESME_RINVPARLEN,
    Refusal.TLV_VALUE: CommandStatus.ESME_RINVOPTPARAMVAL,
    Refusal.NO_ROUTE: CommandStatus.ESME_RINVDSTADR,
    Refusal.NO_CREDIT: STATUS_NO_CREDIT,
    Refusal.ACCOUNT_SUSPENDED: STATUS_ACCOUNT_SUSPENDED,
    Refusal.RATE_EXCEEDED: CommandStatus.ESME_RTHROTTLED,
    Refusal.DAY_LIMIT: STATUS_DAY_LIMIT,
    Refusal.WINDOW_EXCEEDED: CommandStatus.ESME_RTHROTTLED,
    Refusal.QUEUE_FULL: CommandStatus.ESME_RMSGQFUL,
    Refusal.DISK_FULL: CommandStatus.ESME_RMSGQFUL,
    Refusal.DATABASE_AWAY: CommandStatus.ESME_RSYSERR,
    Refusal.DRAINING: CommandStatus.ESME_RSYSERR,
}
_VENDOR_STATUSES = frozenset({STATUS_NO_CREDIT, STATUS_ACCOUNT_SUSPENDED, STATUS_DESTINATION_BLOCKED, STATUS_DAY_LIMIT})


def status_of(refusal: Refusal, masked: bool, interface_version: int = 0x34) -> int:
    """The status of a refusal. masked: the account's peer knows no vendor statuses, so it gets 0x45.
    interface_version: the bind's; 0x104 exists since v5.0.
    """
    status = STATUS_OF[refusal]
    if refusal is Refusal.DATA_CODING_UNSUPPORTED and interface_version >= V50:
        return CommandStatus.ESME_RINVDCS
    return CommandStatus.ESME_RSUBMITFAIL if masked and status in _VENDOR_STATUSES else status
