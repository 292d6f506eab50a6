"""/v1/admin/inbound-numbers and /v1/admin/inbound-routes: whose handsets' messages are.

The same rows and statements as of `passerelle number` and `passerelle inbound route`.
What must not enter: messages that were stored already, SQL.
"""

from __future__ import annotations

from typing import Any

import asyncpg

from admin_api.models_inbound import (
    AddInboundNumber,
    AddInboundRoute,
    InboundNumber,
    InboundNumbers,
    InboundRoute,
    InboundRoutes,
)
from admin_api.problems import Problem
from admin_api.service import Answer, Call, Service
from admin_api.signing_in import parse_id
from gateway.storage import facts, inbound, logins
from gateway.storage.audit import record
from telecom.keywords import fold


async def show_numbers(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/inbound-numbers."""
    return Answer(InboundNumbers(await service.writer.read(_numbers)))


async def _numbers(connection: asyncpg.Connection) -> list[InboundNumber]:
    return [InboundNumber(*row) for row in await facts.list_inbound_numbers(connection)]


async def add_number(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/inbound-numbers."""
    asked: AddInboundNumber = call.body

    async def work(connection: asyncpg.Connection) -> InboundNumber | Problem:
        esme_id, account_id = None, asked.account_id and int(asked.account_id)
        if asked.esme_id is not None:
            esme = await _esme(connection, asked.esme_id)
            if esme is None:
                return Problem("esme_unknown")
            esme_id, account_id = esme["esme_id"], esme["account_id"]
        if not account_id or not await logins.may_pay(connection, account_id, None):
            return Problem("account_unknown")
        if not await facts.add_inbound_number(connection, asked.address, account_id, esme_id):
            return Problem("inbound_place_taken")
        (made,) = [number for number in await _numbers(connection) if number.address == asked.address]
        await _record(connection, call, "number_added", asked.address, None, made, account_id)
        return made

    done = await service.writer.run(work)
    return done if isinstance(done, Problem) else Answer(done)


async def remove_number(service: Service, call: Call) -> Answer | Problem:
    """DELETE /v1/admin/inbound-numbers/{address}."""
    address = call.path["address"]

    async def work(connection: asyncpg.Connection) -> InboundNumber | Problem:
        standing = {number.address: number for number in await _numbers(connection)}
        if address not in standing or not await facts.remove_inbound_number(connection, address):
            return Problem("not_found")
        await _record(connection, call, "number_removed", address, standing[address], None, None)
        return standing[address]

    done = await service.writer.run(work)
    return done if isinstance(done, Problem) else Answer(done)


async def show_routes(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/admin/inbound-routes."""
    return Answer(InboundRoutes(await service.writer.read(_routes)))


async def _routes(connection: asyncpg.Connection) -> list[InboundRoute]:
    return [
        InboundRoute(
            str(row["route_id"]),
            row["address"] + ("*" if row["is_prefix"] else ""),
            row["keyword"],
            row["order"],
            row["account"],
            row["system_id"],
        )
        for row in await inbound.list_inbound_routes(connection)
    ]


async def add_route(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/admin/inbound-routes."""
    asked: AddInboundRoute = call.body
    word = None if asked.keyword is None else fold(asked.keyword)
    address, is_prefix = asked.number.removesuffix("*"), asked.number.endswith("*")

    async def work(connection: asyncpg.Connection) -> InboundRoute | Problem:
        esme = await _esme(connection, asked.esme_id)
        if esme is None:
            return Problem("esme_unknown")
        owner = esme["account_id"], esme["esme_id"]
        route_id = await inbound.add_inbound_route(
            connection, inbound.NewInboundRoute(asked.order, address, is_prefix, word, *owner)
        )
        if route_id is None:
            return Problem("inbound_place_taken")
        (made,) = [route for route in await _routes(connection) if route.id == str(route_id)]
        await _record(connection, call, "route_added", made.id, None, made, owner[0])
        return made

    done = await service.writer.run(work)
    return done if isinstance(done, Problem) else Answer(done)


async def remove_route(service: Service, call: Call) -> Answer | Problem:
    """DELETE /v1/admin/inbound-routes/{id}."""
    route_id = parse_id(call.path["id"])

    async def work(connection: asyncpg.Connection) -> InboundRoute | Problem:
        standing = {route.id: route for route in await _routes(connection)}
        found = standing.get(str(route_id))
        if found is None or not await inbound.remove_inbound_route(connection, int(found.id)):
            return Problem("not_found")
        await _record(connection, call, "route_removed", found.id, found, None, None)
        return found

    done = await service.writer.run(work)
    return done if isinstance(done, Problem) else Answer(done)


async def _esme(connection: asyncpg.Connection, esme_id: str) -> asyncpg.Record | None:
    found = await logins.find_logins(connection, esme_id=int(esme_id))
    return found[0] if found else None


async def _record(
    connection: asyncpg.Connection, call: Call, done: str, name: str, before: Any, after: Any, account_id: int | None
) -> None:
    matter = done.partition("_")[0]
    subject = f"inbound_{matter}:{name}"
    action = f"inbound.{done}"
    await record(connection, call, action=action, subject=subject, before=before, after=after, account_id=account_id)
