"""Typed functions over statements/notices.sql: telling, addressing and sending notices, and who wants them.

What belongs here: `tell`, which any room calls inside the transaction of what happened; one function a statement.
What must not enter: words and letters (gateway/notices), the table of events (gateway/notice_events.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import asyncpg
import msgspec

from gateway.lease import LEASE_S
from gateway.notice_events import NOTICE_EVENTS, Channel, check_notice
from gateway.storage.named_statements import load_statements

NOTICES_CHANNEL: Final = "passerelle_notices"  # schema: trigger notices_told
HIGHEST_ID: Final = (1 << 63) - 1
ADDRESSED_AT_ONCE: Final = 200  # chosen: notices of one transaction
DIGEST_AFTER_MS: Final = 1_800_000  # chosen: how long a digest gathers
DIGEST_NAMES: Final = 50  # chosen: notices that a digest names; it counts all
SMS_A_DAY: Final = 20  # chosen: of one account's wish; the house pays for them
GIVE_UP_MS: Final = 86_400_000  # chosen: a notice of yesterday helps nobody

OwnerKind = Literal["account", "operator", "house"]

_SQL = load_statements("notices.sql")


async def tell(
    connection: asyncpg.Connection,
    *,
    event: str,
    account_id: int | None,
    facts: Mapping[str, str | int],
    once: str | None = None,
) -> int | None:
    """Write a notice into the outbox, in the caller's transaction: with it, or not at all; the notice's id.

    facts: exactly those of the event's row in NOTICE_EVENTS (credits in micro-units, times in Unix milliseconds).
    once: with the same word nothing is told a second time (None is returned). Raises NoticeFault: our own fault.
    """
    given = msgspec.json.encode(check_notice(event, account_id, facts)).decode()
    is_for_account = NOTICE_EVENTS[event].audience == "account"
    found: int | None = await connection.fetchval(_SQL["tell"], event, account_id, given, once, is_for_account)
    return found


# ---------------------------------------------------------------- who wants them


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """Where an account (by id), a user of the operators' side, or the house (0) is told, and of what.

    channels: by event, where not its row's. low_balance_micros: of an account; None: it is not told of its balance.
    """

    owner_kind: OwnerKind
    owner_id: int
    language: Literal["fr", "en"]
    emails: list[str] = []
    phones: list[str] = []  # E.164 without plus
    channels: dict[str, list[Channel]] = {}
    low_balance_micros: int | None = None

    def addresses(self, event: str) -> list[tuple[Channel, str]]:
        """Where it is told of an event."""
        of_channel: dict[Channel, list[str]] = {"email": self.emails, "sms": self.phones}
        chosen = self.channels.get(event, NOTICE_EVENTS[event].channels)
        return [(channel, address) for channel in chosen for address in of_channel[channel]]


def _read_preferences(row: dict[str, Any]) -> Preferences:
    return Preferences(**row | {"channels": msgspec.json.decode(row["channels"])})


async def load_preferences(connection: asyncpg.Connection, kind: OwnerKind, owner_id: int) -> Preferences | None:
    """None: nobody said anything yet, so nothing is sent."""
    row = await connection.fetchrow(_SQL["load_preferences"], kind, owner_id)
    return None if row is None else _read_preferences(dict(row))


async def load_administrators(connection: asyncpg.Connection) -> list[tuple[str, Preferences]]:
    """Who at the house is told where, with his role; "": the house itself."""
    found = [dict(row) for row in await connection.fetch(_SQL["preferences_of_administrators"])]
    return [(row.pop("role"), _read_preferences(row)) for row in found]


async def save_preferences(connection: asyncpg.Connection, given: Preferences) -> None:
    """In the caller's transaction."""
    await connection.execute(
        _SQL["save_preferences"],
        given.owner_kind,
        given.owner_id,
        given.language,
        given.emails,
        given.phones,
        msgspec.json.encode(given.channels).decode(),
        given.low_balance_micros,
    )


# ---------------------------------------------------------------- what the desk does


