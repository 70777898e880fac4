
-- ---------------------------------------------------------------------------
-- Topics: create, alter, drop, publish.
-- ---------------------------------------------------------------------------

CREATE FUNCTION decouple.create_topic(topic_name decouple.topic,
	display_name text DEFAULT NULL, fifo boolean DEFAULT NULL,
	content_based_deduplication boolean DEFAULT NULL,
	delivery_policy jsonb DEFAULT NULL, signature_version integer DEFAULT NULL,
	https_only boolean DEFAULT NULL, deduplication_scope text DEFAULT NULL,
	deduplication_window interval DEFAULT NULL,
	max_message_size integer DEFAULT NULL,
	success_sample_rate integer DEFAULT NULL)
RETURNS decouple.topic VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_create_topic';
COMMENT ON FUNCTION decouple.create_topic(decouple.topic, text, boolean, boolean, jsonb, integer, boolean, text, interval, integer, integer) IS
	'Creates a topic and returns its name; the same call again does too. display_name at most 100 characters (none), delivery_policy the JSON of SNS (that of the protocol), signature_version 1 or 2 (1 for what leaves the database, none for queues and functions), https_only (false), max_message_size 1 KiB to 64 MiB (256 KiB), success_sample_rate 0 to 100 per cent of good deliveries in delivery_log (0). A name that ends in .fifo makes a FIFO topic, which has content_based_deduplication, deduplication_scope and deduplication_window as FIFO queues have; on another topic they are QU006. Another value than the existing topic has: QU002. Needs CREATE on the database.';

CREATE FUNCTION decouple.alter_topic(topic_name decouple.topic,
	display_name text DEFAULT NULL, fifo boolean DEFAULT NULL,
	content_based_deduplication boolean DEFAULT NULL,
	delivery_policy jsonb DEFAULT NULL, signature_version integer DEFAULT NULL,
	https_only boolean DEFAULT NULL, deduplication_scope text DEFAULT NULL,
	deduplication_window interval DEFAULT NULL,
	max_message_size integer DEFAULT NULL,
	success_sample_rate integer DEFAULT NULL, reset text[] DEFAULT NULL)
RETURNS decouple.topic VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_alter_topic';
COMMENT ON FUNCTION decouple.alter_topic(decouple.topic, text, boolean, boolean, jsonb, integer, boolean, text, interval, integer, integer, text[]) IS
	'Changes the options given, leaves those that are NULL, and sets those named in reset back to their defaults. Returns the name.';

CREATE FUNCTION decouple.drop_topic(topic_name decouple.topic)
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_drop_topic';
COMMENT ON FUNCTION decouple.drop_topic(decouple.topic) IS
	'Drops a topic with its subscriptions, and with what was not delivered yet; false where there was none.';

CREATE FUNCTION decouple.publish(topic_name decouple.topic, message text,
	subject text DEFAULT NULL, attributes jsonb DEFAULT NULL,
	message_structure text DEFAULT NULL, group_id text DEFAULT NULL,
	deduplication_id text DEFAULT NULL)
RETURNS bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_publish';
COMMENT ON FUNCTION decouple.publish(decouple.topic, text, text, jsonb, text, text, text) IS
	'Publishes a message and returns its id; subscribers get it when the transaction has committed. subject is 1 to 100 characters of ASCII. message_structure json: the message is an object with a text for each protocol and for default. Empty message 22023, too large 54000, no such topic QU003.';

CREATE FUNCTION decouple.publish(topic_name decouple.topic, message jsonb,
	subject text DEFAULT NULL, attributes jsonb DEFAULT NULL,
	message_structure text DEFAULT NULL, group_id text DEFAULT NULL,
	deduplication_id text DEFAULT NULL)
RETURNS bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_publish_jsonb';
COMMENT ON FUNCTION decouple.publish(decouple.topic, jsonb, text, jsonb, text, text, text) IS
	'Publishes a jsonb value: the message is its text.';

