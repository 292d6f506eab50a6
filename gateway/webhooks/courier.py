"""Sends what is owed to customers' URLs: claims rows, makes requests, writes what they found.

Source: architecture section 3 (notify), promise P7; defaults page, "Webhooks". A claim is the row's own due time, moved
past the longest try: a courier that dies loses nothing, and what it had sent goes again under the same id.
Any number of processes share the work. What must not enter: how an event is written, which addresses are permitted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import asyncpg

from gateway.storage import webhooks as rows
from gateway.storage.database import CONNECTION_FAULTS, DatabaseAway
from gateway.storage.notices import tell
from gateway.storage.webhooks import WEBHOOKS_CHANNEL, Delivery, Outcome
from gateway.webhooks.lane import Lane, retry_ms
from gateway.webhooks.outgoing import TIMEOUT_S, Found, GuardedClient
from gateway.webhooks.parcels import Parcel, origin_of, wrap
from gateway.webhooks.tallies import WebhookTallies

log = logging.getLogger("passerelle.webhooks")

CLAIM_MS: Final = 120_000  # chosen: eight tries that time out, one behind the other
SENDABLE_MS: Final = int(TIMEOUT_S * 1000) + 5_000  # what must be left of a claim for a try to be begun
CLAIMS_LIMIT: Final = 2_000  # chosen: deliveries in memory over all lanes
FIRST_ROOM: Final = 1  # of a lane that nothing is known of
POLL_S: Final = 1.0  # chosen: behind the notification; retries fall due by themselves
AWAY_PAUSE_S: Final = 1.0  # chosen: between tries while PostgreSQL is away
LAST_WORDS_S: Final = 2.0  # chosen
FORGET_EVERY_S: Final = 60.0  # chosen
FORGET_AT_ONCE: Final = 5_000  # chosen: of a turn, and on at once where there is more
DAY_MS: Final = 86_400_000
ANSWER_CHARACTERS: Final = 500  # kept of an answer, for its owner to see
GONE: Final = 410  # RFC 9110 15.5.11; Standard Webhooks: the receiver wants no more

Connect = Callable[[], Awaitable[asyncpg.Connection]]


class Courier:
    """One process's share of the sending."""

    def __init__(
        self,
        connect: Connect,
        client: GuardedClient,
        wall_ms: Callable[[], int],
        chance: Callable[[], float],
        tallies: WebhookTallies,
        keep_days: int = 30,
    ) -> None:
        """chance: 0 to 1, for the jitter; keep_days: how long events and ended deliveries are kept."""
        self._connect = connect
        self._client = client
        self._wall_ms = wall_ms
        self._chance = chance
        self._tallies = tallies
        self._keep_ms = keep_days * DAY_MS
        self._lanes: dict[str, Lane] = {}
        self._waiting: dict[str, deque[tuple[Parcel, int]]] = {}  # by lane: claimed, with the end of the claim
        self._under_way: dict[str, int] = {}  # by lane: requests
        self._outcomes: list[Outcome] = []
        self._gone: list[int] = []  # endpoints that answered 410
        self._given_up: list[tuple[int, int]] = []  # endpoints whose delivery of an event at that time was given up
        self._wake = asyncio.Event()

    @property
    def held(self) -> int:
        """Deliveries in memory."""
        return sum(lane.busy for lane in self._lanes.values())

    def look_again(self) -> None:
        """Something was owed, or time passed."""
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled; while PostgreSQL is away nothing new is begun, and what was found waits."""
        try:
            async with asyncio.TaskGroup() as requests:
                while True:
                    try:
                        async with self._connected() as connection:
                            await self._serve(connection, requests)
                    except (DatabaseAway, *CONNECTION_FAULTS) as fault:
                        log.warning("webhooks_wait", extra={"why": str(fault)})
                    await asyncio.sleep(AWAY_PAUSE_S)
        finally:
            await self._write_last()

    async def _write_last(self) -> None:
        """At an end that is no crash: what is not told to rows would be told to receivers again, or late."""
        for name, waiting in self._waiting.items():
            for parcel, _ in waiting:
                self._give_back(self._lanes[name], parcel.delivery, self._wall_ms())
        self._waiting.clear()
        if not self._outcomes:
            return
        with contextlib.suppress(DatabaseAway, *CONNECTION_FAULTS):
            async with asyncio.timeout(LAST_WORDS_S), self._connected() as connection:
                await self._write(connection)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await self._connect()
        try:
            await connection.add_listener(WEBHOOKS_CHANNEL, lambda *_: self._wake.set())
            yield connection
        finally:
            connection.terminate()

    async def _serve(self, connection: asyncpg.Connection, requests: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        forget_at = loop.time()
        while not connection.is_closed():
            self._wake.clear()
            await self._write(connection)
            claimed = await self._claim(connection)
            for lane in list(self._waiting):
                self._begin(lane, requests)
            if loop.time() >= forget_at:
                forgot = await rows.forget_old(connection, self._wall_ms() - self._keep_ms, FORGET_AT_ONCE)
                forget_at = loop.time() + (FORGET_EVERY_S if forgot < FORGET_AT_ONCE else 0)
            if not claimed and not self._outcomes:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self._wake.wait()

    # ------------------------------------------------------------------ claiming

    async def _claim(self, connection: asyncpg.Connection) -> int:
        now_ms = self._wall_ms()
        self._lanes = {
            name: lane for name, lane in self._lanes.items() if not lane.is_forgettable(now_ms, len(self._lanes))
        }
        limit = CLAIMS_LIMIT - self.held
        if limit <= 0:
            return 0
        rooms = {name: lane.room(now_ms) for name, lane in self._lanes.items()}
        until_ms = now_ms + CLAIM_MS
        claimed = await rows.claim_deliveries(connection, now_ms, rooms, FIRST_ROOM, limit, until_ms)
        if not claimed:
            return 0
        for delivery, parcel in zip(claimed, await self._wrap(connection, claimed, now_ms), strict=True):
            if parcel is None or now_ms >= delivery.give_up_at_ms:
                self._end_untried(delivery, now_ms)
                continue
            self._lanes.setdefault(delivery.lane, Lane()).busy += 1
            self._waiting.setdefault(delivery.lane, deque()).append((parcel, until_ms))
        return len(claimed)

    async def _wrap(self, connection: asyncpg.Connection, claimed: list[Delivery], now_ms: int) -> list[Parcel | None]:
        try:
            return await wrap(connection, claimed, now_ms)
        except CONNECTION_FAULTS:
            raise
        except Exception as fault:  # boundary: a row that cannot be read must not hold up the others
            if len(claimed) == 1:
                log.error("webhook_unwritable", extra={"delivery": claimed[0].delivery_id, "why": repr(fault)})
                return [None]
            middle = len(claimed) // 2
            first = await self._wrap(connection, claimed[:middle], now_ms)
            return first + await self._wrap(connection, claimed[middle:], now_ms)

    def _end_untried(self, delivery: Delivery, now_ms: int) -> None:
        """Its endpoint is closed, its message forgotten, or its time over: a dead letter, which can be replayed."""
        self._outcomes.append(_outcome(delivery, "dead", delivery.tries, now_ms, now_ms))
        self._tallies.deliveries["given_up"] += 1
        if delivery.endpoint_id is not None and delivery.tries:
            self._given_up.append((delivery.endpoint_id, delivery.at_ms))

    def _begin(self, name: str, requests: asyncio.TaskGroup) -> None:
        """Begin requests of a lane as wide as it is; what is late, or stands before a paused receiver, goes back."""
        waiting, lane = self._waiting[name], self._lanes[name]
        now_ms = self._wall_ms()
        while waiting and self._under_way.get(name, 0) < lane.width:
            parcel, until_ms = waiting.popleft()
            if until_ms - now_ms < SENDABLE_MS or lane.is_paused(now_ms):
                self._give_back(lane, parcel.delivery, now_ms)
                continue
            self._under_way[name] = self._under_way.get(name, 0) + 1
            requests.create_task(self._try(name, parcel), name=f"webhook {parcel.delivery.delivery_id}")
        while waiting and lane.is_paused(now_ms):
            self._give_back(lane, waiting.popleft()[0].delivery, now_ms)
        if not waiting:
            del self._waiting[name]

    def _give_back(self, lane: Lane, delivery: Delivery, now_ms: int) -> None:
        lane.busy -= 1
        self._outcomes.append(_outcome(delivery, "due", delivery.tries, now_ms, 0))

    # ------------------------------------------------------------------ trying

    async def _try(self, name: str, parcel: Parcel) -> None:
        began_ms = self._wall_ms()
        try:
            found = await self._client.send(parcel.seal(began_ms // 1000))
        except Exception as fault:  # boundary: what cannot be written for one receiver must not end the others' courier
            log.error("webhook_unwritable", extra={"delivery": parcel.delivery.delivery_id, "why": repr(fault)})
            found = Found(None, b"", "unwritable", 0)
        self._settle(self._lanes[name], parcel, found, began_ms)
        self._under_way[name] -= 1
        if not self._under_way[name]:
            del self._under_way[name]
        self._wake.set()

    def _settle(self, lane: Lane, parcel: Parcel, found: Found, began_ms: int) -> None:
        delivery, now_ms = parcel.delivery, self._wall_ms()
        lane.busy -= 1
        fault = found.fault or parcel.complaint(found.status or 0, found.body)
        tries = delivery.tries + 1
        pause_ms: int | None = None
        state = "done"
        if fault:
            lane.failed(now_ms)
            pause_ms = (
                None if found.status == GONE or parcel.is_final(found.status) else retry_ms(tries, self._chance())
            )
            state = "dead" if pause_ms is None or now_ms + pause_ms > delivery.give_up_at_ms else "due"
        else:
            lane.taken()
        self._tallies.tell(state, fault, now_ms - delivery.at_ms)
        if fault:
            log.info(
                "webhook_failed",
                extra={
                    "delivery": delivery.delivery_id,
                    "endpoint": delivery.endpoint_id,
                    "origin": parcel.origin,
                    "tries": tries,
                    "why": fault,
                },
            )
        if delivery.endpoint_id is not None and state == "dead":
            if found.status == GONE:
                self._gone.append(delivery.endpoint_id)
            else:
                self._given_up.append((delivery.endpoint_id, delivery.at_ms))
        self._outcomes.append(
            Outcome(
                delivery.delivery_id,
                delivery.claim,
                state,  # type: ignore[arg-type]  # one of three words
                tries,
                now_ms + (pause_ms or 0),
                0 if state == "due" else now_ms,
                True,
                began_ms,
                found.took_ms,
                found.status,
                fault,
                found.body.decode("utf-8", "replace").replace("\0", "\ufffd")[:ANSWER_CHARACTERS],
            )
        )

    # ------------------------------------------------------------------ writing

    async def _write(self, connection: asyncpg.Connection) -> None:
        """Store what was found, in one transaction; nothing is forgotten while PostgreSQL is away."""
        if not self._outcomes:
            return
        outcomes, gone, given_up = list(self._outcomes), list(self._gone), list(self._given_up)
        async with connection.transaction():
            await rows.close_deliveries(connection, outcomes)
            ended = {
                e: "gone"
                for e in dict.fromkeys(gone)
                if await rows.disable_endpoint(connection, e, "it answered 410 Gone")
            }
            for endpoint_id, at_ms in given_up:
                why = "it took nothing until a delivery was given up"
                if await rows.disable_silent_endpoint(connection, endpoint_id, why, at_ms):
                    ended[endpoint_id] = "silent"
            for endpoint in (await rows.load_endpoints(connection, ended, self._wall_ms())).values():
                number, origin = endpoint.endpoint_id, origin_of(endpoint.url)
                facts: dict[str, str | int] = {"webhook": number, "origin": origin, "cause": ended[number]}
                await tell(connection, event="webhook.disabled", account_id=endpoint.account_id, facts=facts)
        del self._outcomes[: len(outcomes)], self._gone[: len(gone)], self._given_up[: len(given_up)]
        for endpoint_id in ended:
            remedy = "have its owner repair it, then: passerelle webhook enable"
            log.error("webhook_disabled", extra={"endpoint": endpoint_id, "remedy": remedy})


def _outcome(delivery: Delivery, state: str, tries: int, due_at_ms: int, ended_at_ms: int) -> Outcome:
    """Without a request."""
    return Outcome(
        delivery.delivery_id,
        delivery.claim,
        state,  # type: ignore[arg-type]  # one of three words
        tries,
        due_at_ms,
        ended_at_ms,
        False,
        ended_at_ms,
        0,
        None,
        "",
        "",
    )
