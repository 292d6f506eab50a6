"""The embedded server keeps its promises: ready at once, found again, recovered, private, and clear about faults.

Real servers over temporary folders. What must not enter: tests of tables or statements.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from gateway.storage import embedded, postgres_programs
from gateway.storage.database import CONNECTION_FAULTS
from gateway.storage.embedded import SOCKET_PATH_LIMIT, START_TRIES, EmbeddedPostgres
from gateway.storage.postgres_programs import PROGRAMS_VARIABLE, PostgresFault, find_coat, find_programs


async def ask(dsn: str, question: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


@pytest.fixture
async def postgres(tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "pg", die_with_owner=True)
    yield server
    await server.stop()


async def test_first_start_gives_a_durable_server(postgres: EmbeddedPostgres) -> None:
    dsn = await postgres.start()
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        assert await ask(dsn, f"SHOW {setting}") == "on"
    assert await ask(dsn, "SHOW listen_addresses") == ""
    assert await ask(dsn, "SHOW server_encoding") == "UTF8"


async def test_second_start_keeps_the_rows(postgres: EmbeddedPostgres) -> None:
    dsn = await postgres.start()
    await ask(dsn, "CREATE TABLE kept AS SELECT 7 AS n")
    await postgres.stop()
    assert postgres.server_pid() is None
    dsn = await postgres.start()
    assert await ask(dsn, "SELECT n FROM kept") == 7


async def test_socket_and_data_are_private(postgres: EmbeddedPostgres) -> None:
    await postgres.start()
    for folder in (postgres.data_dir, postgres.data_dir.with_name("pg.socket")):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_server_ends_after_its_last_user(postgres: EmbeddedPostgres) -> None:
    dsn = await postgres.start()
    second = EmbeddedPostgres(postgres.data_dir)
    assert await second.start() == dsn
    await postgres.stop()
    assert await ask(dsn, "SELECT 1") == 1
    await second.stop()
    assert second.server_pid() is None


async def test_two_starters_at_once_share_one_server(postgres: EmbeddedPostgres) -> None:
    others = [EmbeddedPostgres(postgres.data_dir) for _ in range(3)]
    async with asyncio.TaskGroup() as group:
        for each in (postgres, *others):
            group.create_task(each.start())
    assert len({each.server_pid() for each in (postgres, *others)}) == 1
    for each in others:
        await each.stop()


async def test_killed_server_is_recovered_with_what_was_committed(postgres: EmbeddedPostgres) -> None:
    dsn = await postgres.start()
    await ask(dsn, "CREATE TABLE kept AS SELECT 7 AS n")
    pid = postgres.server_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert await postgres.start() == dsn
    assert await ask(dsn, "SELECT n FROM kept") == 7


async def test_keep_running_starts_a_killed_server_again(postgres: EmbeddedPostgres) -> None:
    dsn = await postgres.start()
    pid = postgres.server_pid()
    assert pid is not None
    async with asyncio.TaskGroup() as group:
        keeper = group.create_task(postgres.keep_running())
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            while postgres.server_pid() in (None, pid):
                await asyncio.sleep(0.01)
            while await _answer_or_none(dsn) != 1:
                await asyncio.sleep(0.01)
        keeper.cancel()


async def test_a_server_killed_again_while_it_recovers_is_started_again(postgres: EmbeddedPostgres) -> None:
    dsn = await postgres.start()
    async with asyncio.TaskGroup() as group:
        keeper = group.create_task(postgres.keep_running())
        killed: list[int | None] = [None]
        async with asyncio.timeout(60):
            for _ in range(START_TRIES):
                while (pid := postgres.server_pid()) in killed:
                    await asyncio.sleep(0.001)
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            while await _answer_or_none(dsn) != 1:
                await asyncio.sleep(0.01)
        keeper.cancel()


async def test_a_server_killed_the_moment_it_is_ready_is_started_again(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = await postgres.start()
    connect, killed = postgres._connect, []

    async def connect_and_kill(database: str) -> asyncpg.Connection:
        connection = await connect(database)
        pid = postgres.server_pid()
        if database == "postgres" and not killed and pid is not None:
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)
            while _is_alive(connection.get_server_pid()):
                await asyncio.sleep(0.001)
        return connection

    monkeypatch.setattr(postgres, "_connect", connect_and_kill)
    async with asyncio.TaskGroup() as group:
        keeper = group.create_task(postgres.keep_running())
        first = postgres.server_pid()
        assert first is not None
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(60):
            while not killed or postgres.server_pid() in (None, first, *killed):
                await asyncio.sleep(0.01)
            while await _answer_or_none(dsn) != 1:
                await asyncio.sleep(0.01)
        keeper.cancel()


def _is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def _answer_or_none(dsn: str) -> object:
    try:
        return await ask(dsn, "SELECT 1")
    except CONNECTION_FAULTS:
        return None


OWNER_THAT_IS_KILLED = """
import asyncio, pathlib, sys
from gateway.storage.embedded import EmbeddedPostgres
async def main():
    await EmbeddedPostgres(pathlib.Path(sys.argv[1]), die_with_owner=sys.argv[2] == "die").start()
    print("ready", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def kill_an_owner(data_dir: Path, manner: str) -> None:
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER_THAT_IS_KILLED, str(data_dir), manner, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    assert await owner.stdout.readline() == b"ready\n"
    owner.kill()
    await owner.wait()


async def test_server_of_a_killed_owner_is_found_again(postgres: EmbeddedPostgres) -> None:
    await kill_an_owner(postgres.data_dir, "outlive")
    left = postgres.server_pid()
    assert left is not None
    assert await ask(await postgres.start(), "SELECT 1") == 1
    assert postgres.server_pid() == left


async def test_server_dies_with_its_killed_owner_when_asked(postgres: EmbeddedPostgres) -> None:
    await kill_an_owner(postgres.data_dir, "die")
    async with asyncio.timeout(60):
        while postgres.server_pid() is not None:
            await asyncio.sleep(0.01)
    assert await ask(await postgres.start(), "SELECT 1") == 1


async def test_stale_pid_file_of_another_program_does_not_hinder(postgres: EmbeddedPostgres) -> None:
    await postgres.start()
    await postgres.stop()
    (postgres.data_dir / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.data_dir}\n")
    assert await ask(await postgres.start(), "SELECT 1") == 1


async def test_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60) / "pg"
    server = EmbeddedPostgres(deep, die_with_owner=True)
    dsn = await server.start()
    assert len(dsn.split("host=")[1]) < SOCKET_PATH_LIMIT
    assert await ask(dsn, "SELECT 1") == 1
    await server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root takes the coat of nobody")
