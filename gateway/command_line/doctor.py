"""`passerelle doctor`: what would keep this node from working, each finding with its remedy.

What belongs here: one function a subject, each yielding findings; nothing here changes anything.
Exit code 1 when a finding is an error; warnings alone give 0.
What must not enter: repairs.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import resource
import socket
import stat
import time
import tomllib
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import asyncpg
import msgspec
import typer

from gateway.command_line.connecting import missing_migrations, running_server
from gateway.command_line.options import ConfigOption, JsonOption, LangOption, find_config, read_configuration
from gateway.command_line.output import show_json, show_rows
from gateway.command_line.redis_finding import look_at_redis, look_at_shares
from gateway.command_line.words import say
from gateway.daemon.configuration_schema import Configuration, Endpoint
from gateway.storage import facts, inspection
from gateway.storage.database import DatabaseAway, DatabaseUnfit, connect, refuse_unfit_server
from gateway.storage.postgres_programs import PostgresFault

CLOCK_LIMIT_S: Final = 1.0  # chosen: leases and validity tolerate a second between us and the database
RESOLVE_TIMEOUT_S: Final = 5.0  # resolv.conf(5): one try of the resolver
FILES_BESIDE_SESSIONS: Final = 256  # chosen: database, log, metrics, connectors, room
OTHERS_MAY_READ: Final = stat.S_IRGRP | stat.S_IROTH

Severity = Literal["ok", "warning", "error"]


class Finding(msgspec.Struct):
    """What was looked at, how it stands, and what to do when it does not stand well."""

    subject: str
    severity: Severity
    finding: str
    remedy: str = ""


def doctor(config: ConfigOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Look for what would keep a node from working; exit 1 when something would."""
    configuration = read_configuration(config)
    findings = asyncio.run(_examine(configuration, find_config(config)))
    if as_json:
        show_json({"ok": not any(each.severity == "error" for each in findings), "findings": findings})
    else:
        rows: list[dict[str, Any]] = [msgspec.structs.asdict(each) for each in findings]
        show_rows(rows, ("subject", "severity", "finding", "remedy"), as_json=False)
    if any(each.severity == "error" for each in findings):
        raise typer.Exit(1)


async def _examine(configuration: Configuration, file: Path | None) -> list[Finding]:
    where = say("no file; the defaults hold") if file is None else str(file)
    findings = [Finding("config", "ok", where)]
    if file is not None:
        findings += look_at_secrets(file)
    findings += [each async for each in look_at_database(configuration)]
    findings += look_at_limits(configuration)
    findings += [each async for each in look_at_connectors(configuration)]
    redis = await look_at_redis(configuration)
    findings.append(Finding("redis", redis.severity, redis.finding, redis.remedy))
    return findings


def look_at_secrets(file: Path) -> Iterator[Finding]:
    """Files of secrets are for their owner alone; so is a configuration that holds one in clear."""
    for key, reference in _secret_references(tomllib.loads(file.read_text(encoding="utf-8"))):
        if "file" in reference:
            yield _mode_of(f"secret {key}", file.absolute().parent / reference["file"])
        elif "value" in reference:
            yield _mode_of(f"secret {key}", file)


