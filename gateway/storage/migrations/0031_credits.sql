-- Credit as people move it: what customers order, what operators propose and approve, and the one function by which the
-- HTTP API gives credit. A move that is applied has its postings; the ledger's kinds are what they were.

CREATE TABLE credit_orders (
    order_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id        integer NOT NULL REFERENCES accounts,
    state             text NOT NULL DEFAULT 'placed'
                      CHECK (state IN ('placed', 'paid', 'credited', 'refused', 'cancelled', 'expired')),
    amount_micros     bigint NOT NULL CHECK (amount_micros > 0),
    contact_name      text NOT NULL,
    email             text NOT NULL,
    phone             text NOT NULL,                -- digits of E.164, or nothing
    note              text NOT NULL,
    reference         text NOT NULL,                -- the customer's own
    language          text NOT NULL CHECK (language IN ('en', 'fr')),
    idempotency_key   text NOT NULL,                -- nothing: none
    body_hash         bytea NOT NULL,
    placed_at         timestamptz NOT NULL DEFAULT now(),
    expires_at        timestamptz NOT NULL,         -- an order that nobody paid by then
    payment_method    text NOT NULL DEFAULT '',
    payment_reference text NOT NULL DEFAULT '',
    payment_amount    numeric(18, 2),               -- money of a currency, not credit
    payment_currency  text NOT NULL DEFAULT '',
    paid_on           date,
    paid_by           text NOT NULL DEFAULT '',     -- who recorded the payment
    ended_by          text NOT NULL DEFAULT '',
    ended_at          timestamptz,
    reason            text NOT NULL DEFAULT '',     -- of a refusal
    CONSTRAINT payment_is_whole CHECK ((payment_method <> '') = (paid_on IS NOT NULL)
                                   AND (payment_method <> '' OR state NOT IN ('paid', 'credited'))),
    CONSTRAINT refusal_has_reason CHECK (state <> 'refused' OR reason <> '')
);
CREATE INDEX credit_orders_by_account ON credit_orders (account_id, order_id);
CREATE INDEX credit_orders_open ON credit_orders (expires_at) WHERE state = 'placed';
CREATE UNIQUE INDEX order_is_placed_once ON credit_orders (account_id, idempotency_key) WHERE idempotency_key <> '';

CREATE TABLE credit_moves (
    move_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id       integer NOT NULL REFERENCES accounts,
    kind             text NOT NULL CHECK (kind IN ('top_up', 'adjustment', 'refund', 'credit_limit', 'transfer')),
    amount_micros    bigint NOT NULL,               -- what the balance changes by; of credit_limit: the new limit
    payer_id         integer REFERENCES accounts,   -- of a transfer: whose balance falls by as much
    order_id         bigint REFERENCES credit_orders,
    reason           text NOT NULL CHECK (reason <> ''),
    weight_micros    bigint NOT NULL CHECK (weight_micros >= 0), -- what counts towards the amount one person may move alone
    alone            boolean NOT NULL,              -- it needs no second person
    state            text NOT NULL DEFAULT 'proposed'
                     CHECK (state IN ('proposed', 'applied', 'declined', 'withdrawn', 'expired')),
    proposed_by_id   integer,                       -- a user; NULL: a person at the command line
    proposed_by      text NOT NULL,
    proposed_at      timestamptz NOT NULL DEFAULT now(),
    expires_at       timestamptz NOT NULL,
    decided_by_id    integer,
    decided_by       text NOT NULL DEFAULT '',
    decided_at       timestamptz,
    decision         text NOT NULL DEFAULT '',      -- why it was declined
    posting_id       bigint UNIQUE REFERENCES ledger,
    payer_posting_id bigint UNIQUE REFERENCES ledger,
    idempotency_key  text NOT NULL,
    body_hash        bytea NOT NULL,
    CONSTRAINT amount_fits_kind CHECK (CASE kind WHEN 'adjustment' THEN amount_micros <> 0 WHEN 'refund' THEN amount_micros < 0
                                                 WHEN 'credit_limit' THEN amount_micros >= 0 ELSE amount_micros > 0 END),
    CONSTRAINT transfer_has_payer CHECK ((kind = 'transfer') = (payer_id IS NOT NULL) AND payer_id IS DISTINCT FROM account_id),
    CONSTRAINT orders_are_topped_up CHECK (order_id IS NULL OR kind = 'top_up'),
    CONSTRAINT four_eyes CHECK (state <> 'applied' OR alone OR (decided_by_id <> proposed_by_id) IS TRUE),
    CONSTRAINT applied_is_posted CHECK ((posting_id IS NOT NULL) = (state = 'applied' AND kind <> 'credit_limit')
                                    AND (payer_posting_id IS NOT NULL) = (state = 'applied' AND kind = 'transfer'))
);
CREATE INDEX credit_moves_by_account ON credit_moves (account_id, move_id);
CREATE INDEX credit_moves_open ON credit_moves (expires_at) WHERE state = 'proposed';
CREATE INDEX credit_moves_alone ON credit_moves (proposed_by_id, proposed_at) WHERE alone;
CREATE UNIQUE INDEX order_is_credited_once ON credit_moves (order_id) WHERE state IN ('proposed', 'applied');
CREATE UNIQUE INDEX move_is_asked_once ON credit_moves (coalesce(proposed_by_id, 0), idempotency_key) WHERE idempotency_key <> '';

