"""`passerelle message`: which messages there are, and everything about one, with its timeline.

What belongs here: laying a row out for an operator: text decoded, numbers in full, times in UTC, money in credits.
Text by data_coding: SMPP v3.4 5.2.19; user data headers: 3GPP TS 23.040 9.2.3.24.
What must not enter: a write.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Final

import asyncpg
import msgspec
import typer

from gateway.command_line.amounts import format_credits
from gateway.command_line.finding import find_account_id, parse_message_id
from gateway.command_line.message_text import HIDDEN, decode_text, shown_text
from gateway.command_line.message_trace import asked_again, show_again
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import console, format_ms, show_fields, show_json, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.since import parse_since
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.message import ID_TIME_SHIFT, SMSC_ID_SEPARATOR, Envelope, accepted_at_ms
from gateway.message_states import MOVES
from gateway.storage import inspection

LIST_LIMIT: Final = 200  # defaults page: the limit of one page
PART_WORDS: Final = {
    "Q": "queued",
    "S": "submitted",
    "I": "in_doubt",
    "D": "delivered",
    "F": "failed",
    "U": "unknown",
}


messages = typer.Typer(help="Messages and their timelines.", no_args_is_help=True)


@messages.command("list")
def list_messages(
    account: Annotated[str | None, typer.Option("--account", help="Only this account's.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="Only in this state.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="From this UTC time on, or so long ago: 2026-01-31T08:00, 90m, 2d.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=LIST_LIMIT, help="At most so many.")] = LIST_LIMIT,
    cursor: Annotated[int | None, typer.Option("--cursor", help="Older than this id: the last of the page.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show the newest messages, newest first."""
    if state is not None and state not in MOVES:
        raise Refusal(say("state {name} is unknown", name=state), say("write one of {names}", names=", ".join(MOVES)))
    since_ms = 0 if since is None else parse_since(since, datetime.datetime.now(datetime.UTC))
    first_id = min(since_ms << ID_TIME_SHIFT, inspection.MESSAGE_ID_LIMIT)
    before_id = inspection.MESSAGE_ID_LIMIT if cursor is None else cursor

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        account_id = await find_account_id(connection, account)
        return await inspection.list_messages(connection, account_id, state, first_id, before_id, limit)

    rows = [_in_brief(row) for row in with_database(config, work)]
    following = rows[-1]["message_id"] if len(rows) == limit else None
    if as_json:
        show_json({"messages": rows, "cursor": following})
        return
    columns = ("message_id", "accepted_at", "account", "from", "to", "parts", "price", "state", "connector", "error")
    show_rows(rows, columns, as_json=False)
    if following is not None:
        typer.echo(say("older ones: --cursor {cursor}", cursor=following))


