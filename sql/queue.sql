-- Promise: create_queue, alter_queue and drop_queue keep to their ranges and
-- defaults, the same call twice is one, and a queue's table is its owner's.
CREATE EXTENSION decouple;

-- defaults
SELECT decouple.create_queue('orders');
\x
SELECT queue, owner, fifo, visibility_timeout, delay, retention, wait_time, max_message_size, dead_letter_queue,
	max_receive_count, content_based_deduplication, retry_delay, retry_max_delay, retry_backoff, notify,
	created_at = altered_at AS unaltered
FROM decouple.queues;
\x

-- the same again; other values; only what is given is compared
SELECT decouple.create_queue('orders');
SELECT decouple.create_queue('orders', visibility_timeout => '30 s', notify => true);
SELECT decouple.create_queue('orders', visibility_timeout => '31 s');
SELECT decouple.alter_queue('orders', visibility_timeout => '31 s');
SELECT decouple.create_queue('orders', visibility_timeout => '31 s');
SELECT decouple.create_queue('orders');

-- bounds of each option: the lowest and the highest
SELECT decouple.create_queue('low', visibility_timeout => '0', delay => '0', retention => '60 s', wait_time => '0',
	max_message_size => 1024, retry_delay => '0', retry_max_delay => '0', retry_backoff => 'none', notify => false);
SELECT decouple.create_queue('high', visibility_timeout => '365 days', delay => '365 days', retention => '100 years',
	wait_time => '20 s', max_message_size => 67108864, retry_delay => '365 days', retry_max_delay => '365 days',
	retry_backoff => 'exponential');
SELECT decouple.create_queue('ever', retention => '0', dead_letter_queue => 'low', max_receive_count => 1, fifo => false,
	content_based_deduplication => false);
SELECT decouple.alter_queue('ever', max_receive_count => 1000, retry_backoff => 'linear');
SELECT queue, retention, dead_letter_queue, max_receive_count, retry_backoff FROM decouple.queues ORDER BY queue;

-- one beyond: each kind once with its text
SELECT decouple.create_queue('x', visibility_timeout => '-1 s');
SELECT decouple.create_queue('x', wait_time => '21 s');
SELECT decouple.create_queue('x', max_message_size => 1023);
SELECT decouple.create_queue('x', retry_backoff => 'cubic');
SELECT decouple.create_queue('x', max_receive_count => 3);
SELECT decouple.create_queue('x', dead_letter_queue => 'x', max_receive_count => 3);
SELECT decouple.create_queue('x', dead_letter_queue => 'nowhere', max_receive_count => 3);
SELECT decouple.create_queue('x', fifo => true);
SELECT decouple.alter_queue('orders', reset => '{colour}');
SELECT decouple.alter_queue('orders', delay => '1 s', reset => '{delay}');
SELECT decouple.alter_queue('nowhere');
SELECT decouple.create_queue(NULL);
\set VERBOSITY sqlstate
SELECT decouple.create_queue('x', visibility_timeout => '365 days 1 microsecond');
SELECT decouple.create_queue('x', visibility_timeout => '178000000 years');
SELECT decouple.create_queue('x', delay => '-1 microsecond');
SELECT decouple.create_queue('x', delay => '366 days');
SELECT decouple.create_queue('x', retention => '59 s');
SELECT decouple.create_queue('x', retention => '-60 s');
SELECT decouple.create_queue('x', retention => '101 years');
SELECT decouple.create_queue('x', wait_time => '-1 s');
SELECT decouple.create_queue('x', max_message_size => 67108865);
SELECT decouple.create_queue('x', max_message_size => -1);
SELECT decouple.create_queue('x', retry_delay => '-1 s');
SELECT decouple.create_queue('x', retry_max_delay => '366 days');
SELECT decouple.create_queue('x', dead_letter_queue => 'low');
SELECT decouple.create_queue('x', dead_letter_queue => 'low', max_receive_count => 0);
SELECT decouple.create_queue('x', dead_letter_queue => 'low', max_receive_count => 1001);
SELECT decouple.create_queue('x', content_based_deduplication => true);
SELECT decouple.create_queue('x.fifo', fifo => false);
SELECT decouple.create_queue('bad name');
SELECT decouple.alter_queue(NULL);
SELECT decouple.alter_queue('ever', reset => ARRAY['delay', NULL]);
SELECT decouple.alter_queue('ever', max_receive_count => 3, reset => '{dead_letter_queue}');
SELECT decouple.drop_queue(NULL);
\set VERBOSITY default
SELECT count(*) AS none_was_made FROM decouple.queues WHERE queue = 'x';

