-- Promise: a FIFO queue gives each group in the order of its messages, a run
-- from the first on as far as all are visible; deduplicates; and everything
-- else of a queue holds for it.
BEGIN;
SELECT plan(91);
CREATE FUNCTION pg_temp.bodies(queue text, max_messages int DEFAULT 10, timeout interval DEFAULT NULL) RETURNS text
LANGUAGE sql AS $$ SELECT coalesce(string_agg(body, ' ' ORDER BY n), '-')
	FROM decouple.receive(queue, max_messages, timeout) WITH ORDINALITY AS r (message_id, receipt, body, a, g, d, s, c, se, fr, v, sd, dl, q, ex, le, oi, n) $$;

-- names and options
SELECT throws_ok($$ SELECT decouple.create_queue('plain', fifo => true) $$, '22023', NULL, 'a FIFO queue''s name ends in .fifo');
SELECT throws_ok($$ SELECT decouple.create_queue('o.fifo', fifo => false) $$, '22023', NULL, 'and no other''s');
SELECT throws_ok($$ SELECT decouple.create_queue('plain', content_based_deduplication => true) $$, 'QU006', NULL, 'a standard queue does not deduplicate');
SELECT throws_ok($$ SELECT decouple.create_queue('plain', deduplication_scope => 'queue') $$, 'QU006', NULL, 'and has no scope');
SELECT throws_ok($$ SELECT decouple.create_queue('plain', deduplication_window => '1 minute') $$, 'QU006', NULL, 'and no window');
SELECT throws_ok($$ SELECT decouple.create_queue('o.fifo', deduplication_scope => 'galaxy') $$, '22023', NULL, 'the scope is queue or message_group');
SELECT throws_ok($$ SELECT decouple.create_queue('o.fifo', deduplication_window => '0') $$, '22023', NULL, 'the window is at least a second');
SELECT is(decouple.create_queue('o.fifo', fifo => true)::text, 'o.fifo', 'created');
SELECT is(decouple.create_queue('o.fifo')::text, 'o.fifo', 'the name alone says it too');
SELECT results_eq($$ SELECT fifo, content_based_deduplication, deduplication_scope, deduplication_window FROM decouple.queues $$,
	$$ VALUES (true, false, 'queue', '5 minutes'::interval) $$, 'its defaults');
SELECT throws_ok($$ SELECT decouple.alter_queue('o.fifo', fifo => false) $$, '22023', NULL, 'it stays FIFO');
SELECT decouple.create_queue('plain');
SELECT throws_ok($$ SELECT decouple.alter_queue('plain', fifo => true) $$, '22023', NULL, 'and a standard queue stays one');
SELECT throws_ok($$ SELECT decouple.alter_queue('o.fifo', dead_letter_queue => 'plain', max_receive_count => 3) $$, '22023', NULL,
	'its dead letters go to a FIFO queue');
SELECT throws_ok($$ SELECT decouple.alter_queue('plain', dead_letter_queue => 'o.fifo', max_receive_count => 3) $$, '22023', NULL,
	'those of a standard queue do not');

-- what a message needs
SELECT throws_ok($$ SELECT decouple.send('o.fifo', 'x', deduplication_id => 'x') $$, 'QU006', NULL, 'a group id');
SELECT throws_ok($$ SELECT decouple.send('o.fifo', 'x', group_id => 'g') $$, 'QU006', NULL, 'a deduplication id');
SELECT throws_ok($$ SELECT decouple.send('o.fifo', 'x', group_id => 'a b', deduplication_id => 'x') $$, '22023', NULL, 'of good form');
SELECT throws_ok($$ SELECT decouple.send('o.fifo', 'x', group_id => 'g', deduplication_id => repeat('x', 129)) $$, '22023', NULL, 'both of them');
SELECT throws_ok($$ SELECT decouple.send('o.fifo', 'x', '1 s', group_id => 'g', deduplication_id => 'x') $$, '22023', NULL, 'no delay of its own');
SELECT throws_ok($$ SELECT decouple.send_batch('o.fifo', '{x,y}', group_ids => '{g,g}') $$, 'QU006', NULL, 'in a batch too');
SELECT throws_ok($$ SELECT decouple.send('plain', 'x', deduplication_id => 'x') $$, 'QU006', NULL, 'a standard queue takes no deduplication id');
SELECT throws_ok($$ SELECT * FROM decouple.receive('plain', attempt_id => 'x') $$, 'QU006', NULL, 'and no attempt id');

