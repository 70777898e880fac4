-- Promise: bad input gets a clear error with a hint, the transaction goes on
-- after a savepoint, and nothing is lost.
CREATE EXTENSION decouple;
SELECT decouple.create_queue('q', max_message_size => 1024), decouple.create_queue('other'), decouple.create_queue('dead');
SELECT decouple.send('q', 'kept') > 0 AS sent;

-- required arguments
\set VERBOSITY sqlstate
SELECT decouple.send(NULL, 'm');
SELECT decouple.send('q', NULL::text);
SELECT decouple.send('q', NULL::jsonb);
SELECT decouple.send('q', NULL::json);
SELECT decouple.send_batch(NULL, '{m}');
SELECT decouple.send_batch('q', NULL);
SELECT decouple.send_messages(NULL, '[]');
SELECT decouple.send_messages('q', NULL);
SELECT decouple.receive(NULL);
SELECT decouple.receive_any(NULL);
SELECT decouple.delete(NULL, NULL);
SELECT decouple.delete('q', NULL);
SELECT decouple.delete_batch('q', NULL);
SELECT decouple.delete_batch(NULL, '{}');
SELECT decouple.change_visibility(NULL, NULL, '0');
SELECT decouple.change_visibility('q', NULL, '0');
SELECT decouple.change_visibility_batch('q', NULL, '0');
SELECT decouple.change_visibility_batch('q', '{}', NULL);
SELECT decouple.nack(NULL, NULL);
SELECT decouple.nack('q', NULL);
SELECT decouple.peek(NULL);
SELECT decouple.purge(NULL);
SELECT decouple.redrive(NULL);
SELECT decouple.cancel_redrive('q', NULL);
SELECT decouple.cancel_redrive(NULL, 1);
SELECT decouple.channel(NULL);
SELECT decouple.queue_exists(NULL);
SELECT decouple.queue_measures(NULL);
SELECT decouple.tap_has_queue(NULL);

-- an unknown queue
SELECT decouple.send('nowhere', 'm');
SELECT decouple.send_batch('nowhere', '{m}');
SELECT decouple.send_batch('nowhere', '{}');
SELECT decouple.send_messages('nowhere', '[]');
SELECT decouple.receive('nowhere');
SELECT decouple.receive_any('{q,nowhere}', 10);
SELECT decouple.delete_batch('nowhere', '{}');
SELECT decouple.change_visibility_batch('nowhere', '{}', '0');
SELECT decouple.peek('nowhere');
SELECT decouple.purge('nowhere');
SELECT decouple.redrive('nowhere');
SELECT decouple.cancel_redrive('nowhere', 1);
SELECT decouple.channel('nowhere');
SELECT decouple.queue_measures('nowhere');
SELECT decouple.queue_exists('nowhere');
\set VERBOSITY default
-- receive_any took nothing before it failed
SELECT body, receive_count FROM decouple.peek('q');

-- bodies: not empty, and not too large; attributes count
SELECT decouple.send('q', '');
SELECT decouple.send('q', repeat('x', 1024)) > 0 AS at_the_limit;
SELECT decouple.send('q', repeat('x', 1025));
SELECT decouple.send('q', repeat('x', 1024 - length('kind' || 'String' || 'a')), attributes => '{"kind": "a"}') > 0 AS at_the_limit;
SELECT decouple.send('q', repeat('x', 1025 - length('kind' || 'String' || 'a')), attributes => '{"kind": "a"}');
SELECT decouple.send('q', repeat('é', 512)) > 0 AS bytes_count, length(body) FROM decouple.peek('q') LIMIT 1;
\set VERBOSITY sqlstate
SELECT decouple.send('q', repeat('é', 513));
SELECT decouple.send_batch('q', ARRAY['a', '', 'b']);
SELECT decouple.send_batch('q', ARRAY['a', repeat('x', 1025)]);
SELECT decouple.send('q', to_jsonb(repeat('x', 1023)));
\set VERBOSITY default
SELECT decouple.purge('q') AS purged_what_was_within;
SELECT decouple.send('q', '""'::jsonb) > 0 AS json_text_is_not_empty, decouple.send('q', 'null'::json) > 0;
SELECT body FROM decouple.receive('q', 10);

