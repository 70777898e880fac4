/*
 * group.c
 *		The groups of a FIFO queue: who sends, and what may be received.
 *
 * group.h has the rules.
 */
#include "postgres.h"

#include "access/subtrans.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "base/texts.h"
#include "store/group.h"
#include "store/journal.h"
#include "store/table.h"

/* ---- the senders' lock ---- */

static int
compare_hashes(const void *a, const void *b)
{
	uint64		hash_a = *(const uint64 *) a;
	uint64		hash_b = *(const uint64 *) b;

	return hash_a < hash_b ? -1 : hash_a > hash_b ? 1 : 0;
}

uint64
group_hash(Datum group_id)
{
	uint64		hash = text_hash(DatumGetTextPP(group_id), 0);

	return hash == 0 ? 1 : hash;
}

/*
 * The lock is that of an object of a class that is the queue's own table, so
 * nobody else's lock can be the same: not another queue's, not an advisory one.
 * Two groups of one queue share 48 bits of a hash once in a blue moon, and then
 * wait for each other.
 */
static bool
lock_hash(Store *store, uint64 hash, bool wait)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationGetRelid(store->queue.heap),
					   (uint32) (hash >> 32), (uint16) hash);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) !=
		LOCKACQUIRE_NOT_AVAIL;
}

void
group_lock(Store *store, const Datum *group_ids, int count)
{
	uint64	   *hashes;

	if (count == 1)
	{
		(void) lock_hash(store, group_hash(group_ids[0]), true);
		return;
	}
	hashes = palloc(sizeof(uint64) * count);
	for (int i = 0; i < count; i++)
		hashes[i] = group_hash(group_ids[i]);
	qsort(hashes, count, sizeof(uint64), compare_hashes);
	for (int i = 0; i < count; i++)
	{
		if (i == 0 || hashes[i] != hashes[i - 1])
			(void) lock_hash(store, hashes[i], true);
	}
	pfree(hashes);
}

bool
group_try_lock(Store *store, Datum group_id)
{
	return lock_hash(store, group_hash(group_id), false);
}

/* ---- what is behind, what is before ---- */

/*
 * Goes from a version's neighbour to the next that counts, in one direction,
 * over newest versions; the scan is at it then.  False where there is none.
 */
