/*
 * ending.c
 *		A transaction ends, and the shared memory is told what it did.
 *
 * PostgreSQL calls us when the transaction is over for all others but its
 * locks: whoever looks from then on sees what it did.  Whoever looked before
 * met our rows as held and has passed them, or has not seen them; in both
 * cases what is told here puts right what matters.
 *
 * A prepared transaction is told at PREPARE as one whose rows are to be
 * looked at again and again: at its end no session knows what it did.
 *
 * Nothing here can fail or allocate: it is too late for an error.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/timestamp.h"

#include "base/database.h"
#include "base/settings.h"
#include "base/waiting.h"
#include "store/count.h"
#include "store/ending.h"
#include "store/fair.h"
#include "store/head.h"
#include "store/journal.h"

/* how a transaction, or a part of it, ended */
typedef enum Ending
{
	ENDING_COMMIT,
	ENDING_ABORT,
	ENDING_PREPARE
} Ending;

/*
 * How many messages does this ending make available at once?  It is not counted
 * yet.
 */
static int64
made_available(QueueSlot *slot, const JournalEntry *entry, Ending ending,
			   TimestampTz now)
{
	switch (ending)
	{
		case ENDING_COMMIT:
			/* somebody may have sent to the group meanwhile, and waits */
			if (entry->kind == JOURNAL_VANISH)
				return entry->ends_group &&
					(int64) pg_atomic_read_u64(&slot->messages) > entry->count ? 1 : 0;
			return entry->kind == JOURNAL_FOLLOW ||
				((entry->kind == JOURNAL_APPEAR ||
				  entry->kind == JOURNAL_REWRITE) && entry->due <= now) ?
				entry->count : 0;
		case ENDING_ABORT:
			return (entry->kind == JOURNAL_REWRITE ||
					entry->kind == JOURNAL_VANISH) && entry->old_due <= now ?
				entry->count : 0;
		case ENDING_PREPARE:
			return 0;
	}
	return 0;
}

/* The first entry from "from" on by which a message appears. */
static int
first_appearance(int from)
{
	while (from < journal_count && journal_entries[from].kind != JOURNAL_APPEAR)
		from++;
	return from;
}

/*
 * Was the message new in what is rolled back now, so that it never was?
 * "appeared" is the first appearance there: who only receives has none to look through.
 */
static bool
never_was(const JournalEntry *entry, int appeared)
{
	for (int i = appeared; i < journal_count && &journal_entries[i] < entry; i++)
	{
		if (journal_entries[i].kind == JOURNAL_APPEAR &&
			journal_entries[i].number == entry->number &&
			journal_entries[i].first <= entry->first && journal_entries[i].last >= entry->last)
			return true;
	}
	return false;
}

static void
tell_bounds_of_commit(QueueSlot *slot, const JournalEntry *entry)
{
	if (entry->kind == JOURNAL_VANISH)
	{
		if (entry->place == RECEIPT_IN_QUEUE && slot->held_count > 0)
			head_remove(slot, entry->first, entry->last);
	}
	else if (entry->kind != JOURNAL_TAKEN)
	{
		if (entry->place == RECEIPT_IN_PARKED)
			parked_put(slot, entry->due, entry->first);
		else if (head_concerns(slot, entry->first))
			head_put(slot, entry->first, entry->last, entry->due,
					 InvalidTransactionId);
	}
}

static void
tell_bounds_of_abort(QueueSlot *slot, const JournalEntry *entry, int appeared)
{
	if (entry->kind == JOURNAL_TAKEN)
		attempts_note(slot, entry->first, entry->last, entry->received,
					  entry->due);
	else if (entry->kind != JOURNAL_APPEAR && entry->kind != JOURNAL_FOLLOW)
	{
		if (entry->place == RECEIPT_IN_PARKED)
			parked_put(slot, entry->old_due, entry->first);
		else if (head_concerns(slot, entry->first))
			head_put(slot, entry->first, entry->last, DT_NOBEGIN,
					 InvalidTransactionId);
		if (entry->received > 0 && !never_was(entry, appeared))
			attempts_note(slot, entry->first, entry->last, 1, decouple_now());
	}
}

static void
tell_bounds_of_prepare(QueueSlot *slot, const JournalEntry *entry)
{
	if (entry->kind == JOURNAL_TAKEN)
		return;
	if (entry->place == RECEIPT_IN_PARKED)
		parked_put(slot, Min(entry->due, entry->old_due), entry->first);
	else
		head_put(slot, entry->first, entry->last, DT_NOBEGIN,
				 InvalidTransactionId);
	count_doubt(slot, journal_xid);
}

/*
 * Can the entry be told under the lock held shared?  That is what senders do
 * to a queue whose bound is below their message, and consumers who delete
 * what they received in the same transaction: they share nothing but
 * counters.
 */
static bool
is_light(const QueueSlot *slot, const JournalEntry *entry, Ending ending)
{
	return ending == ENDING_COMMIT && entry->place == RECEIPT_IN_QUEUE &&
		entry->old_state == NOT_HIDDEN && entry->new_state == NOT_HIDDEN &&
		!head_concerns(slot, entry->first) && shared->recount.slot != slot &&
		slot->blocked_count == 0 && entry->group == 0 &&
		(entry->kind == JOURNAL_APPEAR ?
		 slot->waiter_count == 0 :
		 entry->kind == JOURNAL_VANISH && slot->held_count == 0 &&
		 (!entry->ends_group || slot->waiter_count == 0));
}