def _secret_references(table: Any, place: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    if isinstance(table, dict):
        if len(table) == 1 and isinstance(next(iter(table.values())), str) and set(table) <= {"file", "value"}:
            yield place, table
            return
        for key, value in table.items():
            yield from _secret_references(value, f"{place}.{key}".lstrip("."))
    elif isinstance(table, list):
        for number, value in enumerate(table, 1):
            yield from _secret_references(value, f"{place} {number}")


def _mode_of(subject: str, file: Path) -> Finding:
    mode = file.stat().st_mode
    if mode & OTHERS_MAY_READ:
        return Finding(subject, "warning", say("{file} may be read by others", file=file), f"chmod 600 {file}")
    return Finding(subject, "ok", say("{file} is for its owner alone", file=file))


async def look_at_database(configuration: Configuration) -> AsyncIterator[Finding]:
    """Reachable, new enough, durable, with our tables, its clock ours; then what the living node holds."""
    try:
        async with contextlib.AsyncExitStack() as stack:
            dsn = await stack.enter_async_context(running_server(configuration))
            connection = await connect(dsn)
            stack.push_async_callback(connection.close)
            async for each in _look_inside(connection, configuration):
                yield each
    except (DatabaseAway, PostgresFault, asyncpg.PostgresError) as fault:
        yield Finding("postgresql", "error", str(fault), say("start it, or put [storage] dsn right; absent: embedded"))
        for each in look_at_ports(configuration, ()):
            yield each


async def _look_inside(connection: asyncpg.Connection, configuration: Configuration) -> AsyncIterator[Finding]:
    version = connection.get_server_version()
    try:
        await refuse_unfit_server(connection)
        kind = say("embedded") if configuration.storage.dsn is None else say("configured")
        yield Finding("postgresql", "ok", f"{version.major}, {kind}, fsync")
    except DatabaseUnfit as fault:
        yield Finding("postgresql", "error", str(fault), say("see postgresql.conf; reload"))
    yield await _clock_of(connection)
    missing = missing_migrations(await inspection.applied_migrations(connection))
    if missing:
        yield Finding(
            "schema", "error", say("the database lacks {names}", names=", ".join(missing)), "passerelle migrate"
        )
        alive: list[inspection.NodeSeen] = []
    else:
        yield Finding("schema", "ok", say("current"))
        yield await _partitions_of(connection)
        async for each in _look_at_rows(connection, configuration):
            yield each
        alive = [node for node in await inspection.load_nodes(connection) if node.alive]
    names = ", ".join(sorted(node.name for node in alive))
    yield Finding("node", "ok", say("alive: {names}", names=names or "-"))
    shares = look_at_shares(configuration, len(alive))
    if shares is not None:
        yield Finding("limits", shares.severity, shares.finding, shares.remedy)
    for each in look_at_ports(configuration, alive):
        yield each


async def _clock_of(connection: asyncpg.Connection) -> Finding:
    apart = abs(await inspection.server_clock(connection) - time.time())
    if apart > CLOCK_LIMIT_S:
        found = say("{seconds} s apart from the database", seconds=f"{apart:.1f}")
        return Finding("clock", "error", found, say("let both follow NTP"))
    return Finding("clock", "ok", say("{seconds} s apart from the database", seconds=f"{apart:.3f}"))


async def _partitions_of(connection: asyncpg.Connection) -> Finding:
    today = datetime.datetime.now(datetime.UTC).date()
    needed = {(today + datetime.timedelta(days=ahead)).strftime("%Y%m%d") for ahead in (0, 1)}
    lacking = needed - set(await inspection.partition_days(connection))
    if lacking:
        return Finding(
            "partitions", "error", say("none for {days}", days=", ".join(sorted(lacking))), "passerelle migrate"
        )
    return Finding("partitions", "ok", say("today and tomorrow are there"))


async def _look_at_rows(connection: asyncpg.Connection, configuration: Configuration) -> AsyncIterator[Finding]:
    """What a node needs in rows to pass any message: a login, a route to a configured connector, a rate."""
    configured = {connector.name for connector in configuration.connectors}
    rows = await facts.load_facts(connection)
    names = {row.connector_id: row.name for row in rows.connectors}
    if not rows.esmes:
        yield Finding("esmes", "warning", say("nobody may bind"), "passerelle esme add")
    if not rows.rates:
        yield Finding("rates", "warning", say("no price is set"), "passerelle rate add --to '*' --credits 1")
    if not rows.routes:
        yield Finding(
            "routes", "warning", say("no message finds a way"), "passerelle route add --to '*' --connector NAME"
        )
    stray = {names[row.connector_id] for row in rows.routes if row.enabled} - configured
    for name in sorted(stray):
        yield Finding(
            "routes",
            "warning",
            say("routes lead to connector {name}, which is not configured", name=name),
            f'[[connector]] name = "{name}"',
        )


def look_at_ports(configuration: Configuration, alive: Sequence[inspection.NodeSeen]) -> Iterator[Finding]:
    """The ports we listen on are free, our own node's, or a neighbour's that shares them."""
    server = configuration.smpp_server
    for subject, endpoint, may_share in (
        ("port smpp", server.listen, server.shared_port),
        *((("port smpp tls", server.tls.listen, server.shared_port),) if server.tls is not None else ()),
        ("port metrics", configuration.metrics.listen, False),
    ):
        if _is_free(endpoint):
            yield Finding(subject, "ok", say("{endpoint} is free", endpoint=endpoint))
        elif any(node.name == configuration.node.name for node in alive):
            yield Finding(subject, "ok", say("{endpoint} is our node's", endpoint=endpoint))
        elif holders := _neighbours_at(endpoint, alive):
            yield _beside(subject, endpoint, holders, may_share)
        else:
            yield Finding(
                subject,
                "error",
                say("{endpoint} is taken by another program", endpoint=endpoint),
                say("end it, or set another port"),
            )


def _neighbours_at(endpoint: Endpoint, alive: Sequence[inspection.NodeSeen]) -> dict[str, bool]:
    """The living nodes of this machine that listen there, and whether they share the port."""
    here = [node for node in alive if node.live.get("host") == socket.gethostname()]
    listening = [(node.name, node.live.get("listens")) for node in here]
    return {
        name: bool(ports[str(endpoint)])
        for name, ports in listening
        if isinstance(ports, dict) and str(endpoint) in ports
    }


def _beside(subject: str, endpoint: Endpoint, holders: dict[str, bool], may_share: bool) -> Finding:
    names = ", ".join(sorted(holders))
    if may_share and all(holders.values()):
        return Finding(subject, "ok", say("{endpoint} is shared with {names}", endpoint=endpoint, names=names))
    remedy = say("set another port") if subject == "port metrics" else "[smpp_server] shared_port = true"
    return Finding(subject, "error", say("{endpoint} is taken by {names}", endpoint=endpoint, names=names), remedy)


def _is_free(endpoint: Endpoint) -> bool:
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((endpoint.host, endpoint.port))
        except OSError:
            return False
    return True


def look_at_limits(configuration: Configuration) -> Iterator[Finding]:
    """Open files for every session, and a data folder that can be written."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = configuration.smpp_server.max_sessions + FILES_BESIDE_SESSIONS
    if soft != resource.RLIM_INFINITY and soft < needed:
        yield Finding(
            "files",
            "warning",
            say("{soft} open files, {needed} may be needed", soft=soft, needed=needed),
            f"ulimit -n {needed}; systemd: LimitNOFILE={needed}",
        )
    else:
        yield Finding("files", "ok", say("{soft} open files", soft=soft))
    folder = configuration.node.data_dir
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    if not os.access(existing, os.W_OK):
        yield Finding(
            "data_dir", "error", say("{file} cannot be written", file=existing), say("give it to who runs passerelle")
        )


async def look_at_connectors(configuration: Configuration) -> AsyncIterator[Finding]:
    """Each connector's host has an address."""
    loop = asyncio.get_running_loop()
    if not configuration.connectors:
        yield Finding("connectors", "warning", say("none is configured"), '[[connector]] name = "..." kind = "smpp"')
    for connector in configuration.connectors:
        subject = f"connector {connector.name}"
        for address in connector.address:
            try:
                async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                    await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
                yield Finding(subject, "ok", str(address))
            except (OSError, TimeoutError) as fault:
                yield Finding(
                    subject,
                    "error",
                    say("{endpoint} does not resolve: {why}", endpoint=address, why=fault),
                    say("put its address right, or see to the resolver"),
                )
