"""What a stored message does not keep and today's facts tell again: its number, its alphabet, its candidate routes.

What belongs here: the same questions as `explain`, asked of a row. Nothing of it was stored with the message, so that
acceptance pays nothing for it; it is shown as recomputed. What must not enter: what the row itself says (messages.py).
"""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec
import typer

from gateway.accept.explanation import Asked, facts_of, rate_of
from gateway.accept.fact_book import FactBook, FactBookFault
from gateway.command_line import explain
from gateway.command_line.amounts import format_credits
from gateway.command_line.message_text import decode_text
from gateway.command_line.output import console, show_fields
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.message import Envelope, accepted_at_ms
from gateway.storage import facts, inspection
from router import choose
from telecom.data_coding import meaning_of
from telecom.numbers import Number, parse_number
from telecom.parts import estimate


async def asked_again(
    connection: asyncpg.Connection, configuration: Configuration, row: asyncpg.Record
) -> dict[str, Any]:
    """Number, network, alphabet, rate and candidates of a stored message, by today's facts and health."""
    rows = await facts.load_facts(connection)
    account = next(each for each in rows.accounts if each.account_id == row["account_id"])
    try:
        book = FactBook(rows)
    except FactBookFault as fault:
        return {"facts": str(fault)}
    envelope = msgspec.msgpack.decode(row["envelope"], type=Envelope)
    text = decode_text(row["user_data"], row["data_coding"], envelope.esm_class)
    digits = row["destination_addr"]
    number = parse_number(digits, ton=1)
    meaning = meaning_of(row["data_coding"])
    network = book.networks.lookup(digits) if book.networks is not None else None
    rate = rate_of(rows.rates, account.account_id, digits)
    estimated = estimate(text) if text is not None else None
    health = explain.health_of(await inspection.load_nodes(connection), rows, configuration)
    at_ms = accepted_at_ms(row["message_id"])
    asked = Asked(account, row["source_addr"], digits, text or "", row["traffic_class"], at_ms)
    told = choose.explain(facts_of(asked, digits, book), book.routes, health)
    return {
        "number": number.kind if isinstance(number, Number) else number.reason,
        "country": number.region if isinstance(number, Number) else None,
        "network": f"{network.mcc}/{network.mnc} {network.operator}" if network else None,
        "alphabet": meaning.alphabet if meaning is not None else None,
        "beyond_gsm": list(estimated.offending) if estimated is not None else [],
        "parts_in_gsm_mode": estimated.parts_in_gsm_mode if estimated is not None else None,
        "price_of_a_part": format_credits(row["price_micros"] // row["part_count"]),
        "rate_now": format_credits(rate.price_micros) if rate is not None else say("no rate: one credit a part"),
        "candidates": [explain.candidate_row(each, health) for each in told.candidates],
        "routes_elsewhere": told.elsewhere,
    }


def show_again(again: dict[str, Any]) -> None:
    """For people, under a line that says what it is."""
    console().print()
    typer.echo(say("recomputed from the facts of now, as of the moment of its acceptance:"))
    show_fields({key: value for key, value in again.items() if key not in ("candidates", "routes_elsewhere")}, False)
    if "candidates" in again:
        explain.show_candidates(again)
