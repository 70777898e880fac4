-- Promise: queue, topic and receipt check their form and nothing else, and
-- behave as first-class types: casts, comparison, hash, btree, binary forms.
CREATE EXTENSION decouple;

-- good names
SELECT 'orders'::decouple.queue, 'Or-de_rs9'::decouple.queue, 'x.fifo'::decouple.queue, 'prices'::decouple.topic;
SELECT length(repeat('q', 80)::decouple.queue::text), length((repeat('q', 75) || '.fifo')::decouple.queue::text),
	length(repeat('t', 256)::decouple.topic::text), length((repeat('t', 251) || '.fifo')::decouple.topic::text);

-- bad ones: once with their text, then by SQLSTATE
SELECT 'or ders'::decouple.queue;
SELECT 'pri.ces'::decouple.topic;
\set VERBOSITY sqlstate
SELECT ''::decouple.queue;
SELECT '.fifo'::decouple.queue;
SELECT repeat('q', 81)::decouple.queue;
SELECT (repeat('q', 76) || '.fifo')::decouple.queue;
SELECT 'ümlaut'::decouple.queue;
SELECT 'a.fifo.fifo'::decouple.queue;
SELECT repeat('t', 257)::decouple.topic;
SELECT (repeat('t', 252) || '.fifo')::decouple.topic;
SELECT ''::decouple.topic;
SELECT '.fifo'::decouple.topic;
SELECT 'or ders'::text::decouple.queue;
SELECT 'or ders'::varchar::decouple.topic;
SELECT ('x' || chr(10))::decouple.queue;
\set VERBOSITY default

-- casts: implicit from text and varchar, to text by assignment
CREATE TABLE named (q decouple.queue, t text);
INSERT INTO named SELECT 'q' || i, NULL FROM generate_series(1, 3) i;
UPDATE named SET t = q;
SELECT q, t FROM named WHERE q = 'q2';
SELECT q FROM named WHERE q = 'q3'::text ORDER BY q;
SELECT q FROM named WHERE q = 'q1'::varchar;
SELECT q FROM named WHERE q IN ('q1', 'q3') ORDER BY q DESC;
SELECT 'queue ' || q AS concatenated FROM named ORDER BY q LIMIT 1;
PREPARE by_name AS SELECT q FROM named WHERE q = $1;
EXECUTE by_name('q2');

SELECT q FROM named WHERE q = ANY (ARRAY['q1', 'q9']);
SELECT q FROM named WHERE q IN (SELECT t FROM named) ORDER BY q;
DO $$
DECLARE
	as_text text := 'q1';
	as_varchar varchar := 'q2';
BEGIN
	ASSERT (SELECT q::text FROM named WHERE q = as_text) = 'q1';
	ASSERT (SELECT q::text FROM named WHERE q = as_varchar) = 'q2';
END
$$;

-- the operators are found whatever the search_path is
SHOW search_path;
SET search_path = '';
SELECT q FROM public.named WHERE q >= 'q2' ORDER BY q DESC;
RESET search_path;

-- they leave the meaning of others alone: of strings compared with strings ...
PREPARE two_literals AS SELECT 'or ders' = 'or ders', 'or ders'::varchar = 'or ders', 'or ders'::name <> 'x'::varchar,
	'or ders'::char(9) = 'or ders'::text;
EXECUTE two_literals;
-- ... and types that have nothing to do with each other do not compare
\set VERBOSITY sqlstate
SELECT 'x'::decouple.queue = 'x'::decouple.topic;
SELECT 'x'::decouple.queue = 1;
SELECT 'x'::text = 1;
\set VERBOSITY default

-- a call like send() with its three forms: any string is a queue's name
CREATE FUNCTION send_like(queue_name decouple.queue, body text) RETURNS text LANGUAGE sql AS
	$$ SELECT queue_name || ' gets text' $$;
CREATE FUNCTION send_like(queue_name decouple.queue, body jsonb) RETURNS text LANGUAGE sql AS
	$$ SELECT queue_name || ' gets jsonb' $$;
CREATE FUNCTION send_like(queue_name decouple.queue, body json) RETURNS text LANGUAGE sql AS
	$$ SELECT queue_name || ' gets json' $$;
SELECT send_like('q', '{}'), send_like('q'::text, '{}'::varchar), send_like('q'::varchar, '{}'::text),
	send_like('q' || 7, '{}'::jsonb), send_like('q'::decouple.queue, '{}'::json);
PREPARE untyped AS SELECT send_like($1, $2);
EXECUTE untyped('q', '{}');
CREATE FUNCTION any_like(queue_names decouple.queue[]) RETURNS int LANGUAGE sql AS $$ SELECT cardinality(queue_names) $$;
SELECT any_like('{a,b}'), any_like(ARRAY['a', 'b']), any_like(ARRAY['a', 'b']::varchar[]);

