-- decouple: queues and topics inside PostgreSQL
\echo Use "CREATE EXTENSION decouple" to load this file. \quit

-- The search path while this script runs is pg_catalog (see the control
-- file), so each object of ours is written with its schema.  Plain CREATE
-- everywhere: a schema planted by somebody else makes the script fail.
CREATE SCHEMA decouple;
COMMENT ON SCHEMA decouple IS
	'Queues and topics. Call the functions; the tables are private.';
