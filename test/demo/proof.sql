-- What was promised, and whether it holds.  Variables: placed, killed, killed_egress,
-- and the files heard and requests.
CREATE TABLE heard (order_id bigint NOT NULL);
CREATE TABLE requests (request jsonb NOT NULL);
\set copy '\\copy heard FROM ' :'heard'
:copy
-- a line is a value as it is
\set copy '\\copy requests FROM ' :'requests' ' WITH (FORMAT csv, QUOTE E''\\x01'', DELIMITER E''\\x02'')'
:copy

-- what a warehouse got, and what it should get
CREATE VIEW warehoused AS
SELECT substr(request ->> 'path', 2) AS region, (request ->> 'body')::jsonb ->> 'order' AS order_id,
	(request ->> 'status')::integer AS status
FROM requests WHERE request #>> '{headers,x-amz-sns-message-type}' = 'Notification';
CREATE VIEW for_warehouses AS
SELECT region, id::text AS order_id, amount < 0 AND region = 'south' AS is_refused
FROM orders WHERE amount >= 9000 OR amount < 0;

CREATE VIEW proof AS
WITH charged AS (SELECT order_id, count(*) AS times FROM charges GROUP BY order_id),
judged AS (SELECT o.id, coalesce(c.times, 0) AS times FROM orders o LEFT JOIN charged c ON c.order_id = o.id),
followed_after AS (
	SELECT pg_xact_commit_timestamp(o.xmin) AS committed_at,
		lag(pg_xact_commit_timestamp(o.xmin)) OVER (PARTITION BY f.customer ORDER BY f.n) AS before
	FROM followed f JOIN orders o ON o.id = f.order_id),
taken AS (SELECT region, order_id, count(*) AS times FROM warehoused WHERE status = 200 GROUP BY region, order_id),
stock AS (SELECT i.item, i.quantity, (SELECT count(*) FROM orders o WHERE o.item = i.item) AS sold,
		(SELECT count(*) FROM reorders r WHERE r.item = i.item) AS reorders FROM inventory i)
SELECT * FROM (VALUES
	(10, 'orders committed, at least 100000', (SELECT count(*) FROM orders), NULL::bigint, (SELECT count(*) >= 100000 FROM orders)),
	(11, 'orders rolled back on purpose, some', :placed - (SELECT count(*) FROM orders), NULL, (SELECT count(*) < :placed FROM orders)),
	(12, 'workers killed, some', :killed, NULL, :killed > 0),
	(13, 'decouple-egress killed, some', :killed_egress, NULL, :killed_egress > 0),
	(20, 'billing: poison orders, all redriven', (SELECT count(*) FROM orders WHERE amount < 0), (SELECT sum(moved)::bigint FROM decouple.redrive_tasks), NULL),
	(21, 'billing: orders charged exactly once', (SELECT count(*) FROM judged WHERE times = 1), (SELECT count(*) FROM orders), NULL),
	(22, 'billing: orders charged more than once', (SELECT count(*) FROM judged WHERE times > 1), 0, NULL),
	(23, 'billing: orders never charged', (SELECT count(*) FROM judged WHERE times = 0), 0, NULL),
	(24, 'billing: charges without a committed order', (SELECT count(*) FROM charged c WHERE NOT EXISTS (SELECT FROM orders o WHERE o.id = c.order_id)), 0, NULL),
	(30, 'audit: calls of the function', (SELECT count(*) FROM audited), (SELECT count(*) FROM orders), NULL),
	(31, 'audit: committed orders audited', (SELECT count(DISTINCT order_id) FROM audited JOIN orders ON id = order_id), (SELECT count(*) FROM orders), NULL),
	(40, 'psql: orders heard of', (SELECT count(*) FROM heard), (SELECT count(*) FROM orders), NULL),
	(41, 'psql: committed orders heard of', (SELECT count(DISTINCT order_id) FROM heard JOIN orders ON id = order_id), (SELECT count(*) FROM orders), NULL),
	(50, 'warehouses: large orders at their own', (SELECT count(*) FROM taken JOIN for_warehouses USING (region, order_id)),
		(SELECT count(*) FROM for_warehouses WHERE NOT is_refused), NULL),
	(51, 'warehouses: others, or elsewhere', (SELECT count(*) FROM taken LEFT JOIN for_warehouses f USING (region, order_id) WHERE f.order_id IS NULL), 0, NULL),
	(52, 'warehouses: refused, and kept with the reason', (SELECT count(*) FROM for_warehouses JOIN decouple.peek('refused', 10000) ON body::jsonb ->> 'order' = order_id
		WHERE is_refused AND last_error LIKE '%status 400%'), (SELECT count(*) FROM for_warehouses WHERE is_refused), NULL),
	-- at most ten for each of four are under way when the sender is killed
	(53, 'warehouses: taken again, if under way at a kill', (SELECT coalesce(sum(times - 1), 0)::bigint FROM taken), NULL,
		(SELECT coalesce(sum(times - 1), 0) <= 40 * :killed_egress FROM taken)),
	(60, 'stock: items that ran low, reordered', (SELECT sum(reorders)::bigint FROM stock), NULL, (SELECT bool_and(quantity >= 10) AND sum(reorders) > 0 FROM stock)),
	(61, 'stock: items whose numbers are wrong', (SELECT count(*) FROM stock WHERE quantity <> 400 - sold + 300 * reorders), 0, NULL),
	(62, 'stock: reordered without being low', (SELECT count(*) FROM reorders WHERE quantity_before >= 10), 0, NULL),
	(70, 'hourly reports made by schedule, one', (SELECT count(*) FROM reports WHERE date_trunc('hour', asked_at) = date_trunc('minute', asked_at)), 1, NULL),
	(71, 'orders followed, each once', (SELECT count(DISTINCT order_id) FROM followed), (SELECT count(*) FROM orders), (SELECT count(*) = count(DISTINCT order_id) AND count(*) = (SELECT count(*) FROM orders) FROM followed)),
	(72, 'orders of a customer followed out of order', (SELECT count(*) FROM followed_after WHERE committed_at < before), 0, NULL),
	(73, 'messages left in the queues', (SELECT sum(visible + in_flight + delayed)::bigint FROM decouple.queue_metrics WHERE queue <> 'refused'), 0, NULL)
) v (n, what, found, expected, holds);