@messages.command("show")
def show_message(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="Our message id.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show everything about one message."""
    number = parse_message_id(message_id)
    if number is None:
        raise Refusal(
            say("{text} is not a message id", text=message_id),
            say("ids are whole numbers, as submit_sm_resp gave them"),
        )

    async def work(
        connection: asyncpg.Connection, configuration: Configuration
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        row = await inspection.find_message(connection, number)
        if row is None:
            inbound = await inspection.find_inbound_message(connection, number)
            if inbound is None:
                raise Refusal(
                    say("message {id} is not stored here", id=message_id), say("look at: passerelle message list")
                )
            return _inbound_fields(inbound), _inbound_timeline(inbound)
        again = await asked_again(connection, configuration, row)
        events = await inspection.load_events(connection, row["account_id"], [row["message_id"]])
        waits = await inspection.load_waits(connection, row["account_id"], row["message_id"])
        return _fields(row) | {"recomputed": again}, _timeline(row, events, waits)

    fields, timeline = with_database(config, work)
    if as_json:
        show_json(fields | {"timeline": timeline})
        return
    again = fields.pop("recomputed", None)
    show_fields(fields, as_json=False)
    if again is not None:
        show_again(again)
    console().print()
    show_rows(timeline, ("at", "event", "detail"), as_json=False)


def _in_brief(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "message_id": str(row["message_id"]),  # a string: JSON numbers lose digits past 2**53
        "accepted_at": format_ms(accepted_at_ms(row["message_id"])),
        "account": row["account"],
        "from": row["source_addr"],
        "to": row["destination_addr"],
        "parts": row["part_count"],
        "price": format_credits(row["price_micros"]),
        "state": row["state"],
        "hold": row["hold"],
        "connector": row["connector"],
        "error": row["error"],
        "notify": row["notify"],
        "submitted_at": format_ms(row["submitted_at_ms"]),
        "final_at": format_ms(row["final_at_ms"]),
    }


def _fields(row: asyncpg.Record) -> dict[str, Any]:
    envelope = msgspec.msgpack.decode(row["envelope"], type=Envelope)
    ids = row["smsc_message_ids"].split(SMSC_ID_SEPARATOR)
    letters = row["part_states"]
    return {
        "message_id": str(row["message_id"]),
        "state": row["state"],
        "error": row["error"],
        "account": row["account"],
        "esme": row["system_id"],
        "from": row["source_addr"],
        "to": row["destination_addr"],
        "text": shown_text(row["user_data"], row["data_coding"], envelope),
        "data_coding": row["data_coding"],
        "esm_class": envelope.esm_class,
        "user_data": HIDDEN if envelope.is_secret else row["user_data"].hex(),
        "traffic_class": row["traffic_class"],
        "registered_delivery": envelope.registered_delivery,
        "price": format_credits(row["price_micros"]),
        "hold": row["hold"],
        "connector": row["connector"],
        "route_id": row["route_id"],
        "route_why": row["route_why"],
        "parts": [
            f"{place + 1}: {PART_WORDS.get(letter, letter)} {ids[place] if place < len(ids) else ''}".rstrip()
            for place, letter in enumerate(letters)
        ],
        "smsc_message_ids": [each for each in ids if each],
        "attempt_count": row["attempt_count"],
        "in_doubt_count": row["in_doubt_count"],
        "notify": row["notify"],
        "accepted_at": format_ms(accepted_at_ms(row["message_id"])),
        "not_before": format_ms(row["not_before_ms"]),
        "expires_at": format_ms(row["expires_at_ms"]),
        "submitted_at": format_ms(row["submitted_at_ms"]),
        "final_at": format_ms(row["final_at_ms"]),
        "notified_at": format_ms(row["notified_at_ms"]),
    }


def _timeline(row: asyncpg.Record, events: list[asyncpg.Record], waits: list[asyncpg.Record]) -> list[dict[str, Any]]:
    """What happened, in order, then what the message waits for."""
    accepted = say(
        "parts: {parts}, credits held: {price}", parts=row["part_count"], price=format_credits(row["price_micros"])
    )
    known = [
        (accepted_at_ms(row["message_id"]), "accepted", accepted),
        (accepted_at_ms(row["message_id"]), "routed", f"{row['connector']}: {row['route_why']}"),
        (row["submitted_at_ms"], "submitted", say("attempts: {count}", count=row["attempt_count"])),
        (row["final_at_ms"], row["state"], " ".join(word for word in (row["error"], row["hold"]) if word)),
        (row["notified_at_ms"], "notified", row["system_id"] or ""),
    ]
    past = [each for each in known if each[0] > 0] + [(each["at_ms"], each["event"], each["detail"]) for each in events]
    past.sort(key=lambda each: each[0])
    waiting = [(each["at_ms"], f"waits: {each['kind']}", each["detail"]) for each in waits]
    return [{"at": format_ms(at), "event": event, "detail": detail} for at, event, detail in past + waiting]


def _inbound_fields(row: asyncpg.Record) -> dict[str, Any]:
    envelope = msgspec.msgpack.decode(row["envelope"], type=Envelope)
    return {
        "message_id": str(row["message_id"]),
        "direction": "inbound",
        "state": row["state"],
        "account": row["account"],
        "esme": row["system_id"],
        "from": row["source_addr"],
        "to": row["destination_addr"],
        "text": decode_text(row["user_data"], row["data_coding"], envelope.esm_class),
        "data_coding": row["data_coding"],
        "user_data": row["user_data"].hex(),
        "parts": f"{row['part_count'] - row['parts_missing']}/{row['part_count']}",
        "why": row["why"],
        "connector": row["connector"],
        "received_at": format_ms(row["received_at_ms"]),
        "notified_at": format_ms(row["notified_at_ms"]),
    }


def _inbound_timeline(row: asyncpg.Record) -> list[dict[str, Any]]:
    known = [
        (row["received_at_ms"], "received", row["connector"] or ""),
        (row["notified_at_ms"], "notified", row["system_id"] or ""),
    ]
    return [{"at": format_ms(at), "event": event, "detail": detail} for at, event, detail in known if at > 0]
