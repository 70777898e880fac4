-- The order application of the demo: tables of its own, a topic of orders and one
-- of low stock, their subscribers, and the code of those who place orders and of
-- those who work on them.
CREATE EXTENSION decouple;
CREATE EXTENSION pg_cron;

CREATE TABLE orders (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	customer integer NOT NULL,
	region text NOT NULL,
	item integer NOT NULL,
	amount integer NOT NULL
);
CREATE TABLE inventory (item integer PRIMARY KEY, quantity integer NOT NULL) WITH (fillfactor = 50);
INSERT INTO inventory SELECT item, 400 FROM generate_series(1, 200) item;
-- no unique constraint: if an order were charged twice, we would see it
CREATE TABLE charges (
	order_id bigint NOT NULL,
	amount integer NOT NULL
);
CREATE TABLE bank (accepts_refunds boolean NOT NULL);
INSERT INTO bank VALUES (false);

-- Billing gets every order by a queue of its own.
SELECT decouple.create_topic('orders');
SELECT decouple.create_queue('billing_dead');
SELECT decouple.create_queue('billing', visibility_timeout => '3 s',
	dead_letter_queue => 'billing_dead', max_receive_count => 3);
SELECT decouple.subscribe('orders', 'queue', 'billing', raw_delivery => true);

-- The audit is a function, called once for every order.
CREATE TABLE audited (order_id bigint NOT NULL);
CREATE FUNCTION audit(message jsonb) RETURNS void LANGUAGE sql AS $$
	INSERT INTO audited VALUES ((message ->> 'order')::bigint)
$$;
SELECT decouple.subscribe('orders', 'function', 'audit(jsonb)', raw_delivery => true);

-- Whoever LISTENs hears of every order.
SELECT decouple.subscribe('orders', 'notify', 'orders_placed', raw_delivery => true);

-- Each region's warehouse gets its large orders, and what is given back, by HTTP.
-- What it refuses is kept.
SELECT decouple.create_queue('refused');
CREATE FUNCTION subscribe_warehouse(region text, url text) RETURNS bigint LANGUAGE sql AS $$
	SELECT decouple.subscribe('orders', 'http', url, raw_delivery => true, dead_letter_queue => 'refused',
		filter_policy => jsonb_build_object('region', ARRAY[region], 'amount',
			'[{"numeric": [">=", 9000]}, {"numeric": ["<", 0]}]'::jsonb),
		delivery_policy => '{"healthyRetryPolicy": {"numRetries": 100, "minDelayTarget": 1, "maxDelayTarget": 5}}')
$$;

-- An item that runs low is an event of its own: the table's change is published.
SELECT decouple.create_topic('stock');
SELECT decouple.create_queue('reorder');
SELECT decouple.subscribe('stock', 'queue', 'reorder', raw_delivery => true);
SELECT decouple.publish_changes('stock', 'inventory', operations => '{update}',
	when_condition => 'new.quantity < 10 AND old.quantity >= 10');

-- What customers did, in the order in which they did it: a group for each.
SELECT decouple.create_queue('customers.fifo', content_based_deduplication => true);