-- Applies a proposed move once: postings, balance, the move, and the order it is of, or nothing at all. It answers "applied",
-- or in a word why not. Locks in this order: order, move, accounts by number.
CREATE FUNCTION apply_credit_move(wanted_id bigint, by_id integer, by_name text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    most constant bigint := 4000000000000000000;    -- balance and limit together stay within a bigint
    move credit_moves;
    payee accounts;
    payer accounts;
    posted bigint;
    payer_posted bigint;
BEGIN
    PERFORM FROM credit_orders o JOIN credit_moves m USING (order_id) WHERE m.move_id = wanted_id FOR UPDATE OF o;
    SELECT * INTO move FROM credit_moves WHERE move_id = wanted_id FOR UPDATE;
    IF NOT FOUND OR move.state <> 'proposed' THEN RETURN 'not_proposed'; END IF;
    IF move.expires_at <= clock_timestamp() THEN RETURN 'expired'; END IF;
    IF NOT move.alone AND (by_id <> move.proposed_by_id) IS NOT TRUE THEN RETURN 'same_person'; END IF;
    IF move.order_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM credit_orders o WHERE o.order_id = move.order_id AND o.state = 'paid' AND o.account_id = move.account_id
           AND o.amount_micros = move.amount_micros) THEN
        RETURN 'order_not_paid';
    END IF;
    PERFORM FROM accounts WHERE account_id IN (move.account_id, move.payer_id) ORDER BY account_id FOR NO KEY UPDATE;
    SELECT * INTO payee FROM accounts WHERE account_id = move.account_id;
    SELECT * INTO payer FROM accounts WHERE account_id = move.payer_id;
    IF payee.state = 'closed' AND NOT (move.kind = 'refund' OR move.amount_micros < 0) THEN RETURN 'account_closed'; END IF;
    IF payer.state <> 'active' THEN RETURN 'payer_not_active'; END IF;
    IF move.kind = 'credit_limit' THEN
        IF payee.balance_micros + move.amount_micros < 0 THEN RETURN 'insufficient_credit'; END IF;
        IF move.amount_micros > most THEN RETURN 'balance_too_high'; END IF;
        UPDATE accounts SET credit_limit_micros = move.amount_micros WHERE account_id = move.account_id;
    ELSE
        IF payee.balance_micros + payee.credit_limit_micros + move.amount_micros < 0 AND move.amount_micros < 0
        OR payer.balance_micros < move.amount_micros THEN
            RETURN 'insufficient_credit';
        END IF;
        IF move.amount_micros > 0 AND payee.balance_micros > most - move.amount_micros THEN RETURN 'balance_too_high'; END IF;
        INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros, reason)
        VALUES (move.account_id, CASE move.kind WHEN 'transfer' THEN 'top_up' ELSE move.kind END,
                CASE WHEN move.amount_micros > 0 THEN 'funding' ELSE 'available' END,
                CASE WHEN move.amount_micros > 0 THEN 'available' ELSE 'funding' END, abs(move.amount_micros), move.reason)
        RETURNING posting_id INTO posted;
        UPDATE accounts SET balance_micros = balance_micros + move.amount_micros WHERE account_id = move.account_id;
        IF move.payer_id IS NOT NULL THEN
            INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros, reason)
            VALUES (move.payer_id, 'adjustment', 'available', 'funding', move.amount_micros, move.reason)
            RETURNING posting_id INTO payer_posted;
            UPDATE accounts SET balance_micros = balance_micros - move.amount_micros WHERE account_id = move.payer_id;
        END IF;
    END IF;
    UPDATE credit_moves SET state = 'applied', decided_by_id = by_id, decided_by = by_name, decided_at = clock_timestamp(),
           posting_id = posted, payer_posting_id = payer_posted
     WHERE move_id = wanted_id;
    UPDATE credit_orders SET state = 'credited', ended_by = by_name, ended_at = clock_timestamp() WHERE order_id = move.order_id;
    RETURN 'applied';