-- order is by bytes, whatever the collation
SELECT array_agg(q::text ORDER BY q) FROM unnest('{b,B,a,_,-,a1}'::decouple.queue[]) q;
SELECT 'a'::decouple.queue < 'b' AS lt, 'a'::decouple.queue <= 'a' AS le, 'b'::decouple.queue > 'a' AS gt,
	'b'::decouple.queue >= 'c' AS ge, 'a'::decouple.queue <> 'a' AS ne;
SELECT min(q::text), count(DISTINCT q), max(q::text) FROM named;

-- joins and grouping by hash and by order, and both kinds of index
CREATE UNIQUE INDEX named_btree ON named (q);
CREATE INDEX named_hash ON named USING hash (q);
INSERT INTO named VALUES ('q1');
ANALYZE named;
CREATE TABLE others AS SELECT * FROM named;
ANALYZE others;
SET enable_nestloop = off; SET enable_mergejoin = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM named a JOIN others b USING (q);
SELECT count(*) FROM named a JOIN others b USING (q);
SET enable_mergejoin = on; SET enable_hashjoin = off; SET enable_indexscan = off; SET enable_indexonlyscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM named a JOIN others b USING (q);
SELECT count(*) FROM named a JOIN others b USING (q);
RESET enable_nestloop; RESET enable_hashjoin;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT q, count(*) FROM named GROUP BY q;
RESET enable_sort; RESET enable_indexscan; RESET enable_indexonlyscan;
SELECT q, count(*) FROM (SELECT q FROM named UNION ALL SELECT q FROM named) s GROUP BY q ORDER BY q;
SET enable_seqscan = off; SET enable_bitmapscan = off;
DROP INDEX named_hash;
EXPLAIN (COSTS OFF) SELECT * FROM named WHERE q > 'q1' ORDER BY q;
SELECT q FROM named WHERE q > 'q1' ORDER BY q;

-- = is leakproof, so it reaches the index through a security barrier; ~ is not
CREATE VIEW barrier WITH (security_barrier) AS SELECT q, t FROM named WHERE t IS NOT NULL;
EXPLAIN (COSTS OFF) SELECT * FROM barrier WHERE q = 'q2' AND t ~ '2';
DROP INDEX named_btree;
CREATE INDEX named_hash ON named USING hash (q);
EXPLAIN (COSTS OFF) SELECT * FROM named WHERE q = 'q2';
SELECT q FROM named WHERE q = 'q2';
RESET enable_seqscan; RESET enable_bitmapscan;

-- partitions by hash: each row, whose header is short now, is found where it was put
CREATE TABLE parted (q decouple.queue) PARTITION BY HASH (q);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT 'q' || i FROM generate_series(1, 100) i;
SELECT count(*), bool_and((SELECT count(*) FROM parted f WHERE f.q = p.q) = 1) AS found,
	count(DISTINCT tableoid) AS partitions
FROM parted p;

-- NULL stays NULL
SELECT NULL::decouple.queue IS NULL, NULL::text::decouple.topic IS NULL, NULL::decouple.receipt IS NULL;

-- receipts: text form, checked
CREATE FUNCTION sample_receipt() RETURNS text LANGUAGE sql AS
	$$ SELECT '00000000000000010000000100000001bcc504750000000000020101801d9413' $$;
SELECT sample_receipt()::decouple.receipt;
SELECT upper(sample_receipt())::decouple.receipt = sample_receipt()::decouple.receipt AS same,
	sample_receipt()::decouple.receipt::text = sample_receipt() AS round_trip;
SELECT 'abc'::decouple.receipt;
\set VERBOSITY sqlstate
SELECT ''::decouple.receipt;
SELECT replace(sample_receipt(), 'b', 'c')::decouple.receipt;
SELECT repeat('z', 64)::decouple.receipt;
SELECT repeat('0', 64)::decouple.receipt;
SELECT (sample_receipt() || '0')::decouple.receipt;
SELECT left(sample_receipt(), 63)::varchar::decouple.receipt;
\set VERBOSITY default
-- the checksum fits: then the version and the place must
SELECT '00000000000000010000000100000001000000070000000000010102054dea5a'::decouple.receipt;
\set VERBOSITY sqlstate
SELECT '00000000000000010000000100000001000000070000000000010100e4769aad'::decouple.receipt;
SELECT '0000000000000001000000010000000100000007000000000001000105bf81d9'::decouple.receipt;
SELECT '0000000000000001000000010000000100000007000000000001030131582940'::decouple.receipt;
-- the text of a receipt is in no part of the error, however long it is
\set VERBOSITY default
SELECT replace(sample_receipt(), '1', '2')::decouple.receipt;
SELECT repeat(sample_receipt(), 2)::decouple.receipt;
SELECT ('g' || right(sample_receipt(), 63))::decouple.receipt;
SELECT count(*), count(DISTINCT r), min(r::text) = max(r::text) AS all_equal
FROM (SELECT sample_receipt()::decouple.receipt AS r FROM generate_series(1, 3)) s;
-- their order is that of the message ids , not that of their bytes in memory
CREATE TABLE some_receipts (id bigint, r decouple.receipt);
INSERT INTO some_receipts VALUES
	(1099511627776, '0000010000000000000000010000000100000007000000000001010136b9e04c'),
	(256, '0000000000000100000000010000000100000007000000000001010147028af7'),
	(2, '0000000000000002000000010000000100000007000000000001020135e43700'),
	(2, '0000000000000002000000010000000100000007000000000001010101039f99'),
	(1, '00000000000000010000000100000001000000070000000000010101161d19ae');
