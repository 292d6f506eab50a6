"""The process that works on files of numbers: takes jobs one by one at the lowest priority, and ends when none is left.

Started by the HTTP API, which writes what it must know to its stdin: a DSN has no place among a process's arguments.
Killed at any point it leaves a job that another worker takes over after CLAIM_S seconds, from its beginning.
What must not enter: sockets of customers, the analysis.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Generator
from pathlib import Path
from time import monotonic
from typing import Final

import asyncpg
import msgspec

from gateway.lookups.analysis_file import FileUnfit, FileWish, Progress, analyse_file
from gateway.lookups.low_priority import step_behind_all
from gateway.lookups.operators import own_operator
from gateway.lookups.spool import Spool
from gateway.storage.database import connect
from gateway.storage.facts import load_number_ranges
from gateway.storage.lookup_jobs import (
    MOST_ATTEMPTS,
    ClaimedJob,
    claim_lookup_job,
    end_lookup_job,
    note_lookup_progress,
)

PROGRESS_EVERY_S: Final = 0.5  # chosen: how old a progress may be that a customer sees
WORKER_LOST: Final = "worker_lost"
DISK: Final = "disk"

log = logging.getLogger("passerelle.lookups")


class WorkerOrders(msgspec.Struct):
    """What its parent writes to stdin, as JSON."""

    dsn: str
    folder: str
    limit_octets: int


async def work(orders: WorkerOrders) -> int:
    """Work on every job there is; how many."""
    spool = Spool(Path(orders.folder), orders.limit_octets)
    connection = await connect(orders.dsn)
    finished = 0
    try:
        while (job := await claim_lookup_job(connection)) is not None:
            await _work_on(connection, spool, job)
            finished += 1
    finally:
        connection.terminate()
    return finished


async def _work_on(connection: asyncpg.Connection, spool: Spool, job: ClaimedJob) -> None:
    if job.cancel_wanted:
        await end_lookup_job(connection, job, "cancelled")
        return
    if job.attempt > MOST_ATTEMPTS:
        await end_lookup_job(connection, job, "failed", WORKER_LOST)
        return
    log.info("lookup_begun", extra={"job": job.job_id, "account": job.account_id, "attempt": job.attempt})
    ask = own_operator(await load_number_ranges(connection))
    wish = FileWish(job.column_wish, job.default_region, job.language)
    result = spool.result_of(job.upload, job.attempt)
    running = analyse_file(spool.upload_of(job.upload), result, wish, ask)
    try:
        with contextlib.closing(running):
            ended = await _follow(connection, job, running)
    except FileUnfit as fault:
        await end_lookup_job(connection, job, "failed", fault.refused.reason, fault.refused.given)
    except OSError as fault:
        log.error("lookup_failed", extra={"job": job.job_id, "why": str(fault), "remedy": "see to the spool's disk"})
        await end_lookup_job(connection, job, "failed", DISK)
    else:
        if not ended or not await end_lookup_job(connection, job, "done"):
            result.unlink(missing_ok=True)
            await end_lookup_job(connection, job, "cancelled")
        log.info("lookup_ended", extra={"job": job.job_id})


async def _follow(connection: asyncpg.Connection, job: ClaimedJob, running: Generator[Progress, None, None]) -> bool:
    """Run to the end, storing progress; False when somebody wished for an end before, or has the job now."""
    told_at, last = monotonic(), None
    for progress in running:
        last = progress
        if monotonic() - told_at >= PROGRESS_EVERY_S:
            told_at = monotonic()
            if not await _tell(connection, job, progress):
                return False
    return last is None or await _tell(connection, job, last)


async def _tell(connection: asyncpg.Connection, job: ClaimedJob, progress: Progress) -> bool:
    counts = progress.counts
    return await note_lookup_progress(
        connection,
        job,
        progress.octets_done,
        (counts.rows, counts.valid, counts.invalid, counts.duplicates, counts.migrated),
    )


def main() -> int:
    """The exit code."""
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=WorkerOrders)
    step_behind_all()
    asyncio.run(work(orders))
    return 0


if __name__ == "__main__":
    sys.exit(main())
