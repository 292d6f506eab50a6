"""What handsets send us (MO): stored before the carrier is answered, joined, and owed to whom it belongs.

Source: architecture section 3, "MO"; smpp-answers; promises P4 and P9. A message is its number's owner's, by keyword,
by conversation, or nobody's: then it is stored and shown, never dropped. Parts wait as rows: a crash forgets none.
What must not enter: the pure rules (long_messages, opt_out_words, accept.inbound_table), delivery (notify).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from typing import Any, Final

import asyncpg
import msgspec

from gateway.accept.fact_book import FactBook
from gateway.accept.inbound_table import InboundChoice
from gateway.accept.opt_outs import OUR_OWN, OptOuts
from gateway.connector import InboundArrived
from gateway.crash_points import crash_point
from gateway.inbound.long_messages import Gathered, Place, gather, join, place_of, text_of
from gateway.inbound.loop_guard import LoopGuard
from gateway.inbound.opt_out_words import Meaning, answer_to, meaning_of
from gateway.inbound.repeats import AwaitedRepeats
from gateway.message import Envelope, InboundMessage, InboundPart, MessageIds, Submission
from gateway.storage import inbound as rows
from gateway.storage.facts import InboundRouteRow
from gateway.storage.group_commit import NotCommitted, SettleStream
from gateway.storage.messages import decode_envelope, encode_envelope
from gateway.storage.reader import Reader
from gateway.storage.webhooks import HappenedRow, owe_events
from gateway.tallies import Tallies
from telecom.alphabets import encode_gsm7
from telecom.keywords import first_word
from telecom.numbers import Number, parse_number

log = logging.getLogger("passerelle.inbound")

DAY_MS: Final = 24 * 3600 * 1000
JOIN_AT_ONCE: Final = 200  # chosen: handsets whose parts one sweep joins
LOOK_UP_S: Final = 10.0  # chosen: as long as a carrier waits for its deliver_sm_resp while PostgreSQL is away
INBOUND_EVENT: Final = "inbound.received"  # as gateway.webhooks.events calls it
DIGEST_OCTETS: Final = 8  # chosen: parts of one place that differ and look alike: one in 10^19


class InboundPolicy(msgspec.Struct, frozen=True):
    """What operators decide about messages from handsets."""

    join_ms: int = 600_000
    open_limit: int = 20  # chosen: long messages of one handset that may wait for parts
    pair_a_minute: int = 20
    conversation_ms: int = 7 * DAY_MS
    default_region: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """What is to be said to a person's STOP, START or HELP, from the number he wrote to."""

    account_id: int
    handset: str
    number: str
    meaning: Meaning
    text: str

    def submission(self) -> Submission:
        """The answer as the gateway's own message of this account: nobody is told of its receipt."""
        user_data = encode_gsm7(self.text)
        assert isinstance(user_data, bytes)  # opt_out_words sees to it
        envelope = Envelope(source_addr_npi=1, dest_addr_ton=1, dest_addr_npi=1)
        return Submission(self.account_id, OUR_OWN, "service", self.number, self.handset, 0, user_data, envelope)


class _Arrival(msgspec.Struct):
    """One message on its way through the desk. sharers: routes of the accounts that a conversation decides between.

    route: the owner, once decided; is_sure: whether it was not only the default of a number that several share.
    """

    message: InboundMessage
    token: Any
    text: str
    number: str
    handset: str  # E.164 digits, "" where the source is no number
    choice: InboundChoice | None
    sharers: tuple[InboundRouteRow, ...] = ()
    route: InboundRouteRow | None = None
    is_sure: bool = False