CREATE FUNCTION decouple.publish(topic_name decouple.topic, message json,
	subject text DEFAULT NULL, attributes jsonb DEFAULT NULL,
	message_structure text DEFAULT NULL, group_id text DEFAULT NULL,
	deduplication_id text DEFAULT NULL)
RETURNS bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_publish';
COMMENT ON FUNCTION decouple.publish(decouple.topic, json, text, jsonb, text, text, text) IS
	'Publishes a json value: the message is its text.';

CREATE FUNCTION decouple.publish_batch(topic_name decouple.topic, messages text[],
	subjects text[] DEFAULT NULL, attributes jsonb[] DEFAULT NULL,
	group_ids text[] DEFAULT NULL, deduplication_ids text[] DEFAULT NULL)
RETURNS SETOF bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 100
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_publish_batch';
COMMENT ON FUNCTION decouple.publish_batch(decouple.topic, text[], text[], jsonb[], text[], text[]) IS
	'Publishes many messages, all or none, and returns their ids in the order given. The other arrays have one element for each message, else 22023; a NULL element is 22004.';

CREATE FUNCTION decouple.forget_dropped_topics()
RETURNS event_trigger VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_forget_dropped_topics';
COMMENT ON FUNCTION decouple.forget_dropped_topics() IS
	'Event trigger: a topic goes with its table, and so does a subscription.';

CREATE EVENT TRIGGER decouple_forget_dropped_topics ON sql_drop
	WHEN TAG IN ('DROP TABLE', 'DROP OWNED', 'DROP SCHEMA', 'DROP TYPE', 'DROP EXTENSION')
	EXECUTE FUNCTION decouple.forget_dropped_topics();
ALTER EVENT TRIGGER decouple_forget_dropped_topics ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER decouple_forget_dropped_topics IS
	'A topic goes with its table, and a subscription with its own, however that is dropped.';

CREATE VIEW decouple.topics WITH (security_barrier) AS
	SELECT t.topic_name AS topic,
		pg_catalog.pg_get_userbyid(c.relowner) AS owner,
		d.fifo,
		t.display_name,
		d.content_based_deduplication,
		t.delivery_policy,
		t.signature_version,
		t.https_only,
		d.deduplication_scope,
		d.deduplication_window,
		d.max_message_size,
		t.success_sample_rate,
		t.created_at,
		t.altered_at
	FROM decouple.topic_definitions t
	JOIN decouple.queue_definitions d
		ON d.queue_number OPERATOR(pg_catalog.=) t.topic_number
	JOIN pg_catalog.pg_class c
		ON c.relname OPERATOR(pg_catalog.=) ('q_' OPERATOR(pg_catalog.||) t.topic_number::text)::name
		AND c.relnamespace OPERATOR(pg_catalog.=) (
			SELECT n.oid FROM pg_catalog.pg_namespace n
			WHERE n.nspname OPERATOR(pg_catalog.=) 'decouple')
	WHERE pg_catalog.pg_has_role(c.relowner, 'USAGE');
GRANT SELECT ON decouple.topics TO PUBLIC;
COMMENT ON VIEW decouple.topics IS
	'The topics that the caller may see, with their options.';
COMMENT ON COLUMN decouple.topics.topic IS 'The topic''s name.';
COMMENT ON COLUMN decouple.topics.owner IS 'The role that it belongs to.';
COMMENT ON COLUMN decouple.topics.fifo IS 'Is it a FIFO topic?';
COMMENT ON COLUMN decouple.topics.display_name IS 'How people shall see it named.';
COMMENT ON COLUMN decouple.topics.content_based_deduplication IS 'FIFO: is the message the deduplication id?';
COMMENT ON COLUMN decouple.topics.delivery_policy IS 'When deliveries by HTTP are tried again; NULL: as the protocol has it.';
COMMENT ON COLUMN decouple.topics.signature_version IS '1: SHA1, 2: SHA256; NULL: 1 for HTTP, and queues and functions get no signature.';
COMMENT ON COLUMN decouple.topics.https_only IS 'Are subscriptions by plain HTTP refused?';
COMMENT ON COLUMN decouple.topics.deduplication_scope IS 'FIFO: among which messages a deduplication id is one: queue or message_group.';
COMMENT ON COLUMN decouple.topics.deduplication_window IS 'FIFO: for how long a deduplication id is remembered.';
COMMENT ON COLUMN decouple.topics.max_message_size IS 'Bytes of message and attributes.';
COMMENT ON COLUMN decouple.topics.success_sample_rate IS 'How many per cent of good deliveries are in delivery_log.';
COMMENT ON COLUMN decouple.topics.created_at IS 'When it was created.';
COMMENT ON COLUMN decouple.topics.altered_at IS 'When its options were last changed.';

