"""`passerelle route`, `rate`, `number`, `block`, `range`: where messages go, at what price, and where they must not.

What belongs here: checking what an operator wrote, by the router's own rules, and one row for it.
What must not enter: SQL, and a second opinion on what a route may be (router.route_checks has the only one).
"""

from __future__ import annotations

import re
from typing import Annotated, Final

import asyncpg
import msgspec
import typer

from gateway.command_line.accounts import check_class, parse_sender
from gateway.command_line.amounts import format_credits, parse_credits
from gateway.command_line.finding import find_account_id, find_connector, find_esme, known_connectors
from gateway.command_line.inbound import write_opt_out
from gateway.command_line.margins import refuse_below_cost
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import answer, show_json, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.route_remarks import as_route, in_words, remarks_on
from gateway.command_line.week import format_windows, parse_windows
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage import facts
from gateway.storage.accounts import lock_tree
from router.number_ranges import is_mcc, is_mnc
from router.prefixes import is_prefix
from router.route import EVERYTHING
from router.route_checks import WEIGHT_LIMIT, RouteFault, faults_of
from telecom.money import MICROS_PER_CREDIT

ORDER_LIMIT: Final = 1_000_000  # chosen: an order beyond it is a slip of the keyboard
PRICE_LIMIT_MICROS: Final = 10_000 * MICROS_PER_CREDIT  # chosen: a part dearer than that is a slip of the keyboard
SAME_RULE: Final = re.compile(r"says the same as route (\d+)")  # router.route_checks
NEW_ROUTE: Final = 2**31 - 1  # stands for the id of a route that has none yet: the largest its column holds
INBOUND_ADDRESS: Final = re.compile(r"[0-9]{3,15}|[\x21-\x7e]{1,11}")  # short code, number, or a keyword address

