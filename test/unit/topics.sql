-- Promise: a topic is created, altered and dropped as the contract says; what is
-- published reaches each subscription once, in the form that SNS has, and what
-- cannot be delivered goes where it shall (reference 2; its rows with a star).
BEGIN;
SELECT plan(91);

-- ---- create, alter, drop ----
SELECT is(decouple.create_topic('orders', display_name => 'Orders')::text, 'orders', 'create_topic returns the name');
SELECT is(decouple.create_topic('orders')::text, 'orders', 'the same again');
SELECT is(decouple.create_topic('orders', display_name => 'Orders')::text, 'orders', 'with the same option');
SELECT throws_ok($$ SELECT decouple.create_topic('orders', display_name => 'Other') $$, 'QU002', NULL, 'with another option');
SELECT throws_ok($$ SELECT decouple.create_topic('orders', max_message_size => 2048) $$, 'QU002', NULL, 'another option of its queue');
SELECT throws_ok($$ SELECT decouple.create_topic('t', fifo => true) $$, '22023', NULL, 'a FIFO topic has its suffix');
SELECT throws_ok($$ SELECT decouple.create_topic('t.fifo', fifo => false) $$, '22023', NULL, 'and no other has it');
SELECT throws_ok($$ SELECT decouple.create_topic('t', content_based_deduplication => true) $$, 'QU006', NULL, 'only FIFO topics deduplicate');
SELECT throws_ok($$ SELECT decouple.create_topic('t', signature_version => 3) $$, '22023', NULL, 'signature versions are 1 and 2');
SELECT throws_ok($$ SELECT decouple.create_topic('t', display_name => repeat('x', 101)) $$, '22023', NULL, 'display_name has 100 characters');
SELECT throws_ok($$ SELECT decouple.create_topic('t', success_sample_rate => 101) $$, '22023', NULL, 'a rate is a percentage');
SELECT throws_ok($$ SELECT decouple.create_topic('no good') $$, '22023', NULL, 'a bad name');
SELECT throws_ok($$ SELECT decouple.create_topic(NULL) $$, '22004', NULL, 'no name');
SELECT is(decouple.alter_topic('orders', https_only => true, reset => ARRAY['display_name'])::text, 'orders', 'alter_topic');
SELECT results_eq($$ SELECT display_name, https_only, fifo, max_message_size FROM decouple.topics WHERE topic = 'orders' $$,
	$$ VALUES (NULL::text, true, false, 262144) $$, 'the view has the values');
SELECT throws_ok($$ SELECT decouple.alter_topic('orders', reset => ARRAY['nothing']) $$, '22023', NULL, 'reset names an option');
SELECT throws_ok($$ SELECT decouple.alter_topic('orders', https_only => false, reset => ARRAY['https_only']) $$, '22023', NULL, 'not both');
SELECT throws_ok($$ SELECT decouple.alter_topic('nothing') $$, 'QU003', NULL, 'alter_topic of none');
SELECT is(decouple.drop_topic('nothing'), false, 'drop_topic of none');
SELECT is((SELECT count(*) FROM decouple.queues), 0::bigint, 'a topic''s queue is nobody''s queue');
SELECT throws_ok($$ SELECT decouple.peek('topic:orders') $$, '22023', NULL, 'nor to be had by its name');
SELECT decouple.alter_topic('orders', reset => ARRAY['https_only']);

