CREATE EXTENSION pgq;
CREATE SCHEMA q;
CREATE FUNCTION q.fresh() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pgq.drop_queue('bench', true) FROM pgq.queue WHERE queue_name = 'bench';
	PERFORM pgq.create_queue('bench');
	PERFORM pgq.register_consumer('bench', 'reader');
END $$;
