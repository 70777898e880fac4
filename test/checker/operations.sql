-- What the checker's clients do, each with its own entry in a history that
-- commits and rolls back with it.  Nothing here chooses: the choices are the
-- arguments, so that a seed repeats them.

\ir common.sql

CREATE SEQUENCE checker.claim_numbers CACHE 50;

CREATE TABLE checker.transactions (client int NOT NULL, number int NOT NULL);

-- a message is known by the first word of its body, also after a redrive
CREATE TABLE checker.sent (
	key text NOT NULL,
	message_id bigint NOT NULL,
	queue text NOT NULL,
	xact xid8 NOT NULL,
	due_at timestamptz NOT NULL		-- not before
);

CREATE TABLE checker.claims (
	claim bigint NOT NULL,
	client int NOT NULL,
	xact xid8 NOT NULL,
	queue text NOT NULL,
	key text NOT NULL,
	message_id bigint NOT NULL,
	original_id bigint,
	receive_count int NOT NULL,
	dead_letter_source text,
	visible_at timestamptz NOT NULL,	-- as the receive said
	begun_at timestamptz NOT NULL,
	taken_at timestamptz NOT NULL
);

-- what became of a claim: delete, or back (change_visibility, nack)
CREATE TABLE checker.ends (
	claim bigint NOT NULL,
	xact xid8 NOT NULL,
	what text NOT NULL,
	good boolean NOT NULL,				-- what the call said
	hidden_until timestamptz,			-- not before
	at timestamptz NOT NULL
);

-- the receipts that clients have in hand
CREATE TABLE checker.held (
	client int NOT NULL,
	number int NOT NULL,				-- the transaction that received
	claim bigint NOT NULL,
	queue text NOT NULL,
	receipt decouple.receipt NOT NULL
);
CREATE INDEX ON checker.held (client, claim);
CREATE INDEX ON checker.held (client, number);

-- what the driver loads in the end: each receive of a message, those that were
-- rolled back too; and what clients were told
CREATE TABLE checker.attempts (message_id bigint NOT NULL);
CREATE TABLE checker.told (what text NOT NULL, client int NOT NULL, number int NOT NULL);

CREATE FUNCTION checker.mark(client int, number int) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO checker.transactions VALUES (client, number);
	RETURN format('%s %s', client, number);
END $$;

