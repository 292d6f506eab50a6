"""`passerelle binds` and `passerelle queue`: what living nodes say of themselves, beside what the rows say.

What belongs here: laying out nodes.live (each node writes it every second) and the counts of open messages.
What must not enter: figures that a dead node left behind shown as if they were alive.
"""

from __future__ import annotations

import datetime
import time
from typing import Any

import asyncpg
import typer

from gateway.command_line.options import ConfigOption, JsonOption, LangOption, with_database
from gateway.command_line.output import format_ms, show_json, show_rows
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration
from gateway.message import accepted_at_ms
from gateway.storage import inspection


def show_binds(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Show who is bound to us, and where we are bound."""

    async def work(connection: asyncpg.Connection, _: Configuration) -> list[inspection.NodeSeen]:
        return await inspection.load_nodes(connection)

    nodes = with_database(config, work)
    binds = [
        {"node": node.name} | bind | {"bound_since": format_ms(int(bind.get("bound_since_ms") or 0))}
        for node in nodes
        if node.alive
        for bind in _listed(node, "binds")
    ]
    if as_json:
        show_json({"nodes": _nodes(nodes), "binds": binds})
        return
    _tell_of_nodes(nodes)
    if any(node.alive for node in nodes):
        columns = ("node", "side", "name", "bind_type", "state", "peer", "in_flight", "window", "bound_since")
        show_rows(binds, columns, as_json=False)


def show_queue(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Show what waits, for each connector and each customer."""

    async def work(
        connection: asyncpg.Connection, _: Configuration
    ) -> tuple[list[inspection.NodeSeen], list[asyncpg.Record], list[asyncpg.Record]]:
        return (
            await inspection.load_nodes(connection),
            await inspection.count_queues(connection),
            await inspection.count_waiting(connection),
        )

    nodes, counts, waiting = with_database(config, work)
    now_ms = int(time.time() * 1000)
    stored = _by_connector(counts, now_ms)
    in_nodes = [{"node": node.name} | queue for node in nodes if node.alive for queue in _listed(node, "queues")]
    customers = [
        {
            "esme": row["system_id"],
            "kind": row["kind"],
            "waiting": row["waiting"],
            "oldest": _age(row["oldest_id"], now_ms),
        }
        for row in waiting
    ]
    if as_json:
        show_json({"nodes": _nodes(nodes), "connectors": stored, "in_nodes": in_nodes, "customers": customers})
        return
    _tell_of_nodes(nodes)
    show_rows(stored, ("connector", "queued", "submitted", "in_doubt", "oldest"), as_json=False)
    if in_nodes:
        show_rows(in_nodes, ("node", "connector", "queued", "open", "awaiting_receipt", "oldest_ms"), as_json=False)
    if customers:
        show_rows(customers, ("esme", "kind", "waiting", "oldest"), as_json=False)


def _tell_of_nodes(nodes: list[inspection.NodeSeen]) -> None:
    living = [node for node in nodes if node.alive]
    if not nodes:
        typer.echo(say("no node has ever run on this database; start one: passerelle node"))
    elif not living:
        last = min(nodes, key=lambda node: node.unseen_s if node.unseen_s is not None else float("inf"))
        typer.echo(
            say("no node is alive; the last, {name}, was seen {age} ago", name=last.name, age=format_age(last.unseen_s))
        )
    for node in living:
        if node.live.get("ready") is False:
            typer.echo(say("node {name} is not ready", name=node.name))
        if _limits(node).get("redis") == "away":
            name = node.name
            typer.echo(say("node {name} does not reach Redis: it keeps its share of customers' limits", name=name))


def _nodes(nodes: list[inspection.NodeSeen]) -> list[dict[str, Any]]:
    return [
        {
            "name": node.name,
            "alive": node.alive,
            "unseen_s": node.unseen_s,
            "epoch": node.epoch,
            "pid": node.live.get("pid") if node.alive else None,
            "ready": node.live.get("ready") if node.alive else False,
            "limits": _limits(node) if node.alive else {},
        }
        for node in nodes
    ]


def _limits(node: inspection.NodeSeen) -> dict[str, Any]:
    """With how many nodes it keeps customers' limits, and how Redis stands: none, idle, used, away."""
    value = node.live.get("limits")
    return value if isinstance(value, dict) else {}


def _listed(node: inspection.NodeSeen, key: str) -> list[dict[str, Any]]:
    value = node.live.get(key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _by_connector(counts: list[asyncpg.Record], now_ms: int) -> list[dict[str, Any]]:
    """A row a connector: its open messages by state, and how long the oldest waits."""
    rows: dict[str, dict[str, Any]] = {}
    oldest: dict[str, int] = {}
    for each in counts:
        name = each["connector"] or "-"
        row = rows.setdefault(name, {"connector": name, "queued": 0, "submitted": 0, "in_doubt": 0})
        row[each["state"]] = each["messages"]
        oldest[name] = min(oldest.get(name, each["oldest_id"]), each["oldest_id"])
    return [row | {"oldest": _age(oldest[name], now_ms)} for name, row in rows.items()]


def _age(message_id: int, now_ms: int) -> str:
    return format_age(max(0, now_ms - accepted_at_ms(message_id)) / 1000)


def format_age(seconds: float | None) -> str:
    """A span as people say it: "0:00:12"; "-" for none."""
    return "-" if seconds is None else str(datetime.timedelta(seconds=int(seconds)))