/*
 * Tells one entry; returns how many messages it made available.  *wake is set
 * where the worker has to look.
 */
static int64
tell(QueueSlot *slot, const JournalEntry *entry, Ending ending, int appeared,
	 TimestampTz now, bool *wake)
{
	int64		available = made_available(slot, entry, ending, now);

	if (ending == ENDING_COMMIT)
		tell_bounds_of_commit(slot, entry);
	else if (ending == ENDING_ABORT)
		tell_bounds_of_abort(slot, entry, appeared);
	else
		tell_bounds_of_prepare(slot, entry);
	if (ending == ENDING_COMMIT)
	{
		count_entry(slot, entry, journal_xid);
		fair_tell(slot, entry);
	}
	if (available > 0)
		waiting_wake(slot, available);
	else if (slot->waiter_count > 0 &&
			 Min(slot->held_due, slot->parked_due) <= entry->due)
		*wake = true;			/* it may be the next that is due */
	return available;
}

/* Is the entry's slot still the queue's?  Then it is locked. */
static QueueSlot *
lock_entry(JournalEntry *entry, LWLockMode mode)
{
	if (slot_lock(entry->slot, entry->number, mode))
		return entry->slot;
	/* it was taken away, and perhaps made anew */
	entry->slot = slot_find(entry->number);
	if (entry->slot != NULL && slot_lock(entry->slot, entry->number, mode))
		return entry->slot;
	return NULL;
}

/* The end of those entries from i on that are one queue's. */
static int
run_end(int i, bool *vanishes)
{
	int32		number = journal_entries[i].number;

	*vanishes = false;
	for (; i < journal_count && journal_entries[i].number == number; i++)
	{
		if (journal_entries[i].kind == JOURNAL_VANISH)
			*vanishes = true;
	}
	return i;
}

/* Tells the entries from i to end, which are one queue's. */
static void
tell_queue(int appeared, int i, int end, Ending ending, TimestampTz now,
		   bool *wake)
{
	QueueSlot  *slot = lock_entry(&journal_entries[i], LW_SHARED);
	bool		light = true;
	int64		available = 0;

	if (slot == NULL)
		return;
	for (int each = i; each < end && light; each++)
		light = is_light(slot, &journal_entries[each], ending);
	if (!light)
	{
		slot_unlock(slot);
		slot = lock_entry(&journal_entries[i], LW_EXCLUSIVE);
		if (slot == NULL)
			return;
	}
	for (; i < end; i++)
	{
		if (light)
		{
			available += made_available(slot, &journal_entries[i], ending, now);
			count_light(slot, &journal_entries[i]);
		}
		else
			available += tell(slot, &journal_entries[i], ending, appeared, now,
							  wake);
	}
	if (!light)
	{
		int			unblocked = head_unblock(slot, journal_xid);

		if (unblocked > 0)
			waiting_wake(slot, unblocked);
		available += unblocked;
	}
	if (pg_atomic_read_u32(&slot->attend) != 0)
		*wake = true;
	slot_unlock(slot);
	if (available > 0 && pg_atomic_read_u32(&slot->notify) == 0)
	{
		pg_atomic_write_u32(&slot->notify, 1);
		*wake = true;
	}
}

/*
 * Those queues are told first from which nothing vanishes: a message that goes
 * from one to another is counted twice for a moment, rather than in neither,
 * and who waits until nothing is left does not go on too early.
 */
static void
tell_from(int from, Ending ending)
{
	TimestampTz now = decouple_now();
	int			appeared = ending == ENDING_ABORT ? first_appearance(from) : from;
	bool		wake = false;

	for (int pass = 0; pass < 2; pass++)
	{
		int			end;
		bool		vanishes;

		for (int i = from; i < journal_count; i = end)
		{
			end = run_end(i, &vanishes);
			if (vanishes == (pass == 1))
				tell_queue(appeared, i, end, ending, now, &wake);
		}
	}
	if (wake)
		database_wake_worker();
	journal_count = from;
}

static void
end_transaction(XactEvent event, void *argument)
{
	if (shared == NULL)
		return;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			break;
		default:
			return;
	}
	head_give_up();
	count_give_up();
	if (!TransactionIdIsValid(journal_xid))
		return;
	journal_settle();
	tell_from(0, event == XACT_EVENT_COMMIT ? ENDING_COMMIT :
			  event == XACT_EVENT_ABORT ? ENDING_ABORT : ENDING_PREPARE);
	journal_end();
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId subxact,
				   SubTransactionId parent, void *argument)
{
	int			from;

	if (shared == NULL || event != SUBXACT_EVENT_ABORT_SUB)
		return;
	head_give_up();
	count_give_up();
	journal_settle();
	from = journal_count;
	/* those of its released savepoints too have greater numbers than it */
	while (from > 0 && journal_entries[from - 1].subxact >= subxact)
		from--;
	if (from == journal_count)
		return;
	tell_from(from, ENDING_ABORT);
	/* what we had seen taken may be there again */
	for (int i = 0; i < journal_count; i++)
	{
		if (journal_entries[i].kind == JOURNAL_APPEAR ||
			journal_entries[i].kind == JOURNAL_REWRITE)
			journal_entries[i].own_due = DT_NOBEGIN;
	}
}

void
ending_init(void)
{
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
}
