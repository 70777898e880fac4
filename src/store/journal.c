/*
 * journal.c
 *		What the current transaction writes to queues, told when it ends.
 *
 * Registration.  Before its first write the transaction takes an id and puts
 * it into SharedState.registered; the id stays there until the notes have
 * been told.  A mover that meets a row of an open transaction passes it only
 * if the transaction is registered: then the telling is still to come.
 *
 * Order at the end.  PostgreSQL calls us when the transaction is over for all
 * others but its locks: whoever looks from then on sees what it did.  Whoever
 * looked before met our rows as held and has passed them, or has not seen
 * them; in both cases the notes put right what matters.
 *
 * A prepared transaction is told at PREPARE as one whose rows are to be
 * looked at again and again: at its end no session knows what it did.
 *
 * A crash loses notes and bounds alike.
 */
#include "postgres.h"

#include "access/subtrans.h"
#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/database.h"
#include "base/settings.h"
#include "base/version.h"
#include "base/waiting.h"
#include "store/count.h"
#include "store/head.h"
#include "store/journal.h"
#include "store/table.h"

/* ids of one batch may have those of other sessions between them */
#define APPEAR_GAP		16

/* how a transaction, or a part of it, ended */
typedef enum Ending
{
	ENDING_COMMIT,
	ENDING_ABORT,
	ENDING_PREPARE
} Ending;

static JournalEntry *entries = NULL;	/* in TopMemoryContext */
static int	entry_count = 0;
static int	entry_room = 0;
static TransactionId registered_xid = InvalidTransactionId;

/* what was there before the last note, for journal_undo */
static int	count_before = 0;
static JournalEntry last_before;

/* ---- registration ---- */

static pg_atomic_uint32 *
my_registration(void)
{
	return &shared->registered[my_process_number()];
}

static void
ensure_registered(void)
{
	if (TransactionIdIsValid(registered_xid))
		return;
	registered_xid = GetTopTransactionId();
	/* a full barrier: it is seen before any row of ours is */
	(void) pg_atomic_exchange_u32(my_registration(), registered_xid);
}

bool
journal_is_registered(TransactionId xid)
{
	TransactionId top = SubTransGetTopmostTransaction(xid);

	for (int i = 0; i < shared_process_count(); i++)
	{
		if (pg_atomic_read_u32(&shared->registered[i]) == top)
			return true;
	}
	return false;
}

/* ---- taking notes ---- */

RowStanding
slot_standing(TupleTableSlot *slot)
{
	RowStanding standing = {NOT_HIDDEN, DT_NOBEGIN};
	bool		isnull;
	Datum		visible_at = slot_getattr(slot, MESSAGE_VISIBLE_AT, &isnull);

	if (!isnull)
	{
		standing.due = DatumGetTimestampTz(visible_at);
		(void) slot_getattr(slot, MESSAGE_FENCE, &isnull);
		standing.state = isnull ? HIDDEN_DELAYED : HIDDEN_IN_FLIGHT;
	}
	return standing;
}

RowStanding
row_standing(const MessageRow *row)
{
	RowStanding standing = {NOT_HIDDEN, DT_NOBEGIN};

	if (!ROW_IS_NULL(row, MESSAGE_VISIBLE_AT))
	{
		standing.state = ROW_IS_NULL(row, MESSAGE_FENCE) ?
			HIDDEN_DELAYED : HIDDEN_IN_FLIGHT;
		standing.due = DatumGetTimestampTz(ROW_VALUE(row, MESSAGE_VISIBLE_AT));
	}
	return standing;
}

static bool
same_second(TimestampTz a, TimestampTz b)
{
	return count_second(a) == count_second(b);
}

/* Can "new" be told together with "old", whose neighbour it is? */
static bool
entries_join(const JournalEntry *old, const JournalEntry *new)
{
	return old->kind == new->kind && old->place == new->place &&
		old->number == new->number && old->subxact == new->subxact &&
		old->old_state == new->old_state && old->new_state == new->new_state &&
		old->total == new->total && new->kind != JOURNAL_TAKEN &&
		(old->received > 0) == (new->received > 0) &&
		same_second(old->old_due, new->old_due) &&
		same_second(old->due, new->due) &&
		new->first > old->last &&
		new->first - old->last <= (new->kind == JOURNAL_APPEAR ? APPEAR_GAP : 1);
}

static void
join_entries(JournalEntry *old, const JournalEntry *new)
{
	old->last = new->last;
	old->count += new->count;
	old->received += new->received;
	old->old_due = Min(old->old_due, new->old_due);
	old->due = Min(old->due, new->due);
	old->own_due = Min(old->own_due, new->own_due);
}

/*
 * A message that was received and then deleted in one savepoint is one that
 * vanished, and counts as received too.
 */
static bool
vanish_ends_claim(const JournalEntry *claim, const JournalEntry *new)
{
	return new->kind == JOURNAL_VANISH && claim->kind == JOURNAL_REWRITE &&
		claim->place == new->place && claim->number == new->number &&
		claim->subxact == new->subxact && claim->count == 1 &&
		claim->first == new->first && new->received == 0;
}