-- An order, what it takes from the stock, and its messages, in the caller's transaction.
CREATE FUNCTION place_order(customer integer, item integer, amount integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	region text := (ARRAY['north', 'south', 'east', 'west'])[1 + customer % 4];
	new_id bigint;
BEGIN
	INSERT INTO orders (customer, region, item, amount)
		VALUES (place_order.customer, region, place_order.item, place_order.amount) RETURNING id INTO new_id;
	PERFORM decouple.send('customers.fifo', new_id::text, group_id => 'customer-' || place_order.customer);
	PERFORM decouple.publish('orders', json_build_object('order', new_id, 'amount', amount),
		attributes => jsonb_build_object('region', region, 'amount', amount));
	UPDATE inventory i SET quantity = quantity - 1 WHERE i.item = place_order.item;
	RETURN new_id;
END
$$;

-- The work: it fails for a negative amount until the bank is fixed.
CREATE FUNCTION charge(order_id bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	due integer;
BEGIN
	SELECT o.amount INTO STRICT due FROM orders o WHERE o.id = charge.order_id;
	IF due < 0 AND NOT (SELECT accepts_refunds FROM bank) THEN
		RAISE EXCEPTION 'the bank refuses the amount %', due;
	END IF;
	INSERT INTO charges VALUES (charge.order_id, due);
END
$$;

-- A transactional worker: receive, charge and delete in one transaction.  An
-- order that fails is undone alone, inside its savepoint, and given back.
CREATE FUNCTION work(most integer, wait_time interval) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	m decouple.message;
	handled bigint := 0;
BEGIN
	FOR m IN SELECT * FROM decouple.receive('billing', most, wait_time => work.wait_time) LOOP
		BEGIN
			PERFORM charge((m.body::json ->> 'order')::bigint);
			PERFORM decouple.delete('billing', m.receipt);
			handled := handled + 1;
		EXCEPTION WHEN raise_exception THEN
			PERFORM decouple.nack('billing', m.receipt, '500 ms', SQLERRM);
		END;
	END LOOP;
	RETURN handled;
END
$$;

-- The second half of a leasing worker, which committed its receive before:
-- whoever was too slow finds the receipt stale, and charges nothing.
CREATE FUNCTION finish(receipt text, order_id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF NOT decouple.delete('billing', receipt) THEN
		RETURN false;
	END IF;
	PERFORM charge(order_id);
	RETURN true;
EXCEPTION WHEN raise_exception THEN
	PERFORM decouple.nack('billing', receipt, '500 ms', SQLERRM);
	RETURN false;
END
$$;

-- A worker that never thinks of failure: an error undoes all that it did.  The
-- receives that were undone count all the same, so poison leaves its way.
CREATE FUNCTION work_bluntly() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	m decouple.message;
BEGIN
	SELECT * INTO m FROM decouple.receive('billing', wait_time => '200 ms');
	IF m.message_id IS NULL THEN
		RETURN 0;
	END IF;
	PERFORM charge((m.body::json ->> 'order')::bigint);
	PERFORM decouple.delete('billing', m.receipt);
	RETURN 1;
END
$$;

-- Who reorders what runs low, and notes how much was there.
CREATE TABLE reorders (
	item integer NOT NULL,
	quantity_before integer NOT NULL
);
CREATE FUNCTION reorder() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	m decouple.message;
	handled bigint := 0;
BEGIN
	FOR m IN SELECT * FROM decouple.receive('reorder', 10, wait_time => '200 ms') LOOP
		WITH filled AS (UPDATE inventory SET quantity = quantity + 300
			WHERE item = (m.body::jsonb #>> '{new,item}')::integer RETURNING item, quantity - 300 AS before)
		INSERT INTO reorders SELECT item, before FROM filled;
		PERFORM decouple.delete('reorder', m.receipt);
		handled := handled + 1;
	END LOOP;
	RETURN handled;
END
$$;

-- Who follows what customers do: each customer's orders in the order of their
-- commits, each once.
CREATE TABLE followed (
	n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	customer text NOT NULL,
	order_id bigint NOT NULL
);
CREATE FUNCTION follow() RETURNS bigint LANGUAGE sql AS $$
	WITH r AS MATERIALIZED (SELECT * FROM decouple.receive('customers.fifo', 50, wait_time => '200 ms')),
		f AS (INSERT INTO followed (customer, order_id) SELECT r.group_id, r.body::bigint FROM r)
	SELECT count(*) FROM decouple.delete_batch('customers.fifo', ARRAY(SELECT r.receipt FROM r))
$$;

-- Each hour a message asks for a report, and somebody makes it.
CREATE TABLE reports (
	made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	asked_at timestamptz NOT NULL,
	orders bigint NOT NULL,
	charges bigint NOT NULL
);
SELECT decouple.create_queue('reports');
SELECT decouple.schedule_send('reports', 'hourly report', '0 * * * *', 'orders and charges so far');

CREATE FUNCTION make_report() RETURNS void LANGUAGE sql AS $$
	WITH r AS MATERIALIZED (SELECT * FROM decouple.receive('reports', wait_time => '1 s')),
		d AS MATERIALIZED (SELECT r.sent_at, decouple.delete('reports', r.receipt) FROM r)
	INSERT INTO reports (asked_at, orders, charges)
	SELECT d.sent_at, (SELECT count(*) FROM orders), (SELECT count(*) FROM charges) FROM d
$$;
