/*
 * group.h
 *		The groups of a FIFO queue: who sends, and what may be received.
 *
 * Order.  A sender holds its group's lock from before it draws a message id
 * until its transaction ends.  So within a group the order of ids is the order
 * of the commits, and what is committed lies before what is not.
 *
 * Run.  What a group gives is a run from its first message on, as far as all
 * are visible and nobody holds them.  A message that is in flight, or held by
 * an open transaction, ends the run: it blocks what lies behind it, not what
 * lies before.  A message that is delayed and was never received is stepped
 * over (sqs: FIFO-queues-understanding-logic; reference 1.6).
 *
 * The run is judged with one fresh snapshot, which sees each message in exactly
 * one version; a scan for the newest versions could miss one that is written
 * meanwhile, and take its follower for the first.  A version that is not the
 * newest any more ends the run.  So at REPEATABLE READ a first message that the
 * transaction does not see, or not in its newest version, blocks its group.
 */
#ifndef DECOUPLE_GROUP_H
#define DECOUPLE_GROUP_H

#include "store/store.h"

/* the longest group id, in bytes (sqs: MessageGroupId, 128 characters) */
#define GROUP_ID_MAX	128

/*
 * Locks the groups of a queue for a sender until the transaction ends, in one
 * order for all senders, waiting for others who send to them.  Ids may repeat.
 * Senders who lock groups in several calls may deadlock: 40P01.
 */
extern void group_lock(Store *store, const Datum *group_ids, int count);

/* the same for one group, but false instead of waiting */
extern bool group_try_lock(Store *store, Datum group_id);

/* a group's hash, never 0 */
extern uint64 group_hash(Datum group_id);

/* ---- what is behind, what is before ---- */

/* how the message before one in its group stands */
typedef enum GroupBefore
{
	GROUP_NONE_BEFORE,			/* it is the first */
	GROUP_KEPT_BEFORE,			/* one that nobody holds, or we do */
	GROUP_HELD_BEFORE			/* one that an open transaction holds */
} GroupBefore;

/* looks before a scanned or found version; *holder is top-level */
extern GroupBefore group_before(Store *store, TupleTableSlot *version,
								TimestampTz now, TransactionId *holder);

/*
 * The version was deleted.  Who follows in its group is to be told when the
 * transaction commits: that is noted in the journal when the call closes its
 * store, or goes on to another group, once for all that it deleted of one.
 */
extern void group_vanished(Store *store, TupleTableSlot *version);
extern void group_note_follower(Store *store);

/* ---- runs ---- */

typedef struct GroupRun
{
	bool		open;
	StoreScan	scan;			/* the current message is scan.row */
	Datum		group_id;
	int64		until;			/* the scan goes to this id, excluded, and then
								 * to the end */
} GroupRun;

/* what came of an attempt to begin a run */
typedef enum GroupRunResult
{
	RUN_BEGUN,					/* run->scan is at its first message */
	RUN_BLOCKED,				/* its first message is not to be had */
	RUN_NOT_SEEN				/* the snapshot does not see that message yet */
} GroupRunResult;

/*
 * Begins the run of a group with a registered snapshot.  "id" is a message
 * that the run is begun for.  "group_id" must last as long as the run.
 */
extern GroupRunResult group_run_begin(GroupRun *run, Store *store,
									  Snapshot snapshot, Datum group_id,
									  int64 id, TimestampTz now);

/* goes to the next message of the run; false at its end */
extern bool group_run_next(GroupRun *run, TimestampTz now);
extern void group_run_end(GroupRun *run);

/*
 * The first message of the first group behind "after" (NULL: of all); its
 * group id, a copy, or NULL where there is none.
 */
extern text *group_next(Store *store, Snapshot snapshot, const text *after,
						int64 *id);

#endif							/* DECOUPLE_GROUP_H */