-- runs: the six cases of what is in flight, and who it blocks
SELECT decouple.alter_queue('o.fifo', content_based_deduplication => true, visibility_timeout => '30 s');
SELECT decouple.send_batch('o.fifo', '{a1,a2,a3}', group_ids => '{a,a,a}');
SELECT is(pg_temp.bodies('o.fifo', 1), 'a1', 'the first');
SELECT is(pg_temp.bodies('o.fifo'), '-', 'blocks those behind it');
SELECT decouple.send('o.fifo', 'b1', group_id => 'b');
SELECT is(pg_temp.bodies('o.fifo'), 'b1', 'not another group');
SELECT decouple.send('o.fifo', 'a4', group_id => 'a');
SELECT is(pg_temp.bodies('o.fifo'), '-', 'a new message does not unlock its group');
SELECT decouple.purge('o.fifo');

CREATE TEMP TABLE run AS SELECT * FROM decouple.receive('o.fifo', 1) LIMIT 0;
CREATE FUNCTION pg_temp.fresh_run() RETURNS void LANGUAGE sql AS $$
	SELECT decouple.purge('o.fifo');
	SELECT decouple.send_batch('o.fifo', '{m1,m2,m3}', group_ids => '{g,g,g}');
	DELETE FROM run;
	INSERT INTO run SELECT * FROM decouple.receive('o.fifo', 10);
$$;
CREATE FUNCTION pg_temp.hide(which text, how_long interval) RETURNS boolean LANGUAGE sql AS $$
	SELECT decouple.change_visibility('o.fifo', receipt, how_long) FROM run WHERE body = which $$;
SELECT pg_temp.fresh_run();
SELECT is((SELECT string_agg(body, ' ') FROM run), 'm1 m2 m3', 'a run');
SELECT ok((SELECT bool_and(sequence_number = message_id) FROM run), 'sequence numbers');
SELECT pg_temp.hide('m2', '0'), pg_temp.hide('m3', '0');
SELECT is(pg_temp.bodies('o.fifo'), '-', 'm1 in flight: nothing');
SELECT pg_temp.fresh_run();
SELECT pg_temp.hide('m1', '0'), pg_temp.hide('m3', '0');
SELECT is(pg_temp.bodies('o.fifo'), 'm1', 'm2 in flight: m1 only');
SELECT pg_temp.fresh_run();
SELECT pg_temp.hide('m1', '0'), pg_temp.hide('m2', '0');
SELECT is(pg_temp.bodies('o.fifo'), 'm1 m2', 'm3 in flight: m1 and m2');
SELECT pg_temp.fresh_run();
SELECT pg_temp.hide('m1', '0'), pg_temp.hide('m2', '0'), pg_temp.hide('m3', '0');
SELECT is(pg_temp.bodies('o.fifo', 2), 'm1 m2', 'none in flight: as many as are wanted');
SELECT is(pg_temp.bodies('o.fifo', 2), '-', 'and then they block');
SELECT pg_temp.fresh_run();
SELECT decouple.delete('o.fifo', receipt) FROM run WHERE body = 'm1';
SELECT pg_temp.hide('m3', '0');
SELECT is(pg_temp.bodies('o.fifo'), '-', 'm1 deleted, m2 in flight: blocked');
SELECT decouple.delete('o.fifo', receipt) FROM run WHERE body = 'm2';
SELECT is(pg_temp.bodies('o.fifo'), 'm3', 'm2 deleted too: free at once');
SELECT pg_temp.fresh_run();
SELECT decouple.delete('o.fifo', receipt) FROM run;
SELECT decouple.send('o.fifo', 'm4', group_id => 'g');
SELECT is(pg_temp.bodies('o.fifo'), 'm4', 'a group that was empty works again');

