/*
 * journal.c
 *		What the current transaction writes to queues, noted.
 *
 * Registration.  Before its first write the transaction takes an id and puts
 * it into SharedState.registered; the id stays there until the notes have
 * been told.  A mover that meets a row of an open transaction passes it only
 * if the transaction is registered: then the telling is still to come.
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

#include "base/version.h"
#include "store/count.h"
#include "store/group.h"
#include "store/head.h"
#include "store/journal.h"
#include "store/table.h"

/* ids of one batch may have those of other sessions between them */
#define APPEAR_GAP		16

/* memory for so many notes is kept from one transaction to the next */
#define ROOM_KEPT		4096

JournalEntry *journal_entries = NULL;	/* in TopMemoryContext */
int			journal_count = 0;
static int	entry_room = 0;
TransactionId journal_xid = InvalidTransactionId;

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
	if (TransactionIdIsValid(journal_xid))
		return;
	journal_xid = GetTopTransactionId();
	/* a full barrier: it is seen before any row of ours is */
	(void) pg_atomic_exchange_u32(my_registration(), journal_xid);
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

/* Of the columns of a row, or of a slot that has read as far as the fence. */
static RowStanding
standing_of(const Datum *values, const bool *nulls)
{
	RowStanding standing = {NOT_HIDDEN, DT_NOBEGIN};

	if (!nulls[MESSAGE_VISIBLE_AT - 1])
	{
		standing.state = nulls[MESSAGE_FENCE - 1] ?
			HIDDEN_DELAYED : HIDDEN_IN_FLIGHT;
		standing.due = DatumGetTimestampTz(values[MESSAGE_VISIBLE_AT - 1]);
	}
	return standing;
}

RowStanding
slot_standing(TupleTableSlot *slot)
{
	slot_getsomeattrs(slot, Max(MESSAGE_VISIBLE_AT, MESSAGE_FENCE));
	return standing_of(slot->tts_values, slot->tts_isnull);
}

RowStanding
row_standing(const MessageRow *row)
{
	return standing_of(row->values, row->nulls);
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
		old->total == new->total && old->group == new->group && new->kind != JOURNAL_TAKEN &&
		(old->received > 0) == (new->received > 0) &&
		new->kind != JOURNAL_FOLLOW &&
		same_second(old->old_due, new->old_due) &&
		same_second(old->due, new->due) &&
		new->first > old->last &&
		new->first - old->last <= (new->kind == JOURNAL_APPEAR ? APPEAR_GAP : 1);
}

