/*
 * head.h
 *		The head bound: where a receive begins to look.
 *
 * Dead rows at the head of a queue are what makes queues in PostgreSQL slow:
 * while an old snapshot keeps vacuum from removing them, each receive walks
 * over all.  So each queue has a bound in shared memory: no message whose id
 * is not above it is receivable, except those on the queue's list of held
 * ranges.  The bound may be too low, which costs time; it is never too high.
 *
 * The rules that make it so:
 *
 *	1. A transaction tells the journal which ids it writes before it writes
 *	   them, and its process is then registered; when the transaction ends, or
 *	   a savepoint is rolled back, it tells what became of these ids
 *	   (store/journal.c).  An id that may be received then and that the bound
 *	   has passed goes on the list.
 *	2. Who is about to move the bound (the mover, one at a time) says so
 *	   before it looks at the first row.  Whoever ends while somebody moves
 *	   puts ids up to the moving limit on the list, as if they were passed.
 *	3. The mover passes what is dead for good; what a registered transaction
 *	   holds; what is hidden for a time, which it puts on the list with that
 *	   time; and what an unregistered transaction holds (a prepared one, one
 *	   from before a restart, or one that writes to the table by hand), which
 *	   it puts on the list to be looked at each second.
 *	4. Of a FIFO queue's group only the first message is receivable.  The
 *	   mover passes one behind it if the message before it in its group stays
 *	   for sure: whoever ends that one puts its follower on the list.  If the
 *	   one before is held by an open transaction, that may have looked for a
 *	   follower already: so the one behind goes on the list, and is due when
 *	   that transaction, the blocker, ends.
 *	5. What was inserted by an unregistered transaction below the bound after
 *	   the mover had looked there, the worker finds, now and then, by a scan
 *	   of the whole queue.
 *
 * The list holds ranges of ids, each with the time from which it is worth a
 * look; it is no secret how many there are (decouple.max_held_keys).  When it
 * is full, ranges that lie near each other are joined.  A range may hold ids
 * that are dead or another queue's: looking there costs time only.
 *
 * Parked messages have a bound on (time, id) under the same rules.  It has
 * no list: what becomes receivable below it moves it down again; and there is
 * the time before which nothing beyond it is due.
 *
 * A crash of the server loses all this: it begins with a bound that passes
 * nothing.
 */
#ifndef DECOUPLE_HEAD_H
#define DECOUPLE_HEAD_H

#include "base/shared.h"

/* how far a receive may go beyond the bound before it is moved */
#define HEAD_FAR		16

/* how many due ranges a receive looks into, and hidden ids a move collects */
#define LOOKS_MAX		16
#define FOUND_MAX		64

/* what a receive begins with */
typedef struct HeadView
{
	int64		bound;
	bool		moving;			/* we are the mover */
	int64		moving_limit;
	int			look_count;
	HeldRange	looks[LOOKS_MAX];	/* due ones, the lowest ids first */
} HeadView;

/* what a scan found out about ids that stay behind it */
typedef struct HeadFindings
{
	bool		full;			/* no room for another id */
	int			count;
	HeldRange	ranges[FOUND_MAX];
} HeadFindings;

/*
 * What is to be looked at, at "now"; with may_move, and where it is worth it,
 * we become the mover.  All zero, and from the head, where slot is NULL.
 */
extern void head_view(QueueSlot *slot, int32 number, TimestampTz now,
					  bool may_move, HeadView *view);

/*
 * Notes an id that stays behind and is not worth a look before "due", or the
 * end of "blocker" where that is valid: a top-level transaction.
 */
extern void head_found(HeadFindings *findings, int64 id, TimestampTz due,
					   TransactionId blocker);

/*
 * The mover has looked at everything up to "passed": the bound moves there,
 * but not beyond the moving limit.
 */
extern void head_moved(QueueSlot *slot, int32 number, HeadView *view,
					   int64 passed, const HeadFindings *findings);

/*
 * A receive went from the bound to "reached", or to the end: is it time to
 * move?
 */
extern void head_reached(QueueSlot *slot, const HeadView *view,
						 int64 reached, bool to_the_end);

/*
 * A due range was looked into up to "passed"; what stays behind up to there
 * is in the findings.
 */
extern void head_looked(QueueSlot *slot, int32 number, const HeldRange *look,
						int64 passed, const HeadFindings *findings);

/* ---- parked messages ---- */

typedef struct ParkedView
{
	bool		nothing_due;
	bool		moving;
	TimestampTz bound;
	int64		bound_id;
} ParkedView;

extern void parked_view(QueueSlot *slot, int32 number, TimestampTz now,
						bool may_move, ParkedView *view);

/*
 * The mover has passed all parked messages up to (time, id), and knows that
 * nothing beyond is due before "next_due".
 */
extern void parked_moved(QueueSlot *slot, int32 number, ParkedView *view,
						 TimestampTz passed, int64 passed_id,
						 TimestampTz next_due);

/* a queue that parks nothing: nothing there will ever be due */
extern void parked_never(QueueSlot *slot, int32 number);

/* ---- for the journal: with the slot's lock held exclusively ---- */

/* does an id that ends now have to go on the list? */
static inline bool
head_concerns(const QueueSlot *slot, int64 first)
{
	return first <= slot->bound ||
		(slot->mover >= 0 && first <= slot->moving_limit);
}

extern void head_put(QueueSlot *slot, int64 first, int64 last,
					 TimestampTz due, TransactionId blocker);

/* a transaction ends: what it blocked is due now; how many ranges that is */
extern int	head_unblock(QueueSlot *slot, TransactionId blocker);
extern void head_remove(QueueSlot *slot, int64 first, int64 last);
extern void parked_put(QueueSlot *slot, TimestampTz due, int64 id);

/* we are no mover any more; after an error */
extern void head_give_up(void);

/* ---- rolled-back attempts ---- */

/* notes that receives of these ids were rolled back; exclusive lock held */
extern void attempts_note(QueueSlot *slot, int64 first, int64 last,
						  int32 attempts, TimestampTz at);

/* takes the note of an id away; 0 where there is none */
extern int32 attempts_take(QueueSlot *slot, int32 number, int64 id,
						   TimestampTz *at);

/*
 * The lowest noted id above "after", and its note, which stays; 0: none.
 */
extern int64 attempts_next(QueueSlot *slot, int32 number, int64 after,
						   int32 *attempts, TimestampTz *at);

#endif							/* DECOUPLE_HEAD_H */
