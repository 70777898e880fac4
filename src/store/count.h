/*
 * count.h
 *		How many messages a queue has, how many of them are hidden, and what
 *		was done so far.
 *
 * Counts are of committed work and lie in the queue's slot.  A transaction
 * adds what it did when it has ended (journal.c).  Hidden messages are
 * counted by the second in which they come back, in a window of seconds
 * around now, so that nothing needs to be done when their time has come; and
 * those that come back later in two sums.
 *
 * A recount sets counts right: after a start, where they are not known; after
 * a prepared transaction, which nobody tells; and, for the next seconds only,
 * when the window moves on.  It counts by a scan with a snapshot.  What
 * transactions that this snapshot does not see tell meanwhile is added up
 * beside it, so that the result is exact however much goes on.
 */
#ifndef DECOUPLE_COUNT_H
#define DECOUPLE_COUNT_H

#include "base/shared.h"
#include "store/journal.h"
#include "store/store.h"

/* the second of the clock that a time lies in */
static inline int64
count_second(TimestampTz time)
{
	return time / USECS_PER_SEC;
}

typedef struct QueueCounts
{
	bool		exact;
	int64		visible;
	int64		in_flight;
	int64		delayed;
	int64		totals[QUEUE_TOTALS];
	int			waiters;
} QueueCounts;

/* reads the counts as they are at "now"; false where there is no slot */
extern bool count_read(int32 number, TimestampTz now, QueueCounts *counts);

/* a queue was just made: it has nothing, and that is known */
extern void count_begin(int32 number, TimestampTz now);

/* what is kept over a restart */
typedef struct CountTotals
{
	int64		messages;
	int64		totals[QUEUE_TOTALS];
} CountTotals;

/* the counters as they are now; false where there is no slot */
extern bool count_totals(int32 number, CountTotals *totals);

/* were those of earlier lives not added yet? */
extern bool count_wants_totals(int32 number);
extern void count_add_totals(int32 number, const CountTotals *kept);

/* ---- for the journal ---- */

/* adds what an ended transaction did; the slot's lock is held exclusively */
extern void count_entry(QueueSlot *slot, const JournalEntry *entry,
						TransactionId xid);

/* the same for an entry that hides nothing; the lock is held shared */
extern void count_light(QueueSlot *slot, const JournalEntry *entry);

/* nobody will tell what this prepared transaction does at its end */
extern void count_doubt(QueueSlot *slot, TransactionId xid);

/* we recount no more; after an error */
extern void count_give_up(void);

/* ---- for upkeep ---- */

/* what has to be recounted at "now"? */
typedef enum RecountNeed
{
	RECOUNT_NOTHING,
	RECOUNT_WINDOW,				/* the window is to move on */
	RECOUNT_WHOLE
} RecountNeed;

extern RecountNeed recount_need(QueueSlot *slot, int32 number,
								TimestampTz now);

/*
 * Recounts an opened queue; with whole also whatever lies below the bound and
 * nobody knows of is put on its list.  False where somebody else recounts, or
 * this transaction has written to queues.
 */
extern bool recount(Store *store, RecountNeed need, TimestampTz now);

#endif							/* DECOUPLE_COUNT_H */
