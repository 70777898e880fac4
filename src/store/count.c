/*
 * count.c
 *		How many messages a queue has, and how many of them are hidden.
 */
#include "postgres.h"

#include "access/transam.h"
#include "storage/procarray.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "base/version.h"
#include "store/count.h"
#include "store/group.h"
#include "store/head.h"

/*
 * All is recounted now and then, because of those who write to the tables by
 * hand: after so long, and no more than a hundredth of the time.
 */
#define RECOUNT_PAUSE		(10 * USECS_PER_MINUTE)
#define RECOUNT_SHARE		100

static void
raise_highest(QueueSlot *slot, int64 id)
{
	uint64		known = pg_atomic_read_u64(&slot->highest_id);

	while (known < (uint64) id &&
		   !pg_atomic_compare_exchange_u64(&slot->highest_id, &known,
										   (uint64) id))
		;
}

/* ---- adding ---- */

/* Messages that come back in that second become more, or fewer. */
static void
add_hidden(HiddenCounts *hidden, int64 window, HiddenState state,
		   int64 second, int32 more)
{
	if (state == NOT_HIDDEN || second < window)
		return;
	if (second < window + WINDOW_SECONDS)
		hidden->hidden[state][second % WINDOW_SECONDS] += more;
	else
		hidden->far[state] += more;
}

static int32
messages_more(const JournalEntry *entry)
{
	return entry->kind == JOURNAL_APPEAR ? entry->count :
		entry->kind == JOURNAL_VANISH ? -entry->count : 0;
}

void
count_light(QueueSlot *slot, const JournalEntry *entry)
{
	(void) pg_atomic_fetch_add_u64(&slot->messages, messages_more(entry));
	if (entry->total != QUEUE_TOTALS)
		(void) pg_atomic_fetch_add_u64(&slot->totals[entry->total],
									   entry->count);
	if (entry->received > 0)
		(void) pg_atomic_fetch_add_u64(&slot->totals[TOTAL_RECEIVED],
									   entry->received);
	raise_highest(slot, entry->last);
}

/* Does the scan of the recount see that transaction? */
static bool
recount_sees(const Recount *recount, TransactionId xid)
{
	if (TransactionIdPrecedes(xid, recount->xmin))
		return true;
	if (!TransactionIdPrecedes(xid, recount->xmax))
		return false;
	for (int i = 0; i < recount->running_count; i++)
	{
		if (recount->running[i] == xid)
			return false;
	}
	return true;
}

/* The same for a recount: of a part only what comes back in its seconds. */
static void
add_recounted(HiddenCounts *hidden, const Recount *recount, int64 window,
			  HiddenState state, int64 second, int32 more)
{
	if (recount->whole)
		add_hidden(hidden, window, state, second, more);
	else if (second >= recount->from && second < recount->until)
		add_hidden(hidden, recount->from, state, second, more);
}

/* Messages that are hidden in that way become more, or fewer. */
static void
count_hidden(QueueSlot *slot, bool recounted, HiddenState state,
			 TimestampTz due, int32 more)
{
	Recount    *recount = &shared->recount;

	add_hidden(&slot->hidden, slot->window, state, count_second(due), more);
	if (recounted)
		add_recounted(&recount->hidden, recount, slot->window, state,
					  count_second(due), more);
}

void
count_entry(QueueSlot *slot, const JournalEntry *entry, TransactionId xid)
{
	Recount    *recount = &shared->recount;
	bool		recounted = recount->slot == slot &&
		!recount_sees(recount, xid);

	if (entry->kind == JOURNAL_TAKEN || entry->kind == JOURNAL_FOLLOW)
		return;
	count_light(slot, entry);
	/* what appears was not hidden before, and what vanishes is not after */
	count_hidden(slot, recounted, entry->old_state, entry->old_due,
				 -entry->count);
	count_hidden(slot, recounted, entry->new_state, entry->due, entry->count);
	if (recounted)
		recount->messages += messages_more(entry);
}

void
count_doubt(QueueSlot *slot, TransactionId xid)
{
	if (!TransactionIdIsValid(slot->doubtful) ||
		TransactionIdPrecedes(slot->doubtful, xid))
		slot->doubtful = xid;
}

void
count_begin(int32 number, TimestampTz now)
{
	QueueSlot  *slot = slot_of_new_queue(number);

	if (slot == NULL || !slot_lock(slot, number, LW_EXCLUSIVE))
		return;
	slot->counted = slot->folded = true;
	slot->window = count_second(now);
	slot->recount_at = now + RECOUNT_PAUSE;
	slot_unlock(slot);
}

/* ---- reading ---- */

