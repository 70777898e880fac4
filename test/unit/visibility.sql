-- Promise: a received message is hidden for its visibility timeout, no longer
-- and no shorter; who has the receipt can change that; a message given back
-- keeps its place by age.
BEGIN;
SELECT plan(27);
SELECT decouple.create_queue('q', visibility_timeout => '300 s');
SELECT decouple.send_batch('q', ARRAY['a', 'b', 'c']);
CREATE TEMP TABLE held AS SELECT * FROM decouple.receive('q', 2);
SELECT results_eq($$ SELECT body FROM held $$, ARRAY['a', 'b'], 'oldest first');
SELECT ok(bool_and(visible_at - first_received_at = '300 s'), 'hidden for the queue''s timeout') FROM held;
SELECT results_eq($$ SELECT body FROM decouple.receive('q', 10) $$, ARRAY['c'], 'what is hidden is not received');
SET LOCAL decouple.clock_shift = 200;
SELECT is_empty($$ SELECT * FROM decouple.receive('q', 10) $$, 'before the end it is hidden still');
SET LOCAL decouple.clock_shift = 301;
SELECT ok(decouple.delete('q', receipt), 'a timeout that passed does not end a receipt') FROM held WHERE body = 'b';
SELECT results_eq($$ SELECT body, receive_count FROM decouple.receive('q', 1, '1 hour') $$, $$ VALUES ('a', 2) $$, 'after it the message comes again, by age');
SELECT ok(NOT decouple.delete('q', receipt), 'the next receive does') FROM held WHERE body = 'a';
SELECT ok(NOT decouple.change_visibility('q', receipt, '0'), 'for every call') FROM held WHERE body = 'a';
SELECT ok(NOT decouple.nack('q', receipt), 'without exception') FROM held WHERE body = 'a';
SET LOCAL decouple.clock_shift = 0;

-- change of visibility
SELECT decouple.purge('q');
SELECT decouple.send_batch('q', ARRAY['d', 'e']);
TRUNCATE held;
INSERT INTO held SELECT * FROM decouple.receive('q', 10);
SELECT ok(decouple.change_visibility('q', receipt, '0'), '0 gives it back') FROM held WHERE body = 'd';
SELECT results_eq($$ SELECT body FROM decouple.receive('q', 10, '0') $$, ARRAY['d'], 'at once');
SELECT results_eq($$ SELECT decouple.delete('q', receipt) FROM held ORDER BY body $$, ARRAY[false, true], 'the other receipt stayed good');
SELECT decouple.purge('q');
SELECT decouple.send_batch('q', ARRAY['f', 'g']);
TRUNCATE held;
INSERT INTO held SELECT * FROM decouple.receive('q', 10);
SELECT ok(decouple.change_visibility('q', receipt, '10 minutes'), 'a long extension') FROM held WHERE body = 'f';
SELECT is((SELECT count(*) FROM decouple.parked_messages), 1::bigint, 'parks the message');
SELECT results_eq($$ SELECT in_flight FROM decouple.queue_metrics WHERE queue = 'q' $$, ARRAY[2::bigint], 'which is in flight as before');
SET LOCAL decouple.clock_shift = 500;
SELECT results_eq($$ SELECT body FROM decouple.receive('q', 10, '0') $$, ARRAY['g'], 'it is hidden for all that time');
SELECT ok(decouple.change_visibility('q', receipt, '20 minutes'), 'and can be extended again') FROM held WHERE body = 'f';
SET LOCAL decouple.clock_shift = 1000;
SELECT ok(decouple.change_visibility('q', receipt, '0'), 'or shortened') FROM held WHERE body = 'f';
SELECT results_eq($$ SELECT body, receive_count FROM decouple.receive('q', 1) $$, $$ VALUES ('f', 2) $$, 'and received');
SELECT is((SELECT count(*) FROM decouple.parked_messages), 0::bigint, 'from where it lies among the others');
SET LOCAL decouple.clock_shift = 0;

-- long leases from the start, and deletes of parked ones
SELECT decouple.purge('q');
SELECT decouple.send('q', 'h');
TRUNCATE held;
INSERT INTO held SELECT * FROM decouple.receive('q', 1, '365 days');
SELECT is((SELECT count(*) FROM decouple.parked_messages), 1::bigint, 'a long lease parks at once');
SELECT ok(decouple.delete('q', receipt), 'and its receipt deletes') FROM held;
SELECT is((SELECT count(*) FROM decouple.peek('q')), 0::bigint, 'the message');
SELECT ok(NOT decouple.delete('q', receipt), 'once') FROM held;

-- batches
SELECT decouple.send_batch('q', ARRAY['i', 'j', 'k']);
TRUNCATE held;
INSERT INTO held SELECT * FROM decouple.receive('q', 10);
SELECT ok(decouple.delete('q', receipt), 'one is gone') FROM held WHERE body = 'j';
SELECT set_eq($$ SELECT body FROM decouple.change_visibility_batch('q', (SELECT array_agg(receipt) FROM held), '0') r JOIN held ON held.receipt = r $$,
	ARRAY['i', 'k'], 'a batch returns those that were changed');
SELECT results_eq($$ SELECT body FROM decouple.receive('q', 10) $$, ARRAY['i', 'k'], 'and these are visible');
SELECT * FROM finish();
ROLLBACK;
