"""What time brings to messages: parked receipts once more, ends of doubt, retries and schedules, ends of validity.

Source: smpp-answers (in doubt; receipts parked); decision 0006. gateway/daemon/clock_jobs.py calls these jobs; what
they decide is carried out by gateway/lifecycle.py.
What must not enter: timers, tasks, what a start finds (gateway/recovery.py).
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.active import Left
from gateway.crash_points import crash_point
from gateway.lifecycle import Lifecycle
from gateway.message import PART_IN_DOUBT, Message
from gateway.message_states import FINAL
from gateway.receipts import fold
from gateway.storage.group_commit import SettleStream
from gateway.storage.reader import Reader
from router.facts import NoRoute

CLAIM_AT_ONCE = 1000  # chosen: rows taken up in one go by the clock's jobs
RECEIPT_PATIENCE_MS = 600_000  # chosen: a carrier's own word on an expired message comes at its end, not before
STRANDED_PAUSE_MS = 60_000  # chosen: how often a message whose connector is configured nowhere looks for a route
DOUBT_GRACE_MS = 60_000  # chosen: of a connector that is configured nowhere any more
DOUBT_ENDS = 10  # chosen: graces, after which a message that is not to be resent ends as unknown
OPEN_PAUSE_MS = 2_000  # chosen: for a retry that is due while its message is still busy


class ByTheClock:
    """The jobs of a node's clock that decide about messages. Each may be called at any time, and again."""

    def __init__(
        self, lifecycle: Lifecycle, reader: Reader, settling: SettleStream, wall_ms: Callable[[], int]
    ) -> None:
        self._life = lifecycle
        self._reader = reader
        self._settling = settling
        self._wall_ms = wall_ms
        self._claims_lost = False  # whether rows may be claimed by this life without its knowing

    async def match_parked(self) -> None:
        """Receipts that were parked because their message could not be found then: once more."""
        for connector in self._life.connectors.values():
            for receipt, awaited in await self._life.waiting_room.search_parked(connector.connector_id):
                self._life.receipted(connector, receipt, awaited)
        await self._life.publish()

    async def decide_doubts(self) -> None:
        """End the doubts whose time has come: one resend where the class allows it, else unknown."""
        now_ms = self._wall_ms()
        for message, since_ms in self._life.waiting_room.doubts():
            grace_ms = self._life.policy.doubt_graces_ms.get(message.connector_id, DOUBT_GRACE_MS)
            if message.state != "in_doubt":
                self._life.waiting_room.certain(message)  # a late response or a receipt told
            elif since_ms > now_ms:
                self._life.waiting_room.doubt_since(message, now_ms)  # the clock stepped back
            elif (
                message.traffic_class in self._life.policy.resend_classes
                and message.in_doubt_count == message.part_states.count(PART_IN_DOUBT)  # each for the first time
                and now_ms - since_ms >= grace_ms
                and message.open_parts == 0
            ):
                self._life.waiting_room.certain(message)
                fold.resend(message)
                self._life.note(message, "resent", "its class allows one resend after the grace time")
                self._life.store(message)
                self._life.postpone(message, now_ms, "resent after doubt")
                crash_point("doubt.resent")
            elif now_ms - since_ms >= grace_ms * DOUBT_ENDS:
                self._life.waiting_room.certain(message)
                self._life.finish(message, "unknown", "no evidence")
        await self._life.publish()

    async def claim_delayed(self) -> None:
        """Take up messages whose time has come: schedules and retries. And rows whose COMMIT was never answered."""
        now_ms = self._wall_ms()
        if self._claims_lost:
            await self._reader.release_claims(lambda message_id: message_id in self._life.active)
        self._claims_lost = True  # until everything claimed is in memory
        with self._life.active.reading() as left:
            await self._settling.durable()
            keys = await self._reader.claim_delayed(now_ms, CLAIM_AT_ONCE)
            if keys:
                crash_point("claim.taken")
            loaded = await self._reader.load_messages(keys) if keys else {}
            for account_id, message_id in keys:
                self._take_up((account_id, message_id), loaded.get(message_id), left, now_ms)
        self._claims_lost = False
        if self._settling.batch:
            self._settling.durable()
        due = [each for each in self._life.uncertain if each[0] <= now_ms]
        self._life.uncertain = [each for each in self._life.uncertain if each[0] > now_ms]
        for _, connector_id, from_id in due:
            outbox = self._life.outboxes.get(connector_id)
            if outbox is not None:
                outbox.search_from(from_id)

    def _take_up(self, key: tuple[int, int], row: Message | None, left: Left, now_ms: int) -> None:
        """Queue a claimed message; a claim that cannot be used now is given back, one without purpose is forgotten."""
        if row is None or row.state in FINAL:
            self._settling.batch.undelayed.append(key)
            return
        message = self._life.active.adopt(row, left)
        outbox = self._life.outboxes.get(row.connector_id)
        if message is None or message.open_parts or message.dirty:
            self._settling.batch.delays.append((now_ms + OPEN_PAUSE_MS, *key, "was busy when its time came"))
        elif message.state == "queued":
            message.delay_stored = True
            message.unqueued = False
            if row.not_before_ms > now_ms:  # it was replaced meanwhile, and has another schedule
                self._life.postpone(message, row.not_before_ms, "schedule")
            elif outbox is not None and self._life.reaches(row.connector_id):
                outbox.put_claimed(message)
            elif isinstance(self._life.route(message, now_ms), NoRoute) or not self._life.reaches(message.connector_id):
                self._life.postpone(message, now_ms + STRANDED_PAUSE_MS, "its connector is configured nowhere")
            else:
                self._life.store(message)
                self._life.postpone(message, now_ms, "another route")
        elif message.state != "in_doubt":
            self._settling.batch.undelayed.append(key)

    async def expire(self, after_ms: int, until_ms: int) -> int:
        """Make messages final whose validity ended in this span; return up to when nothing is left to do.

        What waits in a queue expires; what was taken, or is in doubt, gets a little longer for its receipt, then
        is unknown.
        """
        late_ms = RECEIPT_PATIENCE_MS
        done_ms = until_ms
        with self._life.active.reading() as left:
            await self._settling.durable()
            waiting = await self._reader.overdue(after_ms, until_ms, ("queued",), CLAIM_AT_ONCE)
            taken = await self._reader.overdue(
                after_ms - late_ms, until_ms - late_ms, ("submitted", "in_doubt"), CLAIM_AT_ONCE
            )
            for rows, extra_ms in ((waiting, 0), (taken, late_ms)):
                if len(rows) == CLAIM_AT_ONCE:
                    done_ms = min(done_ms, rows[-1].expires_at_ms + extra_ms - 1)
                for row in rows:
                    message = self._life.active.adopt(row, left)
                    if message is None or message.open_parts or message.dirty or message.state != row.state:
                        done_ms = min(done_ms, row.expires_at_ms + extra_ms - 1)  # its outcome is on its way
                    else:
                        self._end_validity(message)
        return done_ms if await self._life.publish() else after_ms

    def _end_validity(self, message: Message) -> None:
        message.delay_stored = True  # whether or not there is such a row
        crash_point("expire.found")
        if message.state == "queued":
            self._life.finish(message, "expired", "validity ended before it was sent")
        else:
            self._life.finish(message, "unknown", "validity ended without a receipt")