-- reset
SELECT decouple.alter_queue('ever', reset => '{dead_letter_queue,retention,retry_backoff}');
SELECT retention, dead_letter_queue, max_receive_count, retry_backoff FROM decouple.queues WHERE queue = 'ever';

-- drop: not while it is needed
SELECT decouple.alter_queue('ever', dead_letter_queue => 'low', max_receive_count => 2);
SELECT decouple.drop_queue('low');
SELECT decouple.drop_queue('ever'), decouple.drop_queue('low'), decouple.drop_queue('low'), decouple.drop_queue('nowhere');

-- names as text, varchar, and without a type
PREPARE untyped AS SELECT decouple.create_queue($1);
EXECUTE untyped('from_prepared');
DO $$
DECLARE
	a text := 'from_text';
	b varchar := 'from_varchar';
BEGIN
	PERFORM decouple.create_queue(a);
	PERFORM decouple.create_queue(b);
	FOR i IN 1..2 LOOP
		PERFORM decouple.create_queue('q' || i);
	END LOOP;
END
$$;
SELECT queue FROM decouple.queues ORDER BY queue;
SELECT decouple.drop_queue(queue) FROM decouple.queues WHERE queue <> 'orders';

-- transactions: what is rolled back never was
BEGIN;
SAVEPOINT s;
SELECT decouple.create_queue('passing');
SELECT decouple.send('passing', 'm') > 0 AS sent;
ROLLBACK TO s;
\set VERBOSITY sqlstate
SAVEPOINT t;
SELECT decouple.send('passing', 'm');
ROLLBACK TO t;
\set VERBOSITY default
SELECT decouple.create_queue('passing', delay => '1 hour');
SELECT decouple.send('passing', 'm') > 0 AS sent;
SAVEPOINT u;
SELECT decouple.alter_queue('passing', delay => '0');
SELECT decouple.send('passing', 'm2') > 0 AS sent;
SELECT body FROM decouple.receive('passing', 10);
ROLLBACK TO u;
SELECT decouple.send('passing', 'm3') > 0 AS sent;
SELECT count(*) AS received FROM decouple.receive('passing', 10);
SELECT delayed FROM decouple.queue_metrics WHERE queue = 'passing';
SAVEPOINT v;
SELECT decouple.drop_queue('passing');
ROLLBACK TO v;
SELECT count(*) FROM decouple.peek('passing');
ROLLBACK;

-- read-only transactions
\set VERBOSITY sqlstate
BEGIN READ ONLY; SELECT decouple.create_queue('x'); ROLLBACK;
BEGIN READ ONLY; SELECT decouple.alter_queue('orders', delay => '1 s'); ROLLBACK;
BEGIN READ ONLY; SELECT decouple.drop_queue('orders'); ROLLBACK;
BEGIN READ ONLY; SELECT decouple.send('orders', 'm'); ROLLBACK;
BEGIN READ ONLY; SELECT decouple.receive('orders'); ROLLBACK;
BEGIN READ ONLY; SELECT decouple.purge('orders'); ROLLBACK;
BEGIN READ ONLY; CALL decouple.maintain(); ROLLBACK;
BEGIN READ ONLY; SELECT count(*) FROM decouple.peek('orders'); SELECT visible FROM decouple.queue_metrics; ROLLBACK;
\set VERBOSITY default

