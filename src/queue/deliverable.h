/*
 * deliverable.h
 *		The next message of a queue that may be delivered.
 */
#ifndef DECOUPLE_DELIVERABLE_H
#define DECOUPLE_DELIVERABLE_H

#include "queue/call.h"
#include "queue/dead_letter.h"
#include "store/visit.h"

/* what is cleared out of the way while looking for it; all 0 to begin */
typedef struct Clearing
{
	DeadLetters letters;
	int			cleared;		/* expired, exhausted or put off */
	bool		wrote;
} Clearing;

/*
 * Goes to the next message that is visible, has not expired and is not
 * exhausted; false where there is none.  On its way it clears away those that
 * are, and counts receives that were rolled back: where the queue's retry policy
 * puts such a message off, it is hidden.
 */
extern bool next_deliverable(Clearing *clearing, QueueCall *call,
							 Visit *visit);

/* what became of a message that stood in the way */
typedef enum Cleared
{
	NOT_CLEARED,				/* nothing */
	CLEARED_AWAY,				/* it is gone, or in the dead-letter queue */
	CLEARED_PUT_OFF				/* it is there, and hidden */
} Cleared;

/*
 * Counts the rolled-back receives of the visited message, and tells what came
 * of it.  With write_always the count is written in any case.
 */
extern Cleared count_attempts(Clearing *clearing, QueueCall *call,
						   StoreScan *scan, TimestampTz now,
						   bool write_always);

#endif							/* DECOUPLE_DELIVERABLE_H */