static void
join_entries(JournalEntry *old, const JournalEntry *new)
{
	old->last = new->last;
	old->ends_group |= new->ends_group;
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

	count_before = journal_count;
	if (journal_count > 0)
	{
		last = &journal_entries[journal_count - 1];
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
	journal_entries[journal_count++] = *new;
}

/* Joins what a delete made joinable, once it cannot be undone any more. */
void
journal_settle(void)
{
	if (journal_count > 1 &&
		journal_entries[journal_count - 1].kind == JOURNAL_VANISH &&
		entries_join(&journal_entries[journal_count - 2], &journal_entries[journal_count - 1]))
	{
		join_entries(&journal_entries[journal_count - 2], &journal_entries[journal_count - 1]);
		journal_count--;
	}
}

static void
note(Store *store, JournalKind kind, ReceiptPlace place, int64 id,
	 RowStanding before, RowStanding after, QueueTotal total, bool received,
	 uint64 group)
{
	JournalEntry entry;

	if (store->slot == NULL)
		return;
	ensure_registered();
	journal_settle();
	if (journal_count == entry_room)
	{
		int			room = Max(64, entry_room * 2);

		journal_entries = journal_entries == NULL ?
			MemoryContextAlloc(TopMemoryContext, sizeof(JournalEntry) * room) :
			repalloc_huge(journal_entries, sizeof(JournalEntry) * room);
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
	entry.group = group;
	entry.ends_group = false;
	add_entry(&entry);
}

static const RowStanding nowhere = {NOT_HIDDEN, DT_NOBEGIN};

/* What fair queues count by: a standard queue's group, or 0. */
static uint64
group_of(const Store *store, Datum group_id, bool isnull)
{
	return isnull || store_is_fifo(store) || store->slot == NULL ?
		0 : group_hash(group_id);
}

void
journal_appear(Store *store, ReceiptPlace place, const MessageRow *row,
			   QueueTotal total)
{
	note(store, JOURNAL_APPEAR, place, ROW_ID(row), nowhere,
		 row_standing(row), total, false,
		 group_of(store, ROW_VALUE(row, MESSAGE_GROUP_ID),
				  ROW_IS_NULL(row, MESSAGE_GROUP_ID)));
}

void
journal_rewrite(Store *store, ReceiptPlace place, RowStanding before,
				const MessageRow *row, bool received)
{
	note(store, JOURNAL_REWRITE, place, ROW_ID(row), before,
		 row_standing(row), QUEUE_TOTALS, received, 0);
}

void
journal_vanish(Store *store, ReceiptPlace place, TupleTableSlot *version,
			   QueueTotal total, bool received)
{
	bool		isnull;
	Datum		group_id = slot_getattr(version, MESSAGE_GROUP_ID, &isnull);

	note(store, JOURNAL_VANISH, place, slot_message_id(version),
		 slot_standing(version), nowhere, total, received,
		 group_of(store, group_id, isnull));
}

void
journal_undo(Store *store)
{
	if (store->slot == NULL)
		return;
	journal_count = count_before;
	if (journal_count > 0)
		journal_entries[journal_count - 1] = last_before;
}

/*
 * Where the one that vanished was itself noted as a follower, which is so when
 * a run is deleted in its order, that note goes.
 */
static void
forget_follower(void)
{
	JournalEntry *vanished = &journal_entries[journal_count - 1];

	if (journal_count < 2 || vanished->kind != JOURNAL_VANISH ||
		vanished[-1].kind != JOURNAL_FOLLOW || vanished->count != 1 ||
		vanished[-1].first != vanished->first ||
		vanished[-1].number != vanished->number ||
		vanished[-1].subxact != vanished->subxact)
		return;
	vanished[-1] = *vanished;
	journal_count--;
	journal_settle();
}

void
journal_follow(Store *store, int64 id)
{
	if (store->slot == NULL)
		return;
	forget_follower();
	note(store, JOURNAL_FOLLOW, RECEIPT_IN_QUEUE, id, nowhere, nowhere,
		 QUEUE_TOTALS, false, 0);
	journal_entries[journal_count - 1].own_due = DT_NOEND;
}

void
journal_no_follower(Store *store)
{
	for (int i = journal_count - 1; i >= 0; i--)
	{
		if (journal_entries[i].kind == JOURNAL_VANISH &&
			journal_entries[i].number == store->queue_number)
		{
			journal_entries[i].ends_group = true;
			break;
		}
	}
}

int32
journal_take_attempts(Store *store, int64 id, TimestampTz *at)
{
	int32		attempts = attempts_take(store->slot, store->queue_number,
										 id, at);

	if (attempts > 0)
	{
		note(store, JOURNAL_TAKEN, RECEIPT_IN_QUEUE, id, nowhere, nowhere,
			 QUEUE_TOTALS, false, 0);
		journal_entries[journal_count - 1].received = attempts;
		journal_entries[journal_count - 1].due = *at;
		journal_entries[journal_count - 1].own_due = DT_NOEND;
	}
	return attempts;
}

void
journal_return_attempts(Store *store, int64 id)
{
	JournalEntry *taken = journal_count > 0 ? &journal_entries[journal_count - 1] : NULL;

	if (store->slot == NULL || taken == NULL ||
		taken->kind != JOURNAL_TAKEN || taken->first != id ||
		taken->number != store->queue_number)
		return;
	if (slot_lock(store->slot, store->queue_number, LW_EXCLUSIVE))
	{
		attempts_note(store->slot, id, id, taken->received, taken->due);
		slot_unlock(store->slot);
	}
	journal_count--;
}

/* ---- what we wrote ourselves ---- */

JournalEntry *
journal_next_own(const Store *store, int64 bound, TimestampTz now, int *after)
{
	for (int i = *after + 1; i < journal_count; i++)
	{
		if (journal_entries[i].number == store->queue_number &&
			journal_entries[i].own_due <= now && journal_entries[i].first <= bound &&
			journal_entries[i].place == RECEIPT_IN_QUEUE)
		{
			*after = i;
			return &journal_entries[i];
		}
	}
	return NULL;
}

void
journal_own_looked(int entry, int64 last, TimestampTz due)
{
	/* another message may have joined it meanwhile */
	if (entry < journal_count && journal_entries[entry].last == last)
		journal_entries[entry].own_due = due;
}

bool
journal_own_parked(const Store *store, TimestampTz now)
{
	for (int i = 0; i < journal_count; i++)
	{
		if (journal_entries[i].number == store->queue_number &&
			journal_entries[i].place == RECEIPT_IN_PARKED && journal_entries[i].due <= now &&
			(journal_entries[i].kind == JOURNAL_APPEAR ||
			 journal_entries[i].kind == JOURNAL_REWRITE))
			return true;
	}
	return false;
}

/* ---- when all is told ---- */

void
journal_end(void)
{
	journal_count = 0;
	pg_atomic_write_u32(my_registration(), InvalidTransactionId);
	journal_xid = InvalidTransactionId;
	if (entry_room > ROOM_KEPT)
	{
		pfree(journal_entries);
		journal_entries = NULL;
		entry_room = 0;
	}
}
