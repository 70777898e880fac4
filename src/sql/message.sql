
-- ---------------------------------------------------------------------------
-- Messages: send, receive, settle, look.
-- ---------------------------------------------------------------------------

CREATE FUNCTION decouple.send(queue_name decouple.queue, body text,
	delay interval DEFAULT NULL, attributes jsonb DEFAULT NULL,
	group_id text DEFAULT NULL, deduplication_id text DEFAULT NULL,
	expires_in interval DEFAULT NULL)
RETURNS bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_send';
COMMENT ON FUNCTION decouple.send(decouple.queue, text, interval, jsonb, text, text, interval) IS
	'Sends a message and returns its id; others see it when the transaction commits. delay (0 to 365 days) hides it at first, expires_in removes it. Empty body 22023, too large 54000, no such queue QU001.';

CREATE FUNCTION decouple.send(queue_name decouple.queue, body jsonb,
	delay interval DEFAULT NULL, attributes jsonb DEFAULT NULL,
	group_id text DEFAULT NULL, deduplication_id text DEFAULT NULL,
	expires_in interval DEFAULT NULL)
RETURNS bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_send_jsonb';
COMMENT ON FUNCTION decouple.send(decouple.queue, jsonb, interval, jsonb, text, text, interval) IS
	'Sends a jsonb value as a message: the body is its text.';

CREATE FUNCTION decouple.send(queue_name decouple.queue, body json,
	delay interval DEFAULT NULL, attributes jsonb DEFAULT NULL,
	group_id text DEFAULT NULL, deduplication_id text DEFAULT NULL,
	expires_in interval DEFAULT NULL)
RETURNS bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_send';
COMMENT ON FUNCTION decouple.send(decouple.queue, json, interval, jsonb, text, text, interval) IS
	'Sends a json value as a message: the body is its text.';

CREATE FUNCTION decouple.send_batch(queue_name decouple.queue, bodies text[],
	delay interval DEFAULT NULL, attributes jsonb[] DEFAULT NULL,
	group_ids text[] DEFAULT NULL, deduplication_ids text[] DEFAULT NULL)
RETURNS SETOF bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 100
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_send_batch';
COMMENT ON FUNCTION decouple.send_batch(decouple.queue, text[], interval, jsonb[], text[], text[]) IS
	'Sends many messages, all or none, and returns their ids in the order given. The other arrays have one element for each body, else 22023; a NULL element is 22004.';

CREATE FUNCTION decouple.send_messages(queue_name decouple.queue, messages jsonb)
RETURNS SETOF bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 100
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_send_messages';
COMMENT ON FUNCTION decouple.send_messages(decouple.queue, jsonb) IS
	'Sends an array of objects {"body": ..., "delay": "5 s", "attributes": {}, "group_id": ..., "deduplication_id": ..., "expires_in": "1 day"}; only body is needed. A body that is not a string is kept as its JSON text.';

CREATE FUNCTION decouple.receive(queue_name decouple.queue,
	max_messages integer DEFAULT 1, visibility_timeout interval DEFAULT NULL,
	wait_time interval DEFAULT NULL, attempt_id text DEFAULT NULL)
RETURNS SETOF decouple.message VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 10
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receive';
COMMENT ON FUNCTION decouple.receive(decouple.queue, integer, interval, interval, text) IS
	'Takes up to max_messages (1 to 10000) visible messages that nobody else holds and hides them for visibility_timeout (0 to 365 days, else the queue''s). Waits up to wait_time for the first (0 to decouple.max_wait_time, else the queue''s). Nothing there is zero rows. Use it in FROM.';

CREATE FUNCTION decouple.receive_any(queue_names decouple.queue[],
	max_messages integer DEFAULT 1, visibility_timeout interval DEFAULT NULL,
	wait_time interval DEFAULT NULL)
RETURNS SETOF decouple.message VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 10
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_receive_any';
COMMENT ON FUNCTION decouple.receive_any(decouple.queue[], integer, interval, interval) IS
	'Receives from several queues, the first ones first: that is what priorities are.';

CREATE FUNCTION decouple.delete(queue_name decouple.queue, receipt decouple.receipt)
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_delete';
COMMENT ON FUNCTION decouple.delete(decouple.queue, decouple.receipt) IS
	'Deletes the message of a receipt: it is done. False where the receipt is stale, another queue''s, or its message is gone. Waits where an open transaction holds the message.';

