/*
 * shared.h
 *		What the sessions of a server share about queues, in shared memory.
 *
 * It exists where the library is in shared_preload_libraries.  All of it is
 * knowledge that can be had again from the tables: it is empty after a crash
 * or a restart, and a queue for which there is no room works without.
 *
 * A queue has a slot, found by (database, queue number) and made when it is
 * first used.  A slot that is made anew begins with a bound that passes
 * nothing, so losing one costs speed and never a message.
 *
 * Locks.  SharedState.lock guards which slots there are; it is taken before a
 * slot's lock, never while one is held.  Each field of a slot names its
 * guard.  None of these locks is held over I/O, another wait, or anything
 * that can raise an error.
 */
#ifndef DECOUPLE_SHARED_H
#define DECOUPLE_SHARED_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/ilist.h"
#include "port/atomics.h"
#include "storage/lwlock.h"

/* the window of seconds in which hidden messages are counted one by one */
#define WINDOW_SECONDS		512

/* totals that are counted per queue, by number */
typedef enum QueueTotal
{
	TOTAL_SENT,
	TOTAL_RECEIVED,
	TOTAL_DELETED,
	TOTAL_DEAD_LETTERED,
	TOTAL_EXPIRED,
	QUEUE_TOTALS				/* how many, last; also: none of them */
} QueueTotal;

/* why a message is hidden */
typedef enum HiddenState
{
	HIDDEN_DELAYED,				/* it was not received yet */
	HIDDEN_IN_FLIGHT,
	HIDDEN_STATES,				/* how many */
	NOT_HIDDEN = HIDDEN_STATES	/* visible since it was sent */
} HiddenState;

/* ids that the bound has passed and that may be received all the same */
typedef struct HeldRange
{
	int64		first;			/* both included */
	int64		last;
	TimestampTz due;			/* not worth a look before; or else before */
	TransactionId blocker;		/* this one's end, if it is valid */
	uint32		version;		/* another after each change */
} HeldRange;

/* receives of these messages that were rolled back and are not counted yet */
typedef struct AttemptNote
{
	int64		first;			/* ids, both included */
	int64		last;
	TimestampTz at;				/* when the last was rolled back */
	int32		attempts;		/* of each of them */
} AttemptNote;

/* how many messages of a group wait, roughly; see store/fair.h */
typedef struct GroupShare
{
	uint64		group;			/* its hash */
	int64		waiting;		/* 0: nobody's */
} GroupShare;

#define GROUP_SHARES	8

/* how many committed messages are hidden */
typedef struct HiddenCounts
{
	/* by the second in which they come back, modulo the window's length */
	int32		hidden[HIDDEN_STATES][WINDOW_SECONDS];
	int64		far[HIDDEN_STATES]; /* those that come back after the window */
} HiddenCounts;

/* in how many queues one session can wait at a time */
#define WAIT_QUEUES_MAX		16

/* a session that waits for a queue */
typedef struct WaitNode
{
	dlist_node	link;			/* in QueueSlot.waiters; that slot's lock */
	int			process;		/* set once */
	bool		waits;			/* in the list? slot's lock */
} WaitNode;

