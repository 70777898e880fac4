/*
 * fair.c
 *		Fair queues: a noisy group does not starve the others of its queue.
 *
 * Called when a transaction has ended: nothing here can fail or allocate.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "base/settings.h"
#include "store/fair.h"
#include "store/head.h"

/* so many messages are no backlog */
#define BACKLOG_LEAST	100

/* who has more than one of so many of a backlog is noisy */
#define NOISY_SHARE		8

static GroupShare *
find_share(QueueSlot *slot, uint64 group)
{
	for (int i = 0; i < GROUP_SHARES; i++)
	{
		if (slot->shares[i].waiting > 0 && slot->shares[i].group == group)
			return &slot->shares[i];
	}
	return NULL;
}

/* So many messages more of a group wait. */
static void
add(QueueSlot *slot, uint64 group, int64 count)
{
	GroupShare *share = find_share(slot, group);
	int64		least = count;

	if (share != NULL)
	{
		share->waiting += count;
		return;
	}
	for (int i = 0; i < GROUP_SHARES; i++)
	{
		if (slot->shares[i].waiting == 0)
		{
			slot->shares[i].group = group;
			slot->shares[i].waiting = count;
			return;
		}
		least = Min(least, slot->shares[i].waiting);
	}
	/* no counter is free: each gives as much */
	for (int i = 0; i < GROUP_SHARES; i++)
		slot->shares[i].waiting -= least;
}

static bool
is_noisy(QueueSlot *slot, uint64 group, int64 backlog)
{
	GroupShare *share = find_share(slot, group);

	return share != NULL && share->waiting > backlog / NOISY_SHARE;
}

void
fair_tell(QueueSlot *slot, const JournalEntry *entry)
{
	int64		backlog = (int64) pg_atomic_read_u64(&slot->messages);

	if (entry->group == 0)
		return;
	if (entry->kind == JOURNAL_VANISH)
	{
		GroupShare *share = find_share(slot, entry->group);

		if (share != NULL)
			share->waiting -= Min(share->waiting, entry->count);
	}
	else if (entry->kind == JOURNAL_APPEAR)
	{
		add(slot, entry->group, entry->count);
		/* the list is not there for this alone */
		if (entry->place == RECEIPT_IN_QUEUE && backlog > BACKLOG_LEAST &&
			slot->held_count < decouple_max_held_keys / 2 &&
			!is_noisy(slot, entry->group, backlog))
			head_put(slot, entry->first, entry->last, entry->due,
					 InvalidTransactionId);
	}
}
