-- What decouple is measured beside, each with functions of the same names in
-- a schema of its own: fresh() begins with an empty queue, fill(n) puts n
-- messages into it.  150 bytes each.
CREATE EXTENSION decouple;
SELECT decouple.create_queue('like_this');

CREATE FUNCTION body() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT repeat('x', 150) $$;

CREATE SCHEMA ours;
CREATE FUNCTION ours.fresh() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM decouple.drop_queue('bench');
	PERFORM decouple.create_queue('bench');
END $$;
CREATE FUNCTION ours.fill(n integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM count(*) FROM decouple.send_batch('bench', array_fill(body(), ARRAY[n]));
END $$;

-- a bare INSERT into a like table
CREATE SCHEMA bare;
CREATE TABLE bare.messages (LIKE decouple.q_1 INCLUDING INDEXES INCLUDING STORAGE) WITH (fillfactor = 48);
CREATE SEQUENCE bare.ids;
ALTER TABLE bare.messages ALTER id SET DEFAULT nextval('bare.ids'),
	ALTER sent_at SET DEFAULT clock_timestamp(), ALTER sender SET DEFAULT current_user;
CREATE FUNCTION bare.fresh() RETURNS void LANGUAGE sql AS $$ TRUNCATE bare.messages $$;

-- the table with SKIP LOCKED that people write: no visibility timeout, the
-- message is deleted as it is read
CREATE SCHEMA skip;
CREATE TABLE skip.messages (id bigserial PRIMARY KEY, sent_at timestamptz NOT NULL DEFAULT now(), body text NOT NULL);
CREATE FUNCTION skip.fresh() RETURNS void LANGUAGE sql AS $$ TRUNCATE skip.messages $$;
CREATE FUNCTION skip.fill(n integer) RETURNS void LANGUAGE sql AS $$
	INSERT INTO skip.messages (body) SELECT body() FROM generate_series(1, n) $$;

-- ours, each message with a delay that is over when fill is followed by due
CREATE SCHEMA late;
CREATE FUNCTION late.fresh() RETURNS void LANGUAGE sql AS $$ SELECT ours.fresh() $$;
CREATE FUNCTION late.fill(n integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM count(*) FROM decouple.send_batch('bench', array_fill(body(), ARRAY[n]), delay => '100 ms');
END $$;
