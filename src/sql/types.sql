
-- ---------------------------------------------------------------------------
-- Types.
--
-- The operators live in pg_catalog, as the types' only ones: a session finds
-- them whatever its search_path is, so WHERE queue = 'orders' works without
-- naming a schema.
-- ---------------------------------------------------------------------------

CREATE TYPE decouple.queue;

CREATE FUNCTION decouple.queue_in(cstring)
RETURNS decouple.queue IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_queue_in';
COMMENT ON FUNCTION decouple.queue_in(cstring) IS 'I/O';

CREATE FUNCTION decouple.queue_out(decouple.queue)
RETURNS cstring IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_out';
COMMENT ON FUNCTION decouple.queue_out(decouple.queue) IS 'I/O';

CREATE FUNCTION decouple.queue_recv(internal)
RETURNS decouple.queue IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_queue_recv';
COMMENT ON FUNCTION decouple.queue_recv(internal) IS 'I/O';

CREATE FUNCTION decouple.queue_send(decouple.queue)
RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_send';
COMMENT ON FUNCTION decouple.queue_send(decouple.queue) IS 'I/O';

CREATE TYPE decouple.queue (
	INPUT = decouple.queue_in,
	OUTPUT = decouple.queue_out,
	RECEIVE = decouple.queue_recv,
	SEND = decouple.queue_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE decouple.queue IS 'A queue''s name: 1 to 80 of [A-Za-z0-9_-], a FIFO queue ends in .fifo. Checked by form only.';

CREATE FUNCTION decouple.queue(text)
RETURNS decouple.queue IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_queue_from_text';
COMMENT ON FUNCTION decouple.queue(text) IS 'text to queue';

CREATE FUNCTION decouple.queue(varchar)
RETURNS decouple.queue IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_queue_from_text';
COMMENT ON FUNCTION decouple.queue(varchar) IS 'varchar to queue';

CREATE FUNCTION decouple.queue_text(decouple.queue)
RETURNS text IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_to_text';
COMMENT ON FUNCTION decouple.queue_text(decouple.queue) IS 'queue to text';

CREATE FUNCTION decouple.queue_varchar(decouple.queue)
RETURNS varchar IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_to_text';
COMMENT ON FUNCTION decouple.queue_varchar(decouple.queue) IS 'queue to varchar';

CREATE CAST (text AS decouple.queue) WITH FUNCTION decouple.queue(text) AS IMPLICIT;
COMMENT ON CAST (text AS decouple.queue) IS 'a name or handle of good form';

CREATE CAST (varchar AS decouple.queue) WITH FUNCTION decouple.queue(varchar) AS IMPLICIT;
COMMENT ON CAST (varchar AS decouple.queue) IS 'a name or handle of good form';

CREATE CAST (decouple.queue AS text) WITH FUNCTION decouple.queue_text(decouple.queue) AS ASSIGNMENT;
COMMENT ON CAST (decouple.queue AS text) IS 'its text';

CREATE CAST (decouple.queue AS varchar) WITH FUNCTION decouple.queue_varchar(decouple.queue) AS ASSIGNMENT;
COMMENT ON CAST (decouple.queue AS varchar) IS 'its text';

CREATE FUNCTION decouple.queue_eq(decouple.queue, decouple.queue)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_eq';
COMMENT ON FUNCTION decouple.queue_eq(decouple.queue, decouple.queue) IS 'implementation of = operator';

CREATE FUNCTION decouple.queue_ne(decouple.queue, decouple.queue)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_ne';
COMMENT ON FUNCTION decouple.queue_ne(decouple.queue, decouple.queue) IS 'implementation of <> operator';

CREATE FUNCTION decouple.queue_lt(decouple.queue, decouple.queue)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_lt';
COMMENT ON FUNCTION decouple.queue_lt(decouple.queue, decouple.queue) IS 'implementation of < operator';

CREATE FUNCTION decouple.queue_le(decouple.queue, decouple.queue)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_le';
COMMENT ON FUNCTION decouple.queue_le(decouple.queue, decouple.queue) IS 'implementation of <= operator';

CREATE FUNCTION decouple.queue_gt(decouple.queue, decouple.queue)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_gt';
COMMENT ON FUNCTION decouple.queue_gt(decouple.queue, decouple.queue) IS 'implementation of > operator';

CREATE FUNCTION decouple.queue_ge(decouple.queue, decouple.queue)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_ge';
COMMENT ON FUNCTION decouple.queue_ge(decouple.queue, decouple.queue) IS 'implementation of >= operator';

CREATE FUNCTION decouple.queue_cmp(decouple.queue, decouple.queue)
RETURNS integer IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_cmp';
COMMENT ON FUNCTION decouple.queue_cmp(decouple.queue, decouple.queue) IS 'less, equal, greater';

CREATE FUNCTION decouple.queue_hash(decouple.queue)
RETURNS integer IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_hash';
COMMENT ON FUNCTION decouple.queue_hash(decouple.queue) IS 'hash';

CREATE FUNCTION decouple.queue_hash_extended(decouple.queue, bigint)
RETURNS bigint IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_hash_extended';
COMMENT ON FUNCTION decouple.queue_hash_extended(decouple.queue, bigint) IS 'hash with seed';

CREATE OPERATOR pg_catalog.= (
	FUNCTION = decouple.queue_eq,
	LEFTARG = decouple.queue, RIGHTARG = decouple.queue,
	COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR pg_catalog.= (decouple.queue, decouple.queue) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
	FUNCTION = decouple.queue_ne,
	LEFTARG = decouple.queue, RIGHTARG = decouple.queue,
	COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (decouple.queue, decouple.queue) IS 'not equal';

CREATE OPERATOR pg_catalog.< (
	FUNCTION = decouple.queue_lt,
	LEFTARG = decouple.queue, RIGHTARG = decouple.queue,
	COMMUTATOR = OPERATOR(pg_catalog.>), NEGATOR = OPERATOR(pg_catalog.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR pg_catalog.< (decouple.queue, decouple.queue) IS 'less than';

CREATE OPERATOR pg_catalog.<= (
	FUNCTION = decouple.queue_le,
	LEFTARG = decouple.queue, RIGHTARG = decouple.queue,
	COMMUTATOR = OPERATOR(pg_catalog.>=), NEGATOR = OPERATOR(pg_catalog.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR pg_catalog.<= (decouple.queue, decouple.queue) IS 'less than or equal';

CREATE OPERATOR pg_catalog.> (
	FUNCTION = decouple.queue_gt,
	LEFTARG = decouple.queue, RIGHTARG = decouple.queue,
	COMMUTATOR = OPERATOR(pg_catalog.<), NEGATOR = OPERATOR(pg_catalog.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR pg_catalog.> (decouple.queue, decouple.queue) IS 'greater than';

CREATE OPERATOR pg_catalog.>= (
	FUNCTION = decouple.queue_ge,
	LEFTARG = decouple.queue, RIGHTARG = decouple.queue,
	COMMUTATOR = OPERATOR(pg_catalog.<=), NEGATOR = OPERATOR(pg_catalog.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR pg_catalog.>= (decouple.queue, decouple.queue) IS 'greater than or equal';

CREATE OPERATOR CLASS decouple.queue_ops DEFAULT FOR TYPE decouple.queue USING btree AS
	OPERATOR 1 pg_catalog.< (decouple.queue, decouple.queue),
	OPERATOR 2 pg_catalog.<= (decouple.queue, decouple.queue),
	OPERATOR 3 pg_catalog.= (decouple.queue, decouple.queue),
	OPERATOR 4 pg_catalog.>= (decouple.queue, decouple.queue),
	OPERATOR 5 pg_catalog.> (decouple.queue, decouple.queue),
	FUNCTION 1 decouple.queue_cmp(decouple.queue, decouple.queue);
COMMENT ON OPERATOR FAMILY decouple.queue_ops USING btree IS 'order of queue values';
COMMENT ON OPERATOR CLASS decouple.queue_ops USING btree IS 'order of queue values';

CREATE OPERATOR CLASS decouple.queue_ops DEFAULT FOR TYPE decouple.queue USING hash AS
	OPERATOR 1 pg_catalog.= (decouple.queue, decouple.queue),
	FUNCTION 1 decouple.queue_hash(decouple.queue),
	FUNCTION 2 decouple.queue_hash_extended(decouple.queue, bigint);
COMMENT ON OPERATOR FAMILY decouple.queue_ops USING hash IS 'hashing of queue values';
COMMENT ON OPERATOR CLASS decouple.queue_ops USING hash IS 'hashing of queue values';

CREATE TYPE decouple.topic;

CREATE FUNCTION decouple.topic_in(cstring)
RETURNS decouple.topic IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_topic_in';
COMMENT ON FUNCTION decouple.topic_in(cstring) IS 'I/O';

CREATE FUNCTION decouple.topic_out(decouple.topic)
RETURNS cstring IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_out';
COMMENT ON FUNCTION decouple.topic_out(decouple.topic) IS 'I/O';

CREATE FUNCTION decouple.topic_recv(internal)
RETURNS decouple.topic IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_topic_recv';
COMMENT ON FUNCTION decouple.topic_recv(internal) IS 'I/O';

CREATE FUNCTION decouple.topic_send(decouple.topic)
RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_send';
COMMENT ON FUNCTION decouple.topic_send(decouple.topic) IS 'I/O';

CREATE TYPE decouple.topic (
	INPUT = decouple.topic_in,
	OUTPUT = decouple.topic_out,
	RECEIVE = decouple.topic_recv,
	SEND = decouple.topic_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE decouple.topic IS 'A topic''s name: 1 to 256 of [A-Za-z0-9_-], a FIFO topic ends in .fifo. Checked by form only.';

CREATE FUNCTION decouple.topic(text)
RETURNS decouple.topic IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_topic_from_text';
COMMENT ON FUNCTION decouple.topic(text) IS 'text to topic';

CREATE FUNCTION decouple.topic(varchar)
RETURNS decouple.topic IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_topic_from_text';
COMMENT ON FUNCTION decouple.topic(varchar) IS 'varchar to topic';

CREATE FUNCTION decouple.topic_text(decouple.topic)
RETURNS text IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_to_text';
COMMENT ON FUNCTION decouple.topic_text(decouple.topic) IS 'topic to text';

CREATE FUNCTION decouple.topic_varchar(decouple.topic)
RETURNS varchar IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_to_text';
COMMENT ON FUNCTION decouple.topic_varchar(decouple.topic) IS 'topic to varchar';

CREATE CAST (text AS decouple.topic) WITH FUNCTION decouple.topic(text) AS IMPLICIT;
COMMENT ON CAST (text AS decouple.topic) IS 'a name or handle of good form';

CREATE CAST (varchar AS decouple.topic) WITH FUNCTION decouple.topic(varchar) AS IMPLICIT;
COMMENT ON CAST (varchar AS decouple.topic) IS 'a name or handle of good form';

CREATE CAST (decouple.topic AS text) WITH FUNCTION decouple.topic_text(decouple.topic) AS ASSIGNMENT;
COMMENT ON CAST (decouple.topic AS text) IS 'its text';

CREATE CAST (decouple.topic AS varchar) WITH FUNCTION decouple.topic_varchar(decouple.topic) AS ASSIGNMENT;
COMMENT ON CAST (decouple.topic AS varchar) IS 'its text';

CREATE FUNCTION decouple.topic_eq(decouple.topic, decouple.topic)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_eq';
COMMENT ON FUNCTION decouple.topic_eq(decouple.topic, decouple.topic) IS 'implementation of = operator';

CREATE FUNCTION decouple.topic_ne(decouple.topic, decouple.topic)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_ne';
COMMENT ON FUNCTION decouple.topic_ne(decouple.topic, decouple.topic) IS 'implementation of <> operator';

CREATE FUNCTION decouple.topic_lt(decouple.topic, decouple.topic)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_lt';
COMMENT ON FUNCTION decouple.topic_lt(decouple.topic, decouple.topic) IS 'implementation of < operator';

CREATE FUNCTION decouple.topic_le(decouple.topic, decouple.topic)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_le';
COMMENT ON FUNCTION decouple.topic_le(decouple.topic, decouple.topic) IS 'implementation of <= operator';

CREATE FUNCTION decouple.topic_gt(decouple.topic, decouple.topic)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_gt';
COMMENT ON FUNCTION decouple.topic_gt(decouple.topic, decouple.topic) IS 'implementation of > operator';

CREATE FUNCTION decouple.topic_ge(decouple.topic, decouple.topic)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_ge';
COMMENT ON FUNCTION decouple.topic_ge(decouple.topic, decouple.topic) IS 'implementation of >= operator';

CREATE FUNCTION decouple.topic_cmp(decouple.topic, decouple.topic)
RETURNS integer IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_cmp';
COMMENT ON FUNCTION decouple.topic_cmp(decouple.topic, decouple.topic) IS 'less, equal, greater';

CREATE FUNCTION decouple.topic_hash(decouple.topic)
RETURNS integer IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_hash';
COMMENT ON FUNCTION decouple.topic_hash(decouple.topic) IS 'hash';

CREATE FUNCTION decouple.topic_hash_extended(decouple.topic, bigint)
RETURNS bigint IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_name_hash_extended';
COMMENT ON FUNCTION decouple.topic_hash_extended(decouple.topic, bigint) IS 'hash with seed';

CREATE OPERATOR pg_catalog.= (
	FUNCTION = decouple.topic_eq,
	LEFTARG = decouple.topic, RIGHTARG = decouple.topic,
	COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR pg_catalog.= (decouple.topic, decouple.topic) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
	FUNCTION = decouple.topic_ne,
	LEFTARG = decouple.topic, RIGHTARG = decouple.topic,
	COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (decouple.topic, decouple.topic) IS 'not equal';

CREATE OPERATOR pg_catalog.< (
	FUNCTION = decouple.topic_lt,
	LEFTARG = decouple.topic, RIGHTARG = decouple.topic,
	COMMUTATOR = OPERATOR(pg_catalog.>), NEGATOR = OPERATOR(pg_catalog.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR pg_catalog.< (decouple.topic, decouple.topic) IS 'less than';

CREATE OPERATOR pg_catalog.<= (
	FUNCTION = decouple.topic_le,
	LEFTARG = decouple.topic, RIGHTARG = decouple.topic,
	COMMUTATOR = OPERATOR(pg_catalog.>=), NEGATOR = OPERATOR(pg_catalog.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR pg_catalog.<= (decouple.topic, decouple.topic) IS 'less than or equal';

CREATE OPERATOR pg_catalog.> (
	FUNCTION = decouple.topic_gt,
	LEFTARG = decouple.topic, RIGHTARG = decouple.topic,
	COMMUTATOR = OPERATOR(pg_catalog.<), NEGATOR = OPERATOR(pg_catalog.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR pg_catalog.> (decouple.topic, decouple.topic) IS 'greater than';

CREATE OPERATOR pg_catalog.>= (
	FUNCTION = decouple.topic_ge,
	LEFTARG = decouple.topic, RIGHTARG = decouple.topic,
	COMMUTATOR = OPERATOR(pg_catalog.<=), NEGATOR = OPERATOR(pg_catalog.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR pg_catalog.>= (decouple.topic, decouple.topic) IS 'greater than or equal';

CREATE OPERATOR CLASS decouple.topic_ops DEFAULT FOR TYPE decouple.topic USING btree AS
	OPERATOR 1 pg_catalog.< (decouple.topic, decouple.topic),
	OPERATOR 2 pg_catalog.<= (decouple.topic, decouple.topic),
	OPERATOR 3 pg_catalog.= (decouple.topic, decouple.topic),
	OPERATOR 4 pg_catalog.>= (decouple.topic, decouple.topic),
	OPERATOR 5 pg_catalog.> (decouple.topic, decouple.topic),
	FUNCTION 1 decouple.topic_cmp(decouple.topic, decouple.topic);
COMMENT ON OPERATOR FAMILY decouple.topic_ops USING btree IS 'order of topic values';
COMMENT ON OPERATOR CLASS decouple.topic_ops USING btree IS 'order of topic values';

CREATE OPERATOR CLASS decouple.topic_ops DEFAULT FOR TYPE decouple.topic USING hash AS
	OPERATOR 1 pg_catalog.= (decouple.topic, decouple.topic),
	FUNCTION 1 decouple.topic_hash(decouple.topic),
	FUNCTION 2 decouple.topic_hash_extended(decouple.topic, bigint);
COMMENT ON OPERATOR FAMILY decouple.topic_ops USING hash IS 'hashing of topic values';
COMMENT ON OPERATOR CLASS decouple.topic_ops USING hash IS 'hashing of topic values';

CREATE TYPE decouple.receipt;

CREATE FUNCTION decouple.receipt_in(cstring)
RETURNS decouple.receipt IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_in';
COMMENT ON FUNCTION decouple.receipt_in(cstring) IS 'I/O';

CREATE FUNCTION decouple.receipt_out(decouple.receipt)
RETURNS cstring IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_out';
COMMENT ON FUNCTION decouple.receipt_out(decouple.receipt) IS 'I/O';

CREATE FUNCTION decouple.receipt_recv(internal)
RETURNS decouple.receipt IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_recv';
COMMENT ON FUNCTION decouple.receipt_recv(internal) IS 'I/O';

CREATE FUNCTION decouple.receipt_send(decouple.receipt)
RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_send';
COMMENT ON FUNCTION decouple.receipt_send(decouple.receipt) IS 'I/O';

CREATE TYPE decouple.receipt (
	INPUT = decouple.receipt_in,
	OUTPUT = decouple.receipt_out,
	RECEIVE = decouple.receipt_recv,
	SEND = decouple.receipt_send,
	INTERNALLENGTH = 28,
	ALIGNMENT = int4
);
COMMENT ON TYPE decouple.receipt IS 'The receipt handle of a received message: opaque; its text has 64 characters.';

CREATE FUNCTION decouple.receipt(text)
RETURNS decouple.receipt IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_from_text';
COMMENT ON FUNCTION decouple.receipt(text) IS 'text to receipt';

CREATE FUNCTION decouple.receipt(varchar)
RETURNS decouple.receipt IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_from_text';
COMMENT ON FUNCTION decouple.receipt(varchar) IS 'varchar to receipt';

CREATE FUNCTION decouple.receipt_text(decouple.receipt)
RETURNS text IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_to_text';
COMMENT ON FUNCTION decouple.receipt_text(decouple.receipt) IS 'receipt to text';

CREATE FUNCTION decouple.receipt_varchar(decouple.receipt)
RETURNS varchar IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_to_text';
COMMENT ON FUNCTION decouple.receipt_varchar(decouple.receipt) IS 'receipt to varchar';

CREATE CAST (text AS decouple.receipt) WITH FUNCTION decouple.receipt(text) AS IMPLICIT;
COMMENT ON CAST (text AS decouple.receipt) IS 'a name or handle of good form';

CREATE CAST (varchar AS decouple.receipt) WITH FUNCTION decouple.receipt(varchar) AS IMPLICIT;
COMMENT ON CAST (varchar AS decouple.receipt) IS 'a name or handle of good form';

CREATE CAST (decouple.receipt AS text) WITH FUNCTION decouple.receipt_text(decouple.receipt) AS ASSIGNMENT;
COMMENT ON CAST (decouple.receipt AS text) IS 'its text';

CREATE CAST (decouple.receipt AS varchar) WITH FUNCTION decouple.receipt_varchar(decouple.receipt) AS ASSIGNMENT;
COMMENT ON CAST (decouple.receipt AS varchar) IS 'its text';

CREATE FUNCTION decouple.receipt_eq(decouple.receipt, decouple.receipt)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_eq';
COMMENT ON FUNCTION decouple.receipt_eq(decouple.receipt, decouple.receipt) IS 'implementation of = operator';

CREATE FUNCTION decouple.receipt_ne(decouple.receipt, decouple.receipt)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_ne';
COMMENT ON FUNCTION decouple.receipt_ne(decouple.receipt, decouple.receipt) IS 'implementation of <> operator';

CREATE FUNCTION decouple.receipt_lt(decouple.receipt, decouple.receipt)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_lt';
COMMENT ON FUNCTION decouple.receipt_lt(decouple.receipt, decouple.receipt) IS 'implementation of < operator';

CREATE FUNCTION decouple.receipt_le(decouple.receipt, decouple.receipt)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_le';
COMMENT ON FUNCTION decouple.receipt_le(decouple.receipt, decouple.receipt) IS 'implementation of <= operator';

CREATE FUNCTION decouple.receipt_gt(decouple.receipt, decouple.receipt)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_gt';
COMMENT ON FUNCTION decouple.receipt_gt(decouple.receipt, decouple.receipt) IS 'implementation of > operator';

CREATE FUNCTION decouple.receipt_ge(decouple.receipt, decouple.receipt)
RETURNS boolean IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_ge';
COMMENT ON FUNCTION decouple.receipt_ge(decouple.receipt, decouple.receipt) IS 'implementation of >= operator';

CREATE FUNCTION decouple.receipt_cmp(decouple.receipt, decouple.receipt)
RETURNS integer IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_cmp';
COMMENT ON FUNCTION decouple.receipt_cmp(decouple.receipt, decouple.receipt) IS 'less, equal, greater';

CREATE FUNCTION decouple.receipt_hash(decouple.receipt)
RETURNS integer IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_hash';
COMMENT ON FUNCTION decouple.receipt_hash(decouple.receipt) IS 'hash';

CREATE FUNCTION decouple.receipt_hash_extended(decouple.receipt, bigint)
RETURNS bigint IMMUTABLE STRICT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receipt_hash_extended';
COMMENT ON FUNCTION decouple.receipt_hash_extended(decouple.receipt, bigint) IS 'hash with seed';

CREATE OPERATOR pg_catalog.= (
	FUNCTION = decouple.receipt_eq,
	LEFTARG = decouple.receipt, RIGHTARG = decouple.receipt,
	COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR pg_catalog.= (decouple.receipt, decouple.receipt) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
	FUNCTION = decouple.receipt_ne,
	LEFTARG = decouple.receipt, RIGHTARG = decouple.receipt,
	COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (decouple.receipt, decouple.receipt) IS 'not equal';

CREATE OPERATOR pg_catalog.< (
	FUNCTION = decouple.receipt_lt,
	LEFTARG = decouple.receipt, RIGHTARG = decouple.receipt,
	COMMUTATOR = OPERATOR(pg_catalog.>), NEGATOR = OPERATOR(pg_catalog.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR pg_catalog.< (decouple.receipt, decouple.receipt) IS 'less than';

CREATE OPERATOR pg_catalog.<= (
	FUNCTION = decouple.receipt_le,
	LEFTARG = decouple.receipt, RIGHTARG = decouple.receipt,
	COMMUTATOR = OPERATOR(pg_catalog.>=), NEGATOR = OPERATOR(pg_catalog.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR pg_catalog.<= (decouple.receipt, decouple.receipt) IS 'less than or equal';

CREATE OPERATOR pg_catalog.> (
	FUNCTION = decouple.receipt_gt,
	LEFTARG = decouple.receipt, RIGHTARG = decouple.receipt,
	COMMUTATOR = OPERATOR(pg_catalog.<), NEGATOR = OPERATOR(pg_catalog.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR pg_catalog.> (decouple.receipt, decouple.receipt) IS 'greater than';

CREATE OPERATOR pg_catalog.>= (
	FUNCTION = decouple.receipt_ge,
	LEFTARG = decouple.receipt, RIGHTARG = decouple.receipt,
	COMMUTATOR = OPERATOR(pg_catalog.<=), NEGATOR = OPERATOR(pg_catalog.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR pg_catalog.>= (decouple.receipt, decouple.receipt) IS 'greater than or equal';

CREATE OPERATOR CLASS decouple.receipt_ops DEFAULT FOR TYPE decouple.receipt USING btree AS
	OPERATOR 1 pg_catalog.< (decouple.receipt, decouple.receipt),
	OPERATOR 2 pg_catalog.<= (decouple.receipt, decouple.receipt),
	OPERATOR 3 pg_catalog.= (decouple.receipt, decouple.receipt),
	OPERATOR 4 pg_catalog.>= (decouple.receipt, decouple.receipt),
	OPERATOR 5 pg_catalog.> (decouple.receipt, decouple.receipt),
	FUNCTION 1 decouple.receipt_cmp(decouple.receipt, decouple.receipt);
COMMENT ON OPERATOR FAMILY decouple.receipt_ops USING btree IS 'order of receipt values';
COMMENT ON OPERATOR CLASS decouple.receipt_ops USING btree IS 'order of receipt values';

CREATE OPERATOR CLASS decouple.receipt_ops DEFAULT FOR TYPE decouple.receipt USING hash AS
	OPERATOR 1 pg_catalog.= (decouple.receipt, decouple.receipt),
	FUNCTION 1 decouple.receipt_hash(decouple.receipt),
	FUNCTION 2 decouple.receipt_hash_extended(decouple.receipt, bigint);
COMMENT ON OPERATOR FAMILY decouple.receipt_ops USING hash IS 'hashing of receipt values';
COMMENT ON OPERATOR CLASS decouple.receipt_ops USING hash IS 'hashing of receipt values';

CREATE TYPE decouple.message AS (
	message_id bigint,
	receipt decouple.receipt,
	body text,
	attributes jsonb,
	group_id text,
	deduplication_id text,
	sequence_number bigint,
	receive_count integer,
	sent_at timestamptz,
	first_received_at timestamptz,
	visible_at timestamptz,
	sender text,
	dead_letter_source decouple.queue,
	queue decouple.queue,
	expires_at timestamptz,
	last_error text,
	original_id bigint
);
COMMENT ON TYPE decouple.message IS 'A message, as receive and peek give it.';
COMMENT ON COLUMN decouple.message.message_id IS 'Unique in the database; what send returned.';
COMMENT ON COLUMN decouple.message.receipt IS 'To delete it or give it back; NULL from peek.';
COMMENT ON COLUMN decouple.message.body IS 'What was sent.';
COMMENT ON COLUMN decouple.message.attributes IS 'A flat object; {} where none were sent.';
COMMENT ON COLUMN decouple.message.group_id IS 'The group, or NULL.';
COMMENT ON COLUMN decouple.message.deduplication_id IS 'On FIFO queues.';
COMMENT ON COLUMN decouple.message.sequence_number IS 'On FIFO queues.';
COMMENT ON COLUMN decouple.message.receive_count IS 'How often it was received, this time included.';
COMMENT ON COLUMN decouple.message.sent_at IS 'When it was sent.';
COMMENT ON COLUMN decouple.message.first_received_at IS 'When it was first received, or NULL.';
COMMENT ON COLUMN decouple.message.visible_at IS 'When it becomes visible: due, or the end of the visibility timeout.';
COMMENT ON COLUMN decouple.message.sender IS 'The role that sent it.';
COMMENT ON COLUMN decouple.message.dead_letter_source IS 'The queue that it was moved from, in a dead-letter queue.';
COMMENT ON COLUMN decouple.message.queue IS 'The queue that it is in.';
COMMENT ON COLUMN decouple.message.expires_at IS 'When it expires by expires_in, or NULL.';
COMMENT ON COLUMN decouple.message.last_error IS 'The reason given by nack, or NULL.';
COMMENT ON COLUMN decouple.message.original_id IS 'Its id before it was redriven, or NULL.';
