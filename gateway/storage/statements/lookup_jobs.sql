-- Files of numbers to be analysed: rows that customers make and read, and that one worker at a time works on.

-- name: add_lookup_job
-- A file that lies in the spool; nothing when the account has as many open jobs as it may.
INSERT INTO lookup_jobs (account_id, upload, file_name, octets, column_wish, default_region, language)
SELECT $1, $2, $3, $4, $5, $6, $7
WHERE (SELECT count(*) FROM lookup_jobs WHERE account_id = $1 AND state IN ('waiting', 'running')) < $8
RETURNING job_id;

-- name: find_lookup_job
-- One job of an account.
SELECT job_id, upload, file_name, octets, state, attempt, octets_done, rows, valid, invalid, duplicates, migrated, reason,
    reason_given, cancel_wanted, created_at, started_at, finished_at
FROM lookup_jobs WHERE account_id = $1 AND job_id = $2;

-- name: list_lookup_jobs
-- A page of an account's jobs, newest first.
SELECT job_id, upload, file_name, octets, state, attempt, octets_done, rows, valid, invalid, duplicates, migrated, reason,
    reason_given, cancel_wanted, created_at, started_at, finished_at
FROM lookup_jobs WHERE account_id = $1 AND job_id < $2 ORDER BY job_id DESC LIMIT $3;

-- name: claim_lookup_job
-- The oldest job that waits, or whose worker was lost: ours for so many seconds.
UPDATE lookup_jobs SET state = 'running', attempt = attempt + 1, claimed_until = clock_timestamp() + make_interval(secs => $1),
    started_at = coalesce(started_at, clock_timestamp()), octets_done = 0, rows = 0, valid = 0, invalid = 0, duplicates = 0, migrated = 0
WHERE job_id = (
    SELECT job_id FROM lookup_jobs
    WHERE state = 'waiting' OR (state = 'running' AND claimed_until < clock_timestamp())
    ORDER BY job_id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING job_id, account_id, upload, attempt, column_wish, default_region, language, cancel_wanted;

-- name: note_lookup_progress
-- How far a job is, and ours for so many seconds more; nothing when another worker has it. Tells whether to stop.
UPDATE lookup_jobs SET octets_done = $3, rows = $4, valid = $5, invalid = $6, duplicates = $7, migrated = $8,
    claimed_until = clock_timestamp() + make_interval(secs => $9)
WHERE job_id = $1 AND attempt = $2 AND state = 'running' RETURNING cancel_wanted;

-- name: end_lookup_job
-- What became of a job; nothing when another worker has it.
UPDATE lookup_jobs SET state = $3, reason = $4, reason_given = $5, finished_at = clock_timestamp()
WHERE job_id = $1 AND attempt = $2 AND state = 'running' RETURNING job_id;

-- name: cancel_lookup_job
-- A job that waits ends at once, one at work when its worker looks.
UPDATE lookup_jobs SET cancel_wanted = true, state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE state END,
    finished_at = CASE state WHEN 'waiting' THEN clock_timestamp() ELSE finished_at END
WHERE account_id = $1 AND job_id = $2 AND state IN ('waiting', 'running') RETURNING state;

-- name: forget_lookup_job
-- A finished job; its files go with it.
DELETE FROM lookup_jobs WHERE account_id = $1 AND job_id = $2 AND state NOT IN ('waiting', 'running') RETURNING upload;

-- name: bury_lookup_jobs
-- Finished jobs that nobody may ask for any more.
DELETE FROM lookup_jobs WHERE finished_at < clock_timestamp() - make_interval(hours => $1) RETURNING upload;

-- name: known_uploads
-- Which of these files belong to a job.
SELECT upload FROM lookup_jobs WHERE upload = ANY ($1::text[]);

-- name: lookup_jobs_open
-- Whether there is work for a worker.
SELECT EXISTS (
    SELECT FROM lookup_jobs WHERE state = 'waiting' OR (state = 'running' AND claimed_until < clock_timestamp()));
