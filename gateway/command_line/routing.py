"""`passerelle route`, `rate`, `number`, `block`, `range`: where messages go, at what price, and where they must not.

What belongs here: checking what an operator wrote, by the router's own rules, and one row for it.
What must not enter: SQL, and a second opinion on what a route may be (router.route_checks has the only one).
"""

from __future__ import annotations

import re
from typing import Annotated, Final

import asyncpg
import typer

from gateway.command_line.accounts import check_class
from gateway.command_line.amounts import format_credits, parse_credits
from gateway.command_line.finding import find_account_id, find_connector, find_esme, known_connectors
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import answer, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.week import format_windows, parse_windows
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage import facts
from router.number_ranges import is_mcc, is_mnc
from router.prefixes import is_prefix
from router.route import EVERYTHING, Route
from router.route_checks import RouteFault, faults_of

NEW_ROUTE: Final = 2**31 - 1  # stands for the id of a route that has none yet: the largest its column holds
INBOUND_ADDRESS: Final = re.compile(r"[0-9]{3,15}|[\x21-\x7e]{1,11}")  # short code, number, or a keyword address

routes = typer.Typer(help="Rules that choose a connector.", no_args_is_help=True)
rates = typer.Typer(help="The price of a part.", no_args_is_help=True)
numbers = typer.Typer(help="Numbers that handsets write to.", no_args_is_help=True)
blocks = typer.Typer(help="Destinations that get nothing.", no_args_is_help=True)
ranges = typer.Typer(help="Which network a prefix belongs to.", no_args_is_help=True)

ToOption = Annotated[str, typer.Option("--to", help="Prefix like 229, network like 616/03, or '*' for all.")]
OnlyAccountOption = Annotated[str | None, typer.Option("--account", help="Only this account's.")]


