
-- ---------------------------------------------------------------------------
-- Upkeep and sight.
-- ---------------------------------------------------------------------------

CREATE PROCEDURE decouple.maintain()
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_maintain';
COMMENT ON PROCEDURE decouple.maintain() IS
	'Does one round of all upkeep: retention, dead letters, redrive, parked messages of dropped queues. For superusers and the database''s owner. Commits between its steps, except in a transaction block.';

CREATE FUNCTION decouple.queue_measures(queue_name decouple.queue,
	OUT visible bigint, OUT in_flight bigint, OUT delayed bigint,
	OUT oldest_age interval, OUT sent bigint, OUT received bigint,
	OUT deleted bigint, OUT dead_lettered bigint, OUT expired bigint,
	OUT waiters integer, OUT bytes bigint, OUT exact boolean)
RETURNS record VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_queue_measures';
COMMENT ON FUNCTION decouple.queue_measures(decouple.queue) IS
	'One queue''s messages, counted; what the view queue_metrics shows.';

CREATE VIEW decouple.queue_metrics WITH (security_barrier) AS
	SELECT q.queue,
		m.visible,
		m.in_flight,
		m.delayed,
		m.oldest_age,
		m.sent,
		m.received,
		m.deleted,
		m.dead_lettered,
		m.expired,
		m.waiters,
		m.bytes,
		m.exact
	FROM decouple.queues q
	CROSS JOIN LATERAL decouple.queue_measures(q.queue) m
	WHERE q.owner IS NOT NULL;
GRANT SELECT ON decouple.queue_metrics TO PUBLIC;
COMMENT ON VIEW decouple.queue_metrics IS
	'How full each queue is that the caller may see: committed messages only. Where the library is preloaded these are counters, and a row takes the same time whatever the backlog; without, a scan counts, and totals and waiters are NULL.';
COMMENT ON COLUMN decouple.queue_metrics.queue IS 'The queue''s name.';
COMMENT ON COLUMN decouple.queue_metrics.visible IS 'Messages that a receive would find.';
COMMENT ON COLUMN decouple.queue_metrics.in_flight IS 'Messages that were received and are hidden.';
COMMENT ON COLUMN decouple.queue_metrics.delayed IS 'Messages that were sent with a delay and are not due.';
COMMENT ON COLUMN decouple.queue_metrics.oldest_age IS 'How long ago the oldest of them was sent; NULL when empty.';
COMMENT ON COLUMN decouple.queue_metrics.sent IS 'Messages sent so far, or NULL.';
COMMENT ON COLUMN decouple.queue_metrics.received IS 'Receives so far, or NULL.';
COMMENT ON COLUMN decouple.queue_metrics.deleted IS 'Messages deleted so far, or NULL.';
COMMENT ON COLUMN decouple.queue_metrics.dead_lettered IS 'Messages moved to the dead-letter queue so far, or NULL.';
COMMENT ON COLUMN decouple.queue_metrics.expired IS 'Messages that expired so far, or NULL.';
COMMENT ON COLUMN decouple.queue_metrics.waiters IS 'Consumers that wait for a message, or NULL.';
COMMENT ON COLUMN decouple.queue_metrics.bytes IS 'What the queue''s table takes on disk, indexes included; parked messages lie elsewhere.';
COMMENT ON COLUMN decouple.queue_metrics.exact IS 'False until the queue was recounted in the background after a start of the server, or after a prepared transaction.';

CREATE FUNCTION decouple.blocked_groups_of(queue_name decouple.queue,
	OUT group_id text, OUT blocked_by bigint, OUT reason text,
	OUT since timestamptz, OUT until timestamptz, OUT waiting bigint)
RETURNS SETOF record VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 100
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_blocked_groups_of';
COMMENT ON FUNCTION decouple.blocked_groups_of(decouple.queue) IS
	'The groups of one FIFO queue that wait for a message; what the view blocked_groups shows.';

CREATE VIEW decouple.blocked_groups WITH (security_barrier) AS
	SELECT q.queue,
		b.group_id,
		b.blocked_by,
		b.reason,
		b.since,
		b.until,
		b.waiting
	FROM decouple.queues q
	CROSS JOIN LATERAL decouple.blocked_groups_of(q.queue) b
	WHERE q.fifo AND q.owner IS NOT NULL;
GRANT SELECT ON decouple.blocked_groups TO PUBLIC;
COMMENT ON VIEW decouple.blocked_groups IS
	'The groups of FIFO queues in which messages wait for one before them. A scan: it takes as long as the queues.';
COMMENT ON COLUMN decouple.blocked_groups.queue IS 'The queue''s name.';
COMMENT ON COLUMN decouple.blocked_groups.group_id IS 'The group.';
COMMENT ON COLUMN decouple.blocked_groups.blocked_by IS 'The message id of the one that blocks it.';
COMMENT ON COLUMN decouple.blocked_groups.reason IS 'in flight: it was received; open transaction: one that is not over has received, changed or deleted it.';
COMMENT ON COLUMN decouple.blocked_groups.since IS 'When that message was first received; NULL if never.';
COMMENT ON COLUMN decouple.blocked_groups.until IS 'When its visibility timeout ends; NULL for an open transaction.';
COMMENT ON COLUMN decouple.blocked_groups.waiting IS 'How many visible messages wait behind it.';

