/*
 * dead_letter.h
 *		What has been received too often goes to the dead-letter queue.
 */
#ifndef DECOUPLE_DEAD_LETTER_H
#define DECOUPLE_DEAD_LETTER_H

#include "queue/call.h"

/* the dead-letter queue of a call's queue, opened when it is first needed */
typedef struct DeadLetters
{
	bool		tried;
	bool		usable;			/* open; else messages stay where they are */
	QueueCall	call;
} DeadLetters;

/*
 * Has the row been received as often as its queue allows?  Receives in
 * earlier queues do not count (sqs: maxReceiveCount).
 */
extern bool is_exhausted(const QueueDefinition *definition,
						 const MessageRow *row);

/*
 * Moves the scanned row to the dead-letter queue.  False where there is none
 * to be had, or somebody else got the row first.
 */
extern bool dead_letter_move(DeadLetters *letters, QueueCall *source,
							 StoreScan *scan, TimestampTz now);
extern void dead_letter_close(DeadLetters *letters);

#endif							/* DECOUPLE_DEAD_LETTER_H */
