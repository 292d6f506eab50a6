"""The own log of a simulator: JSON lines, appended, and durable before the PDU that depends on them leaves.

What belongs here: the lines (what `passerelle check` reconciles with the database) and the file that keeps them.
Format: one object a line; `event` names it; at_ms is Unix time in milliseconds; user data is hexadecimal. Chosen here.
What must not enter: when a line is due, and any socket.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

LOG_BUFFER_LIMIT = 8 << 20  # octets kept in memory before append() itself writes; chosen


class LogLine(msgspec.Struct, tag_field="event", gc=False, kw_only=True):
    """What every line has. at_ms: Unix time, milliseconds."""

    at_ms: int = 0


class StartLine(LogLine, tag="start", gc=False, kw_only=True):
    """The first line of a run. role: smsc or esme."""

    role: str
    seed: int


class BindLine(LogLine, tag="bind", gc=False, kw_only=True):
    """A bind was asked for. bind: the simulator's name of the connection; command_status: 0 when it is bound."""

    bind: str
    system_id: str
    bind_type: str
    command_status: int


class UnbindLine(LogLine, tag="unbind", gc=False, kw_only=True):
    """One side asked to unbind. by: smsc or esme."""

    bind: str
    by: str


class CloseLine(LogLine, tag="close", gc=False, kw_only=True):
    """A connection ended. unanswered: our requests that nobody answered; owed: the peer's that we did not answer."""

    bind: str
    reason: str
    unanswered: int
    owed: int


class SmscSubmitLine(LogLine, tag="submit", gc=False, kw_only=True):
    """SMSC: a submit_sm (or data_sm) as it was judged, written before its answer leaves.

    verdict: taken, refused, or silent (taken, never answered). short_message: the user data, UDH included, wherever
    it travelled (short_message or message_payload), in hexadecimal. smsc_message_id: as the answer dresses it.
    """

    verdict: str
    command_status: int
    smsc_message_id: str
    source_addr: str
    destination_addr: str
    data_coding: int
    esm_class: int
    registered_delivery: int
    short_message: str
    bind: str
    tlvs: tuple[tuple[int, str], ...] = ()  # tag, value in hexadecimal


class SmscReceiptLine(LogLine, tag="receipt", gc=False, kw_only=True):
    """SMSC: a receipt. phase: sent, acked, refused (final), again (returned to the queue) or dropped.

    smsc_message_id: as the answer to the submit dressed it; dressed_as: as the receipt does.
    """

    phase: str
    smsc_message_id: str
    dressed_as: str
    stat: str
    bind: str
    command_status: int = 0


class SmscInboundLine(LogLine, tag="inbound", gc=False, kw_only=True):
    """SMSC: a mobile originated message. ref: its number in this run; phase: as in SmscReceiptLine."""

    phase: str
    ref: str
    source_addr: str
    destination_addr: str
    data_coding: int
    short_message: str
    bind: str
    command_status: int = 0


class EsmeSubmitLine(LogLine, tag="submit", gc=False, kw_only=True):
    """ESME: a submit_sm, written before it leaves. ref: unique over runs."""

    ref: str
    source_addr: str
    destination_addr: str
    data_coding: int
    esm_class: int
    short_message: str
    bind: str


class EsmeResponseLine(LogLine, tag="response", gc=False, kw_only=True):
    """ESME: the answer to a submit_sm. late: it came after response_timeout_s."""

    ref: str
    message_id: str
    command_status: int
    late: bool = False


class EsmeUnansweredLine(LogLine, tag="unanswered", gc=False, kw_only=True):
    """ESME: a submit_sm that nobody answered. why: overdue or closed. again: it will be submitted once more."""

    ref: str
    why: str
    again: bool


class EsmeReceiptLine(LogLine, tag="receipt", gc=False, kw_only=True):
    """ESME: a receipt, written before its deliver_sm_resp leaves."""

    message_id: str
    stat: str
    err: str


class EsmeInboundLine(LogLine, tag="inbound", gc=False, kw_only=True):
    """ESME: a mobile originated message, written before its deliver_sm_resp leaves."""

    source_addr: str
    destination_addr: str
    data_coding: int
    esm_class: int
    short_message: str


class SimulatorLog:
    """An append-only file of lines. append() gathers, write() hands to the system, sync() makes durable.

    sync() may run in another thread while append() goes on; write() and append() belong to one thread.
    OSError from any of them: the log can no longer be trusted, stop.
    """

    def __init__(self, path: Path, fsync: bool) -> None:
        self.fsync = fsync
        self._buffer = bytearray()
        self._encoder = msgspec.json.Encoder()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)

    @property
    def pending(self) -> bool:
        """Whether lines wait for write()."""
        return bool(self._buffer)

    def append(self, line: LogLine) -> None:
        """Gather a line; beyond LOG_BUFFER_LIMIT it is written at once."""
        self._buffer += self._encoder.encode(line)
        self._buffer += b"\n"
        if len(self._buffer) > LOG_BUFFER_LIMIT:
            self.write()

    def write(self) -> None:
        """Hand all gathered lines to the operating system."""
        waiting = memoryview(bytes(self._buffer))
        self._buffer.clear()
        while waiting:
            waiting = waiting[os.write(self._file, waiting) :]

    def sync(self) -> None:
        """Make durable what was written; nothing when the log is not to be fsynced."""
        if self.fsync:
            os.fdatasync(self._file)

    def close(self) -> None:
        """Write and make durable what is left, then close the file."""
        try:
            self.write()
            self.sync()
        finally:
            os.close(self._file)
