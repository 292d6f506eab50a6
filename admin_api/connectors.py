"""/v1/admin/connectors and /v1/admin/commands: ways out over all nodes, what is wished of them, what nodes did.

A command is answered 202 with its number: nodes take it by LISTEN, and say in its rows what came of it. What a
connector is (addresses, login, binds, rate) stands in the TOML of its nodes and is never changed here.
What must not enter: what a node does (gateway.daemon.carrier_orders), SQL.
"""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import asyncpg

from admin_api.languages import Language, Words
from admin_api.message_reading import BAD_CURSOR
from admin_api.models_carriers import (
    CarrierBind,
    Command,
    CommandPart,
    Commands,
    ConnectorOnNode,
    Connectors,
    ConnectorShown,
    ListCommands,
)
from admin_api.problems import Fault, Problem
from admin_api.service import Answer, Call, Service
from admin_api.signing_in import parse_id
from gateway.storage import carriers, inspection
from gateway.storage.audit import record
from gateway.webhooks.events import format_time

LIST: Final = "commands"
HIGHEST_ID: Final = (1 << 63) - 1
WORTH_MS: Final = 30_000  # chosen: a node that hears later of a rebind or unbind does nothing
REASONS: Final[dict[str, Words]] = {
    "not_configured_here": Words("the node does not configure it", "le nœud ne le configure pas"),
    "too_late": Words("the node heard of it too late", "le nœud l'a appris trop tard"),
    "away": Words(
        "the node was not seen for {seconds} s; it does it when it is back",
        "le nœud n'a pas été vu depuis {seconds} s ; il le fera à son retour",
    ),
    "nobody": Words("no node that is concerned lives", "aucun nœud concerné n'est vivant"),
}

Work = Callable[[asyncpg.Connection], Awaitable[int | Problem]]


