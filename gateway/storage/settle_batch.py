"""What one settle transaction writes: changed messages and everything that must become durable with them.

What belongs here: gathering rows, adding up postings (one an account, kind and batch), laying rows out as columns.
What must not enter: SQL text (statements/messages.sql) and decisions (lifecycle).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.message import SMSC_ID_SEPARATOR, InboundMessage, InboundPart, Message, ParkedReceipt, id_key, unnamed_key
from gateway.storage.inbound import INBOUND_SQL, inbound_tables
from gateway.storage.messages import MESSAGE_SQL
from gateway.storage.refused_senders import SENDER_SQL
from gateway.storage.webhooks import WEBHOOK_SQL, HappenedRow

# Places in SettleBatch.columns(): the first seventeen stand one a message; then min and max of the ids, four of
# postings, six of lookups (the fifth names the message), the journals, the sends, the largest id of our own.
POSITIONAL, HOLD_COLUMN, LOOKUPS, LOOKUP_MESSAGE_ID, CLOSED_COLUMN, SENDS_COLUMN = 17, 6, slice(23, 29), 4, 29, 30
STATEMENTS = {**MESSAGE_SQL, **INBOUND_SQL, **SENDER_SQL, **WEBHOOK_SQL}


class SettleBatch:
    """Rows for one transaction. Everything may be added to until the settle stream takes it."""

    def __init__(self, last_characters: Mapping[int, int] | None = None) -> None:
        """last_characters: by connector id, how many characters of an id its receipts repeat, where not all."""
        self._last_characters = last_characters or {}
        self.messages: list[Message] = []
        self.closed_journals: list[int] = []
        self.parked: list[ParkedReceipt] = []
        self.joined: list[int] = []  # parked ids to forget
        self.undelayed: list[tuple[int, int]] = []  # account_id, message_id
        self.delays: list[tuple[int, int, int, str]] = []  # due_at_ms, account_id, message_id, why
        self.refusals: list[tuple[int, int, str]] = []  # account_id, message_id, connector ids with commas between
        self.events: list[tuple[int, int, int, str, str]] = []  # account_id, message_id, at_ms, event, detail
        self.waiting: list[tuple[int, int, int, str, int, int, int, int]] = []  # as waiting_notifications
        self.taken: list[tuple[int, int]] = []  # esme_id, message_id
        self.inbound: list[InboundMessage] = []
        self.inbound_closed: list[tuple[int, str, int]] = []  # message_id, state, at_ms
        self.receipts_closed: list[tuple[int, int, str, int]] = []  # account_id, message_id, done or dead, at_ms
        self.dresses: list[tuple[int, str, str, str, int]] = []  # connector_id, dress, answered, receipted, at_ms
        self.inbound_parts: list[InboundPart] = []
        self.opt_outs: list[tuple[int, str, bool, str, int]] = []  # account_id, number, opted_out, word, at_ms
        self.conversations: list[tuple[str, str, int, int]] = []  # number, handset, account_id, at_ms
        self.disabled_senders: list[tuple[int, str, str, int]] = []  # connector_id, sender, status, at_ms
        self.forwarded: list[tuple[Any, ...]] = []  # as forwarded_receipts: for the nodes that hold their messages
        self.folded: list[int] = []  # forward ids to forget
        self.happened: list[HappenedRow] = []  # events that accounts are told of
        self.handed: list[tuple[int, int, int]] = []  # account_id, message_id, span that holds it from then on
        self._waiter: asyncio.Future[None] | None = None

    def __bool__(self) -> bool:
        return bool(
            self.messages
            or self.closed_journals
            or self.parked
            or self.joined
            or self.forwarded
            or self.folded
            or self.undelayed
            or self.delays
            or self.refusals
            or self.events
            or self.waiting
            or self.taken
            or self.inbound
            or self.inbound_closed
            or self.receipts_closed
            or self.dresses
            or self.inbound_parts
            or self.opt_outs
            or self.conversations
            or self.disabled_senders
            or self.happened
            or self.handed
            or self._waiter
        )

    def waiter(self) -> asyncio.Future[None]:
        """The future that resolve() completes; one for all who wait for this batch."""
        if self._waiter is None:
            self._waiter = asyncio.get_running_loop().create_future()
        return self._waiter

    def resolve(self) -> None:
        """Tell all who wait that the batch is durable."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def split(self, most: int) -> tuple[SettleBatch, SettleBatch | None]:
        """Cut off the first `most` messages with all rows that promise something; what forgets stays with the rest.

        So a crash between the two leaves something remembered too long, never something forgotten too early.
        """
        if len(self.messages) <= most:
            return self, None
        rest = SettleBatch(self._last_characters)
        rest.messages = self.messages[most:]
        self.messages = self.messages[:most]
        if self.happened:  # an event and the state it tells of are stored in one transaction
            later = {message.message_id for message in rest.messages}
            rest.happened = [row for row in self.happened if row[1] in later]
            self.happened = [row for row in self.happened if row[1] not in later]
        rest.closed_journals, self.closed_journals = self.closed_journals, []
        rest.joined, self.joined = self.joined, []
        rest.folded, self.folded = self.folded, []
        put_off_again = {(delay[1], delay[2]) for delay in self.delays}  # the rest must not forget what is stored now
        rest.undelayed, self.undelayed = [key for key in self.undelayed if key not in put_off_again], []
        rest.handed, self.handed = self.handed, []  # behind all that this node writes of them
        rest.taken, self.taken = self.taken, []
        rest.inbound_closed, self.inbound_closed = self.inbound_closed, []
        rest.receipts_closed, self.receipts_closed = self.receipts_closed, []
        rest._waiter, self._waiter = self._waiter, None
        return self, rest

    def columns(self) -> list[object]:
        """The arguments of the statement `settle` after its first three; marks the messages as taken."""
        changed = self.messages
        columns: list[object] = [
            [m.account_id for m in changed],
            [m.message_id for m in changed],
            [m.connector_id for m in changed],
            [m.route_id for m in changed],
            [m.route_why for m in changed],
            [m.state for m in changed],
            [m.hold for m in changed],
            [m.notify for m in changed],
            [m.part_states for m in changed],
            [m.smsc_message_ids for m in changed],
            [m.attempt_count for m in changed],
            [m.in_doubt_count for m in changed],
            [m.error for m in changed],
            [m.submitted_at_ms for m in changed],
            [m.final_at_ms for m in changed],
            [m.notified_at_ms for m in changed],
            [m.revision for m in changed],
        ]
        ids = columns[1]
        columns += [min(ids, default=0), max(ids, default=0)]  # type: ignore[call-overload]  # a list of int
        columns += self._postings()
        columns += self._fresh_ids()
        columns.append(self.closed_journals)
        # a writing is counted once its last part has an outcome: until then its journal speaks
        columns.append([m.sends - (m.open_parts > 0) for m in changed])
        own_ids = [i.message_id for i in self.inbound] + [p.parked_id for p in self.parked]
        own_ids += [p.part_id for p in self.inbound_parts]
        columns.append(max(own_ids, default=0))
        for message in changed:
            message.revision += 1
            message.dirty = False
        return columns

    def _postings(self) -> list[list[Any]]:
        sums: dict[tuple[int, str], list[int]] = {}
        for message in self.messages:
            if message.posting:
                total = sums.setdefault((message.account_id, message.posting), [0, 0])
                total[0] += message.price_micros
                total[1] += 1
                message.posting = ""
        return _posting_columns(sums)

    def _fresh_ids(self) -> list[list[Any]]:
        lookups: list[tuple[int, str, str, int, int, int]] = []
        for message in self.messages:
            if message.fresh_parts:
                if message.final_at_ms == 0:
                    ids = message.smsc_message_ids.split(SMSC_ID_SEPARATOR)
                    last = self._last_characters.get(message.connector_id, 0)
                    handset = message.destination_addr
                    lookups += [
                        (
                            message.connector_id,
                            id_key(ids[n][-last:]) if ids[n] else unnamed_key(handset),
                            ids[n],
                            message.account_id,
                            message.message_id,
                            n,
                        )
                        for n in message.fresh_parts
                    ]
                message.fresh_parts = ()
        return [list(column) for column in zip(*lookups, strict=True)] if lookups else [[] for _ in range(6)]

    def piece(self, columns: list[Any], places: list[int], held: frozenset[int]) -> list[object]:
        """The arguments that `columns` gave, for some of the messages alone: with their own postings (held: the ids
        whose hold is still open, as stored) and lookups, without closed journals and uncommon rows.
        """
        own = [[column[place] for place in places] for column in columns[:POSITIONAL]]
        ids = own[1]
        sums: dict[tuple[int, str], list[int]] = {}
        for place in places:
            message = self.messages[place]
            hold = columns[HOLD_COLUMN][place]
            if hold != "held" and message.message_id in held:
                total = sums.setdefault((message.account_id, hold.removesuffix("d")), [0, 0])
                total[0] += message.price_micros
                total[1] += 1
        lookups = [row for row in zip(*columns[LOOKUPS], strict=True) if row[LOOKUP_MESSAGE_ID] in set(ids)]
        return [
            *own,
            min(ids, default=0),
            max(ids, default=0),
            *_posting_columns(sums),
            *([list(column) for column in zip(*lookups, strict=True)] if lookups else [[] for _ in range(6)]),
            [],
            [columns[SENDS_COLUMN][place] for place in places],
            columns[SENDS_COLUMN + 1],
        ]

    def extras(self) -> list[tuple[str, tuple[Any, ...]]]:
        """The uncommon statements of this batch with their arguments; none on the common path."""
        return [as_extra(name, table) for name, table in self.tables() if table]

    def tables(self) -> list[tuple[str, list[tuple[Any, ...]]]]:
        """The rows of the uncommon statements, by the names of these."""
        parked = [msgspec.structs.astuple(p) for p in self.parked]
        inbound = [msgspec.structs.astuple(i) for i in self.inbound]
        last_delay = {(delay[1], delay[2]): delay for delay in self.delays}  # one row a message: the last word
        last_waiting = {(row[0], row[2]): row for row in self.waiting}
        last_dress = {row[0]: row for row in self.dresses}
        last_refusal = {(row[0], row[1]): row for row in self.refusals}
        return [
            ("park_receipts", parked),
            ("drop_delayed", list(self.undelayed)),
            ("postpone", list(last_delay.values())),
            ("remember_refusals", list(last_refusal.values())),
            ("note_events", list(self.events)),
            ("wait_notifications", list(last_waiting.values())),
            ("drop_waiting", list(self.taken)),  # after it: what is kept and then taken in one batch is taken
            ("store_inbound", inbound),
            ("close_inbound", list(self.inbound_closed)),
            ("close_receipts", list(self.receipts_closed)),
            ("remember_dresses", list(last_dress.values())),
            ("forward_receipts", self.forwarded),
            ("drop_forwarded", [(forward_id,) for forward_id in self.folded]),
            ("drop_parked", [(parked_id,) for parked_id in self.joined]),
            ("disable_senders", list({row[:2]: row for row in self.disabled_senders}.values())),
            *inbound_tables(self.inbound_parts, self.opt_outs, self.conversations),
            ("owe_events", self.happened),
            ("hand_over", self.handed),
        ]


def as_extra(name: str, table: list[tuple[Any, ...]]) -> tuple[str, tuple[Any, ...]]:
    """A named statement over columns, with rows laid out as columns."""
    return STATEMENTS[name], tuple(map(list, zip(*table, strict=True)))


def _posting_columns(sums: dict[tuple[int, str], list[int]]) -> list[list[Any]]:
    keys = [key for key, (amount, _) in sums.items() if amount]
    return [
        [account_id for account_id, _ in keys],
        [kind for _, kind in keys],
        [sums[key][0] for key in keys],
        [sums[key][1] for key in keys],
    ]
