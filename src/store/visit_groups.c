/*
 * visit_groups.c
 *		A visit by groups: from a message to its group's run.
 *
 * visit.c walks the messages; here is what becomes of each on a FIFO queue.
 * Every visible message leads to its group's run, once in a visit; afterwards it
 * is accounted for: taken, or blocked by another of its group.
 */
#include "postgres.h"

#include "access/subtrans.h"
#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/texts.h"
#include "store/journal.h"
#include "store/table.h"
#include "store/visit_groups.h"

/* how many groups are tried one by one */
#define TRIES_MAX		100

/* a group that this visit has met */
typedef struct SeenGroup
{
	const text *group;			/* key; a copy */
	char		status;			/* simplehash's */
	bool		finished;		/* there is nothing more to be had */
	bool		walked;			/* the scan beyond the bound came over one: */
	bool		held;			/* the last one is held by an open transaction, */
	TransactionId holder;		/* this top-level one */
} SeenGroup;

#define SH_PREFIX seen
#define SH_ELEMENT_TYPE SeenGroup
#define SH_KEY_TYPE const text *
#define SH_KEY group
#define SH_HASH_KEY(tb, key) ((uint32) text_hash(key, 0))
#define SH_EQUAL(tb, a, b) texts_equal(a, b)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* where the last visit of this session tried groups one by one */
typedef struct GroupCursor
{
	int32		number;			/* of the queue; key */
	char		group[GROUP_ID_MAX + 1];	/* "": begin with the first */
} GroupCursor;

static HTAB *cursors = NULL;

/* The group, met for the first time or again. */
static SeenGroup *
meet(Visit *visit, Datum group_id)
{
	const text *group = DatumGetTextPP(group_id);
	SeenGroup  *seen;
	bool		found;

	if (visit->seen == NULL)
		visit->seen = seen_create(CurrentMemoryContext, 16, NULL);
	seen = seen_insert(visit->seen, group, &found);
	if (!found)
	{
		/* the key must outlive the page that it lies in */
		seen->group = DatumGetTextPCopy(group_id);
		seen->finished = seen->walked = false;
	}
	return seen;
}

/* The group of the version that the scan is at; NULL where it has none. */
static SeenGroup *
meet_scanned(Visit *visit)
{
	bool		isnull;
	Datum		group_id = slot_getattr(visit->scan.slot, MESSAGE_GROUP_ID,
										&isnull);

	return isnull ? NULL : meet(visit, group_id);
}

/* The scan came over a message: it is before the next one of its group. */
static void
walk_over(Visit *visit, SeenGroup *seen, TransactionId holder)
{
	if (visit->stage != VISIT_BEYOND)
		return;
	seen->walked = true;
	seen->held = TransactionIdIsValid(holder) &&
		!TransactionIdIsCurrentTransactionId(holder);
	if (seen->held)
		seen->holder = SubTransGetTopmostTransaction(holder);
}

/* The scan steps over a version that blocks its group, unless it is delayed. */
void
visit_meet_blocker(Visit *visit, VersionStanding standing)
{
	RowStanding row = slot_standing(visit->scan.slot);
	SeenGroup  *seen;

	if (standing == VERSION_FREE && row.state == HIDDEN_DELAYED)
		return;
	seen = meet_scanned(visit);
	if (seen == NULL)
		return;
	seen->finished = true;
	walk_over(visit, seen, standing == VERSION_HELD ?
			  visit->scan.holder : InvalidTransactionId);
}

/*
 * The scanned message is visible, and blocked by another of its group.  It can
 * be passed if whoever ends that one will tell of it; see head.h, rule 4.
 */
static void
leave_blocked(Visit *visit, SeenGroup *seen)
{
	GroupBefore before = GROUP_KEPT_BEFORE;
	TransactionId holder = InvalidTransactionId;

	if (visit->may_move && !visit->blocked)
	{
		if (!seen->walked)
			before = group_before(visit->store, visit->scan.slot, visit->now,
								  &holder);
		else if (seen->held)
		{
			before = GROUP_HELD_BEFORE;
			holder = seen->holder;
		}
	}
	walk_over(visit, seen, InvalidTransactionId);
	if (before == GROUP_NONE_BEFORE)
		visit_leave(visit, DT_NOBEGIN);	/* what blocked it is gone */
	else if (before == GROUP_HELD_BEFORE)
	{
		head_found(&visit->findings, visit->last_id,
				   visit->now + UNTOLD_RECHECK, holder);
		if (visit->findings.full)
			visit->blocked = true;
	}
	visit_pass(visit);
}

