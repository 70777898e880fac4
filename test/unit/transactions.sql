-- Promise: each call sees all earlier calls of its transaction, also in one
-- statement; what a savepoint rolls back never was.
BEGIN;
SELECT plan(13);
SELECT decouple.create_queue('q');
SELECT lives_ok($$ SELECT decouple.send('q', 'one') $$, 'a message is sent');
SELECT results_eq($$ SELECT body FROM decouple.receive('q') $$, ARRAY['one'], 'its own transaction receives it');

SAVEPOINT s;
SELECT decouple.send('q', 'never');
SELECT decouple.delete('q', receipt) FROM (SELECT decouple.send('q', 'x')) s, decouple.receive('q', 10);
ROLLBACK TO s;
SELECT results_eq($$ SELECT body FROM decouple.peek('q') $$, ARRAY['one'], 'a savepoint takes send, receive and delete back');

SELECT decouple.send('q', 'two');
SELECT results_eq($$ WITH r AS (SELECT * FROM decouple.receive('q')) SELECT body, decouple.delete('q', receipt) FROM r $$,
	$$ VALUES ('two', true) $$, 'receive and delete in one statement');
SELECT results_eq($$ WITH s AS MATERIALIZED (SELECT decouple.send('q', 'three') AS id)
	SELECT r.body FROM s, LATERAL (SELECT * FROM decouple.receive('q') WHERE s.id > 0) r $$,
	ARRAY['three'], 'send and receive in one statement');
SELECT results_eq($$ SELECT (SELECT count(*) FROM decouple.receive('q', 10, '0')), (SELECT count(*) FROM decouple.receive('q', 10, '0')) $$,
	$$ VALUES (0::bigint, 0::bigint) $$, 'what is in flight is not received');

-- a receive that hides nothing: once per call, again in the next
SELECT decouple.purge('q');
SELECT decouple.send_batch('q', ARRAY['a', 'b']);
SELECT results_eq($$ SELECT body, receive_count FROM decouple.receive('q', 10, '0') $$, $$ VALUES ('a', 1), ('b', 1) $$, 'a timeout of 0 gives each message once');
SELECT results_eq($$ SELECT body, receive_count FROM decouple.receive('q', 10, '0') $$, $$ VALUES ('a', 2), ('b', 2) $$, 'and counts');
SELECT results_eq($$ SELECT a.body, b.body FROM decouple.receive('q', 1, '0') a, decouple.receive('q', 1, '0') b $$,
	$$ VALUES ('a', 'a') $$, 'two calls in one statement see each other');

-- ids
SELECT ok((SELECT a < b FROM (SELECT decouple.send('q', 'm') AS a, decouple.send('q', 'm') AS b) s), 'a later send has the greater id');
SELECT results_eq($$ SELECT id = (SELECT max(message_id) FROM decouple.peek('q', 100)) FROM decouple.send('q', 'last') id $$, ARRAY[true], 'send returns the message id');

-- a LIMIT outside gives nothing back
SELECT decouple.purge('q');
SELECT decouple.send_batch('q', ARRAY['a', 'b', 'c']);
SELECT results_eq($$ SELECT body FROM decouple.receive('q', 3) LIMIT 1 $$, ARRAY['a'], 'LIMIT shows one');
SELECT is_empty($$ SELECT * FROM decouple.receive('q', 3) $$, 'and all were taken');
SELECT * FROM finish();
ROLLBACK;