-- size: bytes beside the key
CREATE FUNCTION checker.send(queue text, key text, count int, delay_ms int, size int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	delay interval := delay_ms * '1 ms'::interval;
	due timestamptz := clock_timestamp() + coalesce(delay, '0');
	keys text[] := ARRAY(SELECT format('%s.%s', key, i) FROM generate_series(1, count) i);
	bodies text[] := ARRAY(SELECT k || ' ' || repeat('x', size) FROM unnest(keys) k);
BEGIN
	PERFORM nextval('checker.operations');
	IF count = 1 THEN
		INSERT INTO checker.sent
			VALUES (keys[1], decouple.send(queue, bodies[1], delay), queue, pg_current_xact_id(), due);
	ELSE
		INSERT INTO checker.sent
			SELECT keys[n], id, queue, pg_current_xact_id(), due
			FROM decouple.send_batch(queue, bodies, delay) WITH ORDINALITY AS ids (id, n);
	END IF;
END $$;

-- Says in the server's log what it asks for and gets: a rollback leaves no
-- other trace, and what it took back counts, at most once.
CREATE FUNCTION checker.receive(client int, number int, queue text, count int, timeout_ms int, wait_ms int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	begun timestamptz := clock_timestamp();
	took text;
BEGIN
	PERFORM nextval('checker.operations');
	RAISE LOG 'checker asks for %', count;
	WITH r AS MATERIALIZED (
		SELECT nextval('checker.claim_numbers') AS claim, m.*, clock_timestamp() AS taken_at
		FROM decouple.receive(queue, count, timeout_ms * '1 ms'::interval, wait_ms * '1 ms'::interval) m),
	noted AS (
		INSERT INTO checker.claims
		SELECT r.claim, receive.client, pg_current_xact_id(), r.queue::text, split_part(r.body, ' ', 1),
			r.message_id, r.original_id, r.receive_count, r.dead_letter_source::text, r.visible_at, begun, r.taken_at
		FROM r),
	kept AS (
		INSERT INTO checker.held
		SELECT receive.client, receive.number, r.claim, r.queue::text, r.receipt FROM r)
	SELECT string_agg(r.message_id::text, ',') INTO took FROM r;
	RAISE LOG 'checker took {%} of %', coalesce(took, ''), count;
END $$;

-- Settles one receipt in hand: 'delete', 'change' with its timeout, 'nack'
-- with or without one.
CREATE FUNCTION checker.settle_one(h checker.held, what text, timeout_ms int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	begun timestamptz := clock_timestamp();
	timeout interval := timeout_ms * '1 ms'::interval;
	good boolean;
BEGIN
	CASE what
		WHEN 'delete' THEN good := decouple.delete(h.queue, h.receipt);
		WHEN 'change' THEN good := decouple.change_visibility(h.queue, h.receipt, timeout);
		WHEN 'nack' THEN good := decouple.nack(h.queue, h.receipt, timeout, 'as the checker pleases');
	END CASE;
	INSERT INTO checker.ends VALUES (h.claim, pg_current_xact_id(), what, good,
		CASE WHEN what <> 'delete' THEN begun + coalesce(timeout, '0') END, clock_timestamp());
	IF what = 'delete' OR NOT good THEN
		DELETE FROM checker.held d WHERE d.client = h.client AND d.claim = h.claim;
	END IF;
END $$;

-- the receipt in hand that is nth from the oldest or youngest, if there are so many
CREATE FUNCTION checker.settle(client int, nth int, youngest boolean, what text, timeout_ms int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	h checker.held;
BEGIN
	PERFORM nextval('checker.operations');
	IF youngest THEN
		SELECT * INTO h FROM checker.held d WHERE d.client = settle.client
		ORDER BY d.claim DESC OFFSET nth LIMIT 1 FOR UPDATE SKIP LOCKED;
	ELSE
		SELECT * INTO h FROM checker.held d WHERE d.client = settle.client
		ORDER BY d.claim OFFSET nth LIMIT 1 FOR UPDATE SKIP LOCKED;
	END IF;
	IF h.claim IS NOT NULL THEN
		PERFORM checker.settle_one(h, what, timeout_ms);
	END IF;
END $$;

-- what this transaction received from a queue, at once
CREATE FUNCTION checker.settle_batch(client int, number int, queue text, what text, timeout_ms int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	begun timestamptz := clock_timestamp();
	timeout interval := timeout_ms * '1 ms'::interval;
	mine decouple.receipt[];
	good decouple.receipt[];
BEGIN
	PERFORM nextval('checker.operations');
	SELECT array_agg(h.receipt) INTO mine FROM checker.held h
	WHERE h.client = settle_batch.client AND h.number = settle_batch.number AND h.queue = settle_batch.queue;
	IF mine IS NULL THEN
		RETURN;
	END IF;
	IF what = 'delete' THEN
		good := ARRAY(SELECT decouple.delete_batch(queue, mine));
	ELSE
		good := ARRAY(SELECT decouple.change_visibility_batch(queue, mine, timeout));
	END IF;
	INSERT INTO checker.ends
		SELECT h.claim, pg_current_xact_id(), what, h.receipt::text = ANY (good::text[]),
			CASE WHEN what <> 'delete' THEN begun + timeout END, clock_timestamp()
		FROM checker.held h
		WHERE h.client = settle_batch.client AND h.number = settle_batch.number AND h.receipt::text = ANY (mine::text[]);
	DELETE FROM checker.held h
		WHERE h.client = settle_batch.client AND h.number = settle_batch.number AND h.receipt::text = ANY (mine::text[])
			AND (what = 'delete' OR NOT h.receipt::text = ANY (good::text[]));
END $$;

-- Receives and deletes what can be had of a queue, in one transaction.
CREATE FUNCTION checker.drain(queue text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM checker.receive(0, 0, queue, 1000, NULL, NULL);
	PERFORM checker.settle_batch(0, 0, queue, 'delete', NULL);
END $$;

-- Does queue_metrics say what peek shows?  A row for each queue where not.
CREATE FUNCTION checker.metrics_differ()
RETURNS TABLE (queue text, metrics text, peeked text) LANGUAGE sql AS $$
	SELECT m.queue::text, format('%s visible, %s in flight, %s delayed', m.visible, m.in_flight, m.delayed), p.counts
	FROM decouple.queue_metrics m
	CROSS JOIN LATERAL (
		SELECT format('%s visible, %s in flight, %s delayed', count(*) FILTER (WHERE visible_at <= clock_timestamp()),
			count(*) FILTER (WHERE visible_at > clock_timestamp() AND receive_count > 0),
			count(*) FILTER (WHERE visible_at > clock_timestamp() AND receive_count = 0)) AS counts
		FROM decouple.peek(m.queue, 10000)) p
	WHERE format('%s visible, %s in flight, %s delayed', m.visible, m.in_flight, m.delayed) <> p.counts
$$;