SELECT id, r FROM some_receipts ORDER BY r;
SELECT count(*) FILTER (WHERE a.r = b.r) AS eq, count(*) FILTER (WHERE a.r <> b.r) AS ne,
	count(*) FILTER (WHERE a.r < b.r) AS lt, count(*) FILTER (WHERE a.r <= b.r) AS le,
	count(*) FILTER (WHERE a.r > b.r) AS gt, count(*) FILTER (WHERE a.r >= b.r) AS ge
FROM some_receipts a CROSS JOIN some_receipts b;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT r, count(*) FROM some_receipts GROUP BY r;
SELECT count(*) FROM (SELECT r FROM (TABLE some_receipts UNION ALL TABLE some_receipts) s GROUP BY r) g;
RESET enable_sort;
CREATE TABLE parted_receipts (r decouple.receipt) PARTITION BY HASH (r);
CREATE TABLE parted_receipts_0 PARTITION OF parted_receipts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_receipts_1 PARTITION OF parted_receipts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted_receipts SELECT r FROM some_receipts;
SELECT bool_and((SELECT count(*) FROM parted_receipts p WHERE p.r = s.r) = 1) AS found FROM some_receipts s;
CREATE TABLE receipts (r decouple.receipt PRIMARY KEY);
INSERT INTO receipts VALUES (sample_receipt());
INSERT INTO receipts VALUES (sample_receipt()) ON CONFLICT DO NOTHING;
SELECT count(*) FROM receipts WHERE r = sample_receipt();

-- binary send and receive: through a file and back, for the server's types
\getenv work TEST_WORK
\set file :work '/types.bin'
CREATE TABLE all_types (q decouple.queue, t decouple.topic, r decouple.receipt);
INSERT INTO all_types VALUES ('orders', 'prices', sample_receipt()), (NULL, NULL, NULL);
COPY all_types TO :'file' (FORMAT binary);
CREATE TABLE all_back (LIKE all_types);
COPY all_back FROM :'file' (FORMAT binary);
SELECT * FROM all_back ORDER BY q;
SELECT octet_length(decouple.receipt_send(r)), octet_length(decouple.queue_send(q)) FROM all_types WHERE q = 'orders';

-- bytes from outside are checked as text is: a bytea's binary form is its bytes
CREATE TABLE bytes (b bytea);
\set VERBOSITY sqlstate
INSERT INTO bytes VALUES (decode(sample_receipt(), 'hex'));
COPY bytes TO :'file' (FORMAT binary);
COPY receipts FROM :'file' (FORMAT binary);
TRUNCATE receipts;
COPY receipts FROM :'file' (FORMAT binary);
SELECT count(*) FROM receipts WHERE r = sample_receipt();
UPDATE bytes SET b = substr(b, 1, 31);
COPY bytes TO :'file' (FORMAT binary);
COPY receipts FROM :'file' (FORMAT binary);
UPDATE bytes SET b = set_byte(decode(sample_receipt(), 'hex'), 7, 2);
COPY bytes TO :'file' (FORMAT binary);
COPY receipts FROM :'file' (FORMAT binary);
CREATE TABLE queues_only (q decouple.queue);
UPDATE bytes SET b = 'or ders';
COPY bytes TO :'file' (FORMAT binary);
COPY queues_only FROM :'file' (FORMAT binary);
UPDATE bytes SET b = '\x6f720064';
COPY bytes TO :'file' (FORMAT binary);
COPY queues_only FROM :'file' (FORMAT binary);
\set VERBOSITY default
SELECT count(*) FROM queues_only;

-- the composite
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = 'decouple.message'::regclass AND attnum > 0 ORDER BY attnum;
SELECT (NULL::decouple.message).body IS NULL AS is_null;

-- each object has a comment, but for the types that come with tables and as arrays
SELECT pg_describe_object(d.classid, d.objid, d.objsubid)
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'decouple')
	AND d.deptype = 'e'
	AND NOT EXISTS (SELECT FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
		WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND (t.typcategory = 'A' OR c.relkind <> 'c'))
	AND CASE WHEN d.classid = 'pg_event_trigger'::regclass
		THEN obj_description(d.objid, 'pg_event_trigger')
		ELSE obj_description(d.objid, d.classid::regclass::name) END IS NULL
ORDER BY 1;
