"""Numbers looked up over HTTP: a few at once; files as jobs that a process of its own works on, also after a kill.

The worker is the real one, killed by its id. What must not enter: what an analysis says (tests/telecom), how tables
are read (tests/gateway/lookups).
"""

from __future__ import annotations

import csv
import os
import signal
from typing import Any

import aiohttp

from gateway.storage import facts, lookup_jobs
from tests.admin_api.conftest import Api, Reply
from tests.eventually import eventually

FILE = "nom;téléphone\nAfi;97000000\nKoffi;+229 01 97 00 00 00\nYao;hello\n".encode()
CSV = {"Content_Type": "text/csv"}


async def ended(api: Api, job_id: str) -> dict[str, Any]:
    """The job, once nobody works on it any more."""
    last: dict[str, Any] = {}

    async def is_over() -> bool:
        last.update((await api.ask("GET", f"/v1/lookup-jobs/{job_id}")).json)
        return last["status"] not in ("waiting", "running")

    await eventually(is_over, 60.0, "the job ends")
    return last


async def send(api: Api, body: bytes = FILE, query: str = "country=BJ") -> Reply:
    return await api.ask("POST", f"/v1/lookup-jobs?{query}", body, **CSV)


async def test_numbers_are_told_in_the_order_asked(api: Api) -> None:
    asked = {"numbers": ["97 00 00 00", "hello", "+33612345678"], "country": "bj"}
    reply = await api.ask("POST", "/v1/lookups", asked, Accept_Language="fr")
    assert (reply.status, reply.json["valid"], reply.json["invalid"]) == (200, 2, 1)
    first, second, third = reply.json["numbers"]
    assert (first["e164"], first["country"], first["type"]) == ("+2290197000000", "BJ", "mobile")
    assert first["operator"] == {"name": "MTN", "source": "plan", "portable": True}
    assert first["migrated_from"] == {"number": "+22997000000", "since": "2024-11-30"}
    assert (first["time_zones"], first["international"]) == (["Africa/Porto-Novo"], "+229 01 97 00 00 00")
    assert second["invalid"]["code"] == "not_digits"
    assert "chiffres" in second["invalid"]["detail"]
    assert third["given"] == "+33612345678"


async def test_ranges_of_the_gateway_name_the_operator(api: Api) -> None:
    await facts.add_number_range(api.ground.connection, "2290197", "616", "06", "Celtiis")

    async def is_own() -> bool:
        reply = await api.ask("POST", "/v1/lookups", {"numbers": "+2290197000000"})
        operator = reply.json["numbers"][0]["operator"]
        return bool(operator == {"name": "Celtiis", "source": "own", "portable": True, "mcc": "616", "mnc": "06"})

    await eventually(is_own, 10.0, "the range is in force")


async def test_faults_of_a_question_are_told_at_once(api: Api) -> None:
    reply = await api.ask("POST", "/v1/lookups", {"numbers": [5, "x" * 65], "country": "Benin", "more": 1})
    assert {".".join(map(str, each["loc"])) for each in reply.json["errors"]} == {
        "body.numbers.0",
        "body.numbers.1",
        "body.country",
        "body.more",
    }
    assert (await api.ask("POST", "/v1/lookups", {"numbers": ["1"] * 1001})).status == 400