static void
add_entry(JournalEntry *new)
{
	JournalEntry *last;

	count_before = entry_count;
	if (entry_count > 0)
	{
		last = &entries[entry_count - 1];
		last_before = *last;
		if (entries_join(last, new))
		{
			join_entries(last, new);
			return;
		}
		if (vanish_ends_claim(last, new))
		{
			new->old_state = last->old_state;
			new->old_due = last->old_due;
			new->received = last->received;
			*last = *new;
			return;
		}
	}
	entries[entry_count++] = *new;
}

/* Joins what a delete made joinable, once it cannot be undone any more. */
static void
settle_last(void)
{
	if (entry_count > 1 &&
		entries[entry_count - 1].kind == JOURNAL_VANISH &&
		entries_join(&entries[entry_count - 2], &entries[entry_count - 1]))
	{
		join_entries(&entries[entry_count - 2], &entries[entry_count - 1]);
		entry_count--;
	}
}

static void
note(Store *store, JournalKind kind, ReceiptPlace place, int64 id,
	 RowStanding before, RowStanding after, QueueTotal total, bool received)
{
	JournalEntry entry;

	if (store->slot == NULL)
		return;
	ensure_registered();
	settle_last();
	if (entry_count == entry_room)
	{
		int			room = Max(64, entry_room * 2);

		entries = entries == NULL ?
			MemoryContextAlloc(TopMemoryContext, sizeof(JournalEntry) * room) :
			repalloc_huge(entries, sizeof(JournalEntry) * room);
		entry_room = room;
	}
	entry.slot = store->slot;
	entry.number = store->queue_number;
	entry.subxact = GetCurrentSubTransactionId();
	entry.kind = kind;
	entry.place = place;
	entry.old_state = before.state;
	entry.new_state = after.state;
	entry.total = total;
	entry.count = 1;
	entry.received = received ? 1 : 0;
	entry.first = entry.last = id;
	entry.old_due = before.due;
	entry.due = after.due;
	entry.own_due = kind == JOURNAL_VANISH ? DT_NOEND : after.due;
	add_entry(&entry);
}

static const RowStanding nowhere = {NOT_HIDDEN, DT_NOBEGIN};

void
journal_appear(Store *store, ReceiptPlace place, const MessageRow *row,
			   QueueTotal total)
{
	note(store, JOURNAL_APPEAR, place, ROW_ID(row), nowhere,
		 row_standing(row), total, false);
}

void
journal_rewrite(Store *store, ReceiptPlace place, RowStanding before,
				const MessageRow *row, bool received)
{
	note(store, JOURNAL_REWRITE, place, ROW_ID(row), before,
		 row_standing(row), QUEUE_TOTALS, received);
}

void
journal_vanish(Store *store, ReceiptPlace place, int64 id, RowStanding before,
			   QueueTotal total, bool received)
{
	note(store, JOURNAL_VANISH, place, id, before, nowhere, total, received);
}

void
journal_undo(Store *store)
{
	if (store->slot == NULL)
		return;
	entry_count = count_before;
	if (entry_count > 0)
		entries[entry_count - 1] = last_before;
}

int32
journal_take_attempts(Store *store, int64 id, TimestampTz *at)
{
	int32		attempts = attempts_take(store->slot, store->queue_number,
										 id, at);

	if (attempts > 0)
	{
		note(store, JOURNAL_TAKEN, RECEIPT_IN_QUEUE, id, nowhere, nowhere,
			 QUEUE_TOTALS, false);
		entries[entry_count - 1].received = attempts;
		entries[entry_count - 1].own_due = DT_NOEND;
	}
	return attempts;
}

void
journal_return_attempts(Store *store, int64 id)
{
	JournalEntry *taken = entry_count > 0 ? &entries[entry_count - 1] : NULL;

	if (store->slot == NULL || taken == NULL ||
		taken->kind != JOURNAL_TAKEN || taken->first != id ||
		taken->number != store->queue_number)
		return;
	if (slot_lock(store->slot, store->queue_number, LW_EXCLUSIVE))
	{
		attempts_note(store->slot, id, id, taken->received, decouple_now());
		slot_unlock(store->slot);
	}
	entry_count--;
}

/* ---- what we wrote ourselves ---- */

JournalEntry *
journal_next_own(const Store *store, int64 bound, TimestampTz now, int *after)
{
	for (int i = *after + 1; i < entry_count; i++)
	{
		if (entries[i].number == store->queue_number &&
			entries[i].own_due <= now && entries[i].first <= bound &&
			entries[i].place == RECEIPT_IN_QUEUE)
		{
			*after = i;
			return &entries[i];
		}
	}
	return NULL;
}

void
journal_own_looked(int entry, int64 last, TimestampTz due)
{
	/* another message may have joined it meanwhile */
	if (entry < entry_count && entries[entry].last == last)
		entries[entry].own_due = due;
}

bool
journal_own_parked(const Store *store, TimestampTz now)
{
	for (int i = 0; i < entry_count; i++)
	{
		if (entries[i].number == store->queue_number &&
			entries[i].place == RECEIPT_IN_PARKED && entries[i].due <= now &&
			(entries[i].kind == JOURNAL_APPEAR ||
			 entries[i].kind == JOURNAL_REWRITE))
			return true;
	}
	return false;
}

