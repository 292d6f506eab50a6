"""A PostgreSQL of one test that can be killed, frozen and started again, as operators' servers are.

What belongs here: the cluster behind a configured DSN, and the signals. The embedded server of a node is the node's.
Source: postgres(1), "Signals"; the cluster is gateway.storage.embedded's, so fsync is on.
What must not enter: what a gateway does meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.storage.embedded import EmbeddedPostgres
from gateway.storage.postgres_programs import Coat, PostgresPrograms
from tests.faults.faulty_disk import FaultyDisk


class _OnFaultyDisk(EmbeddedPostgres):
    """The same server, started so that a test decides what its disk answers."""

    def __init__(self, data_dir: Path, disk: FaultyDisk) -> None:
        super().__init__(data_dir, die_with_owner=True)
        self._disk = disk

    def _server_command(self, programs: PostgresPrograms, coat: Coat) -> tuple[str, ...]:
        return self._disk.words(super()._server_command(programs, coat))


class Cluster:
    """One PostgreSQL with one database; `dsn` stays the same over its lives."""

    def __init__(self, data_dir: Path, disk: FaultyDisk | None = None) -> None:
        ours = EmbeddedPostgres(data_dir, die_with_owner=True) if disk is None else _OnFaultyDisk(data_dir, disk)
        self._postgres: EmbeddedPostgres = ours
        self._data_dir = data_dir

    @property
    def dsn(self) -> str:
        return self._postgres.dsn

    async def start(self) -> None:
        """Start, or start again; crash recovery included."""
        await self._postgres.start()

    @property
    def ended(self) -> bool:
        """Whether no server runs over the folder."""
        return self._postgres.server_pid() is None

    @property
    def last_words(self) -> str:
        """What the server wrote."""
        return self._postgres.log_path.read_text(encoding="utf-8", errors="replace")

    async def stop(self) -> None:
        """An orderly shutdown."""
        await self._postgres.stop()

    def kill(self) -> None:
        """SIGKILL to the postmaster: its backends end by themselves a moment later."""
        send(self._data_dir, signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP to every process: connections stay open and nobody answers."""
        self._send_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT to every process."""
        self._send_all(signal.SIGCONT)

    def _send_all(self, kind: signal.Signals) -> None:
        """The postmaster first, so that it begins no process unseen; one that ends meanwhile is none to be sent to."""
        send(self._data_dir, kind)
        for pid in family(self._data_dir):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, kind)


@contextlib.asynccontextmanager
async def cluster(data_dir: Path, disk: FaultyDisk | None = None) -> AsyncIterator[Cluster]:
    """A running cluster; it ends with the block. disk: what its files are on, when it is to fail."""
    started = Cluster(data_dir, disk)
    await started.start()
    try:
        yield started
    finally:
        started.thaw()
        await started.stop()


def postmaster(data_dir: Path) -> int | None:
    """The pid that postmaster.pid names; None without the file."""
    try:
        return int((data_dir / "postmaster.pid").read_text(encoding="ascii").split()[0])
    except (FileNotFoundError, IndexError):
        return None


def send(data_dir: Path, kind: signal.Signals) -> None:
    """Signal the postmaster over a folder, if there is one."""
    pid = postmaster(data_dir)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, kind)


def family(data_dir: Path) -> list[int]:
    """The postmaster and its children; none where it has ended."""
    head = postmaster(data_dir)
    try:
        children = Path(f"/proc/{head}/task/{head}/children").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [] if head is None else [head, *(int(pid) for pid in children.split())]
