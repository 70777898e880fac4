-- Promise: what a user of psql sees reads well: descriptions, views, and a
-- message on the screen.
CREATE EXTENSION decouple;
SELECT default_version, comment FROM pg_available_extensions WHERE name = 'decouple';
\dn+ decouple
SELECT relname AS view, left(obj_description(oid), 90) AS description FROM pg_class
WHERE relnamespace = 'decouple'::regnamespace AND relkind = 'v' ORDER BY relname;
\df decouple.send
\d decouple.queue_metrics
SELECT decouple.create_queue('orders');
SELECT decouple.send('orders', '{"order": 1}', attributes => '{"kind": "new"}');
\x on
SELECT message_id, body, attributes, group_id, deduplication_id, sequence_number, receive_count,
	first_received_at IS NOT NULL AS received, sender, dead_letter_source, queue, expires_at, last_error, original_id
FROM decouple.receive('orders');
\x off
SELECT queue, visible, in_flight, delayed, exact FROM decouple.queue_metrics;
SELECT * FROM decouple.status() WHERE item <> 'shared memory';
-- the hint comes with the error
SELECT decouple.send('order', 'a typing error');