-- several groups in one call
SELECT decouple.purge('o.fifo');
SELECT decouple.send_batch('o.fifo', '{a1,b1,a2,b2,c1}', group_ids => '{a,b,a,b,c}');
SELECT is(pg_temp.bodies('o.fifo', 3), 'a1 a2 b1', 'one group as far as it goes, then the next');
SELECT is(pg_temp.bodies('o.fifo', 3), 'c1', 'what is behind in b waits');

-- the view of blocked groups
SELECT results_eq($$ SELECT queue::text, group_id, reason, waiting FROM decouple.blocked_groups $$,
	$$ VALUES ('o.fifo', 'b', 'in flight', 1::bigint) $$, 'it shows who waits');
SELECT ok(until > clock_timestamp() AND since < clock_timestamp(), 'and for how long') FROM decouple.blocked_groups;

-- visibility timeout 0 and a timeout that passes
SELECT decouple.purge('o.fifo');
SELECT decouple.send_batch('o.fifo', '{a1,a2}', group_ids => '{a,a}');
SELECT is(pg_temp.bodies('o.fifo', 1, '0'), 'a1', 'with a timeout of 0');
SELECT is(pg_temp.bodies('o.fifo', 1, '0'), 'a1', 'it comes again');
DELETE FROM run;
INSERT INTO run SELECT * FROM decouple.receive('o.fifo', 1, '1 s');
SET LOCAL decouple.clock_shift = 2;
SELECT is(pg_temp.bodies('o.fifo', 2, '0'), 'a1 a2', 'the timeout passed');
SELECT is(decouple.delete('o.fifo', receipt), false, 'its receipt is stale') FROM run;
SET LOCAL decouple.clock_shift = 0;

-- deduplication
SELECT decouple.purge('o.fifo');
SELECT decouple.send('o.fifo', 'one', group_id => 'a') AS first \gset
SELECT is(decouple.send('o.fifo', 'one', group_id => 'a'), :first::bigint, 'a duplicate is a success with the first one''s id');
SELECT is(decouple.send('o.fifo', 'one', group_id => 'b'), :first::bigint, 'in another group too');
SELECT is(decouple.send('o.fifo', 'one', attributes => '{"x": 1}', group_id => 'a'), :first::bigint, 'attributes do not count');
SELECT is(decouple.send('o.fifo', 'another', group_id => 'a', deduplication_id => encode(sha256('one'), 'hex')), :first::bigint,
	'an explicit id that is the hash of a body');
SELECT isnt(decouple.send('o.fifo', 'one', group_id => 'a', deduplication_id => 'explicit'), :first::bigint, 'an explicit id wins');
SELECT is((SELECT array_agg(deduplication_id) FROM decouple.peek('o.fifo')), ARRAY[encode(sha256('one'), 'hex'), 'explicit'], 'shown, computed or given');
SELECT is((SELECT count(DISTINCT s) FROM decouple.send_batch('o.fifo', '{x,x,x}', group_ids => '{a,b,c}') s), 1::bigint, 'within a batch');
SELECT is((SELECT count(*) FROM decouple.peek('o.fifo')), 3::bigint, 'one of them is stored');
WITH r AS MATERIALIZED (SELECT * FROM decouple.receive('o.fifo', 10)) SELECT decouple.delete('o.fifo', receipt) FROM r;
SELECT is(decouple.send('o.fifo', 'one', group_id => 'a'), :first::bigint, 'it survives receive and delete');
SELECT is((SELECT count(*) FROM decouple.peek('o.fifo')), 0::bigint, 'nothing is enqueued');
SET LOCAL decouple.clock_shift = 299;
SELECT is(decouple.send('o.fifo', 'one', group_id => 'a'), :first::bigint, 'for five minutes');
SET LOCAL decouple.clock_shift = 301;
SELECT isnt(decouple.send('o.fifo', 'one', group_id => 'a'), :first::bigint, 'from the first send, whatever the duplicates');
SET LOCAL decouple.clock_shift = 0;
SELECT decouple.purge('o.fifo');
SELECT isnt(decouple.send('o.fifo', 'x', group_id => 'a'), NULL, 'purge forgets') AS t;
SELECT is((SELECT count(*) FROM decouple.peek('o.fifo')), 1::bigint, 'so it is enqueued');
SAVEPOINT s;
SELECT decouple.send('o.fifo', 'rolled back', group_id => 'a') AS rolled_back \gset
ROLLBACK TO s;
SELECT isnt(decouple.send('o.fifo', 'rolled back', group_id => 'a'), :rolled_back::bigint, 'a rollback frees the id');

