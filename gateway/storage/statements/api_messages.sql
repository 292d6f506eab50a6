-- What customers read over HTTP: their messages and their postings, always by account first.

-- name: page_of_messages
-- Messages of an account below an id, newest first. At most $7 rows are looked at, so that a filter that fits nothing costs
-- no more than one that fits all. $3 from which id on, $4 states, $5 destination.
SELECT * FROM (
    SELECT * FROM messages WHERE account_id = $1 AND message_id < $2 AND message_id >= $3 ORDER BY message_id DESC LIMIT $7
) AS page
 WHERE ($4::text[] IS NULL OR state = ANY ($4)) AND ($5::text IS NULL OR destination_addr = $5)
 ORDER BY message_id DESC LIMIT $6;

-- name: edge_of_page
-- How far a page looked: the last of its rows, and how many they were.
SELECT min(message_id) AS last_id, count(*) AS looked_at FROM (
    SELECT message_id FROM messages WHERE account_id = $1 AND message_id < $2 AND message_id >= $3 ORDER BY message_id DESC LIMIT $4
) AS page;

-- name: find_message
-- One message of an account.
SELECT * FROM messages WHERE account_id = $1 AND message_id = $2;

-- name: page_of_postings
-- Postings of an account below an id, newest first.
SELECT posting_id, kind, from_purse, to_purse, amount_micros, message_count, reason, posted_at FROM ledger
 WHERE account_id = $1 AND posting_id < $2 AND ($3::text IS NULL OR kind = $3) ORDER BY posting_id DESC LIMIT $4;

-- name: balance
-- What an account has, and how far below zero it may go.
SELECT balance_micros, credit_limit_micros FROM accounts WHERE account_id = $1;
