-- What the clients of the order checker do, each with its own entry in a
-- history that commits and rolls back with it.  Nothing here chooses.

\ir ../checker/common.sql

CREATE SEQUENCE checker.calls CACHE 50;

-- one row for each send, duplicates too; the body is the deduplication id
CREATE TABLE checker.sent (
	deduplication_id text NOT NULL,
	message_id bigint NOT NULL,
	grp text NOT NULL,
	xact xid8 NOT NULL
);

CREATE TABLE checker.claims (
	call bigint NOT NULL,
	xact xid8 NOT NULL,
	message_id bigint NOT NULL,
	grp text NOT NULL,
	body text NOT NULL,
	visible_at timestamptz NOT NULL,	-- as the receive said
	taken_at timestamptz NOT NULL,		-- when it had returned
	receipt decouple.receipt NOT NULL
);

-- what became of a claim: delete, or back (change_visibility)
CREATE TABLE checker.ends (
	call bigint NOT NULL,
	message_id bigint NOT NULL,
	xact xid8 NOT NULL,
	what text NOT NULL,
	good boolean NOT NULL,				-- what the call said
	hidden_until timestamptz,			-- not before
	at timestamptz NOT NULL
);

-- Sends messages; "tags" name the groups and what is sent: a tag of an earlier
-- call again is a duplicate.
CREATE FUNCTION checker.send(groups text[], tags text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	-- an operation is a message that is sent
	PERFORM nextval('checker.operations') FROM generate_series(1, cardinality(tags));
	IF cardinality(tags) = 1 THEN
		INSERT INTO checker.sent VALUES (tags[1],
			decouple.send('order.fifo', tags[1], group_id => groups[1], deduplication_id => tags[1]),
			groups[1], pg_current_xact_id());
	ELSE
		INSERT INTO checker.sent
			SELECT tags[n], id, groups[n], pg_current_xact_id()
			FROM decouple.send_batch('order.fifo', tags, group_ids => groups, deduplication_ids => tags)
				WITH ORDINALITY AS ids (id, n);
	END IF;
END $$;

-- Receives, and of what it got deletes so many from the first on and gives so
-- many behind them back; the rest keeps its lease.
CREATE FUNCTION checker.receive(count int, timeout_ms int, wait_ms int, deletes int, backs int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	this bigint := nextval('checker.calls');
	c checker.claims;
	n int := 0;
	good boolean;
	begun timestamptz;
BEGIN
	WITH r AS MATERIALIZED (
		SELECT m.* FROM decouple.receive('order.fifo', count, timeout_ms * '1 ms'::interval, wait_ms * '1 ms'::interval) m)
	INSERT INTO checker.claims
		SELECT this, pg_current_xact_id(), r.message_id, r.group_id, r.body, r.visible_at, clock_timestamp(), r.receipt
		FROM r;
	FOR c IN SELECT * FROM checker.claims x WHERE x.call = this ORDER BY x.grp, x.message_id LOOP
		n := n + 1;
		EXIT WHEN n > deletes + backs;
		PERFORM checker.settle_one(c, n <= deletes, 0);
	END LOOP;
END $$;

CREATE FUNCTION checker.settle_one(c checker.claims, deletes boolean, timeout_ms int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	begun timestamptz := clock_timestamp();
	good boolean;
BEGIN
	IF deletes THEN
		good := decouple.delete('order.fifo', c.receipt);
	ELSE
		good := decouple.change_visibility('order.fifo', c.receipt, timeout_ms * '1 ms'::interval);
	END IF;
	INSERT INTO checker.ends VALUES (c.call, c.message_id, pg_current_xact_id(),
		CASE WHEN deletes THEN 'delete' ELSE 'back' END, good,
		CASE WHEN NOT deletes THEN begun + timeout_ms * '1 ms'::interval END, clock_timestamp());
END $$;

-- settles a claim of the last ones, in a later transaction
CREATE FUNCTION checker.settle_late(nth int, deletes boolean, timeout_ms int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	c checker.claims;
BEGIN
	SELECT * INTO c FROM checker.claims ORDER BY call DESC OFFSET nth LIMIT 1;
	IF FOUND THEN
		PERFORM checker.settle_one(c, deletes, timeout_ms);
	END IF;
END $$;
CREATE INDEX ON checker.claims (call);
