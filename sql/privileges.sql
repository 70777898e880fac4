-- Promise: a queue is its owner's, the owner's members' and superusers'; all
-- tables are private; the table follows PostgreSQL's rules for owners.
CREATE EXTENSION decouple;
CREATE ROLE decouple_owner;
CREATE ROLE decouple_member IN ROLE decouple_owner;
CREATE ROLE decouple_stranger;
SELECT current_database() AS db \gset
GRANT CREATE ON DATABASE :"db" TO decouple_owner;

SET ROLE decouple_stranger;
SELECT decouple.create_queue('theirs');
SET ROLE decouple_owner;
SELECT decouple.create_queue('dead'), decouple.create_queue('q', dead_letter_queue => 'dead', max_receive_count => 1);
SELECT decouple.send('q', 'm1') > 0 AS sent, decouple.send('q', 'm2') > 0 AS sent;
SELECT receipt FROM decouple.receive('q') \gset

-- a member of the owner
SET ROLE decouple_member;
SELECT queue, owner FROM decouple.queues ORDER BY queue;
SELECT decouple.delete('q', :'receipt');
SELECT body, sender FROM decouple.receive('q');

-- a stranger: each call
SET ROLE decouple_stranger;
SELECT decouple.send('q', 'm');
\set VERBOSITY sqlstate
SELECT decouple.send('q', '1'::jsonb);
SELECT decouple.send('q', '1'::json);
SELECT decouple.send_batch('q', '{m}');
SELECT decouple.send_messages('q', '[]');
SELECT decouple.receive('q');
SELECT decouple.receive_any('{q}');
SELECT decouple.delete('q', :'receipt');
SELECT decouple.delete_batch('q', '{}');
SELECT decouple.change_visibility('q', :'receipt', '0');
SELECT decouple.change_visibility_batch('q', '{}', '0');
SELECT decouple.nack('q', :'receipt');
SELECT decouple.peek('q');
SELECT decouple.purge('q');
SELECT decouple.redrive('dead');
SELECT decouple.cancel_redrive('dead', 1);
SELECT decouple.queue_measures('q');
SELECT decouple.blocked_groups_of('q');
CALL decouple.await('q');
CALL decouple.await_any('{q}');
SELECT decouple.schedule_send('q', 's', '* * * * *', 'm');
SELECT decouple.create_queue('q');
SELECT decouple.alter_queue('q', delay => '1 s');
SELECT decouple.drop_queue('q');
CALL decouple.maintain();
SET decouple.clock_shift = 1;
SET decouple.max_wait_time = '1h';
-- the private parts
SELECT * FROM decouple.queue_definitions;
SELECT * FROM decouple.parked_messages;
SELECT * FROM decouple.redrive_jobs;
SELECT * FROM decouple.q_1;
SELECT nextval('decouple.message_id_seq');
SELECT nextval('decouple.queue_number_seq');
CREATE TABLE decouple.planted (i int);
\set VERBOSITY default
-- what anybody may see
SELECT count(*) FROM decouple.queues;
SELECT count(*) FROM decouple.queue_metrics;
SELECT count(*) FROM decouple.redrive_tasks;
SELECT item, state FROM decouple.status() WHERE item NOT IN ('preloaded', 'upkeep', 'launcher', 'worker', 'shared memory');
SELECT decouple.channel('q'), decouple.queue_exists('q'), decouple.queue_exists('r');
SELECT count(*) FROM decouple.schedule_rows();
SELECT count(*) > 0 AS there FROM decouple.server_status();
-- nothing to be had by these: they are for the caller's own, or call others
\set VERBOSITY sqlstate
SELECT decouple.unschedule('s');
SELECT decouple.forget_dropped_queues();
SELECT decouple.tap_queue_is_empty('q');
SELECT decouple.tap_queue_has('q', '{}');
SELECT decouple.tap_has_queue('q');
SELECT decouple.tap_has_topic('t');
SELECT decouple.tap_ok(true, 'x');
\set VERBOSITY default

-- somebody else's queue is no dead-letter queue or destination of mine
RESET ROLE;
GRANT CREATE ON DATABASE :"db" TO decouple_stranger;
SET ROLE decouple_stranger;
\set VERBOSITY sqlstate
SELECT decouple.create_queue('mine', dead_letter_queue => 'dead', max_receive_count => 1);
SELECT decouple.create_queue('my_dead'), decouple.create_queue('mine', dead_letter_queue => 'my_dead', max_receive_count => 1);
SELECT decouple.alter_queue('mine', dead_letter_queue => 'dead');
SELECT decouple.redrive('my_dead', 'q');
\set VERBOSITY default
-- the view does not lend its rights to a function in a filter
CREATE FUNCTION pg_temp.leak(decouple.queue) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
	$$ BEGIN IF $1 NOT IN ('mine', 'my_dead') THEN RAISE NOTICE 'saw %', $1; END IF; RETURN true; END $$;
SELECT queue FROM decouple.queues WHERE pg_temp.leak(queue) ORDER BY queue;

-- no function but those of the API runs with other rights than the caller's
RESET ROLE;
SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'decouple'::regnamespace AND p.prosecdef;
-- no table or sequence is granted to anybody, views only to read
SELECT c.relname, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
WHERE c.relnamespace = 'decouple'::regnamespace AND a.grantee <> c.relowner ORDER BY 1, 2;
-- the database's owner may run upkeep
CREATE ROLE decouple_dba;
SELECT rolname AS db_owner FROM pg_database JOIN pg_roles r ON r.oid = datdba WHERE datname = current_database() \gset
ALTER DATABASE :"db" OWNER TO decouple_dba;
SET ROLE decouple_dba;
CALL decouple.maintain();
RESET ROLE;
ALTER DATABASE :"db" OWNER TO :"db_owner";

-- DROP ROLE refuses, REASSIGN OWNED gives away, DROP OWNED drops
\set VERBOSITY terse
DROP ROLE decouple_owner;
\set VERBOSITY default
SELECT relname, relowner::regrole FROM pg_class WHERE relname IN ('q_1', 'q_2') ORDER BY 1;
REASSIGN OWNED BY decouple_owner TO decouple_dba;
SELECT queue, owner FROM decouple.queues ORDER BY queue;
SET ROLE decouple_owner;
\set VERBOSITY sqlstate
SELECT decouple.send('q', 'm');
\set VERBOSITY default
SET ROLE decouple_dba;
SELECT decouple.send('q', 'm') > 0 AS sent;
RESET ROLE;
DROP OWNED BY decouple_dba, decouple_stranger;
SELECT queue, owner FROM decouple.queues;
SELECT count(*) FROM decouple.queue_definitions;
REVOKE ALL ON DATABASE :"db" FROM decouple_owner;
DROP ROLE decouple_owner, decouple_member, decouple_stranger, decouple_dba;