-- intervals
SELECT decouple.send('q', 'm', delay => '-1 s');
SELECT decouple.receive('q', visibility_timeout => '366 days');
SELECT decouple.receive('q', wait_time => '21 s');
SELECT decouple.receive('q', 0);
\set VERBOSITY sqlstate
SELECT decouple.send('q', 'm', delay => '366 days');
SELECT decouple.send('q', 'm', delay => '178000000 years');
SELECT decouple.send('q', 'm', expires_in => '-1 s');
SELECT decouple.send('q', 'm', expires_in => '101 years');
SELECT decouple.send_batch('q', '{m}', delay => '-1 s');
SELECT decouple.receive('q', 10001);
SELECT decouple.receive('q', -1);
SELECT decouple.receive('q', visibility_timeout => '-1 s');
SELECT decouple.receive('q', wait_time => '-1 s');
SELECT decouple.receive_any('{q}', 0);
SELECT decouple.receive_any('{}');
SELECT decouple.receive_any(ARRAY['q', NULL]::decouple.queue[]);
SELECT decouple.peek('q', 0);
SELECT decouple.peek('q', 10001);
SELECT decouple.redrive('dead', max_per_second => 0);
\set VERBOSITY default
SELECT count(*) FROM decouple.receive('q', NULL), decouple.peek('q', NULL);

-- arrays
SELECT decouple.send_batch('q', ARRAY['a', NULL]);
SELECT decouple.send_batch('q', ARRAY['a', 'b'], attributes => ARRAY['{}'::jsonb]);
SELECT decouple.send_batch('q', ARRAY[['a'], ['b']]);
\set VERBOSITY sqlstate
SELECT decouple.send_batch('q', ARRAY['a', 'b'], group_ids => ARRAY['g', NULL]);
SELECT decouple.send_batch('q', ARRAY['a', 'b'], group_ids => ARRAY['g', 'h', 'i']);
SELECT decouple.send_batch('q', ARRAY['a'], attributes => ARRAY[NULL]::jsonb[]);
SELECT decouple.send_batch('q', ARRAY['a'], deduplication_ids => ARRAY['d']);
SELECT decouple.delete_batch('q', ARRAY[NULL]::decouple.receipt[]);
\set VERBOSITY default
SELECT count(*) AS none FROM decouple.send_batch('q', '{}');

-- attributes and groups
SELECT decouple.send('q', 'm', attributes => '[1]');
SELECT decouple.send('q', 'm', attributes => '{"a": true}');
SELECT decouple.send('q', 'm', attributes => '{"a b": 1}');
SELECT decouple.send('q', 'm', attributes => '{"a": ["x", null]}');
SELECT decouple.send('q', 'm', attributes => '{"a": {"binary": "%%%"}}');
SELECT decouple.send('q', 'm', attributes => '{"a": {"binary": "YQ==", "b": 1}}');
SELECT decouple.send('q', 'm', group_id => 'with space');
SELECT decouple.send('q', 'm', deduplication_id => 'd');
SELECT decouple.receive('q', attempt_id => 'a');
\set VERBOSITY sqlstate
SELECT decouple.send('q', 'm', attributes => '1');
SELECT decouple.send('q', 'm', attributes => '{"a": null}');
SELECT decouple.send('q', 'm', attributes => '{"a": {"b": "c"}}');
SELECT decouple.send('q', 'm', attributes => '{"a": [["x"]]}');
SELECT decouple.send('q', 'm', attributes => '{"": 1}');
SELECT decouple.send('q', 'm', attributes => '{".a": 1}');
SELECT decouple.send('q', 'm', attributes => '{"a..b": 1}');
SELECT decouple.send('q', 'm', group_id => '');
SELECT decouple.send('q', 'm', group_id => repeat('g', 129));
\set VERBOSITY default
SELECT decouple.send('q', 'm', attributes => '{"s": "x", "n": -1.50, "l": ["a", 2], "b": {"binary": "YQ=="}, "a.b-c_d": ""}',
	group_id => repeat('g', 128)) > 0 AS sent;