CREATE VIEW decouple.redrive_tasks WITH (security_barrier) AS
	SELECT j.task_id,
		j.dead_letter_queue,
		j.destination,
		j.state,
		j.moved,
		j.remaining,
		j.started_at,
		j.ended_at,
		j.error
	FROM decouple.redrive_jobs j
	JOIN decouple.queues q ON q.queue OPERATOR(pg_catalog.=) j.dead_letter_queue;
GRANT SELECT ON decouple.redrive_tasks TO PUBLIC;
COMMENT ON VIEW decouple.redrive_tasks IS
	'Progress of redrives of the dead-letter queues that the caller may see.';
COMMENT ON COLUMN decouple.redrive_tasks.task_id IS 'What redrive() returned.';
COMMENT ON COLUMN decouple.redrive_tasks.dead_letter_queue IS 'Where messages are taken from.';
COMMENT ON COLUMN decouple.redrive_tasks.destination IS 'Where they go; NULL: each to the queue that it came from.';
COMMENT ON COLUMN decouple.redrive_tasks.state IS 'running, completed, cancelled or failed.';
COMMENT ON COLUMN decouple.redrive_tasks.moved IS 'Messages moved so far.';
COMMENT ON COLUMN decouple.redrive_tasks.remaining IS 'Messages still to move when the last round ended.';
COMMENT ON COLUMN decouple.redrive_tasks.started_at IS 'When redrive() was called; later dead letters stay.';
COMMENT ON COLUMN decouple.redrive_tasks.ended_at IS 'When it completed, failed or was cancelled.';
COMMENT ON COLUMN decouple.redrive_tasks.error IS 'Why it failed.';

CREATE FUNCTION decouple.queue_exists(queue_name decouple.queue)
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_queue_exists';
COMMENT ON FUNCTION decouple.queue_exists(decouple.queue) IS
	'Is there such a queue, whoever it belongs to?';

CREATE FUNCTION decouple.server_status()
RETURNS TABLE (item text, state text, hint text)
VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_server_status';
COMMENT ON FUNCTION decouple.server_status() IS
	'The part of status() that is about the library and its background processes.';

CREATE FUNCTION decouple.status()
RETURNS TABLE (item text, state text, hint text)
VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE sql
BEGIN ATOMIC
	SELECT 'version',
		(SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'decouple'),
		NULL
	UNION ALL
	SELECT s.item, s.state, s.hint
	FROM decouple.server_status() s
	UNION ALL
	SELECT 'pg_cron',
		CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_cron')
			THEN 'installed' ELSE 'not installed' END,
		CASE WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_cron')
			THEN 'It can schedule CALL decouple.maintain().' END
	UNION ALL
	SELECT 'queues', pg_catalog.count(*)::text, NULL
	FROM decouple.queues
	UNION ALL
	SELECT 'topics', pg_catalog.count(*)::text, NULL
	FROM decouple.topics
	UNION ALL
	SELECT 'deliveries', 'switched off',
		'Set decouple.delivery to on.'
	WHERE NOT pg_catalog.current_setting('decouple.delivery')::boolean
	UNION ALL
	SELECT 'deliveries by HTTP', 'held back: this is a restored or copied database',
		'Call decouple.adopt_deliveries() where it shall send to subscribers.'
	WHERE NOT decouple.deliveries_are_ours()
	UNION ALL
	SELECT pg_catalog.format('subscription %s', v.subscription_id),
		pg_catalog.format('%s waits for %s to confirm', v.topic, v.endpoint),
		'It gets nothing until its endpoint has sent the token back; see decouple.confirm_subscription().'
	FROM decouple.subscriptions v
	WHERE v.state = 'pending'
	UNION ALL
	SELECT pg_catalog.format('queue %s', q.queue), 'its table is missing',
		'If a restore is under way wait for its end; else move the table back to schema decouple, or drop the queue.'
	FROM decouple.queues q
	WHERE q.owner IS NULL
	UNION ALL
	SELECT pg_catalog.format('queue %s', q.queue),
		pg_catalog.format('its dead-letter queue %s is missing', q.dead_letter_queue),
		'Its messages are delivered on. Create that queue, or name another with decouple.alter_queue().'
	FROM decouple.queues q
	WHERE q.dead_letter_queue IS NOT NULL
		AND NOT decouple.queue_exists(q.dead_letter_queue)
	UNION ALL
	SELECT pg_catalog.format('schedule %s', c.schedule_name),
		pg_catalog.format('its queue %s is missing', c.queue),
		'Create the queue, or remove the schedule with decouple.unschedule().'
	FROM decouple.schedules c
	WHERE c.queue IS NOT NULL
		AND NOT decouple.queue_exists(c.queue)
	UNION ALL
	SELECT pg_catalog.format('schedule %s', c.schedule_name),
		pg_catalog.format('its topic %s is missing', c.topic),
		'Create the topic, or remove the schedule with decouple.unschedule().'
	FROM decouple.schedules c
	WHERE c.topic IS NOT NULL
		AND NOT decouple.topic_exists(c.topic)
	UNION ALL
	SELECT pg_catalog.format('redrive %s', t.task_id),
		pg_catalog.format('%s, %s moved, %s to go', t.state, t.moved, t.remaining),
		CASE WHEN t.state = 'failed' THEN t.error
			ELSE 'Rounds of maintain() do the work.' END
	FROM decouple.redrive_tasks t
	WHERE t.state IN ('running', 'failed');
END;
COMMENT ON FUNCTION decouple.status() IS
	'What runs, what is missing, and what to do about it, as far as the caller may see.';
