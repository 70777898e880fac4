-- Promise: queue, topic and receipt check their form and nothing else, and
-- behave as first-class types: casts, comparison, hash, btree, binary forms.
CREATE EXTENSION decouple;

-- good names
SELECT 'orders'::decouple.queue, 'Or-de_rs9'::decouple.queue, 'x.fifo'::decouple.queue, 'prices'::decouple.topic;
SELECT length(repeat('q', 80)::decouple.queue::text), length((repeat('q', 75) || '.fifo')::decouple.queue::text),
	length(repeat('t', 256)::decouple.topic::text);

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
SELECT ''::decouple.topic;
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

-- order is by bytes, whatever the collation
SELECT array_agg(q::text ORDER BY q) FROM unnest('{b,B,a,_,-,a1}'::decouple.queue[]) q;
SELECT 'a'::decouple.queue < 'b' AS lt, 'a'::decouple.queue <= 'a' AS le, 'b'::decouple.queue > 'a' AS gt,
	'b'::decouple.queue >= 'c' AS ge, 'a'::decouple.queue <> 'a' AS ne;
SELECT min(q::text), count(DISTINCT q), max(q::text) FROM named;

-- index, hash and merge joins
CREATE UNIQUE INDEX ON named (q);
CREATE INDEX ON named USING hash (q);
INSERT INTO named VALUES ('q1');
SET enable_mergejoin = off; SET enable_nestloop = off;
SELECT count(*) FROM named a JOIN named b USING (q);
SET enable_mergejoin = on; SET enable_hashjoin = off;
SELECT count(*) FROM named a JOIN named b USING (q);
RESET enable_mergejoin; RESET enable_nestloop; RESET enable_hashjoin;
SELECT q, count(*) FROM (SELECT q FROM named UNION ALL SELECT q FROM named) s GROUP BY q ORDER BY q;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM named WHERE q = 'q2' ORDER BY q;
RESET enable_seqscan;

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
SELECT count(*), count(DISTINCT r), min(r::text) = max(r::text) AS all_equal
FROM (SELECT sample_receipt()::decouple.receipt AS r FROM generate_series(1, 3)) s;
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

-- the composite
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = 'decouple.message'::regclass AND attnum > 0 ORDER BY attnum;
SELECT (NULL::decouple.message).body IS NULL AS is_null;

-- each object has a comment
SELECT pg_describe_object(d.classid, d.objid, d.objsubid)
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'decouple')
	AND d.deptype = 'e'
	AND d.classid NOT IN ('pg_am'::regclass)
	AND CASE WHEN d.classid = 'pg_event_trigger'::regclass
		THEN obj_description(d.objid, 'pg_event_trigger')
		ELSE obj_description(d.objid, d.classid::regclass::name) END IS NULL
ORDER BY 1;