SELECT decouple.create_queue('by.fifo', deduplication_scope => 'message_group', deduplication_window => '10 s');
SELECT decouple.send('by.fifo', '1', group_id => 'a', deduplication_id => 'x') AS a \gset
SELECT decouple.send('by.fifo', '2', group_id => 'b', deduplication_id => 'x') AS b \gset
SELECT isnt(:a, :b, 'scope message_group: an id in another group is another');
SELECT is(decouple.send('by.fifo', '3', group_id => 'b', deduplication_id => 'x'), :b::bigint, 'in the same it is not');
SET LOCAL decouple.clock_shift = 11;
SELECT isnt(decouple.send('by.fifo', '4', group_id => 'b', deduplication_id => 'x'), :b::bigint, 'a window of its own');
CALL decouple.maintain();
SET LOCAL decouple.clock_shift = 0;
SELECT is((SELECT count(*) FROM decouple.deduplications d JOIN decouple.queue_definitions q USING (queue_number) WHERE q.queue_name = 'by.fifo'),
	1::bigint, 'upkeep forgets what is old');

-- delay: of the queue only, also for what is there; who is delayed blocks nobody
SELECT decouple.purge('by.fifo');
SELECT decouple.send('by.fifo', 'd1', group_id => 'g', deduplication_id => 'd1');
SELECT decouple.alter_queue('by.fifo', delay => '60 s');
SELECT is(pg_temp.bodies('by.fifo'), '-', 'the new delay holds for what is there');
SELECT results_eq($$ SELECT visible, in_flight, delayed FROM decouple.queue_metrics WHERE queue = 'by.fifo' $$, $$ VALUES (0::bigint, 0::bigint, 1::bigint) $$, 'delayed');
SELECT decouple.alter_queue('by.fifo', delay => '0');
SELECT is(pg_temp.bodies('by.fifo', 1, '0'), 'd1', 'and so does none');
SELECT is(pg_temp.bodies('by.fifo', 1, '20 minutes'), 'd1', 'a long lease');
SELECT decouple.send('by.fifo', 'd2', group_id => 'g', deduplication_id => 'd2');
SELECT is(pg_temp.bodies('by.fifo'), '-', 'blocks too');
SELECT results_eq($$ SELECT visible, in_flight, delayed FROM decouple.queue_metrics WHERE queue = 'by.fifo' $$, $$ VALUES (1::bigint, 1::bigint, 0::bigint) $$,
	'a message that is blocked is visible');
SELECT is(decouple.purge('by.fifo'), 2::bigint, 'purge takes all');

-- dead letters
SELECT decouple.create_queue('dead.fifo');
SELECT decouple.create_queue('q.fifo', dead_letter_queue => 'dead.fifo', max_receive_count => 1, visibility_timeout => '0', content_based_deduplication => true);
SELECT decouple.send('q.fifo', 'p1', group_id => 'g') AS p1 \gset
SELECT decouple.send('q.fifo', 'p2', group_id => 'g'), decouple.send('q.fifo', 'p3', group_id => 'h');
SELECT is(pg_temp.bodies('q.fifo', 1), 'p1', 'received once');
SELECT is(pg_temp.bodies('q.fifo', 1), 'p2', 'the move of the one that blocks frees its group');
SELECT results_eq($$ SELECT message_id, body, group_id, deduplication_id, dead_letter_source::text FROM decouple.peek('dead.fifo') $$,
	format($$ VALUES (%s::bigint, 'p1', 'g', '%s', 'q.fifo') $$, :p1, :p1), 'in the dead-letter queue its deduplication id is its message id');
