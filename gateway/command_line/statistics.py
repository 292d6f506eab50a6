"""`passerelle statistics`: counts, success and credit by day, hour, account, connector, class, country or operator.

What belongs here: counting what is due before it is read, and a table of it.
What must not enter: SQL, the counting itself (gateway.storage.statistics).
"""

from __future__ import annotations

import datetime
import time
from typing import Annotated, Any, Final

import asyncpg
import typer

from gateway.command_line.amounts import format_credits
from gateway.command_line.finding import find_account_id
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import format_ms, show_json, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.since import parse_since
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.lookups.destinations import destinations
from gateway.storage import statistics as rows
from gateway.storage.facts import load_number_ranges

PARTS: Final = ("day", "hour", "account", "connector", "class", "country", "operator")
SUMS: Final = (
    "accepted",
    "submitted",
    "delivered",
    "failed",
    "unknown",
    "success",
    "charged",
    "submit_within_ms",
    "deliver_within_ms",
)


def show_statistics(
    by: Annotated[str, typer.Option("--by", help="day, hour, account, connector, class, country, operator.")] = "day",
    since: Annotated[
        str, typer.Option("--since", help="From this UTC time on, or so long ago: 2026-01-31T08:00, 90m, 2d.")
    ] = "7d",
    account: Annotated[str | None, typer.Option("--account", help="Only this account's.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show what became of messages, and what it cost their accounts."""
    parts = tuple(filter(None, by.replace(" ", "").split(",")))
    for part in parts:
        if part not in PARTS:
            raise Refusal(say("{name} is unknown", name=part), say("write one of {names}", names=", ".join(PARTS)))
    since_ms = parse_since(since, datetime.datetime.now(datetime.UTC))

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[dict[str, Any]]:
        account_id = await find_account_id(connection, account)
        ask, now_ms = destinations(await load_number_ranges(connection)), time.time_ns() // 1_000_000
        while await rows.count_due(connection, ask, now_ms) == rows.HOURS_A_TURN:
            pass
        asked = rows.Asked(since_ms, now_ms, parts, account_id)
        return [_describe(row, parts) for row in await rows.read_statistics(connection, asked)]

    found = with_database(config, work)
    if as_json:
        show_json(found)
    else:
        show_rows(found, [*("since" if part in ("day", "hour") else part for part in parts), *SUMS], as_json)


def _describe(row: asyncpg.Record, parts: tuple[str, ...]) -> dict[str, Any]:
    failed = row["undeliverable"] + row["rejected"] + row["expired"] + row["deleted"]
    ended = row["delivered"] + failed + row["unknown"]
    names = {"since": format_ms(row["from_ms"] or 0), "class": row["traffic_class"]}
    names |= {name: row[name] for name in ("account", "connector", "country", "operator")}
    wanted = {"since" if part in ("day", "hour") else part for part in parts}
    sums = {name: row[name] for name in ("accepted", "submitted", "delivered", "unknown", "parts")}
    return {name: value for name, value in names.items() if name in wanted} | {
        **sums,
        "failed": failed,
        "open": row["accepted"] - ended,
        "success": f"{100 * row['delivered'] / ended:.1f} %" if ended else None,
        "charged": format_credits(row["charged_micros"]),
        "submit_within_ms": rows.quantile_ms(row["submit_counts"], 0.95),
        "deliver_within_ms": rows.quantile_ms(row["deliver_counts"], 0.95),
    }