async def test_root_without_namespaces_runs_it_as_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    works = postgres_programs._works
    monkeypatch.setattr(postgres_programs, "_works", lambda *words: words[0] != "unshare" and works(*words))
    server = EmbeddedPostgres(tmp_path / "pg", die_with_owner=True)
    assert await ask(await server.start(), "SELECT 1") == 1
    await server.stop()


async def test_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg" / "letter.txt").write_text("dear")
    with pytest.raises(PostgresFault, match=r"pg holds files but no database.*data_dir"):
        await EmbeddedPostgres(tmp_path / "pg").start()


async def test_folder_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg" / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresFault, match=r"made by PostgreSQL 9.*pg_upgrade"):
        await EmbeddedPostgres(tmp_path / "pg").start()


async def test_broken_settings_are_told_with_the_servers_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(embedded.SETTINGS, "shared_buffers", "nonsense")
    with pytest.raises(PostgresFault, match="does not start.*shared_buffers"):
        await EmbeddedPostgres(tmp_path / "pg").start()


async def test_killed_initdb_leaves_nothing_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pg.unfinished").mkdir()
    (tmp_path / "pg.unfinished" / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(tmp_path / "pg", die_with_owner=True)
    assert await ask(await server.start(), "SELECT 1") == 1
    await server.stop()


def test_full_disk_is_told_with_its_remedy(tmp_path: Path) -> None:
    fault = EmbeddedPostgres(tmp_path / "pg")._fault("initdb cannot", "could not write: No space left on device")
    assert "the disk is full" in str(fault)
    assert str(tmp_path / "pg") in str(fault)


def test_named_folder_without_programs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROGRAMS_VARIABLE, str(tmp_path))
    with pytest.raises(PostgresFault, match="has no program postgres"):
        find_programs()


def test_program_without_permission_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv(PROGRAMS_VARIABLE, str(tmp_path))
    with pytest.raises(PostgresFault, match=r"may not be executed.*noexec"):
        find_programs()


def test_too_old_a_server_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 13.4'\n")
        (tmp_path / name).chmod(0o700)
    monkeypatch.setenv(PROGRAMS_VARIABLE, str(tmp_path))
    with pytest.raises(PostgresFault, match="15 or newer is needed"):
        find_programs()


@pytest.mark.skipif(shutil.which("unshare") is None and os.geteuid() == 0, reason="no unshare here")
def test_coat_makes_somebody_who_is_not_root() -> None:
    said = subprocess.run(find_coat().clothe("id", "-u"), capture_output=True, text=True, check=True)
    assert said.stdout.strip() != "0"