async def show_all(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/connectors."""
    rows, nodes = await service.writer.read(_read)
    seen = carriers.carriers_seen(nodes)
    return Answer(Connectors([_describe(row, seen.get(row.name, [])) for row in rows]))


async def show(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/connectors/{id}."""
    rows, nodes = await service.writer.read(_read)
    row = _find(rows, call)
    return row if isinstance(row, Problem) else Answer(_describe(row, carriers.carriers_seen(nodes).get(row.name, [])))


async def drain(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/connectors/{id}/drain."""
    return await _wish(service, call, "drain")


async def stop(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/connectors/{id}/stop."""
    return await _wish(service, call, "stop")


async def start(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/connectors/{id}/start."""
    return await _wish(service, call, "run")


async def rebind(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/connectors/{id}/rebind."""

    async def work(connection: asyncpg.Connection) -> int | Problem:
        row = _find(await carriers.load_carriers(connection), call)
        if isinstance(row, Problem):
            return row
        until_ms = call.now_ms + WORTH_MS
        command_id = await carriers.order_rebind(connection, row.connector_id, until_ms, call.operator.name)
        after = {"command": str(command_id)}
        await record(connection, call, action="connector.rebound", subject=f"connector:{row.name}", after=after)
        return command_id

    return await ordered(service, call, work)


async def show_command(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/commands/{id}."""
    command_id = parse_id(call.path["id"])
    if command_id is None:
        return Problem("not_found")
    found = await service.writer.read(lambda c: carriers.find_order(c, command_id))
    return Problem("not_found") if found is None else Answer(describe_order(found, call.language))


async def show_commands(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/commands."""
    asked: ListCommands = call.query
    before_id, reader_id = HIGHEST_ID, -call.operator.user_id
    if asked.cursor is not None:
        place = service.cursors.read(reader_id, LIST, [], asked.cursor)
        if place is None:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
        before_id = place
    found = await service.writer.read(lambda c: carriers.recent_orders(c, before_id, asked.limit))
    following = None
    if len(found) == asked.limit:
        following = service.cursors.make(reader_id, LIST, [], found[-1].command_id)
    return Answer(Commands([describe_order(order, call.language) for order in found], following))


# ---------------------------------------------------------------- what they share


async def ordered(service: Service, call: Call, work: Work) -> Answer | Problem:
    """Place an order in a transaction; the answer tells where to follow it."""
    command_id = await service.writer.run(work)
    if isinstance(command_id, Problem):
        return command_id
    order = await service.writer.read(lambda c: carriers.find_order(c, command_id))
    assert order is not None
    return Answer(describe_order(order, call.language), headers={"Location": f"/v1/admin/commands/{command_id}"})


async def _wish(service: Service, call: Call, wish: carriers.Wish) -> Answer | Problem:
    async def work(connection: asyncpg.Connection) -> int | Problem:
        row = _find(await carriers.load_carriers(connection), call)
        if isinstance(row, Problem):
            return row
        command_id = await carriers.order_wish(connection, row.connector_id, wish, call.operator.name)
        before, after = {"wish": row.wish}, {"wish": wish, "command": str(command_id)}
        subject = f"connector:{row.name}"
        await record(connection, call, action="connector.wished", subject=subject, before=before, after=after)
        return command_id

    return await ordered(service, call, work)


async def _read(connection: asyncpg.Connection) -> tuple[list[carriers.CarrierRow], list[inspection.NodeSeen]]:
    return await carriers.load_carriers(connection), await inspection.load_nodes(connection)


def _find(rows: Sequence[carriers.CarrierRow], call: Call) -> carriers.CarrierRow | Problem:
    wanted = parse_id(call.path["id"])
    return next((row for row in rows if row.connector_id == wanted), None) or Problem("not_found")


def describe_order(order: carriers.Order, language: Language) -> Command:
    """A command as operators read it."""
    arguments = order.arguments
    subject = str(arguments.get("system_id") or arguments.get("connector_id") or arguments.get("account_id") or "")
    return Command(
        id=str(order.command_id),
        command=order.command,
        subject=subject,
        asked_by=order.asked_by,
        asked_at=_time(order.asked_at),
        ended_at=None if order.ended_at is None else _time(order.ended_at),
        state=order.state,
        nodes=[_describe_part(part, language) for part in order.parts],
    )


def _describe_part(part: carriers.Part, language: Language) -> CommandPart:
    reason = part.why
    if part.why in REASONS:
        reason = REASONS[part.why].say(language)
    elif part.away:
        reason = REASONS["away"].say(language, seconds=int(part.unseen_s or 0))
    elif part.node is None and part.state == "asked":
        reason = REASONS["nobody"].say(language)
    result = {key: value for key, value in part.result.items() if key != "why" and isinstance(value, int | str)}
    return CommandPart(node=part.node, state=part.state, away=part.away, reason=reason, result=result)


def _describe(row: carriers.CarrierRow, seen: Sequence[carriers.CarrierSeen]) -> ConnectorShown:
    nodes = [_on_node(each) for each in seen]
    health = {node.health for node in nodes}
    return ConnectorShown(
        id=str(row.connector_id),
        name=row.name,
        kind=row.kind,
        wish=row.wish,
        health=next((word for word in ("suspended", "up", "down") if word in health), None),
        bound=sum(node.bound for node in nodes),
        binds=max((int(each.told.get("binds") or 0) for each in seen), default=0),
        queued=sum(node.queued for node in nodes),
        configured_by=[node.node for node in nodes],
        nodes=nodes,
    )


def _on_node(seen: carriers.CarrierSeen) -> ConnectorOnNode:
    told, queue = seen.told, seen.queue
    return ConnectorOnNode(
        node=seen.node,
        health=str(told.get("health")),
        bound=_number(told, "bound"),
        window=_number(told, "window"),
        rate_per_s=float(told.get("rate_per_s") or 0),
        queued=_number(queue, "queued"),
        more_in_rows=bool(queue.get("more_in_rows")),
        open=_number(queue, "open"),
        awaiting_receipt=_number(queue, "awaiting_receipt"),
        oldest_waits_ms=_number(queue, "oldest_ms"),
        last_fault=str(told.get("last_fault") or "") or None,
        last_fault_at=format_time(_number(told, "last_fault_at_ms")),
        binds=[
            CarrierBind(
                bind_type=str(bind.get("bind_type")),
                state=str(bind.get("state")),
                peer=str(bind.get("peer")),
                in_flight=_number(bind, "in_flight"),
                window=_number(bind, "window"),
                bound_since=format_time(_number(bind, "bound_since_ms")),
            )
            for bind in seen.binds
        ],
    )


def _number(told: dict[str, Any], key: str) -> int:
    return int(told.get(key) or 0)


def _time(at: datetime.datetime) -> str:
    return format_time(int(at.timestamp() * 1000)) or ""
