"""A node as operators run it, for one test: `passerelle node` as a process of its own, over a folder of this test.

What belongs here: the TOML, the facts, start, ready (/readyz), stop, kill, and any other `passerelle` command.
The database is the one named, else the node's own embedded PostgreSQL below the folder.
What must not enter: a shortcut past the command line into a living node, what one test wants to prove.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import argon2
import asyncpg

from gateway.command_line.connecting import open_database
from gateway.daemon.configuration import load_configuration
from gateway.storage import facts
from gateway.storage.database import connect
from gateway.storage.migrate import apply_migrations

READY_TIMEOUT_S = 90.0  # issue: ready in 3 s; the rest is for a machine that is busy with other tests
STOP_TIMEOUT_S = 60.0  # defaults page: drain within 30 s; the rest is for a busy machine
COMMAND_TIMEOUT_S = 120.0  # chosen
CLAIMS_KEPT = 64  # chosen: ports that one test process is about to use
_claims: deque[socket.socket] = deque()
LOOK_S = 0.02  # chosen: between two looks at /readyz
TEST_PORTS = range(20_000, 32_000)  # chosen: below Linux's ephemeral ports, so no client socket takes one meanwhile
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # argon2id, at no cost: logins are many here
SYSTEM_ID = "customer"
PASSWORD = "secret12"
SENDER = "PASSERELLE"
ACCOUNT = "reseller"
CREDIT_MICROS = 1_000_000_000_000  # a million parts at the rate below
PART_MICROS = 1_000_000

_SET_PDEATHSIG = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """One [[connector]] of the TOML. more: further keys, as TOML values in Python."""

    port: int
    name: str = "carrier-a"
    system_id: str = "gw"
    password: str = "gw"
    more: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Login:
    """One SMPP login with its account's sender names. window, tps: as `passerelle esme add`."""

    system_id: str = SYSTEM_ID
    password: str = PASSWORD
    account: str = ACCOUNT
    credit_micros: int = CREDIT_MICROS
    senders: Sequence[str] = (SENDER,)
    inbound_numbers: Sequence[str] = ()
    max_binds: int = 10
    window: int = 100
    tps: int = 0
    traffic_class: str = "transactional"


