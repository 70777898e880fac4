
-- ---------------------------------------------------------------------------
-- Schedules: recurring messages, by pg_cron.
-- ---------------------------------------------------------------------------

CREATE FUNCTION decouple.schedule_send(queue_name decouple.queue, schedule_name text,
	cron text, body text, attributes jsonb DEFAULT NULL)
RETURNS bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_schedule_send';
COMMENT ON FUNCTION decouple.schedule_send(decouple.queue, text, text, text, jsonb) IS
	'Sends a message again and again, at the times of cron (five fields), as a job of pg_cron in the caller''s name; returns the job''s id. The same call again returns it too, with other values QU002. Without pg_cron in this database 0A000.';

CREATE FUNCTION decouple.schedule_publish(topic_name decouple.topic,
	schedule_name text, cron text, message text, subject text DEFAULT NULL,
	attributes jsonb DEFAULT NULL, group_id text DEFAULT NULL)
RETURNS bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_schedule_publish';
COMMENT ON FUNCTION decouple.schedule_publish(decouple.topic, text, text, text, text, jsonb, text) IS
	'Publishes a message again and again, at the times of cron (five fields), as a job of pg_cron in the caller''s name; returns the job''s id. The same call again returns it too, with other values QU002. Without pg_cron in this database 0A000.';

CREATE FUNCTION decouple.unschedule(schedule_name text)
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_unschedule';
COMMENT ON FUNCTION decouple.unschedule(text) IS
	'Removes a schedule of the caller''s; false where there is none.';

CREATE FUNCTION decouple.schedule_rows(OUT schedule_name text, OUT queue decouple.queue,
	OUT cron text, OUT active boolean, OUT owner name, OUT job_id bigint,
	OUT last_started_at timestamptz, OUT last_status text,
	OUT topic decouple.topic)
RETURNS SETOF record VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 10
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_schedule_rows';
COMMENT ON FUNCTION decouple.schedule_rows() IS
	'What the view schedules shows.';

CREATE VIEW decouple.schedules WITH (security_barrier) AS
	SELECT r.schedule_name, r.queue, r.cron, r.active, r.owner, r.job_id,
		r.last_started_at, r.last_status, r.topic
	FROM decouple.schedule_rows() r;
GRANT SELECT ON decouple.schedules TO PUBLIC;
COMMENT ON VIEW decouple.schedules IS
	'The caller''s schedules (a superuser''s: all), empty where pg_cron is not to be had.';
COMMENT ON COLUMN decouple.schedules.schedule_name IS 'Its name, as schedule_send() was given it.';
COMMENT ON COLUMN decouple.schedules.queue IS 'The queue that messages go to, or NULL.';
COMMENT ON COLUMN decouple.schedules.topic IS 'The topic that messages are published to, or NULL.';
COMMENT ON COLUMN decouple.schedules.cron IS 'When.';
COMMENT ON COLUMN decouple.schedules.active IS 'False where the job was switched off in pg_cron.';
COMMENT ON COLUMN decouple.schedules.owner IS 'The role that it runs as.';
COMMENT ON COLUMN decouple.schedules.job_id IS 'The job of pg_cron.';
COMMENT ON COLUMN decouple.schedules.last_started_at IS 'When it ran last.';
COMMENT ON COLUMN decouple.schedules.last_status IS 'How that ended, as pg_cron tells.';