async def test_a_file_becomes_a_result_that_its_account_may_fetch(api: Api) -> None:
    sent = await send(api, query="country=BJ&file_name=mes%20contacts.csv")
    assert (sent.status, sent.json["file_name"], sent.json["octets"]) == (202, "mes contacts.csv", len(FILE))
    job = await ended(api, sent.json["id"])
    assert (job["status"], job["progress"]) == ("done", 100.0)
    counts = {name: job[name] for name in ("rows", "valid", "invalid", "duplicates", "migrated")}
    assert counts == {"rows": 3, "valid": 2, "invalid": 1, "duplicates": 1, "migrated": 1}
    result = await api.ask("GET", job["result"])
    assert (result.status, result.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert "mescontacts-lookup.csv" in result.headers["Content-Disposition"]
    rows = list(csv.DictReader(result.text.splitlines(), delimiter=";"))
    assert [row["e164"] for row in rows] == ["2290197000000", "2290197000000", ""]
    listed = await api.ask("GET", "/v1/lookup-jobs")
    assert [each["id"] for each in listed.json["jobs"]] == [job["id"]]


async def test_multipart_is_taken_and_other_bodies_are_not(api: Api) -> None:
    form = aiohttp.FormData()
    form.add_field("remark", "no file")
    form.add_field("file", FILE, filename="contacts.csv", content_type="text/csv")
    headers = {"Authorization": f"Bearer {api.key}"}
    async with api.http.post(f"{api.url}/v1/lookup-jobs?country=BJ", data=form, headers=headers) as answer:
        told = await answer.json()
    assert (answer.status, told["file_name"]) == (202, "contacts.csv")
    assert (await ended(api, told["id"]))["rows"] == 3
    assert (await api.ask("POST", "/v1/lookup-jobs", {"numbers": []})).json["code"] == "not_a_file"
    broken = await api.ask("POST", "/v1/lookup-jobs", b"x", Content_Type="multipart/form-data; boundary=y")
    assert (broken.status, broken.json["code"]) == (415, "not_a_file")


async def test_a_file_of_no_numbers_is_told_with_its_remedy(api: Api) -> None:
    sent = await api.ask("POST", "/v1/lookup-jobs", b"name,city\nAfi,Cotonou\n", Accept_Language="fr", **CSV)
    job = await ended(api, sent.json["id"])
    assert (job["status"], job["failure"]["code"]) == ("failed", "no_number_column")
    told = (await api.ask("GET", f"/v1/lookup-jobs/{job['id']}", Accept_Language="fr")).json["failure"]
    assert told["detail"].startswith("aucune colonne")
    assert (await api.ask("GET", f"/v1/lookup-jobs/{job['id']}/result")).json["code"] == "not_done"


async def test_files_past_a_limit_leave_nothing(api: Api) -> None:
    spool = api.service.lookups.spool
    assert (await send(api, b"9" * 8193)).json["code"] == "body_too_large"
    assert list(spool.folder.iterdir()) == []
    (spool.folder / "filler.upload.csv").write_bytes(b"x" * 65_536)
    full = await send(api)
    assert (full.status, full.json["code"]) == (503, "spool_full")
    assert [file.name for file in spool.folder.iterdir()] == ["filler.upload.csv"]
    assert await api.ground.count("lookup_jobs") == 0


async def test_a_finished_file_is_its_accounts_own_and_is_forgotten_with_its_files(api: Api) -> None:
    job = await ended(api, (await send(api)).json["id"])
    ours = api.key
    other = await facts.add_account(api.ground.connection, "theirs", 0, None)
    api.key = await api.give_key(account_id=other)
    await eventually(lambda: other in api.service.book.accounts, 10.0, "the account is in the book")
    for method, path in (("GET", ""), ("GET", "/result"), ("DELETE", "")):
        assert (await api.ask(method, f"/v1/lookup-jobs/{job['id']}{path}")).json["code"] == "not_found"
    assert (await api.ask("GET", "/v1/lookup-jobs")).json["jobs"] == []
    for wrong in ("0", "x", "9" * 30, "-1"):
        assert (await api.ask("GET", f"/v1/lookup-jobs/{wrong}")).json["code"] == "not_found"

    api.key = ours
    assert len(list(api.service.lookups.spool.folder.iterdir())) == 2
    assert (await api.ask("DELETE", f"/v1/lookup-jobs/{job['id']}")).status == 200
    assert list(api.service.lookups.spool.folder.iterdir()) == []
    assert (await api.ask("GET", f"/v1/lookup-jobs/{job['id']}")).json["code"] == "not_found"


async def hold_up_workers(api: Api) -> None:
    """A worker that claimed a job cannot read the ranges until the lock goes."""
    await api.ground.connection.execute("BEGIN; LOCK TABLE number_ranges IN ACCESS EXCLUSIVE MODE")


async def test_a_cancelled_file_has_no_result(api: Api) -> None:
    await hold_up_workers(api)
    first, second = (await send(api)).json["id"], (await send(api)).json["id"]
    waiting = await api.ask("DELETE", f"/v1/lookup-jobs/{second}")
    assert waiting.json["status"] in ("cancelled", "running", "waiting")
    await api.ask("DELETE", f"/v1/lookup-jobs/{first}")
    await api.ground.connection.execute("COMMIT")
    for job_id in (first, second):
        job = await ended(api, job_id)
        assert (job["status"], job.get("result")) == ("cancelled", None)
    assert not [file for file in api.service.lookups.spool.folder.iterdir() if "result" in file.name]


async def test_a_killed_worker_is_followed_by_another_that_begins_anew(api: Api) -> None:
    await hold_up_workers(api)
    job_id = (await send(api)).json["id"]
    taken = "SELECT count(*) FROM lookup_jobs WHERE state = 'running'"

    async def is_taken() -> bool:
        return bool(await api.ground.connection.fetchval(taken))

    await eventually(is_taken, 60.0, "a worker has the job")
    worker = api.service.lookups.worker
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    await api.ground.connection.execute("COMMIT")
    await api.ground.connection.execute("UPDATE lookup_jobs SET claimed_until = now() - interval '1 s'")
    job = await ended(api, job_id)
    assert (job["status"], job["rows"]) == ("done", 3)
    row = await api.ground.connection.fetchrow("SELECT attempt FROM lookup_jobs")
    assert row is not None
    assert row["attempt"] == 2
    names = sorted(file.name.partition(".")[2] for file in api.service.lookups.spool.folder.iterdir())
    assert names == ["2.result.csv", "upload.csv"]


async def test_what_a_former_worker_writes_finds_no_row(api: Api) -> None:
    connection = api.ground.connection
    new = lookup_jobs.NewLookupJob(api.ground.account_id, "nothing", "x.csv", 1, "", None, "en")
    await connection.execute("BEGIN")  # nobody else sees the job
    await lookup_jobs.add_lookup_job(connection, new)
    first = await lookup_jobs.claim_lookup_job(connection)
    assert first is not None
    await connection.execute("UPDATE lookup_jobs SET claimed_until = now() - interval '1 s'")
    second = await lookup_jobs.claim_lookup_job(connection)
    assert second is not None
    assert (second.job_id, second.attempt) == (first.job_id, 2)
    counts = (1, 1, 0, 0, 0)
    assert not await lookup_jobs.note_lookup_progress(connection, first, 1, counts)
    assert not await lookup_jobs.end_lookup_job(connection, first, "done")
    assert await lookup_jobs.note_lookup_progress(connection, second, 1, counts)
    assert await lookup_jobs.end_lookup_job(connection, second, "done")
    await connection.execute("ROLLBACK")


async def test_open_files_of_an_account_are_bounded_and_old_ones_go(api: Api) -> None:
    connection = api.ground.connection
    await connection.execute("BEGIN")  # no worker sees them
    for number in range(lookup_jobs.OPEN_JOBS + 1):
        new = lookup_jobs.NewLookupJob(api.ground.account_id, f"u{number}", "x.csv", 1, "", None, "en")
        made = await lookup_jobs.add_lookup_job(connection, new)
        assert (made is None) == (number == lookup_jobs.OPEN_JOBS)
    await connection.execute(
        "UPDATE lookup_jobs SET state = 'done', finished_at = now() - interval '2 hours' WHERE upload = 'u0'"
    )
    assert await lookup_jobs.bury_lookup_jobs(connection, 1) == ["u0"]
    assert await lookup_jobs.known_uploads(connection, ["u0", "u1"]) == {"u1"}
    await connection.execute("ROLLBACK")
