"""Whose fault it is: ours, one PDU's, or the stream's.

SMPP v5.0 section 2.8 (error handling) distinguishes a PDU that can be refused from a stream that lost its framing.
What to do about it stays in session.py: no answers are built here.
"""

from __future__ import annotations

import msgspec


class LocalProtocolError(Exception):
    """We asked for what the protocol forbids: our own bug. Correct the caller; nothing was sent."""


class WindowFull(LocalProtocolError):
    """request() was called with no room in the window; look at window_free first. Nothing was sent."""


class StreamCorrupt(Exception):
    """The framing is lost (impossible command_length): answer generic_nack 0x02, close, bind anew."""


class PduUnacceptable(msgspec.Struct, frozen=True, gc=False):
    """A framed PDU that must be refused while the session stays: a value, not an exception.

    command_id and sequence_number are those received; command_status is what the answer carries
    (in its `_resp`, or in a generic_nack when command_status is ESME_RINVCMDID); detail is for logs,
    names the field or TLV and never contains its content.
    """

    command_id: int
    sequence_number: int
    command_status: int
    detail: str
