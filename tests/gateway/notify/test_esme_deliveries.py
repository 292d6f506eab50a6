"""What ESMEs are owed: windows, order, being away, refusals, late answers, spilling to rows, dead letters, starts.

Source: smpp-answers ("deliver_sm not answered in 30 s ... 24 h, then dead letter"), promise P5.
What must not enter: sockets (ingress), the text of a receipt (test_receipt_text.py).
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.message import Message, message_id_at
from gateway.notify import esme_deliveries, mailbox
from gateway.notify.esme_deliveries import EsmeDeliveries
from gateway.notify.mailbox import Owed
from gateway.smpp.pdus import DeliverSm
from gateway.storage import facts
from tests.eventually import eventually
from tests.gateway.carrier_at_hand import take_all
from tests.gateway.conftest import HANDSET, WITHIN_S, Ground, Life

HOUR_S = 3600


class BindAtHand:
    """A receiving bind in this process; what it was handed waits until the test answers."""

    def __init__(self, window: int = 1000) -> None:
        self.window = window
        self.delivered: list[DeliverSm] = []
        self.open: list[object] = []

    def deliverable(self) -> int:
        return self.window - len(self.open)

    def wind_clock(self) -> bool:
        return True

    def deliver(self, pdu: DeliverSm, context: object) -> None:
        assert len(self.open) < self.window, "the window is full"
        self.delivered.append(pdu)
        self.open.append(context)

    def flush(self) -> None:
        return

    def ids(self) -> list[int]:
        """The message ids of the receipts delivered, in order."""
        return [int((pdu.tlv(0x001E) or b"0").rstrip(b"\0")) for pdu in self.delivered]


@dataclasses.dataclass
class Post:
    """A life whose customer side is real."""

    life: Life
    deliveries: EsmeDeliveries

    @property
    def esme_id(self) -> int:
        return self.life.ground.esme_id

    async def attach(self, bind: BindAtHand) -> BindAtHand:
        """A bind comes up, and the clock's job looks for rows once."""
        self.deliveries.attach(self.esme_id, bind)
        await self.deliveries.run_due()
        return bind

    def answer(self, bind: BindAtHand, status: int = 0) -> None:
        """The bind answers the oldest it holds."""
        self.deliveries.answered(self.esme_id, bind, bind.open.pop(0), status)

    def leave(self, bind: BindAtHand) -> None:
        """The bind is lost, with what it had not answered."""
        contexts, bind.open = bind.open, []
        self.deliveries.detach(self.esme_id, bind, contexts)

    async def final(self, count: int) -> list[Message]:
        """So many delivered messages, in order."""
        carrier = self.life.carrier
        carrier.answer = take_all
        messages = await self.life.accept(count)
        await self.life.until(lambda: all(m.smsc_message_ids for m in messages))
        for message in messages:
            carrier.receipt(message.smsc_message_ids, "delivered", HANDSET)
        await self.life.until(lambda: all(m.state == "delivered" for m in messages))
        await eventually(lambda: len(carrier.acknowledged) >= count, WITHIN_S, "offered")
        carrier.acknowledged.clear()
        return messages

    async def notified(self, how: str, count: int) -> None:
        """Wait until so many messages stand as done or dead."""
        query = "SELECT count(*) FROM messages WHERE notify = $1 AND notified_at_ms > 0"

        async def counted() -> bool:
            return bool(await self.life.ground.value(query, how) == count)

        await eventually(counted, WITHIN_S, f"{count} {how}")


@contextlib.asynccontextmanager
async def post_of(ground: Ground, **given: Any) -> AsyncIterator[Post]:
    built: list[EsmeDeliveries] = []

    def notifier(*rooms: Any) -> EsmeDeliveries:
        reader, settling, tallies = rooms
        built.append(EsmeDeliveries(reader, settling, ground.clock, tallies, message_id_at(ground.clock(), 1, 0)))
        return built[0]

    async with ground.live(notifier=notifier, **given) as life:
        built[0].owed_from_id = life.seat.owed_from_id
        yield Post(life, built[0])


