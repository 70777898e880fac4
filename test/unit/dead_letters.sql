-- Promise: a message is delivered max_receive_count times and then moves to
-- the dead-letter queue as it is; redrive sends it back as a new one.
BEGIN;
SELECT plan(37);
SELECT decouple.create_queue('dead', retention => '600 s');
SELECT decouple.create_queue('q', dead_letter_queue => 'dead', max_receive_count => 2, visibility_timeout => '0');
SELECT decouple.send('q', 'bad', attributes => '{"k": "v"}', group_id => 'g', expires_in => '1 day') AS id \gset
CREATE TEMP TABLE deliveries AS SELECT 1 AS n, * FROM decouple.receive('q');
INSERT INTO deliveries SELECT 2, * FROM decouple.receive('q');
SELECT ok(decouple.nack('q', receipt, '0', 'why'), 'its last receipt') FROM deliveries WHERE n = 2;
SELECT results_eq($$ SELECT n, receive_count FROM deliveries $$, $$ VALUES (1, 1), (2, 2) $$, 'two deliveries');
SELECT decouple.send('q', 'good');
SELECT results_eq($$ SELECT body FROM decouple.receive('q', 10) $$, ARRAY['good'], 'the third receive moves it and gives the others');
SELECT results_eq($$ SELECT message_id, body, attributes, group_id, receive_count, dead_letter_source::text, queue::text, last_error FROM decouple.peek('dead') $$,
	format($$ VALUES (%s::bigint, 'bad', '{"k": "v"}'::jsonb, 'g', 2, 'q', 'dead', 'why') $$, :id), 'it keeps what it had');
SELECT ok(p.sent_at = d.sent_at AND p.first_received_at = d.first_received_at AND p.expires_at = d.expires_at, 'its times too')
FROM decouple.peek('dead') p, deliveries d WHERE d.n = 1;
SELECT ok(NOT decouple.delete('q', receipt) AND NOT decouple.delete('dead', receipt), 'old receipts are useless, in both queues') FROM deliveries WHERE n = 2;
SELECT results_eq($$ SELECT receive_count FROM decouple.receive('dead', 1, '0') $$, ARRAY[3], 'the count goes on');
SET LOCAL decouple.clock_shift = 500;
SELECT is((SELECT count(*) FROM decouple.peek('dead')), 1::bigint, 'its retention is that of the dead-letter queue');
SET LOCAL decouple.clock_shift = 601;
SELECT is((SELECT count(*) FROM decouple.peek('dead')), 0::bigint, 'from the move');
SET LOCAL decouple.clock_shift = 0;

-- upkeep moves what nobody receives; only this queue's receives count
SELECT decouple.purge('q'), decouple.purge('dead');
SELECT decouple.create_queue('deader');
SELECT decouple.alter_queue('dead', dead_letter_queue => 'deader', max_receive_count => 1, retention => '1 day');
SELECT decouple.send('q', 'chained');
SELECT count(*) FROM decouple.receive('q');
SELECT count(*) FROM decouple.receive('q');
CALL decouple.maintain();
SELECT results_eq($$ SELECT receive_count, dead_letter_source::text FROM decouple.peek('dead') $$, $$ VALUES (2, 'q') $$, 'upkeep moves it');
CALL decouple.maintain();
SELECT is((SELECT count(*) FROM decouple.peek('dead')), 1::bigint, 'receives from another queue do not count here');
SELECT results_eq($$ SELECT receive_count FROM decouple.receive('dead', 1, '0') $$, ARRAY[3], 'it is received once');
CALL decouple.maintain();
SELECT results_eq($$ SELECT receive_count, dead_letter_source::text FROM decouple.peek('deader') $$, $$ VALUES (3, 'dead') $$, 'and goes down the chain');

-- in flight it is not moved
SELECT decouple.send('dead', 'held');
CREATE TEMP TABLE held AS SELECT * FROM decouple.receive('dead', 1, '1 minute');
CALL decouple.maintain();
SELECT ok(decouple.delete('dead', receipt), 'whoever holds the last delivery can finish') FROM held;

-- a dead-letter queue that is gone: delivered on
SELECT decouple.purge('deader');
SELECT decouple.send('dead', 'stays');
SELECT count(*) FROM decouple.receive('dead', 1, '0');
DO $$ BEGIN EXECUTE format('DROP TABLE decouple.q_%s', (SELECT queue_number FROM decouple.queue_definitions WHERE queue_name = 'deader')); END $$;
SELECT results_eq($$ SELECT body, receive_count FROM decouple.receive('dead', 1, '0') $$, $$ VALUES ('stays', 2) $$, 'without its dead-letter queue a message is delivered on');
CALL decouple.maintain();
SELECT is((SELECT count(*) FROM decouple.peek('dead')), 1::bigint, 'and not lost by upkeep');
SELECT matches(state, 'deader is missing', 'status tells') FROM decouple.status() WHERE item = 'queue dead';

