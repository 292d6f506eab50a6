"""How the simulated SMSC delivers: receipts and inbound messages go out over the binds, and come back when unanswered.

SMPP v3.4 sections 4.6 (deliver_sm and its answer) and 2.11 (receipts).
What must not enter: which receipts there are (behaviour.py), connections' beginnings and ends (server.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gateway.smpp.command_status import CommandStatus
from gateway.smpp.pdus import DataSm, SubmitSm
from simulators.log import LogLine, SmscInboundLine, SmscReceiptLine
from simulators.smsc.behaviour import PlannedReceipt
from simulators.smsc.deliveries import Delivery, Inbound, Mailbox, Receipt, receipt_text
from simulators.smsc.message_ids import dress_id
from simulators.smsc.settings import SmscSettings
from simulators.smsc.statistics import SmscStatistics
from simulators.user_data import encode_text
from simulators.wire import Wire

SYSTEM_IDS_LIMIT = 10_000  # mailboxes; beyond: binds are refused; chosen
TEMPORARY = frozenset(  # the four statuses that ask for another try: smpp-answers page
    (
        CommandStatus.ESME_RSYSERR,
        CommandStatus.ESME_RMSGQFUL,
        CommandStatus.ESME_RTHROTTLED,
        CommandStatus.ESME_RX_T_APPN,
    )
)


class Link:
    """One bound connection. requests: after the bind; taken: submits to be answered yet; silent: never to be."""

    __slots__ = ("mailbox", "requests", "silent", "system_id", "taken", "unbinding", "wire")

    def __init__(self, wire: Wire, system_id: str, mailbox: Mailbox[Link]) -> None:
        self.wire = wire
        self.system_id = system_id
        self.mailbox = mailbox
        self.requests = 0
        self.taken = 0
        self.silent = 0
        self.unbinding = False

    def deliver_no_more(self) -> None:
        """Take this bind from those that receive."""
        if self in self.mailbox.links:
            self.mailbox.links.remove(self)


class Postman:
    """The mailboxes and their deliveries. waiting: deliveries in mailboxes or sent and unanswered.

    write: takes a log line (None: no log). again_later: takes a delivery that was refused as temporary.
    settings: replaced by the server when they change.
    """

    def __init__(
        self,
        settings: SmscSettings,
        statistics: SmscStatistics,
        write: Callable[[LogLine], None] | None,
        again_later: Callable[[Mailbox[Link], Delivery], None],
    ) -> None:
        self.settings = settings
        self.mailboxes: dict[str, Mailbox[Link]] = {}
        self.waiting = 0
        self._statistics = statistics
        self._write = write
        self._again_later = again_later
        self._inbound_count = 0
        self._minute = (0, "")

    def mailbox_of(self, system_id: str) -> Mailbox[Link] | None:
        """The mailbox of a system_id, made at its first bind; None: there are SYSTEM_IDS_LIMIT others."""
        mailbox = self.mailboxes.get(system_id)
        if mailbox is None and len(self.mailboxes) < SYSTEM_IDS_LIMIT:
            mailbox = self.mailboxes[system_id] = Mailbox(system_id)
        return mailbox

    def release(self) -> None:
        """Let held receipts go."""
        for mailbox in self.mailboxes.values():
            mailbox.release()
            self.pump(mailbox)

    def receipt(
        self, submit: SubmitSm | DataSm, octets: bytes, planned: PlannedReceipt, number: int, message_id: str
    ) -> Receipt:
        """The planned receipt of a submit. octets: its user data; number, message_id: as it was answered."""
        dress = self.settings.receipt_id_dress
        return Receipt(
            message_id,
            message_id if dress is None else dress_id(number, dress),
            planned.stat,
            planned.err,
            planned.intermediate,
            self._date(),
            receipt_text(submit, octets),
            submit.source_addr,
            submit.source_addr_ton,
            submit.source_addr_npi,
            submit.destination_addr,
            submit.dest_addr_ton,
            submit.dest_addr_npi,
            self.settings.receipt_tlv,
        )

    def inbound(self, source_addr: str, destination_addr: str, text: str) -> Inbound:
        """A mobile originated message with the next ref."""
        encoded = encode_text(text)
        return self.inbound_octets(source_addr, destination_addr, encoded.octets, encoded.data_coding)

    def inbound_octets(
        self,
        source_addr: str,
        destination_addr: str,
        octets: bytes,
        data_coding: int,
        esm_class: int = 0,
        tlvs: tuple[tuple[int, bytes], ...] = (),
        as_data_sm: bool = False,
    ) -> Inbound:
        """A mobile originated message of any user data, with the next ref."""
        self._inbound_count += 1
        ref = str(self._inbound_count)
        return Inbound(ref, source_addr, destination_addr, data_coding, octets, esm_class, tlvs, as_data_sm)

    def accept(self, mailbox: Mailbox[Link], delivery: Delivery) -> None:
        """A delivery's time has come: send it now, or when a bind has room."""
        self.waiting += 1
        if self.settings.receipt_hold and isinstance(delivery, Receipt):
            mailbox.held.append(delivery)
            return
        mailbox.waiting.append(delivery)
        self.pump(mailbox)

    def accept_first(self, mailbox: Mailbox[Link], deliveries: list[Delivery]) -> None:
        """Deliveries that go before all others."""
        self.waiting += len(deliveries)
        mailbox.take_back(deliveries)
        self.pump(mailbox)

    def pump(self, mailbox: Mailbox[Link]) -> None:
        """Send what waits, over the binds in turn, as far as their windows go."""
        waiting, links = mailbox.waiting, mailbox.links
        full = 0
        while waiting and full < len(links):
            link = links[0]
            links.rotate(-1)
            wire = link.wire
            if wire.paused or wire.muted or wire.lost or wire.session.window_free <= 0:
                full += 1
                continue
            full = 0
            delivery = waiting.popleft()
            wire.session.request(delivery.pdu(self._date()), delivery)
            wire.wake()
            if isinstance(delivery, Receipt):
                self._statistics.receipts_sent += 1
            else:
                self._statistics.inbound_sent += 1
            if self._write is not None:
                self._note(delivery, "sent", wire, 0)

    def settle(self, link: Link, delivery: Delivery, command_status: int) -> None:
        """A deliver_sm was answered: done, refused for ever, or to be tried again."""
        self.waiting -= 1
        statistics = self._statistics
        if command_status in TEMPORARY:
            phase = "again"
            self._again_later(link.mailbox, delivery)
        else:
            phase = "refused" if command_status else "acked"
        if phase == "acked" and isinstance(delivery, Receipt):
            statistics.receipts_acked += 1
        elif isinstance(delivery, Receipt):
            statistics.count_receipt(phase)
        else:
            statistics.count_inbound(phase)
        self._note(delivery, phase, link.wire, command_status)

    def take_back(self, link: Link, deliveries: list[Delivery], deliver: bool) -> None:
        """Deliveries that nobody acknowledged go before the others, and out at once when `deliver`."""
        for delivery in deliveries:
            if isinstance(delivery, Receipt):
                self._statistics.count_receipt("again")
            else:
                self._statistics.count_inbound("again")
            self._note(delivery, "again", link.wire, 0)
        link.mailbox.take_back(deliveries)
        if deliver:
            self.pump(link.mailbox)

    def _note(self, delivery: Delivery, phase: str, wire: Wire, command_status: int) -> None:
        if self._write is None:
            return
        if isinstance(delivery, Receipt):
            self._write(
                SmscReceiptLine(
                    phase=phase,
                    smsc_message_id=delivery.smsc_message_id,
                    dressed_as=delivery.dressed_as,
                    stat=delivery.stat,
                    bind=wire.name,
                    command_status=command_status,
                )
            )
            return
        self._write(
            SmscInboundLine(
                phase=phase,
                ref=delivery.ref,
                source_addr=delivery.source_addr,
                destination_addr=delivery.destination_addr,
                data_coding=delivery.data_coding,
                short_message=delivery.octets.hex(),
                bind=wire.name,
                command_status=command_status,
            )
        )

    def _date(self) -> str:
        """Now, in UTC, as receipts write it: YYMMDDhhmm."""
        minute = int(time.time()) // 60
        if minute != self._minute[0]:
            self._minute = (minute, time.strftime("%y%m%d%H%M", time.gmtime(minute * 60)))
        return self._minute[1]