Remark = tuple[str, int]  # router.coverage and route_remarks: its kind, and the route it speaks of

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
    cost: Annotated[str | None, typer.Option("--cost", help="Credits that a part by it costs us.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Add a route."""
    cost_micros = None if cost is None else parse_price(cost, free=True)
    if traffic_class is not None:
        check_class(traffic_class)
    prefix, mcc, mnc = parse_destination(to)
    check_bounds(order, weight)
    windows = parse_windows(window or [])
    named = None if sender is None else parse_sender(sender)

    async def work(connection: asyncpg.Connection, configuration: Configuration) -> tuple[int, dict[int, Remark]]:
        account_id = await find_account_id(connection, account)
        async with connection.transaction():
            connector_id = await find_connector(connection, configuration, connector)
            new = facts.NewRoute(
                order, prefix, mcc, mnc, account_id, named, traffic_class, windows, connector_id, weight, cost_micros
            )
            await refuse_faulty_route(connection, configuration, as_row(new))
            before = await load_remarks(connection, configuration)
            route_id = await facts.add_route(connection, new)
        after = await load_remarks(connection, configuration)
        return route_id, {each: remark for each, remark in after.items() if before.get(each) != remark}

    route_id, changed = with_database(config, work)
    facts_of_it = {"route_id": route_id, "to": to, "connector": connector}
    if as_json:
        show_json(facts_of_it | {"changes": changed})
        return
    answer(False, "route {route_id}: {to} goes to {connector}", **facts_of_it)
    for each, remark in changed.items():
        typer.echo(say("route {route_id}: {remark}", route_id=each, remark=in_words(remark)))


@routes.command("list")
def list_routes(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Show the routes in the order they are asked."""

    async def work(
        connection: asyncpg.Connection, configuration: Configuration
    ) -> tuple[list[asyncpg.Record], dict[int, Remark]]:
        return await facts.list_routes(connection), await load_remarks(connection, configuration)

    found, remarks = with_database(config, work)
    rows = [
        dict(row)
        | {
            "to": row["prefix"] or f"{row['mcc']}/{row['mnc'] or '*'}",
            "window": format_windows(row["windows"]),
            "state": remarks.get(row["route_id"], ("serves", 0))[0],
            "remark": in_words(remarks.get(row["route_id"])),
        }
        for row in found
    ]
    columns = ("route_id", "order", "to", "connector", "weight", "account", "sender", "traffic_class", "window")
    show_rows(rows, (*columns, "remark", "senders_disabled"), as_json)


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
    free: Annotated[bool, typer.Option("--free", help="0 credits are meant.")] = False,
    account: OnlyAccountOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Set the price of a part; the rate it replaces stays as history."""
    price = parse_price(credits, free)
    if to != EVERYTHING:
        check_prefix(to)

    async def work(connection: asyncpg.Connection, _: Configuration) -> int | None:
        account_id = await find_account_id(connection, account)
        async with connection.transaction():
            await lock_tree(connection)
            former = await facts.replace_rate(connection, account_id, to, price)
            await refuse_below_cost(connection)
        return former

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
    esme: Annotated[str | None, typer.Option("--esme", help="system_id that takes what is sent to it.")] = None,
    account: Annotated[
        str | None, typer.Option("--account", help="Account that is told of it over HTTP alone.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Give a number that handsets write to to an ESME, or to an account that has none."""
    if (esme is None) == (account is None):
        raise Refusal(say("whose number?"), say("write either --account NAME or --esme SYSTEM_ID"))
    number = address.removeprefix("+")
    if not INBOUND_ADDRESS.fullmatch(number):
        raise Refusal(
            say("{text} is not an address", text=address), say("write 3 to 15 digits, or up to 11 characters")
        )

    async def work(connection: asyncpg.Connection, _: Configuration) -> bool:
        if esme is None:
            account_id = await find_account_id(connection, account)
            assert account_id is not None
            return await facts.add_inbound_number(connection, number, account_id, None)
        owner = await find_esme(connection, esme)
        return await facts.add_inbound_number(connection, number, owner.account_id, owner.esme_id)

    if not with_database(config, work):
        raise Refusal(say("{text} belongs to an ESME already", text=number), say("look at: passerelle number list"))
    answer(as_json, "what handsets send to {address} goes to {esme}", address=number, esme=esme or account)


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
    opt_out: Annotated[
        bool, typer.Option("--opt-out", help="It is the person's own wish; of one account, it goes to the opt-outs.")
    ] = False,
    account: OnlyAccountOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Forbid a destination."""
    if opt_out and account is not None:
        number = write_opt_out(to, account, reason, True, config)
        told = {"account": account, "number": number, "to": number, "block_id": None, "kind": "opt_out"}
        answer(as_json, "{account} sends nothing more to {number}", **told)
        return
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
    if not mcc:
        raise Refusal(say("an MNC says nothing without its MCC: {text}", text=to), say("write MCC/MNC, like 616/03"))
    if not is_mcc(mcc) or not (mnc == EVERYTHING or is_mnc(mnc)):
        raise Refusal(say("{text} is not a network", text=to), say("write MCC/MNC, like 616/03"))
    return None, mcc, None if mnc == EVERYTHING else mnc


def check_bounds(order: int, weight: int) -> None:
    """Refuse numbers that a route cannot have."""
    if not 0 <= order <= ORDER_LIMIT:
        raise Refusal(
            say("order {order} is outside 0..{limit}", order=order, limit=ORDER_LIMIT),
            say("lower is asked first; 100 is the order of a route that says none"),
        )
    if not 1 <= weight <= WEIGHT_LIMIT:
        raise Refusal(
            say("weight {weight} is outside 1..{limit}", weight=weight, limit=WEIGHT_LIMIT),
            say("to give a route no traffic: passerelle route disable"),
        )


def parse_price(credits: str, free: bool) -> int:
    """The micros of a part. Raises Refusal for nothing that was not meant, and for what would empty any account."""
    price = parse_credits(credits)
    if price == 0 and not free:
        raise Refusal(say("a part for 0 credits is paid by nobody"), say("if that is meant, add --free"))
    if price > PRICE_LIMIT_MICROS:
        raise Refusal(
            say("{text} credits a part are more than {limit}", text=credits, limit=format_credits(PRICE_LIMIT_MICROS)),
            say("write the price of one part, not of a thousand; the point is the decimal sign"),
        )
    return price


async def refuse_faulty_route(
    connection: asyncpg.Connection, configuration: Configuration, asked: facts.RouteRow
) -> None:
    """Raise Refusal with everything the router finds wrong with an enabled route among those that stand."""
    names = {row.connector_id: row.name for row in await facts.load_connectors(connection)}
    others = [row for row in await facts.load_routes(connection) if row.route_id != asked.route_id]
    judged = msgspec.structs.replace(asked, enabled=True, route_id=NEW_ROUTE)
    table = [as_route(row, names) for row in (*others, judged)]
    found = faults_of(table, await known_connectors(connection, configuration))
    faults: list[RouteFault] = [fault for fault in found if fault.route_id == NEW_ROUTE]
    if faults and (same := SAME_RULE.fullmatch(faults[0].fault)):
        raise Refusal(
            say("route {route_id} says the same", route_id=same[1]),
            say("for a larger share give it another weight; for another turn another --order"),
        )
    if faults:
        raise Refusal("; ".join(fault.fault for fault in faults), "; ".join(fault.remedy for fault in faults))


def as_row(new: facts.NewRoute) -> facts.RouteRow:
    """A route that has no row yet, as if it had one."""
    return facts.RouteRow(
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


async def load_remarks(connection: asyncpg.Connection, configuration: Configuration) -> dict[int, Remark]:
    """What is to be seen beside the routes that stand."""
    names = {row.connector_id: row.name for row in await facts.load_connectors(connection)}
    standing = [as_route(row, names) for row in await facts.load_routes(connection)]
    return remarks_on(standing, {connector.name for connector in configuration.connectors})


async def remark_on_route(connection: asyncpg.Connection, configuration: Configuration, route_id: int) -> Remark | None:
    """The same of one route."""
    return (await load_remarks(connection, configuration)).get(route_id)
