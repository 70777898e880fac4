
-- ---------------------------------------------------------------------------
-- Tables and sequences.  All private: nothing here is granted to anybody.
-- ---------------------------------------------------------------------------

CREATE SEQUENCE decouple.message_id_seq AS bigint;
COMMENT ON SEQUENCE decouple.message_id_seq IS
	'Message ids, unique in the database.';
SELECT pg_catalog.pg_extension_config_dump('decouple.message_id_seq', '');

CREATE SEQUENCE decouple.queue_number_seq AS integer;
COMMENT ON SEQUENCE decouple.queue_number_seq IS
	'Queue numbers; one is never used again.';
SELECT pg_catalog.pg_extension_config_dump('decouple.queue_number_seq', '');

CREATE TABLE decouple.queue_definitions (
	queue_number integer NOT NULL PRIMARY KEY,
	queue_name text COLLATE "C" NOT NULL UNIQUE,
	visibility_timeout interval NOT NULL,
	delay interval NOT NULL,
	retention interval NOT NULL,
	wait_time interval NOT NULL,
	max_message_size integer NOT NULL,
	dead_letter_queue decouple.queue,
	max_receive_count integer,
	fifo boolean NOT NULL,
	content_based_deduplication boolean NOT NULL,
	retry_delay interval NOT NULL,
	retry_max_delay interval NOT NULL,
	retry_backoff text NOT NULL,
	notify boolean NOT NULL,
	deduplication_scope text NOT NULL,
	deduplication_window interval NOT NULL,
	purpose text NOT NULL,
	created_at timestamptz NOT NULL,
	altered_at timestamptz NOT NULL
);
COMMENT ON TABLE decouple.queue_definitions IS
	'One row per queue; its messages lie in decouple.q_<queue_number>, whose owner is the queue''s.';
SELECT pg_catalog.pg_extension_config_dump('decouple.queue_definitions', '');

-- The columns of a queue's table (src/store/layout.h), and the queue's number.
CREATE TABLE decouple.parked_messages (
	id bigint NOT NULL,
	sent_at timestamptz NOT NULL,
	visible_at timestamptz NOT NULL,
	receive_count integer,
	fence integer,
	first_received_at timestamptz,
	sender text NOT NULL,
	body text NOT NULL,
	received_before integer,
	due_at timestamptz,
	expires_at timestamptz,
	original_id bigint,
	group_id text,
	deduplication_id text,
	dead_letter_source decouple.queue,
	last_error text,
	attributes jsonb,
	subject text,
	message_structure text,
	queue_number integer NOT NULL,
	PRIMARY KEY (queue_number, id)
);
CREATE INDEX parked_messages_due_idx
	ON decouple.parked_messages (queue_number, visible_at, id);
COMMENT ON TABLE decouple.parked_messages IS
	'Messages of all queues that are not due for long: delayed ones and long leases.';
SELECT pg_catalog.pg_extension_config_dump('decouple.parked_messages', '');

