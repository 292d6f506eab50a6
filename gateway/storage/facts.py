"""Facts that change while nodes run: accounts, logins, sender names, routes, rates, ranges, blocks, inbound numbers.

What belongs here: one typed function a statement of facts.sql, and `load_facts`, which a node reads whole at start
and at each notification `passerelle_facts` (architecture 5: facts are rows, not configuration).
What must not enter: whether a fact is sensible (the command line and the router check that), and hashing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import asyncpg
import msgspec

from gateway.storage.inbound import INBOUND_SQL
from gateway.storage.named_statements import load_statements
from gateway.storage.refused_senders import RefusedSenderRow, load_refused_senders
from gateway.storage.webhooks import EventAccountRow, load_told_events
from telecom.data_coding import DefaultAlphabet

FACTS_CHANNEL: Final = "passerelle_facts"  # schema 0001: trigger tell_nodes_that_facts_changed

_SQL = load_statements("facts.sql")
_Row = TypeVar("_Row", bound=msgspec.Struct)


class AccountRow(msgspec.Struct, frozen=True, gc=False):
    """Who pays. state: active, suspended, closed. The balance is a view of the moment, true only in the row."""

    account_id: int
    name: str
    state: str
    balance_micros: int
    credit_limit_micros: int
    default_region: str | None
    masked_refusals: bool
    tps: int = 0  # parts over all its logins, a second, a minute, a day (UTC); 0: no limit
    per_minute: int = 0
    per_day: int = 0


class EsmeRow(msgspec.Struct, frozen=True):
    """One SMPP login. state: active, suspended. tps 0: no limit. allow_cidrs empty: from anywhere."""

    esme_id: int
    system_id: str
    account_id: int
    password_hash: str
    state: str
    max_binds: int
    window_size: int
    tps: int
    allow_cidrs: list[str]
    traffic_class: str
    v34_bind_errors: bool
    max_transmitters: int = 1000  # of each type, beside max_binds; 0: none
    max_receivers: int = 1000
    max_transceivers: int = 1000
    former_password_hash: str = ""  # binds too, before former_until_ms (Unix milliseconds)
    former_until_ms: int = 0
    receipts_first: str = "oldest"  # after an absence; or newest
    receipt_for_each_part: bool = False  # of a message that we cut
    default_alphabet: DefaultAlphabet = "gsm7"  # what it means by data_coding 0


class SenderNameRow(msgspec.Struct, frozen=True):
    """A sender name an account may use: in these countries (ISO 3166 alpha-2), over these connectors (empty: all),
    until then (Unix milliseconds; 0: without end).
    """

    account_id: int
    name: str
    in_countries: list[str] = []
    by_connectors: list[int] = []
    until_ms: int = 0


class ConnectorRow(msgspec.Struct, frozen=True, gc=False):
    """A way out, by the number that messages keep and the name that operators write."""

    connector_id: int
    name: str
    kind: str
    alphanumeric_senders: bool = True  # whether it carries a sender name as it is
    wish: str = "run"  # or drain: nothing new by it; stop: its binds end, too
    tlvs: str = "{}"  # JSON: the vendor's TLVs that its TOML declares, forms by tag


class RouteRow(msgspec.Struct, frozen=True):
    """A rule that chooses a connector. Exactly one of prefix (digits or `*`) and mcc is set; mnc None: the country.

    windows: pairs first minute of the week, one past the last (Monday 00:00 UTC = 0); empty: always.
    """

    route_id: int
    order: int
    prefix: str | None
    mcc: str | None
    mnc: str | None
    account_id: int | None
    sender: str | None
    traffic_class: str | None
    windows: list[int]
    connector_id: int
    weight: int
    enabled: bool
    cost_micros: int | None = None  # what a part by it costs us, where that is known

    @property
    def match(self) -> str:
        """The destination as the router writes it: `229`, `*`, `616/03`, `616/*`."""
        return self.prefix if self.mcc is None else f"{self.mcc}/{self.mnc or '*'}"  # type: ignore[return-value]  # constraint one_kind_of_destination

    @property
    def window(self) -> tuple[tuple[int, int], ...] | None:
        """The windows as the router takes them; None: always."""
        return tuple(zip(self.windows[::2], self.windows[1::2], strict=True)) or None


class RateRow(msgspec.Struct, frozen=True, gc=False):
    """The price of one part. account_id None: every account without a rate of its own for a prefix."""

    rate_id: int
    account_id: int | None
    prefix: str
    price_micros: int


class NumberRangeRow(msgspec.Struct, frozen=True, gc=False):
    """Which network a prefix belongs to (ITU-T E.212 mcc and mnc)."""

    prefix: str
    mcc: str
    mnc: str
    operator: str


class BlockRow(msgspec.Struct, frozen=True, gc=False):
    """A legal block on a destination prefix. kind: destination, opt_out. account_id None: for everybody."""

    block_id: int
    account_id: int | None
    prefix: str
    kind: str
    reason: str


class InboundNumberRow(msgspec.Struct, frozen=True, gc=False):
    """A number that handsets write to, and the ESME that takes it (None: the account reads it over HTTP)."""

    address: str
    account_id: int
    esme_id: int | None


class InboundRouteRow(msgspec.Struct, frozen=True):
    """Whose a handset's message is. is_prefix: address is the beginning of numbers. keyword None: any first word.

    route_id 0: given by `number add`. account: its name; language: of answers to its subscribers.
    """

    route_id: int
    order: int
    address: str
    is_prefix: bool
    keyword: str | None
    account_id: int
    esme_id: int | None  # None: its account is told over HTTP alone
    account: str
    language: str
    as_parts: bool


class FactRows(msgspec.Struct, frozen=True):
    """All facts, of one instant."""

    accounts: list[AccountRow]
    esmes: list[EsmeRow]
    sender_names: list[SenderNameRow]  # approved only
    connectors: list[ConnectorRow]
    routes: list[RouteRow]
    rates: list[RateRow]  # in force only
    number_ranges: list[NumberRangeRow]
    blocks: list[BlockRow]
    inbound_numbers: list[InboundNumberRow]
    refused_senders: list[RefusedSenderRow] = []
    inbound_routes: list[InboundRouteRow] = []  # those of inbound_numbers among them
    told_events: list[EventAccountRow] = []


async def load_facts(connection: asyncpg.Connection, logins: bool = True) -> FactRows:
    """Read all facts as they stand at one instant. The connection must not be inside a transaction. logins False:
    without what only nodes need: logins by SMPP, whose secrets the HTTP API may not see, and who is told of events.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return FactRows(
            accounts=await load_accounts(connection),
            esmes=await load_esmes(connection) if logins else [],
            sender_names=await _rows(connection, "load_sender_names", SenderNameRow),
            connectors=await load_connectors(connection),
            routes=await load_routes(connection),
            rates=await load_rates(connection),
            number_ranges=await load_number_ranges(connection),
            blocks=await _rows(connection, "load_blocks", BlockRow),
            inbound_numbers=await _rows(connection, "load_inbound_numbers", InboundNumberRow),
            refused_senders=await load_refused_senders(connection),
            inbound_routes=[InboundRouteRow(*r) for r in await connection.fetch(INBOUND_SQL["load_inbound_routes"])],
            told_events=await load_told_events(connection) if logins else [],
        )


