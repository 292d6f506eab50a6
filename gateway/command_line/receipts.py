"""`passerelle receipt`: receipts told again by range, those that no customer took, how carriers write ids in receipts.

What belongs here: checking what is asked, the command row, waiting a moment for the node's answer.
What must not enter: the telling itself (a living node does it, daemon.commands).
"""

from __future__ import annotations

import asyncio
import datetime
import getpass
from typing import Annotated, Any, Final

import asyncpg
import msgspec
import typer

from gateway.command_line.finding import find_account, find_account_id, find_esme
from gateway.command_line.messages import LIST_LIMIT
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import answer, format_ms, show_fields, show_json, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.since import parse_since
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.message import ID_TIME_SHIFT, accepted_at_ms
from gateway.receipts.parse import STATE_OF_VALUE
from gateway.storage import commands
from gateway.storage.audit import CommandLineActor, CommandLineAsked, record
from gateway.storage.inspection import MESSAGE_ID_LIMIT

ENDED: Final = {"all": ["done", "dead"], "done": ["done"], "dead": ["dead"]}
ADOPTING: Final = ("submitted", "in_doubt")  # states in which a receipt decides
REPLAYS: Final = ("replay_receipts", "replay_inbound")  # of gateway.daemon.commands
ANSWER_PATIENCE_S: Final = 15.0  # chosen: a living node takes a command at once, or at its poll
LOOK_S: Final = 0.1  # chosen: between two looks at the command's row

receipts = typer.Typer(help="Receipts: told again, dead letters, ids.", no_args_is_help=True)

SinceOption = Annotated[
    str | None, typer.Option("--since", help="From this UTC time on, or so long ago: 2026-01-31T08:00, 90m, 2d.")
]


