
-- ---------------------------------------------------------------------------
-- Assertions for users' own pgTAP suites.
-- ---------------------------------------------------------------------------

CREATE FUNCTION decouple.tap_ok(passed boolean, description text)
RETURNS text VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
	tap_schema name;
	line text;
BEGIN
	SELECT n.nspname INTO tap_schema
	FROM pg_catalog.pg_extension e
	JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
	WHERE e.extname = 'pgtap';
	IF tap_schema IS NULL THEN
		RAISE EXCEPTION 'pgTAP is not installed in this database'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Run CREATE EXTENSION pgtap.';
	END IF;
	-- pgTAP's own functions call each other without a schema
	PERFORM pg_catalog.set_config('search_path',
		pg_catalog.format('%I, pg_catalog', tap_schema), true);
	EXECUTE pg_catalog.format('SELECT %I.ok($1, $2)', tap_schema)
		INTO line USING passed, description;
	RETURN line;
END
$$;
COMMENT ON FUNCTION decouple.tap_ok(boolean, text) IS
	'Calls pgTAP''s ok(), wherever pgTAP is installed; 55000 where it is not.';

CREATE FUNCTION decouple.tap_has_queue(queue_name decouple.queue,
	description text DEFAULT NULL)
RETURNS text VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	RETURN decouple.tap_ok(decouple.queue_exists(queue_name),
		COALESCE(description, pg_catalog.format('queue %s should exist', queue_name)));
END
$$;
COMMENT ON FUNCTION decouple.tap_has_queue(decouple.queue, text) IS
	'pgTAP: passes if the queue exists.';

CREATE FUNCTION decouple.tap_has_topic(topic_name decouple.topic,
	description text DEFAULT NULL)
RETURNS text VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	RETURN decouple.tap_ok(decouple.topic_exists(topic_name),
		COALESCE(description, pg_catalog.format('topic %s should exist', topic_name)));
END
$$;
COMMENT ON FUNCTION decouple.tap_has_topic(decouple.topic, text) IS
	'pgTAP: passes if the topic exists.';

CREATE FUNCTION decouple.tap_queue_is_empty(queue_name decouple.queue,
	description text DEFAULT NULL)
RETURNS text VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	RETURN decouple.tap_ok(
		NOT EXISTS (SELECT FROM decouple.peek(queue_name, 1)),
		COALESCE(description, pg_catalog.format('queue %s should be empty', queue_name)));
END
$$;
COMMENT ON FUNCTION decouple.tap_queue_is_empty(decouple.queue, text) IS
	'pgTAP: passes if the queue has no message in any state.';

CREATE FUNCTION decouple.tap_queue_has(queue_name decouple.queue,
	pattern jsonb, description text DEFAULT NULL)
RETURNS text VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
	body text;
	found boolean := false;
BEGIN
	IF pattern IS NULL THEN
		RAISE EXCEPTION 'argument "pattern" must not be NULL'
			USING ERRCODE = 'null_value_not_allowed',
				HINT = 'Give a JSON value that a body should contain.';
	END IF;
	FOR body IN SELECT p.body FROM decouple.peek(queue_name, 10000) p LOOP
		BEGIN
			found := body::jsonb OPERATOR(pg_catalog.@>) pattern;
		EXCEPTION WHEN data_exception THEN
			CONTINUE;  -- this body is not JSON
		END;
		EXIT WHEN found;
	END LOOP;
	RETURN decouple.tap_ok(found,
		COALESCE(description, pg_catalog.format('queue %s should have %s', queue_name, pattern)));
END
$$;
COMMENT ON FUNCTION decouple.tap_queue_has(decouple.queue, jsonb, text) IS
	'pgTAP: passes if a message (of the oldest 10000) has a JSON body that contains the pattern.';
