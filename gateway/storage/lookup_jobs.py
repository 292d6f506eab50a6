"""Typed functions over statements/lookup_jobs.sql: files of numbers, from upload to result.

A job is its worker's by attempt: whoever took it over since has another one, and what the former writes finds no row.
What must not enter: files, the analysis (gateway.lookups).
"""

from __future__ import annotations

import datetime
from typing import Final, Literal

import asyncpg
import msgspec

from gateway.storage.named_statements import load_statements

OPEN_JOBS: Final = 10  # chosen: files of one account that wait or are worked on
CLAIM_S: Final = 20.0  # chosen: after so long without a word a worker counts as lost
MOST_ATTEMPTS: Final = 5  # chosen: a file that ends its worker so often is at fault itself
LAST_ID: Final = 2**63 - 1

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]

_SQL = load_statements("lookup_jobs.sql")


class NewLookupJob(msgspec.Struct, frozen=True):
    """A file in the spool. upload: its name there; column_wish "": to be found."""

    account_id: int
    upload: str
    file_name: str
    octets: int
    column_wish: str
    default_region: str | None
    language: str


class LookupJobRow(msgspec.Struct, frozen=True):
    """A job as its customer may see it. reason: a file's fault, or "worker_lost"."""

    job_id: int
    upload: str
    file_name: str
    octets: int
    state: JobState
    attempt: int
    octets_done: int
    rows: int
    valid: int
    invalid: int
    duplicates: int
    migrated: int
    reason: str
    reason_given: str
    cancel_wanted: bool
    created_at: datetime.datetime
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None


class ClaimedJob(msgspec.Struct, frozen=True):
    """A job to be worked on."""

    job_id: int
    account_id: int
    upload: str
    attempt: int
    column_wish: str
    default_region: str | None
    language: Literal["en", "fr"]
    cancel_wanted: bool


async def add_lookup_job(connection: asyncpg.Connection, new: NewLookupJob) -> int | None:
    """The id of the new job; None when the account has OPEN_JOBS already."""
    job_id: int | None = await connection.fetchval(_SQL["add_lookup_job"], *msgspec.structs.astuple(new), OPEN_JOBS)
    return job_id


async def find_lookup_job(connection: asyncpg.Connection, account_id: int, job_id: int) -> LookupJobRow | None:
    """A job of an account."""
    row = await connection.fetchrow(_SQL["find_lookup_job"], account_id, job_id)
    return None if row is None else LookupJobRow(*row)


async def list_lookup_jobs(
    connection: asyncpg.Connection, account_id: int, before: int, most: int
) -> list[LookupJobRow]:
    """Jobs of an account with smaller ids, newest first."""
    return [LookupJobRow(*row) for row in await connection.fetch(_SQL["list_lookup_jobs"], account_id, before, most)]


async def claim_lookup_job(connection: asyncpg.Connection) -> ClaimedJob | None:
    """The next job to work on, for CLAIM_S seconds."""
    row = await connection.fetchrow(_SQL["claim_lookup_job"], CLAIM_S)
    return None if row is None else ClaimedJob(*row)


async def note_lookup_progress(
    connection: asyncpg.Connection, job: ClaimedJob, octets_done: int, counts: tuple[int, int, int, int, int]
) -> bool:
    """Store how far it is; whether to go on. counts: rows, valid, invalid, duplicates, migrated."""
    cancel_wanted = await connection.fetchval(
        _SQL["note_lookup_progress"], job.job_id, job.attempt, octets_done, *counts, CLAIM_S
    )
    return cancel_wanted is False


async def end_lookup_job(
    connection: asyncpg.Connection, job: ClaimedJob, state: JobState, reason: str = "", given: str = ""
) -> bool:
    """Store what became of it; False when another worker has it."""
    return await connection.fetchval(_SQL["end_lookup_job"], job.job_id, job.attempt, state, reason, given) is not None


async def cancel_lookup_job(connection: asyncpg.Connection, account_id: int, job_id: int) -> bool:
    """Wish for its end; False when it ended before, or is not the account's."""
    return await connection.fetchval(_SQL["cancel_lookup_job"], account_id, job_id) is not None


async def forget_lookup_job(connection: asyncpg.Connection, account_id: int, job_id: int) -> str | None:
    """Delete a finished job; the name of its files."""
    upload: str | None = await connection.fetchval(_SQL["forget_lookup_job"], account_id, job_id)
    return upload


async def bury_lookup_jobs(connection: asyncpg.Connection, kept_h: int) -> list[str]:
    """Delete what finished so long ago; the names of their files."""
    return [row["upload"] for row in await connection.fetch(_SQL["bury_lookup_jobs"], kept_h)]


async def known_uploads(connection: asyncpg.Connection, names: list[str]) -> set[str]:
    """Those that belong to a job."""
    return {row["upload"] for row in await connection.fetch(_SQL["known_uploads"], names)}


async def has_open_jobs(connection: asyncpg.Connection) -> bool:
    """Whether there is work that nobody does."""
    return bool(await connection.fetchval(_SQL["lookup_jobs_open"]))