-- ---------------------------------------------------------------------------
-- Subscriptions.
-- ---------------------------------------------------------------------------

CREATE FUNCTION decouple.subscribe(topic_name decouple.topic, protocol text,
	endpoint text, filter_policy jsonb DEFAULT NULL,
	filter_policy_scope text DEFAULT NULL, raw_delivery boolean DEFAULT NULL,
	delivery_policy jsonb DEFAULT NULL,
	dead_letter_queue decouple.queue DEFAULT NULL, secret text DEFAULT NULL,
	headers jsonb DEFAULT NULL, content_type text DEFAULT NULL,
	ca text DEFAULT NULL, time_limit interval DEFAULT NULL)
RETURNS bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_subscribe';
COMMENT ON FUNCTION decouple.subscribe(decouple.topic, text, text, jsonb, text, boolean, jsonb, decouple.queue, text, jsonb, text, text, interval) IS
	'Subscribes an endpoint to a topic and returns the subscription''s id; the same again does too, with other options QU002. protocol is queue (its name), function (app.on_order(jsonb)), notify (a channel), http or https (a URL). filter_policy chooses messages by their attributes, or with filter_policy_scope MessageBody by what is in them. raw_delivery gives the message without the envelope. What cannot be delivered by delivery_policy goes to dead_letter_queue. For http and https: secret (whsec_ and base64) signs by Standard Webhooks, headers are added, content_type replaces text/plain, ca is who else may have signed the server''s certificate. time_limit (100 ms to 10 minutes, 15 s) is that of one attempt.';

CREATE FUNCTION decouple.alter_subscription(topic_name decouple.topic,
	subscription_id bigint, filter_policy jsonb DEFAULT NULL,
	filter_policy_scope text DEFAULT NULL, raw_delivery boolean DEFAULT NULL,
	delivery_policy jsonb DEFAULT NULL,
	dead_letter_queue decouple.queue DEFAULT NULL, secret text DEFAULT NULL,
	headers jsonb DEFAULT NULL, content_type text DEFAULT NULL,
	ca text DEFAULT NULL, time_limit interval DEFAULT NULL,
	reset text[] DEFAULT NULL)
RETURNS bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_alter_subscription';
COMMENT ON FUNCTION decouple.alter_subscription(decouple.topic, bigint, jsonb, text, boolean, jsonb, decouple.queue, text, jsonb, text, text, interval, text[]) IS
	'Changes the options given, leaves those that are NULL, and sets those named in reset back to their defaults. For the subscription''s owner and the topic''s. Unknown subscription QU005.';

CREATE FUNCTION decouple.unsubscribe(topic_name decouple.topic, subscription_id bigint)
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_unsubscribe';
COMMENT ON FUNCTION decouple.unsubscribe(decouple.topic, bigint) IS
	'Ends a subscription, with what was not delivered yet. For its owner and the topic''s. Unknown subscription QU005.';

CREATE FUNCTION decouple.pause_subscription(topic_name decouple.topic, subscription_id bigint)
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_pause_subscription';
COMMENT ON FUNCTION decouple.pause_subscription(decouple.topic, bigint) IS
	'Holds deliveries of a subscription back; what is published meanwhile waits. False where it was paused already.';

CREATE FUNCTION decouple.resume_subscription(topic_name decouple.topic, subscription_id bigint)
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_resume_subscription';
COMMENT ON FUNCTION decouple.resume_subscription(decouple.topic, bigint) IS
	'Goes on with a paused subscription. False where it was not paused.';