async def load_accounts(connection: asyncpg.Connection) -> list[AccountRow]:
    """Every account, by id."""
    return await _rows(connection, "load_accounts", AccountRow)


async def load_esmes(connection: asyncpg.Connection) -> list[EsmeRow]:
    """Every SMPP login, by id."""
    return await _rows(connection, "load_esmes", EsmeRow)


async def load_connectors(connection: asyncpg.Connection) -> list[ConnectorRow]:
    """Every connector that has a row, by id."""
    return await _rows(connection, "load_connectors", ConnectorRow)


async def load_number_ranges(connection: asyncpg.Connection) -> list[NumberRangeRow]:
    """Every range, by prefix."""
    return await _rows(connection, "load_number_ranges", NumberRangeRow)


async def load_rates(connection: asyncpg.Connection) -> list[RateRow]:
    """The prices in force."""
    return await _rows(connection, "load_rates", RateRow)


async def load_routes(connection: asyncpg.Connection) -> list[RouteRow]:
    """Every route, in the order they are asked."""
    return await _rows(connection, "load_routes", RouteRow)


async def add_account(
    connection: asyncpg.Connection, name: str, credit_limit_micros: int, default_region: str | None
) -> int | None:
    """Open an account with nothing on it; its account_id, or None when the name is taken."""
    found: int | None = await connection.fetchval(_SQL["add_account"], name, credit_limit_micros, default_region)
    return found