-- ---- publish: what is refused ----
SELECT throws_ok($$ SELECT decouple.publish('nothing', 'x') $$, 'QU003', NULL, 'no such topic');
SELECT throws_ok($$ SELECT decouple.publish('orders', '') $$, '22023', NULL, 'an empty message');
SELECT throws_ok($$ SELECT decouple.publish('orders', NULL::text) $$, '22004', NULL, 'no message');
SELECT throws_ok($$ SELECT decouple.publish('orders', repeat('x', 262145)) $$, '54000', NULL, 'too large');
SELECT throws_ok($$ SELECT decouple.publish('orders', 'x', subject => '') $$, '22023', NULL, 'an empty subject');
SELECT throws_ok($$ SELECT decouple.publish('orders', 'x', subject => repeat('x', 101)) $$, '22023', NULL, 'a long subject');
SELECT throws_ok($$ SELECT decouple.publish('orders', 'x', subject => E'a\nb') $$, '22023', NULL, 'a subject of two lines');
SELECT throws_ok($$ SELECT decouple.publish('orders', 'x', attributes => '{"a": true}') $$, '22023', NULL, 'a bad attribute');
SELECT throws_ok($$ SELECT decouple.publish('orders', 'x', deduplication_id => 'd') $$, 'QU006', NULL, 'a standard topic does not deduplicate');
SELECT throws_ok($$ SELECT decouple.publish('orders', 'x', message_structure => 'xml') $$, '22023', NULL, 'another structure');
SELECT throws_ok($$ SELECT decouple.publish('orders', '{"http": "x"}', message_structure => 'json') $$, '22023', NULL, 'no default');
SELECT throws_ok($$ SELECT decouple.publish('orders', '{"default": 1}', message_structure => 'json') $$, '22023', NULL, 'a default that is no string');
SELECT throws_ok($$ SELECT decouple.publish('orders', 'x', message_structure => 'json') $$, '22023', NULL, 'no JSON');
SELECT throws_ok($$ SELECT decouple.publish_batch('orders', ARRAY['a', NULL]) $$, '22004', NULL, 'a NULL among messages');
SELECT throws_ok($$ SELECT decouple.publish_batch('orders', ARRAY['a', 'b'], subjects => ARRAY['s']) $$, '22023', NULL, 'unequal arrays');

-- ---- subscribe: what is refused ----
SELECT decouple.create_queue('billing'), decouple.create_queue('raw'), decouple.create_queue('letters'), decouple.create_queue('q.fifo'), decouple.create_queue('small', max_message_size => 1024);
SELECT throws_ok($$ SELECT decouple.subscribe('nothing', 'queue', 'billing') $$, 'QU003', NULL, 'no such topic');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'pigeon', 'x') $$, '22023', NULL, 'no such protocol');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'sms', '+1') $$, '0A000', NULL, 'one that is not built');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'queue', 'nothing') $$, 'QU001', NULL, 'no such queue');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'queue', 'no good') $$, '22023', NULL, 'no name of a queue');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'queue', 'q.fifo') $$, '22023', NULL, 'a FIFO queue on a standard topic');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'http', 'https://example.org/') $$, '22023', NULL, 'a URL of another protocol');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'https', 'https://me:secret@example.org/') $$, '22023', NULL, 'a password in a URL');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'notify', repeat('x', 64)) $$, '22023', NULL, 'a long channel');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'function', 'nothing(jsonb)') $$, '42883', NULL, 'no such function');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'function', 'now()') $$, '22023', NULL, 'a function without an argument');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'queue', 'billing', secret => 'whsec_x') $$, '22023', NULL, 'a secret is for HTTP');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'https', 'https://example.org/', secret => 'x') $$, '22023', NULL, 'a bad secret');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'https', 'https://example.org/', headers => '{"Host": "x"}') $$, '22023', NULL, 'a header that is ours');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'https', 'https://example.org/', headers => '{"X-A": "a\r\nb"}') $$, '22023', NULL, 'a header of two lines');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'queue', 'billing', filter_policy => '{"k": "v"}') $$, '22023', NULL, 'a bad filter policy');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'queue', 'billing', delivery_policy => '{"healthyRetryPolicy": {"numRetries": 101}}') $$, '22023', NULL, 'too many retries');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'queue', 'billing', delivery_policy => '{"healthyRetryPolicy": {"minDelayTarget": 30, "maxDelayTarget": 20}}') $$, '22023', NULL, 'delays in the wrong order');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'queue', 'billing', delivery_policy => '{"healthyRetryPolicy": {"numRetries": 10, "maxDelayTarget": 3600, "numMaxDelayRetries": 2}}') $$, '22023', NULL, 'a policy of more than an hour');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'queue', 'billing', delivery_policy => '{"sickRetryPolicy": {}}') $$, '22023', NULL, 'an unknown key');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'queue', 'billing', dead_letter_queue => 'q.fifo') $$, '22023', NULL, 'dead letters of another kind');