CREATE FUNCTION decouple.confirm_subscription(topic_name decouple.topic, token text)
RETURNS bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_confirm_subscription';
COMMENT ON FUNCTION decouple.confirm_subscription(decouple.topic, text) IS
	'Confirms the subscription whose endpoint was sent this token, within three days, and returns its id; again and again. Whoever has the token may. QU005 where it is not good.';

CREATE FUNCTION decouple.unsubscribe_by_token(token text)
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_unsubscribe_by_token';
COMMENT ON FUNCTION decouple.unsubscribe_by_token(text) IS
	'Ends the subscription whose notifications carry this token in their UnsubscribeURL. An HTTP endpoint is asked to confirm, and can restore it for three days. QU005 where the token is not good.';

CREATE FUNCTION decouple.adopt_deliveries()
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_adopt_deliveries';
COMMENT ON FUNCTION decouple.adopt_deliveries() IS
	'Lets a restored or copied database push to subscribers, which it does not before. False where it did already. For superusers and the database''s owner.';

CREATE FUNCTION decouple.deliveries_are_ours()
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_deliveries_are_ours';
COMMENT ON FUNCTION decouple.deliveries_are_ours() IS
	'False in a restored or copied database that was not told yet to push to subscribers.';

CREATE VIEW decouple.subscriptions WITH (security_barrier) AS
	SELECT s.subscription_id,
		t.topic_name AS topic,
		s.protocol,
		s.endpoint,
		pg_catalog.pg_get_userbyid(c.relowner) AS owner,
		CASE WHEN NOT s.confirmed THEN 'pending'
			WHEN s.paused THEN 'paused'
			ELSE 'active' END AS state,
		s.filter_policy,
		s.filter_policy_scope,
		s.raw_delivery,
		s.delivery_policy,
		s.dead_letter_queue,
		s.secret IS NOT NULL AS has_secret,
		(SELECT pg_catalog.array_agg(h.name ORDER BY h.name)
			FROM pg_catalog.jsonb_object_keys(s.headers) h(name)) AS header_names,
		s.content_type,
		s.ca,
		s.time_limit,
		s.created_at,
		s.altered_at
	FROM decouple.subscription_definitions s
	JOIN decouple.topic_definitions t
		ON t.topic_number OPERATOR(pg_catalog.=) s.topic_number
	JOIN pg_catalog.pg_class c
		ON c.relname OPERATOR(pg_catalog.=) ('q_' OPERATOR(pg_catalog.||) s.queue_number::text)::name
		AND c.relnamespace OPERATOR(pg_catalog.=) (
			SELECT n.oid FROM pg_catalog.pg_namespace n
			WHERE n.nspname OPERATOR(pg_catalog.=) 'decouple')
	WHERE pg_catalog.pg_has_role(c.relowner, 'USAGE')
		OR EXISTS (SELECT FROM decouple.topics p
			WHERE p.topic OPERATOR(pg_catalog.=) t.topic_name);
GRANT SELECT ON decouple.subscriptions TO PUBLIC;
COMMENT ON VIEW decouple.subscriptions IS
	'The subscriptions that belong to the caller, or to a topic of the caller''s.';