-- the table: found by its number; altered it is refused, repaired it works
SELECT format('decouple.q_%s', queue_number) AS tab FROM decouple.queue_definitions WHERE queue_name = 'orders' \gset
SELECT obj_description(:'tab'::regclass, 'pg_class');
SELECT decouple.send('orders', 'kept') > 0 AS sent;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER t BEFORE INSERT ON :tab FOR EACH ROW EXECUTE FUNCTION nothing();
SELECT decouple.send('orders', 'm');
DROP TRIGGER t ON :tab;
\set SHOW_CONTEXT never
ALTER TABLE :tab ADD CHECK (length(body) < 10);
SELECT decouple.send('orders', 'm');
ALTER TABLE :tab DROP CONSTRAINT q_1_body_check;
ALTER TABLE :tab ADD extra int;
SELECT decouple.receive('orders');
ALTER TABLE :tab DROP extra;
ALTER TABLE :tab ENABLE ROW LEVEL SECURITY;
SELECT decouple.peek('orders');
ALTER TABLE :tab DISABLE ROW LEVEL SECURITY;
CREATE INDEX e ON :tab (length(body));
SELECT decouple.purge('orders');
DROP INDEX decouple.e;
CREATE INDEX e ON :tab (body) WHERE id > 10;
SELECT decouple.send('orders', 'm');
DROP INDEX decouple.e;
ALTER TABLE :tab DROP CONSTRAINT q_1_pkey;
SELECT decouple.send('orders', 'm');
ALTER TABLE :tab ADD PRIMARY KEY (id);
CREATE SCHEMA elsewhere;
ALTER TABLE :tab SET SCHEMA elsewhere;
SELECT decouple.send('orders', 'm');
SELECT item, state FROM decouple.status() WHERE item LIKE 'queue %';
SELECT queue, owner FROM decouple.queues;
SELECT count(*) FROM decouple.queue_metrics;
CALL decouple.maintain();
ALTER TABLE elsewhere.q_1 SET SCHEMA decouple;
\set VERBOSITY default
SELECT body, decouple.delete('orders', receipt) FROM decouple.receive('orders');
-- a plain index of the owner's is fed
CREATE INDEX by_group ON :tab (group_id);
SELECT decouple.send('orders', 'm', group_id => 'g') > 0 AS sent;
SELECT decouple.send('orders', 'without') > 0 AS sent;
SELECT count(*) FROM decouple.receive('orders', 10);
SET enable_seqscan = off;
SELECT body FROM :tab WHERE group_id = 'g';
RESET enable_seqscan;

-- however the table goes, the definition goes too
SELECT decouple.create_queue('short');
SELECT decouple.send('short', 'm', delay => '1 day') > 0 AS sent;
SELECT format('decouple.q_%s', queue_number) AS tab FROM decouple.queue_definitions WHERE queue_name = 'short' \gset
BEGIN; DROP TABLE :tab; SELECT count(*) FROM decouple.queues WHERE queue = 'short'; ROLLBACK;
SELECT count(*) FROM decouple.queues WHERE queue = 'short';
DROP TABLE :tab;
SELECT count(*) FROM decouple.queues WHERE queue = 'short';
SELECT count(*) AS parked FROM decouple.parked_messages;
CALL decouple.maintain();
SELECT count(*) AS parked FROM decouple.parked_messages;
SELECT decouple.create_queue('short');
SELECT count(*) FROM decouple.peek('short');

-- the extension does not go without the queues, unless told to
DROP EXTENSION decouple;
SET client_min_messages = error;
DROP EXTENSION decouple CASCADE;
RESET client_min_messages;
SELECT count(*) FROM pg_class WHERE relname LIKE 'q\_%';
CREATE EXTENSION decouple;
SELECT decouple.create_queue('orders');
