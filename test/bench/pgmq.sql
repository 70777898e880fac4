CREATE SCHEMA mq;
CREATE FUNCTION mq.fresh() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pgmq.drop_queue('bench') FROM pgmq.meta WHERE queue_name = 'bench';
	PERFORM pgmq.create('bench');
END $$;
CREATE FUNCTION mq.fill(n integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM count(*) FROM pgmq.send_batch('bench', array_fill(to_jsonb(body()), ARRAY[n]));
END $$;