COMMENT ON COLUMN decouple.subscriptions.subscription_id IS 'What subscribe() returned.';
COMMENT ON COLUMN decouple.subscriptions.topic IS 'The topic.';
COMMENT ON COLUMN decouple.subscriptions.protocol IS 'queue, function, notify, http or https.';
COMMENT ON COLUMN decouple.subscriptions.endpoint IS 'The queue, function, channel or URL.';
COMMENT ON COLUMN decouple.subscriptions.owner IS 'The role that subscribed; a function is called with its rights.';
COMMENT ON COLUMN decouple.subscriptions.state IS 'pending: the endpoint has not confirmed; paused: deliveries wait; active.';
COMMENT ON COLUMN decouple.subscriptions.filter_policy IS 'Which messages it gets; NULL: all.';
COMMENT ON COLUMN decouple.subscriptions.filter_policy_scope IS 'MessageAttributes or MessageBody.';
COMMENT ON COLUMN decouple.subscriptions.raw_delivery IS 'Does it get the message without the envelope?';
COMMENT ON COLUMN decouple.subscriptions.delivery_policy IS 'When a delivery is tried again; NULL: as the topic, or the protocol, has it.';
COMMENT ON COLUMN decouple.subscriptions.dead_letter_queue IS 'Where what cannot be delivered goes; NULL: nowhere.';
COMMENT ON COLUMN decouple.subscriptions.has_secret IS 'Are its requests signed by Standard Webhooks?';
COMMENT ON COLUMN decouple.subscriptions.header_names IS 'Which headers its requests have besides.';
COMMENT ON COLUMN decouple.subscriptions.content_type IS 'The content type of its requests; NULL: text/plain.';
COMMENT ON COLUMN decouple.subscriptions.ca IS 'Certificates that may have signed the server''s; NULL: the system''s.';
COMMENT ON COLUMN decouple.subscriptions.time_limit IS 'How long an attempt may take; NULL: 15 seconds.';
COMMENT ON COLUMN decouple.subscriptions.created_at IS 'When it was made.';
COMMENT ON COLUMN decouple.subscriptions.altered_at IS 'When it was last changed.';

CREATE FUNCTION decouple.replace_signing_certificate(private_key text, certificate text)
RETURNS void VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_replace_signing_certificate';
COMMENT ON FUNCTION decouple.replace_signing_certificate(text, text) IS
	'Signs with this RSA key from now on; both are PEM, and the key has no passphrase. Certificates of earlier keys stay in signing_certificates. For superusers and the database''s owner.';

CREATE FUNCTION decouple.signing_certificate_rows(OUT url text, OUT pem text)
RETURNS SETOF record VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 1
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_signing_certificate_rows';
COMMENT ON FUNCTION decouple.signing_certificate_rows() IS
	'What the view signing_certificates shows.';

CREATE VIEW decouple.signing_certificates AS
	SELECT c.url, c.pem FROM decouple.signing_certificate_rows() c;
GRANT SELECT ON decouple.signing_certificates TO PUBLIC;
COMMENT ON VIEW decouple.signing_certificates IS
	'The certificates that verify what was signed, for everybody.';
COMMENT ON COLUMN decouple.signing_certificates.url IS 'Where SigningCertURL says that it is: below decouple.public_url.';
COMMENT ON COLUMN decouple.signing_certificates.pem IS 'The certificate.';

-- ---------------------------------------------------------------------------
-- What was delivered, and what was not.
-- ---------------------------------------------------------------------------

CREATE FUNCTION decouple.lane_measures(queue_number integer,
	OUT waiting bigint, OUT put_off bigint, OUT oldest_age interval,
	OUT sent bigint)
RETURNS record VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_lane_measures';
COMMENT ON FUNCTION decouple.lane_measures(integer) IS
	'How much a topic or a subscription has still to do; what the views topic_metrics and subscription_metrics show.';

CREATE VIEW decouple.subscription_metrics WITH (security_barrier) AS
	SELECT v.subscription_id,
		v.topic,
		v.protocol,
		v.endpoint,
		v.state,
		COALESCE(t.delivered, 0) AS delivered,
		COALESCE(t.failed, 0) AS failed,
		COALESCE(t.filtered_out, 0) AS filtered_out,
		m.waiting,
		m.put_off,
		m.oldest_age
	FROM decouple.subscriptions v
	JOIN decouple.subscription_definitions s
		ON s.subscription_id OPERATOR(pg_catalog.=) v.subscription_id
	LEFT JOIN decouple.subscription_totals t
		ON t.subscription_id OPERATOR(pg_catalog.=) v.subscription_id
	CROSS JOIN LATERAL decouple.lane_measures(s.queue_number) m;
GRANT SELECT ON decouple.subscription_metrics TO PUBLIC;
COMMENT ON VIEW decouple.subscription_metrics IS
	'What each subscription got so far, and what waits for it. Totals are added to every ten seconds; a crash or a shutdown may lose the last of them.';
