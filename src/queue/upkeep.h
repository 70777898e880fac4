/*
 * upkeep.h
 *		What a queue needs done for it: retention and dead letters.
 */
#ifndef DECOUPLE_UPKEEP_H
#define DECOUPLE_UPKEEP_H

#include "postgres.h"

#include "base/shared.h"

/* where a pass over a queue goes on; all 0 to begin one */
typedef struct UpkeepPass
{
	int64		after_id;
	bool		due_done;		/* the parked rows that are due were seen */
} UpkeepPass;

/*
 * Does a bounded part of a pass in the current transaction.  True if there is
 * more.  A queue that is gone, unfit or locked by somebody is passed by.
 */
extern bool upkeep_step(const char *queue_name, UpkeepPass *pass);

/*
 * Counts receives of the queue that were rolled back, where that ends with the
 * message put off or dead-lettered; the next receiver counts the others.  True
 * if there is more.
 */
extern bool upkeep_attempts(const char *queue_name);

/*
 * Sets the queue's counts right where it is needed; with fold, keeps its
 * totals.
 */
extern void upkeep_counts(const char *queue_name, bool fold);

/* do a slot's counts need it? */
extern bool upkeep_wants_recount(QueueSlot *slot);

/*
 * Removes parked messages whose queue was dropped, a bounded number, from the
 * queue numbers above *after on.  True if there is more.
 */
extern bool upkeep_parked_step(int32 *after);

#endif							/* DECOUPLE_UPKEEP_H */
