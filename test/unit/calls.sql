-- Promise: all forms of a call work from SQL and PL/pgSQL, with text and
-- varchar variables, records and untyped parameters; the assertions for
-- users' suites pass and fail as they should.
BEGIN;
SELECT plan(21);
SELECT decouple.create_queue('q'), decouple.create_queue('urgent');
DO $$
DECLARE
	t text := 'q';
	v varchar := 'q';
	body varchar := 'varchar body';
	m decouple.message;
	r record;
	receipt text;
BEGIN
	PERFORM decouple.send(t, 'from text');
	PERFORM decouple.send(v, body);
	PERFORM decouple.send('q', to_json(1));
	PERFORM decouple.send('q', jsonb_build_object('a', 1));
	SELECT * INTO m FROM decouple.receive(v);
	PERFORM decouple.delete(t, m.receipt);
	FOR r IN SELECT * FROM decouple.receive(t, 10) LOOP
		receipt := r.receipt;
		IF NOT decouple.delete(v, receipt) THEN
			RAISE EXCEPTION 'receipt as text did not delete %', r.body;
		END IF;
	END LOOP;
END
$$;
SELECT is((SELECT count(*) FROM decouple.peek('q')), 0::bigint, 'PL/pgSQL sent, received and deleted');
PREPARE send AS SELECT decouple.send($1, $2) > 0;
SELECT results_eq($$ EXECUTE send('q', 'untyped') $$, ARRAY[true], 'untyped parameters');
PREPARE receive AS SELECT body, receipt FROM decouple.receive($1, $2);
SELECT results_eq($$ SELECT body FROM decouple.receive('q'::text) $$, ARRAY['untyped'], 'a text expression');
SELECT decouple.purge('q');
SELECT results_eq($$ SELECT count(*) FROM decouple.send_batch('q', ARRAY['a', 'b', 'c'], NULL, ARRAY['{"n": 1}', '{}', '{"n": 3}']::jsonb[], ARRAY['x', 'y', 'z']) $$, ARRAY[3::bigint], 'a batch with attributes and groups');
SELECT results_eq($$ SELECT body, attributes, group_id FROM decouple.receive('q', 10, '0') $$,
	$$ VALUES ('a', '{"n": 1}'::jsonb, 'x'), ('b', '{}', 'y'), ('c', '{"n": 3}', 'z') $$, 'comes as it was sent, in its order');
SELECT ok(array_agg(id ORDER BY n) = array_agg(id ORDER BY id), 'ids in the order given')
FROM decouple.send_batch('q', ARRAY(SELECT i::text FROM generate_series(1, 1200) i)) WITH ORDINALITY s (id, n);
SELECT is((SELECT count(*) FROM decouple.receive('q', 10000)), 1203::bigint, 'a big batch');
SELECT decouple.purge('q');

-- priorities
SELECT decouple.send('q', 'normal 1'), decouple.send('q', 'normal 2'), decouple.send('urgent', 'first');
SELECT results_eq($$ SELECT queue::text, body FROM decouple.receive_any('{urgent,q}', 2) $$, $$ VALUES ('urgent', 'first'), ('q', 'normal 1') $$, 'receive_any takes from the first queue first');
SELECT results_eq($$ SELECT body FROM decouple.receive_any(ARRAY['urgent', 'q']::decouple.queue[], 10) $$, ARRAY['normal 2'], 'and goes on to the next');

-- large bodies lie out of line, and outlive their row
SELECT decouple.alter_queue('q', max_message_size => 67108864);
SELECT decouple.send('q', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 40000) i));
CREATE TEMP TABLE big AS SELECT body, decouple.delete('q', receipt) FROM decouple.receive('q');
SELECT is(md5(body), md5((SELECT string_agg(md5(i::text), '') FROM generate_series(1, 40000) i)), 'a body of a megabyte') FROM big;
SELECT decouple.send('q', (SELECT body FROM big));
SELECT results_eq($$ SELECT length(body) FROM decouple.receive('q', 1, '1 hour') $$, ARRAY[1280000], 'moves to the parked table');
SET LOCAL decouple.clock_shift = 3601;
SELECT results_eq($$ SELECT md5(body) = (SELECT md5(body) FROM big) FROM decouple.receive('q', 1) $$, ARRAY[true], 'and back, unchanged');
SET LOCAL decouple.clock_shift = 0;
SELECT decouple.purge('q');

-- channel, views
SELECT is(decouple.channel('q'), 'decouple.q', 'channel');
SELECT decouple.create_queue(repeat('n', 80));
SELECT is(octet_length(decouple.channel(repeat('n', 80))), 63, 'cut to what LISTEN takes');
SELECT is((SELECT array_agg(exact) FROM decouple.queue_metrics), ARRAY[true, true, true], 'counted');

-- the assertions
SELECT decouple.send('q', '{"order": 1, "kind": "new"}'), decouple.send('q', 'no json');
SELECT * FROM check_test(decouple.tap_has_queue('q'), true, 'tap_has_queue', 'queue q should exist');
SELECT * FROM check_test(decouple.tap_has_queue('nowhere', 'named'), false, 'tap_has_queue, none', 'named');
SELECT * FROM check_test(decouple.tap_queue_has('q', '{"order": 1}'), true, 'tap_queue_has');
SELECT * FROM check_test(decouple.tap_queue_has('q', '{"order": 2}'), false, 'tap_queue_has, none');
SELECT * FROM finish();
ROLLBACK;