-- ---- to queues ----
SELECT decouple.subscribe('orders', 'queue', 'billing') AS billing \gset
SELECT is(decouple.subscribe('orders', 'queue', 'billing'), :billing::bigint, 'the same subscription again');
SELECT throws_ok($$ SELECT decouple.subscribe('orders', 'queue', 'billing', raw_delivery => true) $$, 'QU002', NULL, 'with another option');
SELECT decouple.subscribe('orders', 'queue', 'raw', raw_delivery => true, filter_policy => '{"kind": ["paid"]}') AS raw \gset
SELECT decouple.publish('orders', 'first "quoted"', subject => 'News', attributes => '{"kind": "paid", "n": 1.50, "list": ["a", 2], "bytes": {"binary": "aGVsbG8="}}', group_id => 'tenant') AS first \gset
SELECT decouple.publish('orders', 'second') AS second \gset
SELECT is((SELECT count(*) FROM decouple.peek('billing')), 0::bigint, 'nothing before the fan-out');
CALL decouple.maintain();
SELECT is((SELECT count(*) FROM decouple.peek('billing')), 2::bigint, 'each message once');
SELECT results_eq($$ SELECT body, attributes, group_id FROM decouple.peek('raw') $$,
	$$ VALUES ('first "quoted"', '{"kind": "paid", "n": 1.50, "list": ["a", 2], "bytes": {"binary": "aGVsbG8="}}'::jsonb, 'tenant') $$,
	'raw: the message, its attributes and its group; the other is filtered out');
SELECT body::jsonb AS envelope FROM decouple.peek('billing', 1) \gset
SELECT is((:'envelope'::jsonb ->> 'Type') || ',' || (:'envelope'::jsonb ->> 'Message') || ',' || (:'envelope'::jsonb ->> 'Subject'), 'Notification,first "quoted",News', 'the envelope has type, message and subject');
SELECT is(:'envelope'::jsonb -> 'MessageAttributes', '{"kind": {"Type": "String", "Value": "paid"}, "n": {"Type": "Number", "Value": "1.5"}, "list": {"Type": "String.Array", "Value": "[\"a\", 2]"}, "bytes": {"Type": "Binary", "Value": "aGVsbG8="}}', 'and attributes with their types');
SELECT is(:'envelope'::jsonb ->> 'TopicArn', 'arn:decouple:' || current_database() || ':orders', 'and the topic''s name');
SELECT matches(:'envelope'::jsonb ->> 'MessageId', '^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$', 'and a UUID');
SELECT matches(:'envelope'::jsonb ->> 'Timestamp', '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$', 'and a time');
SELECT ok(NOT (:'envelope'::jsonb ? 'Signature'), 'and no signature, as it stays in the database');
SELECT body::jsonb AS envelope FROM decouple.peek('billing') OFFSET 1 \gset
SELECT ok(NOT (:'envelope'::jsonb ? 'Subject') AND NOT (:'envelope'::jsonb ? 'MessageAttributes'), 'what a message does not have is not there');
SELECT decouple.purge('billing'), decouple.purge('raw');
SELECT decouple.publish('orders', '{"default": "all", "sqs": "queues", "http": 5}', message_structure => 'json');
CALL decouple.maintain();
SELECT is((SELECT body::jsonb ->> 'Message' FROM decouple.peek('billing')), 'queues', 'a message for the protocol');
SELECT decouple.purge('billing');
SELECT is(decouple.pause_subscription('orders', :billing), true, 'pause');
SELECT is(decouple.pause_subscription('orders', :billing), false, 'paused already');
SELECT decouple.publish('orders', 'meanwhile');
CALL decouple.maintain();
SELECT is((SELECT count(*) FROM decouple.peek('billing')), 0::bigint, 'a paused subscription gets nothing');
SELECT results_eq($$ SELECT state, waiting FROM decouple.subscription_metrics WHERE endpoint = 'billing' $$, $$ VALUES ('paused', 1::bigint) $$, 'it waits');
SELECT is(decouple.resume_subscription('orders', :billing), true, 'resume');
CALL decouple.maintain();
SELECT is((SELECT body::jsonb ->> 'Message' FROM decouple.peek('billing')), 'meanwhile', 'and comes then');