static bool
step_to_neighbour(StoreScan *scan, ScanDirection direction, TimestampTz now)
{
	while (index_getnext_slot(scan->scan, direction, scan->slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (!is_delayed(slot_standing(scan->slot), now))
			return true;
	}
	return false;
}

static Datum
slot_group_id(TupleTableSlot *slot, bool *isnull)
{
	return slot_getattr(slot, MESSAGE_GROUP_ID, isnull);
}

GroupBefore
group_before(Store *store, TupleTableSlot *version, TimestampTz now,
			 TransactionId *holder)
{
	StoreScan	scan;
	GroupBefore before = GROUP_NONE_BEFORE;
	bool		isnull;
	Datum		group_id = slot_group_id(version, &isnull);

	if (isnull)
		return GROUP_NONE_BEFORE;
	scan_begin_group(&scan, store, NULL, group_id, 0,
					 slot_message_id(version));
	if (step_to_neighbour(&scan, BackwardScanDirection, now))
	{
		TransactionId xid = holder_of(&scan.dirty);

		before = GROUP_KEPT_BEFORE;
		if (TransactionIdIsValid(xid) &&
			!TransactionIdIsCurrentTransactionId(xid))
		{
			before = GROUP_HELD_BEFORE;
			*holder = SubTransGetTopmostTransaction(xid);
		}
	}
	scan_end(&scan);
	return before;
}

void
group_vanished(Store *store, TupleTableSlot *version)
{
	int64		id = slot_message_id(version);
	bool		isnull;
	Datum		group_id;

	if (!store_is_fifo(store) || store->slot == NULL)
		return;
	group_id = slot_group_id(version, &isnull);
	if (isnull)
		return;
	if (store->vanished_group != NULL &&
		texts_equal(store->vanished_group, DatumGetTextPP(group_id)))
	{
		store->vanished_id = Min(store->vanished_id, id);
		return;
	}
	group_note_follower(store);
	store->vanished_group = DatumGetTextPCopy(group_id);
	store->vanished_id = id;
}

/*
 * A scan reads a page of the index at a time, as far as its bounds reach: who
 * wants the next message only looks so many ids far at first, and then to the
 * end.  A second look costs another descent.
 */
#define NEAR	2048

/*
 * The first that is left behind the first that was deleted is enough: if more
 * were deleted behind that one, what follows them waits for it.
 */
void
group_note_follower(Store *store)
{
	StoreScan	scan;
	TimestampTz now;
	Datum		group_id = PointerGetDatum(store->vanished_group);
	int64		near = store->vanished_id + NEAR;
	bool		found;

	if (store->vanished_group == NULL)
		return;
	now = decouple_now();
	scan_begin_group(&scan, store, NULL, group_id, store->vanished_id, near);
	found = step_to_neighbour(&scan, ForwardScanDirection, now);
	if (!found)
	{
		scan_go_on_in_group(&scan, group_id, near - 1, PG_INT64_MAX);
		found = step_to_neighbour(&scan, ForwardScanDirection, now);
	}
	if (found)
		journal_follow(store, slot_message_id(scan.slot));
	else
		journal_no_follower(store);
	scan_end(&scan);
	pfree(store->vanished_group);
	store->vanished_group = NULL;
}

/* ---- runs ---- */

/* Is the version that the snapshot sees the newest, free, and due? */
static bool
is_takeable(StoreScan *scan, TimestampTz now)
{
	Relation	heap = scan->table->heap;

	InitDirtySnapshot(scan->dirty);
	if (!table_tuple_satisfies_snapshot(heap, scan->slot, &scan->dirty))
		return false;
	return !TransactionIdIsValid(holder_of(&scan->dirty)) &&
		version_is_older_than_command(scan->slot) &&
		(!IsolationUsesXactSnapshot() ||
		 table_tuple_satisfies_snapshot(heap, scan->slot,
										GetTransactionSnapshot())) &&
		slot_standing(scan->slot).due <= now;
}

/* Goes to the next version that the snapshot sees and that counts. */
static bool
step_in_run(GroupRun *run, TimestampTz now)
{
	VersionStanding standing;

	for (;;)
	{
		while (scan_step(&run->scan, &standing))
		{
			if (standing == VERSION_FREE &&
				!is_delayed(slot_standing(run->scan.slot), now))
				return true;
		}
		if (run->until == PG_INT64_MAX)
			return false;
		scan_go_on_in_group(&run->scan, run->group_id, run->until - 1,
							PG_INT64_MAX);
		run->until = PG_INT64_MAX;
	}
}

GroupRunResult
group_run_begin(GroupRun *run, Store *store, Snapshot snapshot,
				Datum group_id, int64 id, TimestampTz now)
{
	GroupRunResult result;

	run->group_id = group_id;
	run->until = id + 1;
	scan_begin_group(&run->scan, store, snapshot, group_id, 0, run->until);
	if (!step_in_run(run, now) || slot_message_id(run->scan.slot) > id)
		result = RUN_NOT_SEEN;
	else
		result = is_takeable(&run->scan, now) ? RUN_BEGUN : RUN_BLOCKED;
	run->open = result == RUN_BEGUN;
	if (run->open)
		scan_read(&run->scan);
	else
		scan_end(&run->scan);
	return result;
}

bool
group_run_next(GroupRun *run, TimestampTz now)
{
	if (!step_in_run(run, now) || !is_takeable(&run->scan, now))
		return false;
	scan_read(&run->scan);
	return true;
}

void
group_run_end(GroupRun *run)
{
	run->open = false;
	scan_end(&run->scan);
}

text *
group_next(Store *store, Snapshot snapshot, const text *after, int64 *id)
{
	StoreScan	scan;
	VersionStanding standing;
	text	   *group = NULL;

	scan_begin_groups(&scan, store, snapshot, after);
	while (group == NULL && scan_step(&scan, &standing))
	{
		bool		isnull;
		Datum		group_id = slot_group_id(scan.slot, &isnull);

		if (standing != VERSION_FREE || isnull)
			continue;
		group = DatumGetTextPCopy(group_id);
		*id = slot_message_id(scan.slot);
	}
	scan_end(&scan);
	return group;
}
