-- What the randomised checkers share: how far they are, and a change of mind.

CREATE SCHEMA checker;

-- counts operations, those of rolled-back transactions too
CREATE SEQUENCE checker.operations;

-- does something and fails, which is caught here: it never was
CREATE FUNCTION checker.undo(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		EXECUTE statement;
		RAISE EXCEPTION USING ERRCODE = 'CK001', MESSAGE = 'the checker changed its mind';
	EXCEPTION WHEN SQLSTATE 'CK001' THEN
		NULL;
	END;
END $$;

-- waits until so many operations were done, at most some seconds
CREATE FUNCTION checker.await(target bigint, seconds int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	deadline timestamptz := clock_timestamp() + seconds * '1 s'::interval;
	done bigint;
BEGIN
	LOOP
		SELECT last_value INTO done FROM checker.operations;
		EXIT WHEN done >= target OR clock_timestamp() > deadline;
		PERFORM pg_sleep(0.01);
	END LOOP;
	RETURN done;
END $$;
