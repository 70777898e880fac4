/*
 * journal.h
 *		What the current transaction writes to queues, told when it ends.
 *
 * Every write of the store is noted here before it is made.  When the
 * transaction ends, or a savepoint is rolled back, they are told (ending.c) to
 * the head bound and its list, the counts, those who wait, and the worker.
 *
 * The notes are memory of this session.  They are in the order of the writes,
 * like writes of neighbouring ids joined in one.  Without shared memory
 * nothing is noted.
 */
#ifndef DECOUPLE_JOURNAL_H
#define DECOUPLE_JOURNAL_H

#include "base/shared.h"
#include "store/store.h"

typedef enum JournalKind
{
	JOURNAL_APPEAR,				/* a row is inserted */
	JOURNAL_REWRITE,			/* it is claimed, or given back */
	JOURNAL_VANISH,				/* it is deleted */
	JOURNAL_TAKEN,				/* a note of rolled-back attempts was taken */
	JOURNAL_FOLLOW				/* the next of the group of one that vanished */
} JournalKind;

typedef struct JournalEntry
{
	QueueSlot  *slot;
	int32		number;			/* the queue's */
	SubTransactionId subxact;
	uint8		kind;			/* JournalKind */
	uint8		place;			/* ReceiptPlace */
	uint8		old_state;		/* HiddenState before */
	uint8		new_state;		/* and after */
	uint8		total;			/* QueueTotal that each of them adds to */
	bool		ends_group;		/* of VANISH: nobody followed it then, but may */
	int32		count;			/* how many messages */
	int32		received;		/* how many of them are receives; of TAKEN:
								 * how many attempts of the one message */
	int64		first;			/* ids, both included; no others between them
								 * unless it is APPEAR */
	int64		last;
	TimestampTz old_due;		/* when it was to come back, before; the earliest */
	TimestampTz due;			/* and after; of TAKEN: AttemptNote.at */
	TimestampTz own_due;		/* not worth a look of our own before */
	uint64		group;			/* of APPEAR and VANISH on a standard queue: the
								 * group's hash; 0: none */
} JournalEntry;

/* how a row stands now: is it hidden, and until when */
typedef struct RowStanding
{
	HiddenState state;
	TimestampTz due;			/* DT_NOBEGIN where it is not hidden */
} RowStanding;

extern RowStanding row_standing(const MessageRow *row);

/* is it hidden by a delay only?  Then it blocks nobody behind it in its group */
static inline bool
is_delayed(RowStanding standing, TimestampTz now)
{
	return standing.state == HIDDEN_DELAYED && standing.due > now;
}

/* notes; each before the write.  "total" may be QUEUE_TOTALS for none */
extern void journal_appear(Store *store, ReceiptPlace place,
						   const MessageRow *row, QueueTotal total);
extern void journal_rewrite(Store *store, ReceiptPlace place,
							RowStanding before, const MessageRow *row,
							bool received);
extern void journal_vanish(Store *store, ReceiptPlace place,
						   TupleTableSlot *version, QueueTotal total,
						   bool received);

/*
 * Notes the message that follows in its group the one that the last note says
 * has vanished.
 */
extern void journal_follow(Store *store, int64 id);

/* or that nobody follows it yet */
extern void journal_no_follower(Store *store);

/* the write that was noted last was not made: somebody else was faster */
extern void journal_undo(Store *store);

/* rolled-back attempts of a message; noted as taken by this transaction */
extern int32 journal_take_attempts(Store *store, int64 id, TimestampTz *at);

/* they were not used, if the last note is that they were taken */
extern void journal_return_attempts(Store *store, int64 id);

/*
 * Our own uncommitted rows that the bound may have passed: the next entry
 * after "after" (-1 to begin) that is worth a look, or NULL.  *after becomes
 * its number.
 */
extern JournalEntry *journal_next_own(const Store *store, int64 bound,
									  TimestampTz now, int *after);

/*
 * The entry of that number, whose last id was "last", was looked into: not
 * again before "due".
 */
extern void journal_own_looked(int entry, int64 last, TimestampTz due);

/* is a parked row of our own due, which the bound may have passed? */
extern bool journal_own_parked(const Store *store, TimestampTz now);

/* will this transaction, by top-level id, tell at its end what it did? */
extern bool journal_is_registered(TransactionId xid);

/* ---- for those who tell, see ending.c ---- */

extern JournalEntry *journal_entries;
extern int	journal_count;
extern TransactionId journal_xid;	/* invalid: nothing was noted */

/* joins what can be joined once nothing can be undone any more */
extern void journal_settle(void);

/* all was told: forgets the notes, and registers no more */
extern void journal_end(void);

#endif							/* DECOUPLE_JOURNAL_H */
