"""/v1/lookup-jobs: files of numbers sent, followed, fetched, ended. The work itself is another process's.

A file streams to the spool as it comes, raw or as multipart, and is a job only when it lies there whole. Another
account's job is not found. What must not enter: reading the file (gateway.lookups), the worker's life (lookup_desk.py).
"""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from pathlib import PurePath
from typing import Final

from aiohttp import BodyPartReader, MultipartReader, web

from admin_api.languages import Language, Words
from admin_api.lookups import country_of
from admin_api.message_reading import BAD_CURSOR
from admin_api.models_lookups import AskJob, JobFault, ListJobs, LookupJob, LookupJobs
from admin_api.problems import Fault, Problem
from admin_api.reading import NUL
from admin_api.service import Answer, Call, Service
from gateway.lookups.file_faults import sentences_of
from gateway.lookups.spool import SpoolFull, Upload
from gateway.lookups.table_shape import FileRefused
from gateway.storage import lookup_jobs as rows

CHUNK_OCTETS: Final = 256 * 1024
LIST: Final = "lookup-jobs"
LONGEST_NAME: Final = 200
RAW_TYPES: Final = frozenset({"text/csv", "text/plain", "application/octet-stream", "application/csv"})
_OUR_FAULTS: Final = {
    "worker_lost": (
        Words(
            "the file ended the process that works on it, several times",
            "le fichier a mis fin au processus, plusieurs fois",
        ),
        Words("split it, and tell your operator", "le partager, et prévenir votre opérateur"),
    ),
    "disk": (
        Words("the result could not be written", "le résultat n'a pas pu être écrit"),
        Words("send the file again later", "renvoyer le fichier plus tard"),
    ),
}


