"""A living API process for each file: its real ports, its own role in a real database; and a client that knows a key.

A test takes `api`. One process serves all such tests of a file: each finds it over an empty database with an account
(`api.ground`) and a key of its own, beside a node that has a bind of carrier-a. Ids never come again within a file.
A fixture of yours over it is `@pytest_asyncio.fixture(loop_scope="module")` and takes `shared_api`.
A test that cuts the process off, changes its inside or stops it takes `own_api`; one that needs another configuration
takes `ground` and `running_api`. A test that takes async fixtures beside `api` gets a process of its own by itself.
What must not enter: a shortcut past HTTP, what a test is about.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import asyncpg
import msgspec
import pytest
import pytest_asyncio

from admin_api import process
from admin_api.service import Service
from gateway.daemon.configuration_schema import (
    AdminApi,
    AdminApiLookups,
    AdminApiOperators,
    Configuration,
    Endpoint,
    Secret,
    SmppConnector,
)
from gateway.storage import api_keys, users
from tests.databases import Databases
from tests.eventually import eventually
from tests.gateway.conftest import Clock, Ground, ground
from tests.running_node import free_port

__all__ = ["ground"]

HANDSET = "+2290197000001"


@dataclasses.dataclass
class Reply:
    """What came back."""

    status: int
    headers: Any
    json: Any
    text: str


@dataclasses.dataclass
class Api:
    """A living API process, and the key its questions carry."""

    ground: Ground
    service: Service
    url: str
    http: aiohttp.ClientSession
    key: str = ""

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request; body: JSON, or octets as they are. Underscores of header names stand for hyphens."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key and "Authorization" not in given:
            given["Authorization"] = f"Bearer {self.key}"
        data = body
        if body is not None and not isinstance(body, bytes):
            data = msgspec.json.encode(body)
        if data is not None and "Content-Type" not in given:
            given["Content-Type"] = "application/json"
        async with self.http.request(method, self.url + path, data=data, headers=given) as answer:
            octets = await answer.read()
        text = octets.decode()
        decoded = msgspec.json.decode(octets) if "json" in answer.headers.get("Content-Type", "") else None
        return Reply(answer.status, answer.headers, decoded, text)

    async def send(self, **given: Any) -> Reply:
        """POST /v1/messages, some fields replaced."""
        headers = given.pop("headers", {})
        body = {"to": HANDSET, "from": "ACME", "text": "hello"} | given
        return await self.ask("POST", "/v1/messages", {k: v for k, v in body.items() if v is not None}, **headers)

    async def give_key(self, **given: Any) -> str:
        """A key of the ground's account, or of another."""
        fields: dict[str, Any] = {"account_id": self.ground.account_id, "name": "test", "scopes": api_keys.SCOPES}
        fields |= {
            "allow_cidrs": [],
            "requests_per_s": 0,
            "traffic_class": "transactional",
            "expires_at": None,
            **given,
        }
        return await api_keys.add_api_key(self.ground.connection, api_keys.NewApiKey(**fields))

    async def sign_in(self, role: str, account_id: int | None = None) -> Api:
        """The same API, asked by a new user of a role who is signed in: without a password, for a test of another
        matter. account_id: a reseller's.
        """
        secret, token = await api_keys.load_secret(self.ground.connection), users.make_token()
        fields: dict[str, Any] = {"name": f"{role}{secrets.token_hex(4)}", "role": role, "account_id": account_id}
        user_id = await users.add_user(self.ground.connection, users.NewUser(**fields, password_hash="none"))
        assert user_id is not None
        await users.set_password(self.ground.connection, user_id, "none", must_change=False)
        token_hash = users.hash_token(secret, token)
        await users.begin_session(self.ground.connection, user_id, token_hash, ("127.0.0.1", "a test"), 3600, 3600)
        return dataclasses.replace(self, key=token)


def as_role(dsn: str) -> str:
    """The same database, by the API's role."""
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{process.ROLE}@{host}"))


def api_configuration(ground: Ground, **given: Any) -> Configuration:
    """Ports of this test, the ground's database by our role; and a connector, as in a TOML that a node shares."""
    ports = {"listen": Endpoint("127.0.0.1", free_port()), "metrics_listen": Endpoint("127.0.0.1", free_port())}
    carrier = SmppConnector("carrier-a", "smpp", (Endpoint("127.0.0.1", 1),), "gw", Secret("gw"))
    given.setdefault("operators", AdminApiOperators(second_factor_for=()))
    settings = AdminApi(**ports, dsn=Secret(as_role(ground.dsn)), **given)
    return Configuration(admin_api=settings, connectors=(carrier,))


