"""Sends what was told: makes letters and SMS of notices, claims them, sends them, writes what came of it.

Source: architecture section 3 (notify); promise P2 in small: a letter whose answer was lost is in doubt, goes once more
under the same Message-ID, and then to a person. A claim is the row's own due time, moved past the longest try. Any
number of processes share the work.
What must not enter: words (wording.py), the wire (mailer.py, text_messages.py), what is watched (watches.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from email.headerregistry import Address
from typing import Final

import asyncpg
import msgspec

from gateway.notices.letters import message_id_of, write_letter
from gateway.notices.mailer import Found, MailSettings, Try
from gateway.notices.tallies import NoticeTallies
from gateway.notices.text_messages import Texter
from gateway.notices.watches import WatchTimes, look
from gateway.notices.wording import Rendered, render
from gateway.storage import notices as rows
from gateway.storage.database import CONNECTION_FAULTS, DatabaseAway
from gateway.storage.notices import NOTICES_CHANNEL, Sending, SendingOutcome

log = logging.getLogger("passerelle.notices")

AT_ONCE: Final = 4  # chosen: letters on their way; what a crash can leave in doubt
MOST_DOUBTS: Final = 2  # chosen: one lost answer may cost a duplicate; after the second a person decides
RETRY_S: Final = (30, 120, 600, 1_800, 3_600, 7_200, 14_400)  # chosen: then every four hours, until it is given up
JITTER: Final = 0.1  # chosen: of a pause
CLAIM_SPARE_MS: Final = 30_000  # chosen: beyond the longest try
SMS_TRY_MS: Final = 30_000  # chosen: as long as an acceptance may wait for PostgreSQL
POLL_S: Final = 1.0  # chosen: behind the notification; retries fall due by themselves
WATCH_EVERY_S: Final = 5.0  # chosen: how late a low balance may be seen
FORGET_EVERY_S: Final = 600.0  # chosen
FORGET_AT_ONCE: Final = 5_000  # chosen
AWAY_PAUSE_S: Final = 1.0  # chosen: between tries while PostgreSQL is away
LAST_WORDS_S: Final = 2.0  # chosen

Connect = Callable[[], Awaitable[asyncpg.Connection]]


class DeskSettings(msgspec.Struct, frozen=True):
    """house: the name that people see. most_an_hour: single sendings of one event to one address."""

    house: str
    most_an_hour: int
    keep_ms: int
    watch: WatchTimes


class NoticeDesk:
    """One process's share of the sending. mail or texter None: that channel is off, and each sending says so."""

    def __init__(
        self,
        connect: Connect,
        settings: DeskSettings,
        mail: MailSettings | None,
        tls: ssl.SSLContext | None,
        texter: Texter | None,
        wall_ms: Callable[[], int],
        chance: Callable[[], float],
        tallies: NoticeTallies,
    ) -> None:
        """chance: 0 to 1, for the jitter."""
        self._connect = connect
        self._settings = settings
        self._mail = mail
        self._tls = tls
        self._texter = texter
        self._wall_ms = wall_ms
        self._chance = chance
        self._tallies = tallies
        self._under_way = 0
        self._outcomes: list[SendingOutcome] = []
        self._wake = asyncio.Event()
        longest_ms = SMS_TRY_MS if mail is None else max(SMS_TRY_MS, int(mail.timeout_s * 1000))
        self._claim_ms = longest_ms + CLAIM_SPARE_MS

    def look_again(self) -> None:
        """Something was told, or time passed."""
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled; while PostgreSQL is away nothing new is begun, and what was found waits."""
        try:
            async with asyncio.TaskGroup() as tries:
                while True:
                    try:
                        async with self._connected() as connection:
                            await self._serve(connection, tries)
                    except (DatabaseAway, *CONNECTION_FAULTS) as fault:
                        log.warning("notices_wait", extra={"why": str(fault)})
                    await asyncio.sleep(AWAY_PAUSE_S)
        finally:
            if self._outcomes:
                with contextlib.suppress(TimeoutError, DatabaseAway, *CONNECTION_FAULTS):
                    async with asyncio.timeout(LAST_WORDS_S), self._connected() as connection:
                        await self._write(connection)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await self._connect()
        try:
            await connection.add_listener(NOTICES_CHANNEL, lambda *_: self._wake.set())
            yield connection
        finally:
            connection.terminate()

    async def _serve(self, connection: asyncpg.Connection, tries: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        watch_at = forget_at = loop.time()
        while not connection.is_closed():
            self._wake.clear()
            await self._write(connection)
            now_ms = self._wall_ms()
            addressed = await rows.address_notices(connection, now_ms, self._settings.most_an_hour)
            claimed = await self._claim(connection, tries)
            if loop.time() >= watch_at:
                await look(connection, self._settings.watch, now_ms)
                watch_at = loop.time() + WATCH_EVERY_S
            if loop.time() >= forget_at:
                await rows.forget_notices(connection, now_ms - self._settings.keep_ms, FORGET_AT_ONCE)
                forget_at = loop.time() + FORGET_EVERY_S
            if not addressed and not claimed and not self._outcomes:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self._wake.wait()

    async def _claim(self, connection: asyncpg.Connection, tries: asyncio.TaskGroup) -> int:
        """Take no more than begins at once: what is claimed and lost is in doubt."""
        room, now_ms = AT_ONCE - self._under_way, self._wall_ms()
        if room <= 0:
            return 0
        claimed = await rows.claim_sendings(connection, now_ms, room, now_ms + self._claim_ms)
        notices = await rows.load_notices(connection, {each for sending in claimed for each in sending.notice_ids})
        for sending in claimed:
            told = [notices[each] for each in sending.notice_ids if each in notices]
            why = "answer_lost" if sending.doubts >= MOST_DOUBTS else "" if told else "notice_forgotten"
            if not why and now_ms >= sending.give_up_at_ms:
                why = "too_late"
            if why:
                self._settle(sending, Found("refused", why), None, sending.doubts)
                continue
            self._under_way += 1
            tries.create_task(self._try(sending, told), name=f"notice {sending.sending_id}")
        return len(claimed)

    # ------------------------------------------------------------------ trying

    async def _try(self, sending: Sending, told: list[rows.StoredNotice]) -> None:
        found, message_id, doubts = Found("again", "stopped"), None, sending.doubts
        on_its_way: Try | None = None
        try:
            words = render(told, sending.notice_count, sending.language, self._settings.house)
            if sending.channel == "sms":
                found, message_id = await self._text(sending, words)
            elif self._mail is None:
                found = Found("refused", "mail_off")
            else:
                on_its_way = Try(self._mail, self._tls, sending.address, self._letter(sending, words, self._mail))
                found = await on_its_way.send()
        except asyncio.CancelledError:
            if on_its_way is not None and on_its_way.is_written:
                found = Found("doubtful", "stopped")
            raise
        except Exception as fault:  # boundary: a row that cannot be written must not end the others' desk
            log.error("notice_unwritable", extra={"sending": sending.sending_id, "why": repr(fault)})
            found = Found("refused", "unwritable")
        finally:
            doubts += found.outcome == "doubtful"
            self._under_way -= 1
            self._settle(sending, found, message_id, doubts)
            self._wake.set()

    async def _text(self, sending: Sending, words: Rendered) -> tuple[Found, int | None]:
        if self._texter is None:
            return Found("refused", "sms_off"), None
        ref = f"notice-{sending.sending_id}-{sending.edition}"
        return await self._texter.send(sending.address, words.sms, ref, sending.give_up_at_ms)

    def _letter(self, sending: Sending, words: Rendered, mail: MailSettings) -> bytes:
        sender = Address(self._settings.house, addr_spec=mail.sender)
        name = message_id_of(sending.sending_id, sending.edition, sending.made_at_ms, mail.sender)
        return write_letter(words, sending.language, sender, sending.address, name, self._wall_ms())

    def _settle(self, sending: Sending, found: Found, message_id: int | None, doubts: int) -> None:
        now_ms, tries = self._wall_ms(), sending.tries + 1
        due_at_ms = now_ms + int(RETRY_S[min(tries, len(RETRY_S)) - 1] * 1000 * (1 + JITTER * self._chance()))
        if found.outcome == "taken":
            state = "done"
        elif found.outcome == "refused" or doubts >= MOST_DOUBTS or due_at_ms >= sending.give_up_at_ms:
            state = "dead"
        else:
            state = "due"
        self._tallies.tries[sending.channel, found.outcome] += 1
        number, channel = sending.sending_id, sending.channel
        if state == "dead":
            remedy = "put it right, then: passerelle notices resend"
            log.error(
                "notice_dead",
                extra={
                    "sending": number,
                    "channel": channel,
                    "event": sending.event,
                    "why": found.why,
                    "remedy": remedy,
                },
            )
        elif state == "due":
            log.info("notice_failed", extra={"sending": number, "channel": channel, "tries": tries, "why": found.why})
        self._outcomes.append(
            SendingOutcome(
                sending.sending_id,
                sending.claim,
                state,  # type: ignore[arg-type]  # one of three words
                found.why,
                tries,
                doubts,
                due_at_ms,
                0 if state == "due" else now_ms,
                message_id,
            )
        )

    # ------------------------------------------------------------------ writing

    async def _write(self, connection: asyncpg.Connection) -> None:
        """Store what was found; nothing is forgotten while PostgreSQL is away."""
        outcomes = list(self._outcomes)
        await rows.close_sendings(connection, outcomes)
        del self._outcomes[: len(outcomes)]