/* Begins a group's run for one of its messages; false where it has none. */
static bool
begin_run(Visit *visit, SeenGroup *seen, int64 id)
{
	GroupRunResult result = RUN_NOT_SEEN;

	seen->finished = true;
	for (int i = 0; i < 2 && result == RUN_NOT_SEEN; i++)
	{
		/* what was committed since the last look takes another one */
		if (i > 0 && visit->snapshot != NULL)
		{
			UnregisterSnapshot(visit->snapshot);
			visit->snapshot = NULL;
		}
		if (visit->snapshot == NULL)
			visit->snapshot = RegisterSnapshot(GetLatestSnapshot());
		result = group_run_begin(&visit->run, visit->store, visit->snapshot,
								 PointerGetDatum(seen->group), id, visit->now);
	}
	if (result != RUN_BEGUN)
		return false;
	visit->run_group = seen;
	visit->run_took_id = false;
	visit->current = &visit->run.scan;
	visit->waiting_row = true;
	return true;
}

/* The run gives no more: accounts for the message that it was begun for. */
void
visit_finish_run(Visit *visit)
{
	group_run_end(&visit->run);
	visit->current = &visit->scan;
	if (!visit->scanning)
		return;
	if (visit->run_took_id)
	{
		walk_over(visit, visit->run_group, InvalidTransactionId);
		visit_pass(visit);
	}
	else
		leave_blocked(visit, visit->run_group);
}

/* The scan is at a visible message; true if its group has a run. */
bool
visit_consider(Visit *visit)
{
	SeenGroup  *seen = meet_scanned(visit);

	if (seen == NULL)
	{
		/* written by hand: a group of its own */
		scan_read(&visit->scan);
		visit->waiting_row = true;
		return true;
	}
	if (!seen->finished && begin_run(visit, seen, visit->last_id))
		return true;
	leave_blocked(visit, seen);
	return false;
}

static GroupCursor *
cursor_of(int32 number)
{
	GroupCursor *cursor;
	bool		found;

	if (cursors == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(int32),
			.entrysize = sizeof(GroupCursor),.hcxt = TopMemoryContext};

		cursors = hash_create("decouple group cursors", 16, &control,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	cursor = hash_search(cursors, &number, HASH_ENTER, &found);
	if (!found)
		cursor->group[0] = '\0';
	return cursor;
}

/* Tries groups one by one, from where the last visit stopped. */
bool
visit_try_groups(Visit *visit)
{
	GroupCursor *cursor = cursor_of(visit->store->queue_number);

	if (visit->snapshot == NULL)
		visit->snapshot = RegisterSnapshot(GetLatestSnapshot());
	while (visit->tries++ < TRIES_MAX)
	{
		text	   *after = cursor->group[0] == '\0' ? NULL :
			cstring_to_text(cursor->group);
		int64		id;
		text	   *group = group_next(visit->store, visit->snapshot, after, &id);
		SeenGroup  *seen;

		if (group == NULL)
		{
			cursor->group[0] = '\0';
			if (after == NULL)
				return false;
			continue;
		}
		text_to_cstring_buffer(group, cursor->group, sizeof(cursor->group));
		seen = meet(visit, PointerGetDatum(group));
		if (!seen->finished && begin_run(visit, seen, id))
			return true;
	}
	return false;
}

/* Goes on in the open run, or ends it. */
bool
visit_next_of_run(Visit *visit)
{
	if (group_run_next(&visit->run, visit->now))
	{
		visit->waiting_row = true;
		return true;
	}
	visit_finish_run(visit);
	return false;
}

void
visit_forget_groups(Visit *visit)
{
	if (visit->snapshot != NULL)
		UnregisterSnapshot(visit->snapshot);
	if (visit->seen != NULL)
		seen_destroy(visit->seen);
	visit->snapshot = NULL;
	visit->seen = NULL;
}
