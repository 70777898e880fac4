
-- ---------------------------------------------------------------------------
-- Queues: create, alter, drop, see.
-- ---------------------------------------------------------------------------

GRANT USAGE ON SCHEMA decouple TO PUBLIC;

CREATE FUNCTION decouple.create_queue(queue_name decouple.queue,
	visibility_timeout interval DEFAULT NULL, delay interval DEFAULT NULL,
	retention interval DEFAULT NULL, wait_time interval DEFAULT NULL,
	max_message_size integer DEFAULT NULL,
	dead_letter_queue decouple.queue DEFAULT NULL,
	max_receive_count integer DEFAULT NULL, fifo boolean DEFAULT NULL,
	content_based_deduplication boolean DEFAULT NULL,
	retry_delay interval DEFAULT NULL, retry_max_delay interval DEFAULT NULL,
	retry_backoff text DEFAULT NULL, notify boolean DEFAULT NULL,
	deduplication_scope text DEFAULT NULL,
	deduplication_window interval DEFAULT NULL)
RETURNS decouple.queue VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_create_queue';
COMMENT ON FUNCTION decouple.create_queue(decouple.queue, interval, interval, interval, interval, integer, decouple.queue, integer, boolean, boolean, interval, interval, text, boolean, text, interval) IS
	'Creates a queue and returns its name; the same call again does too. visibility_timeout 0 to 365 days (30 s), delay 0 to 365 days (0), retention 60 s to 100 years, 0 for ever (4 days), wait_time 0 to decouple.max_wait_time (0), max_message_size 1 KiB to 64 MiB (256 KiB), dead_letter_queue and max_receive_count 1 to 1000 go together (none), retry_delay and retry_max_delay 0 to 365 days (0), retry_backoff none, linear or exponential (none), notify (true). A name that ends in .fifo makes a FIFO queue, which has content_based_deduplication (false), deduplication_scope queue or message_group (queue) and deduplication_window 1 s to 30 days (5 minutes); on another queue they are QU006. Another value than the existing queue has: QU002. Needs CREATE on the database.';

CREATE FUNCTION decouple.alter_queue(queue_name decouple.queue,
	visibility_timeout interval DEFAULT NULL, delay interval DEFAULT NULL,
	retention interval DEFAULT NULL, wait_time interval DEFAULT NULL,
	max_message_size integer DEFAULT NULL,
	dead_letter_queue decouple.queue DEFAULT NULL,
	max_receive_count integer DEFAULT NULL, fifo boolean DEFAULT NULL,
	content_based_deduplication boolean DEFAULT NULL,
	retry_delay interval DEFAULT NULL, retry_max_delay interval DEFAULT NULL,
	retry_backoff text DEFAULT NULL, notify boolean DEFAULT NULL,
	deduplication_scope text DEFAULT NULL,
	deduplication_window interval DEFAULT NULL, reset text[] DEFAULT NULL)
RETURNS decouple.queue VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_alter_queue';
COMMENT ON FUNCTION decouple.alter_queue(decouple.queue, interval, interval, interval, interval, integer, decouple.queue, integer, boolean, boolean, interval, interval, text, boolean, text, interval, text[]) IS
	'Changes the options given, leaves those that are NULL, and sets those named in reset back to their defaults; to reset dead_letter_queue or max_receive_count resets both. Returns the name.';

CREATE FUNCTION decouple.drop_queue(queue_name decouple.queue)
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_drop_queue';
COMMENT ON FUNCTION decouple.drop_queue(decouple.queue) IS
	'Drops a queue with its messages; false where there was none. 2BP01 while another queue names it as its dead-letter queue.';

CREATE FUNCTION decouple.forget_dropped_queues()
RETURNS event_trigger VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_forget_dropped_queues';
COMMENT ON FUNCTION decouple.forget_dropped_queues() IS
	'Event trigger: a queue''s definition goes with its table.';