SELECT is(pg_temp.bodies('q.fifo'), 'p3', 'the next receive moves p2');
SELECT is(pg_temp.bodies('dead.fifo', 10, '0'), 'p1 p2', 'dead letters keep their order');
SELECT throws_ok($$ SELECT decouple.redrive('dead.fifo', 'plain') $$, '22023', NULL, 'a redrive goes to a FIFO queue');
SELECT isnt(decouple.redrive('dead.fifo'), NULL, 'redrive');
CALL decouple.maintain();
SELECT results_eq($$ SELECT body, group_id, original_id IS NOT NULL, receive_count FROM decouple.peek('q.fifo') WHERE body <> 'p3' $$,
	$$ VALUES ('p1', 'g', true, 0), ('p2', 'g', true, 0) $$, 'sends them back in their order');
SELECT is(pg_temp.bodies('q.fifo', 1), 'p1', 'where they are received again');

-- a poison that the queue's policy puts off blocks its group
SELECT decouple.create_queue('slow.fifo', retry_delay => '1 minute', content_based_deduplication => true);
SELECT decouple.send_batch('slow.fifo', '{s1,s2}', group_ids => '{g,g}');
SELECT ok(decouple.nack('slow.fifo', receipt, reason => 'why'), 'put off') FROM decouple.receive('slow.fifo', 1);
SELECT is(pg_temp.bodies('slow.fifo'), '-', 'it blocks its group');
SET LOCAL decouple.clock_shift = 70;
SELECT is(pg_temp.bodies('slow.fifo'), 's1 s2', 'until then');
SET LOCAL decouple.clock_shift = 0;

-- retention
SELECT decouple.alter_queue('slow.fifo', retention => '60 s');
SELECT decouple.purge('slow.fifo');
SELECT decouple.send_batch('slow.fifo', '{r1,r2}', group_ids => '{g,g}');
SELECT count(*) FROM decouple.receive('slow.fifo', 1, '1 hour');
SET LOCAL decouple.clock_shift = 61;
SELECT decouple.send('slow.fifo', 'r3', group_id => 'g');
CALL decouple.maintain();
SELECT is(pg_temp.bodies('slow.fifo'), 'r3', 'what expires blocks no more');
SET LOCAL decouple.clock_shift = 0;

-- an attempt that is repeated
SELECT decouple.purge('o.fifo');
SELECT decouple.send_batch('o.fifo', '{t1,t2,t3}', group_ids => '{t,t,t}');
DELETE FROM run;
INSERT INTO run SELECT * FROM decouple.receive('o.fifo', 2, '10 s', attempt_id => 'try');
SELECT results_eq($$ SELECT body, receipt::text, receive_count FROM decouple.receive('o.fifo', 2, '20 s', attempt_id => 'try') $$,
	$$ SELECT body, receipt::text, 1 FROM run $$, 'the same messages and receipts');
SELECT ok(bool_and(visible_at > clock_timestamp() + '15 s'), 'hidden anew') FROM decouple.peek('o.fifo') WHERE body <> 't3';
SELECT is((SELECT count(*) FROM decouple.receive('o.fifo', 2, attempt_id => 'another')), 0::bigint, 'another attempt finds the group blocked');
SELECT ok(decouple.delete('o.fifo', receipt), 'the receipts are good') FROM run WHERE body = 't1';
SELECT is((SELECT count(*) FROM decouple.receive('o.fifo', 2, attempt_id => 'try')), 0::bigint, 'once one was deleted it is an ordinary receive');
SELECT ok(decouple.change_visibility('o.fifo', receipt, '0'), 'given back') FROM run WHERE body = 't2';
SELECT is((SELECT string_agg(body, ' ') FROM decouple.receive('o.fifo', 2, '5 s', attempt_id => 'try')), 't2 t3', 'which gets what there is');
SET LOCAL decouple.clock_shift = 6;
SELECT is((SELECT string_agg(receive_count::text, ' ') FROM decouple.receive('o.fifo', 2, '5 s', attempt_id => 'try')), '3 2', 'after their timeout they are received again');
SET LOCAL decouple.clock_shift = 0;

SELECT * FROM finish();
ROLLBACK;