@routes.command("add")
def add_route(
    to: ToOption,
    connector: Annotated[str, typer.Option("--connector", help="Name of the connector.")],
    order: Annotated[int, typer.Option("--order", help="Lower is asked first.")] = 100,
    weight: Annotated[int, typer.Option("--weight", help="Share among routes of equal order and destination.")] = 1,
    account: OnlyAccountOption = None,
    sender: Annotated[str | None, typer.Option("--sender", help="Only this sender.")] = None,
    traffic_class: Annotated[str | None, typer.Option("--class", help="Only this traffic class.")] = None,
    window: Annotated[
        list[str] | None, typer.Option("--window", help="Only then, in UTC: 'Mon-Fri 08:00-20:00'.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Add a route."""
    if traffic_class is not None:
        check_class(traffic_class)
    prefix, mcc, mnc = parse_destination(to)
    windows = parse_windows(window or [])

    async def work(connection: asyncpg.Connection, configuration: Configuration) -> int:
        account_id = await find_account_id(connection, account)
        async with connection.transaction():
            connector_id = await find_connector(connection, configuration, connector)
            new = facts.NewRoute(
                order, prefix, mcc, mnc, account_id, sender, traffic_class, windows, connector_id, weight
            )
            await refuse_faulty_route(connection, configuration, new)
            return await facts.add_route(connection, new)

    route_id = with_database(config, work)
    answer(as_json, "route {route_id}: {to} goes to {connector}", route_id=route_id, to=to, connector=connector)


@routes.command("list")
def list_routes(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Show the routes in the order they are asked."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        return await facts.list_routes(connection)

    rows = [
        dict(row)
        | {
            "to": row["prefix"] or f"{row['mcc']}/{row['mnc'] or '*'}",
            "window": format_windows(row["windows"]),
        }
        for row in with_database(config, work)
    ]
    columns = ("route_id", "order", "to", "connector", "weight", "account", "sender", "traffic_class", "window")
    show_rows(rows, (*columns, "enabled", "senders_disabled"), as_json)


@routes.command("remove")
def remove_route(
    route_id: Annotated[int, typer.Argument(help="As in the list.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Take a route away; messages already routed keep their choice."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> bool:
        return await facts.remove_route(connection, route_id)

    if not with_database(config, work):
        raise Refusal(say("there is no route {name}", name=route_id), say("look at: passerelle route list"))
    answer(as_json, "route {route_id} is gone", route_id=route_id)


@rates.command("add")
def add_rate(
    to: Annotated[str, typer.Option("--to", help="Prefix like 229, or '*' for all.")],
    credits: Annotated[str, typer.Option("--credits", help="Credits a part.")],
    account: OnlyAccountOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Set the price of a part; the rate it replaces stays as history."""
    price = parse_credits(credits)
    if to != EVERYTHING:
        check_prefix(to)

    async def work(connection: asyncpg.Connection, _: Configuration) -> int | None:
        return await facts.replace_rate(connection, await find_account_id(connection, account), to, price)

    before = with_database(config, work)
    answer(
        as_json,
        "a part to {to} costs {credits} credits (before: {before})",
        to=to,
        credits=format_credits(price),
        before=None if before is None else format_credits(before),
    )


@rates.command("list")
def list_rates(
    history: Annotated[bool, typer.Option("--history", help="Also those no longer in force.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show the prices."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        return await facts.list_rates(connection, history)

    rows = [
        {
            "to": row["prefix"],
            "credits": format_credits(row["price_micros"]),
            "account": row["account"],
            "created_at": row["created_at"],
            "replaced_at": row["replaced_at"],
        }
        for row in with_database(config, work)
    ]
    show_rows(rows, ("to", "credits", "account", "created_at", *(("replaced_at",) if history else ())), as_json)


@numbers.command("add")
def add_number(
    address: Annotated[str, typer.Argument(help="Number, short code or keyword address.")],
    esme: Annotated[str, typer.Option("--esme", help="system_id that takes what is sent to it.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Give a number that handsets write to to an ESME."""
    number = address.removeprefix("+")
    if not INBOUND_ADDRESS.fullmatch(number):
        raise Refusal(
            say("{text} is not an address", text=address), say("write 3 to 15 digits, or up to 11 characters")
        )

    async def work(connection: asyncpg.Connection, _: Configuration) -> bool:
        owner = await find_esme(connection, esme)
        return await facts.add_inbound_number(connection, number, owner.account_id, owner.esme_id)

    if not with_database(config, work):
        raise Refusal(say("{text} belongs to an ESME already", text=number), say("look at: passerelle number list"))
    answer(as_json, "what handsets send to {address} goes to {esme}", address=number, esme=esme)


@numbers.command("list")
def list_numbers(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Show the numbers that handsets write to."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        return await facts.list_inbound_numbers(connection)

    show_rows(with_database(config, work), ("address", "account", "system_id"), as_json)


@blocks.command("add")
def add_block(
    to: Annotated[str, typer.Option("--to", help="Number or prefix.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is shown with each refusal.")],
    opt_out: Annotated[bool, typer.Option("--opt-out", help="It is the person's own wish.")] = False,
    account: OnlyAccountOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Forbid a destination."""
    prefix = to.removeprefix("+")
    check_prefix(prefix)
    if not reason.strip():
        raise Refusal(say("a block needs a reason"), say("write why: --reason TEXT"))
    kind = "opt_out" if opt_out else "destination"

    async def work(connection: asyncpg.Connection, _: Configuration) -> int | None:
        account_id = await find_account_id(connection, account)
        return await facts.add_block(connection, account_id, prefix, kind, reason.strip())

    block_id = with_database(config, work)
    if block_id is None:
        raise Refusal(say("{text} is blocked so already", text=prefix), say("look at: passerelle block list"))
    answer(as_json, "nothing is sent to {to} any more", to=prefix, block_id=block_id, kind=kind)


@blocks.command("list")
def list_blocks(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Show the destinations that get nothing."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[asyncpg.Record]:
        return await facts.list_blocks(connection)

    show_rows(with_database(config, work), ("block_id", "prefix", "kind", "account", "reason", "created_at"), as_json)


@ranges.command("add")
def add_range(
    prefix: Annotated[str, typer.Argument(help="Digits from the country code on.")],
    network: Annotated[str, typer.Option("--network", help="MCC/MNC, like 616/03.")],
    operator: Annotated[str, typer.Option("--operator", help="Name of the operator.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Say which network a prefix belongs to."""
    check_prefix(prefix)
    mcc, _, mnc = network.partition("/")
    if not is_mcc(mcc) or not is_mnc(mnc):
        raise Refusal(say("{text} is not a network", text=network), say("write MCC/MNC, like 616/03"))

    async def work(connection: asyncpg.Connection, _: Configuration) -> None:
        await facts.add_number_range(connection, prefix, mcc, mnc, operator)

    with_database(config, work)
    answer(as_json, "{prefix} is {operator}, {network}", prefix=prefix, operator=operator, network=network)


def check_prefix(text: str) -> None:
    """Refuse what opens no E.164 number."""
    if not is_prefix(text):
        raise Refusal(
            say("{text} is not a prefix", text=text), say("write 1 to 15 digits, country code first, without + or 00")
        )


def parse_destination(to: str) -> tuple[str | None, str | None, str | None]:
    """prefix, mcc, mnc of a destination as the router writes it; refuse_faulty_route judges it."""
    if "/" not in to:
        if to != EVERYTHING:
            check_prefix(to)
        return to, None, None
    mcc, _, mnc = to.partition("/")
    if not is_mcc(mcc) or not (mnc == EVERYTHING or is_mnc(mnc)):
        raise Refusal(say("{text} is not a network", text=to), say("write MCC/MNC, like 616/03"))
    return None, mcc, None if mnc == EVERYTHING else mnc


async def refuse_faulty_route(
    connection: asyncpg.Connection, configuration: Configuration, new: facts.NewRoute
) -> None:
    """Raise Refusal with everything the router finds wrong with a new route among those that stand."""
    names = {row.connector_id: row.name for row in await facts.load_connectors(connection)}
    standing = await facts.load_routes(connection)
    asked = facts.RouteRow(
        NEW_ROUTE,
        new.order,
        new.prefix,
        new.mcc,
        new.mnc,
        new.account_id,
        new.sender,
        new.traffic_class,
        list(new.windows),
        new.connector_id,
        new.weight,
        True,
    )
    table = [as_route(row, names) for row in (*standing, asked)]
    found = faults_of(table, await known_connectors(connection, configuration))
    faults: list[RouteFault] = [fault for fault in found if fault.route_id == NEW_ROUTE]
    if faults:
        raise Refusal("; ".join(fault.fault for fault in faults), "; ".join(fault.remedy for fault in faults))


def as_route(row: facts.RouteRow, names: dict[int, str]) -> Route:
    """A row as the router takes it. names: connector name by id."""
    return Route(
        route_id=row.route_id,
        order=row.order,
        match=row.match,
        connector=names[row.connector_id],
        account_id=row.account_id,
        sender=row.sender,
        traffic_class=row.traffic_class,
        window=row.window,
        weight=row.weight,
        enabled=row.enabled,
    )