CREATE EVENT TRIGGER decouple_forget_dropped_queues ON sql_drop
	WHEN TAG IN ('DROP TABLE', 'DROP OWNED', 'DROP SCHEMA', 'DROP TYPE', 'DROP EXTENSION')
	EXECUTE FUNCTION decouple.forget_dropped_queues();
ALTER EVENT TRIGGER decouple_forget_dropped_queues ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER decouple_forget_dropped_queues IS
	'A queue''s definition goes with its table, however that is dropped.';

CREATE VIEW decouple.queues WITH (security_barrier) AS
	SELECT d.queue_name::decouple.queue AS queue,
		pg_catalog.pg_get_userbyid(c.relowner) AS owner,
		d.fifo,
		d.visibility_timeout,
		d.delay,
		d.retention,
		d.wait_time,
		d.max_message_size,
		d.dead_letter_queue,
		d.max_receive_count,
		d.content_based_deduplication,
		d.retry_delay,
		d.retry_max_delay,
		d.retry_backoff,
		d.notify,
		d.created_at,
		d.altered_at,
		d.deduplication_scope,
		d.deduplication_window
	FROM decouple.queue_definitions d
	LEFT JOIN pg_catalog.pg_class c
		ON c.relname OPERATOR(pg_catalog.=) ('q_' OPERATOR(pg_catalog.||) d.queue_number::text)::name
		AND c.relnamespace OPERATOR(pg_catalog.=) (
			SELECT n.oid FROM pg_catalog.pg_namespace n
			WHERE n.nspname OPERATOR(pg_catalog.=) 'decouple')
	WHERE d.purpose OPERATOR(pg_catalog.=) 'queue'
		AND (pg_catalog.pg_has_role(c.relowner, 'USAGE')
			OR (c.oid IS NULL AND (
				SELECT r.rolsuper FROM pg_catalog.pg_roles r
				WHERE r.rolname OPERATOR(pg_catalog.=) current_user)));
GRANT SELECT ON decouple.queues TO PUBLIC;
COMMENT ON VIEW decouple.queues IS
	'The queues that the caller may see, with their options.';
COMMENT ON COLUMN decouple.queues.queue IS 'The queue''s name.';
COMMENT ON COLUMN decouple.queues.owner IS 'The role that it belongs to; NULL where its table is missing.';
COMMENT ON COLUMN decouple.queues.fifo IS 'Is it a FIFO queue?';
COMMENT ON COLUMN decouple.queues.visibility_timeout IS 'How long a received message stays hidden.';
COMMENT ON COLUMN decouple.queues.delay IS 'How long a new message stays hidden.';
COMMENT ON COLUMN decouple.queues.retention IS 'How long a message is kept, from when it is first due; 0: for ever.';
COMMENT ON COLUMN decouple.queues.wait_time IS 'How long a receive waits for a message.';
COMMENT ON COLUMN decouple.queues.max_message_size IS 'Bytes of body and attributes.';
COMMENT ON COLUMN decouple.queues.dead_letter_queue IS 'Where messages go that were received too often.';
COMMENT ON COLUMN decouple.queues.max_receive_count IS 'How often a message is received before it goes there.';
COMMENT ON COLUMN decouple.queues.content_based_deduplication IS 'FIFO: is the body the deduplication id?';
COMMENT ON COLUMN decouple.queues.retry_delay IS 'How long nack hides a message.';
COMMENT ON COLUMN decouple.queues.retry_max_delay IS 'The longest that it grows to; 0: no limit.';
COMMENT ON COLUMN decouple.queues.retry_backoff IS 'How it grows with each receive: none, linear, exponential.';
COMMENT ON COLUMN decouple.queues.notify IS 'Are listeners notified?';
COMMENT ON COLUMN decouple.queues.created_at IS 'When it was created.';
COMMENT ON COLUMN decouple.queues.altered_at IS 'When its options were last changed.';
COMMENT ON COLUMN decouple.queues.deduplication_scope IS 'FIFO: among which messages a deduplication id is one: queue or message_group.';
COMMENT ON COLUMN decouple.queues.deduplication_window IS 'FIFO: for how long a deduplication id is remembered.';