async def send_file(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/lookup-jobs."""
    asked: AskJob = call.query
    assert call.request is not None
    if "\0" in f"{asked.column}{asked.file_name}":
        return Problem("invalid_request", NUL)
    source = await source_of(call.request, RAW_TYPES)
    if source is None:
        return Problem("not_a_file")
    chunks, name = source
    try:
        upload = service.lookups.spool.begin()
    except SpoolFull:
        return Problem("spool_full")
    kept = False
    try:
        problem = await _write(upload, chunks, service.configuration.admin_api.lookups.file_octets)
        if problem is not None:
            return problem
        new = rows.NewLookupJob(
            call.account_id,
            upload.name,
            (asked.file_name or name or "numbers.csv").replace("\0", "")[:LONGEST_NAME],
            upload.octets,
            asked.column or "",
            country_of(service, call, asked.country),
            call.language,
        )
        job_id = await service.reader.run(lambda connection: rows.add_lookup_job(connection, new))
        kept = job_id is not None
    finally:
        if not kept:
            upload.drop()
    if job_id is None:
        return Problem("too_many_jobs")
    service.lookups.wake()
    job = await _find(service, call, str(job_id))
    return Problem("not_found") if job is None else Answer(describe(job, call.language))


async def show_jobs(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/lookup-jobs."""
    asked: ListJobs = call.query
    before = rows.LAST_ID
    if asked.cursor is not None:
        before = service.cursors.read(call.account_id, LIST, None, asked.cursor) or 0
        if not before:
            return Problem("invalid_request", errors=[Fault(("query", "cursor"), "cursor", BAD_CURSOR)])
    most = asked.limit
    found = await service.reader.run(lambda c: rows.list_lookup_jobs(c, call.account_id, before, most + 1))
    page = found[:most]
    more = service.cursors.make(call.account_id, LIST, None, page[-1].job_id) if len(found) > most else None
    return Answer(LookupJobs([describe(job, call.language) for job in page], more))


async def show_job(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/lookup-jobs/{id}."""
    job = await _find(service, call, call.path["id"])
    return Problem("not_found") if job is None else Answer(describe(job, call.language))


async def fetch_result(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/lookup-jobs/{id}/result."""
    job = await _find(service, call, call.path["id"])
    if job is None:
        return Problem("not_found")
    if job.state != "done":
        return Problem("not_done")
    file = service.lookups.spool.result_of(job.upload, job.attempt)
    if not file.is_file():
        return Problem("not_found")
    stem = (
        "".join(ch for ch in PurePath(job.file_name).stem if ch.isascii() and (ch.isalnum() or ch in "-_")) or "numbers"
    )
    return Answer(file=file, headers={"Content-Disposition": f'attachment; filename="{stem}-lookup.csv"'})


async def end_job(service: Service, call: Call) -> Answer | Problem:
    """DELETE /v1/lookup-jobs/{id}: one at work is cancelled, a finished one is forgotten with its files."""
    job = await _find(service, call, call.path["id"])
    if job is None:
        return Problem("not_found")
    account_id, job_id = call.account_id, job.job_id
    if await service.reader.run(lambda connection: rows.cancel_lookup_job(connection, account_id, job_id)):
        job = await _find(service, call, call.path["id"])
        return Problem("not_found") if job is None else Answer(describe(job, call.language))
    upload = await service.reader.run(lambda connection: rows.forget_lookup_job(connection, account_id, job_id))
    if upload is not None:
        service.lookups.spool.remove(upload)
    return Answer(describe(job, call.language))


async def _find(service: Service, call: Call, text: str) -> rows.LookupJobRow | None:
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(rows.LAST_ID)) or int(text) > rows.LAST_ID:
        return None
    return await service.reader.run(lambda connection: rows.find_lookup_job(connection, call.account_id, int(text)))


async def source_of(request: web.Request, raw_types: frozenset[str]) -> tuple[AsyncIterator[bytes], str] | None:
    """The octets of a file and its name: the body of one of these types, or a part of a form; None: it is no file."""
    if request.content_type == "multipart/form-data":
        try:
            part = await _file_part(await request.multipart())
        except ValueError:
            return None
        return None if part is None else (_chunks_of(part), part.filename or "")
    if request.content_type in raw_types:
        return request.content.iter_chunked(CHUNK_OCTETS), ""
    return None


async def _file_part(reader: MultipartReader) -> BodyPartReader | None:
    """The first part that is a file."""
    while (part := await reader.next()) is not None:
        if isinstance(part, BodyPartReader) and part.filename is not None:
            return part
    return None


async def _chunks_of(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(CHUNK_OCTETS):
        yield chunk


async def _write(upload: Upload, chunks: AsyncIterator[bytes], limit_octets: int) -> Problem | None:
    """All of it to the disk, or what keeps it from there."""
    try:
        async for chunk in chunks:
            upload.write(chunk)
            if upload.octets > limit_octets:
                return Problem("body_too_large")
        upload.keep()
    except SpoolFull:
        return Problem("spool_full")
    except ValueError:  # multipart that ends within a part
        return Problem("not_a_file")
    return None


def describe(job: rows.LookupJobRow, language: Language) -> LookupJob:
    """A job as its customer sees it."""
    return LookupJob(
        id=str(job.job_id),
        status=job.state,
        file_name=job.file_name,
        octets=job.octets,
        progress=100.0 if job.state == "done" else round(100 * job.octets_done / max(1, job.octets), 1),
        rows=job.rows,
        valid=job.valid,
        invalid=job.invalid,
        duplicates=job.duplicates,
        migrated=job.migrated,
        created_at=_time(job.created_at) or "",
        started_at=_time(job.started_at),
        finished_at=_time(job.finished_at),
        result=f"/v1/lookup-jobs/{job.job_id}/result" if job.state == "done" else None,
        failure=_failure(job, language) if job.state == "failed" else None,
    )


def _failure(job: rows.LookupJobRow, language: Language) -> JobFault:
    ours = _OUR_FAULTS.get(job.reason)
    if ours is not None:
        return JobFault(job.reason, ours[0].say(language), ours[1].say(language))
    complaint, remedy = sentences_of(FileRefused(job.reason, job.reason_given), language)  # type: ignore[arg-type]  # stored from there
    return JobFault(job.reason, complaint, remedy)


def _time(moment: datetime.datetime | None) -> str | None:
    return (
        None
        if moment is None
        else moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
