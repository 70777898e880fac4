-- Whether the history is that of a FIFO queue, after all was received and
-- deleted.  Puts out a line for each promise that was broken, with examples.

-- so that the judge is not the longest part
CREATE INDEX ON checker.ends (call, message_id);
ANALYZE checker.ends, checker.claims;

CREATE TABLE checker.messages AS
	SELECT message_id, min(grp) AS grp, min(deduplication_id) AS deduplication_id, min(xact::text)::xid8 AS xact,
		pg_xact_commit_timestamp(min(xact::text)::xid8::xid) AS committed_at
	FROM (SELECT DISTINCT ON (message_id) * FROM checker.sent ORDER BY message_id, pg_xact_commit_timestamp(xact::xid)) s
	GROUP BY message_id;
CREATE UNIQUE INDEX ON checker.messages (message_id);

CREATE TABLE checker.deletes AS
	SELECT e.message_id, e.call, e.xact, e.at, pg_xact_commit_timestamp(e.xact::xid) AS committed_at
	FROM checker.ends e WHERE e.what = 'delete' AND e.good;

-- each message with when it went, and when the last before it in its group did
CREATE TABLE checker.lives AS
	SELECT m.*, d.xact AS deleted_by, d.committed_at AS deleted_at, d.at AS deleted_in_call_at,
		max(coalesce(d.committed_at, 'infinity')) OVER (PARTITION BY m.grp ORDER BY m.message_id
			ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS all_before_deleted_at
	FROM checker.messages m LEFT JOIN checker.deletes d USING (message_id);
CREATE INDEX ON checker.lives (grp, message_id);
CREATE INDEX ON checker.lives (message_id);

-- each claim with the one before it in the same call and group
CREATE TABLE checker.runs AS
	SELECT c.*, pg_xact_commit_timestamp(c.xact::xid) AS committed_at,
		lag(c.message_id) OVER (PARTITION BY c.call, c.grp ORDER BY c.message_id) AS before_id,
		(SELECT min(CASE WHEN e.what = 'delete' THEN 'infinity' ELSE e.hidden_until END)
			FROM checker.ends e WHERE e.call = c.call AND e.message_id = c.message_id AND e.good) AS settled_until,
		lead(c.taken_at) OVER m AS next_taken_at,
		lead(c.xact) OVER m AS next_xact
	FROM checker.claims c
	WINDOW m AS (PARTITION BY c.message_id ORDER BY c.taken_at);
ANALYZE checker.messages, checker.deletes, checker.lives, checker.runs, checker.sent;

-- OFFSET 0: one look into the index for each, not a join of all with all of a group
CREATE TEMP VIEW broken (promise, example) AS
	SELECT 'lost: sent, committed and never deleted', deduplication_id
	FROM checker.lives WHERE deleted_by IS NULL
UNION ALL
	SELECT 'twice: deleted by two committed deletes', message_id::text
	FROM checker.deletes GROUP BY message_id HAVING count(*) > 1
UNION ALL
	SELECT 'invented: received and never sent', c.message_id || ' ' || c.body
	FROM checker.runs c LEFT JOIN checker.messages m USING (message_id)
	WHERE m.deduplication_id IS DISTINCT FROM c.body OR m.grp <> c.grp
UNION ALL
	SELECT 'duplicate: one deduplication id got two messages', format('%s: %s', deduplication_id, array_agg(DISTINCT message_id))
	FROM checker.sent GROUP BY deduplication_id HAVING count(DISTINCT message_id) > 1
UNION ALL
	SELECT 'duplicate: two deduplication ids got one message', message_id::text
	FROM checker.sent GROUP BY message_id HAVING count(DISTINCT deduplication_id) > 1
UNION ALL
	SELECT 'order: ids of a group are not in the order of commits', format('group %s, message %s', grp, message_id)
	FROM (SELECT *, lag(committed_at) OVER (PARTITION BY grp ORDER BY message_id) AS before FROM checker.lives) l
	WHERE before > committed_at
UNION ALL
	SELECT 'overtaken: received before all before it in its group was gone', format('message %s in call %s', c.message_id, c.call)
	FROM checker.runs c JOIN checker.lives l USING (message_id)
	WHERE c.before_id IS NULL AND l.all_before_deleted_at > c.taken_at
		AND EXISTS (SELECT FROM checker.lives p
			WHERE p.grp = l.grp AND p.message_id < l.message_id
				AND coalesce(p.deleted_at, 'infinity') > c.taken_at
				AND NOT (p.deleted_by = c.xact AND p.deleted_in_call_at < c.taken_at)
			OFFSET 0)
UNION ALL
	SELECT 'overtaken: a run left one out', format('message %s in call %s', c.message_id, c.call)
	FROM checker.runs c
	WHERE EXISTS (SELECT FROM checker.lives p
			WHERE p.grp = c.grp AND p.message_id > c.before_id AND p.message_id < c.message_id
				AND coalesce(p.deleted_at, 'infinity') > c.taken_at
				AND NOT (p.deleted_by = c.xact AND p.deleted_in_call_at < c.taken_at)
			OFFSET 0)
UNION ALL
	SELECT 'two at once: received while another held it', format('message %s, call %s', message_id, call)
	FROM checker.runs
	WHERE next_taken_at < coalesce(settled_until, visible_at) OR (next_xact <> xact AND next_taken_at < committed_at)
UNION ALL
	SELECT 'early: received before its send was committed', c.message_id::text
	FROM checker.runs c JOIN checker.lives l USING (message_id)
	WHERE c.xact <> l.xact AND c.taken_at < l.committed_at
UNION ALL
	SELECT 'expired: a receipt was good after its timeout in a later transaction', format('message %s, call %s', e.message_id, e.call)
	FROM checker.ends e JOIN checker.runs c USING (call, message_id)
	WHERE e.good AND e.xact <> c.xact AND e.at > coalesce(
		(SELECT max(b.hidden_until) FROM checker.ends b
			WHERE b.call = e.call AND b.message_id = e.message_id AND b.good AND b.what = 'back' AND b.at < e.at),
		c.visible_at) + '5 s'
UNION ALL
	SELECT 'checker: what it is to do it never did', what
	FROM (VALUES
		('send a duplicate', (SELECT count(*) FROM checker.sent) > (SELECT count(*) FROM checker.messages)),
		('receive a run', EXISTS (SELECT FROM checker.runs WHERE before_id IS NOT NULL)),
		('receive again', EXISTS (SELECT FROM checker.runs WHERE next_taken_at IS NOT NULL)),
		('give back', EXISTS (SELECT FROM checker.ends WHERE what = 'back' AND good)),
		('delete with an old receipt', EXISTS (SELECT FROM checker.ends WHERE what = 'delete' AND NOT good))) k (what, did)
	WHERE NOT did;

CREATE TEMP TABLE verdict AS
	SELECT *, row_number() OVER (PARTITION BY promise) AS n FROM broken;
SELECT format('%s: %s times, such as %s', promise, count(*), string_agg(example, '; ') FILTER (WHERE n <= 5))
FROM verdict GROUP BY promise ORDER BY promise;

-- the whole history of the first messages that were overtaken, and of those that they went before
WITH example AS (
	SELECT (regexp_match(example, 'message (\d+) in call'))[1]::bigint AS message_id, (regexp_match(example, 'in call (\d+)'))[1]::bigint AS call
	FROM verdict WHERE promise LIKE 'overtaken%' AND n <= 2),
concerned AS (
	SELECT message_id FROM example
UNION
	SELECT p.message_id FROM example e JOIN checker.runs c USING (message_id, call) JOIN checker.lives p USING (grp)
	WHERE p.message_id < e.message_id AND coalesce(p.deleted_at, 'infinity') > c.taken_at)
SELECT format('%s  %s  %s', message_id, at, what)
FROM concerned JOIN (
	SELECT message_id, committed_at AS at, format('sent by %s to %s', xact, grp) AS what FROM checker.lives
UNION ALL
	SELECT message_id, taken_at, format('call %s in %s, until %s, committed %s', call, xact, visible_at, committed_at) FROM checker.runs
UNION ALL
	SELECT message_id, at, format('%s of call %s in %s: %s, until %s, committed %s', what, call, xact, good, hidden_until,
		pg_xact_commit_timestamp(xact::xid)) FROM checker.ends) h USING (message_id)
ORDER BY at;