class Sending(msgspec.Struct, frozen=True):
    """A claimed letter or SMS. doubts: tries before this one of which nobody knows whether they were taken."""

    sending_id: int
    channel: Channel
    address: str
    language: Literal["fr", "en"]
    event: str
    notice_ids: list[int]
    notice_count: int
    is_digest: bool
    tries: int
    doubts: int
    edition: int
    claim: int
    made_at_ms: int
    give_up_at_ms: int


class SendingOutcome(msgspec.Struct, frozen=True):
    """What became of a claimed sending."""

    sending_id: int
    claim: int
    state: Literal["due", "done", "dead"]
    why: str
    tries: int
    doubts: int
    due_at_ms: int
    ended_at_ms: int
    message_id: int | None


class StoredNotice(msgspec.Struct, frozen=True):
    """A notice as it was told."""

    notice_id: int
    event: str
    facts: dict[str, str | int]
    told_at_ms: int


async def address_notices(connection: asyncpg.Connection, now_ms: int, most_an_hour: int) -> int:
    """Make the sendings of what was told, a page in a transaction; how many notices there were.

    most_an_hour: single sendings of one event to one address; what is beyond comes as a digest.
    """
    async with connection.transaction():
        await connection.execute(_SQL["lock_addressing"])
        found = await connection.fetch(_SQL["take_unaddressed"], ADDRESSED_AT_ONCE, list(NOTICE_EVENTS))
        if not found:
            return 0
        accounts = {row["account_id"] for row in found if row["account_id"] is not None}
        of_accounts = await connection.fetch(_SQL["preferences_of_accounts"], list(accounts))
        own = {row["owner_id"]: _read_preferences(dict(row)) for row in of_accounts}
        contacts = await _contacts_of_orders(connection, [row["notice_id"] for row in found], own)
        house = await load_administrators(connection)
        owed: list[tuple[object, ...]] = []
        digest_at_ms = now_ms + DIGEST_AFTER_MS
        for notice_id, event, account_id in found:
            for_account, roles = NOTICE_EVENTS[event].audience == "account", ("", *NOTICE_EVENTS[event].roles)
            if for_account:
                wanting = ([own[account_id]] if account_id in own else []) + contacts.get(notice_id, [])
            else:
                wanting = [each for role, each in house if role in roles]
            reached = {place: each.language for each in reversed(wanting) for place in each.addresses(event)}
            for (channel, address), language in reached.items():
                whose = account_id if for_account else None
                times = (now_ms, most_an_hour, digest_at_ms, digest_at_ms + GIVE_UP_MS, DIGEST_NAMES, SMS_A_DAY)
                owed.append((channel, address, language, event, whose, notice_id, *times))
        await connection.executemany(_SQL["add_sending"], owed)
        await connection.execute(_SQL["mark_addressed"], [row["notice_id"] for row in found])
    return len(found)


async def _contacts_of_orders(
    connection: asyncpg.Connection, notice_ids: list[int], own: Mapping[int, Preferences]
) -> dict[int, list[Preferences]]:
    """Whom orders of credit name, by notice: told of them as well, by the channels that their account chose."""
    found = {}
    for notice_id, account_id, language, email, phone in await connection.fetch(_SQL["contacts_of_orders"], notice_ids):
        channels = own[account_id].channels if account_id in own else {}
        emails, phones = [email] if email else [], [phone] if phone else []
        who: dict[str, Any] = {"owner_kind": "account", "owner_id": account_id, "language": language}
        found[notice_id] = [Preferences(**who, emails=emails, phones=phones, channels=channels)]
    return found


async def claim_sendings(connection: asyncpg.Connection, now_ms: int, limit: int, until_ms: int) -> list[Sending]:
    """Take what is due until a time."""
    return [Sending(*row) for row in await connection.fetch(_SQL["claim_sendings"], now_ms, limit, until_ms)]


async def load_notices(connection: asyncpg.Connection, ids: Iterable[int]) -> dict[int, StoredNotice]:
    """Notices by id; those that are forgotten are missing."""
    found = await connection.fetch(_SQL["load_notices"], list(ids))
    return {
        row["notice_id"]: StoredNotice(
            row["notice_id"], row["event"], msgspec.json.decode(row["facts"]), row["told_at_ms"]
        )
        for row in found
    }