SELECT body, attributes, length(group_id) FROM decouple.receive('q');

-- JSON messages
SELECT decouple.send_messages('q', '{}');
SELECT decouple.send_messages('q', '[1]');
SELECT decouple.send_messages('q', '[{"delay": "1 s"}]');
SELECT decouple.send_messages('q', '[{"body": "m", "colour": 1}]');
-- what is cut off is cut off between characters
SELECT decouple.send_messages('q', jsonb_build_array(jsonb_build_object('body', 'm', repeat('x', 255) || 'ä', 1)));
SELECT decouple.send('q', 'm', attributes => jsonb_build_object(repeat('x', 255) || 'ä', 1));
SELECT decouple.send_messages('q', '[{"body": "m"}, {"body": "m", "delay": 30}]');
SELECT decouple.send_messages('q', '[{"body": "m", "expires_in": "soon"}]');
\set VERBOSITY sqlstate
SELECT decouple.send_messages('q', '[{"body": ""}]');
SELECT decouple.send_messages('q', '[{"body": "m", "delay": "-1 s"}]');
SELECT decouple.send_messages('q', '[{"body": "m", "group_id": 7}]');
SELECT decouple.send_messages('q', '[{"body": "m", "deduplication_id": "d"}]');
SELECT decouple.send_messages('q', '[{"body": "m", "attributes": []}]');
SELECT decouple.send_messages('q', '"text"');
\set VERBOSITY default
SELECT count(*) AS none FROM decouple.send_messages('q', '[]');
SELECT count(*) FROM decouple.send_messages('q', '[{"body": null, "delay": null, "attributes": null}, {"body": [1, 2]}, {"body": "x", "delay": "0", "expires_in": "P1D"}]');
SELECT body, attributes, expires_at - sent_at AS lives FROM decouple.receive('q', 10);

-- receipts that are not good: false, and nothing happens
SELECT decouple.send('q', 'mine') > 0 AS sent, decouple.send('other', 'theirs') > 0 AS sent;
SELECT receipt AS mine FROM decouple.receive('q') \gset
SELECT receipt AS theirs FROM decouple.receive('other') \gset
SELECT decouple.delete('q', :'theirs'), decouple.change_visibility('q', :'theirs', '0'), decouple.nack('q', :'theirs');
SELECT count(*) FROM decouple.delete_batch('q', ARRAY[:'theirs', :'theirs']::decouple.receipt[]);
SELECT body FROM decouple.peek('other');
SELECT decouple.delete('q', 'nonsense');
SELECT count(*) FROM decouple.delete_batch('q', ARRAY[:'mine', :'theirs', :'mine']::decouple.receipt[]);
SELECT decouple.delete('q', :'mine'), decouple.change_visibility('q', :'mine', '0'), decouple.nack('q', :'mine');
-- of a queue that was dropped and made again
SELECT decouple.drop_queue('other'), decouple.create_queue('other');
SELECT decouple.send('other', 'new') > 0 AS sent;
SELECT decouple.delete('other', :'theirs');
-- addresses from outside: the fence of a good receipt, everywhere in the table and beyond it.  The CRC is
-- computed here as the type does, so that only the store can refuse.
CREATE FUNCTION crc32c(data bytea) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	crc bigint := 4294967295;
BEGIN
	FOR i IN 0 .. length(data) - 1 LOOP
		crc := crc # get_byte(data, i);
		FOR j IN 1 .. 8 LOOP
			crc := CASE WHEN crc & 1 = 1 THEN (crc >> 1) # 2197175160 ELSE crc >> 1 END;
		END LOOP;
	END LOOP;
	RETURN crc # 4294967295;