/* What this transaction has done is not among the counts yet. */
static void
add_own(int32 number, int64 second, int64 *messages, int64 *hidden)
{
	for (int i = 0; i < journal_count; i++)
	{
		const JournalEntry *entry = &journal_entries[i];

		if (entry->number != number || entry->kind == JOURNAL_TAKEN ||
			entry->kind == JOURNAL_FOLLOW)
			continue;
		*messages += messages_more(entry);
		if (entry->old_state != NOT_HIDDEN &&
			count_second(entry->old_due) > second)
			hidden[entry->old_state] -= entry->count;
		if (entry->new_state != NOT_HIDDEN &&
			count_second(entry->due) > second)
			hidden[entry->new_state] += entry->count;
	}
}

bool
count_read(int32 number, TimestampTz now, QueueCounts *counts)
{
	QueueSlot  *slot = slot_of_queue(number);
	int64		messages;
	int64		hidden[HIDDEN_STATES];
	int64		second = count_second(now);

	if (slot == NULL || !slot_lock(slot, number, LW_SHARED))
		return false;
	for (int state = 0; state < HIDDEN_STATES; state++)
	{
		hidden[state] = slot->hidden.far[state];
		/* the present second's have come back, or do so within it */
		for (int64 s = Max(slot->window, second + 1);
			 s < slot->window + WINDOW_SECONDS; s++)
			hidden[state] += slot->hidden.hidden[state][s % WINDOW_SECONDS];
	}
	counts->exact = slot->counted && !TransactionIdIsValid(slot->doubtful) &&
		second < slot->window + WINDOW_SECONDS;
	messages = (int64) pg_atomic_read_u64(&slot->messages);
	for (int i = 0; i < QUEUE_TOTALS; i++)
		counts->totals[i] = (int64) pg_atomic_read_u64(&slot->totals[i]);
	counts->waiters = slot->waiter_count;
	slot_unlock(slot);
	add_own(number, second, &messages, hidden);
	counts->in_flight = Max(hidden[HIDDEN_IN_FLIGHT], 0);
	counts->delayed = Max(hidden[HIDDEN_DELAYED], 0);
	counts->visible = Max(messages - counts->in_flight - counts->delayed, 0);
	return true;
}

bool
count_totals(int32 number, CountTotals *totals)
{
	QueueSlot  *slot = slot_of_queue(number);

	memset(totals, 0, sizeof(*totals));
	if (slot == NULL || !slot_lock(slot, number, LW_SHARED))
		return false;
	totals->messages = (int64) pg_atomic_read_u64(&slot->messages);
	for (int i = 0; i < QUEUE_TOTALS; i++)
		totals->totals[i] = (int64) pg_atomic_read_u64(&slot->totals[i]);
	slot_unlock(slot);
	return slot->folded;
}

bool
count_wants_totals(int32 number)
{
	QueueSlot  *slot = slot_of_queue(number);

	return slot != NULL && !slot->folded;
}

void
count_add_totals(int32 number, const CountTotals *kept)
{
	QueueSlot  *slot = slot_of_queue(number);

	if (slot == NULL || !slot_lock(slot, number, LW_EXCLUSIVE))
		return;
	if (!slot->folded)
	{
		/* an estimate, until it is recounted */
		if (!slot->counted)
			(void) pg_atomic_fetch_add_u64(&slot->messages, kept->messages);
		for (int i = 0; i < QUEUE_TOTALS; i++)
			(void) pg_atomic_fetch_add_u64(&slot->totals[i], kept->totals[i]);
		slot->folded = true;
	}
	slot_unlock(slot);
}

/* ---- recounting ---- */

static bool recounting = false; /* we do */

/* One recount at a time on the server: the role is under SharedState.lock. */
static bool
become_recounter(void)
{
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	if (shared->recounter < 0)
	{
		shared->recounter = my_process_number();
		recounting = true;
	}
	LWLockRelease(&shared->lock);
	return recounting;
}

void
count_give_up(void)
{
	Recount    *recount = &shared->recount;

	if (!recounting)
		return;
	recounting = false;
	/* the slot's lock, so that nobody is just adding */
	if (recount->slot != NULL)
	{
		QueueSlot  *slot = recount->slot;

		LWLockAcquire(&slot->lock, LW_EXCLUSIVE);
		recount->slot = NULL;
		LWLockRelease(&slot->lock);
	}
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	shared->recounter = -1;
	LWLockRelease(&shared->lock);
}

/* how far the window has to lag before it moves, and may */
#define WINDOW_LAG			128
#define WINDOW_LAG_MAX		(WINDOW_SECONDS - 32)

