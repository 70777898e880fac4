-- Promise: publish_changes publishes what its condition and operations choose, in
-- the transaction that changes the row and in the name of the table's owner, and
-- nobody can publish where he may not by a trigger of his own.
BEGIN;
SELECT plan(27);
CREATE ROLE changes_owner;
CREATE ROLE changes_clerk;
CREATE ROLE changes_stranger;
SELECT decouple.create_topic('stock'), decouple.create_queue('events');
SELECT decouple.subscribe('stock', 'queue', 'events', raw_delivery => true);
CREATE TABLE inventory (item text PRIMARY KEY, quantity int, "Odd name" int);
CREATE FUNCTION pg_temp.events() RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
BEGIN
	CALL decouple.maintain();
	RETURN QUERY SELECT body::jsonb - 'schema' - 'table' FROM decouple.receive('events', 100, '1 hour');
END $$;

-- ---- what is refused ----
SELECT throws_ok($$ SELECT decouple.publish_changes('nothing', 'inventory') $$, 'QU003', NULL, 'no such topic');
SELECT throws_ok($$ SELECT decouple.publish_changes('stock', 'nothing') $$, '42P01', NULL, 'no such table');
SELECT throws_ok($$ SELECT decouple.publish_changes('stock', NULL) $$, '22004', NULL, 'no table');
SELECT throws_ok($$ SELECT decouple.publish_changes('stock', 'inventory', operations => '{truncate}') $$, '22023', NULL, 'another operation');
SELECT throws_ok($$ SELECT decouple.publish_changes('stock', 'inventory', operations => '{}') $$, '22023', NULL, 'no operation');
SELECT throws_ok($$ SELECT decouple.publish_changes('stock', 'inventory', 'quantity <') $$, '42601', NULL, 'half a condition');
SELECT throws_ok($$ SELECT decouple.publish_changes('stock', 'inventory', 'true); DROP TABLE inventory; SELECT (true') $$, '22023', 'when_condition is not one expression', 'more than a condition');
SELECT throws_ok($$ SELECT decouple.publish_changes('stock', 'inventory', 'true) FROM inventory WHERE (true') $$, '22023', 'when_condition is not one expression', 'a query');
SELECT throws_ok($$ SELECT decouple.publish_changes('stock', 'inventory', 'quantity') $$, '42804', NULL, 'not a boolean');
SELECT throws_ok($$ SELECT decouple.publish_changes('stock', 'inventory', 'amount < 10') $$, '42703', NULL, 'no such column');
SELECT throws_ok($$ SELECT decouple.publish_changes('stock', 'inventory', 'EXISTS (SELECT 1)') $$, '0A000', NULL, 'a subquery');

-- ---- all changes ----
SELECT lives_ok($$ SELECT decouple.publish_changes('stock', 'inventory') $$, 'all changes');
INSERT INTO inventory VALUES ('tea', 12, 1);
UPDATE inventory SET quantity = 11;
DELETE FROM inventory;
SELECT results_eq($$ SELECT * FROM pg_temp.events() $$, $$ VALUES
	('{"operation": "insert", "new": {"item": "tea", "quantity": 12, "Odd name": 1}}'::jsonb),
	('{"operation": "update", "old": {"item": "tea", "quantity": 12, "Odd name": 1}, "new": {"item": "tea", "quantity": 11, "Odd name": 1}}'),
	('{"operation": "delete", "old": {"item": "tea", "quantity": 11, "Odd name": 1}}') $$, 'insert, update and delete');
SAVEPOINT s;
INSERT INTO inventory VALUES ('coffee', 5, 1);
ROLLBACK TO s;
SELECT is_empty($$ SELECT * FROM pg_temp.events() $$, 'what is rolled back never was');

