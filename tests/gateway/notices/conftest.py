"""What tests of notices share: a mail server, a ground whose account and house have addresses, desks on it.

What must not enter: what one test wants to prove.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest_asyncio

from gateway.notices.desk import DeskSettings, NoticeDesk
from gateway.notices.mailer import MailSettings
from gateway.notices.tallies import NoticeTallies
from gateway.notices.text_messages import Texter
from gateway.notices.watches import WatchTimes
from gateway.storage import notices as rows
from gateway.storage.database import connect
from gateway.storage.notices import Preferences
from tests.eventually import eventually
from tests.gateway.conftest import WITHIN_S, Ground
from tests.mail_server import MailServer, mail_server

DAY_MS = 86_400_000
TIMES = WatchTimes(120_000, 60_000)
DECIDED: dict[str, str | int] = {"sender": "ACMÉ", "decision": "refused", "reason": "pièce illisible"}


def settings_for(server: MailServer, **given: Any) -> MailSettings:
    """A server of this machine, without TLS."""
    fields: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": "none",
        "user": "",
        "password": None,
    }
    fields |= {"sender": "passerelle@example.net", "connect_timeout_s": 30.0, "timeout_s": 30.0}
    return MailSettings(**fields | given)


@dataclasses.dataclass
class Notices:
    """A ground, and short words for what tests do with notices."""

    ground: Ground
    server: MailServer

    @property
    def connection(self) -> asyncpg.Connection:
        return self.ground.connection

    async def prefer(self, kind: Any = "account", **given: Any) -> None:
        """The account, or the house, is told by e-mail in French unless said otherwise."""
        owner_id = self.ground.account_id if kind == "account" else 0
        fields: dict[str, Any] = {"language": "fr", "emails": [f"{kind}@example.org"]}
        await rows.save_preferences(self.connection, Preferences(owner_kind=kind, owner_id=owner_id, **fields | given))

    async def tell(self, event: str = "sender.decided", **given: Any) -> int:
        """A notice of the ground's account."""
        told: dict[str, Any] = {"account_id": self.ground.account_id, "facts": DECIDED}
        notice_id = await rows.tell(self.connection, event=event, **told | given)
        assert notice_id is not None
        return notice_id

    @contextlib.asynccontextmanager
    async def desk(
        self, texter: Texter | None = None, mail: bool = True, most_an_hour: int = 6, **given: Any
    ) -> AsyncIterator[NoticeDesk]:
        """A desk at work, on the ground's clock, stopped at the end."""
        settings = DeskSettings("Passerelle", most_an_hour, 90 * DAY_MS, TIMES)
        letters = settings_for(self.server, **given) if mail else None
        desk = NoticeDesk(
            lambda: connect(self.ground.dsn),
            settings,
            letters,
            None,
            texter,
            self.ground.clock,
            lambda: 0.0,
            NoticeTallies(),
        )
        task = asyncio.get_running_loop().create_task(desk.run())
        try:
            yield desk
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def sendings(self) -> list[asyncpg.Record]:
        """All of them, oldest first."""
        return list(reversed(await rows.list_sendings(self.connection, None, None)))

    async def until(self, **states: int) -> list[asyncpg.Record]:
        """Wait until so many sendings stand in these states, and in no other, and each was tried."""

        async def reached() -> bool:
            found = [row["state"] for row in await self.sendings()]
            return {state: found.count(state) for state in set(found)} == states

        await eventually(reached, WITHIN_S, f"sendings {states}")
        return await self.sendings()

    async def tried(self, count: int) -> asyncpg.Record:
        """Wait until the only sending was tried so often, and that is written."""

        async def reached() -> bool:
            found = await self.connection.fetchrow("SELECT tries, is_open FROM notice_sendings")
            return found is not None and (found["tries"], found["is_open"]) == (count, False)

        await eventually(reached, WITHIN_S, f"try {count}")
        (row,) = await self.sendings()
        return row

    def pass_s(self, seconds: float, desk: NoticeDesk) -> None:
        """Time passes, and the desk looks again."""
        self.ground.clock.pass_s(seconds)
        desk.look_again()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as opened:
        yield opened


@pytest_asyncio.fixture
async def notices(ground: Ground, server: MailServer) -> Notices:
    return Notices(ground, server)
