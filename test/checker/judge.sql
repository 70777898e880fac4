-- Whether the checker's history is possible, after all was received and
-- deleted.  Puts out a line for each promise that was broken, with examples.
-- Variables: preloaded, max_receive_count, and unfinished: how many messages at
-- most those receives took that failed before they said so.

-- a good end of a claim, and when it was committed
CREATE TABLE checker.good_ends AS
	SELECT e.*, pg_xact_commit_timestamp(e.xact::xid) AS committed_at
	FROM checker.ends e WHERE e.good;
CREATE INDEX ON checker.good_ends (claim);

-- a claim, how it ended, and the next of the same body, also after a redrive
CREATE TABLE checker.lives AS
	WITH settled AS (
		SELECT DISTINCT ON (claim) claim, what, hidden_until
		FROM checker.good_ends
		ORDER BY claim, at DESC)
	SELECT c.*, pg_xact_commit_timestamp(c.xact::xid) AS committed_at,
		s.what,
		CASE WHEN s.what IS NULL THEN c.visible_at
			WHEN s.what = 'delete' THEN 'infinity'
			ELSE s.hidden_until END AS held_until,
		row_number() OVER m AS nth,
		lead(c.claim) OVER k AS next_claim,
		lead(c.xact) OVER k AS next_xact,
		lead(c.message_id) OVER k AS next_id,
		lead(c.queue) OVER k AS next_queue,
		lead(c.receive_count) OVER k AS next_count,
		lead(c.taken_at) OVER k AS next_taken_at
	FROM checker.claims c LEFT JOIN settled s USING (claim)
	WINDOW m AS (PARTITION BY c.message_id ORDER BY c.receive_count, c.claim),
		k AS (PARTITION BY c.key ORDER BY c.message_id, c.receive_count, c.claim);
CREATE INDEX ON checker.lives (key);
CREATE INDEX ON checker.lives (message_id);
CREATE INDEX ON checker.transactions (client, number);
ANALYZE checker.lives, checker.good_ends, checker.sent, checker.ends, checker.told, checker.transactions;

CREATE VIEW checker.broken (promise, example) AS
	SELECT 'lost: sent, committed and never deleted', s.key
	FROM checker.sent s
	WHERE NOT EXISTS (SELECT FROM checker.lives l WHERE l.key = s.key AND l.what = 'delete')
UNION ALL
	SELECT 'twice: deleted by two committed deletes', l.key
	FROM checker.lives l JOIN checker.good_ends e USING (claim)
	WHERE e.what = 'delete' GROUP BY l.key HAVING count(*) > 1
UNION ALL
	SELECT 'invented: received and never sent, or from the wrong queue', l.key || ' from ' || l.queue
	FROM checker.lives l LEFT JOIN checker.sent s USING (key)
	WHERE s.key IS NULL OR l.queue NOT IN (s.queue, 'dead')
		OR (l.message_id <> s.message_id AND l.original_id IS NULL)
UNION ALL
	SELECT 'early: received before its send was committed, or before it was due', l.key
	FROM checker.lives l JOIN checker.sent s USING (key)
	WHERE l.taken_at < s.due_at
		OR (l.xact <> s.xact AND l.taken_at < pg_xact_commit_timestamp(s.xact::xid))
UNION ALL
	SELECT 'two at once: received while another held it', format('%s, claims %s and %s', key, claim, next_claim)
	FROM checker.lives
	WHERE next_taken_at < held_until OR (next_xact <> xact AND next_taken_at < committed_at)
UNION ALL
	SELECT 'stale: a receipt was good after a later receive', format('%s, claim %s', l.key, l.claim)
	FROM checker.lives l JOIN checker.good_ends e USING (claim)
	WHERE l.next_taken_at < CASE WHEN e.xact = l.next_xact THEN e.at ELSE e.committed_at END
UNION ALL
	SELECT 'receipt: one that nothing had ended was refused', format('%s, claim %s, %s', l.key, l.claim, e.what)
	FROM checker.ends e JOIN checker.lives l USING (claim)
	WHERE NOT e.good AND l.what IS DISTINCT FROM 'delete'
		AND l.next_id = l.message_id AND l.next_queue = l.queue AND l.next_taken_at > e.at
UNION ALL
	SELECT 'count: receive counts of committed receives do not grow', format('%s, claims %s and %s', key, claim, next_claim)
	FROM checker.lives
	WHERE next_id = message_id AND next_count <= receive_count
UNION ALL
	SELECT 'count: less than the committed receives', format('%s, claim %s', key, claim)
	FROM checker.lives WHERE receive_count < nth
