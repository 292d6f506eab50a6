"""`passerelle route enable`, `disable`, `test`; `rate remove`, `block remove`, `number remove`: daily changes of facts.

What belongs here: one row changed or ended, and the refusal where there is none. `route test` is `explain`.
What must not enter: adding and showing (routing.py), SQL, a second opinion on what a route may be.
"""

from __future__ import annotations

from typing import Annotated

import asyncpg
import typer

from gateway.command_line.amounts import format_credits
from gateway.command_line.explain import explain
from gateway.command_line.finding import find_account_id
from gateway.command_line.margins import refuse_below_cost
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import answer
from gateway.command_line.refusals import Refusal
from gateway.command_line.route_remarks import in_words
from gateway.command_line.routing import (
    OnlyAccountOption,
    blocks,
    numbers,
    rates,
    refuse_faulty_route,
    remark_on_route,
    routes,
)
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage import facts
from gateway.storage.accounts import lock_tree

__all__ = ["blocks", "numbers", "rates", "routes"]

RouteArgument = Annotated[int, typer.Argument(help="As in the list.", min=1, max=2**31 - 1)]

routes.command("test")(explain)


@routes.command("enable")
def enable_route(
    route_id: RouteArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Let a disabled route choose again."""

    async def work(connection: asyncpg.Connection, configuration: Configuration) -> tuple[str, int] | None:
        standing = {row.route_id: row for row in await facts.load_routes(connection)}
        if route_id not in standing:
            raise _no_route(route_id)
        async with connection.transaction():
            await refuse_faulty_route(connection, configuration, standing[route_id])
            await facts.enable_route(connection, route_id, True)
        return await remark_on_route(connection, configuration, route_id)

    remark = with_database(config, work)
    answer(as_json, "route {route_id} chooses again", route_id=route_id)
    if remark is not None and not as_json:
        typer.echo(say("route {route_id}: {remark}", route_id=route_id, remark=in_words(remark)))


@routes.command("disable")
def disable_route(
    route_id: RouteArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Keep a route from choosing; messages already routed keep their choice."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> bool:
        return await facts.enable_route(connection, route_id, False)

    if not with_database(config, work):
        raise _no_route(route_id)
    answer(as_json, "route {route_id} chooses nothing any more", route_id=route_id)


@rates.command("remove")
def remove_rate(
    to: Annotated[str, typer.Option("--to", help="Prefix like 229, or '*' for all.")],
    account: OnlyAccountOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """End a price; it stays as history, and what was held keeps it."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> int | None:
        account_id = await find_account_id(connection, account)
        async with connection.transaction():
            await lock_tree(connection)
            price = await facts.close_rate(connection, account_id, to)
            await refuse_below_cost(connection)
        return price

    price = with_database(config, work)
    if price is None:
        raise Refusal(
            say("there is no such rate: {to}, account {account}", to=to, account=account or "-"),
            say("look at: passerelle rate list"),
        )
    answer(as_json, "the rate of {credits} credits a part to {to} ended", to=to, credits=format_credits(price))


@blocks.command("remove")
def remove_block(
    block_id: Annotated[int, typer.Argument(help="As in the list.", min=1, max=2**31 - 1)],
    consent: Annotated[
        str | None, typer.Option("--consent", help="How the person said that he wants messages again.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Permit a destination again; a person's own wish only with his consent."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> str:
        async with connection.transaction():
            gone = await facts.remove_block(connection, block_id, consent and consent.strip())
            if gone is None:
                raise Refusal(say("there is no block {name}", name=block_id), say("look at: passerelle block list"))
            if gone["kind"] == "opt_out" and not (consent or "").strip():
                raise Refusal(
                    say("{prefix} opted out: that is the person's own wish", prefix=gone["prefix"]),
                    say("only with his consent, and say how he gave it: --consent TEXT"),
                )
        return str(gone["prefix"])

    prefix = with_database(config, work)
    answer(as_json, "{prefix} may be sent to again", prefix=prefix, block_id=block_id)


@numbers.command("remove")
def remove_number(
    address: Annotated[str, typer.Argument(help="Number, short code or keyword address.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Take a number from its ESME; what handsets send to it is stored for nobody."""
    number = address.removeprefix("+")

    async def work(connection: asyncpg.Connection, _: Configuration) -> bool:
        return await facts.remove_inbound_number(connection, number)

    if not with_database(config, work):
        raise Refusal(say("nobody has the number {name}", name=address), say("look at: passerelle number list"))
    answer(as_json, "what handsets send to {address} goes to nobody", address=number)


def _no_route(route_id: int) -> Refusal:
    return Refusal(say("there is no route {name}", name=route_id), say("look at: passerelle route list"))