RecountNeed
recount_need(QueueSlot *slot, int32 number, TimestampTz now)
{
	RecountNeed need = RECOUNT_NOTHING;
	TransactionId doubtful;
	int64		lag;

	if (!slot_lock(slot, number, LW_SHARED))
		return RECOUNT_NOTHING;
	lag = count_second(now) - slot->window;
	doubtful = slot->doubtful;
	if (!slot->counted || lag > WINDOW_LAG_MAX || lag < 0 ||
		slot->recount_at <= now)
		need = RECOUNT_WHOLE;
	else if (lag > WINDOW_LAG)
		need = RECOUNT_WINDOW;
	slot_unlock(slot);
	if (need != RECOUNT_WHOLE && TransactionIdIsValid(doubtful) &&
		!TransactionIdPrecedesOrEquals(GetLatestSnapshot()->xmin, doubtful))
		need = RECOUNT_WHOLE;
	return need;
}

/* The last prepared transaction that the snapshot shows as running. */
static TransactionId
last_prepared(Snapshot snapshot)
{
	TransactionId last = InvalidTransactionId;

	for (uint32 i = 0; i < snapshot->xcnt; i++)
	{
		TransactionId xid = snapshot->xip[i];

		if (BackendXidGetPid(xid) == 0 && TransactionIdIsInProgress(xid) &&
			(!TransactionIdIsValid(last) || TransactionIdPrecedes(last, xid)))
			last = xid;
	}
	return last;
}

/*
 * Takes the snapshot and makes it known in one step, so that each transaction
 * is either seen by it or adds to the recount.  The snapshot is registered.
 */
static Snapshot
begin_recount(Store *store, RecountNeed need, TimestampTz now)
{
	QueueSlot  *slot = store->slot;
	Recount    *recount = &shared->recount;
	Snapshot	snapshot;

	/* so that it finds its memory allocated below, under the lock */
	(void) GetLatestSnapshot();
	if (!slot_lock(slot, store->queue_number, LW_EXCLUSIVE))
		return NULL;
	if (need == RECOUNT_WHOLE)
	{
		int64		lag = count_second(now) - slot->window;

		if (lag > WINDOW_LAG_MAX || lag < 0)
		{
			slot->counted = false;
			slot->window = count_second(now);
			memset(&slot->hidden, 0, sizeof(slot->hidden));
		}
	}
	recount->whole = need == RECOUNT_WHOLE;
	recount->from = slot->window + WINDOW_SECONDS;
	recount->until = recount->from + count_second(now) - slot->window - 8;
	recount->messages = 0;
	memset(&recount->hidden, 0, sizeof(recount->hidden));
	snapshot = GetLatestSnapshot();
	recount->xmin = snapshot->xmin;
	recount->xmax = snapshot->xmax;
	recount->running_count = snapshot->xcnt;
	memcpy(recount->running, snapshot->xip,
		   sizeof(TransactionId) * snapshot->xcnt);
	recount->slot = slot;
	slot_unlock(slot);
	return RegisterSnapshot(snapshot);
}

/*
 * A row below the bound that nobody knows of was written by somebody who
 * does not tell: it is put on the list.
 */
static void
rescue(Store *store, const StoreScan *scan)
{
	QueueSlot  *slot = store->slot;
	int64		id = ROW_ID(&scan->row);
	TransactionId holder;
	bool		known = false;

	/* whoever ends what lies before it in its group, delayed or not, tells */
	if (store_is_fifo(store) &&
		row_standing(&scan->row).state == NOT_HIDDEN &&
		group_before(store, scan->slot, DT_NOEND, &holder) != GROUP_NONE_BEFORE)
		return;
	if (!slot_lock(slot, store->queue_number, LW_EXCLUSIVE))
		return;
	for (int i = 0; i < slot->held_count && !known; i++)
		known = slot_held(slot)[i].first <= id && slot_held(slot)[i].last >= id;
	if (!known && id <= slot->bound)
		head_put(slot, id, id, row_standing(&scan->row).due,
				 InvalidTransactionId);
	slot_unlock(slot);
}

typedef struct Counted
{
	int64		messages;
	HiddenCounts hidden;
} Counted;

static void
count_row(Counted *counted, const Recount *recount, int64 window,
		  const MessageRow *row)
{
	RowStanding standing = row_standing(row);

	counted->messages++;
	add_recounted(&counted->hidden, recount, window, standing.state,
				  count_second(standing.due), 1);
}