async def top_up(connection: asyncpg.Connection, account_id: int, amount_micros: int, reason: str) -> int:
    """Post `amount_micros` (> 0) from funding to available and return the new balance. Raises LookupError."""
    balance: int | None = await connection.fetchval(_SQL["top_up"], account_id, amount_micros, reason)
    if balance is None:
        raise LookupError(f"no account {account_id}")
    return balance


class NewEsme(msgspec.Struct, frozen=True):
    """An SMPP login to open; the password is an argon2id hash already."""

    system_id: str
    account_id: int
    password_hash: str
    max_binds: int
    window_size: int
    tps: int
    allow_cidrs: Sequence[str]
    traffic_class: str


async def add_esme(connection: asyncpg.Connection, esme: NewEsme) -> int | None:
    """Open an SMPP login; its esme_id, or None when the system_id is taken."""
    found: int | None = await connection.fetchval(_SQL["add_esme"], *msgspec.structs.astuple(esme))
    return found


async def list_esmes(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """Every login with its limits and the name of who pays, without its secrets."""
    return await connection.fetch(_SQL["list_esmes"])


async def add_sender_name(connection: asyncpg.Connection, account_id: int, name: str, state: str) -> bool:
    """Register a sender name in state requested or approved; False when the account has it already."""
    return await connection.fetchval(_SQL["add_sender_name"], account_id, name, state) is not None


async def list_sender_names(connection: asyncpg.Connection, account_id: int | None) -> list[asyncpg.Record]:
    """account, name, state, created_at, decided_at of one account's sender names, or of all (None)."""
    return await connection.fetch(_SQL["list_sender_names"], account_id)


async def ensure_connector(connection: asyncpg.Connection, name: str, kind: str) -> int:
    """The connector_id of a name; a row of this kind is made at its first mention."""
    found: int | None = await connection.fetchval(_SQL["ensure_connector"], name, kind)
    if found is None:  # another session made it between our two looks
        found = await connection.fetchval(_SQL["ensure_connector"], name, kind)
    assert found is not None
    return found


async def say_connector_senders(connection: asyncpg.Connection, connector_id: int, alphanumeric: bool) -> None:
    """Say whether a connector carries sender names."""
    await connection.execute(_SQL["say_connector_senders"], connector_id, alphanumeric)


async def say_connector_tlvs(connection: asyncpg.Connection, connector_id: int, tlvs: Mapping[str, str]) -> None:
    """Say which vendor's TLVs a connector declares, forms by tag."""
    await connection.execute(_SQL["say_connector_tlvs"], connector_id, msgspec.json.encode(tlvs).decode())


class NewRoute(msgspec.Struct, frozen=True):
    """A route to add; the meaning of the fields is RouteRow's."""

    order: int
    prefix: str | None
    mcc: str | None
    mnc: str | None
    account_id: int | None
    sender: str | None
    traffic_class: str | None
    windows: Sequence[int]
    connector_id: int
    weight: int
    cost_micros: int | None = None


async def add_route(connection: asyncpg.Connection, route: NewRoute) -> int:
    """Add a route and return its route_id."""
    found: int = await connection.fetchval(_SQL["add_route"], *msgspec.structs.astuple(route))
    return found


async def list_routes(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """The routes with names for ids, in the order they are asked."""
    return await connection.fetch(_SQL["list_routes"])


async def remove_route(connection: asyncpg.Connection, route_id: int) -> bool:
    """Take a route away; False when there is none of this id."""
    return await connection.fetchval(_SQL["remove_route"], route_id) is not None


async def replace_rate(
    connection: asyncpg.Connection, account_id: int | None, prefix: str, price_micros: int
) -> int | None:
    """Put a rate in force; returns the price it replaces, None when there was none."""
    async with connection.transaction():
        before: int | None = await connection.fetchval(_SQL["close_rate"], account_id, prefix)
        await connection.fetchval(_SQL["open_rate"], account_id, prefix, price_micros)
    return before


async def list_rates(connection: asyncpg.Connection, history: bool) -> list[asyncpg.Record]:
    """account (None: all), prefix, price_micros, created_at, replaced_at."""
    return await connection.fetch(_SQL["list_rates"], history)


async def add_inbound_number(
    connection: asyncpg.Connection, address: str, account_id: int, esme_id: int | None
) -> bool:
    """Give a number to an ESME, or to an account alone; False when it belongs to one already."""
    return await connection.fetchval(_SQL["add_inbound_number"], address, account_id, esme_id) is not None


async def list_inbound_numbers(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """address, account, system_id of every inbound number."""
    return await connection.fetch(_SQL["list_inbound_numbers"])


async def add_block(
    connection: asyncpg.Connection, account_id: int | None, prefix: str, kind: str, reason: str
) -> int | None:
    """Forbid a destination prefix; its block_id, or None when the same block stands."""
    found: int | None = await connection.fetchval(_SQL["add_block"], account_id, prefix, kind, reason)
    return found


async def list_blocks(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """block_id, account (None: all), prefix, kind, reason, created_at."""
    return await connection.fetch(_SQL["list_blocks"])


async def add_number_range(connection: asyncpg.Connection, prefix: str, mcc: str, mnc: str, operator: str) -> None:
    """Say which network a prefix belongs to, or correct it."""
    await connection.execute(_SQL["add_number_range"], prefix, mcc, mnc, operator)


async def _rows(connection: asyncpg.Connection, statement: str, row: type[_Row]) -> list[_Row]:
    """The rows of a statement as structs: its columns stand in the order of the struct's fields."""
    return [row(*record) for record in await connection.fetch(_SQL[statement])]


async def set_account_state(
    connection: asyncpg.Connection, account_id: int, state: str, from_states: Sequence[str]
) -> bool:
    """Put an account in another state; False when it is in none of `from_states`."""
    found = await connection.fetchval(_SQL["set_account_state"], account_id, state, list(from_states))
    return found is not None


async def set_credit_limit(connection: asyncpg.Connection, account_id: int, limit_micros: int) -> int | None:
    """Say how far below zero an account may go; its balance, or None when it is further below already."""
    balance: int | None = await connection.fetchval(_SQL["set_credit_limit"], account_id, limit_micros)
    return balance


async def enable_route(connection: asyncpg.Connection, route_id: int, enabled: bool) -> bool:
    """Let a route choose, or not; False when there is none of this id."""
    return await connection.fetchval(_SQL["enable_route"], route_id, enabled) is not None


async def close_rate(connection: asyncpg.Connection, account_id: int | None, prefix: str) -> int | None:
    """End a rate in force, which stays as history; its price, None when there is none."""
    price: int | None = await connection.fetchval(_SQL["close_rate"], account_id, prefix)
    return price


async def remove_block(connection: asyncpg.Connection, block_id: int, consent: str | None) -> asyncpg.Record | None:
    """Permit a destination again; prefix and kind of the block, None when none of this id stands."""
    return await connection.fetchrow(_SQL["remove_block"], block_id, consent)


async def remove_inbound_number(connection: asyncpg.Connection, address: str) -> bool:
    """Take a number from its ESME; False when nobody has it."""
    return await connection.fetchval(_SQL["remove_inbound_number"], address) is not None