@dataclass(frozen=True)
class Finished:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as one JSON document."""
        return json.loads(self.out)


class RunningNode:
    """One node and its folder. Between `start` and `stop` or `kill` there is a process; the folder outlives it."""

    def __init__(self, folder: Path, carriers: Sequence[Carrier], dsn: str | None, more: str) -> None:
        self.folder = folder
        self.config_file = folder / "passerelle.toml"
        self.log_file = folder / "node.jsonl"  # stderr and stdout of every run, appended
        self.smpp_port, self.metrics_port = free_port(), free_port()
        self._process: asyncio.subprocess.Process | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.config_file.write_text(_toml(self, carriers, dsn, more), encoding="utf-8")
        self.config_file.chmod(0o600)  # it holds a password

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs, or has never run."""
        return None if self._process is None else self._process.returncode

    async def start(self, environment: Mapping[str, str] | None = None, wait: bool = True) -> None:
        """Start the process; with wait, until /readyz says so. AssertionError shows its log when it does not."""
        assert self._process is None or self._process.returncode is not None, "the node runs already"
        with self.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(*_SET_PDEATHSIG, sys.executable, "-m", "gateway.command_line", "node"),
                *("--config", str(self.config_file)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment() | dict(environment or {}),
                start_new_session=True,
            )
        if wait:
            await self.until_ready()

    async def until_ready(self) -> None:
        """Wait for /readyz. AssertionError when the process ends first, or is not ready in READY_TIMEOUT_S."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_TIMEOUT_S):
                while self.exit_code is None:
                    if await ask_page(self.metrics_port, "/readyz") == 200:
                        return
                    await asyncio.sleep(LOOK_S)
        raise AssertionError(f"the node is not ready (exit code {self.exit_code}):\n{self.last_words()}")

    async def stop(self) -> int:
        """SIGTERM, then the end of its drain; the exit code."""
        return await self.end(signal.SIGTERM)

    async def kill(self) -> int:
        """SIGKILL, as a crash; the exit code (-9)."""
        return await self.end(signal.SIGKILL)

    async def end(self, kind: signal.Signals) -> int:
        """Send a signal and wait for the end. TimeoutError after STOP_TIMEOUT_S."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(kind)
        return await self.until_ended()

    async def until_ended(self) -> int:
        """Wait for the end, whatever brings it; the exit code. TimeoutError after STOP_TIMEOUT_S."""
        assert self._process is not None
        async with asyncio.timeout(STOP_TIMEOUT_S):
            return await self._process.wait()

    async def command(self, *words: str, stdin: str = "") -> Finished:
        """Run `passerelle WORDS --config ...` to its end."""
        return await passerelle(*words, "--config", str(self.config_file), stdin=stdin)

    async def check(self, smsc_logs: Sequence[Path] = (), esme_logs: Sequence[Path] = ()) -> dict[str, Any]:
        """What `passerelle check --json` says; AssertionError shows the proofs that failed."""
        words = [word for log in smsc_logs for word in ("--smsc-log", str(log))]
        words += [word for log in esme_logs for word in ("--esme-log", str(log))]
        finished = await self.command("check", "--json", *words)
        assert finished.out, finished.err
        told: dict[str, Any] = finished.json
        failed = [proof for proof in told.get("proofs", []) if proof["failed"]]
        assert finished.code == 0, failed or finished.out
        return told

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection to the rows of this node, whether it runs or not."""
        async with open_database(load_configuration(self.config_file)) as connection:
            yield connection

    async def add_login(self, login: Login) -> None:
        """Open a login, with its account, credit, sender names and numbers; what is there stays."""
        async with self.database() as connection:
            await add_login(connection, login)

    def log_lines(self) -> list[dict[str, Any]]:
        """The structured log so far; lines that are no JSON (a traceback of the interpreter) are left out."""
        lines = []
        for line in self.log_file.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                lines.append(json.loads(line))
        return lines

    def last_words(self) -> str:
        """The end of what it wrote."""
        return self.log_file.read_bytes()[-4000:].decode(errors="replace") if self.log_file.exists() else ""


@contextlib.asynccontextmanager
async def running_node(
    folder: Path,
    *carriers: Carrier,
    logins: Sequence[Login] = (Login(),),
    dsn: str | None = None,
    more: str = "",
    start: bool = True,
) -> AsyncIterator[RunningNode]:
    """A node with tables, logins, a rate of one credit and a route `*` to each carrier; ended with the block.

    dsn: an empty or migrated database; None: embedded. more: TOML appended as it is. start False: facts only.
    """
    node = RunningNode(folder, carriers, dsn, more)
    if dsn is not None:
        connection = await connect(dsn)
        try:
            await apply_migrations(connection)
        finally:
            await connection.close()
    async with node.database() as connection:
        for login in logins:
            await add_login(connection, login)
        await facts.replace_rate(connection, None, "*", PART_MICROS)
        for order, carrier in enumerate(carriers):
            connector_id = await facts.ensure_connector(connection, carrier.name, "smpp")
            route = facts.NewRoute(100 + order, "*", None, None, None, None, None, [], connector_id, 1)
            await facts.add_route(connection, route)
        try:
            if start:
                await node.start()
            # the connection stays open: an embedded server then outlives a killed node, as it would in production
            yield node
        finally:
            if node._process is not None and node.exit_code is None:
                try:
                    await node.stop()
                except TimeoutError:
                    await node.kill()


async def add_login(connection: asyncpg.Connection, login: Login) -> None:
    """Open a login, with its account, credit, sender names and numbers; an account that is there gets no credit."""
    if await facts.add_account(connection, login.account, 0, None) is not None:
        created = await _account_id(connection, login.account)
        if login.credit_micros:
            await facts.top_up(connection, created, login.credit_micros, "test")
    account_id = await _account_id(connection, login.account)
    new = facts.NewEsme(
        login.system_id,
        account_id,
        CHEAP.hash(login.password),
        login.max_binds,
        login.window,
        login.tps,
        [],
        login.traffic_class,
    )
    esme_id = await facts.add_esme(connection, new)
    for sender in login.senders:
        await facts.add_sender_name(connection, account_id, sender, "approved")
    for address in login.inbound_numbers:
        assert esme_id is not None, "numbers are given to a new login"
        await facts.add_inbound_number(connection, address, account_id, esme_id)


async def _account_id(connection: asyncpg.Connection, name: str) -> int:
    return next(each.account_id for each in await facts.load_accounts(connection) if each.name == name)


async def passerelle(*words: str, stdin: str = "") -> Finished:
    """Run `passerelle WORDS` as a process to its end, in English."""
    process = await asyncio.create_subprocess_exec(
        *(*_SET_PDEATHSIG, sys.executable, "-m", "gateway.command_line", *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(),
    )
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            out, err = await process.communicate(stdin.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())


async def ask_page(port: int, path: str) -> int | None:
    """The HTTP status of a page on 127.0.0.1; None when nobody answers."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return None
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        words = (await reader.readline()).split()
        return int(words[1]) if len(words) > 1 else None
    except OSError:
        return None
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, far from the ports the system gives to clients.

    It is claimed by a name that other test processes see too: nobody else is given it before it is listened on.
    """
    while True:
        port = TEST_PORTS[secrets.randbelow(len(TEST_PORTS))]
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0passerelle-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        if len(_claims) > CLAIMS_KEPT:
            _claims.popleft().close()
        return port


def _environment() -> dict[str, str]:
    """Ours, in English, without what would lead a command to another configuration or data folder."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PASSERELLE_CONFIG", "STATE_DIRECTORY")}
    return kept | {"LC_ALL": "C.UTF-8"}


def _toml(node: RunningNode, carriers: Sequence[Carrier], dsn: str | None, more: str) -> str:
    lines = ["[smpp_server]", f'listen = "127.0.0.1:{node.smpp_port}"']
    lines += ["[metrics]", f'listen = "127.0.0.1:{node.metrics_port}"']
    if dsn is not None:
        lines += ["[storage]", f"dsn = {{ value = {json.dumps(dsn)} }}"]
    for carrier in carriers:
        lines += ["[[connector]]", f'name = "{carrier.name}"', 'kind = "smpp"']
        lines += [f'address = "127.0.0.1:{carrier.port}"', f'system_id = "{carrier.system_id}"']
        lines += [f"password = {{ value = {json.dumps(carrier.password)} }}"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in carrier.more.items()]
    return "\n".join([*lines, more, ""])