END $$;
REVOKE ALL ON FUNCTION apply_credit_move FROM PUBLIC;
GRANT EXECUTE ON FUNCTION apply_credit_move TO passerelle_operators;

-- A customer's request places orders and cancels his own; what operators ask records, proposes and declines. Applied or
-- credited is written by the function only, and nothing that ended changes any more.
GRANT SELECT ON credit_orders TO passerelle_api, passerelle_operators;
GRANT INSERT (account_id, amount_micros, contact_name, email, phone, note, reference, language, idempotency_key, body_hash,
              expires_at) ON credit_orders TO passerelle_api;
GRANT UPDATE (state, ended_by, ended_at, reason) ON credit_orders TO passerelle_api;
GRANT UPDATE (state, payment_method, payment_reference, payment_amount, payment_currency, paid_on, paid_by, ended_by, ended_at,
              reason) ON credit_orders TO passerelle_operators;
GRANT SELECT ON credit_moves TO passerelle_operators;
GRANT INSERT (account_id, kind, amount_micros, payer_id, order_id, reason, weight_micros, alone, proposed_by_id, proposed_by,
              expires_at, idempotency_key, body_hash) ON credit_moves TO passerelle_operators;
GRANT UPDATE (state, decided_by_id, decided_by, decided_at, decision) ON credit_moves TO passerelle_operators;
ALTER TABLE credit_orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY others ON credit_orders USING (current_user NOT IN ('passerelle_api', 'passerelle_operators'));
CREATE POLICY everybody_reads ON credit_orders FOR SELECT USING (true);
CREATE POLICY customers_place ON credit_orders FOR INSERT TO passerelle_api WITH CHECK (true);
CREATE POLICY customers_cancel ON credit_orders FOR UPDATE TO passerelle_api
    USING (state = 'placed') WITH CHECK (state = 'cancelled');
CREATE POLICY operators_record ON credit_orders FOR UPDATE TO passerelle_operators
    USING (state IN ('placed', 'paid')) WITH CHECK (state <> 'credited');
ALTER TABLE credit_moves ENABLE ROW LEVEL SECURITY;
CREATE POLICY others ON credit_moves USING (current_user <> 'passerelle_operators');
CREATE POLICY operators_read ON credit_moves FOR SELECT TO passerelle_operators USING (true);
CREATE POLICY operators_propose ON credit_moves FOR INSERT TO passerelle_operators WITH CHECK (true);
CREATE POLICY operators_end ON credit_moves FOR UPDATE TO passerelle_operators
    USING (state = 'proposed') WITH CHECK (state <> 'applied');