/* ---- telling ---- */

/* How many messages does this ending make available at once? */
static int64
made_available(const JournalEntry *entry, Ending ending, TimestampTz now)
{
	switch (ending)
	{
		case ENDING_COMMIT:
			return (entry->kind == JOURNAL_APPEAR ||
					entry->kind == JOURNAL_REWRITE) && entry->due <= now ?
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

/* Was the message new in what is rolled back now, so that it never was? */
static bool
never_was(const JournalEntry *entry, int from)
{
	for (int i = from; i < entry_count && &entries[i] < entry; i++)
	{
		if (entries[i].kind == JOURNAL_APPEAR &&
			entries[i].number == entry->number &&
			entries[i].first <= entry->first && entries[i].last >= entry->last)
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
			head_put(slot, entry->first, entry->last, entry->due);
	}
}

static void
tell_bounds_of_abort(QueueSlot *slot, const JournalEntry *entry, int from)
{
	if (entry->kind == JOURNAL_TAKEN)
		attempts_note(slot, entry->first, entry->last, entry->received,
					  decouple_now());
	else if (entry->kind != JOURNAL_APPEAR)
	{
		if (entry->place == RECEIPT_IN_PARKED)
			parked_put(slot, entry->old_due, entry->first);
		else if (head_concerns(slot, entry->first))
			head_put(slot, entry->first, entry->last, DT_NOBEGIN);
		if (entry->received > 0 && !never_was(entry, from))
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
		head_put(slot, entry->first, entry->last, DT_NOBEGIN);
	count_doubt(slot, registered_xid);
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
		(entry->kind == JOURNAL_APPEAR ?
		 slot->waiter_count == 0 :
		 entry->kind == JOURNAL_VANISH && slot->held_count == 0);
}

/* Tells one entry; returns how many messages it made available. */
static int64
tell(QueueSlot *slot, const JournalEntry *entry, Ending ending, int from,
	 TimestampTz now)
{
	int64		available = made_available(entry, ending, now);

	if (ending == ENDING_COMMIT)
		tell_bounds_of_commit(slot, entry);
	else if (ending == ENDING_ABORT)
		tell_bounds_of_abort(slot, entry, from);
	else
		tell_bounds_of_prepare(slot, entry);
	if (ending == ENDING_COMMIT)
		count_entry(slot, entry, registered_xid);
	if (available > 0)
		waiting_wake(slot, available);
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

/* Tells an entry, and all behind it that are the same queue's. */
static int
tell_queue(int from, int i, Ending ending, TimestampTz now, bool *wake)
{
	int32		number = entries[i].number;
	QueueSlot  *slot = lock_entry(&entries[i], LW_SHARED);
	bool		light = slot != NULL;
	int64		available = 0;
	int			end = i;

	while (end < entry_count && entries[end].number == number)
	{
		light = light && is_light(slot, &entries[end], ending);
		end++;
	}
	if (slot == NULL)
		return end;
	if (!light)
	{
		slot_unlock(slot);
		slot = lock_entry(&entries[i], LW_EXCLUSIVE);
		if (slot == NULL)
			return end;
	}
	for (; i < end; i++)
	{
		if (light)
		{
			count_light(slot, &entries[i]);
			available += made_available(&entries[i], ending, now);
		}
		else
			available += tell(slot, &entries[i], ending, from, now);
	}
	if (slot->note_count > 0)
		*wake = true;
	slot_unlock(slot);
	if (available > 0 && pg_atomic_read_u32(&slot->notify) == 0)
	{
		pg_atomic_write_u32(&slot->notify, 1);
		*wake = true;
	}
	return end;
}

static void
tell_from(int from, Ending ending)
{
	TimestampTz now = decouple_now();
	bool		wake = false;
	int			i = from;

	while (i < entry_count)
		i = tell_queue(from, i, ending, now, &wake);
	if (wake)
		database_wake_worker();
	entry_count = from;
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
	if (!TransactionIdIsValid(registered_xid))
		return;
	settle_last();
	tell_from(0, event == XACT_EVENT_COMMIT ? ENDING_COMMIT :
			  event == XACT_EVENT_ABORT ? ENDING_ABORT : ENDING_PREPARE);
	pg_atomic_write_u32(my_registration(), InvalidTransactionId);
	registered_xid = InvalidTransactionId;
	if (entry_room > 4096)
	{
		pfree(entries);
		entries = NULL;
		entry_room = 0;
	}
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
	settle_last();
	from = entry_count;
	/* those of its released savepoints too have greater numbers than it */
	while (from > 0 && entries[from - 1].subxact >= subxact)
		from--;
	if (from == entry_count)
		return;
	tell_from(from, ENDING_ABORT);
	/* what we had seen taken may be there again */
	for (int i = 0; i < entry_count; i++)
	{
		if (entries[i].kind == JOURNAL_APPEAR ||
			entries[i].kind == JOURNAL_REWRITE)
			entries[i].own_due = DT_NOBEGIN;
	}
}

void
journal_init(void)
{
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
}
