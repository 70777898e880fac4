-- Promise: a topic is its owner's, the owner's members' and superusers', and a
-- subscription is its own owner's besides; what it delivers to, it reaches with that
-- owner's rights at that moment, and with no others; nobody reads a token, a secret
-- or a key that is not his, and nobody stops or breaks what is others'.
CREATE EXTENSION decouple;
CREATE ROLE topic_owner;
CREATE ROLE topic_member IN ROLE topic_owner;
CREATE ROLE topic_stranger;
CREATE ROLE topic_dba;
SELECT current_database() AS db \gset
CREATE SCHEMA app;
GRANT ALL ON SCHEMA app TO PUBLIC;
CREATE TABLE app.seen (what text, who name);
GRANT ALL ON app.seen TO PUBLIC;

SET ROLE topic_owner;
SELECT decouple.create_topic('t');
RESET ROLE;
GRANT CREATE ON DATABASE :"db" TO topic_owner;
SET ROLE topic_owner;
SELECT decouple.create_topic('t'), decouple.create_topic('t.fifo'), decouple.create_queue('q'), decouple.create_queue('dead'), decouple.create_queue('other');
CREATE TABLE app.stock (item text, quantity int);
CREATE FUNCTION app.note(message text) RETURNS void LANGUAGE sql AS $$ INSERT INTO app.seen VALUES (message, current_user) $$;
REVOKE EXECUTE ON FUNCTION app.note(text) FROM PUBLIC;
SELECT decouple.subscribe('t', 'queue', 'q', raw_delivery => true) AS to_queue,
	decouple.subscribe('t', 'https', 'https://127.0.0.1/hook', secret => 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', headers => '{"Authorization": "Bearer secret"}') AS to_web \gset
SELECT decouple.publish_changes('t', 'app.stock', operations => '{delete}');

-- ---- a member of the owner may all ----
SET ROLE topic_member;
SELECT topic, owner FROM decouple.topics ORDER BY topic;
SELECT decouple.publish('t', 'm') > 0 AS text, decouple.publish('t', '1'::jsonb) > 0 AS jsonb, decouple.publish('t', '1'::json) > 0 AS json;
SELECT count(*) FROM decouple.publish_batch('t', '{a,b}');
SELECT decouple.alter_topic('t', display_name => 'T'), decouple.alter_subscription('t', :to_queue, time_limit => '1 s') = :to_queue AS altered,
	decouple.pause_subscription('t', :to_web), decouple.resume_subscription('t', :to_web);
SELECT decouple.subscribe('t', 'notify', 'mine') AS of_member \gset
SELECT protocol, owner FROM decouple.subscriptions ORDER BY 1;
SELECT decouple.unsubscribe('t', :of_member);

-- ---- a stranger: each call ----
SET ROLE topic_stranger;
SELECT decouple.publish('t', 'm');
\set VERBOSITY sqlstate
SELECT decouple.publish('t', '1'::jsonb);
SELECT decouple.publish('t', '1'::json);
SELECT decouple.publish_batch('t', '{m}');
SELECT decouple.publish_batch('t', '{}');
SELECT decouple.publish('t.fifo', 'm', group_id => 'g', deduplication_id => 'd');
SELECT decouple.create_topic('t');
SELECT decouple.create_topic('t', display_name => 'T');
SELECT decouple.alter_topic('t', display_name => 'mine');
SELECT decouple.drop_topic('t');
SELECT decouple.subscribe('t', 'notify', 'c');
SELECT decouple.subscribe('t', 'queue', 'q');
SELECT decouple.alter_subscription('t', :to_queue, raw_delivery => false);
SELECT decouple.unsubscribe('t', :to_queue);
SELECT decouple.pause_subscription('t', :to_queue);
SELECT decouple.resume_subscription('t', :to_queue);
SELECT decouple.confirm_subscription('t', :'to_web' || '-0000000000000000000000000000000000000000000000000000000000000000');
SELECT decouple.confirm_subscription('t', '');
SELECT decouple.unsubscribe_by_token(:'to_web' || '-0000000000000000000000000000000000000000000000000000000000000000');
SELECT decouple.publish_changes('t', 'app.stock');
SELECT decouple.publish_changes('t', 'app.seen');
SELECT decouple.stop_changes('t', 'app.stock');
SELECT decouple.schedule_publish('t', 's', '* * * * *', 'm');
SELECT decouple.adopt_deliveries();
SELECT decouple.replace_signing_certificate('k', 'c');
SELECT decouple.forget_dropped_topics();
SELECT decouple.publish_change();
SET decouple.delivery = off;
SET decouple.egress_allow = '127.0.0.1';
SET decouple.public_url = 'https://mine.invalid';
SET decouple.filter_max_keys = 1000;
SET decouple.filter_max_combinations = 100000;
-- the private parts
SELECT * FROM decouple.topic_definitions;
SELECT * FROM decouple.subscription_definitions;
SELECT * FROM decouple.signing_keys;
SELECT * FROM decouple.delivery_records;
SELECT * FROM decouple.database_identity;
SELECT * FROM decouple.subscription_totals;
SELECT nextval('decouple.subscription_id_seq');
\set VERBOSITY default
RESET ROLE;
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'decouple'::regnamespace AND c.relkind = 'r'
	AND (has_table_privilege('topic_stranger', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR has_any_column_privilege('topic_stranger', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'));
SELECT s.seqrelid::regclass FROM pg_sequence s WHERE has_sequence_privilege('topic_stranger', s.seqrelid, 'USAGE, SELECT, UPDATE');
-- what anybody may see, or ask
SELECT queue_number AS lane FROM decouple.queue_definitions WHERE queue_name = 'topic:t' \gset
SELECT queue_number AS web_lane FROM decouple.subscription_definitions WHERE subscription_id = :to_web \gset
SELECT queue_number AS plain_lane FROM decouple.queue_definitions WHERE queue_name = 'q' \gset
SET ROLE topic_stranger;
SELECT (SELECT count(*) FROM decouple.topics) AS topics, (SELECT count(*) FROM decouple.subscriptions) AS subscriptions, (SELECT count(*) FROM decouple.topic_metrics) AS topic_metrics,
	(SELECT count(*) FROM decouple.subscription_metrics) AS subscription_metrics, (SELECT count(*) FROM decouple.delivery_log) AS delivery_log, (SELECT count(*) FROM decouple.schedules) AS schedules;
SELECT (decouple.lane_measures(:lane)).*;
SELECT (decouple.lane_measures(:web_lane)).*;
SELECT decouple.topic_exists('t'), decouple.topic_exists('u'), decouple.deliveries_are_ours(), decouple.filter_matches('{"a": [1]}', NULL, 'm', '{"a": 1}'), (SELECT count(*) FROM decouple.delivery_delays()) AS delays;
SELECT url, pem ~ '^-----BEGIN CERTIFICATE-----' AND pem !~ 'PRIVATE' AS certificate FROM decouple.signing_certificates;
SELECT url FROM decouple.signing_certificate_rows();
-- the numbers of a plain queue are not to be had by the other way
SET ROLE topic_owner;
SELECT waiting FROM decouple.lane_measures(:lane);
SELECT (decouple.lane_measures(:plain_lane)).*;

-- ---- the queues behind are nobody's queues, not even a superuser's ----
RESET ROLE;
\set VERBOSITY sqlstate
SELECT decouple.send('topic:t', 'm');
SELECT decouple.receive('topic:t');
SELECT decouple.peek('topic:t');
SELECT decouple.purge('topic:t');
SELECT decouple.drop_queue('topic:t');
SELECT decouple.alter_queue('topic:t', retention => '1 minute');
SELECT decouple.receive_any(ARRAY['q', 'topic:t']::decouple.queue[]);
SELECT decouple.receive(('subscription:' || :to_web)::decouple.queue);
SELECT decouple.drop_queue(('subscription:' || :to_web)::varchar);
SELECT decouple.redrive(queue_name::decouple.queue) FROM decouple.queue_definitions WHERE queue_name = 'topic:t';
SELECT decouple.create_queue('x', dead_letter_queue => 'topic:t', max_receive_count => 1);
SELECT decouple.subscribe('t', 'queue', 'topic:t');
SELECT decouple.subscribe('t', 'notify', 'c', dead_letter_queue => 'topic:t');
SELECT decouple.create_topic('topic:t');
SELECT * FROM jsonb_populate_record(NULL::decouple.message, '{"queue": "topic:t"}');
SELECT * FROM json_to_record('{"q": "subscription:1"}') AS r(q decouple.queue);
CREATE DOMAIN app.any_queue AS decouple.queue;
SELECT decouple.peek('topic:t'::app.any_queue);
\set VERBOSITY default
SELECT count(*) FROM decouple.queues WHERE queue::text ~ ':';
-- such a table goes as any table does: with what is in it, and nothing else
SELECT decouple.subscribe('t', 'notify', 'gone') AS gone \gset
SELECT format('DROP TABLE decouple.q_%s', queue_number) AS command FROM decouple.subscription_definitions WHERE subscription_id = :gone \gset
:command;
SELECT count(*) FROM decouple.subscriptions WHERE subscription_id = :gone;

-- ---- views do not lend their rights to a function in a filter ----
INSERT INTO decouple.delivery_records SELECT now(), 0, :to_web, 1, 'retry', 1, 500, 'theirs', '1 s';
GRANT CREATE ON DATABASE :"db" TO topic_stranger;
SET ROLE topic_stranger;
SELECT decouple.create_topic('own');
CREATE FUNCTION pg_temp.leak(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
	$$ BEGIN IF value NOT IN ('own', 'mine') THEN RAISE NOTICE 'saw %', value; END IF; RETURN true; END $$;
CREATE FUNCTION pg_temp.leak(value decouple.topic) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RETURN pg_temp.leak(value::text); END $$;
SELECT topic FROM decouple.topics WHERE pg_temp.leak(topic);
SELECT endpoint FROM decouple.subscriptions WHERE pg_temp.leak(endpoint);
SELECT endpoint FROM decouple.subscription_metrics WHERE pg_temp.leak(endpoint);
SELECT topic FROM decouple.topic_metrics WHERE pg_temp.leak(topic);
SELECT error FROM decouple.delivery_log WHERE pg_temp.leak(error);

-- ---- secrets ----
RESET ROLE;
SELECT confirmation_token IS NOT NULL AS asked, confirmation_token AS token, unsubscribe_token FROM decouple.subscription_definitions WHERE subscription_id = :to_web \gset
SET ROLE topic_owner;
SELECT has_secret, header_names FROM decouple.subscriptions WHERE subscription_id = :to_web;
-- a subscriber must not be able to confirm in the place of his endpoint: the token
-- lies in no table of his, and nothing that he writes there makes it be shown
SELECT :'asked' AS asked, body, message_structure FROM decouple.q_:web_lane;
SELECT count(*) FROM decouple.subscriptions s WHERE s::text ~ :'token' OR s::text ~ 'Bearer|whsec|PRIVATE';
SET ROLE topic_stranger;
\set VERBOSITY sqlstate
SELECT decouple.confirm_subscription('own', :'token');
SELECT decouple.confirm_subscription('t', :'unsubscribe_token');
SELECT decouple.unsubscribe_by_token(:'token');
\set VERBOSITY default
-- whoever has the token may: that is what it is for
SELECT decouple.confirm_subscription('t', :'token') = :to_web AS confirmed, decouple.confirm_subscription('t', :'token') = :to_web AS again;
SELECT decouple.unsubscribe_by_token(:'unsubscribe_token');
SET ROLE topic_owner;
SELECT state FROM decouple.subscriptions WHERE subscription_id = :to_web;
SELECT decouple.unsubscribe('t', :to_web);

-- ---- what is somebody else's cannot be subscribed ----
SET ROLE topic_stranger;
\set VERBOSITY sqlstate
SELECT decouple.subscribe('own', 'queue', 'q');
SELECT decouple.subscribe('own', 'notify', 'c', dead_letter_queue => 'dead');
SELECT decouple.subscribe('own', 'function', 'app.note(text)');
SELECT decouple.publish_changes('own', 'app.stock');
\set VERBOSITY default
SELECT decouple.subscribe('own', 'notify', 'mine') AS mine \gset
\set VERBOSITY sqlstate
SELECT decouple.alter_subscription('own', :mine, dead_letter_queue => 'dead');
SELECT decouple.alter_subscription('own', :to_queue);
SELECT decouple.alter_subscription('t', :mine);
\set VERBOSITY default
-- the rights are those of the moment of the delivery: the queue, the function and
-- the dead-letter queue were his, and are no more
RESET ROLE;
GRANT topic_owner TO topic_stranger;
SET ROLE topic_stranger;
SELECT decouple.subscribe('own', 'queue', 'other') AS lost_queue, decouple.subscribe('own', 'function', 'app.note(text)', dead_letter_queue => 'dead') AS lost_function \gset
SELECT decouple.publish('own', 'while a member') > 0 AS published;
RESET ROLE;
CALL decouple.maintain();
SELECT count(*), (SELECT who FROM app.seen) AS who FROM decouple.peek('other');
REVOKE topic_owner FROM topic_stranger;
SELECT decouple.publish('own', 'no member') > 0 AS published;
CALL decouple.maintain();
SELECT (SELECT count(*) FROM decouple.peek('other')) AS other, (SELECT count(*) FROM decouple.peek('dead')) AS dead, (SELECT count(*) FROM app.seen) AS seen;
SELECT protocol, status, error FROM decouple.delivery_log WHERE topic = 'own' ORDER BY protocol;
SELECT queue_number AS lost_lane FROM decouple.subscription_definitions WHERE subscription_id = :lost_function \gset
SELECT last_error FROM decouple.q_:lost_lane;
SELECT decouple.unsubscribe('own', :lost_queue), decouple.unsubscribe('own', :lost_function);
-- and those of the role that the subscription has been given to, at once
CREATE ROLE topic_giver SUPERUSER;
SET ROLE topic_giver;
SELECT decouple.subscribe('own', 'queue', 'other', raw_delivery => true) AS given \gset
RESET ROLE;
SELECT decouple.purge('other') > 0 AS purged, decouple.publish('own', 'of the giver') > 0 AS published;
CALL decouple.maintain();
REASSIGN OWNED BY topic_giver TO topic_stranger;
SELECT decouple.publish('own', 'of the stranger') > 0 AS published;
CALL decouple.maintain();
SELECT body FROM decouple.peek('other');
SELECT status, error FROM decouple.delivery_log WHERE subscription_id = :given;
SELECT decouple.unsubscribe('own', :given);
DROP ROLE topic_giver;

-- ---- a function has its owner's rights: during the call, and nothing goes on after ----
SET ROLE topic_stranger;
CREATE FUNCTION app.deferred() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO app.seen VALUES (format('a deferred trigger by %s', CASE WHEN pg_trigger_depth() > 0 THEN current_user END), current_user); RETURN NULL; END $$;
CREATE TABLE app.late (i int);
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON app.late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.deferred();
CREATE FUNCTION app.tell(what text) RETURNS int LANGUAGE sql AS $$ INSERT INTO app.seen VALUES (what, current_user) RETURNING 1 $$;
CREATE FUNCTION app.definer() RETURNS name LANGUAGE sql SECURITY DEFINER AS $$ SELECT current_user $$;
CREATE FUNCTION app.try(command text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	INSERT INTO app.seen VALUES ('done: ' || command, current_user);
EXCEPTION WHEN OTHERS THEN
	INSERT INTO app.seen VALUES (SQLSTATE || ': ' || command, current_user);
END $$;
CREATE FUNCTION app.escalate(message jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	command text;
BEGIN
	FOR command IN SELECT jsonb_array_elements_text(message) LOOP
		PERFORM app.try(command);
	END LOOP;
END $$;
TRUNCATE app.seen;
SELECT decouple.subscribe('own', 'function', 'app.escalate(jsonb)', raw_delivery => true) AS escalate \gset
SELECT decouple.publish('own', jsonb_build_array(
	'SET ROLE topic_owner', 'SET LOCAL ROLE postgres', 'RESET ROLE', 'SET SESSION AUTHORIZATION postgres', 'RESET SESSION AUTHORIZATION', 'RESET ALL',
	'SELECT set_config(''role'', ''postgres'', false)', 'ALTER FUNCTION app.definer() SET role = postgres', 'SELECT app.tell(app.definer()::text)',
	'INSERT INTO app.late VALUES (1)', 'SET CONSTRAINTS ALL DEFERRED', 'INSERT INTO app.late VALUES (2)',
	'DECLARE later CURSOR WITH HOLD FOR SELECT app.tell(''a held cursor'')', 'PREPARE later AS SELECT 1', 'LISTEN later', 'DISCARD ALL',
	'CREATE TEMP TABLE stock (i int)', 'CREATE TEMP VIEW topics AS SELECT 1',
	'CREATE TABLE app.made (i int)', 'CREATE TABLE decouple.planted (i int)', 'CREATE ROLE topic_made', 'ALTER ROLE topic_stranger SUPERUSER', 'GRANT topic_owner TO topic_stranger',
	'COPY app.seen TO PROGRAM ''true''', 'SELECT pg_read_file(''PG_VERSION'')', 'SET decouple.clock_shift = 1', 'SET work_mem = ''64kB''', 'SET search_path = app',
	'SELECT decouple.publish(''t'', ''m'')', 'SELECT decouple.send(''q'', ''m'')', 'SELECT decouple.drop_topic(''t'')', 'CALL decouple.maintain()', 'SELECT * FROM decouple.signing_keys',
	'SELECT decouple.publish(''own'', ''[]'') > 0', 'SELECT pg_sleep(0)')) > 0 AS published;
RESET ROLE;
SET search_path = app, public;
SHOW work_mem;
CALL decouple.maintain();
SELECT what, who FROM app.seen ORDER BY seen.ctid;
SELECT session_user = current_user AS myself, current_setting('search_path') AS search_path, current_setting('work_mem') AS work_mem, pg_my_temp_schema() = 0 OR NOT EXISTS (SELECT FROM pg_type WHERE typnamespace = pg_my_temp_schema()) AS nothing_planted,
	(SELECT count(*) FROM pg_cursors WHERE is_holdable) AS cursors, (SELECT count(*) FROM pg_prepared_statements) AS prepared;
SELECT rolname FROM pg_roles WHERE rolname = 'topic_made' OR rolname = 'topic_stranger' AND rolsuper;
RESET search_path;
-- nor a type in pg_temp, which everybody's names would lead to; not all minor releases
-- of PostgreSQL refuse to create it, and then the call fails
TRUNCATE app.seen;
SELECT decouple.publish('own', '["CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (app.tell(''a planted type'') = 1)"]') > 0 AS published;
CALL decouple.maintain();
SELECT what FROM app.seen WHERE what !~ '^42501';
SELECT NOT EXISTS (SELECT FROM pg_type WHERE typnamespace = pg_my_temp_schema() AND typname = 'text') AS nothing_planted;
-- in a transaction block, where others' triggers may be deferred, none of the
-- function's may be; the others' stay
CREATE TABLE app.ours (i int);
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON app.ours DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.deferred();
TRUNCATE app.seen;
SELECT decouple.publish('own', '["INSERT INTO app.late VALUES (1)"]') > 0 AS published;
BEGIN;
INSERT INTO app.ours VALUES (1);
CALL decouple.maintain();
SELECT * FROM app.seen;
COMMIT;
SELECT what, who = current_user AS mine FROM app.seen WHERE what ~ 'deferred';
-- a search path that leads to others' objects is not the one that functions get
SET ROLE topic_stranger;
CREATE FUNCTION app.path(message text) RETURNS void LANGUAGE sql AS $$ INSERT INTO app.seen VALUES (current_setting('search_path'), current_user) $$;
SELECT decouple.subscribe('own', 'function', 'app.path(text)') AS path \gset
SELECT decouple.unsubscribe('own', :escalate);
RESET ROLE;
TRUNCATE app.seen;
SET search_path = app, public;
SELECT decouple.publish('own', 'm') > 0 AS published;
CALL decouple.maintain();
SELECT what, who FROM app.seen;
RESET search_path;
-- a function that is another one by the time of the call
SET ROLE topic_stranger;
DROP FUNCTION app.path(text);
CREATE FUNCTION app.path(message text) RETURNS SETOF text LANGUAGE sql AS $$ SELECT 'x' $$;
RESET ROLE;
SELECT decouple.publish('own', 'm') > 0 AS published;
CALL decouple.maintain();
SELECT DISTINCT status, error FROM decouple.delivery_log WHERE subscription_id = :path;
SELECT decouple.unsubscribe('own', :path);

-- ---- who breaks his own topic stops nobody else ----
-- a function that ends its own subscription
SET ROLE topic_stranger;
CREATE FUNCTION app.once(message text) RETURNS void LANGUAGE sql AS $$ SELECT decouple.unsubscribe('own', subscription_id) FROM decouple.subscriptions WHERE endpoint ~ 'once'; INSERT INTO app.seen VALUES ('once', current_user) $$;
SELECT decouple.subscribe('own', 'function', 'app.once(text)') > 0 AS subscribed, decouple.publish_batch('own', '{1,2}') > 0 AS published;
RESET ROLE;
TRUNCATE app.seen;
CALL decouple.maintain();
SELECT what, who FROM app.seen;
SELECT count(*) FROM decouple.subscriptions WHERE endpoint ~ 'once';
-- one that calls maintain()
CREATE FUNCTION app.again(message text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.seen VALUES ('again', current_user); CALL decouple.maintain(); END $$;
SELECT decouple.subscribe('own', 'function', 'app.again(text)') AS again, decouple.publish('own', '1') > 0 AS published \gset
TRUNCATE app.seen;
CALL decouple.maintain();
SELECT what, who = current_user AS mine FROM app.seen;
SELECT decouple.unsubscribe('own', :again);
-- rows that no publish would write, into the tables of a topic and of a subscription
SET ROLE topic_stranger;
SELECT decouple.create_topic('own.fifo'), decouple.create_queue('own.fifo'), decouple.create_queue('plain');
SELECT decouple.subscribe('own', 'queue', 'plain') AS plain, decouple.subscribe('own.fifo', 'queue', 'own.fifo') AS ordered, decouple.subscribe('own.fifo', 'queue', 'plain') AS unordered,
	decouple.subscribe('own', 'https', 'https://127.0.0.1/') AS web \gset
RESET ROLE;
SELECT (SELECT queue_number FROM decouple.queue_definitions WHERE queue_name = 'topic:own') AS own_lane, (SELECT queue_number FROM decouple.queue_definitions WHERE queue_name = 'topic:own.fifo') AS fifo_lane,
	(SELECT queue_number FROM decouple.subscription_definitions WHERE subscription_id = :ordered) AS ordered_lane, (SELECT queue_number FROM decouple.subscription_definitions WHERE subscription_id = :web) AS own_web_lane \gset
SET ROLE topic_stranger;
INSERT INTO decouple.q_:own_lane (id, sent_at, visible_at, sender, body, attributes, message_structure, subject) VALUES
	(1000001, now(), now(), 'x', 'scalar', '5', NULL, NULL), (1000002, now(), now(), 'x', 'array', '["a"]', NULL, NULL), (1000003, now(), now(), 'x', 'null', '{"a": null, "b": true}', NULL, NULL),
	(1000004, now(), now(), 'x', 'deep', '{"a": {"b": {"c": 1}}, "d": {}, "e": [[[]]]}', NULL, NULL), (1000005, now(), now(), 'x', 'no JSON', NULL, 'json', NULL), (1000006, now(), now(), 'x', '{"default": 5}', NULL, 'json', E'\n'),
	(1000007, 'infinity', now(), 'x', '', '{}', 'x', ''), (1000008, '-infinity', '-infinity', '', 'x', NULL, NULL, NULL);
INSERT INTO decouple.q_:fifo_lane (id, sent_at, visible_at, sender, body) VALUES (1000009, now(), now(), 'x', 'no group');
INSERT INTO decouple.q_:ordered_lane (id, sent_at, visible_at, sender, body, group_id) VALUES (1000010, now(), now(), 'x', 'no id', 'g'), (1000011, now(), now(), 'x', 'no group', NULL);
INSERT INTO decouple.q_:own_web_lane (id, sent_at, visible_at, sender, body, message_structure) VALUES (1000012, 'infinity', now(), 'x', 'planted', 'x'), (1000013, now(), now(), 'x', 'planted', NULL);
RESET ROLE;
BEGIN;
CALL decouple.maintain();
SELECT count(*) FROM decouple.peek('own.fifo');
SELECT body::jsonb ->> 'Message' AS message, body::jsonb -> 'MessageAttributes' AS attributes, left(body::jsonb ->> 'Timestamp', 4) = '2000' AS any_time
FROM decouple.peek('plain', 100) WHERE body !~ 'group' ORDER BY message_id;
COMMIT;
-- a question that he has written is asked in our words, to an address that is refused
CALL decouple.maintain();
SELECT DISTINCT status, error FROM decouple.delivery_log WHERE subscription_id = :web;
-- a table that was altered: its subscription waits, and what is others' is done
SET ROLE topic_stranger;
CREATE FUNCTION app.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
SELECT decouple.subscribe('own', 'notify', 'broken') AS broken \gset
RESET ROLE;
SELECT queue_number AS broken_lane FROM decouple.subscription_definitions WHERE subscription_id = :broken \gset
SET ROLE topic_stranger;
CREATE TRIGGER nothing BEFORE INSERT ON decouple.q_:broken_lane FOR EACH ROW EXECUTE FUNCTION app.nothing();
SELECT decouple.publish('own', 'broken') > 0 AS published;
SET ROLE topic_owner;
SELECT decouple.purge('q') > 0 AS purged, decouple.publish('t', 'goes on') > 0 AS published;
RESET ROLE;
\set VERBOSITY terse
CALL decouple.maintain();
\set VERBOSITY default
SELECT body FROM decouple.peek('q');

-- ---- changes are published in the name of the table's owner ----
SET ROLE topic_owner;
SELECT decouple.purge('q') > 0 AS purged;
INSERT INTO app.stock VALUES ('tea', 1), ('salt', 2), ('rice', 3);
GRANT SELECT, INSERT, DELETE ON app.stock TO topic_stranger;
SET ROLE topic_stranger;
DELETE FROM app.stock WHERE item = 'tea';
CREATE TABLE app.own_stock (i int);
CREATE TRIGGER mine AFTER INSERT ON app.own_stock FOR EACH ROW EXECUTE FUNCTION decouple.publish_change('t');
\set VERBOSITY sqlstate
INSERT INTO app.own_stock VALUES (1);
\set VERBOSITY default
RESET ROLE;
CALL decouple.maintain();
SELECT body::jsonb -> 'old' AS old FROM decouple.peek('q');
-- a table that is another's now publishes no more: the change is refused
ALTER TABLE app.stock OWNER TO topic_stranger;
\set VERBOSITY sqlstate
DELETE FROM app.stock WHERE item = 'salt';
\set VERBOSITY default
SET ROLE topic_stranger;
DROP TRIGGER IF EXISTS mine ON app.own_stock;
DROP TABLE app.stock;

-- ---- the database's owner ----
RESET ROLE;
SELECT rolname AS db_owner FROM pg_database JOIN pg_roles r ON r.oid = datdba WHERE datname = current_database() \gset
ALTER DATABASE :"db" OWNER TO topic_dba;
SET ROLE topic_dba;
SELECT decouple.adopt_deliveries();
\set VERBOSITY sqlstate
SELECT decouple.replace_signing_certificate('k', 'c');
SELECT * FROM decouple.signing_keys;
SELECT decouple.publish('t', 'm');
\set VERBOSITY default
RESET ROLE;
ALTER DATABASE :"db" OWNER TO :"db_owner";

-- ---- owners go as PostgreSQL has it ----
\set VERBOSITY terse
DROP ROLE topic_owner;
\set VERBOSITY default
SET ROLE topic_member;
SELECT decouple.subscribe('t', 'notify', 'of the member') > 0 AS subscribed;
RESET ROLE;
DROP OWNED BY topic_member;
SELECT count(*) FROM decouple.subscriptions WHERE endpoint = 'of the member';
REASSIGN OWNED BY topic_owner TO topic_dba;
SELECT topic, owner FROM decouple.topics WHERE topic::text ~ '^t' ORDER BY topic;
SET ROLE topic_owner;
\set VERBOSITY sqlstate
SELECT decouple.publish('t', 'm');
\set VERBOSITY default
SET ROLE topic_dba;
SELECT decouple.publish('t', 'm') > 0 AS published;
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA app CASCADE;
RESET client_min_messages;
DROP OWNED BY topic_dba, topic_stranger;
SELECT (SELECT count(*) FROM decouple.topic_definitions) AS topics, (SELECT count(*) FROM decouple.subscription_definitions) AS subscriptions, (SELECT count(*) FROM decouple.queue_definitions) AS queues;

-- ---- functions that neither this file nor privileges.sql calls: none ----
\set files `cat "$PG_ABS_SRCDIR"/sql/privileges.sql "$PG_ABS_SRCDIR"/sql/topic_privileges.sql`
SELECT DISTINCT p.proname FROM pg_proc p
WHERE p.pronamespace = 'decouple'::regnamespace AND strpos(:'files', 'decouple.' || p.proname || '(') = 0
	AND NOT EXISTS (SELECT FROM pg_type y WHERE p.oid IN (y.typinput, y.typoutput, y.typreceive, y.typsend))
	AND NOT EXISTS (SELECT FROM pg_cast c WHERE c.castfunc = p.oid)
	AND NOT EXISTS (SELECT FROM pg_operator o WHERE o.oprcode = p.oid)
	AND NOT EXISTS (SELECT FROM pg_amproc a WHERE a.amproc = p.oid)
ORDER BY 1;
REVOKE ALL ON DATABASE :"db" FROM topic_owner, topic_stranger;
DROP ROLE topic_owner, topic_member, topic_stranger, topic_dba;