END
$$;
CREATE FUNCTION forge(receipt text, at int, bytes text) RETURNS decouple.receipt LANGUAGE sql IMMUTABLE AS $$
	SELECT (encode(payload, 'hex') || lpad(to_hex(crc32c(payload)), 8, '0'))::decouple.receipt
	FROM (SELECT overlay(substr(decode(receipt, 'hex'), 1, 28) PLACING decode(bytes, 'hex') FROM at) AS payload) s
$$;
SELECT receipt AS good FROM decouple.receive('other') \gset
SELECT forge(:'good', 1, substr(:'good', 1, 2)) = :'good' AS forged_well;
SELECT count(*) AS refused FROM (VALUES (17, '00000000'), (17, 'ffffffff'), (13, '00000000'), (13, '00000007'), (9, '00000001'), (9, 'ffffffff'),
	(1, '0000000000000000'), (1, 'ffffffffffffffff')) v (at, bytes)
WHERE NOT decouple.delete('other', forge(:'good', at, bytes));
-- a wrong address alone does no harm: the id is looked up
SELECT decouple.send('other', 'neighbour') > 0 AS sent;
SELECT count(*) AS good FROM (VALUES ('00000000' || '0002'), ('00000000' || '0000'), ('00000000' || 'ffff'), ('0000ffff' || '0001'),
	('ffffffff' || 'ffff'), ('fffffffe' || '0001')) v (address)
WHERE decouple.change_visibility('other', forge(:'good', 21, address), '1 minute');
SELECT decouple.delete('other', forge(:'good', 21, 'ffffffffffff02')) AS parked_place;
SELECT body FROM decouple.peek('other');
-- a forged receipt for what was never received
SELECT decouple.delete('other', forge(forge(forge(:'good', 13, '00000000')::text, 17, '00000000')::text, 1, lpad(to_hex(message_id), 16, '0')))
FROM decouple.peek('other');

-- waiting ends when it is told to
SET statement_timeout = '50ms';
SELECT decouple.receive('q', wait_time => '20 s');
RESET statement_timeout;
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ;
SELECT decouple.receive('q', wait_time => '1 s');
ROLLBACK;
BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM decouple.receive('q', wait_time => '0');
ROLLBACK;

-- the transaction is intact after each kind of error
BEGIN;
SELECT decouple.send('q', 'before') > 0 AS sent;
DO $$
DECLARE
	bad text;
BEGIN
	FOREACH bad IN ARRAY ARRAY[
		$q$ SELECT decouple.send_batch('q', ARRAY['a', '']) $q$,
		$q$ SELECT decouple.receive_any('{q,nowhere}', 10) $q$,
		$q$ SELECT decouple.delete_batch('q', ARRAY[NULL]::decouple.receipt[]) $q$,
		$q$ SELECT decouple.create_queue('x', delay => '-1 s') $q$,
		$q$ SELECT decouple.drop_queue('q'), decouple.send('nowhere', 'm') $q$
	] LOOP
		BEGIN
			EXECUTE bad;
			RAISE EXCEPTION 'no error from %', bad;
		EXCEPTION WHEN null_value_not_allowed OR invalid_parameter_value OR SQLSTATE 'QU001' THEN
			NULL;
		END;
	END LOOP;
END
$$;
COMMIT;
SELECT body FROM decouple.receive('q', 10);

-- dead letters and redrive
SELECT decouple.redrive('dead');
SELECT decouple.alter_queue('q', dead_letter_queue => 'dead', max_receive_count => 1);
SELECT decouple.redrive('dead', 'dead');
SELECT decouple.redrive('dead', 'nowhere');
SELECT decouple.send('dead', 'm') > 0 AS sent;
SELECT decouple.redrive('dead', 'other') AS task \gset
SELECT decouple.redrive('dead', 'other') = :task AS the_same;
SELECT decouple.redrive('dead');
SELECT decouple.cancel_redrive('dead', :task), decouple.cancel_redrive('dead', :task), decouple.cancel_redrive('dead', 4711);
