-- Promise: a delivery policy means what SNS says (reference 2.7): four phases in
-- order, each backoff function between its two delays, never more than an hour;
-- and a topic's policy holds for HTTP unless a subscription has its own.
BEGIN;
SELECT plan(18);

CREATE FUNCTION seconds(policy text, protocol text DEFAULT NULL) RETURNS numeric[] LANGUAGE sql
AS $$ SELECT array_agg(round(extract(epoch FROM d), 3)) FROM decouple.delivery_delays(policy::jsonb, protocol) d $$;

SELECT is(seconds(NULL), ARRAY[20, 20, 20]::numeric[], 'HTTP by default: three, 20 seconds apart');
SELECT is(seconds('{"healthyRetryPolicy": {"numRetries": 0}}'), NULL, 'no retries');
SELECT is((seconds(NULL, 'queue'))[1:17], ARRAY[0, 0, 0, 1, 1, 1, 2, 4, 8, 16, 20, 20, 20, 20, 20, 20, 20]::numeric[], 'queues: at once, a second apart, up to 20');
SELECT is(array_length(seconds(NULL, 'function'), 1), 100015, '100,015 of them, for functions too');
SELECT is(seconds('{"healthyRetryPolicy": {"minDelayTarget": 2, "maxDelayTarget": 10, "numRetries": 8, "numNoDelayRetries": 1, "numMinDelayRetries": 2, "numMaxDelayRetries": 2}}'),
	ARRAY[0, 2, 2, 2, 6, 10, 10, 10]::numeric[], 'four phases, linear');
SELECT is(seconds('{"healthyRetryPolicy": {"minDelayTarget": 1, "maxDelayTarget": 16, "numRetries": 5, "backoffFunction": "geometric"}}'),
	ARRAY[1, 2, 4, 8, 16]::numeric[], 'geometric');
SELECT is(seconds('{"healthyRetryPolicy": {"minDelayTarget": 1, "maxDelayTarget": 5, "numRetries": 5, "backoffFunction": "exponential"}}'),
	ARRAY[1, 2, 4, 5, 5]::numeric[], 'exponential, cut off');
SELECT is(seconds('{"healthyRetryPolicy": {"minDelayTarget": 10, "maxDelayTarget": 40, "numRetries": 4, "backoffFunction": "arithmetic"}}'),
	ARRAY[10, 15, 25, 40]::numeric[], 'arithmetic');
SELECT is(seconds('{"healthyRetryPolicy": {"minDelayTarget": 7, "maxDelayTarget": 9, "numRetries": 1, "backoffFunction": "geometric"}}'),
	ARRAY[7]::numeric[], 'one retry: the lower delay');

SELECT is((SELECT array_agg(d) FROM decouple.delivery_delays('{"healthyRetryPolicy": {"minDelayTarget": 7, "maxDelayTarget": 61, "numRetries": 2, "backoffFunction": "geometric"}}') d),
	ARRAY['7 s', '61 s']::interval[], 'the last is the greater delay to the microsecond');

-- a number that no double holds is one out of its range
SELECT throws_ok($$ SELECT decouple.delivery_delays('{"healthyRetryPolicy": {"numRetries": 1e400}}') $$, '22023', 'invalid delivery policy: out of its range: "numRetries"', 'a number that is far too large');
SELECT throws_ok($$ SELECT decouple.delivery_delays('{"healthyRetryPolicy": {"numRetries": 1e-400}}') $$, '22023', 'invalid delivery policy: out of its range: "numRetries"', 'and one that is far too small');

-- any policy that is taken: delays within bounds, never falling in the backoff,
-- as many as it says, an hour at most
CREATE TEMP TABLE tried AS
	SELECT p.policy, seconds(p.policy::text) AS delays, p.low, p.high, p.n
	FROM (SELECT low, high, n, jsonb_build_object('healthyRetryPolicy', jsonb_build_object(
			'minDelayTarget', low, 'maxDelayTarget', high, 'numRetries', n,
			'numNoDelayRetries', n / 5, 'numMinDelayRetries', n / 6, 'numMaxDelayRetries', n / 7,
			'backoffFunction', (ARRAY['linear', 'arithmetic', 'geometric', 'exponential'])[i % 4 + 1])) AS policy
		FROM (SELECT i, 1 + i % 17 AS low, 1 + i % 17 + i % 13 AS high, i % 60 AS n FROM generate_series(1, 400) i) r) p;
SELECT is((SELECT count(*) FROM tried WHERE coalesce(array_length(delays, 1), 0) <> n), 0::bigint, 'as many delays as retries');
SELECT is((SELECT count(*) FROM tried, unnest(delays[n / 5 + 1:]) d WHERE d < low OR d > high), 0::bigint, 'each between the two targets');
SELECT is((SELECT count(*) FROM tried, generate_series(n / 5 + 2, n) k WHERE delays[k] < delays[k - 1]), 0::bigint, 'none is shorter than the one before');
SELECT is((SELECT count(*) FROM tried WHERE (SELECT sum(d) FROM unnest(delays) d) > 3600), 0::bigint, 'an hour at most');
SELECT throws_ok($$ SELECT decouple.delivery_delays('{"healthyRetryPolicy": {"minDelayTarget": 61, "maxDelayTarget": 61, "numRetries": 60}}') $$, '22023', NULL, 'and what would be longer is refused');

-- a topic's policy, and whose it is
SELECT decouple.create_topic('t', delivery_policy => '{"http": {"defaultHealthyRetryPolicy": {"numRetries": 1}, "disableSubscriptionOverrides": true}}');
SELECT throws_ok($$ SELECT decouple.create_topic('u', delivery_policy => '{"healthyRetryPolicy": {"numRetries": 1}}') $$, '22023', NULL, 'a topic''s policy has its own form');
SELECT * FROM finish();
ROLLBACK;