-- ---- what cannot be delivered ----
SELECT decouple.subscribe('orders', 'queue', 'small', raw_delivery => true, dead_letter_queue => 'letters') AS small \gset
SELECT throws_ok($$ SELECT decouple.drop_queue('letters') $$, '2BP01', NULL, 'its dead-letter queue is needed');
SELECT decouple.publish('orders', repeat('x', 2000), attributes => '{"a": 1}') AS large \gset
CALL decouple.maintain();
SELECT results_eq($$ SELECT body, attributes, last_error, receive_count FROM decouple.peek('letters') $$,
	$$ VALUES (repeat('x', 2000), '{"a": 1}'::jsonb, 'the message is too large for the queue (attempt 1 of 100016, not tried again)', 1) $$,
	'what would have been delivered, with what went wrong');
SELECT is((SELECT original_id FROM decouple.peek('letters')), :large::bigint, 'and which message it was');
SELECT results_eq($$ SELECT status, error FROM decouple.delivery_log $$, $$ VALUES ('failure', 'the message is too large for the queue') $$, 'the log has it');
SELECT decouple.purge('letters'), decouple.drop_queue('small');
SELECT decouple.publish('orders', 'nowhere');
CALL decouple.maintain();
SELECT matches((SELECT last_error FROM decouple.peek('letters')), '^the queue does not exist', 'a queue that is gone');
SELECT is(decouple.unsubscribe('orders', :small), true, 'unsubscribe');
SELECT throws_ok(format('SELECT decouple.unsubscribe(%L, %s)', 'orders', :small), 'QU005', NULL, 'no such subscription');

-- published by a clock that is ahead of the one that fans out
SELECT decouple.create_topic('ahead'), decouple.subscribe('ahead', 'notify', 'ahead');
SET LOCAL decouple.clock_shift = 100;
SELECT decouple.publish('ahead', 'x');
SET LOCAL decouple.clock_shift = 0;
CALL decouple.maintain();
SELECT is((SELECT pending FROM decouple.topic_metrics WHERE topic = 'ahead'), 0::bigint, 'what was published a moment ahead is delivered');

-- ---- FIFO ----
SELECT decouple.create_topic('o.fifo', content_based_deduplication => true), decouple.create_queue('std');
SELECT throws_ok($$ SELECT decouple.subscribe('o.fifo', 'notify', 'c') $$, '22023', NULL, 'a FIFO topic feeds queues');
SELECT decouple.subscribe('o.fifo', 'queue', 'q.fifo', raw_delivery => true), decouple.subscribe('o.fifo', 'queue', 'std');
SELECT throws_ok($$ SELECT decouple.publish('o.fifo', 'x') $$, 'QU006', NULL, 'a FIFO topic needs a group');
SELECT decouple.publish_batch('o.fifo', ARRAY(SELECT 'm' || i FROM generate_series(1, 20) i), group_ids => ARRAY(SELECT 'g' || i % 2 FROM generate_series(1, 20) i));
SELECT is(decouple.publish('o.fifo', 'm1', group_id => 'g1'), (SELECT min(id) FROM (SELECT decouple.publish('o.fifo', 'm1', group_id => 'g1') AS id) p), 'a duplicate is the first message');
CALL decouple.maintain();
SELECT results_eq($$ SELECT body FROM decouple.receive('q.fifo', 100) WHERE group_id = 'g1' $$, ARRAY(SELECT 'm' || i FROM generate_series(1, 19, 2) i), 'each once, in the order of its group');
SELECT ok((SELECT bool_and(body::jsonb ? 'SequenceNumber' AND NOT body::jsonb ? 'Signature' AND group_id IS NULL) AND count(*) = 20 FROM decouple.peek('std', 100)),
	'a standard queue gets no group; a FIFO topic''s envelope has a number and no signature');

-- ---- drop ----
SELECT is(decouple.drop_topic('orders'), true, 'drop_topic');
SELECT is((SELECT count(*) FROM decouple.subscriptions WHERE topic = 'orders'), 0::bigint, 'its subscriptions are gone');
SELECT * FROM finish();
ROLLBACK;
