-- Promise: decouple.egress_allow is a list of addresses and networks; what is none is
-- refused with the item that is wrong, and the value stays what it was.
CREATE EXTENSION decouple;
-- the library has to be there, or nobody checks
SELECT decouple.deliveries_are_ours();
SHOW decouple.egress_allow;

-- ---- good ones ----
SET decouple.egress_allow = '10.2.0.0/16';
SET decouple.egress_allow = '10.2.0.0/16,127.0.0.1';
SET decouple.egress_allow = '  10.2.0.0/16 ,	::1 , fd00::/8  ';
SHOW decouple.egress_allow;
SET decouple.egress_allow = '10.0.0.0/8', '::ffff:10.0.0.0/104', 'fe80::1', '2001:DB8::/32';
SHOW decouple.egress_allow;
SET decouple.egress_allow = '"10.0.0.0/8", "::1"';
SET decouple.egress_allow = '0.0.0.0/0, ::/0, 169.254.169.254/32';
SET decouple.egress_allow = '';
SET decouple.egress_allow = '   ';
SET decouple.egress_allow TO DEFAULT;
SELECT set_config('decouple.egress_allow', '192.168.0.0/24', false);

-- ---- bad ones ----
SET decouple.egress_allow = '10.0.0.0/33';
\set VERBOSITY terse
SET decouple.egress_allow = '10.0.0.0/8 10.1.0.0/16';
SET decouple.egress_allow = '10.0.0.0/8,';
SET decouple.egress_allow = ',';
SET decouple.egress_allow = '"10.0.0.0/8';
\set VERBOSITY default
CREATE FUNCTION pg_temp.why(value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM set_config('decouple.egress_allow', value, false);
	RETURN 'taken';
EXCEPTION WHEN invalid_parameter_value THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail;
END $$;
SELECT value, pg_temp.why(value) FROM unnest(ARRAY[
	'10.0.0.0/8, 10.0.0.1/8', '10.2.0.0/', '10.2.0.0/-1', '10.2.0.0/+8', '10.2.0.0/ 8', '10.2.0.0/08', '10.2', '10.2.0.0.0', '010.2.0.0', '256.0.0.0', '0x0a.0.0.0', 'localhost', 'example.org', '*', 'all',
	'::1/129', '::1/64', 'fd00::/8/8', 'fe80::1%eth0', '[::1]', '::ffff:10.0.0.1/104', '127.0.0.1:80', 'http://127.0.0.1', '10.0.0.0/8;10.1.0.0/16', '10.0.0.0/8,,::1', '""', repeat('1', 100), '10.0.0.0/8 ,"::1', 'é']) value;
SHOW decouple.egress_allow;

-- ---- where it would come to all ----
ALTER SYSTEM SET decouple.egress_allow = '10.0.0.0/8', 'nowhere';
ALTER ROLE CURRENT_USER SET decouple.egress_allow = 'nowhere';
SELECT count(*) FROM pg_file_settings WHERE name = 'decouple.egress_allow';
