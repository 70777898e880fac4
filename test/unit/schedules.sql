-- Promise: where pg_cron is not in the database, the calls of schedules check
-- their arguments, then say what is missing and what to do; the view is empty.
BEGIN;
SELECT plan(14);
SELECT decouple.create_queue('q');
CREATE ROLE schedules_outsider;
CREATE FUNCTION pg_temp.hint(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE call;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END
$$;
SELECT hasnt_extension('pg_cron');

-- ---- arguments come first ----
SELECT throws_ok($$SELECT decouple.schedule_send(NULL, 's', '* * * * *', 'x')$$, '22004', NULL, 'no queue');
SELECT throws_ok($$SELECT decouple.schedule_send('q', NULL, '* * * * *', 'x')$$, '22004', NULL, 'no name');
SELECT throws_ok($$SELECT decouple.schedule_send('q', 's', NULL, 'x')$$, '22004', NULL, 'no times');
SELECT throws_ok($$SELECT decouple.schedule_send('q', 's', '* * * * *', NULL)$$, '22004', NULL, 'no body');
SELECT throws_ok($$SELECT decouple.schedule_send('q', repeat('s', 54), '* * * * *', 'x')$$,
	'22023', 'the name of a schedule has 54 bytes', 'a long name');
SELECT throws_ok($$SELECT decouple.schedule_send('none', 's', '* * * * *', 'x')$$, 'QU001', NULL, 'no such queue');
SELECT throws_ok($$SELECT decouple.schedule_send('q', 's', '* * * * *', '')$$, '22023', NULL, 'an empty body');
SELECT throws_ok($$SELECT decouple.schedule_send('q', 's', '* * * * *', 'x', '{"a": null}')$$, '22023', NULL, 'a bad attribute');
SET LOCAL ROLE schedules_outsider;
SELECT throws_ok($$SELECT decouple.schedule_send('q', 's', '* * * * *', 'x')$$, '42501', NULL, 'another''s queue');
RESET ROLE;

-- ---- then pg_cron is missing ----
SELECT throws_ok($$SELECT decouple.schedule_send('q', 's', '* * * * *', 'x')$$,
	'0A000', 'schedules need the extension pg_cron in this database', 'schedule_send');
SELECT throws_ok($$SELECT decouple.unschedule('s')$$,
	'0A000', 'schedules need the extension pg_cron in this database', 'unschedule');
SELECT is(pg_temp.hint($$SELECT decouple.unschedule('s')$$),
	format('Add pg_cron to shared_preload_libraries, set cron.database_name = ''%s'', restart the server, and run CREATE EXTENSION pg_cron.', current_database()),
	'the hint says what to do');
SELECT is_empty('SELECT * FROM decouple.schedules', 'the view is empty');
SELECT * FROM finish();
ROLLBACK;