/* Counts what the snapshot sees. */
static void
count_rows(Store *store, Snapshot snapshot, Counted *counted)
{
	Recount    *recount = &shared->recount;
	int64		window = store->slot->window;	/* only a recounter moves it */
	StoreScan	scan;

	if (recount->whole)
	{
		scan_begin_snapshot(&scan, store, RECEIPT_IN_QUEUE, snapshot);
		while (scan_next(&scan))
		{
			count_row(counted, recount, window, &scan.row);
			/* a look without a lock: it only saves work */
			if (ROW_ID(&scan.row) <= store->slot->bound)
				rescue(store, &scan);
		}
		scan_end(&scan);
		scan_begin_snapshot(&scan, store, RECEIPT_IN_PARKED, snapshot);
	}
	else
		scan_begin_due_snapshot(&scan, store, recount->from * USECS_PER_SEC,
								recount->until * USECS_PER_SEC, snapshot);
	while (scan_next(&scan))
		count_row(counted, recount, window, &scan.row);
	scan_end(&scan);
}

static void
finish_whole(QueueSlot *slot, const Counted *counted, TransactionId prepared)
{
	Recount    *recount = &shared->recount;

	pg_atomic_write_u64(&slot->messages, counted->messages + recount->messages);
	for (int state = 0; state < HIDDEN_STATES; state++)
	{
		for (int i = 0; i < WINDOW_SECONDS; i++)
			slot->hidden.hidden[state][i] = counted->hidden.hidden[state][i] +
				recount->hidden.hidden[state][i];
		slot->hidden.far[state] = counted->hidden.far[state] +
			recount->hidden.far[state];
	}
	slot->counted = true;
	/* who was prepared after the snapshot has put its own doubt there */
	if (!TransactionIdIsValid(slot->doubtful) ||
		TransactionIdPrecedes(slot->doubtful, recount->xmin))
		slot->doubtful = prepared;
}

/* The seconds that were far are in the window now. */
static void
finish_window(QueueSlot *slot, const Counted *counted)
{
	Recount    *recount = &shared->recount;

	for (int state = 0; state < HIDDEN_STATES; state++)
	{
		for (int64 second = recount->from; second < recount->until; second++)
		{
			int			i = second % WINDOW_SECONDS;
			int32		found = counted->hidden.hidden[state][i] +
				recount->hidden.hidden[state][i];

			slot->hidden.hidden[state][i] = found;
			slot->hidden.far[state] -= found;
		}
	}
	slot->window = recount->until - WINDOW_SECONDS;
}

/* Where nothing is far, the window moves without a scan. */
static bool
move_empty_window(Store *store, TimestampTz now)
{
	QueueSlot  *slot = store->slot;
	bool		moved = false;

	if (!slot_lock(slot, store->queue_number, LW_EXCLUSIVE))
		return true;
	if (slot->hidden.far[HIDDEN_DELAYED] == 0 &&
		slot->hidden.far[HIDDEN_IN_FLIGHT] == 0)
	{
		int64		until = count_second(now) - 8;

		for (; slot->window < until; slot->window++)
		{
			for (int state = 0; state < HIDDEN_STATES; state++)
				slot->hidden.hidden[state][slot->window % WINDOW_SECONDS] = 0;
		}
		moved = true;
	}
	slot_unlock(slot);
	return moved;
}

bool
recount(Store *store, RecountNeed need, TimestampTz now)
{
	QueueSlot  *slot = store->slot;
	Counted    *counted;
	Snapshot	snapshot;
	TransactionId prepared;
	TimestampTz begin = GetCurrentTimestamp();

	if (need == RECOUNT_NOTHING || slot == NULL)
		return true;
	/* our own writes would be seen now, and told when we end */
	if (TransactionIdIsValid(journal_xid))
		return false;
	if (!become_recounter())
		return false;
	if (need == RECOUNT_WINDOW && move_empty_window(store, now))
	{
		count_give_up();
		return true;
	}
	/* hidden messages of a FIFO queue have no index by their times */
	if (need == RECOUNT_WINDOW && store_is_fifo(store))
		need = RECOUNT_WHOLE;
	counted = palloc0(sizeof(Counted));
	snapshot = begin_recount(store, need, now);
	if (snapshot != NULL)
	{
		prepared = last_prepared(snapshot);
		count_rows(store, snapshot, counted);
		UnregisterSnapshot(snapshot);
		if (slot_lock(slot, store->queue_number, LW_EXCLUSIVE))
		{
			if (need == RECOUNT_WHOLE)
			{
				TimestampTz end = GetCurrentTimestamp();

				finish_whole(slot, counted, prepared);
				slot->recount_at = end +
					Max(RECOUNT_PAUSE, (end - begin) * RECOUNT_SHARE);
			}
			else
				finish_window(slot, counted);
			shared->recount.slot = NULL;
			slot_unlock(slot);
		}
	}
	count_give_up();
	pfree(counted);
	return true;
}