-- ---- a condition ----
SELECT decouple.publish_changes('stock', 'inventory', 'quantity < 10 AND "Odd name" IS NOT NULL');
INSERT INTO inventory VALUES ('tea', 12, 1), ('coffee', 9, 1), ('milk', 9, NULL);
UPDATE inventory SET quantity = quantity - 3 WHERE item = 'tea';
DELETE FROM inventory WHERE item = 'coffee';
SELECT results_eq($$ SELECT e ->> 'operation', coalesce(e #>> '{new,item}', e #>> '{old,item}') FROM pg_temp.events() e $$,
	$$ VALUES ('insert', 'coffee'), ('update', 'tea'), ('delete', 'coffee') $$, 'columns are those of the new row, or of the one deleted');
SELECT decouple.publish_changes('stock', 'inventory', 'new.quantity < 5 AND old.quantity >= 5', '{update}');
UPDATE inventory SET quantity = 4 WHERE item = 'tea';
UPDATE inventory SET quantity = 3 WHERE item = 'tea';
DELETE FROM inventory WHERE item = 'tea';
SELECT is((SELECT count(*) FROM pg_temp.events()), 1::bigint, 'the row that falls below, once');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'inventory'::regclass), 1::bigint, 'the earlier triggers are gone');

-- ---- whose it is ----
ALTER TABLE inventory OWNER TO changes_owner;
SELECT throws_ok($$ UPDATE inventory SET quantity = CASE quantity WHEN 9 THEN 4 END $$, '42501', NULL, 'the table''s owner may not publish');
SET LOCAL ROLE changes_stranger;
CREATE TEMP TABLE mine (i int);
SELECT throws_ok($$ SELECT decouple.publish_changes('stock', 'mine') $$, '42501', NULL, 'nor may a stranger');
CREATE TRIGGER sneaky AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION decouple.publish_change('stock');
SELECT throws_ok($$ INSERT INTO mine VALUES (1) $$, '42501', NULL, 'not by a trigger of his own either');
RESET ROLE;
GRANT SELECT, UPDATE ON inventory TO changes_clerk;
ALTER TABLE inventory OWNER TO CURRENT_USER;
SET LOCAL ROLE changes_clerk;
SELECT lives_ok($$ UPDATE inventory SET quantity = 4 $$, 'who changes a row needs no right on the topic');
RESET ROLE;
SELECT results_eq($$ SELECT e #>> '{new,item}' FROM pg_temp.events() e $$, ARRAY['milk'], 'and it is published');
SELECT is(decouple.stop_changes('stock', 'inventory'), true, 'stop');
SELECT is(decouple.stop_changes('stock', 'inventory'), false, 'stopped already');
UPDATE inventory SET quantity = 9;
UPDATE inventory SET quantity = 4;
SELECT is_empty($$ SELECT * FROM pg_temp.events() $$, 'nothing is published any more');

-- ---- filters, and a FIFO topic ----
SELECT decouple.create_topic('log.fifo'), decouple.create_queue('log.fifo'), decouple.create_queue('deletes.fifo');
SELECT decouple.subscribe('log.fifo', 'queue', 'log.fifo', raw_delivery => true), decouple.subscribe('log.fifo', 'queue', 'deletes.fifo', raw_delivery => true, filter_policy => '{"operation": ["delete"]}');
SELECT decouple.publish_changes('log.fifo', 'inventory');
INSERT INTO inventory SELECT 'item' || i, i, 0 FROM generate_series(1, 20) i;
DELETE FROM inventory WHERE item = 'item7';
CALL decouple.maintain();
SELECT results_eq($$ SELECT (body::jsonb #>> '{new,quantity}')::int FROM decouple.receive('log.fifo', 20) $$, ARRAY(SELECT generate_series(1, 20)), 'changes come in their order');
SELECT is((SELECT string_agg(body::jsonb #>> '{old,item}', ',') FROM decouple.receive('deletes.fifo', 20)), 'item7', 'an attribute tells the operation');
SELECT * FROM finish();
ROLLBACK;