COMMENT ON COLUMN decouple.subscription_metrics.subscription_id IS 'The subscription.';
COMMENT ON COLUMN decouple.subscription_metrics.topic IS 'Its topic.';
COMMENT ON COLUMN decouple.subscription_metrics.protocol IS 'Its protocol.';
COMMENT ON COLUMN decouple.subscription_metrics.endpoint IS 'Its endpoint.';
COMMENT ON COLUMN decouple.subscription_metrics.state IS 'pending, paused or active.';
COMMENT ON COLUMN decouple.subscription_metrics.delivered IS 'Messages delivered.';
COMMENT ON COLUMN decouple.subscription_metrics.failed IS 'Messages given up, in the dead-letter queue or nowhere.';
COMMENT ON COLUMN decouple.subscription_metrics.filtered_out IS 'Messages that its filter policy did not choose.';
COMMENT ON COLUMN decouple.subscription_metrics.waiting IS 'Deliveries that are to be tried now.';
COMMENT ON COLUMN decouple.subscription_metrics.put_off IS 'Deliveries that are under way, or wait for their next attempt.';
COMMENT ON COLUMN decouple.subscription_metrics.oldest_age IS 'How long ago the oldest of both was published; NULL where there is none.';

CREATE VIEW decouple.topic_metrics WITH (security_barrier) AS
	SELECT v.topic,
		m.sent AS published,
		s.delivered,
		s.failed,
		s.filtered_out,
		m.waiting OPERATOR(pg_catalog.+) m.put_off AS to_fan_out,
		s.pending,
		GREATEST(m.oldest_age, s.oldest_age) AS oldest_pending_age,
		s.subscriptions
	FROM decouple.topics v
	JOIN decouple.topic_definitions d
		ON d.topic_name OPERATOR(pg_catalog.=) v.topic
	CROSS JOIN LATERAL decouple.lane_measures(d.topic_number) m
	CROSS JOIN LATERAL (
		SELECT pg_catalog.count(*) AS subscriptions,
			COALESCE(pg_catalog.sum(x.delivered), 0)::bigint AS delivered,
			COALESCE(pg_catalog.sum(x.failed), 0)::bigint AS failed,
			COALESCE(pg_catalog.sum(x.filtered_out), 0)::bigint AS filtered_out,
			-- the topic is measured first: what is fanned out meanwhile is counted
			-- twice rather than not at all
			COALESCE(m.waiting OPERATOR(pg_catalog.+) m.put_off, 0) OPERATOR(pg_catalog.+)
				COALESCE(pg_catalog.sum(x.waiting OPERATOR(pg_catalog.+) x.put_off), 0)::bigint AS pending,
			pg_catalog.max(x.oldest_age) AS oldest_age
		FROM decouple.subscription_metrics x
		WHERE x.topic OPERATOR(pg_catalog.=) v.topic) s;
GRANT SELECT ON decouple.topic_metrics TO PUBLIC;
COMMENT ON VIEW decouple.topic_metrics IS
	'What was published to each topic that the caller may see, and what became of it.';
COMMENT ON COLUMN decouple.topic_metrics.topic IS 'The topic''s name.';
COMMENT ON COLUMN decouple.topic_metrics.published IS 'Messages published so far; NULL where the library is not preloaded.';
COMMENT ON COLUMN decouple.topic_metrics.delivered IS 'Deliveries done, of all its subscriptions.';
COMMENT ON COLUMN decouple.topic_metrics.failed IS 'Deliveries given up.';
COMMENT ON COLUMN decouple.topic_metrics.filtered_out IS 'Messages that a subscription''s filter policy did not choose, counted by subscription.';
COMMENT ON COLUMN decouple.topic_metrics.to_fan_out IS 'Messages published that no subscription has got yet.';
COMMENT ON COLUMN decouple.topic_metrics.pending IS 'These, and deliveries that wait or are under way.';
COMMENT ON COLUMN decouple.topic_metrics.oldest_pending_age IS 'How long ago the oldest of them was published; NULL where there is none.';
COMMENT ON COLUMN decouple.topic_metrics.subscriptions IS 'How many subscriptions it has.';

