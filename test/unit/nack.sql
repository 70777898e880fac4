-- Promise: nack gives a message back with its reason, after the time that it
-- names or that the queue's retry policy says.
BEGIN;
SELECT plan(16);
CREATE FUNCTION pg_temp.delays(backoff text, max_delay interval) RETURNS TABLE (receives int, seconds numeric) LANGUAGE plpgsql AS $$
DECLARE
	m decouple.message;
	shift int := 0;
BEGIN
	PERFORM decouple.drop_queue('r');
	PERFORM decouple.create_queue('r', retention => '0', retry_delay => '100 s', retry_backoff => backoff, retry_max_delay => max_delay);
	PERFORM decouple.send('r', 'm');
	FOR i IN 1..4 LOOP
		PERFORM set_config('decouple.clock_shift', shift::text, true);
		SELECT * INTO STRICT m FROM decouple.receive('r');
		PERFORM decouple.nack('r', m.receipt);
		RETURN QUERY SELECT m.receive_count, extract(epoch FROM p.visible_at - clock_timestamp()) - shift FROM decouple.peek('r') p;
		shift := shift + 2000;
	END LOOP;
	PERFORM set_config('decouple.clock_shift', '0', true);
END $$;
SELECT decouple.create_queue('q');
SELECT decouple.send('q', 'm');
SELECT ok(decouple.nack('q', receipt), 'nack is true for a good receipt') FROM decouple.receive('q');
SELECT results_eq($$ SELECT receive_count, last_error FROM decouple.receive('q', 1, '0') $$, $$ VALUES (2, NULL::text) $$, 'without a policy it comes back at once');
SELECT ok(decouple.nack('q', receipt, '70 s', 'no stock'), 'with a time and a reason') FROM decouple.receive('q');
SET LOCAL decouple.clock_shift = 50;
SELECT is_empty($$ SELECT * FROM decouple.receive('q') $$, 'it is hidden for that time');
SET LOCAL decouple.clock_shift = 71;
SELECT results_eq($$ SELECT receive_count, last_error FROM decouple.receive('q', 1, '0') $$, $$ VALUES (4, 'no stock') $$, 'the next receiver finds the reason');
SELECT ok(decouple.nack('q', receipt, '0'), 'without a reason') FROM decouple.receive('q');
SELECT results_eq($$ SELECT last_error FROM decouple.receive('q', 1, '0') $$, ARRAY['no stock'], 'the last one stays');
SELECT ok(decouple.nack('q', receipt, '0', repeat('é', 5000)), 'a long reason') FROM decouple.receive('q');
SELECT results_eq($$ SELECT octet_length(last_error) FROM decouple.receive('q', 1, '0') $$, ARRAY[8192], 'is cut');
SET LOCAL decouple.clock_shift = 0;
CREATE TEMP TABLE seen AS SELECT 'none' AS backoff, * FROM pg_temp.delays('none', '0')
	UNION ALL SELECT 'linear', * FROM pg_temp.delays('linear', '0')
	UNION ALL SELECT 'exponential', * FROM pg_temp.delays('exponential', '0')
	UNION ALL SELECT 'limited', * FROM pg_temp.delays('exponential', '250 s');
-- the jitter takes away up to a quarter, the run of the test a moment
SELECT ok(bool_and(seconds BETWEEN 74 AND 100), 'none: ' || string_agg(round(seconds)::text, ', ' ORDER BY receives)) FROM seen WHERE backoff = 'none';
SELECT ok(bool_and(seconds BETWEEN 75 * receives - 1 AND 100 * receives), 'linear: ' || string_agg(round(seconds)::text, ', ' ORDER BY receives)) FROM seen WHERE backoff = 'linear';
SELECT ok(bool_and(seconds BETWEEN 75 * 2 ^ (receives - 1) - 1 AND 100 * 2 ^ (receives - 1)), 'exponential: ' || string_agg(round(seconds)::text, ', ' ORDER BY receives)) FROM seen WHERE backoff = 'exponential';
SELECT ok(bool_and(seconds <= 250), 'limited: ' || string_agg(round(seconds)::text, ', ' ORDER BY receives)) FROM seen WHERE backoff = 'limited';
SELECT ok(bool_and(seconds >= 186), 'limited, but not more than that') FROM seen WHERE backoff = 'limited' AND receives > 2;
SELECT ok(count(DISTINCT round(seconds::numeric, 3)) > 8, 'jittered') FROM seen;
SELECT is((SELECT count(*) FROM seen), 16::bigint, 'all were seen');
SELECT * FROM finish();
ROLLBACK;