class InboundDesk:
    """Takes handsets' messages in, and hands them on once they are stored."""

    def __init__(
        self,
        settling: SettleStream,
        reader: Reader,
        ids: MessageIds,
        wall_ms: Callable[[], int],
        opt_outs: OptOuts,
        tallies: Tallies,
        policy: InboundPolicy,
    ) -> None:
        self._settling = settling
        self._reader = reader
        self._ids = ids
        self._wall_ms = wall_ms
        self._opt_outs = opt_outs
        self._tallies = tallies
        self._policy = policy
        self._guard = LoopGuard(policy.pair_a_minute)
        self._repeats = AwaitedRepeats()
        self._fresh: list[InboundMessage] = []
        self._touched: dict[int, set[str]] = {}  # by connector: handsets with new parts
        self._answers: dict[int, list[Answer]] = {}  # by connector: to be said once stored

    # ------------------------------------------------------------------ what arrives

    async def take_in(self, connector_id: int, events: list[InboundArrived], book: FactBook) -> list[Any]:
        """Put messages into the next batch, each addressed to its owner; return the tokens of those that could not be
        decided while PostgreSQL is away.
        """
        arrivals = []
        for event in events:
            if self._repeats and self._repeats.is_repeat(connector_id, event, self._wall_ms()):
                continue  # its row is on the way, or there
            envelope = decode_envelope(event.envelope)
            place = place_of(envelope, event.user_data)
            if place is not None:
                self._keep_part(connector_id, event, place)
                continue
            message = InboundMessage(
                self._ids.next(self._wall_ms()),
                connector_id,
                None,
                None,
                event.source_addr,
                event.destination_addr,
                event.data_coding,
                event.user_data,
                event.envelope,
                "unrouted",
                self._wall_ms(),
            )
            arrivals.append(self._arrival(message, event.token, envelope.source_addr_ton, book))
        found: dict[tuple[str, str], int] = {}
        undecided: list[_Arrival] = []
        if asked := [a for a in arrivals if a.sharers]:
            try:
                async with asyncio.timeout(LOOK_UP_S):
                    await asyncio.shield(self._settling.durable())  # conversations of a moment ago are rows by then
                    found = await self._reader.run(lambda c: self._conversations(c, asked))
            except (NotCommitted, TimeoutError):
                undecided = asked
        for arrival in arrivals:
            if arrival not in undecided:
                message = self._decide(arrival, found, book)
                self._settling.batch.inbound.append(message)
                self._settling.batch.happened += _told_of(message, book)
                crash_point("inbound.received")
                if message.state == "due":
                    self._fresh.append(message)
        return [a.token for a in undecided]

    def await_again(self, connector_id: int, events: list[InboundArrived]) -> None:
        """These were taken in, and the carrier was told to send them again: their commit was not seen in time."""
        self._repeats.await_again(connector_id, events, self._wall_ms())

    def _keep_part(self, connector_id: int, event: InboundArrived, place: Place) -> None:
        now_ms = self._wall_ms()
        digest = hashlib.blake2b(event.user_data, digest_size=DIGEST_OCTETS).digest()
        self._settling.batch.inbound_parts.append(
            InboundPart(
                self._ids.next(now_ms),
                connector_id,
                event.source_addr,
                event.destination_addr,
                *place,
                event.data_coding,
                event.user_data,
                event.envelope,
                digest,
                now_ms,
            )
        )
        self._touched.setdefault(connector_id, set()).add(event.source_addr)
        self._tallies.messages["mo", "part"] += 1

    def _arrival(self, message: InboundMessage, token: Any, source_ton: int, book: FactBook) -> _Arrival:
        text = text_of(decode_envelope(message.envelope), message.data_coding, message.user_data)
        number = message.destination_addr.lstrip("+")
        handset = parse_number(message.source_addr, ton=source_ton, default_region=self._policy.default_region)
        choice = book.inbound.choose(number, first_word(text))
        sharers: tuple[InboundRouteRow, ...] = ()
        if book.inbound.has_shared and (choice is None or choice.shared):
            sharers = book.inbound.sharers(number) if book.inbound.is_shared(number) else ()
        digits = handset.e164 if isinstance(handset, Number) else ""
        return _Arrival(message, token, text, number, digits, choice, sharers if digits else ())

    async def _conversations(
        self, connection: asyncpg.Connection, arrivals: list[_Arrival]
    ) -> dict[tuple[str, str], int]:
        """Who wrote last to these handsets from these numbers."""
        pairs = [(a.number, a.handset) for a in arrivals]
        return await rows.find_conversations(connection, pairs, self._wall_ms() - self._policy.conversation_ms)

    def _decide(self, arrival: _Arrival, found: dict[tuple[str, str], int], book: FactBook) -> InboundMessage:
        """Write into a message whose it is and why; a person's STOP takes effect here."""
        message, choice = arrival.message, arrival.choice
        if choice is not None:
            arrival.route, message.why, arrival.is_sure = choice.route, choice.why, not choice.shared
        elif book.inbound.sharers(arrival.number):
            message.why = f"number {arrival.number}: no route for this keyword, and none without"
        else:
            message.why = f"nobody has the number {arrival.number}"
        account_id = found.get((arrival.number, arrival.handset))
        for sharer in arrival.sharers:
            if sharer.account_id == account_id:
                arrival.route, arrival.is_sure = sharer, True
                message.why = f"number {arrival.number}, {sharer.account} wrote last from it"
                break
        loop = self._loop(arrival, book)
        message.why = loop or message.why
        if arrival.route is not None:
            message.account_id, message.esme_id = arrival.route.account_id, arrival.route.esme_id
            message.state = "unrouted" if loop else "due" if message.esme_id is not None else "done"
        self._tallies.messages["mo", "loop" if loop else "owned" if arrival.route is not None else "unrouted"] += 1
        if arrival.text and arrival.handset and arrival.handset not in book.inbound.numbers:
            self._heed(arrival, bool(loop), book)
        return message

    def _loop(self, arrival: _Arrival, book: FactBook) -> str:
        """Why a message is kept and neither delivered nor answered: two machines may be talking; "" for no reason."""
        message = arrival.message
        source = arrival.handset or message.source_addr.lstrip("+")
        if source in book.inbound.numbers:
            log.warning("inbound_loop", extra={"number": arrival.number, "why": "our own number wrote it"})
            return "loop: our own number wrote it"
        excess = self._guard.count(source, arrival.number, message.received_at_ms)
        if excess == 1:  # once a minute
            log.warning("inbound_loop", extra={"number": arrival.number, "why": "too many a minute from one source"})
        return f"loop: more than {self._policy.pair_a_minute} a minute" if excess else ""

    # ------------------------------------------------------------------ STOP, START, HELP

    def _heed(self, arrival: _Arrival, is_loop: bool, book: FactBook) -> None:
        """An opt-out counts at once and for every sender of the account; where nobody can tell which account is meant,
        for all that use the number.
        """
        meaning = meaning_of(arrival.text)
        if meaning is None:
            return
        route, word = arrival.route, first_word(arrival.text)
        meant = (route,) if route is not None and arrival.is_sure else book.inbound.sharers(arrival.number)
        if not meant or (meaning == "help" and route is not None and route.keyword == word):
            return  # a keyword of that name is no cry for help
        if meaning != "help":
            now_ms = arrival.message.received_at_ms
            for account_id in dict.fromkeys(each.account_id for each in meant):
                self._opt_outs.change(account_id, arrival.handset, meaning == "stop")
                self._settling.batch.opt_outs.append((account_id, arrival.handset, meaning == "stop", word, now_ms))
            self._tallies.messages["mo", meaning] += 1
        if not is_loop:
            speaker = route or meant[0]
            text = answer_to(meaning, speaker.language, speaker.account)
            answer = Answer(speaker.account_id, arrival.handset, arrival.number, meaning, text)
            self._answers.setdefault(arrival.message.connector_id, []).append(answer)

    async def claim_answers(self, connector_id: int) -> list[Answer]:
        """The answers to what a connector brought, once stored: each at most once a day for a handset, account and
        meaning. A crash before one is accepted loses it: the opt-out counts all the same.
        """
        asked = {(a.account_id, a.handset, str(a.meaning)): a for a in self._answers.pop(connector_id, [])}
        if not asked:
            return []
        now_ms = self._wall_ms()
        try:
            claimed = await self._reader.run(lambda c: rows.claim_answers(c, list(asked), now_ms, now_ms - DAY_MS))
        except NotCommitted as fault:
            log.warning("answer_lost", extra={"answers": len(asked), "why": str(fault)})
            return []
        return [answer for word, answer in asked.items() if word in claimed]

    # ------------------------------------------------------------------ parts

    def has_more_to_do(self, connector_id: int) -> bool:
        """Whether what a connector brought is to be joined or answered once it is stored."""
        return connector_id in self._touched or connector_id in self._answers

    async def join_touched(self, connector_id: int, book: FactBook) -> None:
        """Join what a connector's parts, stored by now, complete. While PostgreSQL is away the sweep does it later."""
        for source in self._touched.pop(connector_id, ()):
            await self._join(connector_id, source, book)

    async def join_due(self, book: FactBook) -> int:
        """By the clock: parts whose deadline passed, or whose whole a crash left unjoined; how many handsets."""
        now_ms = self._wall_ms()
        due = await self._reader.run(lambda c: rows.joinable_parts(c, now_ms - self._policy.join_ms, JOIN_AT_ONCE))
        for connector_id, source in due:
            await self._join(connector_id, source, book)
        parts_ms, conversations_ms = now_ms - self._policy.join_ms, now_ms - self._policy.conversation_ms
        await self._reader.run(lambda c: rows.forget_old(c, parts_ms, conversations_ms))
        return len(due)

    async def _join(self, connector_id: int, source: str, book: FactBook) -> None:
        try:
            self._fresh += await self._reader.run(lambda c: self._join_rows(c, connector_id, source, book))
        except NotCommitted as fault:
            log.warning("join_waits", extra={"why": str(fault)})

    async def _join_rows(
        self, connection: asyncpg.Connection, connector_id: int, source: str, book: FactBook
    ) -> list[InboundMessage]:
        """In one transaction: what goes on is stored, and its parts wait no more. Another node waits here."""
        messages: list[InboundMessage] = []
        closed: list[tuple[int, int]] = []
        async with connection.transaction():
            parts = await rows.waiting_parts(connection, connector_id, source)
            for gathered in gather(parts, self._wall_ms() - self._policy.join_ms, self._policy.open_limit):
                whole = self._whole(gathered)
                arrival = self._arrival(whole, None, decode_envelope(whole.envelope).source_addr_ton, book)
                found: dict[tuple[str, str], int] = {}
                if arrival.sharers:
                    found = await self._conversations(connection, [arrival])
                self._decide(arrival, found, book)
                made = self._in_parts_or_whole(arrival, gathered)
                messages += made
                ids = {message.message_id for message in made}
                closed += [
                    (p.part_id, p.part_id if p.part_id in ids else whole.message_id) for p in gathered.parts.values()
                ]
                self._tallies.messages["mo", "incomplete" if gathered.missing else "joined"] += 1
            await rows.store_joined(connection, messages, closed)
            await owe_events(connection, [row for message in messages for row in _told_of(message, book)])
        return [message for message in messages if message.state == "due"]

    def _whole(self, gathered: Gathered) -> InboundMessage:
        """The joined message, not decided yet; of parts that cannot be one, the first. Its id is its newest part's."""
        parts = gathered.parts
        newest = max(parts.values(), key=lambda part: part.part_id)
        whole = join(gathered)
        first = parts[min(parts)]
        return InboundMessage(
            newest.part_id,
            newest.connector_id,
            None,
            None,
            newest.source_addr,
            newest.destination_addr,
            whole.data_coding if whole is not None else first.data_coding,
            whole.user_data if whole is not None else first.user_data,
            encode_envelope(whole.envelope) if whole is not None else first.envelope,
            "unrouted",
            newest.received_at_ms,
            gathered.total,
            gathered.missing,
        )

    @staticmethod
    def _in_parts_or_whole(arrival: _Arrival, gathered: Gathered) -> list[InboundMessage]:
        """What its owner gets: the whole, or each part as it came, where he wants parts or they cannot be one."""
        whole = arrival.message
        if not (arrival.route is not None and arrival.route.as_parts) and join(gathered) is not None:
            if gathered.missing:
                whole.why += f"; {gathered.missing} of {gathered.total} parts lack ({gathered.why})"
            return [whole]
        return [
            InboundMessage(
                part.part_id,
                part.connector_id,
                whole.account_id,
                whole.esme_id,
                part.source_addr,
                part.destination_addr,
                part.data_coding,
                part.user_data,
                part.envelope,
                whole.state,
                part.received_at_ms,
                1,
                0,
                f"{whole.why}; part {part.number} of {part.total}",
            )
            for _, part in sorted(gathered.parts.items())
        ]

    # ------------------------------------------------------------------ what is stored

    def take_fresh(self) -> list[InboundMessage]:
        """Those that have an owner and were received since the last call; the caller saw their commit."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def put_back(self, inbound: list[InboundMessage]) -> None:
        """Those whose commit was not seen after all."""
        self._fresh = inbound + self._fresh

    @property
    def has_fresh(self) -> bool:
        """Whether something waits to be handed on."""
        return bool(self._fresh)


def _told_of(message: InboundMessage, book: FactBook) -> list[HappenedRow]:
    """What is owed over HTTP to the owner of a message."""
    if message.account_id is None or message.state == "unrouted":
        return []
    if INBOUND_EVENT not in book.told_events.get(message.account_id, ()):
        return []
    return [(message.account_id, message.message_id, INBOUND_EVENT, message.received_at_ms, True, "", "", "")]
