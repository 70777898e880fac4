-- Promise: a delayed message is not received before its time, the message's
-- own delay wins over the queue's, and retention counts from when it is due.
BEGIN;
SELECT plan(14);
SELECT decouple.create_queue('q', delay => '100 s', retention => '600 s');
SELECT decouple.send('q', 'by the queue');
SELECT decouple.send('q', 'at once', delay => '0');
SELECT decouple.send('q', 'own', delay => '2 hours');
SELECT decouple.send_messages('q', '[{"body": "json", "delay": "200 s"}, {"body": "json at once", "delay": "0"}]');
SELECT results_eq($$ SELECT visible, in_flight, delayed FROM decouple.queue_metrics WHERE queue = 'q' $$,
	$$ VALUES (2::bigint, 0::bigint, 3::bigint) $$, 'three are delayed');
SELECT results_eq($$ SELECT body FROM decouple.receive('q', 10, '1 hour') $$, ARRAY['at once', 'json at once'], 'a delay of 0 overrides the queue''s');
SELECT results_eq($$ SELECT body FROM decouple.peek('q') $$, ARRAY['by the queue', 'at once', 'own', 'json', 'json at once'], 'peek shows all, by age');
SET LOCAL decouple.clock_shift = 60;
SELECT is_empty($$ SELECT * FROM decouple.receive('q', 10) $$, 'not too early');
SET LOCAL decouple.clock_shift = 101;
SELECT results_eq($$ SELECT body FROM decouple.receive('q', 10, '20 s') $$, ARRAY['by the queue'], 'due');
SET LOCAL decouple.clock_shift = 201;
SELECT results_eq($$ SELECT body, receive_count FROM decouple.receive('q', 10, '0') $$,
	$$ VALUES ('json', 1), ('by the queue', 2) $$, 'what is due in the parked table comes first');
SET LOCAL decouple.clock_shift = 650;
SELECT results_eq($$ SELECT body FROM decouple.peek('q') $$, ARRAY['by the queue', 'own', 'json'], 'retention counts from the due time');
SET LOCAL decouple.clock_shift = 750;
SELECT results_eq($$ SELECT body FROM decouple.receive('q', 10, '0') $$, ARRAY['json'], 'what has expired is not received');
SET LOCAL decouple.clock_shift = 7201;
SELECT results_eq($$ SELECT body FROM decouple.receive('q', 10, '0') $$, ARRAY['own'], 'a long delay');
SET LOCAL decouple.clock_shift = 0;

-- expires_in
SELECT decouple.purge('q');
SELECT decouple.alter_queue('q', reset => '{delay,retention}');
SELECT decouple.send('q', 'brief', expires_in => '50 s');
SELECT decouple.send('q', 'lasting', expires_in => '1 day');
SET LOCAL decouple.clock_shift = 60;
SELECT results_eq($$ SELECT body FROM decouple.receive('q', 10, '0') $$, ARRAY['lasting'], 'a message of its own lifetime');
SELECT is((SELECT count(*) FROM decouple.peek('q')), 1::bigint, 'is gone after it');
CALL decouple.maintain();
SELECT is((SELECT sum(visible + in_flight + delayed) FROM decouple.queue_metrics), 1::numeric, 'upkeep leaves the other');
-- retention ends messages in flight too
SELECT decouple.purge('q');
SET LOCAL decouple.clock_shift = 0;
SELECT decouple.send('q', 'kept');
SET LOCAL decouple.clock_shift = 345000;
SELECT results_eq($$ SELECT body FROM decouple.receive('q', 10, '1 hour') $$, ARRAY['kept'], 'four days are nearly over');
SET LOCAL decouple.clock_shift = 345601;
CALL decouple.maintain();
SELECT is((SELECT count(*) FROM decouple.peek('q')), 0::bigint, 'retention takes what is in flight too');
SELECT * FROM finish();
ROLLBACK;