-- redrive: each to where it came from, as a new message
SELECT decouple.alter_queue('dead', reset => '{dead_letter_queue}');
SELECT decouple.purge('dead'), decouple.purge('q');
SELECT decouple.create_queue('p', dead_letter_queue => 'dead', max_receive_count => 1, visibility_timeout => '0');
SELECT decouple.send('q', 'from q', expires_in => '1 day') AS id \gset
SELECT decouple.send('p', 'from p');
SELECT decouple.send('dead', 'sent here');
SELECT count(*) FROM decouple.receive('q');
SELECT decouple.nack('q', receipt, '0', 'why') FROM decouple.receive('q');
SELECT count(*) FROM decouple.receive('p');
CALL decouple.maintain();
SELECT is((SELECT count(*) FROM decouple.peek('dead')), 3::bigint, 'three dead letters');
SELECT decouple.redrive('dead') AS task \gset
SELECT results_eq($$ SELECT state, moved, remaining FROM decouple.redrive_tasks $$, $$ VALUES ('running', 0::bigint, 2::bigint) $$, 'a task is noted');
CALL decouple.maintain();
SELECT results_eq($$ SELECT state, moved, remaining, ended_at IS NULL, error FROM decouple.redrive_tasks $$,
	$$ VALUES ('completed', 2::bigint, 0::bigint, false, NULL::text) $$, 'and done by a round of upkeep');
SELECT results_eq($$ SELECT body FROM decouple.peek('dead') $$, ARRAY['sent here'], 'what came from nowhere stays');
SELECT results_eq($$ SELECT body FROM decouple.peek('p') $$, ARRAY['from p'], 'each went');
SELECT results_eq($$ SELECT body, receive_count, original_id, message_id > original_id, first_received_at, dead_letter_source::text, last_error, expires_at < clock_timestamp() + '1 day' FROM decouple.peek('q') $$,
	format($$ VALUES ('from q', 0, %s::bigint, true, NULL::timestamptz, NULL, NULL, true) $$, :id), 'to its queue, as a new message');

-- to a destination, by a rate
SELECT decouple.create_queue('elsewhere');
SELECT decouple.send_batch('dead', ARRAY(SELECT i::text FROM generate_series(1, 499) i));
SELECT decouple.redrive('dead', 'elsewhere', 2) AS task \gset
CALL decouple.maintain();
SELECT results_eq(format($$ SELECT state, moved, remaining FROM decouple.redrive_tasks WHERE task_id = %s $$, :task), $$ VALUES ('running', 2::bigint, 498::bigint) $$, 'two in the first round');
-- the clock goes back a little, so that no time at all passes
SET LOCAL decouple.clock_shift = -5;
CALL decouple.maintain();
SELECT results_eq(format($$ SELECT moved FROM decouple.redrive_tasks WHERE task_id = %s $$, :task), ARRAY[2::bigint], 'none at once after it');
SET LOCAL decouple.clock_shift = 10;
CALL decouple.maintain();
SELECT ok(moved BETWEEN 22 AND 400, 'two a second later') FROM decouple.redrive_tasks WHERE task_id = :task;
CREATE TEMP TABLE before AS SELECT moved FROM decouple.redrive_tasks WHERE task_id = :task;
SELECT is(decouple.redrive('dead', 'elsewhere', 2), :task::bigint, 'the same call names the task');
SELECT throws_ok($$ SELECT decouple.redrive('dead') $$, 'QU002', NULL, 'another one is refused');
SELECT decouple.send('dead', 'later');
SELECT ok(decouple.cancel_redrive('dead', :task), 'it can be stopped');
SELECT ok(NOT decouple.cancel_redrive('dead', :task), 'once');
SET LOCAL decouple.clock_shift = 20;
CALL decouple.maintain();
SELECT results_eq(format($$ SELECT state, moved FROM decouple.redrive_tasks WHERE task_id = %s $$, :task), $$ SELECT 'cancelled', moved FROM before $$, 'and nothing more moves');
SELECT is((SELECT count(*) FROM decouple.peek('elsewhere', 10000)), (SELECT moved FROM before), 'what was moved stays moved');

-- what came after the task began stays; what is held comes later
SELECT decouple.purge('dead');
SELECT decouple.send_batch('dead', ARRAY['a', 'b']);
TRUNCATE held;
INSERT INTO held SELECT * FROM decouple.receive('dead', 1, '1 minute');
SELECT decouple.redrive('dead', 'elsewhere') AS task \gset
SET LOCAL decouple.clock_shift = 21;
SELECT decouple.send('dead', 'after');
CALL decouple.maintain();
SELECT results_eq(format($$ SELECT state, moved, remaining FROM decouple.redrive_tasks WHERE task_id = %s $$, :task), $$ VALUES ('running', 1::bigint, 1::bigint) $$, 'what a consumer holds is waited for');
SELECT decouple.change_visibility('dead', receipt, '0') FROM held;
CALL decouple.maintain();
SELECT results_eq(format($$ SELECT state, moved FROM decouple.redrive_tasks WHERE task_id = %s $$, :task), $$ VALUES ('completed', 2::bigint) $$, 'until it comes back');
SELECT results_eq($$ SELECT body FROM decouple.peek('dead') $$, ARRAY['after'], 'what came later stays');

-- a destination that goes
SELECT decouple.redrive('dead', 'elsewhere') AS task \gset
SELECT decouple.drop_queue('elsewhere');
CALL decouple.maintain();
SELECT results_eq(format($$ SELECT state, error FROM decouple.redrive_tasks WHERE task_id = %s $$, :task), $$ VALUES ('failed', 'queue "elsewhere" does not exist') $$, 'fails the task');
SELECT is((SELECT count(*) FROM decouple.peek('dead')), 1::bigint, 'and loses nothing');
SELECT * FROM finish();
ROLLBACK;