async def test_a_receipt_goes_to_the_bind_and_is_closed_by_its_answer(ground: Ground) -> None:
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        (message,) = await post.final(1)
        assert bind.ids() == [message.message_id]
        assert (await ground.row(message))["notify"] == "asked"
        post.answer(bind)
        await post.notified("done", 1)
        assert (await ground.row(message))["notified_at_ms"] == ground.clock.ms
        assert await ground.count("waiting_notifications") == 0


async def test_the_window_is_respected_and_the_order_kept(ground: Ground) -> None:
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand(3))
        messages = await post.final(10)
        assert len(bind.delivered) == 3
        for _ in messages:
            post.answer(bind)
        assert bind.ids() == [m.message_id for m in messages]
        await post.notified("done", 10)


async def test_binds_take_turns(ground: Ground) -> None:
    async with post_of(ground) as post:
        binds = [await post.attach(BindAtHand(2)) for _ in range(3)]
        messages = await post.final(6)
        assert [len(b.delivered) for b in binds] == [2, 2, 2]
        assert sorted(n for b in binds for n in b.ids()) == [m.message_id for m in messages]


async def test_what_comes_while_the_esme_is_away_waits_as_rows_and_then_goes_in_order(ground: Ground) -> None:
    async with post_of(ground) as post:
        messages = await post.final(5)
        await post.life.settling.durable()
        assert await ground.count("waiting_notifications") == 5
        bind = await post.attach(BindAtHand(2))
        for _ in messages:
            post.answer(bind)
        assert bind.ids() == [m.message_id for m in messages]
        await post.notified("done", 5)
        assert await ground.count("waiting_notifications") == 0


async def test_a_lost_bind_gives_back_what_it_did_not_answer_in_front_and_in_order(ground: Ground) -> None:
    async with post_of(ground) as post:
        first = await post.attach(BindAtHand(3))
        messages = await post.final(6)
        post.answer(first)
        other = BindAtHand()
        post.leave(first)
        await post.life.settling.durable()
        assert await ground.count("waiting_notifications") == 5
        await post.attach(other)
        assert other.ids() == [m.message_id for m in messages[1:]]
        for _ in range(5):
            post.answer(other)
        await post.notified("done", 6)


async def test_another_bind_takes_over_at_once(ground: Ground) -> None:
    async with post_of(ground) as post:
        first = await post.attach(BindAtHand())
        messages = await post.final(3)
        second = await post.attach(BindAtHand())
        assert second.ids() == []
        post.leave(first)
        assert second.ids() == [m.message_id for m in messages]


async def test_what_a_lost_bind_held_goes_before_what_waited_behind_it(ground: Ground) -> None:
    async with post_of(ground) as post:
        first, second = await post.attach(BindAtHand(2)), await post.attach(BindAtHand(0))
        messages = await post.final(6)
        assert first.ids() == [m.message_id for m in messages[:2]]
        post.leave(first)
        second.window = 10
        post.deliveries.room(post.esme_id)
        assert second.ids() == [m.message_id for m in messages]


@pytest.mark.parametrize("status", [0x01, 0x45, 0xFF])
async def test_a_permanent_refusal_is_a_dead_letter(ground: Ground, status: int) -> None:
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        await post.final(1)
        post.answer(bind, status)
        await post.notified("dead", 1)
        ground.clock.pass_s(2 * HOUR_S)
        await post.deliveries.run_due()
        assert len(bind.delivered) == 1