UNION ALL
	SELECT 'count: more than the receives', format('%s, claim %s counts %s', key, claim, receive_count)
	FROM checker.lives l WHERE NOT :preloaded AND receive_count > nth
UNION ALL
	SELECT 'count: more than the receives, those that were rolled back too', format('%s of %s', counted, at_most)
	FROM (SELECT sum(n) AS counted FROM (SELECT max(receive_count) AS n FROM checker.claims GROUP BY message_id) c) c,
		(SELECT count(*) + :unfinished AS at_most FROM checker.attempts) a
	WHERE counted > at_most
UNION ALL
	SELECT 'dead letter: received less than max_receive_count times', format('%s, claim %s', key, claim)
	FROM checker.lives
	WHERE (queue = 'dead' AND (dead_letter_source IS DISTINCT FROM 'fragile' OR receive_count <= :max_receive_count))
		OR (queue <> 'dead' AND dead_letter_source IS NOT NULL)
UNION ALL
	SELECT 'dead letter: received more often than max_receive_count', format('%s, claim %s', key, claim)
	FROM checker.lives WHERE queue = 'fragile' AND receive_count > :max_receive_count
UNION ALL
	SELECT 'commit: a client was told so, and it is not there', format('client %s, transaction %s', client, number)
	FROM checker.told t
	WHERE t.what IN ('committed', 'prepared-commit')
		AND NOT EXISTS (SELECT FROM checker.transactions x WHERE x.client = t.client AND x.number = t.number)
UNION ALL
	SELECT 'rollback: one that was prepared is there', format('client %s, transaction %s', client, number)
	FROM checker.told t
	WHERE t.what = 'prepared-rollback'
		AND EXISTS (SELECT FROM checker.transactions x WHERE x.client = t.client AND x.number = t.number);

-- a history in which these are missing proves little
CREATE VIEW checker.idle (promise, example) AS
	SELECT 'checker: what it is to do it never did', what
	FROM (VALUES
		('receive a delayed message', EXISTS (SELECT FROM checker.sent s JOIN checker.lives l USING (key) WHERE s.queue = 'late')),
		('delete', EXISTS (SELECT FROM checker.ends WHERE what = 'delete' AND good)),
		('delete with an old receipt', EXISTS (SELECT FROM checker.ends WHERE what = 'delete' AND NOT good)),
		('change a visibility', EXISTS (SELECT FROM checker.ends WHERE what = 'change' AND good)),
		('give back with nack', EXISTS (SELECT FROM checker.ends WHERE what = 'nack' AND good)),
		('receive again', EXISTS (SELECT FROM checker.lives WHERE nth > 1)),
		('roll a receive back', (SELECT count(*) FROM checker.attempts) > (SELECT count(*) FROM checker.claims)),
		('receive a dead letter', EXISTS (SELECT FROM checker.lives WHERE queue = 'dead')),
		('receive what was redriven', EXISTS (SELECT FROM checker.lives WHERE original_id IS NOT NULL)),
		('commit a prepared transaction', EXISTS (SELECT FROM checker.told WHERE what = 'prepared-commit')),
		('roll a prepared transaction back', EXISTS (SELECT FROM checker.told WHERE what = 'prepared-rollback'))) AS k (what, did)
	WHERE NOT did;

CREATE TABLE checker.verdict AS
	SELECT *, row_number() OVER (PARTITION BY promise) AS n
	FROM (SELECT * FROM checker.broken UNION ALL SELECT * FROM checker.idle) b;
SELECT format('%s: %s times, such as %s', promise, count(*), string_agg(example, '; ') FILTER (WHERE n <= 5))
FROM checker.verdict GROUP BY promise ORDER BY promise;

-- the whole history of one message for each
WITH examples AS (SELECT DISTINCT regexp_replace(example, '[ ,].*', '') AS key FROM checker.verdict WHERE n <= 2)
SELECT format('%s  %s  %s', key, at, what)
FROM examples JOIN (
	SELECT key, due_at AS at, format('due: sent to %s as %s by %s, committed %s', queue, message_id, xact,
		pg_xact_commit_timestamp(xact::xid)) AS what
	FROM checker.sent
UNION ALL
	SELECT key, taken_at, format('claim %s by client %s in %s: %s %s, count %s, until %s, committed %s', claim, client, xact,
		queue, message_id, receive_count, visible_at, committed_at)
	FROM checker.lives
UNION ALL
	SELECT l.key, e.at, format('%s of claim %s in %s: %s, until %s, committed %s', e.what, e.claim, e.xact, e.good,
		e.hidden_until, pg_xact_commit_timestamp(e.xact::xid))
	FROM checker.ends e JOIN checker.lives l USING (claim)) h USING (key)
ORDER BY key, at;