CREATE FUNCTION decouple.delete_batch(queue_name decouple.queue, receipts decouple.receipt[])
RETURNS SETOF decouple.receipt VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 10
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_delete_batch';
COMMENT ON FUNCTION decouple.delete_batch(decouple.queue, decouple.receipt[]) IS
	'Deletes many messages and returns the receipts of those that were deleted.';

CREATE FUNCTION decouple.change_visibility(queue_name decouple.queue,
	receipt decouple.receipt, visibility_timeout interval)
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_change_visibility';
COMMENT ON FUNCTION decouple.change_visibility(decouple.queue, decouple.receipt, interval) IS
	'Hides the message of a receipt until visibility_timeout (0 to 365 days) from now; 0 gives it back at once. The receipt stays good. False as for delete.';

CREATE FUNCTION decouple.change_visibility_batch(queue_name decouple.queue,
	receipts decouple.receipt[], visibility_timeout interval)
RETURNS SETOF decouple.receipt VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 10
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_change_visibility_batch';
COMMENT ON FUNCTION decouple.change_visibility_batch(decouple.queue, decouple.receipt[], interval) IS
	'Changes the visibility of many messages and returns the receipts of those that were changed.';

CREATE FUNCTION decouple.nack(queue_name decouple.queue, receipt decouple.receipt,
	retry_after interval DEFAULT NULL, reason text DEFAULT NULL)
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_nack';
COMMENT ON FUNCTION decouple.nack(decouple.queue, decouple.receipt, interval, text) IS
	'Gives a message back after a failure: hidden for retry_after (0 to 365 days), or as the queue''s retry policy says. The next receiver finds the reason (up to 8192 bytes of it) in last_error. False as for delete.';

CREATE FUNCTION decouple.peek(queue_name decouple.queue, max_messages integer DEFAULT 10)
RETURNS SETOF decouple.message VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 10
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_peek';
COMMENT ON FUNCTION decouple.peek(decouple.queue, integer) IS
	'Shows up to max_messages (1 to 10000) messages in any state, oldest first, without receiving them: the receipt is NULL. Works on a standby.';

CREATE FUNCTION decouple.purge(queue_name decouple.queue)
RETURNS bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_purge';
COMMENT ON FUNCTION decouple.purge(decouple.queue) IS
	'Deletes all messages that were committed when it began, and this transaction''s own; what others hold in open transactions stays. Returns how many went.';

CREATE FUNCTION decouple.redrive(dead_letter_queue decouple.queue,
	destination decouple.queue DEFAULT NULL, max_per_second integer DEFAULT NULL)
RETURNS bigint VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_redrive';
COMMENT ON FUNCTION decouple.redrive(decouple.queue, decouple.queue, integer) IS
	'Begins to send dead letters back, as new messages, to the queues that they came from or to destination, at most max_per_second (1 to 1000000). Returns the task''s id, see decouple.redrive_tasks; rounds of decouple.maintain() do the work.';

CREATE FUNCTION decouple.cancel_redrive(dead_letter_queue decouple.queue, task_id bigint)
RETURNS boolean VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_cancel_redrive';
COMMENT ON FUNCTION decouple.cancel_redrive(decouple.queue, bigint) IS
	'Stops a redrive; what was moved stays moved. False where no such task runs.';

CREATE FUNCTION decouple.channel(queue_name decouple.queue)
RETURNS text VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_channel';
COMMENT ON FUNCTION decouple.channel(decouple.queue) IS
	'The queue''s channel for LISTEN: decouple.<name> cut to 63 bytes. It needs quotes: LISTEN "decouple.orders".';

CREATE PROCEDURE decouple.await(queue_name decouple.queue,
	wait_time interval DEFAULT NULL, INOUT available boolean DEFAULT NULL)
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_await';
COMMENT ON PROCEDURE decouple.await(decouple.queue, interval, boolean) IS
	'Waits up to wait_time (0 to decouple.max_wait_time, else the queue''s) for a visible message, and says whether there is one; holds no snapshot meanwhile. Commits what precedes it; in a transaction block 25001.';

CREATE PROCEDURE decouple.await_any(queue_names decouple.queue[],
	wait_time interval DEFAULT NULL, INOUT available boolean DEFAULT NULL)
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_await_any';
COMMENT ON PROCEDURE decouple.await_any(decouple.queue[], interval, boolean) IS
	'Waits for a visible message in any of several queues, as await does.';