@pytest.mark.parametrize("status", [0x08, 0x14, 0x58, 0x64])
async def test_a_temporary_refusal_is_tried_again_with_growing_pauses(ground: Ground, status: int) -> None:
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        (message,) = await post.final(1)
        for tried, pause_s in enumerate((5, 30, 120, 600, 3600, 3600), start=1):
            post.answer(bind, status)
            ground.clock.pass_s(pause_s - 1)
            await post.deliveries.run_due()
            assert len(bind.delivered) == tried
            ground.clock.pass_s(1)
            await post.deliveries.run_due()
            assert len(bind.delivered) == tried + 1
        post.answer(bind)
        await post.notified("done", 1)
        assert set(bind.ids()) == {message.message_id}
        assert await ground.count("waiting_notifications") == 0


async def test_an_unanswered_receipt_goes_once_more_over_another_bind(ground: Ground) -> None:
    async with post_of(ground) as post:
        deaf = await post.attach(BindAtHand())
        (message,) = await post.final(1)
        post.deliveries.unanswered(post.esme_id, deaf, deaf.open[0])
        deaf.window = 0
        other = await post.attach(BindAtHand())
        assert other.ids() == []
        ground.clock.pass_s(5)
        await post.deliveries.run_due()
        assert other.ids() == [message.message_id]


@pytest.mark.parametrize("moment", ["before the retry", "after the retry"])
async def test_a_late_answer_closes_it_and_nothing_is_delivered_twice_for_nothing(ground: Ground, moment: str) -> None:
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        await post.final(1)
        context = bind.open.pop()
        post.deliveries.unanswered(post.esme_id, bind, context)
        if moment == "after the retry":
            ground.clock.pass_s(5)
            await post.deliveries.run_due()
            assert len(bind.delivered) == 2
        post.deliveries.answered(post.esme_id, bind, context, 0)
        if moment == "after the retry":
            post.answer(bind)
        await post.notified("done", 1)
        ground.clock.pass_s(2 * HOUR_S)
        await post.deliveries.run_due()
        assert len(bind.delivered) == (2 if moment == "after the retry" else 1)
        await post.life.settling.durable()
        assert await ground.count("waiting_notifications") == 0


async def test_a_queue_beyond_its_limit_spills_to_rows_and_comes_back_in_order_once(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "QUEUE_LIMIT", 10)
    monkeypatch.setattr(esme_deliveries, "PAGE", 4)
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand(2))
        messages = await post.final(40)
        await post.life.settling.durable()
        assert await ground.count("waiting_notifications") >= 28
        while len(bind.delivered) < 40:
            before = len(bind.delivered)
            while bind.open:
                post.answer(bind)
            await post.deliveries.run_due()
            assert len(bind.delivered) > before
        while bind.open:
            post.answer(bind)
        assert bind.ids() == [m.message_id for m in messages]
        await post.notified("done", 40)
        assert await ground.count("waiting_notifications") == 0


async def test_what_is_owed_for_a_day_becomes_a_dead_letter(ground: Ground) -> None:
    async with post_of(ground) as post:
        (message,) = await post.final(1)
        await post.life.settling.durable()
        ground.clock.pass_s(24 * HOUR_S - 1)
        assert await post.deliveries.bury() == 0
        ground.clock.pass_s(2)
        assert await post.deliveries.bury() == 1
        await post.notified("dead", 1)
        bind = await post.attach(BindAtHand())
        assert bind.delivered == []
        assert post.life.tallies.notifications["dead"] == 1
        assert (await ground.row(message))["state"] == "delivered"


async def test_a_retry_past_its_day_is_a_dead_letter(ground: Ground) -> None:
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        await post.final(1)
        ground.clock.pass_s(24 * HOUR_S + 1)
        post.answer(bind, 0x08)
        await post.notified("dead", 1)


@pytest.mark.parametrize(("asked", "told"), [(1, 1), (2, 0), (3, 1)])
async def test_only_the_outcomes_asked_for_are_told(ground: Ground, asked: int, told: int) -> None:
    async with post_of(ground, answer=take_all) as post:
        bind = await post.attach(BindAtHand())
        message = await post.life.accept_one(registered_delivery=asked)
        await post.life.until(lambda: message.smsc_message_ids)
        post.life.carrier.receipt(message.smsc_message_ids, "delivered", HANDSET)
        await post.life.until(lambda: post.life.carrier.acknowledged)
        assert len(bind.delivered) == told


