/*
 * lanes.h
 *		What is to be done for topics and subscriptions, and whose turn it is.
 *
 * A lane is a topic's queue of publications, to be fanned out, or a
 * subscription's queue of deliveries.  Somebody notes that there may be work in
 * one; a round looks at each that was noted, does a bounded part, and comes back
 * to those that have more.  So a long backlog in one does not stop the others.
 *
 * Lanes are this process's memory, made again from the tables at need: a crash
 * costs a look.
 */
#ifndef DECOUPLE_LANES_H
#define DECOUPLE_LANES_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "base/steps.h"
#include "queue/definition.h"

/* there may be work in a queue that is not for users */
extern void lane_note(int32 queue_number, QueuePurpose purpose);

/* the same for one that was noted before; nothing where it was not */
extern void lane_note_again(int32 queue_number);

/* notes those whose queues have no place in shared memory: nobody tells of them */
extern void lanes_note_untold(void);

/* when a lane has its next turn: now or earlier, later, or DT_NOEND */
extern TimestampTz lanes_next(void);

/*
 * A turn of each lane that was noted, in steps.  True if there is more to be
 * done at once.
 */
extern bool lanes_round(EndStep end_step);

/*
 * Is the transaction one of ours, for this work alone?  Not where maintain() was
 * called in a transaction block.
 */
extern bool lanes_own_transaction(void);

/* there is room again: lanes that waited for it have their turn */
extern void lanes_unblock(void);

/*
 * All that can be done now, to its end: maintain().  With "outside" also what
 * leaves the database, for about a minute at most: not in a transaction block.
 * An error of one lane becomes a warning, and the others go on: unlike the worker's
 * caller, maintain()'s has nobody above who would try the others.
 */
extern void lanes_all(EndStep end_step, bool outside);

/*
 * Lanes whose transport is apart are handed over to this function from now on; one
 * that it returns false for is served by this process.
 */
typedef bool (*LaneHandOver) (int32 queue_number);
extern void lanes_hand_over(LaneHandOver hand_over);

/* the lane whose turn it was when an error came waits a while */
extern void lanes_failed(void);

#endif							/* DECOUPLE_LANES_H */
