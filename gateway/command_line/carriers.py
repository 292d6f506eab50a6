"""`passerelle connector` and `esme unbind`: ways out as living nodes tell of them, and what nodes are asked to do.

What belongs here: finding what is meant, one order to the nodes, waiting a moment for their answers.
What must not enter: what a node does (daemon.carrier_orders); a second list of who is concerned (storage.carriers).
"""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import asyncpg
import typer

from gateway.command_line.finding import find_connector, find_esme
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import format_ms, show_fields, show_json, show_rows
from gateway.command_line.refusals import Refusal
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.storage import carriers, inspection
from gateway.wall_clock import wall_ms

ANSWER_PATIENCE_S: Final = 10.0  # chosen: longer than a node waits for what is still owed
LOOK_S: Final = 0.1  # chosen: between two looks at the command's rows
WORTH_MS: Final = 30_000  # chosen: who hears later of a rebind or unbind does nothing
COLUMNS: Final = ("node", "state", "wish", "queued", "open", "bound", "rebound", "ended")
WHY: Final = {
    "not_configured_here": "this node does not configure it",
    "too_late": "this node heard of it too late, and did nothing",
}

connectors = typer.Typer(help="Ways out: carriers and their binds.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="Name of the connector.")]
Place = Callable[[asyncpg.Connection, Configuration], Awaitable[int]]


@connectors.command("list")
def list_connectors(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Show the connectors: what is wished of each, and how it stands over all nodes."""

    async def work(
        connection: asyncpg.Connection, _: Configuration
    ) -> tuple[list[carriers.CarrierRow], list[inspection.NodeSeen]]:
        return await carriers.load_carriers(connection), await inspection.load_nodes(connection)

    rows, nodes = with_database(config, work)
    seen = carriers.carriers_seen(nodes)
    shown = [{"connector": row.name, "kind": row.kind} | summary_of(row, seen.get(row.name, [])) for row in rows]
    columns = (
        "connector",
        "kind",
        "wish",
        "health",
        "bound",
        "binds",
        "queued",
        "oldest_ms",
        "rate_per_s",
        "last_fault",
    )
    show_rows(shown, columns, as_json)


@connectors.command("show")
def show_connector(
    name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Show a connector node by node, with its binds."""

    async def work(
        connection: asyncpg.Connection, configuration: Configuration
    ) -> tuple[carriers.CarrierRow, list[inspection.NodeSeen]]:
        connector_id = await find_connector(connection, configuration, name)
        rows = {row.connector_id: row for row in await carriers.load_carriers(connection)}
        return rows[connector_id], await inspection.load_nodes(connection)

    row, nodes = with_database(config, work)
    seen = carriers.carriers_seen(nodes).get(name, [])
    binds = [
        {"node": each.node} | bind | {"bound_since": format_ms(int(bind.get("bound_since_ms") or 0))}
        for each in seen
        for bind in each.binds
    ]
    whole = {"connector": row.name, "kind": row.kind, **summary_of(row, seen)}
    if as_json:
        told = [{"node": each.node, **each.told, "queue": each.queue} for each in seen]
        show_json(whole | {"nodes": told, "bind_list": binds})
        return
    show_fields(whole, as_json=False)
    show_rows(binds, ("node", "bind_type", "state", "peer", "in_flight", "window", "bound_since"), as_json=False)


def summary_of(row: carriers.CarrierRow, seen: list[carriers.CarrierSeen]) -> dict[str, Any]:
    """A connector over all living nodes. health -: no living node configures it."""
    told = [each.told for each in seen]
    health = {str(each.get("health")) for each in told}
    faults = [(int(each.get("last_fault_at_ms") or 0), str(each.get("last_fault") or "")) for each in told]
    at_ms, fault = max(faults, default=(0, ""))
    return {
        "wish": row.wish,
        "health": next((word for word in ("suspended", "up", "down") if word in health), None),
        "bound": sum(int(each.get("bound") or 0) for each in told),
        "binds": max((int(each.get("binds") or 0) for each in told), default=0),
        "queued": sum(int(each.queue.get("queued") or 0) for each in seen),
        "oldest_ms": max((int(each.queue.get("oldest_ms") or 0) for each in seen), default=0),
        "rate_per_s": round(sum(float(each.get("rate_per_s") or 0) for each in told), 1),
        "last_fault": fault or None,
        "last_fault_at": format_ms(at_ms),
    }


@connectors.command("drain")
def drain(
    name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Send nothing new by a connector; what waits goes by other routes, its receipts still come."""
    _wish(name, "drain", config, as_json)


@connectors.command("stop")
def stop(name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Drain a connector and end its binds; it stays so, also over restarts, until it is started."""
    _wish(name, "stop", config, as_json)


@connectors.command("start")
def start(
    name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """Let a drained or stopped connector send again."""
    _wish(name, "run", config, as_json)


@connectors.command("rebind")
def rebind(
    name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None
) -> None:
    """End the binds of a connector once nothing is owed on them, and bind anew."""

    async def place(connection: asyncpg.Connection, configuration: Configuration) -> int:
        connector_id = await find_connector(connection, configuration, name)
        return await carriers.order_rebind(connection, connector_id, wall_ms() + WORTH_MS, getpass.getuser())

    _order(place, say("connector {name} binds anew", name=name), config, as_json)


def unbind(
    system_id: Annotated[str, typer.Argument(help="An SMPP login.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """End the binds of an SMPP login now; it may bind again at once, unless it is suspended."""

    async def place(connection: asyncpg.Connection, _: Configuration) -> int:
        await find_esme(connection, system_id)
        return await carriers.order_unbind(connection, system_id, wall_ms() + WORTH_MS, getpass.getuser())

    _order(place, say("the binds of ESME {system_id} end", system_id=system_id), config, as_json)


def _wish(name: str, wish: carriers.Wish, config: ConfigOption, as_json: bool) -> None:
    async def place(connection: asyncpg.Connection, configuration: Configuration) -> int:
        connector_id = await find_connector(connection, configuration, name)
        return await carriers.order_wish(connection, connector_id, wish, getpass.getuser())

    words = {
        "run": say("connector {name} runs", name=name),
        "drain": say("connector {name} is drained: nothing new is sent by it", name=name),
        "stop": say("connector {name} is stopped: nothing new is sent by it, its binds end", name=name),
    }
    _order(place, words[wish], config, as_json)


def _order(place: Place, words: str, config: ConfigOption, as_json: bool) -> None:
    """Place an order, wait for the nodes, and tell what each did. Raises Refusal where a node could not."""

    async def work(connection: asyncpg.Connection, configuration: Configuration) -> carriers.Order:
        async with connection.transaction():
            command_id = await place(connection, configuration)
        return await _ended(connection, command_id)

    order = with_database(config, work)
    failed = [part for part in order.parts if part.state == "failed"]
    if failed:
        reasons = ", ".join(f"{part.node}: {say(WHY[part.why]) if part.why in WHY else part.why}" for part in failed)
        raise Refusal(say("a node could not: {why}", why=reasons), say("look at: passerelle binds"))
    shown = [{"node": part.node, "state": _state_in_words(part), **part.result} for part in order.parts]
    if as_json:
        show_json({"command": order.command_id, "state": order.state, "nodes": shown})
        return
    typer.echo(words)
    columns = [key for key in COLUMNS if any(key in row for row in shown)]
    show_rows(shown, columns, as_json=False)


async def _ended(connection: asyncpg.Connection, command_id: int) -> carriers.Order:
    """The order once every node that lives has closed its part, or as it stands when our patience ends."""
    deadline = asyncio.get_running_loop().time() + ANSWER_PATIENCE_S
    while True:
        order = await carriers.find_order(connection, command_id)
        assert order is not None
        open_parts = [part for part in order.parts if part.state in ("asked", "taken") and not part.away]
        if not open_parts or asyncio.get_running_loop().time() >= deadline:
            return order
        await asyncio.sleep(LOOK_S)


def _state_in_words(part: carriers.Part) -> str:
    if part.state == "done":
        return say("done")
    return say("away: it does it when it is back") if part.away or part.node is None else say("not done yet")
