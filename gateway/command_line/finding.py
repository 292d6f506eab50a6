"""From the names operators write to the rows they mean, or the refusal that names the nearest.

What belongs here: account, ESME and connector by name.
What must not enter: writes.
"""

from __future__ import annotations

import asyncpg

from gateway.command_line.refusals import Refusal, unknown
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage import facts
from gateway.storage.inspection import MESSAGE_ID_LIMIT

MESSAGE_ID_DIGITS = len(str(MESSAGE_ID_LIMIT))


async def find_account(connection: asyncpg.Connection, name: str) -> facts.AccountRow:
    """The account of this name. Raises Refusal."""
    accounts = {account.name: account for account in await facts.load_accounts(connection)}
    if name not in accounts:
        raise unknown(
            say("account {name} is unknown", name=name), name, accounts, "passerelle account add NAME --credits N"
        )
    return accounts[name]


async def find_open_account(connection: asyncpg.Connection, name: str) -> facts.AccountRow:
    """The account of this name, unless it is closed: nothing new is given to a closed one. Raises Refusal."""
    account = await find_account(connection, name)
    if account.state == "closed":
        raise Refusal(say("account {name} is closed", name=name), say("name an open account"))
    return account


async def find_account_id(connection: asyncpg.Connection, name: str | None) -> int | None:
    """The id of the account of this name; None for no name. Raises Refusal."""
    return None if name is None else (await find_account(connection, name)).account_id


async def find_esme(connection: asyncpg.Connection, system_id: str) -> facts.EsmeRow:
    """The ESME of this system_id. Raises Refusal."""
    esmes = {esme.system_id: esme for esme in await facts.load_esmes(connection)}
    if system_id not in esmes:
        raise unknown(
            say("ESME {name} is unknown", name=system_id),
            system_id,
            esmes,
            "passerelle esme add SYSTEM_ID --account NAME --password-stdin",
        )
    return esmes[system_id]


async def known_connectors(connection: asyncpg.Connection, configuration: Configuration) -> dict[str, str]:
    """Kind by name of every connector that the configuration or a row speaks of."""
    rows = {row.name: row.kind for row in await facts.load_connectors(connection)}
    return rows | {connector.name: connector.kind for connector in configuration.connectors}


async def find_connector(connection: asyncpg.Connection, configuration: Configuration, name: str) -> int:
    """The id of the connector of this name; a configured one gets its row here. Raises Refusal."""
    known = await known_connectors(connection, configuration)
    if name not in known:
        raise unknown(
            say("connector {name} is neither in the configuration nor in the database", name=name),
            name,
            known,
            f'[[connector]] name = "{name}"',
        )
    return await facts.ensure_connector(connection, name, known[name])


def parse_message_id(text: str) -> int | None:
    """Our message id as submit_sm_resp wrote it, as its number; None for what none of ours looks like."""
    if not text.isascii() or not text.isdigit() or len(text) > MESSAGE_ID_DIGITS:
        return None
    number = int(text)
    return number if number <= MESSAGE_ID_LIMIT else None