async def test_a_handsets_message_is_delivered_and_closed(ground: Ground) -> None:
    await facts.add_inbound_number(ground.connection, "36000", ground.account_id, ground.esme_id)
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        post.life.carrier.inbound(HANDSET, "36000", b"yes")
        await post.life.until(lambda: bind.delivered)
        (pdu,) = bind.delivered
        assert (pdu.source_addr, pdu.destination_addr, pdu.short_message) == (HANDSET, "36000", b"yes")
        post.answer(bind)
        await post.life.settling.durable()
        assert await ground.value("SELECT state FROM inbound_messages") == "done"


async def test_a_long_handset_message_travels_as_payload(ground: Ground) -> None:
    await facts.add_inbound_number(ground.connection, "36000", ground.account_id, ground.esme_id)
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        post.life.carrier.inbound(HANDSET, "36000", b"a" * 300)
        await post.life.until(lambda: bind.delivered)
        assert (bind.delivered[0].short_message, bind.delivered[0].tlv(0x0424)) == (b"", b"a" * 300)


# ---------------------------------------------------------------- after a start


async def test_what_a_former_life_owed_from_memory_is_told_once_by_the_next(ground: Ground) -> None:
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        messages = await post.final(5)
        post.answer(bind)
        await post.notified("done", 1)
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        assert await post.deliveries.recover([ground.account_id]) == 4
        assert bind.ids() == [m.message_id for m in messages[1:]]
        assert await post.deliveries.recover([ground.account_id]) == 0
        while bind.open:
            post.answer(bind)
        await post.notified("done", 5)


async def test_recovering_beside_live_traffic_tells_nothing_twice(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(esme_deliveries, "PAGE", 2)
    async with post_of(ground) as post:
        former = await post.final(3)
        await post.life.settling.durable()
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        new = await post.final(4)
        await post.deliveries.recover([ground.account_id])
        await post.deliveries.run_due()
        assert sorted(bind.ids()) == sorted(m.message_id for m in (*former, *new))


async def test_handsets_messages_of_a_former_life_are_delivered_once(ground: Ground) -> None:
    await facts.add_inbound_number(ground.connection, "36000", ground.account_id, ground.esme_id)
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        post.life.carrier.inbound(HANDSET, "36000", b"yes")
        await post.life.until(lambda: bind.delivered)
    ground.clock.pass_s(1)
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        assert await post.deliveries.recover([ground.account_id]) == 1
        assert [pdu.short_message for pdu in bind.delivered] == [b"yes"]


async def test_the_oldest_debt_without_a_row_holds_the_mark(ground: Ground) -> None:
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        assert post.deliveries.oldest_owed_id() is None
        first, second = await post.final(2)
        assert post.deliveries.oldest_owed_id() == first.message_id
        post.answer(bind)
        assert post.deliveries.oldest_owed_id() == second.message_id
        post.leave(bind)
        assert post.deliveries.oldest_owed_id() is None  # it has a row now


async def test_an_old_messages_receipt_has_its_row_before_anybody_is_told(ground: Ground) -> None:
    async with post_of(ground) as post:
        bind = await post.attach(BindAtHand())
        post.deliveries.owed_from_id = ground.clock.ms + HOUR_S * 1000 << 20  # everything of now is old
        (message,) = await post.final(1)
        assert bind.ids() == [message.message_id]
        assert await ground.count("waiting_notifications") == 1
        assert isinstance(bind.open[0], Owed)
        assert bind.open[0].stored
        post.answer(bind)
        await post.notified("done", 1)
        assert await ground.count("waiting_notifications") == 0
