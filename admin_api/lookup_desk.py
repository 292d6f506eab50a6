"""The life of the process that works on files of numbers: begun while there is work, one at a time; and old files.

It runs at the lowest priority beside everything else (gateway.lookups.worker). Killed, it is begun again; its job is
taken over once its claim ends. What must not enter: requests (lookup_jobs.py), the work.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from typing import Final

import msgspec

from gateway.lookups.spool import Spool
from gateway.lookups.worker import WorkerOrders
from gateway.storage.group_commit import NotCommitted
from gateway.storage.lookup_jobs import bury_lookup_jobs, has_open_jobs, known_uploads
from gateway.storage.reader import Reader

LOOK_EVERY_S: Final = 5.0  # chosen: how late a job is found that another process was told of
SWEEP_EVERY_S: Final = 600.0
ENDED_WITHIN_S: Final = 5.0  # chosen: past it the worker is killed; its job begins anew

log = logging.getLogger("passerelle.api")


class LookupDesk:
    """One spool, one worker."""

    def __init__(self, spool: Spool, reader: Reader, dsn: str, limit_octets: int, kept_h: int) -> None:
        self.spool = spool
        self._reader = reader
        self._orders = WorkerOrders(dsn, str(spool.folder), limit_octets)
        self._kept_h = kept_h
        self._woken = asyncio.Event()
        self.worker: asyncio.subprocess.Process | None = None

    def wake(self) -> None:
        """There is work."""
        self._woken.set()

    async def run(self) -> None:
        """Have the work done until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sweep())
            while True:
                self._woken.clear()
                try:
                    if await self._reader.run(has_open_jobs):
                        await self._work()
                        continue
                except NotCommitted as fault:
                    log.warning("job_waits", extra={"job": "lookups", "why": str(fault)})
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._woken.wait()

    async def _work(self) -> None:
        """One worker from its start to its end; after a bad end a pause."""
        words = (sys.executable, "-m", "gateway.lookups.worker")
        self.worker = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.PIPE)
        try:
            assert self.worker.stdin is not None
            self.worker.stdin.write(msgspec.json.encode(self._orders) + b"\n")
            with contextlib.suppress(ConnectionError):
                await self.worker.stdin.drain()
            code = await self.worker.wait()
        finally:
            await self._end()
        if code:
            log.error(
                "lookup_worker_ended", extra={"code": code, "remedy": "see the lines before; its job begins anew"}
            )
            await asyncio.sleep(LOOK_EVERY_S)

    async def _end(self) -> None:
        assert self.worker is not None
        for stop in (self.worker.terminate, self.worker.kill):
            if self.worker.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    stop()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ENDED_WITHIN_S):
                        await self.worker.wait()

    async def _sweep(self) -> None:
        """Remove what is too old, and files of no job."""
        while True:
            with contextlib.suppress(NotCommitted):
                await self._remove_the_old()
            await asyncio.sleep(SWEEP_EVERY_S)

    async def _remove_the_old(self) -> None:
        self.spool.remove_all(await self._reader.run(lambda c: bury_lookup_jobs(c, self._kept_h)))
        names = sorted(self.spool.names())
        known = await self._reader.run(lambda c: known_uploads(c, names))
        self.spool.remove_all(set(names) - known)