async def close_sendings(connection: asyncpg.Connection, outcomes: Iterable[SendingOutcome]) -> None:
    """Write what became of claimed sendings."""
    columns = list(map(list, zip(*map(msgspec.structs.astuple, outcomes), strict=True)))
    if columns:
        await connection.execute(_SQL["close_sendings"], *columns)


async def forget_notices(connection: asyncpg.Connection, before_ms: int, limit: int) -> None:
    """Forget sendings and notices of before a time, so many of each at most."""
    await connection.execute(_SQL["forget_sendings"], before_ms, limit)
    await connection.execute(_SQL["forget_notices"], before_ms, limit)


# ---------------------------------------------------------------- what people do


async def list_sendings(
    connection: asyncpg.Connection,
    account_id: int | None,
    state: str | None,
    before_id: int = HIGHEST_ID,
    limit: int = 100,
) -> list[asyncpg.Record]:
    """The newest sendings of an account, or of all (None)."""
    return await connection.fetch(_SQL["list_sendings"], account_id, state, before_id, limit)


async def find_sending(connection: asyncpg.Connection, sending_id: int) -> asyncpg.Record | None:
    """account_id, event, channel, state, why; None: there is none."""
    return await connection.fetchrow(_SQL["find_sending"], sending_id)


async def resend(connection: asyncpg.Connection, sending_id: int, now_ms: int) -> bool:
    """Send again what has ended; False when there is no such sending, or it has not ended."""
    return await connection.fetchrow(_SQL["resend"], sending_id, now_ms, GIVE_UP_MS) is not None


# ---------------------------------------------------------------- what is watched


class LowBalance(msgspec.Struct, frozen=True):
    """An account with less than it wants to be told of, or told of it and not topped up since."""

    account_id: int
    name: str
    available_micros: int
    threshold_micros: int
    posting_id: int


class EndedWatch(msgspec.Struct, frozen=True):
    """What holds no more. told_at_ms None: nobody was told that it did."""

    subject: str
    since_ms: int
    told_at_ms: int | None


async def may_watch(connection: asyncpg.Connection) -> bool:
    """Whether nobody else looks now; holds until the end of the caller's transaction."""
    found: bool = await connection.fetchval(_SQL["try_lock_watching"])
    return found


async def low_balances(connection: asyncpg.Connection) -> list[LowBalance]:
    """Every account whose watch holds."""
    return [LowBalance(*row) for row in await connection.fetch(_SQL["low_balances"])]


async def carriers_seen(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """name, bound, binds of each connector that a living node configures."""
    return await connection.fetch(_SQL["carriers_seen"], LEASE_S)


async def nodes_seen(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """name, seen_at_ms, is_alive of nodes that did not leave in order."""
    return await connection.fetch(_SQL["nodes_seen"], LEASE_S)


async def hold_watches(connection: asyncpg.Connection, watch: str, held: Mapping[str, tuple[int, str]]) -> None:
    """Begin to watch what holds, where it is not watched; by subject: since when, and facts as JSON."""
    since, facts = [each for each, _ in held.values()], [each for _, each in held.values()]
    await connection.execute(_SQL["hold_watches"], watch, list(held), since, facts)


async def ripen_watches(
    connection: asyncpg.Connection, watch: str, until_ms: int, now_ms: int
) -> list[tuple[str, int]]:
    """Subjects that held since before a time and are told of now, with their beginning."""
    found = await connection.fetch(_SQL["ripen_watches"], watch, until_ms, now_ms)
    return [(row["subject"], row["since_ms"]) for row in found]


async def end_watches(
    connection: asyncpg.Connection, watch: str, subjects: Iterable[str], *, those: bool
) -> list[EndedWatch]:
    """End the watch of these subjects, or (those false) of all others."""
    return [EndedWatch(*row) for row in await connection.fetch(_SQL["end_watches"], watch, list(subjects), those)]
