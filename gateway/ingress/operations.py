"""The operations beside submit_sm: query_sm, cancel_sm, replace_sm, submit_multi, and replace_if_present_flag.

Source: SMPP v3.4 4.5, 4.8 to 4.10, 5.2.18; v5.0 4.7.15; smpp-answers "As a server". Fields become wishes, what came of
them becomes statuses; each is answered once it is durable.
What must not enter: which message may still be changed (gateway.recall), rules of acceptance, SQL.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol

from gateway.accept.refusals import Refusal
from gateway.ingress.multi import MultiSubmission, read_submit_multi
from gateway.ingress.smpp_refusals import V50
from gateway.ingress.submissions import TAG_MESSAGE_PAYLOAD, address_fault, read_times
from gateway.lifecycle import Lifecycle
from gateway.message import Message
from gateway.message_states import FINAL, SMPP_MESSAGE_STATE
from gateway.recall import Changes, Naming, Recall, Recalled
from gateway.receipts.carrier_errors import read_error
from gateway.smpp.command_status import CommandStatus
from gateway.smpp.pdus import (
    CancelSm,
    CancelSmResp,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSmResp,
)
from gateway.smpp.session import Session
from gateway.smpp.times import format_time
from gateway.storage.facts import EsmeRow
from gateway.storage.group_commit import NotCommitted, OutcomeUnknown
from telecom.data_coding import DefaultAlphabet

MESSAGE_ID_DIGITS: Final = 19  # ours are decimal and fit 63 bits: anything longer is unknown, and never an integer
SCHEDULED: Final = 0  # v5.0 4.7.15: below 5.0 such a message is ENROUTE
OTHER_ERROR: Final = 255  # chosen: error_code of a failure whose reason is no number of one octet (v3.4 4.8.2)

STATUS_OF: Final[dict[type[Pdu], dict[Recalled, int]]] = {
    CancelSm: {
        Recalled.DONE: CommandStatus.ESME_ROK,
        Recalled.UNKNOWN: CommandStatus.ESME_RINVMSGID,
        Recalled.TOO_LATE: CommandStatus.ESME_RCANCELFAIL,
        Recalled.BUSY: CommandStatus.ESME_RSYSERR,
    },
    ReplaceSm: {
        Recalled.DONE: CommandStatus.ESME_ROK,
        Recalled.UNKNOWN: CommandStatus.ESME_RINVMSGID,
        Recalled.TOO_LATE: CommandStatus.ESME_RREPLACEFAIL,
        Recalled.BUSY: CommandStatus.ESME_RSYSERR,
    },
}


class AskingConnection(Protocol):
    """What is seen of the connection that asks."""

    session: Session
    esme: EsmeRow | None

    def hindrance(self) -> Refusal | None:
        """Why it may ask nothing now."""
        ...

    def charge(self, parts: int) -> Refusal | None:
        """Count so many parts against its rate."""
        ...

    def uncharge(self, parts: int) -> None:
        """What was charged was not accepted after all."""
        ...

    def charge_question(self) -> Refusal | None:
        """Count what is no message against its rate."""
        ...

    def status(self, refusal: Refusal) -> int:
        """A refusal in the words of this peer."""
        ...

    def refuse(self, pdu: Pdu, status: int) -> None:
        """Answer a request with a status."""
        ...

    async def accept(self, messages: list[Message], requests: list[Pdu]) -> None:
        """Accept admitted messages, and answer their requests."""
        ...

    def flush(self) -> None:
        """Write what was answered."""
        ...

    def abort(self) -> None:
        """End the connection without a word."""
        ...


class Operations:
    """Serves every connection of a node."""

    def __init__(
        self, recall: Recall, lifecycle: Lifecycle, wall_ms: Callable[[], int], tasks: asyncio.TaskGroup
    ) -> None:
        self._recall = recall
        self._life = lifecycle
        self._wall_ms = wall_ms
        self._tasks = tasks

    def ask(self, connection: AskingConnection, pdu: Pdu) -> None:
        """Answer an operation: at once what cannot be, the others once they are decided."""
        esme = connection.esme
        assert esme is not None
        refusal = connection.hindrance()
        if refusal is None and not isinstance(pdu, SubmitMulti):
            refusal = connection.charge_question()
        if refusal is not None:
            connection.refuse(pdu, connection.status(refusal))
            return
        match pdu:
            case QuerySm():
                answered: Coroutine[Any, Any, Pdu | int] | int = self._query(connection, pdu, esme)
            case CancelSm():
                answered = self._cancel(pdu, esme)
            case ReplaceSm():
                answered = self._replace(connection, pdu, esme)
            case SubmitMulti():
                answered = self._submit_multi(connection, pdu, esme)
            case _:
                answered = CommandStatus.ESME_RINVCMDID
        if isinstance(answered, int):
            connection.refuse(pdu, answered)
        else:
            self._tasks.create_task(self._answer(connection, pdu, answered))

    def replace_or_accept(self, connection: AskingConnection, pdu: Pdu, message: Message) -> None:
        """Serve a submit_sm with replace_if_present_flag, once it was admitted."""
        self._tasks.create_task(self._answer(connection, pdu, self._replace_or_accept(connection, pdu, message)))

    async def _answer(self, connection: AskingConnection, pdu: Pdu, answered: Awaitable[Pdu | int | None]) -> None:
        """None: it was answered already."""
        try:
            answer = await answered
        except NotCommitted:
            answer = connection.status(Refusal.DATABASE_AWAY)
        except OutcomeUnknown:
            connection.abort()  # smpp-answers: nobody can tell, so nothing is said
            return
        if isinstance(answer, int):
            connection.refuse(pdu, answer)
        elif answer is not None:
            connection.session.respond(pdu, answer)
        connection.flush()

    # ------------------------------------------------------------------ one message

    async def _query(self, connection: AskingConnection, pdu: QuerySm, esme: EsmeRow) -> Pdu | int:
        naming = naming_of(pdu.message_id, pdu.source_addr, esme)
        found = await self._recall.query(naming) if naming is not None else []
        if not found:
            return CommandStatus.ESME_RINVMSGID
        speaks_v5 = connection.session.interface_version >= V50
        return standing_of(pdu.message_id, found, self._wall_ms() if speaks_v5 else 0)

    def _cancel(self, pdu: CancelSm, esme: EsmeRow) -> Coroutine[Any, Any, Pdu | int] | int:
        fault = address_fault(pdu.source_addr_ton, pdu.source_addr_npi, pdu.dest_addr_ton, pdu.dest_addr_npi)
        if fault:
            return fault
        if not pdu.message_id and not pdu.destination_addr:
            return CommandStatus.ESME_RINVDSTADR
        return self._cancelled(pdu, esme)

    async def _cancelled(self, pdu: CancelSm, esme: EsmeRow) -> Pdu | int:
        if not pdu.message_id:  # v3.4 4.9: all that match
            outcome = await self._recall.cancel_matching(
                esme.account_id, pdu.source_addr, pdu.destination_addr, pdu.dest_addr_ton, pdu.service_type
            )
        else:
            naming = naming_of(pdu.message_id, pdu.source_addr, esme, pdu.destination_addr)
            outcome = await self._recall.cancel(naming) if naming is not None else Recalled.UNKNOWN
        return STATUS_OF[CancelSm][outcome] or CancelSmResp()

    def _replace(
        self, connection: AskingConnection, pdu: ReplaceSm, esme: EsmeRow
    ) -> Coroutine[Any, Any, Pdu | int] | int:
        changes = read_replace_sm(pdu, self._wall_ms(), esme.default_alphabet)
        if isinstance(changes, int):
            return changes
        return self._replaced(connection, pdu, esme, changes)

    async def _replaced(
        self, connection: AskingConnection, pdu: ReplaceSm, esme: EsmeRow, changes: Changes
    ) -> Pdu | int:
        naming = naming_of(pdu.message_id, pdu.source_addr, esme)
        outcome = await self._recall.replace(naming, changes) if naming is not None else Recalled.UNKNOWN
        if isinstance(outcome, Refusal):
            return connection.status(outcome)
        return STATUS_OF[ReplaceSm][outcome] or ReplaceSmResp()

    async def _replace_or_accept(self, connection: AskingConnection, pdu: Pdu, message: Message) -> Pdu | int | None:
        outcome = await self._recall.replace_present(message)
        if isinstance(outcome, Refusal):
            return connection.status(outcome)
        if outcome:
            return SubmitSmResp(message_id=str(outcome))
        await connection.accept([message], [pdu])
        return None

    # ------------------------------------------------------------------ many destinations

    def _submit_multi(
        self, connection: AskingConnection, pdu: SubmitMulti, esme: EsmeRow
    ) -> Coroutine[Any, Any, Pdu | int] | int:
        multi = read_submit_multi(pdu, esme, self._wall_ms())
        if isinstance(multi, int):
            return multi
        messages: list[Message] = []
        for place, submission in multi.submissions:
            message = self._life.admit(submission)
            refusal = message if isinstance(message, Refusal) else connection.charge(message.part_count)
            if refusal is not None:
                multi.refuse(place, connection.status(refusal))
            elif isinstance(message, Message):
                messages.append(message)
                multi.places[message.message_id] = place
        if not messages:
            return multi.first_status
        for message in messages if len(messages) > 1 else ():
            message.envelope.multi = (messages[0].message_id, messages[-1].message_id)
        return self._accepted(connection, multi, messages)

    async def _accepted(
        self, connection: AskingConnection, multi: MultiSubmission, messages: list[Message]
    ) -> Pdu | int:
        try:
            poor = await self._life.accept(messages)
        except NotCommitted:
            connection.uncharge(sum(message.part_count for message in messages))
            raise
        connection.uncharge(sum(message.part_count for message in messages if message.message_id in poor))
        for message_id in poor:
            multi.refuse(multi.places[message_id], connection.status(Refusal.NO_CREDIT))
        if len(poor) == len(messages):
            return multi.first_status
        return SubmitMultiResp(message_id=str(messages[0].message_id), unsuccess_sme=multi.unsuccess())


# ---------------------------------------------------------------------- translating


def naming_of(message_id: str, source_addr: str, esme: EsmeRow, destination_addr: str = "") -> Naming | None:
    """Which message is meant; None: an id that was never ours."""
    if not (message_id.isascii() and message_id.isdecimal() and len(message_id) <= MESSAGE_ID_DIGITS):
        return None
    number = int(message_id)
    return Naming(esme.account_id, number, source_addr, destination_addr) if number < 1 << 63 else None


def read_replace_sm(pdu: ReplaceSm, now_ms: int, alphabet: DefaultAlphabet = "gsm7") -> Changes | int:
    """What a replace_sm changes, or the status of its first bad field. An empty time leaves it as it was (4.10.1).
    alphabet: what the login means by data_coding 0.
    """
    fault = address_fault(pdu.source_addr_ton, pdu.source_addr_npi, 0, 0)
    if fault:
        return fault
    times = read_times(pdu.schedule_delivery_time, pdu.validity_period, now_ms)
    if isinstance(times, int):
        return times
    if pdu.registered_delivery > 0x1F:
        return CommandStatus.ESME_RINVREGDLVFLG
    if pdu.sm_default_msg_id:
        return CommandStatus.ESME_RINVDFTMSGID
    payload = pdu.tlv(TAG_MESSAGE_PAYLOAD)
    return Changes(
        pdu.short_message if payload is None else payload,
        pdu.registered_delivery,
        times[0] if pdu.schedule_delivery_time else None,
        times[1] if pdu.validity_period else None,
        alphabet=alphabet,
    )


def standing_of(message_id: str, messages: list[Message], now_ms: int) -> QuerySmResp:
    """How a message stands, or those of a submit_multi: final once all are, then the first that was not delivered.

    now_ms 0: the peer knows no SCHEDULED.
    """
    shown = next((m for m in messages if m.state not in FINAL), None)
    if shown is None:
        shown = next((m for m in messages if m.state != "delivered"), messages[0])
    scheduled = shown.state == "queued" and 0 < now_ms < shown.not_before_ms
    final = shown.state in FINAL
    return QuerySmResp(
        message_id=message_id,
        final_date=format_time(max(m.final_at_ms for m in messages)) if final else "",
        message_state=SCHEDULED if scheduled else SMPP_MESSAGE_STATE[shown.state],
        error_code=_error_code(shown) if final and shown.state != "delivered" else 0,
    )


def _error_code(message: Message) -> int:
    code = read_error(message.error).code
    small = len(code) <= 3 and code.isascii() and code.isdecimal() and int(code) < OTHER_ERROR
    return int(code) if small else OTHER_ERROR