typedef struct QueueSlot
{
	LWLock		lock;

	/* written under both locks, read under either */
	Oid			database;		/* InvalidOid: the slot is free */
	int32		number;

	/* store/head.c: written under the lock held exclusively */
	int64		bound;			/* ids up to it are passed */
	int			mover;			/* who is about to move the bound, or -1 */
	int64		moving_limit;	/* not beyond this id */
	TimestampTz parked_bound;	/* parked ones up to (time, id) are passed */
	int64		parked_bound_id;
	TimestampTz parked_due;		/* nothing beyond that is due before */
	int			parked_mover;	/* who is about to move these, or -1 */
	TimestampTz parked_low;		/* the lowest (time, id) that ended meanwhile */
	int64		parked_low_id;
	TimestampTz held_due;		/* the earliest due of the held ranges */
	int			held_count;
	int			blocked_count;	/* held ranges that have a blocker */
	int			note_count;
	uint32		versions;		/* the last one that a range got */
	bool		far;			/* a receive went far beyond the bound */

	/* store/fair.c: under the lock held exclusively */
	GroupShare	shares[GROUP_SHARES];

	/* base/waiting.c: written under the lock held exclusively */
	dlist_head	waiters;		/* of WaitNode, the longest waiting first */
	int			waiter_count;

	/* worker/tick.c: the due time that LISTENers were told of; the worker's */
	TimestampTz told_due;

	/* no lock: */
	pg_atomic_uint64 highest_id;	/* of those that were committed or claimed */
	/* somebody who LISTENs is to be told */
	pg_atomic_uint32 notify;
	/* receives were rolled back: the worker shall look */
	pg_atomic_uint32 attend;
	/* functions are to be called with its messages: the function worker shall */
	pg_atomic_uint32 call;

	/* store/count.c: written under the lock held exclusively */
	bool		counted;		/* counts are exact */
	bool		folded;			/* totals of earlier lives were added */
	TransactionId doubtful;		/* the last prepared transaction at whose end
								 * the counts become wrong, or invalid */
	TimestampTz recount_at;		/* the next whole recount is due */
	int64		window;			/* first second of the counts' window */
	HiddenCounts hidden;
	/* these are added to under the lock held shared */
	pg_atomic_uint64 messages;	/* committed ones, in both places */
	pg_atomic_uint64 totals[QUEUE_TOTALS];

	/* behind these: decouple_max_held_keys of each, see slot_held() */
} QueueSlot;

typedef struct Recount
{
	QueueSlot  *slot;			/* who is recounted, or NULL; slot's lock */
	bool		whole;			/* all of it, or only the seconds of: */
	int64		from;			/* this one included */
	int64		until;			/* this one excluded */
	/* what those did meanwhile whom the scan's snapshot does not see */
	int64		messages;
	HiddenCounts hidden;
	/* that snapshot; set before "slot" is */
	TransactionId xmin;
	TransactionId xmax;
	int			running_count;
	TransactionId *running;		/* as many as there are processes */
} Recount;

typedef struct SharedState
{
	LWLock		lock;
	int			tranche;		/* of these locks; set once */
	int			queue_count;	/* slots in use; lock */
	int			slots_used;		/* those beyond were never used; lock */

	/* store/count.c: who recounts, or -1; lock */
	int			recounter;
	/* written by the recounter alone while Recount.slot is NULL, and else
	 * under that slot's lock */
	Recount		recount;

	/* base/waiting.c: WAIT_QUEUES_MAX of each process */
	WaitNode   *wait_nodes;

	/* transactions that will tell at their end what they did: top-level
	 * transaction ids by process number; each written by its process only */
	pg_atomic_uint32 *registered;
} SharedState;

/* NULL where the library is not preloaded, and in a standalone backend */
extern SharedState *shared;

/* asks for the memory; only while shared_preload_libraries are loaded */
extern void shared_init(void);

/* how many processes there can be: the length of SharedState.registered */
extern int	shared_process_count(void);

/*
 * The slot of a queue of this database, made if need be.  NULL where there
 * is no shared memory or no room, and on a standby.  It may be taken away at
 * any time: whoever locks it looks whether it is still the queue's
 * (slot_lock).
 */
extern QueueSlot *slot_of_queue(int32 number);

/* the same, but never made */
extern QueueSlot *slot_find(int32 number);

/*
 * The slot of a queue that is just made.  What is there of another queue of
 * that number is forgotten: after DROP EXTENSION numbers, and ids, begin anew.
 */
extern QueueSlot *slot_of_new_queue(int32 number);

/* locks a slot; false, and no lock, where it is another queue's by now */
extern bool slot_lock(QueueSlot *slot, int32 number, LWLockMode mode);
extern void slot_unlock(QueueSlot *slot);

/* frees a queue's slot, unless somebody waits there */
extern void slot_free(QueueSlot *slot, Oid database, int32 number);

/* all slots that were ever used, free ones too, by number; NULL after the last */
extern QueueSlot *slot_by_index(int index);

/*
 * The next slot of this database, from *index on, which is 0 to begin; NULL
 * after the last.  A look without a lock.
 */
extern QueueSlot *slot_next_here(int *index);

/* the arrays behind a slot */
extern HeldRange *slot_held(QueueSlot *slot);
extern AttemptNote *slot_notes(QueueSlot *slot);

#endif							/* DECOUPLE_SHARED_H */