CREATE VIEW decouple.delivery_log WITH (security_barrier) AS
	SELECT r.logged_at,
		v.topic,
		r.subscription_id,
		v.protocol,
		v.endpoint,
		r.message_id,
		r.status,
		r.attempts,
		r.status_code,
		r.error,
		r.dwell
	FROM decouple.delivery_records r
	JOIN decouple.subscriptions v
		ON v.subscription_id OPERATOR(pg_catalog.=) r.subscription_id;
GRANT SELECT ON decouple.delivery_log TO PUBLIC;
COMMENT ON VIEW decouple.delivery_log IS
	'Attempts that failed, and as many good deliveries as the topic''s success_sample_rate says, for seven days. What the fan-out itself puts into queues is only counted.';
COMMENT ON COLUMN decouple.delivery_log.logged_at IS 'When the attempt ended.';
COMMENT ON COLUMN decouple.delivery_log.topic IS 'The topic.';
COMMENT ON COLUMN decouple.delivery_log.subscription_id IS 'The subscription.';
COMMENT ON COLUMN decouple.delivery_log.protocol IS 'Its protocol.';
COMMENT ON COLUMN decouple.delivery_log.endpoint IS 'Its endpoint.';
COMMENT ON COLUMN decouple.delivery_log.message_id IS 'What publish() returned.';
COMMENT ON COLUMN decouple.delivery_log.status IS 'success; retry: it will be tried again; failure: it will not.';
COMMENT ON COLUMN decouple.delivery_log.attempts IS 'How many attempts there were, this one included.';
COMMENT ON COLUMN decouple.delivery_log.status_code IS 'The status of HTTP; NULL where there is none.';
COMMENT ON COLUMN decouple.delivery_log.error IS 'What went wrong.';
COMMENT ON COLUMN decouple.delivery_log.dwell IS 'From the publish to the end of the attempt.';

CREATE FUNCTION decouple.topic_exists(topic_name decouple.topic)
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_topic_exists';
COMMENT ON FUNCTION decouple.topic_exists(decouple.topic) IS
	'Is there such a topic, whoever it belongs to?';

-- ---------------------------------------------------------------------------
-- Changes of tables as messages.
-- ---------------------------------------------------------------------------

CREATE FUNCTION decouple.publish_changes(topic_name decouple.topic,
	table_name regclass, when_condition text DEFAULT NULL,
	operations text[] DEFAULT NULL)
RETURNS void VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_publish_changes';
COMMENT ON FUNCTION decouple.publish_changes(decouple.topic, regclass, text, text[]) IS
	'Publishes changes of a table''s rows, in the transactions that make them: {"operation", "schema", "table", "old", "new"}, the first three as attributes too. when_condition is an expression over the row, as quantity < 10, or over old and new; operations are insert, update and delete (all). The same table again: replaces. Needs the privilege TRIGGER on the table; changes are published in the name of its owner.';

CREATE FUNCTION decouple.stop_changes(topic_name decouple.topic, table_name regclass)
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_stop_changes';
COMMENT ON FUNCTION decouple.stop_changes(decouple.topic, regclass) IS
	'Publishes a table''s changes no more; false where they were not. For the table''s owner.';

CREATE FUNCTION decouple.publish_change()
RETURNS trigger VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_publish_change';
COMMENT ON FUNCTION decouple.publish_change() IS
	'The trigger of publish_changes().';

CREATE FUNCTION decouple.delivery_delays(delivery_policy jsonb DEFAULT NULL,
	protocol text DEFAULT NULL)
RETURNS SETOF interval STABLE CALLED ON NULL INPUT PARALLEL SAFE ROWS 10
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_delivery_delays';
COMMENT ON FUNCTION decouple.delivery_delays(jsonb, text) IS
	'How long a delivery waits before each retry, without jitter, by a subscription''s delivery policy and protocol (https). To see a policy before it is used. A bad policy is 22023.';