@receipts.command("replay")
def replay(
    since: Annotated[
        str, typer.Option("--since", help="Of messages accepted from then on: 2026-01-31T08:00, 90m, 2d.")
    ],
    account: Annotated[str | None, typer.Option("--account", help="Of all logins of this account.")] = None,
    esme: Annotated[str | None, typer.Option("--esme", help="Of this SMPP login alone.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Of messages accepted before then; else now.")] = None,
    state: Annotated[str, typer.Option("--state", help="How they ended: dead, done, or all.")] = "all",
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Tell a customer again what became of his messages."""
    row = ask_again("replay_receipts", since, until, account, esme, state, config)
    if (count := count_replayed(row, as_json)) is not None:
        answer(as_json, "receipts to be told again: {count}", count=count, command=row["command_id"])


def ask_again(
    command: str,
    since: str,
    until: str | None,
    account: str | None,
    esme: str | None,
    state: str,
    config: ConfigOption,
) -> asyncpg.Record:
    """Ask a living node to tell a range again; the command's row once it did, or waits. Raises Refusal."""
    if (account is None) == (esme is None):
        raise Refusal(say("whose?"), say("write either --account NAME or --esme SYSTEM_ID"))
    if state not in ENDED:
        raise Refusal(say("state {name} is unknown", name=state), say("write one of {names}", names=", ".join(ENDED)))
    now = datetime.datetime.now(datetime.UTC)
    since_ms = parse_since(since, now)
    until_ms = int(now.timestamp() * 1000) if until is None else parse_since(until, now)
    if since_ms >= until_ms:
        raise Refusal(say("--since is not before --until"), say("name a span that has a beginning and an end"))

    async def work(connection: asyncpg.Connection, _: Configuration) -> asyncpg.Record:
        esme_id = None if esme is None else (await find_esme(connection, esme)).esme_id
        owner = (
            (await find_account(connection, account)).account_id
            if account is not None
            else (await find_esme(connection, esme or "")).account_id
        )
        arguments = {
            "account_id": owner,
            "esme_id": esme_id,
            "after_id": (since_ms << ID_TIME_SHIFT) - 1,
            "until_id": min((until_ms << ID_TIME_SHIFT) - 1, MESSAGE_ID_LIMIT),
            "ended": ENDED[state],
        }
        command_id = await commands.ask(connection, command, arguments, getpass.getuser())
        return await _wait(connection, command_id)

    return with_database(config, work)


def count_replayed(row: asyncpg.Record, as_json: bool) -> int | None:
    """How many are told again; None: no node has done it yet, which is told here. Raises Refusal."""
    result = msgspec.json.decode(row["result"], type=dict[str, Any])
    if row["state"] == "refused":
        raise Refusal(
            say("the node refuses: {why}", why=result.get("why", "")), say("look at: passerelle receipt replays")
        )
    if row["state"] == "done":
        return int(result.get("replayed", 0))
    answer(
        as_json,
        "no node has done it yet: command {command} waits; look at: passerelle receipt replays",
        command=row["command_id"],
        state=row["state"],
    )
    return None


async def _wait(connection: asyncpg.Connection, command_id: int) -> asyncpg.Record:
    """The command's row once a node has closed it, or as it stands when nobody did."""
    deadline = asyncio.get_running_loop().time() + ANSWER_PATIENCE_S
    while True:
        row = await commands.find_command(connection, command_id)
        assert row is not None
        if row["ended_at"] is not None or asyncio.get_running_loop().time() >= deadline:
            return row
        await asyncio.sleep(LOOK_S)


@receipts.command("replays")
def list_replays(
    limit: Annotated[int, typer.Option("--limit", min=1, max=LIST_LIMIT, help="At most so many.")] = LIST_LIMIT,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show what was asked to be told again, who asked, and what came of it."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        return await commands.list_commands(connection, REPLAYS, limit)

    rows = [
        {
            "command": row["command_id"],
            "what": row["command"].removeprefix("replay_"),
            "asked_at": row["asked_at"],
            "asked_by": row["asked_by"],
            "state": row["state"],
            "node": row["taken_by"],
            "result": row["result"],
            "arguments": row["arguments"],
        }
        for row in with_database(config, work)
    ]
    columns = ("command", "what", "asked_at", "asked_by", "state", "node", "result", "arguments")
    show_rows(rows, columns, as_json)


@receipts.command("dead")
def list_dead(
    account: Annotated[str | None, typer.Option("--account", help="Only this account's.")] = None,
    since: SinceOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=LIST_LIMIT, help="At most so many.")] = LIST_LIMIT,
    cursor: Annotated[int | None, typer.Option("--cursor", help="Older than this id: the last of the page.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show the receipts and inbound messages that no customer took."""
    since_ms = 0 if since is None else parse_since(since, datetime.datetime.now(datetime.UTC))
    first_id = min(since_ms << ID_TIME_SHIFT, MESSAGE_ID_LIMIT)
    before_id = MESSAGE_ID_LIMIT if cursor is None else cursor

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        account_id = await find_account_id(connection, account)
        return await commands.list_dead(connection, account_id, first_id, before_id, limit)

    rows = [
        {
            "message_id": str(row["message_id"]),
            "accepted_at": format_ms(accepted_at_ms(row["message_id"])),
            "kind": row["kind"],
            "account": row["account"],
            "esme": row["system_id"],
            "from": row["source_addr"],
            "to": row["destination_addr"],
            "state": row["state"],
            "given_up_at": format_ms(row["notified_at_ms"]),
        }
        for row in with_database(config, work)
    ]
    following = rows[-1]["message_id"] if len(rows) == limit else None
    if as_json:
        show_json({"dead": rows, "cursor": following})
        return
    columns = ("message_id", "accepted_at", "kind", "account", "esme", "from", "to", "state", "given_up_at")
    show_rows(rows, columns, as_json=False)
    if following is not None:
        typer.echo(say("older ones: --cursor {cursor}", cursor=following))


@receipts.command("orphans")
def list_orphans(
    connector: Annotated[str | None, typer.Option("--connector", help="Only this carrier's.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=LIST_LIMIT, help="At most so many.")] = LIST_LIMIT,
    cursor: Annotated[int | None, typer.Option("--cursor", help="Older than this id: the last of the page.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show the receipts that fit no message: tried for 72 hours, then given up and kept for 30 days."""
    before_id = MESSAGE_ID_LIMIT if cursor is None else cursor

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        return await commands.list_orphans(connection, connector, before_id, limit)

    rows = [
        {
            "receipt": str(row["parked_id"]),
            "received_at": format_ms(row["received_at_ms"]),
            "connector": row["connector"],
            "smsc_message_id": row["smsc_message_id"],
            "from": row["source_addr"],
            "to": row["destination_addr"],
            "state": STATE_OF_VALUE.get(row["message_state"], ""),
            "error": row["error"],
            "tried": row["waiting"],
        }
        for row in with_database(config, work)
    ]
    columns = ("receipt", "received_at", "connector", "smsc_message_id", "from", "to", "state", "error", "tried")
    show_rows(rows, columns, as_json)


@receipts.command("adopt")
def adopt_orphan(
    receipt: Annotated[int, typer.Argument(metavar="RECEIPT", help="As in the list of orphans.", min=1)],
    message: Annotated[int, typer.Argument(metavar="ID", help="Our message id.", min=1, max=MESSAGE_ID_LIMIT)],
    part: Annotated[int, typer.Option("--part", min=1, max=10, help="Which part of it, from 1 on.")] = 1,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="It is meant; without it only the evidence is shown.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Give a receipt that fits no message to one by hand, after a look at the evidence."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> dict[str, Any]:
        async with connection.transaction():
            row = await commands.find_orphan(connection, receipt, message)
            evidence = _evidence(row, receipt, message, part)
            if confirm:
                assert row is not None
                adopted = await commands.adopt_orphan(connection, receipt, row["account_id"], message, part - 1)
                if not adopted:
                    raise _no_orphan(receipt)
                asked = CommandLineAsked(CommandLineActor(getpass.getuser()))
                subject, account_id = f"message:{message}", row["account_id"]
                await record(
                    connection, asked, action="receipt.adopted", subject=subject, after=evidence, account_id=account_id
                )
        return evidence

    evidence = with_database(config, work)
    if as_json:
        show_json(evidence | {"adopted": confirm})
        return
    show_fields(evidence, as_json=False)
    typer.echo(
        say("receipt {receipt} is given to message {message}", receipt=receipt, message=message)
        if confirm
        else say("nothing was changed; if it is meant, add --confirm")
    )


def _evidence(row: asyncpg.Record | None, receipt: int, message: int, part: int) -> dict[str, Any]:
    """What speaks for and against it. Raises Refusal for what cannot be."""
    if row is None:
        raise _no_orphan(receipt)
    if row["message_id"] is None or row["part_count"] < part:
        raise Refusal(
            say("there is no message {name} of so many parts", name=message), say("look at: passerelle message list")
        )
    if not row["same_connector"] or row["state"] not in ADOPTING:
        raise Refusal(
            say("message {name} waits for no receipt of this carrier", name=message),
            say("look at: passerelle message show {name}", name=message),
        )
    return {
        "connector": row["connector"],
        "state": STATE_OF_VALUE.get(row["message_state"], ""),
        "error": row["error"],
        "smsc_message_id": row["smsc_message_id"],
        "smsc_message_ids": row["smsc_message_ids"].replace("\x1f", " "),
        "handset": row["source_addr"],
        "to": row["message_destination"],
        "sender": row["destination_addr"],
        "from": row["message_source"],
        "received_at": format_ms(row["received_at_ms"]),
        "submitted_at": format_ms(row["submitted_at_ms"]),
    }


def _no_orphan(receipt: int) -> Refusal:
    return Refusal(say("no receipt {name} was given up", name=receipt), say("look at: passerelle receipt orphans"))


@receipts.command("dress")
def show_dresses(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Show how carriers write their ids in receipts, as their first receipts taught."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        return await commands.list_dresses(connection)

    rows = [
        {
            "connector": row["connector"],
            "dress": row["dress"],
            "answered": row["answered"],
            "receipted": row["receipted"],
            "learnt_at": format_ms(row["learnt_at_ms"]),
        }
        for row in with_database(config, work)
    ]
    show_rows(rows, ("connector", "dress", "answered", "receipted", "learnt_at"), as_json)