@contextlib.asynccontextmanager
async def running_api(ground: Ground, configuration: Configuration) -> AsyncIterator[Api]:
    """An API process in this one, drained at the end."""
    ready: asyncio.Future[Service] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as tasks, aiohttp.ClientSession() as http:
        running = tasks.create_task(process.run(configuration, ready))
        await asyncio.wait((ready, running), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        api = Api(ground, ready.result(), f"http://{configuration.admin_api.listen}", http)
        api.key = await api.give_key()
        try:
            yield api
        finally:
            running.cancel()


NODE_LIVES = """
WITH node AS (
    INSERT INTO nodes (name, epoch, seen_at) VALUES ('a node', 1, now() + interval '1 day') RETURNING node_id, epoch
), span AS (
    INSERT INTO held_spans (of_node, from_id, until_id, holder_node)
    SELECT node_id, 0, 9223372036854775807, node_id FROM node
)
INSERT INTO connector_reach (node_id, connector_id, epoch, bound)
SELECT node.node_id, c.connector_id, node.epoch, 1 FROM node, connectors c
"""


@pytest_asyncio.fixture
async def own_api(ground: Ground) -> AsyncIterator[Api]:
    """An API process for this test alone, otherwise as `shared_api`."""
    await ground.connection.execute(NODE_LIVES)
    async with running_api(ground, api_configuration(ground)) as living:
        yield living


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing_api(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """The process that the tests of a file share, both doors open."""
    dsn = await databases.take()
    connection = await asyncpg.connect(dsn)
    ground = Ground(dsn, connection, Clock())
    await ground.prepare()
    lookups = AdminApiLookups(tmp_path_factory.mktemp("s"), file_octets=8192, spool_octets=65_536, kept_h=1)
    doors = {f"{name}_listen": Endpoint("127.0.0.1", free_port()) for name in ("kannel", "jasmin")}
    async with running_api(ground, api_configuration(ground, lookups=lookups, **doors)) as living:
        yield living
    await connection.close()
    await databases.give_back(dsn)


@pytest_asyncio.fixture(loop_scope="module")
async def shared_api(standing_api: Api, databases: Databases) -> AsyncIterator[Api]:
    """The file's process with nothing left of former tests, and a key of a new account."""
    service = standing_api.service
    await eventually(lambda: not service.open_requests, 10, "former requests are answered")
    connection = await asyncpg.connect(standing_api.ground.dsn)
    await connection.execute(databases.emptying(but=SEAT_TABLES, restart=False))
    for table, column in SEAT_TABLES.items():
        await connection.execute(f"DELETE FROM {table} WHERE {column} <> $1", service.seat.node_id)
    for file in service.lookups.spool.folder.iterdir():
        file.unlink(missing_ok=True)
    ground = Ground(standing_api.ground.dsn, connection, Clock())
    await ground.prepare()
    await connection.execute(NODE_LIVES)
    await eventually(lambda: ground.account_id in service.book.accounts, 10, "the account is known")
    await service.reach.look(service.book.connector_names)
    async with aiohttp.ClientSession() as http:
        api = Api(ground, service, standing_api.url, http)
        api.key = await api.give_key()
        yield api
    await connection.close()


@pytest.fixture
def api(request: pytest.FixtureRequest) -> Any:
    """The file's process, or one of this test's own: see above."""
    return request.getfixturevalue("shared_api" if shares(request.node) else "own_api")


SEAT_TABLES = {"held_spans": "of_node", "node_streams": "node_id", "nodes": "node_id"}
HARMLESS = {"api", "event_loop_policy", "request", "caplog", "capsys", "monkeypatch", "tmp_path", "tmp_path_factory"}


def shares(item: pytest.Item) -> bool:
    """Whether a test runs in its file's loop, where the shared process lives."""
    marker = item.get_closest_marker("asyncio")
    return marker is not None and marker.kwargs.get("loop_scope") == "module"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a process run in its loop."""
    for item in items:
        if not isinstance(item, pytest.Function) or Path(__file__).parent not in item.path.parents:
            continue
        taken = set(item.fixturenames) - set(item.callspec.params if hasattr(item, "callspec") else ())
        if "shared_api" in taken or ("api" in taken and taken <= HARMLESS):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)