-- Not in a dump: a restored queue begins to count anew.
CREATE TABLE decouple.queue_totals (
	queue_number integer NOT NULL PRIMARY KEY,
	messages bigint NOT NULL,
	sent bigint NOT NULL,
	received bigint NOT NULL,
	deleted bigint NOT NULL,
	dead_lettered bigint NOT NULL,
	expired bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE decouple.queue_totals IS
	'What the worker has kept of the counters in shared memory, so that they survive a restart.';

-- What FIFO queues remember of ids that were sent; see src/queue/deduplication.h.
CREATE TABLE decouple.deduplications (
	queue_number integer NOT NULL,
	message_id bigint NOT NULL,
	key bigint NOT NULL,
	sent_at timestamptz NOT NULL,
	deduplication_id text NOT NULL,
	group_id text NOT NULL,
	PRIMARY KEY (queue_number, message_id)
);
CREATE INDEX deduplications_key_idx ON decouple.deduplications (queue_number, key);
COMMENT ON TABLE decouple.deduplications IS
	'Deduplication ids that FIFO queues got within their window, each with its first message.';
SELECT pg_catalog.pg_extension_config_dump('decouple.deduplications', '');

-- What FIFO queues remember of receives with an attempt_id; see src/queue/attempt.h.
CREATE TABLE decouple.receive_attempts (
	queue_number integer NOT NULL,
	attempt_number bigint NOT NULL,
	key bigint NOT NULL,
	received_at timestamptz NOT NULL,
	attempt_id text NOT NULL,
	hidden_until timestamptz NOT NULL,
	receipts decouple.receipt[] NOT NULL,
	PRIMARY KEY (queue_number, attempt_number)
);
CREATE INDEX receive_attempts_key_idx ON decouple.receive_attempts (queue_number, key);
COMMENT ON TABLE decouple.receive_attempts IS
	'Receives with an attempt_id from FIFO queues, and what they got, for five minutes.';

CREATE SEQUENCE decouple.redrive_task_id_seq AS bigint;
COMMENT ON SEQUENCE decouple.redrive_task_id_seq IS
	'Ids of redrive tasks.';
SELECT pg_catalog.pg_extension_config_dump('decouple.redrive_task_id_seq', '');

CREATE TABLE decouple.redrive_jobs (
	task_id bigint NOT NULL PRIMARY KEY,
	queue_number integer NOT NULL,
	dead_letter_queue decouple.queue NOT NULL,
	destination decouple.queue,
	max_per_second integer,
	state text NOT NULL,
	moved bigint NOT NULL,
	remaining bigint NOT NULL,
	started_at timestamptz NOT NULL,
	last_round_at timestamptz,
	ended_at timestamptz,
	error text
);
COMMENT ON TABLE decouple.redrive_jobs IS
	'One row per redrive; state is running, then completed, cancelled or failed.';
SELECT pg_catalog.pg_extension_config_dump('decouple.redrive_jobs', '');

-- ---- topics ----

CREATE TABLE decouple.topic_definitions (
	topic_number integer NOT NULL PRIMARY KEY,
	topic_name decouple.topic NOT NULL UNIQUE,
	display_name text,
	delivery_policy jsonb,
	signature_version integer,
	https_only boolean NOT NULL,
	success_sample_rate integer NOT NULL,
	created_at timestamptz NOT NULL,
	altered_at timestamptz NOT NULL
);
COMMENT ON TABLE decouple.topic_definitions IS
	'One row per topic; what is published lies in decouple.q_<topic_number> until it is fanned out, and the topic''s other options are those of that queue.';
SELECT pg_catalog.pg_extension_config_dump('decouple.topic_definitions', '');

CREATE SEQUENCE decouple.subscription_id_seq AS bigint;
COMMENT ON SEQUENCE decouple.subscription_id_seq IS
	'Ids of subscriptions.';
SELECT pg_catalog.pg_extension_config_dump('decouple.subscription_id_seq', '');

CREATE TABLE decouple.subscription_definitions (
	subscription_id bigint NOT NULL PRIMARY KEY,
	topic_number integer NOT NULL,
	queue_number integer NOT NULL UNIQUE,
	protocol text NOT NULL,
	endpoint text NOT NULL,
	filter_policy jsonb,
	filter_policy_scope text NOT NULL,
	raw_delivery boolean NOT NULL,
	delivery_policy jsonb,
	dead_letter_queue decouple.queue,
	secret text,
	headers jsonb,
	content_type text,
	ca text,
	time_limit interval,
	confirmed boolean NOT NULL,
	paused boolean NOT NULL,
	confirmation_token text,
	token_until timestamptz,
	unsubscribe_token text NOT NULL,
	created_at timestamptz NOT NULL,
	altered_at timestamptz NOT NULL
);
CREATE INDEX subscription_definitions_topic_idx
	ON decouple.subscription_definitions (topic_number);
COMMENT ON TABLE decouple.subscription_definitions IS
	'One row per subscription; its deliveries that wait lie in decouple.q_<queue_number>, whose owner is the subscription''s.';
SELECT pg_catalog.pg_extension_config_dump('decouple.subscription_definitions', '');

-- Not in a dump: a restored subscription begins to count anew.
CREATE TABLE decouple.subscription_totals (
	subscription_id bigint NOT NULL PRIMARY KEY,
	delivered bigint NOT NULL,
	failed bigint NOT NULL,
	filtered_out bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE decouple.subscription_totals IS
	'What was delivered so far; the worker adds to it now and then.';

CREATE TABLE decouple.delivery_records (
	logged_at timestamptz NOT NULL,
	topic_number integer NOT NULL,
	subscription_id bigint NOT NULL,
	message_id bigint NOT NULL,
	status text NOT NULL,
	attempts integer NOT NULL,
	status_code integer,
	error text,
	dwell interval NOT NULL
);
CREATE INDEX delivery_records_logged_at_idx
	ON decouple.delivery_records (logged_at);
COMMENT ON TABLE decouple.delivery_records IS
	'Deliveries that failed, and a sample of those that did not, for some days.';

-- At most one row, made with the first topic; see src/topic/identity.h.
CREATE TABLE decouple.database_identity (
	database_uuid uuid NOT NULL,
	system_identifier bigint NOT NULL,
	database_oid oid NOT NULL
);
COMMENT ON TABLE decouple.database_identity IS
	'What the ids of messages are made of, and which database this was when that was chosen.';
SELECT pg_catalog.pg_extension_config_dump('decouple.database_identity', '');

CREATE TABLE decouple.signing_keys (
	key_number integer NOT NULL PRIMARY KEY,
	private_key text NOT NULL,
	certificate text NOT NULL,
	created_at timestamptz NOT NULL
);
COMMENT ON TABLE decouple.signing_keys IS
	'Keys that sign what is delivered: the newest signs, the others can be verified.';
SELECT pg_catalog.pg_extension_config_dump('decouple.signing_keys', '');
