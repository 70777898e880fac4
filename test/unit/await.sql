-- Promise: await and await_any refuse what they cannot do, each with its
-- SQLSTATE.  What they do is in test/t/waking: they need sessions of their own.
BEGIN;
SELECT plan(9);
SELECT decouple.create_queue('q');
SELECT throws_ok('CALL decouple.await(NULL)', '22004', NULL, 'no queue');
SELECT throws_ok('CALL decouple.await_any(NULL)', '22004', NULL, 'no queues');
SELECT throws_ok('CALL decouple.await_any(ARRAY[''q'', NULL]::decouple.queue[])', '22004', NULL, 'a NULL among queues');
SELECT throws_ok('CALL decouple.await_any(''{}'')', '22023', NULL, 'an empty array');
SELECT throws_ok('CALL decouple.await(''q'', ''21 s'')', '22023', NULL, 'longer than decouple.max_wait_time');
SELECT throws_ok('CALL decouple.await(''q'', ''-1 s'')', '22023', NULL, 'a negative time');
SELECT throws_ok('CALL decouple.await(''a b'')', '22023', NULL, 'a bad name');
SELECT throws_ok('CALL decouple.await(''q'', ''0'')', '25001', NULL, 'in a transaction block');
SELECT throws_ok('CALL decouple.await_any(''{q}'', ''0'')', '25001', NULL, 'in a transaction block, many');
SELECT * FROM finish();
ROLLBACK;
